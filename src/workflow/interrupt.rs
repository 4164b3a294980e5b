use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use tokio::runtime::Builder;
use tokio::sync::watch;

use crate::domain::ExitStatus;

/// How long a POST may still take after an interruption.
const GRACE: Duration = Duration::from_secs(10);

/// The signal that asked the run to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signal {
    Interrupt,
    Terminate,
}

impl Signal {
    /// The exit status of a process that this signal ends.
    pub fn exit_status(self) -> ExitStatus {
        match self {
            Self::Interrupt => ExitStatus::Interrupted,
            Self::Terminate => ExitStatus::Terminated,
        }
    }
}

/// Whether the operator wants the run to end. The first signal ends a run in order, the second at
/// once. Before a run begins, the first one ends the process.
#[derive(Clone)]
pub struct Interrupt {
    receiver: watch::Receiver<Option<Signal>>,
    /// Kept so that the channel never closes.
    sender: watch::Sender<Option<Signal>>,
    has_begun: Arc<AtomicBool>,
}

impl Interrupt {
    /// Listens to the process's signals. `end` ends the process.
    ///
    /// Its own thread hears a signal even while another dsr's hold on the ledger blocks the run.
    pub fn listen(end: impl Fn(Signal) + Send + 'static) -> io::Result<Self> {
        let interrupt = Self::never();
        let heard = interrupt.clone();
        let runtime = Builder::new_current_thread().enable_io().build()?;
        let mut signals = {
            let _entered = runtime.enter();
            Signals::listen()?
        };
        thread::Builder::new().spawn(move || {
            runtime.block_on(async {
                loop {
                    let signal = signals.next().await;
                    if heard.signal().is_some() || !heard.has_begun.load(Ordering::SeqCst) {
                        end(signal);
                    }
                    heard.sender.send_replace(Some(signal));
                }
            });
        })?;
        Ok(interrupt)
    }

    /// The run begins: from now on the first signal lets it finish in order.
    pub fn begin(&self) {
        self.has_begun.store(true, Ordering::SeqCst);
    }

    /// The run pauses for a question: nothing is under way, so a signal ends the process at once.
    pub fn pause(&self) {
        self.has_begun.store(false, Ordering::SeqCst);
    }

    /// An interrupt that never comes.
    pub fn never() -> Self {
        let (sender, receiver) = watch::channel(None);
        Self {
            receiver,
            sender,
            has_begun: Arc::default(),
        }
    }

    pub fn signal(&self) -> Option<Signal> {
        *self.receiver.borrow()
    }

    /// Waits for a signal.
    pub async fn raised(&self) -> Signal {
        let mut receiver = self.receiver.clone();
        match receiver.wait_for(Option::is_some).await {
            Ok(signal) => (*signal).unwrap_or(Signal::Interrupt),
            Err(_) => std::future::pending().await,
        }
    }

    pub(super) async fn out_of_patience(&self) {
        self.raised().await;
        tokio::time::sleep(GRACE).await;
    }
}

/// The signal for a file over the process's size limit, on Linux, macOS and the BSDs.
#[cfg(unix)]
const SIGXFSZ: std::ffi::c_int = 25;

#[cfg(unix)]
struct Signals {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    fn listen() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        // From now on a write beyond `ulimit -f` fails as on a full disk; SIGXFSZ would kill the
        // process. The handler stays without its receiver.
        drop(signal(SignalKind::from_raw(SIGXFSZ))?);
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
        })
    }

    async fn next(&mut self) -> Signal {
        tokio::select! {
            _ = self.interrupt.recv() => Signal::Interrupt,
            _ = self.terminate.recv() => Signal::Terminate,
        }
    }
}

#[cfg(windows)]
struct Signals(tokio::signal::windows::CtrlC);

#[cfg(windows)]
impl Signals {
    fn listen() -> io::Result<Self> {
        tokio::signal::windows::ctrl_c().map(Self)
    }

    async fn next(&mut self) -> Signal {
        self.0.recv().await;
        Signal::Interrupt
    }
}
