//! The thread that moves the bytes between a session and its server.
//!
//! It has a runtime of its own. The session's thread enters none, because it may be inside another one:
//! it polls the client's futures itself and sleeps between.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::future::poll_fn;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

use tokio_postgres::{AsyncMessage, Client};

use super::connect::{Link, Login};
use crate::ledger::engine::postgres::cause::{Cause, ServerWord};
use crate::ledger::engine::postgres::error::ServerError;

/// How long to wait at the end for the goodbye to leave. Without it the server logs a broken client.
const FAREWELL: Duration = Duration::from_millis(250);
const MAX_NOTICES: usize = 64;

/// Polls a future on this thread until its deadline, without a runtime. `None` when it has passed.
pub(super) fn wait<F: Future>(future: F, deadline: Instant) -> Option<F::Output> {
    struct Unpark(Thread);
    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut cx = Context::from_waker(&waker);
    let mut future = pin!(future);
    loop {
        // Polled once more after the deadline: the answer may have come while this thread was stopped.
        if let Poll::Ready(output) = future.as_mut().poll(&mut cx) {
            return Some(output);
        }
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return None;
        }
        thread::park_timeout(left);
    }
}

/// What the server has said beside its answers.
#[derive(Default)]
struct Notices {
    kept: VecDeque<ServerWord>,
    /// Counts also those that are no longer kept.
    count: u64,
}

/// What both threads see.
#[derive(Default)]
struct DriverState {
    is_stopped: AtomicBool,
    waker: Mutex<Option<Waker>>,
    notices: Mutex<Notices>,
    end: Mutex<Option<Cause>>,
}

/// The thread. Dropped, it says goodbye to the server for a moment, then hangs up.
pub(super) struct Driver {
    shared: Arc<DriverState>,
    /// Disconnected when the thread has ended.
    ended: Receiver<Infallible>,
}

impl Driver {
    /// Starts the thread, and waits until it has logged in.
    pub(super) fn start(login: Login) -> Result<(Client, Self), ServerError> {
        let shared = Arc::<DriverState>::default();
        let (report, reported) = channel();
        let (ending, ended) = channel();
        let deadline = login.deadline;
        let unreachable = login.unreachable(Cause::TimedOut(deadline));
        let broken = login.unreachable(Cause::Closed);
        let driver = Self {
            shared: Arc::clone(&shared),
            ended,
        };
        let thread = thread::Builder::new().name("ledger".to_owned());
        let started = thread.spawn(move || {
            let _ending: Sender<Infallible> = ending;
            run(login, &shared, &report);
        });
        if let Err(error) = started {
            return Err(ServerError::Other {
                source: Cause::io(&error),
            });
        }
        // The thread keeps the deadline too; the slack lets its own words through.
        match reported.recv_timeout(deadline + FAREWELL) {
            Ok(connected) => Ok((connected?, driver)),
            Err(RecvTimeoutError::Timeout) => {
                driver.hang_up();
                Err(unreachable)
            }
            Err(RecvTimeoutError::Disconnected) => Err(broken),
        }
    }

    /// Closes the connection at once. A statement under way is not cancelled: a COMMIT that waits for
    /// its standby would then stop waiting, and count as done.
    pub(super) fn hang_up(&self) {
        self.shared.is_stopped.store(true, Ordering::SeqCst);
        if let Some(waker) = lock(&self.shared.waker).take() {
            waker.wake();
        }
    }

    /// Why the connection has ended, if it has.
    pub(super) fn end(&self) -> Option<Cause> {
        lock(&self.shared.end).clone()
    }

    #[cfg(all(test, unix))]
    pub(super) fn take_notices(&self) -> Vec<ServerWord> {
        lock(&self.shared.notices).kept.drain(..).collect()
    }

    pub(super) fn notice_count(&self) -> u64 {
        lock(&self.shared.notices).count
    }

    /// The notices after the first `count`, oldest first. They stay.
    pub(super) fn notices_since(&self, count: u64) -> Vec<ServerWord> {
        let notices = lock(&self.shared.notices);
        let new = usize::try_from(notices.count.saturating_sub(count)).unwrap_or(usize::MAX);
        let skipped = notices.kept.len().saturating_sub(new);
        notices.kept.iter().skip(skipped).cloned().collect()
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        // The client is gone by now, so the connection ends by itself, unless the server is silent.
        if let Err(RecvTimeoutError::Timeout) = self.ended.recv_timeout(FAREWELL) {
            self.hang_up();
        }
    }
}

/// A panic of the other thread leaves nothing half done in these.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn run(login: Login, shared: &DriverState, report: &Sender<Result<Client, ServerError>>) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_io()
        .enable_time()
        .build();
    let runtime = match runtime {
        Ok(runtime) => runtime,
        Err(error) => {
            report
                .send(Err(ServerError::Other {
                    source: Cause::io(&error),
                }))
                .ok();
            return;
        }
    };
    runtime.block_on(async {
        let connected = tokio::time::timeout(login.deadline, login.connect()).await;
        let connected =
            connected.unwrap_or_else(|_| Err(login.unreachable(Cause::TimedOut(login.deadline))));
        // The password is not kept longer than the login.
        drop(login);
        match connected {
            Err(error) => drop(report.send(Err(error))),
            // A caller that has given up drops the client, and the link ends.
            Ok((client, mut link)) => {
                report.send(Ok(client)).ok();
                let end = poll_fn(|cx| drive(&mut link, shared, cx)).await;
                // Before the link is dropped: that wakes the session, which asks why.
                *lock(&shared.end) = Some(end);
            }
        }
    });
    // A name that is still being resolved would keep this thread, and through `Drop` the caller.
    runtime.shutdown_background();
}

/// Moves bytes until the connection ends.
fn drive(link: &mut Link, shared: &DriverState, cx: &mut Context<'_>) -> Poll<Cause> {
    *lock(&shared.waker) = Some(cx.waker().clone());
    loop {
        if shared.is_stopped.load(Ordering::SeqCst) {
            return Poll::Ready(Cause::Closed);
        }
        match link.poll_message(cx) {
            // A notice comes out before the answer that it precedes: the session sees both.
            Poll::Ready(Some(Ok(AsyncMessage::Notice(notice)))) => {
                let mut notices = lock(&shared.notices);
                if notices.kept.len() == MAX_NOTICES {
                    notices.kept.pop_front();
                }
                notices.kept.push_back(ServerWord::new(&notice));
                notices.count += 1;
            }
            Poll::Ready(Some(Ok(_))) => {}
            Poll::Ready(Some(Err(error))) => return Poll::Ready(Cause::new(&error)),
            Poll::Ready(None) => return Poll::Ready(Cause::Closed),
            Poll::Pending => return Poll::Pending,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_future_is_woken_from_another_thread() {
        let (sender, receiver) = channel::<Waker>();
        thread::spawn(move || {
            let waker = receiver.recv().unwrap();
            thread::sleep(Duration::from_millis(20));
            waker.wake();
        });
        let mut is_first = true;
        let future = poll_fn(|cx| match std::mem::take(&mut is_first) {
            true => {
                sender.send(cx.waker().clone()).unwrap();
                Poll::Pending
            }
            false => Poll::Ready(7),
        });
        let started = Instant::now();
        assert_eq!(wait(future, started + Duration::from_secs(10)), Some(7));
        assert!(started.elapsed() < Duration::from_secs(5));
    }

    #[test]
    fn a_future_that_never_answers_is_left_at_its_deadline() {
        let started = Instant::now();
        let deadline = started + Duration::from_millis(50);
        assert_eq!(wait(std::future::pending::<()>(), deadline), None);
        assert!(started.elapsed() >= Duration::from_millis(50));
        // An answer that is there counts, whatever the time.
        assert_eq!(wait(std::future::ready(1), started), Some(1));
    }

    #[test]
    fn waiting_needs_no_runtime_and_harms_none() {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build()
            .unwrap();
        runtime.block_on(async {
            let deadline = Instant::now() + Duration::from_millis(5);
            assert_eq!(wait(std::future::pending::<()>(), deadline), None);
            tokio::time::sleep(Duration::from_millis(1)).await;
        });
    }
}
