use std::io;
use std::time::Duration;

use tokio::sync::watch;

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

/// Whether the operator wants the run to end. The first signal ends it in good order, the second
/// at once.
pub struct Interrupt {
    receiver: watch::Receiver<Option<Signal>>,
    /// Kept so that waiting for a signal never ends by itself.
    _sender: watch::Sender<Option<Signal>>,
}

impl Interrupt {
    /// Listens to the process's signals. `on_second` ends the process.
    ///
    /// # Errors
    /// When the system does not let us listen.
    pub fn listen(on_second: fn(Signal)) -> io::Result<Self> {
        let (sender, receiver) = watch::channel(None);
        let told = sender.clone();
        #[cfg(unix)]
        let mut terminate =
            tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
        tokio::spawn(async move {
            loop {
                #[cfg(unix)]
                let signal = tokio::select! {
                    _ = tokio::signal::ctrl_c() => Signal::Interrupt,
                    _ = terminate.recv() => Signal::Terminate,
                };
                #[cfg(not(unix))]
                let signal = {
                    drop(tokio::signal::ctrl_c().await);
                    Signal::Interrupt
                };
                if told.borrow().is_some() {
                    on_second(signal);
                }
                told.send_replace(Some(signal));
            }
        });
        Ok(Self {
            receiver,
            _sender: sender,
        })
    }

    /// One that is never raised, for runs that nobody can interrupt.
    pub fn never() -> Self {
        let (sender, receiver) = watch::channel(None);
        Self {
            receiver,
            _sender: sender,
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
