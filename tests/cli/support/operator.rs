//! A sealed environment: its own home, working folder and variables, nothing inherited.

use std::collections::BTreeMap;
use std::fs;
use std::panic::Location;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rusqlite::{Connection, OpenFlags, Row};
use serde_json::Value;
use tempfile::TempDir;

use super::database::ledger_key;
use super::shared::database_for;
use super::{Database, Fake, Outcome, Running, trail_faults};

pub(crate) const OAUTH_TOKEN: &str = "oauthSECRETa81f4c9e2b7d0635";
pub(crate) const PROJECT_TOKEN: &str = "9f2c41d07ab35e6680cc17d4e2b1a95f";

pub(crate) struct Operator {
    root: TempDir,
    variables: BTreeMap<String, String>,
    /// The test changes the audit trail itself.
    is_trail_changed: AtomicBool,
    /// Where the ledger is, unless it is a file.
    pub(super) database: Option<Arc<Database>>,
}

/// Checks that the trail is whole, whatever a test did and wherever a process was killed.
impl Drop for Operator {
    fn drop(&mut self) {
        if std::thread::panicking() || self.is_trail_changed.load(Ordering::Relaxed) {
            return;
        }
        let rehearsed = Connection::open_with_flags(
            self.dsr_home().join("sandbox/ledger.db"),
            OpenFlags::SQLITE_OPEN_READ_ONLY,
        );
        let rehearsed = rehearsed.map_or(Vec::new(), |ledger| trail_faults(&ledger));
        let faults = [self.trail_faults(), rehearsed].concat();
        assert!(faults.is_empty(), "the audit trail: {faults:#?}");
    }
}

impl Operator {
    /// Has no project, no token, no keyring and no network.
    ///
    /// Has a ledger on a server if a test of both engines makes it, and there is one.
    #[track_caller]
    pub(crate) fn new() -> Self {
        Self::in_folder(tempfile::tempdir())
    }

    #[track_caller]
    fn in_folder(root: std::io::Result<TempDir>) -> Self {
        let root = root.expect("a temporary folder can be made");
        for folder in ["home", "work"] {
            fs::create_dir(root.path().join(folder)).expect("a folder can be made");
        }
        let path = |name: &str| root.path().join(name).display().to_string();
        let variables = BTreeMap::from([
            ("PATH".to_owned(), "/usr/bin:/bin".to_owned()),
            ("HOME".to_owned(), path("home")),
            ("DSR_HOME".to_owned(), path("dsr")),
            (
                "DBUS_SESSION_BUS_ADDRESS".to_owned(),
                "disabled:".to_owned(),
            ),
            // A call that ignores DSR_API_URL ends here and not on the internet.
            ("HTTPS_PROXY".to_owned(), "http://127.0.0.1:9".to_owned()),
            // Calls to loopback must not use this proxy either.
            ("HTTP_PROXY".to_owned(), "http://127.0.0.1:9".to_owned()),
            ("ALL_PROXY".to_owned(), "http://127.0.0.1:9".to_owned()),
        ]);
        let mut operator = Self {
            root,
            variables,
            is_trail_changed: AtomicBool::new(false),
            database: None,
        };
        if let Some(database) = database_for(Location::caller()) {
            operator.uses(&Arc::new(database));
        }
        operator
    }

    /// From now on the ledger is in this database.
    pub(crate) fn uses(&mut self, database: &Arc<Database>) {
        let key = self.key_path();
        write_privately(&key, ledger_key());
        self.set("DSR_LEDGER_URL", &database.url);
        self.set("DSR_LEDGER_KEY_FILE", &key.display().to_string());
        self.database = Some(Arc::clone(database));
    }

    /// Has a token and the project `shop` at `fake`, with a rate that makes no test wait.
    #[track_caller]
    pub(crate) fn at(fake: &Fake) -> Self {
        Self::at_with(fake, "rate = 1000")
    }

    /// Like [`Operator::at`], with these lines in place of `rate = 1000`.
    #[track_caller]
    pub(crate) fn at_with(fake: &Fake, settings: &str) -> Self {
        Self::new().of_a_shop(fake, settings)
    }

    /// Like `at_with`, with all files in memory if possible: for very many at once. A killed
    /// process loses nothing there either, since the kernel has it.
    #[track_caller]
    pub(crate) fn in_memory(fake: &Fake, settings: &str) -> Self {
        let memory = Path::new("/dev/shm");
        let root = match memory.is_dir() {
            true => tempfile::tempdir_in(memory),
            false => tempfile::tempdir(),
        };
        Self::in_folder(root).of_a_shop(fake, settings)
    }

    fn of_a_shop(self, fake: &Fake, settings: &str) -> Self {
        let operator = self
            .with("DSR_TOKEN", OAUTH_TOKEN)
            .with("DSR_API_URL", &fake.url());
        operator.write_config(&format!(
            "[projects.shop]\ntoken = \"{PROJECT_TOKEN}\"\nregion = \"us\"\n{settings}\n"
        ));
        operator
    }

    pub(crate) fn with(mut self, name: &str, value: &str) -> Self {
        self.variables.insert(name.to_owned(), value.to_owned());
        self
    }

    pub(crate) fn set(&mut self, name: &str, value: &str) {
        self.variables.insert(name.to_owned(), value.to_owned());
    }

    pub(crate) fn unset(&mut self, name: &str) {
        self.variables.remove(name);
    }

    pub(crate) fn variable(&self, name: &str) -> Option<String> {
        self.variables.get(name).cloned()
    }

    pub(crate) fn without(mut self, name: &str) -> Self {
        self.variables.remove(name);
        self
    }

    /// A command in this environment, not started yet.
    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_dsr"));
        command
            .env_clear()
            .envs(&self.variables)
            .current_dir(self.work())
            .args(args);
        command
    }

    /// Like `command`, after a shell has done `setup`, such as limiting itself.
    pub(crate) fn command_after(&self, setup: &str, args: &[&str]) -> Command {
        self.script(&format!("{setup}; exec \"$0\" \"$@\""), args)
    }

    /// A shell script in this environment, in which `"$0" "$@"` is the command.
    pub(crate) fn script(&self, script: &str, args: &[&str]) -> Command {
        let mut command = Command::new("/bin/sh");
        command
            .env_clear()
            .envs(&self.variables)
            .current_dir(self.work())
            .args(["-c", script])
            .arg(env!("CARGO_BIN_EXE_dsr"))
            .args(args);
        command
    }

    pub(crate) fn start(&self, args: &[&str]) -> Running {
        Running::start(self.command(args), "")
    }

    #[track_caller]
    pub(crate) fn run(&self, args: &[&str]) -> Outcome {
        self.run_with_input(args, "")
    }

    #[track_caller]
    pub(crate) fn run_with_input(&self, args: &[&str], input: &str) -> Outcome {
        self.run_with_bytes(args, input.as_bytes())
    }

    #[track_caller]
    pub(crate) fn run_with_bytes(&self, args: &[&str], input: &[u8]) -> Outcome {
        Running::start(self.command(args), input).end()
    }

    pub(crate) fn work(&self) -> PathBuf {
        self.root.path().join("work")
    }

    pub(crate) fn dsr_home(&self) -> PathBuf {
        self.root.path().join("dsr")
    }

    pub(crate) fn config_path(&self) -> PathBuf {
        self.dsr_home().join("config.toml")
    }

    pub(crate) fn write_config(&self, text: &str) {
        fs::create_dir_all(self.dsr_home()).expect("a folder can be made");
        fs::write(self.config_path(), text).expect("the config can be written");
    }

    /// Writes a file into the working folder; returns its name there.
    pub(crate) fn file<'a>(&self, name: &'a str, text: impl AsRef<[u8]>) -> &'a str {
        fs::write(self.work().join(name), text).expect("a file can be written");
        name
    }

    /// Like `file`, readable by the owner only; returns its full path.
    pub(crate) fn private_file(&self, name: &str, text: impl AsRef<[u8]>) -> String {
        let path = self.work().join(name);
        write_privately(&path, text.as_ref());
        path.display().to_string()
    }

    /// Makes an empty ledger. Without a request, dsr makes one only after a ledger was lost.
    #[track_caller]
    pub(crate) fn has_an_empty_ledger(&self) {
        if self.database.is_some() {
            return;
        }
        write_privately(&self.dsr_home().join("seen-head"), b"damaged");
        self.run(&["ledger", "accept", "--yes"]).exits_with(0);
    }

    /// All requests in the ledger, without asking Mixpanel.
    #[track_caller]
    pub(crate) fn requests(&self) -> Vec<Value> {
        let outcome = self.run(&["status", "--all", "--cached", "--json"]);
        outcome.exits_with(0);
        let requests = outcome.json()["requests"].as_array().cloned();
        requests.unwrap_or_else(|| panic!("no list of requests\n{outcome}"))
    }

    #[track_caller]
    pub(crate) fn only_request(&self) -> Value {
        let mut requests = self.requests();
        assert_eq!(requests.len(), 1, "one request: {requests:#?}");
        requests.remove(0)
    }

    /// The texts that a query of one column finds in the ledger on the disk.
    pub(crate) fn ledger_texts(&self, query: &str) -> Vec<String> {
        self.ledger_rows(query, |row| row.get(0))
    }

    /// What `read` makes of each row that a query finds in the ledger on the disk.
    pub(crate) fn ledger_rows<T>(
        &self,
        query: &str,
        mut read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Vec<T> {
        let ledger = self.open_ledger().expect("the ledger can be opened");
        let mut statement = ledger.prepare(query).expect("the query is right");
        let rows = statement.query_map([], |row| read(row));
        let rows = rows.expect("the ledger can be asked");
        rows.collect::<Result<_, _>>()
            .expect("the columns hold what they should")
    }

    /// Changes the ledger as another process would.
    pub(crate) fn tamper_with(&self, statements: &str) {
        if let Some(database) = &self.database {
            database.ask(&format!("SET search_path = dsr, public; {statements}"));
            return;
        }
        let path = self.dsr_home().join("ledger.db");
        let ledger = Connection::open(path).expect("the ledger can be opened");
        ledger
            .busy_timeout(Duration::from_secs(30))
            .expect("a connection can wait");
        let changed = ledger.execute_batch(statements);
        changed.expect("the ledger can be changed");
    }

    /// Changes the audit trail, and gives up checking it.
    pub(crate) fn change_trail(&self, statements: &str) {
        self.give_up_trail();
        self.tamper_with(statements);
    }

    /// From now on the audit trail may be damaged: it is not checked at the end.
    pub(crate) fn give_up_trail(&self) {
        self.is_trail_changed.store(true, Ordering::Relaxed);
    }

    /// The ids that the ledger on the disk holds for each job, by request and number.
    pub(crate) fn kept_ids(&self) -> BTreeMap<(String, u32), Vec<String>> {
        let ledger = self.open_ledger().expect("the ledger can be opened");
        let query = "SELECT request, number, packed FROM payloads";
        let mut statement = ledger.prepare(query).expect("the query is right");
        let rows = statement.query_map([], |row| {
            let packed: Vec<u8> = row.get(2)?;
            let (request, number): (String, u32) = (row.get(0)?, row.get(1)?);
            let packed = self.unsealed(&format!("{request}-{number}"), packed);
            let text = zstd::decode_all(packed.as_slice()).expect("zstd");
            let text = String::from_utf8(text).expect("UTF-8");
            let ids = text.lines().map(str::to_owned).collect();
            Ok(((request, number), ids))
        });
        let rows = rows.expect("the ledger can be asked");
        rows.collect::<Result<_, _>>().expect("ids can be read")
    }

    /// Makes every attempt so far this much older.
    pub(crate) fn age_attempts(&self, age: Duration) {
        let seconds = age.as_secs();
        let older = match self.database {
            None => format!("strftime('%Y-%m-%dT%H:%M:%fZ', started_at, '-{seconds} seconds')"),
            Some(_) => format!(
                "to_char(started_at::timestamptz AT TIME ZONE 'UTC' - interval '{seconds} s',
                         'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"')"
            ),
        };
        let count = "SELECT CAST(COUNT(*) AS TEXT) FROM attempts";
        assert_ne!(self.ledger_texts(count), ["0"]);
        self.change_ledger(&format!("UPDATE attempts SET started_at = {older}"));
    }

    pub(crate) fn files(&self) -> Vec<(PathBuf, Vec<u8>)> {
        let mut files = Vec::new();
        for folder in ["dsr", "home"] {
            gather(&self.root.path().join(folder), &mut files);
        }
        files
    }
}

/// Readable by the owner only.
pub(super) fn write_privately(path: &Path, text: &[u8]) {
    fs::write(path, text).expect("a file can be written");
    let private = std::os::unix::fs::PermissionsExt::from_mode(0o600);
    fs::set_permissions(path, private).expect("a file of ours can be changed");
}

fn gather(folder: &Path, files: &mut Vec<(PathBuf, Vec<u8>)>) {
    let Ok(entries) = fs::read_dir(folder) else {
        return;
    };
    for entry in entries {
        let path = entry.expect("a folder can be listed").path();
        match path.is_dir() {
            true => gather(&path, files),
            false => {
                let content = fs::read(&path).expect("a file of ours can be read");
                files.push((path, content));
            }
        }
    }
}
