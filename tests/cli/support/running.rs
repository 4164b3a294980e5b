//! A dsr that has been started: can be signalled, and is never waited for without end.

use std::fmt::Debug;
use std::io::{Read, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::Outcome;

/// No run of any test takes so long.
const PATIENCE: Duration = Duration::from_secs(180);

/// How often it is looked whether one has ended.
const SHORTEST: Duration = Duration::from_millis(3);
const LONGEST: Duration = Duration::from_millis(30);

pub(crate) struct Running {
    child: Mortal,
    args: Vec<String>,
    started: Instant,
    stdout: JoinHandle<String>,
    stderr: JoinHandle<String>,
}

/// A process that does not outlive a test that failed.
pub(super) struct Mortal(Child);

impl Mortal {
    pub(super) fn of(child: Child) -> Self {
        Self(child)
    }
}

impl Drop for Mortal {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

impl Running {
    /// Starts `command`, gives it `input` and closes its standard input.
    pub(crate) fn start(mut command: Command, input: impl AsRef<[u8]>) -> Self {
        let args = command.get_args();
        let args = args.map(|arg| arg.to_string_lossy().into_owned()).collect();
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let started = Instant::now();
        let mut child = command.spawn().expect("dsr can be started");
        let mut stdin = child.stdin.take().expect("standard input is piped");
        let input = input.as_ref().to_owned();
        // A program that reads nothing closes the pipe, which is its right.
        thread::spawn(move || drop(stdin.write_all(&input)));
        let stdout = gather(child.stdout.take().expect("stdout is piped"));
        let stderr = gather(child.stderr.take().expect("stderr is piped"));
        Self {
            child: Mortal(child),
            args,
            started,
            stdout,
            stderr,
        }
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.0.id()
    }

    /// SIGKILL: no chance to put anything in order.
    pub(crate) fn kill(mut self) -> Outcome {
        self.child.0.kill().expect("a running dsr can be killed");
        self.end()
    }

    /// Sends a signal by its name, such as `INT`.
    pub(crate) fn signal(&self, name: &str) {
        signal(&self.id().to_string(), name);
    }

    /// Waits for its end; kills it and fails if that does not come.
    #[track_caller]
    pub(crate) fn end(mut self) -> Outcome {
        let status = loop {
            match self.child.0.try_wait().expect("a child can be waited for") {
                Some(status) => break status,
                None if self.started.elapsed() > PATIENCE => {
                    panic!("it does not end: dsr {}", self.args.join(" "));
                }
                // Soon for those that end soon; many may be waited for at once.
                None => thread::sleep((self.started.elapsed() / 20).clamp(SHORTEST, LONGEST)),
            }
        };
        let outcome = Outcome {
            args: self.args,
            status: status.code(),
            stdout: self.stdout.join().expect("stdout can be read"),
            stderr: self.stderr.join().expect("stderr can be read"),
            took: self.started.elapsed(),
        };
        outcome.is_in_shape();
        outcome
    }
}

/// Sends a signal to a process of the test's own.
pub(crate) fn signal(process: &str, name: &str) {
    let command = format!("kill -{name} {process}");
    let status = Command::new("/bin/sh").args(["-c", &command]).status();
    assert!(status.is_ok_and(|status| status.success()), "{command}");
}

fn gather(mut stream: impl Read + Send + 'static) -> JoinHandle<String> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes).expect("a pipe can be read");
        String::from_utf8_lossy(&bytes).into_owned()
    })
}

/// Runs a check on each case, all at once: for those that mostly wait.
pub(crate) fn at_once<T: Send>(cases: impl IntoIterator<Item = T>, check: impl Fn(T) + Sync) {
    thread::scope(|scope| {
        for case in cases {
            let check = &check;
            scope.spawn(move || check(case));
        }
    });
}

/// Runs a check on each case, so many of them at once, and fails with all cases that failed.
pub(crate) fn in_turns<T: Debug + Sync>(cases: &[T], workers: usize, check: impl Fn(&T) + Sync) {
    let (turns, failed) = (Mutex::new(cases.iter()), Mutex::new(Vec::new()));
    let next = || turns.lock().expect("no check runs under the lock").next();
    thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                while let Some(case) = next() {
                    if let Err(panic) = catch_unwind(AssertUnwindSafe(|| check(case))) {
                        let text = panic.downcast_ref::<String>().cloned();
                        let text = text.unwrap_or_else(|| "see above".to_owned());
                        let mut failed = failed.lock().expect("no check runs under the lock");
                        failed.push(format!("=== {case:?}\n{text}"));
                    }
                }
            });
        }
    });
    let failed = failed.into_inner().expect("all checks have ended");
    assert!(
        failed.is_empty(),
        "{} of {} cases failed:\n{}",
        failed.len(),
        cases.len(),
        failed.join("\n\n")
    );
}
