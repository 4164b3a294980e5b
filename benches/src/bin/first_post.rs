//! Measures the time from a source to the first POST: `first_post DSR FILE`.
//!
//! Starts `dsr delete --yes` on the file, in its own home, against a loopback listener that never
//! answers. Ends dsr as soon as it connects: at that moment every job is in the ledger. Prints the
//! seconds, the bytes of the ledger with its log, its bytes after the next dsr has opened and
//! closed it, and the peak of memory in KiB where /proc has it. A ledger that the environment
//! names on a server is used instead, and has no bytes here.

use std::error::Error;
use std::fs;
use std::io::{self, Write};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

fn main() -> Result<(), Box<dyn Error>> {
    let mut args = std::env::args_os().skip(1);
    let (Some(dsr), Some(file)) = (args.next(), args.next()) else {
        return Err("usage: first_post DSR FILE".into());
    };
    let home = tempfile::tempdir()?;
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let command = || {
        let mut command = Command::new(&dsr);
        command
            .env_clear()
            .env("DSR_HOME", home.path())
            .env("DSR_TOKEN", "made-up")
            .env("DSR_PROJECT_TOKEN", "0123456789abcdef0123456789abcdef")
            .env("DSR_REGION", "us")
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        for name in ["DSR_LEDGER_URL", "DSR_LEDGER_KEY_FILE"] {
            if let Some(value) = std::env::var_os(name) {
                command.env(name, value);
            }
        }
        command
    };
    let url = format!("http://{}/api/app", listener.local_addr()?);
    let start = Instant::now();
    let mut child = command()
        .env("DSR_API_URL", url)
        .args(["delete", "--gdpr", "--yes"])
        .arg(&file)
        .spawn()?;
    let connection = listener.accept();
    let seconds = start.elapsed().as_secs_f64();
    let status = fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap_or_default();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let peak = peak.map_or("?", |peak| peak.trim().trim_end_matches(" kB"));
    let with_log = size(home.path(), &["ledger.db", "ledger.db-wal"])?;
    child.kill()?;
    child.wait()?;
    drop(connection?);
    command().args(["status", "--cached"]).status()?;
    let alone = size(home.path(), &["ledger.db", "ledger.db-wal"])?;
    writeln!(io::stdout(), "{seconds:.3} {with_log} {alone} {peak}")?;
    Ok(())
}

fn size(home: &Path, names: &[&str]) -> io::Result<u64> {
    let mut sum = 0;
    for name in names {
        match fs::metadata(home.join(name)) {
            Ok(found) => sum += found.len(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    Ok(sum)
}
