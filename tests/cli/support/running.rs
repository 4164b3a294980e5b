//! A running dsr: a test can signal it, and never waits for it without end.

use std::fmt::Debug;
use std::io::{Read, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::Outcome;
use super::shared::is_on_postgres;

const PATIENCE: Duration = Duration::from_secs(180);

/// The shortest and longest pause between two looks whether a process has ended.
const SHORTEST: Duration = Duration::from_millis(3);
const LONGEST: Duration = Duration::from_millis(30);

pub(crate) struct Running {
    child: Mortal,
    args: Vec<String>,
    started: Instant,
    stdout: JoinHandle<String>,
    stderr: JoinHandle<String>,
}

/// A process that ends with its test, even if the test fails.
pub(crate) struct Mortal(Child);

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
        // A program that reads nothing closes the pipe.
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

    /// SIGKILL: the process has no chance to clean up.
    pub(crate) fn kill(mut self) -> Outcome {
        self.child.0.kill().expect("a running dsr can be killed");
        self.end()
    }

    pub(crate) fn signal(&self, name: &str) {
        signal(&self.id().to_string(), name);
    }

    /// Waits for its end; kills it and fails if the end does not come.
    #[track_caller]
    pub(crate) fn end(mut self) -> Outcome {
        let status = loop {
            match self.child.0.try_wait().expect("a child can be waited for") {
                Some(status) => break status,
                None if self.started.elapsed() > PATIENCE => {
                    panic!("it does not end: dsr {}", self.args.join(" "));
                }
                // Short pauses for short runs, longer ones when many processes are waited for.
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

/// Runs a check on all cases at once, for cases that mostly wait.
pub(crate) fn at_once<T: Send>(cases: impl IntoIterator<Item = T>, check: impl Fn(T) + Sync) {
    thread::scope(|scope| {
        for case in cases {
            let check = &check;
            scope.spawn(move || check(case));
        }
    });
}

/// With a server, which works for each of them, more would come too late for what they wait for.
const AT_ONCE_ON_POSTGRES: usize = 8;

/// Runs a check on each case, at most `workers` at a time, and fails with all failed cases.
pub(crate) fn in_turns<T: Debug + Sync>(cases: &[T], workers: usize, check: impl Fn(&T) + Sync) {
    let workers = if is_on_postgres() {
        workers.min(AT_ONCE_ON_POSTGRES)
    } else {
        workers
    };
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
