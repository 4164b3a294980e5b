//! `delete-profile`: takes the profile of an id away, and leaves its events. Needs no more than the
//! project's token. Refuses every other update of a profile.

use std::sync::Arc;

use axum::extract::{RawQuery, State};
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use serde_json::{Value, json};

use super::{BadRecord, IngestionRefusal, media_type, switch, taken, unpack};
use crate::sandbox::api::body::Received;
use crate::sandbox::api::server::Server;
use crate::sandbox::query::parameters::QueryParameters;

const PARAMETERS: [&str; 3] = ["ip", "strict", "verbose"];
const KNOWN: [&str; 4] = ["$token", "$distinct_id", "$delete", "$ignore_alias"];

pub(crate) async fn engage(
    State(server): State<Arc<Server>>,
    headers: HeaderMap,
    RawQuery(address): RawQuery,
    Extension(body): Extension<Received>,
) -> Result<Response, IngestionRefusal> {
    let address = QueryParameters::parse(address.unwrap_or_default().as_bytes(), &PARAMETERS)?;
    let is_strict = switch(&address, "strict", "strict must be 0 or 1")?;
    let is_verbose = switch(&address, "verbose", "verbose must be 0 or 1")?;
    switch(&address, "ip", "ip must be 0 or 1")?;
    let settings = &server.settings;
    let body = unpack(&headers, &body, settings.max_import_bytes)?;
    let records: Option<Vec<Value>> = match media_type(&headers) {
        "application/json" => serde_json::from_slice(&body).ok(),
        _ => None,
    };
    let records = records.filter(|records| !records.is_empty());
    let records = records.ok_or(IngestionRefusal::Bad(
        "the body must be a JSON array of updates",
    ))?;
    if records.len() > settings.max_import_events {
        return Err(IngestionRefusal::TooLarge);
    }
    let (mut deleted, mut failed) = (Vec::new(), Vec::new());
    for (index, record) in records.iter().enumerate() {
        match check(record) {
            Ok(profile) => deleted.push(profile),
            Err((field, message)) => failed.push(BadRecord {
                index,
                insert_id: None,
                field,
                message: message.to_owned(),
            }),
        }
    }
    let some_are_good = !deleted.is_empty();
    server
        .with_store(move |store| store.record_deleted_profiles(&deleted))
        .await?;
    Ok(match (is_strict, is_verbose) {
        (Some(true), _) => taken(records.len(), &failed),
        (_, Some(true)) => {
            let error = failed.first().map_or("", |failed| &failed.message);
            let status = u8::from(failed.is_empty());
            Json(json!({ "status": status, "error": error })).into_response()
        }
        _ => u8::from(some_are_good).to_string().into_response(),
    })
}

/// The project's token and the id; or the field that is wrong, and why.
fn check(record: &Value) -> Result<(String, String), (&'static str, &'static str)> {
    let members = record.as_object().ok_or(("", "must be an object"))?;
    let text = |name: &str| record[name].as_str().unwrap_or_default().to_owned();
    let (token, id) = (text("$token"), text("$distinct_id"));
    let is_hex = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    if token.len() != 32 || !token.bytes().all(is_hex) {
        return Err(("$token", "'$token' is missing or invalid"));
    }
    if id.is_empty() {
        return Err(("$distinct_id", "'$distinct_id' is missing or blank"));
    }
    if !members.contains_key("$delete") {
        return Err(("$delete", "the sandbox takes deletions only"));
    }
    if !matches!(record["$ignore_alias"], Value::Bool(_) | Value::Null) {
        return Err(("$ignore_alias", "'$ignore_alias' must be true or false"));
    }
    match members.keys().all(|name| KNOWN.contains(&name.as_str())) {
        true => Ok((token, id)),
        false => Err(("", "has a member that is not known")),
    }
}
