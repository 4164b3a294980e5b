//! The host of exports: signed links that work for 14 days without credentials. Acts as a storage
//! host outside Mixpanel: it tells a client that sends its token here that it has leaked it. The
//! first download packs an export, so that all downloads get the same bytes.

use std::fs::{self, File};
use std::io;
use std::path::Path as FilePath;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Path, State};
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use sha2::{Digest, Sha256};

use super::archive;
use super::transfer::Served;
use crate::sandbox::api::replies::Refusal;
use crate::sandbox::api::server::{Server, off_thread};
use crate::sandbox::people::population::Population;
use crate::sandbox::state::clock::Moment;
use crate::sandbox::state::lifecycle::{LINK_LIFETIME, Status};
use crate::sandbox::state::task::{Kind, Task};
use crate::sandbox::{SandboxError, Settings, api_secret, hex};

pub(crate) const ROUTE: &str = "/exports/{id}/{signature}";

/// The link to a task's export, at the server's current address.
pub(crate) async fn link(server: &Arc<Server>, id: &str) -> Result<String, Refusal> {
    let key = server.with_store(|store| store.link_key()).await?;
    Ok(format!(
        "http://{}/exports/{id}/{}",
        server.address,
        signature(&key, id)
    ))
}

/// Serves the zip or a part of it. axum also answers HEAD with this.
pub(crate) async fn download(
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
    let project = task.project.clone();
    let tasks = server
        .with_store(move |store| store.list_tasks(&project))
        .await?;
    let population = Population::new(&tasks, task.times.completion());
    let served = off_thread(move || packed(&server.settings, &task, &population)).await?;
    let kind = [
        (header::CONTENT_TYPE, "application/zip".into()),
        (header::CONTENT_DISPOSITION, name),
    ];
    Ok((kind, served.reply(&headers)).into_response())
}

/// The export of `task`, created if it does not exist.
fn packed(
    settings: &Settings,
    task: &Task,
    population: &Population,
) -> Result<Served, SandboxError> {
    let folder = settings.folder.join("exports");
    let failed = |source| SandboxError::Folder {
        path: folder.clone(),
        source,
    };
    make_private(&folder).map_err(failed)?;
    drop_expired(&folder).map_err(failed)?;
    let exports = settings.exports;
    let many = exports.events_per_person.unwrap_or(0);
    let name = format!(
        "{}-{:?}-{:?}-{many}.zip",
        task.id, exports.archive, exports.members
    );
    let path = folder.join(&name);
    let open = || File::open(&path).and_then(|file| Served::new(file, &name));
    match open() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        served => return served.map_err(failed),
    }
    let secret = api_secret(&task.project);
    let file = tempfile::NamedTempFile::new_in(&folder).map_err(failed)?;
    let until = task.times.completion();
    let file = archive::pack(&task.order, population, until, exports, &secret, file)?;
    // Two simultaneous downloads both get the archive that was first.
    match file.persist_noclobber(&path) {
        Err(error) if error.error.kind() != io::ErrorKind::AlreadyExists => {
            Err(failed(error.error))
        }
        _ => open().map_err(failed),
    }
}

fn drop_expired(folder: &FilePath) -> io::Result<()> {
    let lifetime = Duration::from_micros(LINK_LIFETIME.unsigned_abs());
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let made = File::open(&path).and_then(|file| file.metadata()?.modified());
        if made.is_ok_and(|made| made.elapsed().is_ok_and(|age| age > lifetime)) {
            let _ = fs::remove_file(&path);
        }
    }
    Ok(())
}

fn make_private(folder: &FilePath) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::DirBuilderExt;
        builder.mode(0o700);
    }
    builder.create(folder)
}

fn signature(key: &str, id: &str) -> String {
    hex(&Sha256::new()
        .chain_update(key)
        .chain_update("\0")
        .chain_update(id)
        .finalize())
}
