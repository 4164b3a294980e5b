//! A private PostgreSQL cluster on a socket and on loopback with TLS, which a test may stop and kill.

use std::fs;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use secrecy::SecretString;

use crate::ledger::engine::postgres::error::ServerError;
use crate::ledger::engine::postgres::place::{ServerPlace, ServerRoute};
use crate::ledger::engine::postgres::session::tls::TrustedRoots;
use crate::ledger::engine::postgres::session::{Deadlines, Session};
use crate::ledger::engine::testing::test_server;

pub(super) const PASSWORD: &str = "pass:w\\ord é";

pub(super) const DEADLINES: Deadlines = Deadlines {
    connect: Duration::from_secs(10),
    answer: Duration::from_secs(10),
    lock: Duration::from_millis(300),
};

pub(super) struct Cluster {
    folder: PathBuf,
    /// The server of the other tests.
    server: ServerPlace,
    pub(super) port: u16,
}

pub(super) fn run(name: &str, arguments: &[&str]) -> String {
    let mut command = Command::new(name);
    command
        .args(arguments)
        .stdin(Stdio::null())
        .current_dir("/tmp");
    output_of(command)
}

fn output_of(mut command: Command) -> String {
    let output = command.output().unwrap();
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {error}");
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// Where one of PostgreSQL's programs is.
pub(super) fn path_of(program: &str) -> PathBuf {
    let versions = fs::read_dir("/usr/lib/postgresql").unwrap();
    let versions = versions.map(|entry| entry.unwrap().path());
    let newest = versions.max_by_key(|path| {
        let version = path.file_name().unwrap().to_str().unwrap();
        version.parse::<u32>().unwrap_or(0)
    });
    newest.unwrap().join("bin").join(program)
}

/// A program of PostgreSQL as the server's user: the server does not run as root.
fn program(name: &str) -> Command {
    let mut command = Command::new("runuser");
    match rustix::process::geteuid().is_root() {
        true => drop(command.args(["-u", "postgres", "--"]).arg(path_of(name))),
        false => command = Command::new(path_of(name)),
    }
    command.stdin(Stdio::null()).current_dir("/tmp");
    command
}

/// Without a pipe: a daemon would keep it.
fn run_program(name: &str, arguments: &[&str]) {
    let mut command = program(name);
    let status = command.args(arguments).stdout(Stdio::null()).status();
    assert!(status.unwrap().success(), "{name} {arguments:?}");
}

/// Gives a file or folder to the user that the server runs as.
pub(super) fn give_to_server(paths: &[&str]) {
    if rustix::process::geteuid().is_root() {
        let mut arguments = vec!["postgres"];
        arguments.extend(paths);
        run("chown", &arguments);
    }
}

pub(super) fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port()
}

/// A folder that the server's user owns. It is in the folder of the tests' server, which stops what
/// runs there when it stops itself.
fn new_folder(server: &ServerPlace) -> PathBuf {
    let beside = match server.route() {
        ServerRoute::Socket(folder) => folder.clone(),
        ServerRoute::Loopback(_) | ServerRoute::Tls(_) => std::env::temp_dir(),
    };
    let folder = tempfile::Builder::new().prefix("pg").tempdir_in(beside);
    let folder = folder.unwrap().keep();
    give_to_server(&[folder.to_str().unwrap()]);
    run("chmod", &["755", folder.to_str().unwrap()]);
    folder
}

impl Cluster {
    /// `None` when the tests do not run on PostgreSQL.
    pub(super) fn new() -> Option<Self> {
        let url = test_server()?;
        let server = ServerPlace::parse(&url).unwrap();
        let cluster = Self {
            folder: new_folder(&server),
            port: free_port(),
            server,
        };
        let data = cluster.data();
        run_program(
            "initdb",
            &[
                "-D",
                &data,
                "-N",
                "-U",
                "postgres",
                "-E",
                "UTF8",
                "--locale=C",
                "-A",
                "trust",
            ],
        );
        cluster.certificates();
        cluster.configure(
            "local all postgres trust\nlocal all trusted trust\nlocal replication postgres trust\n\
             local all all scram-sha-256\nhostssl tls all 127.0.0.1/32 scram-sha-256\n\
             hostnossl plain all 127.0.0.1/32 scram-sha-256\n",
        );
        cluster.ctl(&["start"]);
        let password = PASSWORD.replace('\'', "''");
        cluster.sql(
            "postgres",
            &format!("CREATE ROLE dsr LOGIN PASSWORD '{password}'"),
        );
        cluster.sql(
            "postgres",
            "CREATE ROLE trusted LOGIN; CREATE ROLE reader LOGIN",
        );
        for database in ["dsr", "tls", "plain"] {
            cluster.sql("postgres", &format!("CREATE DATABASE {database} OWNER dsr"));
        }
        Some(cluster)
    }

    /// A standby of another cluster, which follows it over its socket.
    pub(super) fn standby(primary: &Self) -> Self {
        let standby = Self {
            folder: new_folder(&primary.server),
            port: free_port(),
            server: primary.server.clone(),
        };
        let (data, from) = (standby.data(), primary.folder.to_str().unwrap().to_owned());
        let port = primary.port.to_string();
        run_program(
            "pg_basebackup",
            &[
                "-D", &data, "-h", &from, "-p", &port, "-U", "postgres", "-R", "-c", "fast", "-X",
                "stream",
            ],
        );
        for name in ["ca.crt", "server.crt", "server.key"] {
            run("cp", &["-p", &primary.path(name), &standby.path(name)]);
        }
        let hba = fs::read_to_string(Path::new(&data).join("pg_hba.conf")).unwrap();
        standby.configure(&hba);
        standby.ctl(&["start"]);
        standby
    }

    pub(super) fn data(&self) -> String {
        self.path("data")
    }

    pub(super) fn path(&self, name: &str) -> String {
        self.folder.join(name).to_str().unwrap().to_owned()
    }

    fn configure(&self, hba: &str) {
        let data = self.data();
        let settings = format!(
            "\nlisten_addresses = '127.0.0.1'\nport = {}\nunix_socket_directories = '{}'\n\
             fsync = off\nssl = on\nssl_cert_file = '{}'\nssl_key_file = '{}'\nmax_wal_senders = 3\n",
            self.port,
            self.folder.display(),
            self.path("server.crt"),
            self.path("server.key"),
        );
        let path = Path::new(&data).join("postgresql.conf");
        let mut file = fs::OpenOptions::new().append(true).open(path).unwrap();
        file.write_all(settings.as_bytes()).unwrap();
        fs::write(Path::new(&data).join("pg_hba.conf"), hba).unwrap();
    }

    /// An authority, and a server's certificate from it that is only for `localhost`.
    fn certificates(&self) {
        let [ca, ca_key] = [self.path("ca.crt"), self.path("ca.key")];
        let [key, request, certificate] = [
            self.path("server.key"),
            self.path("server.csr"),
            self.path("server.crt"),
        ];
        let names = self.path("names");
        fs::write(
            &names,
            "subjectAltName=DNS:localhost\nbasicConstraints=CA:FALSE\n",
        )
        .unwrap();
        let new_key = [
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:P-256",
            "-nodes",
        ];
        let mut arguments = vec!["req", "-x509", "-days", "2", "-subj", "/CN=test authority"];
        arguments.extend(new_key);
        arguments.extend(["-keyout", &ca_key, "-out", &ca]);
        run("openssl", &arguments);
        let mut arguments = vec!["req", "-subj", "/CN=server"];
        arguments.extend(new_key);
        arguments.extend(["-keyout", &key, "-out", &request]);
        run("openssl", &arguments);
        run(
            "openssl",
            &[
                "x509",
                "-req",
                "-days",
                "2",
                "-in",
                &request,
                "-CA",
                &ca,
                "-CAkey",
                &ca_key,
                "-CAcreateserial",
                "-extfile",
                &names,
                "-out",
                &certificate,
            ],
        );
        give_to_server(&[&key, &certificate]);
        run("chmod", &["600", &key]);
    }

    pub(super) fn ctl(&self, arguments: &[&str]) {
        let data = self.data();
        let log = self.path("log");
        let mut all = vec!["-D", &data, "-l", &log, "-w", "-t", "30"];
        all.extend(arguments);
        run_program("pg_ctl", &all);
    }

    /// Runs SQL as the superuser, in autocommit.
    pub(super) fn sql(&self, database: &str, sql: &str) -> String {
        let port = self.port.to_string();
        let folder = self.folder.to_str().unwrap();
        let mut psql = program("psql");
        psql.args(["-XAtq", "-v", "ON_ERROR_STOP=1", "-U", "postgres"]);
        psql.args(["-h", folder, "-p", &port, "-d", database, "-c", sql]);
        output_of(psql)
    }

    pub(super) fn socket(&self, user: &str, database: &str) -> String {
        format!(
            "postgres://{user}@:{}/{database}?host={}",
            self.port,
            self.folder.display()
        )
    }

    pub(super) fn roots(&self) -> TrustedRoots {
        TrustedRoots::Pem(fs::read(self.path("ca.crt")).unwrap())
    }

    pub(super) fn open(&self, url: &str) -> Result<Session, ServerError> {
        self.open_with(url, Some(PASSWORD), DEADLINES)
    }

    pub(super) fn open_with(
        &self,
        url: &str,
        password: Option<&str>,
        deadlines: Deadlines,
    ) -> Result<Session, ServerError> {
        let password = password.map(SecretString::from);
        let place = ServerPlace::parse(url).unwrap();
        Session::open(
            &place,
            password.as_ref(),
            &self.roots(),
            "dsr test/host/1",
            deadlines,
        )
    }

    /// A session over the socket, as the ledger's owner.
    pub(super) fn session(&self) -> Session {
        self.open(&self.socket("dsr", "dsr")).unwrap()
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        let stop = ["-D", &self.data(), "-m", "immediate", "stop"];
        let mut command = program("pg_ctl");
        command.args(stop).stdout(Stdio::null()).status().ok();
        fs::remove_dir_all(&self.folder).ok();
    }
}

/// Passes bytes on to the cluster until it is told to keep them.
pub(super) struct Proxy {
    pub(super) port: u16,
    pub(super) is_silent: Arc<AtomicBool>,
}

impl Proxy {
    pub(super) fn new(to: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let is_silent = Arc::new(AtomicBool::new(false));
        let silent = Arc::clone(&is_silent);
        thread::spawn(move || {
            for client in listener.incoming() {
                let client = client.unwrap();
                let server = TcpStream::connect(("127.0.0.1", to)).unwrap();
                pass(
                    client.try_clone().unwrap(),
                    server.try_clone().unwrap(),
                    &silent,
                );
                pass(server, client, &silent);
            }
        });
        Self { port, is_silent }
    }
}

fn pass(mut from: TcpStream, mut to: TcpStream, silent: &Arc<AtomicBool>) {
    let silent = Arc::clone(silent);
    thread::spawn(move || {
        let mut buffer = [0; 4096];
        while let Ok(count @ 1..) = from.read(&mut buffer) {
            if !silent.load(Ordering::SeqCst) && to.write_all(&buffer[..count]).is_err() {
                break;
            }
        }
        to.shutdown(Shutdown::Both).ok();
    });
}

pub(super) fn eventually(what: &str, check: impl Fn() -> bool) -> Duration {
    let started = Instant::now();
    while !check() {
        assert!(started.elapsed() < Duration::from_secs(20), "never: {what}");
        thread::sleep(Duration::from_millis(10));
    }
    started.elapsed()
}

/// The whole of an error as a user would see it.
pub(super) fn told(error: &ServerError) -> String {
    let mut text = format!("{error:?}\n{error}");
    let mut source = std::error::Error::source(error);
    while let Some(error) = source {
        text.push_str(&format!("\n{error}"));
        source = error.source();
    }
    text
}
