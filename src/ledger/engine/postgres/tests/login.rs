//! Reaching a server and logging in, on a private cluster.

use std::net::TcpListener;
use std::thread;
use std::time::{Duration, Instant};

use secrecy::{ExposeSecret, SecretString};

use super::cluster::{Cluster, DEADLINES, PASSWORD, free_port, give_to_server, path_of, run, told};
use crate::ledger::engine::postgres::cause::Cause;
use crate::ledger::engine::postgres::error::ServerError;
use crate::ledger::engine::postgres::place::ServerPlace;
use crate::ledger::engine::postgres::place::password::PasswordSources;
use crate::ledger::engine::postgres::session::tls::{TlsError, TrustedRoots};
use crate::ledger::engine::postgres::session::{Deadlines, Session};

fn tls_error(result: Result<Session, ServerError>) -> TlsError {
    match result.err().unwrap() {
        ServerError::Tls { source, .. } => source,
        error => panic!("{}", told(&error)),
    }
}

fn one_text(session: &Session, sql: &str) -> String {
    session.query(&session.prepare(sql).unwrap(), &[]).unwrap()[0].get(0)
}

/// Whether a connection to the port has the timer that keeps it alive: 2 in the kernel's list.
fn is_kept_alive(port: u16) -> bool {
    let list = std::fs::read_to_string("/proc/net/tcp").unwrap();
    let mut lines = list
        .lines()
        .map(|line| line.split_whitespace().collect::<Vec<_>>());
    lines.any(|fields| fields[2].ends_with(&format!(":{port:04X}")) && fields[5].starts_with("02:"))
}

#[test]
fn every_way_in_and_every_refusal() {
    let Some(cluster) = Cluster::new() else {
        return;
    };
    let port = cluster.port;

    // A socket, with and without a password.
    let socket = cluster.socket("dsr", "dsr");
    let session = cluster.open(&socket).unwrap();
    for (setting, value) in [
        ("lock_timeout", "300ms"),
        ("idle_in_transaction_session_timeout", "30s"),
        ("synchronous_commit", "on"),
        ("client_encoding", "UTF8"),
        ("application_name", "dsr?test/host/1"),
    ] {
        assert_eq!(one_text(&session, &format!("SHOW {setting}")), value);
    }
    let pid = one_text(&session, "SELECT pg_backend_pid()::text");
    assert_eq!(pid, session.backend_pid().to_string());
    assert!(
        cluster
            .open_with(&cluster.socket("trusted", "dsr"), None, DEADLINES)
            .is_ok()
    );

    // TLS on loopback.
    let url = format!("postgres://dsr@localhost:{port}/tls");
    let session = cluster.open(&url).unwrap();
    let used = "SELECT ssl::text || version FROM pg_stat_ssl WHERE pid = pg_backend_pid()";
    assert_eq!(one_text(&session, used), "trueTLSv1.3");
    for (setting, value) in [
        ("tcp_keepalives_idle", "5"),
        ("tcp_keepalives_interval", "2"),
        ("tcp_keepalives_count", "3"),
        ("tcp_user_timeout", "10000"),
    ] {
        assert_eq!(one_text(&session, &format!("SHOW {setting}")), value);
    }
    assert!(is_kept_alive(port));
    drop(session);

    // Neither another name, nor another authority, nor one that the public ones vouch for.
    let by_address = format!("postgres://dsr@127.0.0.1:{port}/tls");
    assert!(matches!(
        tls_error(cluster.open(&by_address)),
        TlsError::WrongName(_)
    ));
    let place = ServerPlace::parse(&url).unwrap();
    let password = SecretString::from(PASSWORD);
    let open = |roots| Session::open(&place, Some(&password), roots, "dsr", DEADLINES);
    assert!(matches!(
        tls_error(open(&TrustedRoots::Bundled)),
        TlsError::UnknownIssuer
    ));
    let other = cluster.path("other.crt");
    let new = [
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:P-256",
        "-nodes",
        "-subj",
        "/CN=test authority",
    ];
    let mut arguments = new.to_vec();
    let key = cluster.path("other.key");
    arguments.extend(["-keyout", &key, "-out", &other]);
    run("openssl", &arguments);
    let other = TrustedRoots::Pem(std::fs::read(other).unwrap());
    assert!(matches!(tls_error(open(&other)), TlsError::UnknownIssuer));

    // Without TLS only where the rules of the server allow it; the server's words are kept.
    let plain = format!("postgres://dsr@127.0.0.1:{port}/plain?sslmode=disable");
    assert_eq!(
        one_text(
            &cluster.open(&plain).unwrap(),
            used.replace(" || version", "").as_str()
        ),
        "false"
    );
    let refused = format!("postgres://dsr@127.0.0.1:{port}/tls?sslmode=disable");
    let error = cluster.open(&refused).err().unwrap();
    assert!(
        matches!(&error, ServerError::Password { .. }),
        "{}",
        told(&error)
    );
    assert_eq!(error.sqlstate(), Some("28000"));
    assert!(told(&error).contains("no pg_hba.conf entry"));
}

#[test]
fn a_wrong_password_and_a_missing_one_are_told_apart() {
    let Some(cluster) = Cluster::new() else {
        return;
    };
    let socket = cluster.socket("dsr", "dsr");
    let error = cluster
        .open_with(&socket, Some("hunter2"), DEADLINES)
        .err()
        .unwrap();
    assert!(matches!(error, ServerError::Password { .. }));
    assert_eq!(error.sqlstate(), Some("28P01"));
    assert!(!told(&error).contains("hunter2"));
    let error = cluster.open_with(&socket, None, DEADLINES).err().unwrap();
    assert!(matches!(
        error,
        ServerError::Password {
            source: Cause::NoPassword,
            ..
        }
    ));
}

#[test]
fn a_database_that_cannot_hold_a_ledger_is_refused() {
    let Some(cluster) = Cluster::new() else {
        return;
    };
    let plain = format!(
        "postgres://dsr@127.0.0.1:{}/plain?sslmode=disable",
        cluster.port
    );
    let error = cluster.open(&cluster.socket("dsr", "none")).err().unwrap();
    assert!(matches!(error, ServerError::NoDatabase { .. }));
    cluster.sql(
        "postgres",
        "CREATE DATABASE latin ENCODING 'LATIN1' TEMPLATE template0",
    );
    let error = cluster.open(&cluster.socket("dsr", "latin")).err().unwrap();
    assert!(matches!(&error, ServerError::Encoding { found, .. } if found == "LATIN1"));
    cluster.sql(
        "postgres",
        "CREATE DATABASE ascii ENCODING 'SQL_ASCII' TEMPLATE template0",
    );
    let error = cluster.open(&cluster.socket("dsr", "ascii")).err().unwrap();
    assert!(matches!(&error, ServerError::Encoding { .. }));
    cluster.sql(
        "postgres",
        "ALTER DATABASE ascii SET default_transaction_read_only = on",
    );
    cluster.sql(
        "postgres",
        "ALTER DATABASE plain SET default_transaction_read_only = on",
    );
    let error = cluster.open(&plain).err().unwrap();
    assert!(
        matches!(error, ServerError::ReadOnly { .. }),
        "{}",
        told(&error)
    );
    cluster.sql(
        "postgres",
        "REVOKE CONNECT ON DATABASE tls FROM PUBLIC, dsr",
    );
    let error = cluster
        .open_with(&cluster.socket("trusted", "tls"), None, DEADLINES)
        .err()
        .unwrap();
    assert!(
        matches!(error, ServerError::NotAllowed { .. }),
        "{}",
        told(&error)
    );
    cluster.sql("postgres", "ALTER ROLE trusted CONNECTION LIMIT 0");
    let error = cluster
        .open_with(&cluster.socket("trusted", "dsr"), None, DEADLINES)
        .err()
        .unwrap();
    assert!(
        matches!(error, ServerError::Full { .. }),
        "{}",
        told(&error)
    );
}

#[test]
fn a_standby_is_refused() {
    let Some(cluster) = Cluster::new() else {
        return;
    };
    let standby = Cluster::standby(&cluster);
    let error = standby.open(&standby.socket("dsr", "dsr")).err().unwrap();
    assert!(
        matches!(error, ServerError::Standby { .. }),
        "{}",
        told(&error)
    );
}

#[test]
fn what_does_not_answer_is_unreachable_by_its_deadline() {
    let deadlines = Deadlines {
        connect: Duration::from_millis(300),
        ..DEADLINES
    };
    let open = |url: &str| {
        let place = ServerPlace::parse(url).unwrap();
        let started = Instant::now();
        let result = Session::open(&place, None, &TrustedRoots::Bundled, "dsr", deadlines);
        let error = result.err().unwrap();
        assert!(
            matches!(&error, ServerError::Unreachable { .. }),
            "{}",
            told(&error)
        );
        assert!(started.elapsed() < Duration::from_secs(5));
    };
    // Accepted by the kernel, and never by a program.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = silent.local_addr().unwrap().port();
    open(&format!("postgres://dsr@localhost:{port}/d"));
    open(&format!(
        "postgres://dsr@127.0.0.1:{port}/d?sslmode=disable"
    ));
    // Nobody is there.
    let port = free_port();
    open(&format!("postgres://dsr@127.0.0.1:{port}/d"));
    open("postgres://dsr@/d?host=/nowhere");
    open("postgres://dsr@no-such-host.invalid/d");
    // Closes at once.
    let rude = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = rude.local_addr().unwrap().port();
    thread::spawn(move || rude.incoming().for_each(drop));
    open(&format!("postgres://dsr@127.0.0.1:{port}/d"));
    open(&format!(
        "postgres://dsr@127.0.0.1:{port}/d?sslmode=disable"
    ));
}

/// psql and dsr find the same password for the same file and place.
#[test]
fn password_files_are_read_as_libpq_reads_them() {
    use std::os::unix::fs::PermissionsExt;

    let Some(cluster) = Cluster::new() else {
        return;
    };
    let port = cluster.port;
    // The password itself names the entry that was found, because the server says only yes or no.
    let folder = cluster.path("");
    let folder = folder.trim_end_matches('/');
    let right = r"pass\:w\\ord é";
    let entries = [
        format!("*:*:*:*:{right}"),
        format!("{folder}:{port}:dsr:dsr:{right}:and more"),
        format!("{folder}:{port}:dsr:dsr:{right}\r"),
        format!("#*:*:*:*:wrong\n\n*:*:*:*:{right}"),
        format!("*:*:*:*:wrong\n*:*:*:*:{right}"),
        format!("localhost:*:*:*:{right}"),
        format!("{folder}:{port}:dsr:ds\\r:{right}"),
        format!("{folder}:{port}:\\*:dsr:wrong\n*:*:*:*:{right}"),
        format!("{folder}:{port}:dsr:dsr\n*:*:*:*:{right}"),
        format!("{folder}:{port}:dsr:dsr:\n*:*:*:*:{right}"),
        format!(" *:*:*:*:wrong\n*:*:*:*:{right}"),
        format!("*:*:*:*:{right} "),
        format!("*:*:*:*:{}", PASSWORD.replace(':', "\\:")),
        format!("*:*:*:*:{PASSWORD}"),
        "*:*:*:*:pa\\ss\\:w\\\\ord\\ é".to_owned(),
    ];
    let mut agreed = [0, 0];
    for entry in &entries {
        let path = cluster.path("pgpass");
        std::fs::write(&path, entry).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        let url = cluster.socket("dsr", "dsr");
        let place = ServerPlace::parse(&url).unwrap();
        let sources = PasswordSources {
            passfile: Some(path.clone().into()),
            ..Default::default()
        };
        let found = sources.find(&place).unwrap();
        let password = found.as_ref().map(|found| found.secret.expose_secret());
        let ours = cluster.open_with(&url, password, DEADLINES).is_ok();
        let psql = std::process::Command::new(path_of("psql"))
            .args(["-Xw", "-c", "SELECT 1", &url])
            .env("PGPASSFILE", &path)
            .output()
            .unwrap();
        assert_eq!(ours, psql.status.success(), "{entry:?}");
        agreed[usize::from(ours)] += 1;
    }
    assert!(agreed.iter().all(|count| *count > 2), "{agreed:?}");
}

/// `openssl req -x509`, as in PostgreSQL's manual, makes an authority. rustls takes none for a server.
#[test]
fn a_certificate_that_signed_itself_is_explained() {
    let Some(cluster) = Cluster::new() else {
        return;
    };
    let [key, certificate] = ["server.key", "server.crt"].map(|name| cluster.path(name));
    let curve = "ec_paramgen_curve:P-256";
    run(
        "openssl",
        &[
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            curve,
            "-nodes",
            "-subj",
            "/CN=localhost",
            "-addext",
            "subjectAltName=DNS:localhost",
            "-keyout",
            &key,
            "-out",
            &certificate,
        ],
    );
    give_to_server(&[&key, &certificate]);
    cluster.ctl(&["restart"]);
    let place = format!("postgres://dsr@localhost:{}/tls", cluster.port);
    let place = ServerPlace::parse(&place).unwrap();
    let roots = TrustedRoots::Pem(std::fs::read(certificate).unwrap());
    let password = SecretString::from(PASSWORD);
    let error = tls_error(Session::open(
        &place,
        Some(&password),
        &roots,
        "dsr",
        DEADLINES,
    ));
    assert!(matches!(error, TlsError::Authority), "{error:?}");
}
