use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use tokio::runtime::Builder;
use tokio::sync::watch;

use crate::domain::{ExitStatus, JobId};

/// How long a POST may still take after an interruption.
pub const GRACE: Duration = Duration::from_secs(10);

/// The signal that asked the run to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signal {
    Interrupt,
    Terminate,
    /// The terminal was closed.
    HangUp,
}

impl Signal {
    /// The exit status of a process that this signal ends.
    pub fn exit_status(self) -> ExitStatus {
        match self {
            Self::Interrupt => ExitStatus::Interrupted,
            Self::Terminate => ExitStatus::Terminated,
            Self::HangUp => ExitStatus::HungUp,
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
    /// The job whose POST is under way.
    posting: Arc<Mutex<Option<JobId>>>,
}

/// A POST is under way until this is dropped.
pub struct Posting<'a>(&'a Interrupt);

impl Drop for Posting<'_> {
    fn drop(&mut self) {
        self.0.set_posting(None);
    }
}

impl Interrupt {
    /// Listens to the process's signals. `wait` tells that dsr waits for the answer to a job's POST,
    /// at most [`GRACE`]. `end` ends the process; it gets the job whose POST is under way.
    ///
    /// Its own thread hears a signal even while another dsr's hold on the ledger blocks the run.
    pub fn listen(
        wait: impl Fn(&JobId) + Send + 'static,
        end: impl Fn(Signal, Option<&JobId>) + Send + 'static,
    ) -> io::Result<Self> {
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
                    let is_first = heard.signal().is_none();
                    if !is_first && signal == Signal::HangUp {
                        // The shell and the system may both say that the terminal is gone.
                        continue;
                    }
                    let posting = heard.posting();
                    if !is_first || !heard.has_begun.load(Ordering::SeqCst) {
                        end(signal, posting.as_ref());
                    }
                    heard.sender.send_replace(Some(signal));
                    if let Some(job) = posting {
                        wait(&job);
                    }
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

    /// A job's POST is under way until the value is dropped.
    pub fn begin_posting(&self, job: &JobId) -> Posting<'_> {
        self.set_posting(Some(job.clone()));
        Posting(self)
    }

    fn posting(&self) -> Option<JobId> {
        self.posting.lock().ok().and_then(|job| job.clone())
    }

    fn set_posting(&self, job: Option<JobId>) {
        if let Ok(mut posting) = self.posting.lock() {
            *posting = job;
        }
    }

    /// An interrupt that never comes.
    pub fn never() -> Self {
        let (sender, receiver) = watch::channel(None);
        Self {
            receiver,
            sender,
            has_begun: Arc::default(),
            posting: Arc::default(),
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
    /// `None` if the process ignores it, as under `nohup`.
    hang_up: Option<tokio::signal::unix::Signal>,
}

#[cfg(unix)]
impl Signals {
    fn listen() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        // From now on a write beyond `ulimit -f` fails as on a full disk; SIGXFSZ would kill the
        // process. The handler stays without its receiver.
        drop(signal(SignalKind::from_raw(SIGXFSZ))?);
        let hang_up = match is_hang_up_ignored() {
            true => None,
            false => Some(signal(SignalKind::hangup())?),
        };
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            hang_up,
        })
    }

    async fn next(&mut self) -> Signal {
        tokio::select! {
            _ = self.interrupt.recv() => Signal::Interrupt,
            _ = self.terminate.recv() => Signal::Terminate,
            Some(()) = receive(self.hang_up.as_mut()) => Signal::HangUp,
        }
    }
}

#[cfg(unix)]
async fn receive(signal: Option<&mut tokio::signal::unix::Signal>) -> Option<()> {
    match signal {
        Some(signal) => signal.recv().await,
        None => None,
    }
}

/// Whether `nohup` or a service ignores SIGHUP for this process. Only Linux tells; elsewhere SIGHUP
/// keeps its usual effect.
#[cfg(unix)]
fn is_hang_up_ignored() -> bool {
    let ignored = || {
        let status = std::fs::read_to_string("/proc/self/status").ok()?;
        let mask = status
            .lines()
            .find_map(|line| line.strip_prefix("SigIgn:"))?;
        u64::from_str_radix(mask.trim(), 16).ok()
    };
    // SIGHUP is signal 1, the lowest bit.
    ignored().is_none_or(|mask| mask & 1 == 1)
}

/// Windows ends the process five seconds after the window was closed, even during a POST.
#[cfg(windows)]
struct Signals {
    interrupt: tokio::signal::windows::CtrlC,
    stop: tokio::signal::windows::CtrlBreak,
    close: tokio::signal::windows::CtrlClose,
}

#[cfg(windows)]
impl Signals {
    fn listen() -> io::Result<Self> {
        use tokio::signal::windows::{ctrl_break, ctrl_c, ctrl_close};
        Ok(Self {
            interrupt: ctrl_c()?,
            stop: ctrl_break()?,
            close: ctrl_close()?,
        })
    }

    async fn next(&mut self) -> Signal {
        tokio::select! {
            _ = self.interrupt.recv() => Signal::Interrupt,
            _ = self.stop.recv() => Signal::Terminate,
            _ = self.close.recv() => Signal::HangUp,
        }
    }
}
