//! What a service account is asked for beside people: who it is, and which pipelines copy the
//! project's data to and fro. Each project has one of each.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, RawQuery, State};
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};

use super::account;
use super::parameters::QueryParameters;
use crate::sandbox::SERVICE_ACCOUNT;
use crate::sandbox::api::replies::{self, Refusal};
use crate::sandbox::api::server::Server;

const DAY_IN_NANOSECONDS: i64 = 86_400_000_000_000;

/// The account and its projects. Its shape is not documented.
pub(crate) async fn me(
    State(server): State<Arc<Server>>,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    account::check(&headers)?;
    let projects = account::projects(&server).await?.into_iter();
    let projects: Map<String, Value> = projects
        .map(|project| (project.id.to_string(), json!({"id": project.id})))
        .collect();
    let results = json!({"user_email": SERVICE_ACCOUNT, "projects": projects});
    Ok(replies::ok(results).into_response())
}

/// `list-warehouse-pipeline-jobs`: where the data is copied to.
pub(crate) async fn pipelines(
    State(server): State<Arc<Server>>,
    headers: HeaderMap,
    RawQuery(address): RawQuery,
) -> Result<Response, Refusal> {
    account::check(&headers)?;
    let address = QueryParameters::parse(address.unwrap_or_default().as_bytes(), &["project_id"])?;
    let project = account::project(&server, address.get("project_id")).await?;
    let pipeline = json!({
        "name": "events-daily-bigquery-monoschema",
        "Dispatcher": "backfill",
        "last_dispatched": "2026-01-02 12:00:00 US/Pacific",
        "frequency": "daily",
        "sync_enabled": "true",
    });
    let mut listed = Map::new();
    listed.insert(project.id.to_string(), json!([pipeline]));
    Ok(Json(listed).into_response())
}

/// `list-warehouse-imports`: what is synced into the project.
pub(crate) async fn imports(
    State(server): State<Arc<Server>>,
    headers: HeaderMap,
    Path(id): Path<String>,
) -> Result<Response, Refusal> {
    account::check(&headers)?;
    account::project(&server, Some(&id)).await?;
    let import = json!({
        "id": 501,
        "import_type": "people",
        "sync_mode": "mirror_mode",
        "created": "2026-01-02T03:04:05Z",
        "creator_id": 1,
        "creator_name": "Sandbox Operator",
        "creator_email": "operator@example.test",
        "warehouse_source_id": 51,
        "table_params": {"dataset": "crm", "table": "people"},
        "paused": false,
        "run_every": DAY_IN_NANOSECONDS,
        "last_dispatch": 1_767_323_045,
        "is_deleted": false,
    });
    Ok(replies::ok(json!([import])).into_response())
}
