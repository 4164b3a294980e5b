//! The server thread: its runtime, its end, and the shared state of handlers. The runtime has one
//! thread. The blocking pool does SQLite and packing, so that the next call's arrival is recorded
//! in time.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::serve::ListenerExt;
use tokio::sync::watch;

use super::replies::Refusal;
use crate::sandbox::query::turns::Turns;
use crate::sandbox::state::store::Store;
use crate::sandbox::{SandboxError, Settings};

/// How long a reply may delay the server's end.
const GRACE: Duration = Duration::from_secs(1);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ServerPhase {
    Serving,
    Stopping,
}

#[derive(Debug)]
pub(crate) struct Server {
    pub(crate) settings: Settings,
    pub(crate) address: SocketAddr,
    pub(crate) turns: Turns,
    store: Mutex<Store>,
}

impl Server {
    pub(crate) fn new(settings: Settings, address: SocketAddr, store: Store) -> Arc<Self> {
        Arc::new(Self {
            settings,
            address,
            turns: Turns::default(),
            store: Mutex::new(store),
        })
    }

    /// Runs `work` on the state, off the server's thread.
    pub(crate) async fn with_store<T: Send + 'static>(
        self: &Arc<Self>,
        work: impl FnOnce(&mut Store) -> Result<T, SandboxError> + Send + 'static,
    ) -> Result<T, Refusal> {
        let server = Arc::clone(self);
        off_thread(move || {
            // After a panic elsewhere SQLite has rolled the transaction back.
            let mut store = server.store.lock().unwrap_or_else(PoisonError::into_inner);
            work(&mut store)
        })
        .await
    }
}

/// Runs slow work on the blocking pool.
pub(crate) async fn off_thread<T: Send + 'static>(
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

/// Serves until `phase` changes or its sender is gone.
pub(crate) fn serve(
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
            // Replies are small, so waiting to fill a packet only adds delay.
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
    // An error means that the sender is gone, which also ends the server.
    let _ = phase
        .wait_for(|phase| *phase == ServerPhase::Stopping)
        .await;
}
