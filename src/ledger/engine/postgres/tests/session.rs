//! What a session does, on a private cluster.

use std::time::Duration;

use bytes::Bytes;

use super::cluster::{Cluster, eventually, told};
use super::{count, is_active, is_gone, run_sql};
use crate::ledger::engine::postgres::cause::Cause;
use crate::ledger::engine::postgres::error::{Sent, ServerError};
use crate::ledger::engine::postgres::open_for_test;
use crate::ledger::engine::postgres::session::Session;
use crate::ledger::engine::{Connection, Question};

#[test]
fn statements_are_prepared_once_and_errors_have_their_class() {
    let Some(cluster) = Cluster::new() else {
        return;
    };
    let session = cluster.session();
    session
        .batch("CREATE TABLE t (id BIGINT PRIMARY KEY, name TEXT NOT NULL CHECK (name <> 'no'))")
        .unwrap();
    let insert = "INSERT INTO t VALUES ($1, $2)";
    for id in 0..500_i64 {
        let statement = session.prepare(insert).unwrap();
        assert_eq!(
            session
                .execute(&statement, &[&id, &"canary-value"])
                .unwrap(),
            1
        );
    }
    assert_eq!(count(&session, "SELECT count(*) FROM t"), 500);
    let prepared = "SELECT count(*) FROM pg_prepared_statements WHERE statement = 'INSERT INTO t VALUES ($1, $2)'";
    assert_eq!(count(&session, prepared), 1);
    // The bound: what falls out is closed on the server too.
    for number in 0..600 {
        session
            .prepare(&format!("SELECT {number}::bigint"))
            .unwrap();
    }
    let kept = count(&session, "SELECT count(*) FROM pg_prepared_statements");
    assert!((200..=257).contains(&kept), "{kept}");
    let statement = session
        .prepare("SELECT id FROM t WHERE name = $1 ORDER BY id")
        .unwrap();
    let rows = session.query(&statement, &[&"canary-value"]).unwrap();
    assert_eq!(
        rows.iter().map(|row| row.get::<_, i64>(0)).sum::<i64>(),
        500 * 499 / 2
    );

    // No error shows a value, wherever the server puts it.
    let statement = session.prepare(insert).unwrap();
    let mut errors = vec![
        session
            .execute(&statement, &[&1_i64, &"canary-value"])
            .unwrap_err(),
        session.execute(&statement, &[&501_i64, &"no"]).unwrap_err(),
        session
            .execute(&statement, &[&502_i64, &None::<String>])
            .unwrap_err(),
    ];
    assert!(
        errors
            .iter()
            .all(|error| matches!(error, ServerError::Conflict { .. }))
    );
    assert!(told(&errors[0]).contains("t_pkey"));
    let cast = session.prepare("SELECT $1::text::bigint").unwrap();
    errors.push(session.query(&cast, &[&"canary-value"]).unwrap_err());
    assert_eq!(errors[3].sqlstate(), Some("22P02"));
    errors.push(
        session
            .execute(&statement, &[&503_i64, &"canary-value\0"])
            .unwrap_err(),
    );
    errors.push(
        session
            .execute(&statement, &[&"canary-value", &"x"])
            .unwrap_err(),
    );
    errors.push(session.execute(&statement, &[&503_i64]).unwrap_err());
    errors.push(session.batch("SELECT 1\0").unwrap_err());
    session
        .batch("DO $$BEGIN RAISE NOTICE 'hello'; END$$")
        .unwrap();
    errors.push(
        session
            .batch("DO $$BEGIN RAISE 'canary-value' USING DETAIL = 'canary-value'; END$$")
            .unwrap_err(),
    );
    for error in &errors {
        assert!(!told(error).contains("canary"), "{}", told(error));
        assert!(matches!(
            error,
            ServerError::Conflict { .. } | ServerError::Other { .. }
        ));
    }
    assert_eq!(session.notices()[0].message.as_deref(), Some("hello"));
    assert!(session.notices().is_empty());

    type IsClass = fn(&ServerError) -> bool;
    let classes: [(&str, IsClass); 4] = [
        ("SET statement_timeout = 50; SELECT pg_sleep(5)", |error| {
            matches!(error, ServerError::Busy { .. })
        }),
        ("BEGIN READ ONLY; DELETE FROM t", |error| {
            matches!(error, ServerError::ReadOnly { .. })
        }),
        ("ROLLBACK; SELECT * FROM pg_authid", |error| {
            matches!(error, ServerError::NotAllowed { .. })
        }),
        ("SELEC", |error| matches!(error, ServerError::Other { .. })),
    ];
    for (sql, is_class) in classes {
        let error = session.batch(sql).unwrap_err();
        assert!(is_class(&error), "{}", told(&error));
    }
    assert!(!session.is_closed());

    // A statement that another dsr's migration has outdated is prepared again.
    session.batch("SET statement_timeout = 0").unwrap();
    assert_eq!(
        session
            .query(&session.prepare("SELECT * FROM t").unwrap(), &[])
            .unwrap()
            .len(),
        500
    );
    cluster
        .session()
        .batch("ALTER TABLE t ADD COLUMN more TEXT")
        .unwrap();
    // The server may refuse the outdated one once.
    let _ = session.query(&session.prepare("SELECT * FROM t").unwrap(), &[]);
    assert_eq!(
        session
            .query(&session.prepare("SELECT * FROM t").unwrap(), &[])
            .unwrap()
            .len(),
        500
    );
}

#[test]
fn a_lock_is_waited_for_as_long_as_agreed() {
    let Some(cluster) = Cluster::new() else {
        return;
    };
    let (first, second) = (cluster.session(), cluster.session());
    first
        .batch("CREATE TABLE head (id INT); INSERT INTO head VALUES (1)")
        .unwrap();
    first.batch("BEGIN; SELECT * FROM head FOR UPDATE").unwrap();
    second.batch("BEGIN").unwrap();
    let error = run_sql(&second, "UPDATE head SET id = 2").unwrap_err();
    assert!(matches!(error, ServerError::Busy { .. }));
    assert_eq!(error.sqlstate(), Some("55P03"));

    // COMMIT of a failed transaction is a rollback that the server calls a success. Not here.
    let error = second.commit().unwrap_err();
    assert_eq!(error.sqlstate(), Some("25P02"));
    second.batch("ROLLBACK").unwrap();
    let error = second.commit().unwrap_err();
    assert_eq!(error.sqlstate(), Some("25P01"));
    run_sql(&first, "UPDATE head SET id = 3").unwrap();
    first.commit().unwrap();
    assert_eq!(count(&second, "SELECT id::bigint FROM head"), 3);
}

#[test]
fn copying_in_is_all_or_nothing() {
    let Some(cluster) = Cluster::new() else {
        return;
    };
    let session = cluster.session();
    session
        .batch("CREATE TABLE t (id BIGINT PRIMARY KEY, name TEXT)")
        .unwrap();
    let chunks = |count: u32| {
        (0..count).map(|part| {
            let rows: String = (0..1000)
                .map(|row| format!("{}\tname {row}\n", part * 1000 + row))
                .collect();
            Ok::<_, ServerError>(Bytes::from(rows))
        })
    };
    assert_eq!(
        session.copy_in("COPY t FROM STDIN", chunks(200)).unwrap(),
        200_000
    );
    // Whatever fails, the error is the first one, nothing is kept, and the session is not used again.
    let failing = || {
        let session = cluster.session();
        session.batch("SET lock_timeout = 200").unwrap();
        session
    };
    let is_lost = |session: &Session| is_gone(&session.batch("SELECT 1").unwrap_err(), Sent::No);
    // A row that is there already: found by the server in the midst of it.
    let other = failing();
    let error = other.copy_in("COPY t FROM STDIN", chunks(300)).unwrap_err();
    assert!(
        matches!(error, ServerError::Conflict { .. }),
        "{}",
        told(&error)
    );
    assert!(is_lost(&other));
    // A source that fails.
    session.batch("TRUNCATE t").unwrap();
    let source = || ServerError::Other {
        source: Cause::Text("the source".into()),
    };
    let other = failing();
    let failed = chunks(50).chain([Err(source())]);
    let error = other.copy_in("COPY t FROM STDIN", failed).unwrap_err();
    assert!(told(&error).contains("the source"));
    assert!(is_lost(&other));
    // A table that is not there: the server finds out only when it runs the copy.
    let other = failing();
    let error = other
        .copy_in("COPY none FROM STDIN", chunks(1))
        .unwrap_err();
    assert_eq!(error.sqlstate(), Some("42P01"));
    assert!(is_lost(&other));
    // A table that is locked.
    session
        .batch("BEGIN; LOCK TABLE t IN EXCLUSIVE MODE")
        .unwrap();
    let error = failing()
        .copy_in("COPY t FROM STDIN", chunks(1))
        .unwrap_err();
    assert!(
        matches!(error, ServerError::Busy { .. }),
        "{}",
        told(&error)
    );
    session.batch("ROLLBACK").unwrap();
    // A row that is no row.
    let bad = [Ok::<_, ServerError>(Bytes::from_static(b"canary\tx\n"))];
    let error = failing().copy_in("COPY t FROM STDIN", bad).unwrap_err();
    assert_eq!(error.sqlstate(), Some("22P02"));
    assert!(!told(&error).contains("canary"), "{}", told(&error));
    assert_eq!(count(&session, "SELECT count(*) FROM t"), 0);
    assert_eq!(
        session.copy_in("COPY t FROM STDIN", chunks(1)).unwrap(),
        1000
    );
    assert_eq!(
        session
            .copy_in(
                "COPY t FROM STDIN",
                std::iter::empty::<Result<_, ServerError>>()
            )
            .unwrap(),
        0
    );
    assert_eq!(count(&session, "SELECT count(*) FROM t"), 1000);
}

/// dsr's commands run inside a runtime of one thread. Neither waiting nor dropping enters it.
#[test]
fn a_session_lives_inside_another_runtime() {
    let Some(cluster) = Cluster::new() else {
        return;
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let session = cluster.session();
        session.batch("CREATE TABLE t (id BIGINT)").unwrap();
        let insert = session.prepare("INSERT INTO t VALUES ($1)").unwrap();
        for id in 0..1000_i64 {
            session.execute(&insert, &[&id]).unwrap();
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
        assert_eq!(count(&session, "SELECT count(*) FROM t"), 1000);
        let pid = session.backend_pid();
        drop(session);
        eventually("the backend ends", || !is_active(&cluster, pid));
    });
    let log = std::fs::read_to_string(cluster.path("log")).unwrap();
    assert!(!log.contains("unexpected EOF"), "{log}");
}

#[test]
fn sessions_leave_nothing_behind() {
    let Some(cluster) = Cluster::new() else {
        return;
    };
    let entries = |folder: &str| std::fs::read_dir(folder).unwrap().count();
    let open_files = || entries("/proc/self/fd");
    let trusted = cluster.socket("trusted", "dsr");
    drop(cluster.open(&trusted).unwrap());
    let before = open_files();
    for _ in 0..200 {
        let session = cluster.open(&trusted).unwrap();
        session.batch("SELECT 1").unwrap();
    }
    // The other tests of this process have files too, and close them.
    eventually("the files are closed", || open_files() <= before + 40);
    let backends = "SELECT count(*) FROM pg_stat_activity WHERE usename = 'trusted'";
    eventually("the backends end", || {
        cluster.sql("postgres", backends) == "0"
    });
}

#[test]
fn an_error_of_what_was_sent_later_is_that_of_the_next_call_and_nothing_is_committed() {
    let Some(cluster) = Cluster::new() else {
        return;
    };
    let session = cluster.session();
    session
        .batch("CREATE TABLE t (id BIGINT PRIMARY KEY)")
        .unwrap();
    let insert = session.prepare("INSERT INTO t VALUES ($1)").unwrap();
    let rows = "SELECT count(*) FROM t";
    let before = session.round_trips();
    session.batch_later("BEGIN").unwrap();
    // More than are under way at once.
    for id in 0..100_i64 {
        session.execute_later(insert.clone(), vec![id]).unwrap();
    }
    session.commit().unwrap();
    assert!(session.round_trips() - before < 10);
    assert_eq!(count(&session, rows), 100);

    for next in ["commit", "query", "rollback"] {
        session.batch_later("BEGIN").unwrap();
        // A server may answer before all is sent: then that call fails.
        let mut ids = [100, 0, 101_i64].into_iter();
        let early = ids.find_map(|id| session.execute_later(insert.clone(), vec![id]).err());
        let error = early.unwrap_or_else(|| match next {
            "commit" => session.commit().unwrap_err(),
            "query" => session.query(&insert, &[&102_i64]).unwrap_err(),
            _ => session.batch("ROLLBACK").unwrap_err(),
        });
        assert!(
            matches!(error, ServerError::Conflict { .. }),
            "{next}: {}",
            told(&error)
        );
        session.batch("ROLLBACK").unwrap();
        assert_eq!(count(&session, rows), 100, "{next}");
    }

    // What cannot be sent is known at once: the server would commit without it.
    session.batch_later("BEGIN").unwrap();
    session
        .execute_later(insert.clone(), vec!["x"])
        .unwrap_err();
    session
        .execute_later(insert.clone(), vec![1_i64, 2])
        .unwrap_err();
    session.batch("ROLLBACK").unwrap();

    // A lock that is not to be had ends what was sent behind it.
    let other = cluster.session();
    other.batch("BEGIN; LOCK TABLE t").unwrap();
    session.batch_later("BEGIN; LOCK TABLE t").unwrap();
    let statement = session.prepare(rows).unwrap();
    let queries = [(&statement, vec![]), (&statement, vec![])];
    let error = session.query_all(&queries).unwrap_err();
    assert!(
        matches!(error, ServerError::Busy { .. }),
        "{}",
        told(&error)
    );
    other.batch("ROLLBACK").unwrap();
    session.batch("ROLLBACK").unwrap();
    assert_eq!(session.query_all(&queries).unwrap().len(), 2);
}

#[test]
fn answers_that_were_asked_ahead_are_of_their_transaction_and_older_than_no_write_of_it() {
    let Some(url) = crate::ledger::engine::testing::test_server() else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let server = open_for_test(&url, folder.path());
    let conn = Connection::Postgres(Box::new(server));
    conn.execute_batch("CREATE TABLE t (n BIGINT); INSERT INTO t VALUES (1)")
        .unwrap();
    let question = Question::new("SELECT n FROM t WHERE n > $1", [0]).unwrap();
    let ask = || conn.query_row("SELECT n FROM t WHERE n > $1", [0], |row| row.get::<i64>(0));
    let trips = || conn.server().unwrap().round_trips();
    conn.ask_ahead(std::slice::from_ref(&question)).unwrap();
    conn.execute_batch("UPDATE t SET n = 2").unwrap();
    assert_eq!(ask().unwrap(), 2, "no transaction");

    let tx = conn.write_asking(std::slice::from_ref(&question)).unwrap();
    tx.ask_ahead(std::slice::from_ref(&question)).unwrap();
    let before = trips();
    tx.ask_ahead(std::slice::from_ref(&question)).unwrap();
    assert_eq!((ask().unwrap(), trips()), (2, before), "it is here");
    tx.change("UPDATE t SET n = $1", [3]).unwrap();
    assert_eq!(ask().unwrap(), 3, "after a write");
    tx.ask_ahead(std::slice::from_ref(&question)).unwrap();
    drop(tx);
    assert_eq!(ask().unwrap(), 2, "after the rollback");
    let tx = conn.view().unwrap();
    tx.ask_ahead(&[question]).unwrap();
    tx.commit().unwrap();
    conn.change("UPDATE t SET n = $1", [4]).unwrap();
    assert_eq!(ask().unwrap(), 4, "after the view");
}
