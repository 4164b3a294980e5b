//! The ingestion API: takes events and deletes profiles. Answers in the shapes of its own OpenAPI
//! document, which differ from those of the other APIs.

pub(crate) mod events;
pub(crate) mod profiles;

use std::io::Read;

use axum::Json;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use flate2::read::GzDecoder;
use serde_json::{Value, json};

use crate::sandbox::api::body::Received;
use crate::sandbox::api::replies::Refusal;
use crate::sandbox::query::parameters::QueryParameters;

/// A call that was refused whole.
#[derive(Debug)]
pub(crate) enum IngestionRefusal {
    Unauthorized,
    Forbidden,
    Bad(&'static str),
    TooLarge,
    Failure,
}

/// A record that was refused by itself.
#[derive(Debug)]
pub(crate) struct BadRecord {
    pub(crate) index: usize,
    pub(crate) insert_id: Option<String>,
    pub(crate) field: &'static str,
    pub(crate) message: String,
}

impl From<Refusal> for IngestionRefusal {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::NoAccount | Refusal::WrongAccount => Self::Unauthorized,
            Refusal::ForbiddenProject => Self::Forbidden,
            Refusal::BadQuery(text) => Self::Bad(text),
            Refusal::BodyTooLarge => Self::TooLarge,
            _ => Self::Failure,
        }
    }
}

impl IntoResponse for IngestionRefusal {
    fn into_response(self) -> Response {
        let (status, error) = match self {
            Self::Unauthorized => (StatusCode::UNAUTHORIZED, "Invalid credentials"),
            Self::Forbidden => (StatusCode::FORBIDDEN, "no access to this project"),
            Self::Bad(text) => (StatusCode::BAD_REQUEST, text),
            Self::TooLarge => (
                StatusCode::PAYLOAD_TOO_LARGE,
                "request exceeds the limit of bytes or records",
            ),
            Self::Failure => (
                StatusCode::INTERNAL_SERVER_ERROR,
                "the sandbox itself failed",
            ),
        };
        strict(status, json!({ "error": error }))
    }
}

/// The answer of a strict call: all records, or those that failed.
fn taken(sent: usize, failed: &[BadRecord]) -> Response {
    let imported = json!({ "num_records_imported": sent - failed.len() });
    if failed.is_empty() {
        return strict(StatusCode::OK, imported);
    }
    let records = failed.iter().map(|record| {
        json!({
            "index": record.index,
            "insert_id": record.insert_id,
            "field": record.field,
            "message": record.message,
        })
    });
    let mut body = imported;
    body["error"] = "some data points in the request failed validation".into();
    body["failed_records"] = records.collect();
    for record in body["failed_records"].as_array_mut().into_iter().flatten() {
        if let Some(record) = record.as_object_mut() {
            record.retain(|_, value| !value.is_null());
        }
    }
    strict(StatusCode::BAD_REQUEST, body)
}

fn strict(status: StatusCode, mut body: Value) -> Response {
    body["code"] = status.as_u16().into();
    body["status"] = status.canonical_reason().into();
    (status, Json(body)).into_response()
}

/// The body, unpacked up to so many bytes.
fn unpack(
    headers: &HeaderMap,
    body: &Received,
    most_bytes: usize,
) -> Result<Vec<u8>, IngestionRefusal> {
    let Received::Whole(body) = body else {
        return Err(IngestionRefusal::TooLarge);
    };
    let mut plain = Vec::new();
    let limit = most_bytes as u64 + 1;
    let read = match headers
        .get(header::CONTENT_ENCODING)
        .map(|value| value.as_bytes())
    {
        None => body.as_ref().take(limit).read_to_end(&mut plain),
        Some(b"gzip") => GzDecoder::new(body.as_ref())
            .take(limit)
            .read_to_end(&mut plain),
        Some(_) => return Err(IngestionRefusal::Bad("unknown Content-Encoding")),
    };
    match read {
        Err(_) => Err(IngestionRefusal::Bad("the body cannot be unpacked")),
        Ok(_) if plain.len() > most_bytes => Err(IngestionRefusal::TooLarge),
        Ok(_) => Ok(plain),
    }
}

/// A switch of the address: `0`, `1`, or not given.
fn switch(
    address: &QueryParameters,
    name: &str,
    wrong: &'static str,
) -> Result<Option<bool>, IngestionRefusal> {
    match address.get(name) {
        None => Ok(None),
        Some("0") => Ok(Some(false)),
        Some("1") => Ok(Some(true)),
        Some(_) => Err(IngestionRefusal::Bad(wrong)),
    }
}

fn media_type(headers: &HeaderMap) -> &str {
    let kind = headers.get(header::CONTENT_TYPE);
    let kind = kind.and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    kind.split(';').next().unwrap_or_default().trim()
}
