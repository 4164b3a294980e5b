//! The server thread: its runtime, its end, and what all handlers share.
//!
//! The runtime has one thread; whatever touches SQLite or packs an export goes to the blocking
//! pool, so that the next call's arrival is noticed on time.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::serve::ListenerExt;
use tokio::sync::watch;

use super::replies::Refusal;
use super::store::Store;
use super::{SandboxError, Settings};

/// How long a reply in progress may hold up the end of the server.
const GRACE: Duration = Duration::from_secs(1);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ServerPhase {
    Serving,
    Stopping,
}

/// What all handlers share.
#[derive(Debug)]
pub(super) struct Server {
    pub(super) settings: Settings,
    pub(super) address: SocketAddr,
    store: Mutex<Store>,
}

impl Server {
    pub(super) fn new(settings: Settings, address: SocketAddr, store: Store) -> Arc<Self> {
        Arc::new(Self {
            settings,
            address,
            store: Mutex::new(store),
        })
    }

    /// Runs `work` on the state, off the server's own thread.
    pub(super) async fn with_store<T: Send + 'static>(
        self: &Arc<Self>,
        work: impl FnOnce(&mut Store) -> Result<T, SandboxError> + Send + 'static,
    ) -> Result<T, Refusal> {
        let server = Arc::clone(self);
        off_thread(move || {
            // A panic elsewhere left no transaction open: SQLite has rolled it back.
            let mut store = server.store.lock().unwrap_or_else(PoisonError::into_inner);
            work(&mut store)
        })
        .await
    }
}

/// Runs what takes long on the blocking pool.
pub(super) async fn off_thread<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, SandboxError> + Send + 'static,
) -> Result<T, Refusal> {
    let done = tokio::task::spawn_blocking(work)
        .await
        .unwrap_or(Err(SandboxError::Crashed));
    done.map_err(|error| {
        tracing::error!(
            error = &error as &dyn std::error::Error,
            "the sandbox failed to answer"
        );
        Refusal::Failure
    })
}

/// Serves until `phase` says otherwise or its sender is gone.
pub(super) fn serve(
    listener: std::net::TcpListener,
    routes: Router,
    phase: watch::Receiver<ServerPhase>,
) -> Result<(), SandboxError> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(SandboxError::Serve)?;
    let served = runtime.block_on(async {
        let listener = tokio::net::TcpListener::from_std(listener)?.tap_io(|stream| {
            // Replies are small: waiting to fill a packet only adds latency.
            let _ = stream.set_nodelay(true);
        });
        let serving = axum::serve(listener, routes).with_graceful_shutdown(stopping(phase.clone()));
        tokio::select! {
            served = serving => served,
            () = async { stopping(phase).await; tokio::time::sleep(GRACE).await } => Ok(()),
        }
    });
    runtime.shutdown_timeout(GRACE);
    served.map_err(SandboxError::Serve)
}

async fn stopping(mut phase: watch::Receiver<ServerPhase>) {
    // An error says that the sender is gone, which ends the server as well.
    let _ = phase
        .wait_for(|phase| *phase == ServerPhase::Stopping)
        .await;
}
