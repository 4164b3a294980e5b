//! Ledgers on the PostgreSQL server that `DSR_TEST_POSTGRES` names: each has a database of its own.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::running::Mortal;

/// A database on the server for tests. It goes when this is dropped.
pub(crate) struct Database {
    name: String,
    server: String,
    pub(crate) url: String,
}

/// A server of its own, for what changes all databases of a server. It goes when this is dropped.
pub(crate) struct OwnServer(Child);

impl OwnServer {
    /// An empty database, and its server, which goes first; without a server for tests, prints that
    /// the test skips.
    pub(crate) fn start() -> Option<(Database, Self)> {
        server_or_skip()?;
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/.ci/with-postgres");
        let mut keeper = Command::new(script)
            .args(["sh", "-c", "echo \"$DSR_TEST_POSTGRES\"; exec cat"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("a server can be started");
        let mut url = String::new();
        let output = keeper.stdout.as_mut().expect("standard output is piped");
        let read = BufReader::new(output).read_line(&mut url);
        read.expect("the script says where its server is");
        let database = Database::made(url.trim_end().to_owned(), "");
        Some((database, Self(keeper)))
    }
}

impl Drop for OwnServer {
    fn drop(&mut self) {
        // Its input ends, and so it stops the server.
        drop(self.0.stdin.take());
        drop(self.0.wait());
    }
}

/// A database with an empty ledger, and what every database that is made from it shares.
struct Template {
    database: Database,
    /// By which a host names the ledger's folder.
    identity: String,
    key: Vec<u8>,
}

/// `None` without a server. An error if `DSR_TEST_REQUIRE` names `postgres`.
pub(super) fn find_server() -> Option<String> {
    #[expect(
        clippy::disallowed_methods,
        reason = "the environment says whether the outside part is there"
    )]
    let variable = |name: &str| std::env::var(name).ok();
    let server = variable("DSR_TEST_POSTGRES");
    let required = variable("DSR_TEST_REQUIRE").unwrap_or_default();
    let is_required = required.split(',').any(|part| part == "postgres");
    assert!(
        server.is_some() || !is_required,
        "DSR_TEST_POSTGRES names no server"
    );
    server
}

#[expect(clippy::print_stdout, reason = "a test that skips says so")]
fn server_or_skip() -> Option<String> {
    let server = find_server();
    if server.is_none() {
        println!("SKIPPED: needs a server; .ci/with-postgres cargo test --test cli");
    }
    server
}

impl Database {
    /// An empty database; without a server, prints that the test skips.
    pub(crate) fn new() -> Option<Self> {
        Some(Self::made(server_or_skip()?, ""))
    }

    /// A database with a ledger that has only its first entry.
    pub(crate) fn with_ledger() -> Option<Self> {
        Some(template()?.database.copy())
    }

    /// Like `with_ledger`; without a server, prints that the test skips.
    pub(crate) fn with_ledger_or_skip() -> Option<Self> {
        server_or_skip().and_then(|_| Self::with_ledger())
    }

    fn made(server: String, options: &str) -> Self {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("test_{}_{count}", std::process::id());
        ask(&server, &format!("CREATE DATABASE {name} {options}"));
        let url = server.replace("/postgres?", &format!("/{name}?"));
        Self { name, server, url }
    }

    /// Nobody may be connected to this database.
    pub(crate) fn copy(&self) -> Self {
        let options = format!("TEMPLATE {}", self.name);
        Self::made(self.server.clone(), &options)
    }

    /// Makes this database what `other` is. Ends all sessions.
    pub(crate) fn becomes(&self, other: &Self) {
        let name = &self.name;
        ask(&self.server, &format!("DROP DATABASE {name} WITH (FORCE)"));
        let make = format!("CREATE DATABASE {name} TEMPLATE {}", other.name);
        ask(&self.server, &make);
    }

    /// What the statements answer: a line for each row.
    pub(crate) fn ask(&self, sql: &str) -> String {
        ask(&self.url, sql)
    }

    /// Has the server do something about this database, whose name is in place of `{}`.
    pub(crate) fn ask_server(&self, sql: &str) -> String {
        ask(&self.server, &sql.replace("{}", &self.name))
    }

    /// The address for another user.
    pub(crate) fn url_as(&self, user: &str) -> String {
        let (_, rest) = self.url.split_once('@').expect("it names its user");
        format!("postgres://{user}@{rest}")
    }

    /// What the server says to a user whom it refuses these statements.
    pub(crate) fn refuses(&self, user: &str, sql: &str) -> String {
        let asked = psql(&self.url_as(user)).args(["-c", sql]).output();
        let asked = asked.expect("psql can be started");
        assert!(!asked.status.success(), "{user} may: {sql}");
        String::from_utf8_lossy(&asked.stderr).into_owned()
    }

    /// Runs a script of psql.
    pub(crate) fn script(&self, script: &str) -> String {
        let mut psql = psql(&self.url).spawn().expect("psql can be started");
        let mut input = psql.stdin.take().expect("standard input is piped");
        input.write_all(script.as_bytes()).expect("psql reads");
        drop(input);
        answer(psql, script)
    }

    /// A session that has run these statements, and stays in its transaction until it is dropped.
    pub(crate) fn hold(&self, statements: &str) -> Mortal {
        let mut psql = psql(&self.url).spawn().expect("psql can be started");
        let input = psql.stdin.as_mut().expect("standard input is piped");
        writeln!(input, "BEGIN;\n{statements};\n\\echo held").expect("psql reads");
        let output = psql.stdout.as_mut().expect("standard output is piped");
        let mut lines = BufReader::new(output).lines();
        assert!(lines.any(|line| line.is_ok_and(|line| line == "held")));
        Mortal::of(psql)
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        // The server goes soon, whatever comes of this.
        let drop_it = format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name);
        let mut psql = psql(&self.server);
        drop(psql.args(["-c", &drop_it]).output());
    }
}

fn template() -> Option<&'static Template> {
    static TEMPLATE: OnceLock<Option<Template>> = OnceLock::new();
    let make = || {
        let database = Database::made(find_server()?, "");
        let home = tempfile::tempdir().expect("a temporary folder can be made");
        let key = home.path().join("key");
        let dsr = |args: &[&str]| {
            let ended = Command::new(env!("CARGO_BIN_EXE_dsr"))
                .env_clear()
                .env("DSR_HOME", home.path().join("dsr"))
                .env("DSR_LEDGER_URL", &database.url)
                .args(args)
                .output();
            assert!(ended.expect("dsr can be started").status.success());
        };
        dsr(&["ledger", "init"]);
        // SQLite has it, and statements of tests use it.
        database.ask(
            "CREATE FUNCTION public.zeroblob(size int) RETURNS bytea LANGUAGE sql
                 AS $$ SELECT decode(repeat('00', size), 'hex') $$",
        );
        dsr(&["auth", "ledger-key", "--to", &key.display().to_string()]);
        let key = std::fs::read(key).expect("dsr has made it");
        let identity = database.ask("SELECT left(hash, 16) FROM dsr.audit WHERE seq = 1");
        Some(Template {
            database,
            identity,
            key,
        })
    };
    TEMPLATE.get_or_init(make).as_ref()
}

/// The ledger key of all databases with a ledger, as in its file.
pub(super) fn ledger_key() -> &'static [u8] {
    &template().expect("there is a server").key
}

pub(super) fn ledger_identity() -> &'static str {
    &template().expect("there is a server").identity
}

fn psql(url: &str) -> Command {
    let mut psql = Command::new("psql");
    psql.args(["-XqAt", "-v", "ON_ERROR_STOP=1", "-d", url])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    psql
}

fn ask(url: &str, sql: &str) -> String {
    let asked = psql(url).args(["-c", sql]).spawn();
    answer(asked.expect("psql is installed with the server"), sql)
}

fn answer(psql: Child, sql: &str) -> String {
    let asked = psql.wait_with_output().expect("psql ends");
    let said = String::from_utf8_lossy(&asked.stderr).into_owned();
    assert!(asked.status.success(), "{sql}\n{said}");
    let answer = String::from_utf8(asked.stdout).expect("text");
    answer.trim().to_owned()
}
