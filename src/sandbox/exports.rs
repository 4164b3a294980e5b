//! The host of finished exports: signed links that work without credentials, for fourteen days.
//!
//! Stands for a storage host that is not Mixpanel: a client that sends its token here has leaked
//! it, and is told so.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use sha2::{Digest, Sha256};

use super::clock::Moment;
use super::lifecycle::Status;
use super::replies::Refusal;
use super::server::{Server, off_thread};
use super::task::Kind;
use super::{archive, hex};

pub(super) const ROUTE: &str = "/exports/{id}/{signature}";

/// The link to the export of a task, at the address the server has now.
pub(super) async fn link(server: &Arc<Server>, id: &str) -> Result<String, Refusal> {
    let key = server.with_store(|store| store.link_key()).await?;
    Ok(format!(
        "http://{}/exports/{id}/{}",
        server.address,
        signature(&key, id)
    ))
}

/// Serves the zip; axum answers HEAD from this, too.
pub(super) async fn download(
    State(server): State<Arc<Server>>,
    Path((id, signed)): Path<(String, String)>,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    if headers.contains_key(header::AUTHORIZATION) {
        return Err(Refusal::LinkWithAuthorization);
    }
    let (key, task) = {
        let id = id.clone();
        server
            .with_store(move |store| Ok((store.link_key()?, store.find_task(&id)?)))
            .await?
    };
    if signed != signature(&key, &id) {
        return Err(Refusal::BadLink);
    }
    let now = Moment::now();
    let task = task
        .filter(|task| task.order.kind == Kind::Retrieval && task.status(now) == Status::Success)
        .ok_or(Refusal::NoSuchTask)?;
    if task.times.link_has_expired(now) {
        return Err(Refusal::ExpiredLink);
    }
    let name = format!("attachment; filename=\"export-{id}.zip\"");
    let zip = off_thread(move || archive::pack(&task.order, task.times.completion())).await?;
    // axum adds the content-length, as the whole body is at hand.
    Ok((
        [
            (header::CONTENT_TYPE, "application/zip".into()),
            (header::CONTENT_DISPOSITION, name),
        ],
        zip,
    )
        .into_response())
}

fn signature(key: &str, id: &str) -> String {
    hex(&Sha256::new()
        .chain_update(key)
        .chain_update("\0")
        .chain_update(id)
        .finalize())
}
