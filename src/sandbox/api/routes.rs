//! The operations, with the paths and names of Mixpanel's OpenAPI documents; those of a service
//! account are in `query`. Handlers only connect: `caller` admits, `creation` checks bodies, `store` remembers, `replies` answers.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::{StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get, post};
use axum::{Extension, Router, middleware};

use super::body::{self, Received};
use super::caller::Caller;
use super::creation;
use super::replies::{self, Refusal};
use super::server::Server;
use crate::sandbox::WRONG_REGION_PROJECT_TOKEN;
use crate::sandbox::exports::links;
use crate::sandbox::ingestion::{events as imports, profiles as updates};
use crate::sandbox::query::{copies, events, profiles};
use crate::sandbox::state::clock::{Moment, micros};
use crate::sandbox::state::lifecycle::Status;
use crate::sandbox::state::store::{Cancellation, Creation};
use crate::sandbox::state::task::{Kind, Task};

type Reply = Result<Response, Refusal>;

pub(crate) fn router(server: Arc<Server>) -> Router {
    Router::new()
        .route("/api/app/data-retrievals/v3.0/", post(create_retrieval))
        .route("/api/app/data-retrievals/v3.0/{id}/", get(get_retrieval))
        .route("/api/app/data-deletions/v3.0/", post(create_deletion))
        .route(
            "/api/app/data-deletions/v3.0/{id}/",
            get(get_deletion).delete(delete_deletion),
        )
        .route("/api/app/data-retrievals/v3.0", any(add_slash))
        .route("/api/app/data-retrievals/v3.0/{id}", any(add_slash))
        .route("/api/app/data-deletions/v3.0", any(add_slash))
        .route("/api/app/data-deletions/v3.0/{id}", any(add_slash))
        .route("/api/app/me", get(copies::me))
        .route(
            "/api/app/projects/{id}/warehouse-sources/imports",
            get(copies::imports),
        )
        .route("/api/query/engage", post(profiles::find))
        .route("/api/2.0/export", get(events::export))
        .route("/api/2.0/nessie/pipeline/jobs", get(copies::pipelines))
        .route("/import", post(imports::import))
        .route("/engage", post(updates::engage))
        .route(links::ROUTE, get(links::download))
        .fallback(async || Refusal::NoSuchPath)
        .method_not_allowed_fallback(async || Refusal::NoSuchMethod)
        .layer(middleware::from_fn(body::receive))
        .with_state(server)
}

/// 301 to the path with a slash, as the real service answers for some paths. A client that follows
/// it turns its POST into a GET and creates nothing.
async fn add_slash(uri: Uri) -> Response {
    let query = uri
        .query()
        .map(|query| format!("?{query}"))
        .unwrap_or_default();
    let location = format!("{}/{query}", uri.path());
    (
        StatusCode::MOVED_PERMANENTLY,
        [(header::LOCATION, location)],
    )
        .into_response()
}

async fn create_retrieval(
    State(server): State<Arc<Server>>,
    caller: Caller,
    Extension(body): Extension<Received>,
) -> Reply {
    create(server, Kind::Retrieval, caller, &body).await
}

async fn create_deletion(
    State(server): State<Arc<Server>>,
    caller: Caller,
    Extension(body): Extension<Received>,
) -> Reply {
    create(server, Kind::Deletion, caller, &body).await
}

async fn create(server: Arc<Server>, kind: Kind, caller: Caller, body: &Received) -> Reply {
    if caller.project == WRONG_REGION_PROJECT_TOKEN {
        return Err(Refusal::WrongRegion);
    }
    let settings = &server.settings;
    let order = creation::parse(kind, body, settings)?;
    let (duration, reply) = (micros(settings.job_seconds), settings.create_reply);
    let creation = server
        .with_store(move |store| store.record_task(&caller.project, order, duration, reply))
        .await?;
    match creation {
        Creation::Created(task) => Ok(replies::created(&task)),
        Creation::Conflict {
            distinct_ids,
            task_ids,
        } => Err(Refusal::Conflict {
            distinct_ids,
            task_ids,
        }),
        Creation::SubjectRequestIdTaken => Err(Refusal::SubjectRequestIdTaken),
    }
}

async fn get_retrieval(
    State(server): State<Arc<Server>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Reply {
    let Some(task) = find(&server, Kind::Retrieval, &caller, &id).await? else {
        return Ok(replies::not_found(Kind::Retrieval, &id, &caller.project));
    };
    let status = task.status(Moment::now());
    let link = match status {
        Status::Success => Some(links::link(&server, &task.id).await?),
        _ => None,
    };
    Ok(replies::retrieval(&task, status, link))
}

async fn get_deletion(
    State(server): State<Arc<Server>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Reply {
    Ok(match find(&server, Kind::Deletion, &caller, &id).await? {
        Some(task) => replies::deletion(&task, task.status(Moment::now())),
        None => replies::not_found(Kind::Deletion, &id, &caller.project),
    })
}

/// `None` for a task of another project or endpoint.
async fn find(
    server: &Arc<Server>,
    kind: Kind,
    caller: &Caller,
    id: &str,
) -> Result<Option<Task>, Refusal> {
    let id = id.to_owned();
    let task = server
        .with_store(move |store| store.find_task(&id))
        .await?
        .ok_or(Refusal::NoSuchTask)?;
    Ok((task.order.kind == kind && task.project == caller.project).then_some(task))
}

async fn delete_deletion(
    State(server): State<Arc<Server>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Reply {
    let cancellation = server
        .with_store(move |store| store.record_cancellation(&caller.project, &id))
        .await?;
    match cancellation {
        Cancellation::Cancelled => Ok(StatusCode::NO_CONTENT.into_response()),
        Cancellation::TooLate(status) => Err(Refusal::CannotCancel(status)),
        Cancellation::NoSuchTask => Err(Refusal::NoSuchTask),
    }
}
