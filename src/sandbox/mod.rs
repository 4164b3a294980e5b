//! A server on loopback that behaves as Mixpanel's GDPR API v3 does, for rehearsals and tests.
//!
//! Owns its wire format, its state (`server.db` in a folder of its own) and the made-up exports it
//! serves. It shares no type with the client, so that each checks the other; it listens on
//! 127.0.0.1 only, sends nothing to anyone (callback URLs are stored, never called), and reads no
//! environment. It must never hold a real token.

mod archive;
mod body;
mod caller;
mod clock;
mod creation;
mod exports;
mod lifecycle;
mod person;
mod replies;
mod routes;
mod server;
mod store;
mod task;
mod transfer;

#[cfg(test)]
mod tests;

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::thread::JoinHandle;

use sha2::{Digest, Sha256};
use tokio::sync::watch;

use self::store::Store;

/// The one Bearer token the sandbox accepts; it opens nothing anywhere else.
pub const OAUTH_TOKEN: &str = "sandbox-oauth-token-not-a-secret";

/// The key under which the ledger of a rehearsal remembers people; nothing real is hashed with it.
pub const LEDGER_KEY: [u8; 32] = *b"sandbox ledger key, not a secret";

/// A project token that is answered 403 on every call: a person without access to the project.
pub const FORBIDDEN_PROJECT_TOKEN: &str = "00000000000000000000000000000403";

/// A project token that is answered 404 on every create: a project that lives in another region.
pub const WRONG_REGION_PROJECT_TOKEN: &str = "00000000000000000000000000000404";

/// The made-up project token of the project called `name`: 32 lower-case hex digits.
///
/// The sandbox takes any token of that form, so that any project name may be rehearsed.
pub fn project_token(name: &str) -> String {
    let digest = Sha256::new()
        .chain_update("sandbox project token\0")
        .chain_update(name)
        .finalize();
    hex(&digest[..16])
}

/// The made-up API secret of the project with this token, which opens its locked exports.
pub fn api_secret(project_token: &str) -> String {
    let digest = Sha256::new()
        .chain_update("sandbox api secret\0")
        .chain_update(project_token)
        .finalize();
    hex(&digest[..16])
}

/// How one sandbox behaves; [`Settings::new`] gives Mixpanel's documented limits.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where `server.db` lives; made with mode 0700 if it does not exist.
    pub folder: PathBuf,
    /// The port on 127.0.0.1; 0 takes any free one.
    pub port: u16,
    /// Requests a second and project token; infinity lifts the limit.
    pub rate: f64,
    /// Seconds from the creation of a task to SUCCESS, kept with each task.
    pub job_seconds: f64,
    /// Which of the documented replies a create gets.
    pub create_reply: CreateReply,
    /// More ids than this in one deletion are answered 413.
    pub max_deletion_ids: usize,
    /// More ids than this in one retrieval are answered 400.
    pub max_retrieval_ids: usize,
    /// What finished exports are like.
    pub exports: Exports,
}

/// What finished exports are like.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Exports {
    pub archive: ExportArchive,
    pub members: ExportMembers,
    /// As many events for everyone who has any; a handful each if not given.
    pub events_per_person: Option<u32>,
}

/// How an export is locked. Mixpanel documents no password; clients expect one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ExportArchive {
    /// Not encrypted.
    #[default]
    Plain,
    /// Under ZipCrypto, with the API secret as password.
    ZipCrypto,
    /// Under AES-256, with the API secret as password.
    Aes,
}

/// What is in an export.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ExportMembers {
    /// What Mixpanel documents for the law and the disclosure.
    #[default]
    Documented,
    /// JSON lines and a JSON array, whatever was asked for: from before it was documented.
    OlderJson,
    /// Tables, whatever was asked for: from before it was documented.
    OlderCsv,
}

impl Settings {
    /// One request a second, four seconds a job, both shapes of reply in turn.
    pub fn new(folder: PathBuf) -> Self {
        Self {
            folder,
            port: 0,
            rate: 1.0,
            job_seconds: 4.0,
            create_reply: CreateReply::default(),
            max_deletion_ids: 500,
            max_retrieval_ids: 2000,
            exports: Exports::default(),
        }
    }
}

/// The shape of a create's 201, and with it where an export's link is found later.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CreateReply {
    /// `results` is an object with a UUID `task_id`, as OpenAPI has it.
    Object,
    /// `results` is a list with a 19-digit `tracking_id`, as the prose has it.
    List,
    /// Both in turn, object first; the turn is kept with the state.
    #[default]
    Alternate,
}

/// Why the sandbox could not start or go on.
#[derive(Debug, thiserror::Error)]
pub enum SandboxError {
    #[error("the sandbox's `{name}` cannot be `{value}`")]
    Setting { name: &'static str, value: f64 },
    #[error("cannot use the sandbox folder `{}`", path.display())]
    Folder {
        path: PathBuf,
        source: std::io::Error,
    },
    #[error("cannot listen on 127.0.0.1 port `{port}`")]
    Listen { port: u16, source: std::io::Error },
    #[error("the sandbox's state has version `{found}`, newer than the `{known}` this dsr knows")]
    NewerState { found: i64, known: i64 },
    #[error("the sandbox's state cannot be read or written")]
    State(#[from] rusqlite::Error),
    #[error("the sandbox's state holds what this dsr never wrote")]
    StoredJson(#[from] serde_json::Error),
    #[error("cannot pack a made-up export")]
    Archive(#[from] zip::result::ZipError),
    #[error("the sandbox cannot serve")]
    Serve(#[source] std::io::Error),
    #[error("the sandbox stopped unexpectedly")]
    Crashed,
}

/// A sandbox that serves on a thread of its own; dropping it stops the server and waits for it.
#[derive(Debug)]
pub struct Running {
    address: SocketAddr,
    stop: watch::Sender<server::ServerPhase>,
    thread: Option<JoinHandle<Result<(), SandboxError>>>,
}

impl Running {
    /// Where the server listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The base URL to give a client in place of `https://mixpanel.com/api/app`.
    pub fn api_url(&self) -> String {
        format!("http://{}/api/app", self.address)
    }

    /// Blocks until the server thread ends, which without a failure it never does.
    pub fn wait(mut self) -> Result<(), SandboxError> {
        match self.thread.take() {
            Some(thread) => thread.join().map_err(|_| SandboxError::Crashed)?,
            None => Ok(()),
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stop.send_replace(server::ServerPhase::Stopping);
        // Joined, so that the port is free and the state is closed once `drop` returns.
        if let Some(thread) = self.thread.take()
            && !matches!(thread.join(), Ok(Ok(())))
        {
            tracing::warn!("the sandbox did not stop cleanly");
        }
    }
}

/// Opens the state, binds 127.0.0.1 and serves on a thread of its own.
///
/// The port takes connections as soon as this returns. Several sandboxes, in one process or many,
/// may serve the same folder on different ports.
pub fn start(settings: Settings) -> Result<Running, SandboxError> {
    check(&settings)?;
    let store = Store::open(&settings.folder)?;
    let port = settings.port;
    let listen = |source| SandboxError::Listen { port, source };
    let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, port)).map_err(listen)?;
    listener.set_nonblocking(true).map_err(listen)?;
    let address = listener.local_addr().map_err(listen)?;

    let (stop, stopped) = watch::channel(server::ServerPhase::Serving);
    let thread = std::thread::Builder::new()
        .name("sandbox".into())
        .spawn(move || {
            let server = server::Server::new(settings, address, store);
            server::serve(listener, routes::router(server), stopped)
        })
        .map_err(SandboxError::Serve)?;
    Ok(Running {
        address,
        stop,
        thread: Some(thread),
    })
}

fn check(settings: &Settings) -> Result<(), SandboxError> {
    let (rate, job_seconds) = (settings.rate, settings.job_seconds);
    if rate.is_nan() || rate <= 0.0 {
        return Err(SandboxError::Setting {
            name: "rate",
            value: rate,
        });
    }
    if !job_seconds.is_finite() || job_seconds < 0.0 {
        return Err(SandboxError::Setting {
            name: "job_seconds",
            value: job_seconds,
        });
    }
    Ok(())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
