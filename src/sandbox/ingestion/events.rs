//! `import-events`: validates each event, and keeps one of those that are the same.

use std::sync::Arc;

use axum::Extension;
use axum::extract::{RawQuery, State};
use axum::http::HeaderMap;
use axum::response::Response;
use serde_json::Value;

use super::{BadRecord, IngestionRefusal, media_type, switch, taken, unpack};
use crate::sandbox::api::body::Received;
use crate::sandbox::api::server::Server;
use crate::sandbox::query::account;
use crate::sandbox::query::parameters::QueryParameters;
use crate::sandbox::state::clock::Moment;
use crate::sandbox::state::ingested::ImportedEvent;

/// What Mixpanel refuses as a distinct_id, since it would match many people.
const FORBIDDEN: [&str; 17] = [
    "00000000-0000-0000-0000-000000000000",
    "anon",
    "anonymous",
    "nil",
    "none",
    "null",
    "n/a",
    "na",
    "undefined",
    "unknown",
    "<nil>",
    "0",
    "-1",
    "true",
    "false",
    "[]",
    "{}",
];

/// A larger time is in milliseconds.
const SECONDS: i64 = 100_000_000_000;

pub(crate) async fn import(
    State(server): State<Arc<Server>>,
    headers: HeaderMap,
    RawQuery(address): RawQuery,
    Extension(body): Extension<Received>,
) -> Result<Response, IngestionRefusal> {
    account::check(&headers)?;
    let address = address.unwrap_or_default();
    let address = QueryParameters::parse(address.as_bytes(), &["strict", "project_id"])?;
    let wrong = "strict is required: 0 or 1";
    let is_strict = switch(&address, "strict", wrong)?.ok_or(IngestionRefusal::Bad(wrong))?;
    let project = account::project(&server, address.get("project_id")).await?;
    let settings = &server.settings;
    let body = unpack(&headers, &body, settings.max_import_bytes)?;
    let records = parse(&headers, &body)?;
    if records.len() > settings.max_import_events {
        return Err(IngestionRefusal::TooLarge);
    }
    let (mut events, mut failed) = (Vec::new(), Vec::new());
    for (index, record) in records.iter().enumerate() {
        match check(record) {
            Ok(event) => events.push(event),
            Err((field, message)) => failed.push(BadRecord {
                index,
                insert_id: record["properties"]["$insert_id"]
                    .as_str()
                    .map(str::to_owned),
                field,
                message: message.to_owned(),
            }),
        }
    }
    server
        .with_store(move |store| store.record_events(&project.token, &events, Moment::now()))
        .await?;
    match is_strict {
        true => Ok(taken(records.len(), &failed)),
        false => Ok(taken(records.len(), &[])),
    }
}

fn parse(headers: &HeaderMap, body: &[u8]) -> Result<Vec<Value>, IngestionRefusal> {
    let bad = IngestionRefusal::Bad;
    let records: Vec<Value> = match media_type(headers) {
        "application/json" => serde_json::from_slice(body)
            .map_err(|_| bad("the body must be a JSON array of events"))?,
        "application/x-ndjson" => {
            let lines = body.split(|byte| *byte == b'\n');
            let lines = lines.filter(|line| !line.trim_ascii().is_empty());
            let records: Result<_, _> = lines.map(serde_json::from_slice).collect();
            records.map_err(|_| bad("each line must be an event"))?
        }
        _ => return Err(bad("the body must be JSON")),
    };
    match records.is_empty() {
        true => Err(bad("the body has no event")),
        false => Ok(records),
    }
}

/// The field that is wrong, and why.
fn check(record: &Value) -> Result<ImportedEvent, (&'static str, &'static str)> {
    let members = record.as_object().ok_or(("", "must be an object"))?;
    let properties = &record["properties"];
    let name = members.get("event").and_then(Value::as_str);
    let event = name.filter(|name| !name.is_empty());
    let event = event.ok_or(("event", "'event' is required, and must be a string"))?;
    if !properties.is_object() {
        return Err((
            "properties",
            "'properties' is required, and must be an object",
        ));
    }
    let time = properties["time"].as_i64().filter(|time| *time > 0);
    let time = time.ok_or((
        "properties.time",
        "'properties.time' is invalid: must be specified as seconds since epoch",
    ))?;
    let id = properties["distinct_id"].as_str();
    let id = id.filter(|id| !id.is_empty() && !FORBIDDEN.contains(&id.to_lowercase().as_str()));
    let id = id.ok_or((
        "properties.distinct_id",
        "'properties.distinct_id' is invalid",
    ))?;
    let insert_id = properties["$insert_id"].as_str();
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    let insert_id = insert_id
        .filter(|id| (1..=36).contains(&id.len()) && id.bytes().all(fits))
        .ok_or((
            "properties.$insert_id",
            "'properties.$insert_id' is invalid: at most 36 letters, digits and -",
        ))?;
    if members.len() != 2 {
        return Err(("", "has a member that is not known"));
    }
    Ok(ImportedEvent {
        event: event.to_owned(),
        time: match time < SECONDS {
            true => time,
            false => time / 1000,
        },
        distinct_id: id.to_owned(),
        insert_id: insert_id.to_owned(),
        json: record.clone(),
    })
}
