use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use tokio::runtime::Builder;
use tokio::sync::watch;

use crate::domain::ExitStatus;

/// How long a POST that is under way may still take after an interruption.
const GRACE: Duration = Duration::from_secs(10);

/// What asked the run to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signal {
    /// Ctrl-C.
    Interrupt,
    /// SIGTERM.
    Terminate,
}

impl Signal {
    /// The status of a process that ends because of it.
    pub fn exit_status(self) -> ExitStatus {
        match self {
            Self::Interrupt => ExitStatus::Interrupted,
            Self::Terminate => ExitStatus::Terminated,
        }
    }
}

/// Whether the operator wants the run to end. The first signal ends it in good order, the second
/// at once; so does the first while there is no run yet.
#[derive(Clone)]
pub struct Interrupt {
    receiver: watch::Receiver<Option<Signal>>,
    /// Kept so that waiting for a signal never ends by itself.
    sender: watch::Sender<Option<Signal>>,
    has_begun: Arc<AtomicBool>,
}

impl Interrupt {
    /// Listens to the process's signals. `end` ends the process.
    ///
    /// It does so on a thread of its own, so that a signal is also heard while the run is busy
    /// with something that cannot be awaited, such as a ledger that somebody else holds.
    ///
    /// # Errors
    /// When the system does not let us listen.
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

    /// A run begins: from now on there is something to be put in order first.
    pub fn begin(&self) {
        self.has_begun.store(true, Ordering::SeqCst);
    }

    /// The run pauses for a question: nothing is under way, so a signal ends the process at once.
    pub fn pause(&self) {
        self.has_begun.store(false, Ordering::SeqCst);
    }

    /// One that is never raised, for runs that nobody can interrupt.
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

    /// Ends when a signal has come.
    pub async fn raised(&self) -> Signal {
        let mut receiver = self.receiver.clone();
        match receiver.wait_for(Option::is_some).await {
            Ok(signal) => (*signal).unwrap_or(Signal::Interrupt),
            Err(_) => std::future::pending().await,
        }
    }

    /// Ends when a signal has come and its time of grace is over.
    pub(super) async fn out_of_patience(&self) {
        self.raised().await;
        tokio::time::sleep(GRACE).await;
    }
}

/// The signal for a file beyond the size that a process may write, by its number on Linux, macOS and
/// the BSDs.
#[cfg(unix)]
const SIGXFSZ: std::ffi::c_int = 25;

/// What the system tells of.
#[cfg(unix)]
struct Signals {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
    /// A file has reached the limit on its size. Unheard it would kill the process; heard, the write
    /// fails, as on a full disk.
    _too_large: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    fn listen() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        // Heard or not: from now on a write beyond `ulimit -f` fails like one to a full disk, where
        // SIGXFSZ would have killed the process. The handler stays when its receiver goes.
        drop(signal(SignalKind::from_raw(SIGXFSZ))?);
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            _too_large: signal(SignalKind::from_raw(rustix::process::Signal::XFSZ.as_raw()))?,
        })
    }

    async fn next(&mut self) -> Signal {
        tokio::select! {
            _ = self.interrupt.recv() => Signal::Interrupt,
            _ = self.terminate.recv() => Signal::Terminate,
        }
    }
}

/// What the system tells of.
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
