//! All replies of the sandbox: the documented shapes, and a text and status for each refusal. Pure:
//! callers decide which reply to give.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use crate::sandbox::project_id;
use crate::sandbox::query::turns::AT_ONCE;
use crate::sandbox::state::clock::Moment;
use crate::sandbox::state::lifecycle::Status;
use crate::sandbox::state::task::{Kind, Law, ReplyShape, Task};

const REQUESTING_USER: &str = "operator@example.test";

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Refusal {
    NoBearer,
    WrongBearer,
    NoProjectToken,
    NumericProjectId,
    MalformedProjectToken,
    ForbiddenProject,
    WrongRegion,
    TooFast {
        rate: f64,
    },
    BodyTooLarge,
    BadBody(&'static str),
    TooManyToDelete {
        limit: usize,
    },
    TooManyToRetrieve {
        limit: usize,
    },
    SubjectRequestIdTaken,
    Conflict {
        distinct_ids: Vec<String>,
        task_ids: Vec<String>,
    },
    NoAccount,
    WrongAccount,
    BadQuery(&'static str),
    TooManyQueries {
        limit: u32,
    },
    TooManyQueriesAtOnce,
    NoSuchTask,
    CannotCancel(Status),
    NoSuchPath,
    NoSuchMethod,
    LinkWithAuthorization,
    BadLink,
    ExpiredLink,
    Failure,
}

impl Refusal {
    fn status(&self) -> StatusCode {
        match self {
            Self::NoBearer | Self::WrongBearer | Self::NoAccount | Self::WrongAccount => {
                StatusCode::UNAUTHORIZED
            }
            Self::NoProjectToken
            | Self::NumericProjectId
            | Self::MalformedProjectToken
            | Self::ForbiddenProject
            | Self::BadLink
            | Self::ExpiredLink => StatusCode::FORBIDDEN,
            Self::WrongRegion | Self::NoSuchTask | Self::NoSuchPath => StatusCode::NOT_FOUND,
            Self::TooFast { .. } | Self::TooManyQueries { .. } | Self::TooManyQueriesAtOnce => {
                StatusCode::TOO_MANY_REQUESTS
            }
            Self::BodyTooLarge | Self::TooManyToDelete { .. } => StatusCode::PAYLOAD_TOO_LARGE,
            Self::BadBody(_)
            | Self::BadQuery(_)
            | Self::TooManyToRetrieve { .. }
            | Self::SubjectRequestIdTaken
            | Self::LinkWithAuthorization => StatusCode::BAD_REQUEST,
            Self::Conflict { .. } => StatusCode::CONFLICT,
            Self::CannotCancel(_) | Self::NoSuchMethod => StatusCode::METHOD_NOT_ALLOWED,
            Self::Failure => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    fn error(self) -> Value {
        let text = match self {
            Self::NoBearer => "an Authorization header with a Bearer token is required".into(),
            Self::WrongBearer => "the OAuth token is not valid".into(),
            Self::NoProjectToken => {
                "the query parameter token is required: the project token".into()
            }
            Self::NumericProjectId => {
                "token is a project id: use the project token, 32 hex digits".into()
            }
            Self::MalformedProjectToken => {
                "token must be a project token: 32 lower-case hex digits".into()
            }
            Self::ForbiddenProject => "you do not have access to this project".into(),
            Self::WrongRegion => "no such project here: does it live in another region?".into(),
            Self::TooFast { rate } => {
                format!("rate limit exceeded: this project is limited to {rate} req/s")
            }
            Self::BodyTooLarge => "the body is larger than 8 MiB".into(),
            Self::BadBody(text) | Self::BadQuery(text) => text.into(),
            Self::NoAccount => "a service account is required: user name and secret".into(),
            Self::WrongAccount => "the service account's user name or secret is not valid".into(),
            Self::TooManyQueries { limit } => {
                format!("query rate limit exceeded: this project is limited to {limit} an hour")
            }
            Self::TooManyQueriesAtOnce => {
                format!("query rate limit exceeded: this project is limited to {AT_ONCE} at once")
            }
            Self::TooManyToDelete { limit } | Self::TooManyToRetrieve { limit } => {
                format!("too many distinct_ids: at most {limit} are allowed")
            }
            Self::SubjectRequestIdTaken => {
                "subject_request_id is already used in this project".into()
            }
            Self::Conflict {
                distinct_ids,
                task_ids,
            } => {
                return json!({
                    "conflicting_distinct_ids": distinct_ids,
                    "conflicting_task_ids": task_ids,
                    "error": "some distinct_ids already have an active deletion",
                });
            }
            Self::NoSuchTask => "no such task".into(),
            Self::CannotCancel(status) => format!(
                "a deletion in status {} cannot be cancelled",
                status.as_str()
            ),
            Self::NoSuchPath => "no such path".into(),
            Self::NoSuchMethod => "this method is not allowed here".into(),
            Self::LinkWithAuthorization => {
                "a signed link takes no Authorization header: never send the token here".into()
            }
            Self::BadLink => "the link's signature is not valid".into(),
            Self::ExpiredLink => "the link has expired".into(),
            Self::Failure => "the sandbox itself failed".into(),
        };
        Value::String(text)
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        (
            self.status(),
            Json(json!({"status": "error", "error": self.error()})),
        )
            .into_response()
    }
}

/// 201, in the task's shape.
pub(crate) fn created(task: &Task) -> Response {
    let results = match task.shape {
        ReplyShape::Object => json!({"task_id": task.id}),
        ReplyShape::List => json!([listed(task)]),
    };
    (StatusCode::CREATED, ok(results)).into_response()
}

fn listed(task: &Task) -> Value {
    let mut item = json!({
        "tracking_id": task.id,
        "status": Status::Pending.as_str(),
        "compliance_type": task.order.law.as_str().to_lowercase(),
        "date_requested": task.times.created.with_micros(),
        "project_id": project_id(&task.project),
        "requesting_user": REQUESTING_USER,
        "distinct_id_count": task.order.distinct_ids.len(),
    });
    if task.order.kind == Kind::Retrieval {
        item["disclosure_type"] = task.order.disclosure.as_str().to_uppercase().into();
        item["destination_url"] = Value::Null;
    }
    item
}

/// 200 for a retrieval, with `link` once it is done.
pub(crate) fn retrieval(task: &Task, status: Status, link: Option<String>) -> Response {
    let mut results = json!({"status": status.as_str(), "distinct_ids": task.order.distinct_ids});
    results[link_field(task.shape)] = link.unwrap_or_default().into();
    ok(results).into_response()
}

/// OpenAPI and prose name it differently; a task uses one of the names.
fn link_field(shape: ReplyShape) -> &'static str {
    match shape {
        ReplyShape::Object => "results",
        ReplyShape::List => "result",
    }
}

pub(crate) fn deletion(task: &Task, status: Status) -> Response {
    let results = json!({
        "tracking_id": task.id,
        "status": status.as_str(),
        "requesting_user": REQUESTING_USER,
        "compliance_type": task.order.law.as_str(),
        "project_id": project_id(&task.project),
        "date_requested": task.times.created.without_zone(),
        "distinct_ids": task.order.distinct_ids,
    });
    ok(results).into_response()
}

/// 200 for a task of another project or endpoint; reveals nothing of it.
pub(crate) fn not_found(kind: Kind, id: &str, project: &str) -> Response {
    let status = Status::NotFound.as_str();
    let results = match kind {
        Kind::Retrieval => json!({"status": status, "results": "", "distinct_ids": []}),
        Kind::Deletion => json!({
            "tracking_id": id,
            "status": status,
            "requesting_user": REQUESTING_USER,
            "compliance_type": Law::Gdpr.as_str(),
            "project_id": project_id(project),
            "date_requested": Moment::now().without_zone(),
            "distinct_ids": [],
        }),
    };
    ok(results).into_response()
}

pub(crate) fn ok(results: Value) -> Json<Value> {
    Json(json!({"status": "ok", "results": results}))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rate_reads_as_the_real_service_writes_it() {
        let error = Refusal::TooFast { rate: 1.0 }.error();
        assert!(
            error
                .as_str()
                .is_some_and(|text| text.ends_with("limited to 1 req/s")),
            "{error}"
        );
    }
}
