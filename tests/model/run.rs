//! Runs dsr with its own home and clock, to its end or until it is killed.

use std::fs::File;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

pub(crate) static COMMANDS: AtomicUsize = AtomicUsize::new(0);
pub(crate) static KILLS: AtomicUsize = AtomicUsize::new(0);

const FAKETIME: &str = "/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1";
pub(crate) const TOKEN: &str = "tok-zq81v";
pub(crate) const PROJECT_TOKEN: &str = "0f1e2d3c4b5a69788796a5b4c3d2e1f0";

pub(crate) fn has_faketime() -> bool {
    Path::new(FAKETIME).exists()
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Signal {
    Kill,
    Term,
    Int,
}

/// How to run a command, apart from its arguments.
#[derive(Clone, Copy, Default)]
pub(crate) struct How {
    pub(crate) signal: Option<(u64, Signal)>,
    /// How many seconds the clock is ahead.
    pub(crate) clock: i64,
}

#[derive(Clone, Debug)]
pub(crate) struct Said {
    pub(crate) line: String,
    pub(crate) code: Option<i32>,
    pub(crate) killed: bool,
    pub(crate) hung: bool,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Said {
    pub(crate) fn json(&self) -> Value {
        self.out
            .lines()
            .last()
            .and_then(|line| serde_json::from_str(line).ok())
            .unwrap_or(Value::Null)
    }

    pub(crate) fn error(&self) -> Value {
        serde_json::from_str(self.err.trim()).unwrap_or(Value::Null)
    }

    pub(crate) fn short(&self) -> String {
        let cut = |text: &str| text.chars().take(1500).collect::<String>();
        format!(
            "`dsr {}` ended with {:?}{}\n      stdout: {}\n      stderr: {}",
            self.line,
            self.code,
            if self.killed { " (signal sent)" } else { "" },
            cut(self.out.trim()),
            cut(self.err.trim())
        )
    }
}

pub(crate) struct Running {
    child: Child,
    line: String,
    began: Instant,
    signal: Option<(u64, Signal)>,
    killed: bool,
    files: (PathBuf, PathBuf),
}

pub(crate) fn spawn(home: &Path, port: u16, run: &str, args: &[String], how: How) -> Running {
    let files = (
        home.join(format!("out-{run}")),
        home.join(format!("err-{run}")),
    );
    let mut command = Command::new(env!("CARGO_BIN_EXE_dsr"));
    command
        .args(args)
        .env_clear()
        .env("PATH", "/usr/bin:/bin")
        .env("HOME", home)
        .env("TZ", "UTC")
        .env("DSR_HOME", home.join("dsr"))
        .env("DSR_API_URL", format!("http://127.0.0.1:{port}"))
        .env("DSR_TOKEN", run)
        .env("DSR_TOKEN_ISSUED", crate::day_a_month_ago())
        .env("DSR_LEDGER_KEY_FILE", home.join("ledger.key"))
        .env("DBUS_SESSION_BUS_ADDRESS", "disabled:")
        .current_dir(home)
        .stdin(Stdio::null())
        .stdout(File::create(&files.0).expect("a file for stdout"))
        .stderr(File::create(&files.1).expect("a file for stderr"));
    if how.clock != 0 {
        command
            .env("LD_PRELOAD", FAKETIME)
            .env("FAKETIME", format!("{:+}", how.clock))
            .env("FAKETIME_DONT_FAKE_MONOTONIC", "1");
    }
    COMMANDS.fetch_add(1, Ordering::Relaxed);
    let child = command.spawn().expect("dsr starts");
    let mut line = args.join(" ").replace(&home.display().to_string(), ".");
    if how.clock != 0 {
        line.push_str(&format!(" [clock {:+} s]", how.clock));
    }
    if let Some(signal) = how.signal {
        line.push_str(&format!(" [{:?} after {} ms]", signal.1, signal.0));
    }
    Running {
        child,
        line,

        began: Instant::now(),
        signal: how.signal,
        killed: false,
        files,
    }
}

impl Running {
    /// Waits for the end, and sends the signal when its time has come.
    pub(crate) fn end(mut self) -> Said {
        let mut hung = false;
        let status = loop {
            if let Some(status) = self.child.try_wait().expect("a child to wait for") {
                break status;
            }
            let since = self.began.elapsed();
            if let Some((after, signal)) = self.signal
                && !self.killed
                && since >= Duration::from_millis(after)
            {
                self.killed = true;
                KILLS.fetch_add(1, Ordering::Relaxed);
                let name = match signal {
                    Signal::Kill => "-KILL",
                    Signal::Term => "-TERM",
                    Signal::Int => "-INT",
                };
                let sent = Command::new("kill")
                    .args([name, &self.child.id().to_string()])
                    .stderr(Stdio::null())
                    .status();
                drop(sent);
            }
            if since > Duration::from_secs(120) {
                hung = true;
                drop(self.child.kill());
            }
            thread::sleep(Duration::from_millis(8));
        };
        let read = |path: &Path| {
            let text = std::fs::read(path).unwrap_or_default();
            drop(std::fs::remove_file(path));
            String::from_utf8_lossy(&text).into_owned()
        };
        Said {
            line: self.line,
            code: status.code(),
            killed: self.killed || status.signal().is_some(),
            hung,
            out: read(&self.files.0),
            err: read(&self.files.1),
        }
    }
}
