//! A session bus for one test, with or without a real Secret Service. A person's own keyring is
//! never touched.

use std::fs;
use std::io::Write;
use std::os::unix::net::UnixListener;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use super::Operator;
use super::running::Mortal;

const PASSWORD: &str = "test-pass\n";
const PATIENCE: Duration = Duration::from_secs(20);
const SERVICE: [&str; 4] = [
    "--dest",
    "org.freedesktop.secrets",
    "--object-path",
    "/org/freedesktop/secrets",
];
const BUS: [&str; 4] = [
    "--dest",
    "org.freedesktop.DBus",
    "--object-path",
    "/org/freedesktop/DBus",
];

/// The operator, with a session bus that accepts every call and never answers.
pub(crate) fn with_silent_bus(operator: Operator) -> Operator {
    let socket = operator.work().join("bus");
    let listener = UnixListener::bind(&socket).expect("a socket");
    thread::spawn(move || {
        let mut kept = Vec::new();
        for stream in listener.incoming() {
            kept.push(stream);
        }
    });
    let address = format!("unix:path={}", socket.display());
    operator.with("DBUS_SESSION_BUS_ADDRESS", &address)
}

/// A bus that starts no service by itself, so that no window opens.
pub(crate) struct Keyring {
    folder: TempDir,
    // In the order in which they must end.
    service: Option<Mortal>,
    _bus: Mortal,
}

impl Keyring {
    /// A bus with an unlocked collection; `None` without gnome-keyring, which is printed.
    pub(crate) fn start() -> Option<Self> {
        let mut keyring = Self::start_empty()?;
        keyring.serve(&["--unlock"])?;
        let owner = [
            "--method",
            "org.freedesktop.DBus.NameHasOwner",
            "org.freedesktop.secrets",
        ];
        keyring.wait_for("true", &[&BUS[..], &owner].concat());
        Some(keyring)
    }

    /// A bus without a Secret Service.
    pub(crate) fn start_empty() -> Option<Self> {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let bus = folder.path().join("bus");
        let settings = folder.path().join("bus.conf");
        let text = format!(
            "<busconfig><type>session</type><listen>unix:path={}</listen>\
             <policy context=\"default\"><allow send_destination=\"*\" eavesdrop=\"true\"/>\
             <allow eavesdrop=\"true\"/><allow own=\"*\"/></policy>\
             </busconfig>",
            bus.display()
        );
        fs::write(&settings, text).expect("a file can be written");
        for name in ["home", "run"] {
            fs::create_dir(folder.path().join(name)).expect("a folder can be made");
        }
        let daemon = Command::new("dbus-daemon")
            .arg(format!("--config-file={}", settings.display()))
            .args(["--nofork", "--nopidfile"])
            .stderr(Stdio::null())
            .spawn();
        let daemon = daemon.ok().or_else(skip)?;
        let keyring = Self {
            folder,
            service: None,
            _bus: Mortal::of(daemon),
        };
        let start = Instant::now();
        while !bus.exists() {
            assert!(start.elapsed() < PATIENCE, "the bus starts");
            thread::sleep(Duration::from_millis(5));
        }
        Some(keyring)
    }

    /// The value for `DBUS_SESSION_BUS_ADDRESS`.
    pub(crate) fn address(&self) -> String {
        format!("unix:path={}", self.path("bus").display())
    }

    /// The operator with this keyring, and without a token in the environment.
    pub(crate) fn of(&self, operator: Operator) -> Operator {
        operator
            .without("DSR_TOKEN")
            .with("DBUS_SESSION_BUS_ADDRESS", &self.address())
    }

    pub(crate) fn lock(&self) {
        let collection = r#"[objectpath "/org/freedesktop/secrets/collection/login"]"#;
        let method = "org.freedesktop.Secret.Service.Lock";
        let said = self.call(&[&SERVICE[..], &["--method", method, collection]].concat());
        assert!(said.contains("collection/login"), "it is locked: {said}");
    }

    /// Unlocks as the hint says: with a new daemon that reads the password.
    pub(crate) fn unlock(&mut self) {
        self.serve(&["--replace", "--unlock"]);
        let collection = "/org/freedesktop/secrets/collection/login";
        let is_locked = [
            "--object-path",
            collection,
            "--method",
            "org.freedesktop.DBus.Properties.Get",
            "org.freedesktop.Secret.Collection",
            "Locked",
        ];
        self.wait_for("false", &[&SERVICE[..2], &is_locked].concat());
    }

    fn serve(&mut self, how: &[&str]) -> Option<()> {
        let mut service = self
            .command("gnome-keyring-daemon")
            .args(["--foreground", "--components=secrets"])
            .args(how)
            .stdin(Stdio::piped())
            .spawn()
            .ok()
            .or_else(skip)?;
        let mut stdin = service.stdin.take().expect("standard input is piped");
        stdin.write_all(PASSWORD.as_bytes()).expect("it reads");
        drop(stdin);
        self.service = Some(Mortal::of(service));
        Some(())
    }

    fn wait_for(&self, text: &str, call: &[&str]) {
        let start = Instant::now();
        while !self.call(call).contains(text) {
            assert!(start.elapsed() < PATIENCE, "the Secret Service is there");
            thread::sleep(Duration::from_millis(20));
        }
    }

    /// What another program finds under this name; `None` without such an entry.
    pub(crate) fn look_up(&self, name: &str) -> Option<String> {
        let output = self
            .command("secret-tool")
            .args(["lookup", "service", "dsr", "username", name])
            .stdout(Stdio::piped())
            .output()
            .expect("secret-tool runs");
        let text = String::from_utf8(output.stdout).expect("it is text");
        (!text.is_empty()).then_some(text)
    }

    /// Stores an entry as another program would.
    pub(crate) fn store(&self, name: &str, text: &str) {
        let mut child = self
            .command("secret-tool")
            .args(["store", "--label=x", "service", "dsr", "username", name])
            .stdin(Stdio::piped())
            .spawn()
            .expect("secret-tool runs");
        let mut stdin = child.stdin.take().expect("standard input is piped");
        stdin.write_all(text.as_bytes()).expect("it reads");
        drop(stdin);
        assert!(child.wait().expect("it ends").success());
    }

    fn call(&self, args: &[&str]) -> String {
        let output = self
            .command("gdbus")
            .args(["call", "--session"])
            .args(args)
            .stdout(Stdio::piped())
            .output()
            .expect("gdbus runs");
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command
            .env_clear()
            .env("PATH", "/usr/bin:/bin")
            .env("HOME", self.path("home"))
            .env("XDG_RUNTIME_DIR", self.path("run"))
            .env("DBUS_SESSION_BUS_ADDRESS", self.address())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        command
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}

/// Prints that there is no keyring to test with. An error if `DSR_TEST_REQUIRE` names
/// `keyring-daemon`.
#[expect(clippy::print_stdout, reason = "a test that skips says so")]
fn skip<T>() -> Option<T> {
    #[expect(
        clippy::disallowed_methods,
        reason = "the environment says whether the outside part is there"
    )]
    let required = std::env::var("DSR_TEST_REQUIRE").unwrap_or_default();
    let is_required = required.split(',').any(|part| part == "keyring-daemon");
    assert!(!is_required, "dbus-daemon and gnome-keyring are needed");
    println!("SKIPPED: dbus-daemon and gnome-keyring are needed");
    None
}
