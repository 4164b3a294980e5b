//! The service account: whether its credentials are right, which projects it may see, and how often
//! it may ask. A query that is not admitted does not count; every other one does, whatever its result.

use std::sync::Arc;

use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use tokio::sync::OwnedSemaphorePermit;

use crate::sandbox::api::replies::Refusal;
use crate::sandbox::api::server::Server;
use crate::sandbox::state::clock::Moment;
use crate::sandbox::state::store::Pace;
use crate::sandbox::{SERVICE_ACCOUNT, SERVICE_ACCOUNT_SECRET, project_id};

/// A project that the account may see.
#[derive(Debug)]
pub(crate) struct QueriedProject {
    pub(crate) id: u32,
    pub(crate) token: String,
}

/// What an hourly limit is for.
#[derive(Clone, Copy, Debug)]
pub(crate) enum QueryKind {
    Profiles,
    Events,
}

/// Refuses a call without the account's user name and secret.
pub(crate) fn check(headers: &HeaderMap) -> Result<(), Refusal> {
    let value = headers.get(AUTHORIZATION).ok_or(Refusal::NoAccount)?;
    let (scheme, credentials) = value
        .to_str()
        .ok()
        .and_then(|text| text.split_once(' '))
        .ok_or(Refusal::WrongAccount)?;
    let expected = STANDARD.encode(format!("{SERVICE_ACCOUNT}:{SERVICE_ACCOUNT_SECRET}"));
    if scheme.eq_ignore_ascii_case("basic") && credentials == expected {
        Ok(())
    } else {
        Err(Refusal::WrongAccount)
    }
}

/// The projects that the account may see: those of the settings, and every project that has called.
pub(crate) async fn projects(server: &Arc<Server>) -> Result<Vec<QueriedProject>, Refusal> {
    let mut tokens = server.with_store(|store| store.list_projects()).await?;
    tokens.extend(server.settings.projects.iter().cloned());
    tokens.sort();
    tokens.dedup();
    let project = |token: String| QueriedProject {
        id: project_id(&token),
        token,
    };
    Ok(tokens.into_iter().map(project).collect())
}

/// The project of a `project_id`.
pub(crate) async fn project(
    server: &Arc<Server>,
    id: Option<&str>,
) -> Result<QueriedProject, Refusal> {
    let id = id.ok_or(Refusal::BadQuery("project_id is required"))?;
    let id: u64 = id
        .parse()
        .map_err(|_| Refusal::BadQuery("project_id must be a number"))?;
    let mut projects = projects(server).await?.into_iter();
    projects
        .find(|project| u64::from(project.id) == id)
        .ok_or(Refusal::ForbiddenProject)
}

/// Counts a query of the project, and gives it one of the project's turns.
pub(crate) async fn admit(
    server: &Arc<Server>,
    project: &QueriedProject,
    kind: QueryKind,
) -> Result<OwnedSemaphorePermit, Refusal> {
    let turn = server.turns.take(&project.token);
    let turn = turn.ok_or(Refusal::TooManyQueriesAtOnce)?;
    let limit = server.settings.queries_per_hour;
    let (token, name) = (project.token.clone(), format!("{kind:?}"));
    let counted = server
        .with_store(move |store| store.record_query(&token, &name, Moment::now(), limit))
        .await?;
    match counted {
        Pace::Kept => Ok(turn),
        Pace::TooFast => Err(Refusal::TooManyQueries { limit }),
    }
}
