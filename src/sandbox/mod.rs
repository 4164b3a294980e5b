//! A server on loopback that behaves like Mixpanel's GDPR API v3, the queries of a service account
//! and the ingestion of events, for rehearsals and tests. Owns its wire format, its state (`server.db` in its own folder) and made-up exports. Shares no type
//! with the client, so that each checks the other. Listens on 127.0.0.1 only, calls no one (not
//! even callback URLs), and reads no environment. Must never hold a real token.

mod api;
mod exports;
mod ingestion;
mod people;
mod query;
mod state;

#[cfg(test)]
mod tests;

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::thread::JoinHandle;

use sha2::{Digest, Sha256};
use tokio::sync::watch;

use state::store::Store;

/// The only Bearer token that the sandbox accepts; it is valid nowhere else.
pub const OAUTH_TOKEN: &str = "sandbox-oauth-token-not-a-secret";

/// The user name of the only service account that the sandbox accepts.
pub const SERVICE_ACCOUNT: &str = "sandbox.example.mp-service-account";

/// The service account's secret, valid nowhere else.
pub const SERVICE_ACCOUNT_SECRET: &str = "sandbox-service-account-not-a-secret";

/// The ledger key of rehearsals; it hashes nothing real.
pub const LEDGER_KEY: [u8; 32] = *b"sandbox ledger key, not a secret";

/// A project token that every call answers with 403: no access to the project.
pub const FORBIDDEN_PROJECT_TOKEN: &str = "00000000000000000000000000000403";

/// A project token that every create answers with 404: a project in another region.
pub const WRONG_REGION_PROJECT_TOKEN: &str = "00000000000000000000000000000404";

/// The made-up project token of the project `name`: 32 lower-case hex digits. The sandbox accepts
/// any token of that form, so any project name works.
pub fn project_token(name: &str) -> String {
    let digest = Sha256::new()
        .chain_update("sandbox project token\0")
        .chain_update(name)
        .finalize();
    hex(&digest[..16])
}

/// The numeric id of the project with this token: seven digits, always the same.
pub fn project_id(project_token: &str) -> u32 {
    let digest = Sha256::digest(project_token);
    1_000_000 + u32::from_be_bytes([digest[0], digest[1], digest[2], digest[3]]) % 9_000_000
}

/// The made-up API secret of the project with this token, for its locked exports.
pub fn api_secret(project_token: &str) -> String {
    let digest = Sha256::new()
        .chain_update("sandbox api secret\0")
        .chain_update(project_token)
        .finalize();
    hex(&digest[..16])
}

/// The behavior of a sandbox; [`Settings::new`] has Mixpanel's documented limits.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The folder of `server.db`; created with mode 0700 if it does not exist.
    pub folder: PathBuf,
    /// The port on 127.0.0.1; 0 for any free one.
    pub port: u16,
    /// Requests a second for each project token; infinity for no limit.
    pub rate: f64,
    /// Seconds from a task's creation to SUCCESS, stored with the task.
    pub job_seconds: f64,
    /// The documented reply to a create.
    pub create_reply: CreateReply,
    /// A deletion of more ids gets 413.
    pub max_deletion_ids: usize,
    /// A retrieval of more ids gets 400.
    pub max_retrieval_ids: usize,
    pub exports: Exports,
    /// Tokens of the projects that the service account may see before they have called.
    pub projects: Vec<String>,
    /// Queries of profiles in any hour for each project, and as many exports of events.
    pub queries_per_hour: u32,
    /// Profiles in one page of a query.
    pub page_size: usize,
    /// An import of more events gets 413, and so does a deletion of more profiles.
    pub max_import_events: usize,
    /// An import of more bytes, unpacked, gets 413.
    pub max_import_bytes: usize,
}

/// The form of exports.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Exports {
    pub archive: ExportArchive,
    pub members: ExportMembers,
    /// Events for each person who has any; a handful if not given, as in queries.
    pub events_per_person: Option<u32>,
}

/// How an export is locked. Mixpanel documents no password; clients expect one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ExportArchive {
    #[default]
    Plain,
    /// ZipCrypto, with the API secret as password.
    ZipCrypto,
    /// AES-256, with the API secret as password.
    Aes,
}

/// The contents of an export.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ExportMembers {
    /// What Mixpanel documents for the law and disclosure.
    #[default]
    Documented,
    /// JSON lines and a JSON array, from before the contents were documented.
    OlderJson,
    /// Tables, from before the contents were documented.
    OlderCsv,
}

impl Settings {
    /// One request a second, four seconds a job, both reply shapes in turn.
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
            projects: vec![project_token("sandbox")],
            queries_per_hour: 60,
            page_size: 1000,
            max_import_events: 2000,
            max_import_bytes: 10_000_000,
        }
    }
}

/// The shape of a create's 201, which also decides the field of an export's link.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CreateReply {
    /// `results` is an object with a UUID `task_id`, as in OpenAPI.
    Object,
    /// `results` is a list with a 19-digit `tracking_id`, as in the prose.
    List,
    /// Both in turn, object first; the turn is part of the state.
    #[default]
    Alternate,
}

/// Why the sandbox did not start or continue.
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
    #[error("cannot write made-up events")]
    Events(#[from] std::io::Error),
    #[error("cannot pack a made-up export")]
    Archive(#[from] zip::result::ZipError),
    #[error("the sandbox cannot serve")]
    Serve(#[source] std::io::Error),
    #[error("the sandbox stopped unexpectedly")]
    Crashed,
}

/// A sandbox on its own thread; dropping it stops the server and waits.
#[derive(Debug)]
pub struct Running {
    address: SocketAddr,
    stop: watch::Sender<api::server::ServerPhase>,
    thread: Option<JoinHandle<Result<(), SandboxError>>>,
}

impl Running {
    /// The server's address.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The base URL to use instead of `https://mixpanel.com/api/app`.
    pub fn api_url(&self) -> String {
        format!("http://{}/api/app", self.address)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stop.send_replace(api::server::ServerPhase::Stopping);
        // Joins, so that after `drop` the port is free and the state closed.
        if let Some(thread) = self.thread.take()
            && !matches!(thread.join(), Ok(Ok(())))
        {
            tracing::warn!("the sandbox did not stop cleanly");
        }
    }
}

/// Opens the state, binds 127.0.0.1 and serves on its own thread.
///
/// The port accepts connections when this returns. Several sandboxes, even in different processes,
/// may serve one folder on different ports.
pub fn start(settings: Settings) -> Result<Running, SandboxError> {
    check(&settings)?;
    let store = Store::open(&settings.folder)?;
    let port = settings.port;
    let listen = |source| SandboxError::Listen { port, source };
    let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, port)).map_err(listen)?;
    listener.set_nonblocking(true).map_err(listen)?;
    let address = listener.local_addr().map_err(listen)?;

    let (stop, stopped) = watch::channel(api::server::ServerPhase::Serving);
    let thread = std::thread::Builder::new()
        .name("sandbox".into())
        .spawn(move || {
            let server = api::server::Server::new(settings, address, store);
            api::server::serve(listener, api::routes::router(server), stopped)
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
    if settings.page_size == 0 {
        return Err(SandboxError::Setting {
            name: "page_size",
            value: 0.0,
        });
    }
    Ok(())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
