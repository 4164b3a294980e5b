//! How a session is lost, on a private cluster.

use std::sync::atomic::Ordering;
use std::thread;
use std::time::{Duration, Instant};

use super::cluster::{Cluster, DEADLINES, PASSWORD, Proxy, eventually, run, told};
use super::{count, is_active, is_gone};
use crate::ledger::engine::postgres::LedgerServer;
use crate::ledger::engine::postgres::error::{Sent, ServerError};
use crate::ledger::engine::postgres::report::StandbyState;
use crate::ledger::engine::postgres::session::Deadlines;

const QUICK: Deadlines = Deadlines {
    answer: Duration::from_millis(500),
    ..DEADLINES
};

#[test]
fn a_server_that_stops_answering_costs_one_deadline() {
    let Some(cluster) = Cluster::new() else {
        return;
    };
    let proxy = Proxy::new(cluster.port);
    let url = format!("postgres://dsr@localhost:{}/tls", proxy.port);
    let session = cluster.open_with(&url, Some(PASSWORD), QUICK).unwrap();
    session
        .batch("CREATE TABLE t (id BIGINT); BEGIN; INSERT INTO t VALUES (1)")
        .unwrap();
    proxy.is_silent.store(true, Ordering::SeqCst);
    let started = Instant::now();
    let error = session.commit().unwrap_err();
    let first = started.elapsed();
    assert!(is_gone(&error, Sent::Maybe), "{}", told(&error));
    assert!(
        first >= QUICK.answer && first < QUICK.answer * 8,
        "{first:?}"
    );
    let started = Instant::now();
    let error = session.commit().unwrap_err();
    let second = started.elapsed();
    assert!(is_gone(&error, Sent::No), "{}", told(&error));
    assert!(second < QUICK.answer, "{second:?}");
    assert!(session.is_closed());
    assert!(session.prepare("SELECT 1").is_err());
    assert!(session.batch("SELECT 1").is_err());
    drop(session);

    // Silent from the start of a session that says nothing: drop is bounded too.
    proxy.is_silent.store(false, Ordering::SeqCst);
    let session = cluster.open_with(&url, Some(PASSWORD), QUICK).unwrap();
    proxy.is_silent.store(true, Ordering::SeqCst);
    let started = Instant::now();
    drop(session);
    assert!(started.elapsed() < Duration::from_secs(4));
}

#[test]
fn a_stopped_backend_costs_one_deadline() {
    let Some(cluster) = Cluster::new() else {
        return;
    };
    let session = cluster
        .open_with(&cluster.socket("dsr", "dsr"), Some(PASSWORD), QUICK)
        .unwrap();
    let pid = session.backend_pid();
    let select = session.prepare("SELECT 1").unwrap();
    run("kill", &["-STOP", &pid.to_string()]);
    let started = Instant::now();
    let error = session.query(&select, &[]).unwrap_err();
    assert!(is_gone(&error, Sent::Maybe));
    assert!(started.elapsed() < QUICK.answer * 8);
    run("kill", &["-CONT", &pid.to_string()]);
    eventually("the backend ends", || !is_active(&cluster, pid));
    // It went on, but the session is not trusted again.
    assert!(is_gone(&session.query(&select, &[]).unwrap_err(), Sent::No));

    // A backend that is killed takes all others along, whose answer is fatal.
    let session = cluster.session();
    run("kill", &["-KILL", &session.backend_pid().to_string()]);
    eventually("the session is closed", || session.is_closed());
    let error = session.batch("SELECT 1").unwrap_err();
    assert!(
        matches!(error, ServerError::Gone { .. }),
        "{}",
        told(&error)
    );
}

#[test]
fn a_restart_is_noticed_in_every_state() {
    let Some(cluster) = Cluster::new() else {
        return;
    };
    let (idle, busy) = (cluster.session(), cluster.session());
    busy.batch("BEGIN; CREATE TABLE t (id INT)").unwrap();
    let worker = thread::spawn(move || {
        let started = Instant::now();
        let error = busy.batch("SELECT pg_sleep(30)").unwrap_err();
        (started.elapsed(), error, busy.is_closed())
    });
    thread::sleep(Duration::from_millis(500));
    cluster.ctl(&["-m", "immediate", "restart"]);
    let (elapsed, error, is_closed) = worker.join().unwrap();
    assert!(is_gone(&error, Sent::Maybe) && is_closed);
    assert!(elapsed < Duration::from_secs(20), "{elapsed:?}");
    eventually("the session is closed", || idle.is_closed());
    let error = idle.batch("SELECT 1").unwrap_err();
    assert!(is_gone(&error, Sent::No));
    let again = cluster.session();
    assert_eq!(
        count(
            &again,
            "SELECT count(*) FROM pg_tables WHERE tablename = 't'"
        ),
        0
    );

    // An orderly end, a terminated backend, and a transaction that was idle for too long.
    let terminated = cluster.session();
    cluster.sql(
        "postgres",
        &format!("SELECT pg_terminate_backend({})", terminated.backend_pid()),
    );
    eventually("the session is closed", || terminated.is_closed());
    let error = terminated.batch("SELECT 1").unwrap_err();
    assert_eq!(error.sqlstate(), Some("57P01"), "{}", told(&error));
    again
        .batch("SET idle_in_transaction_session_timeout = 50; BEGIN")
        .unwrap();
    eventually("the session is closed", || again.is_closed());
    let error = again.commit().unwrap_err();
    assert!(is_gone(&error, Sent::No));
    assert_eq!(error.sqlstate(), Some("25P03"), "{}", told(&error));
}

#[test]
fn a_commit_without_its_standby_is_not_called_done() {
    let Some(cluster) = Cluster::new() else {
        return;
    };
    let session = cluster.session();
    session.batch("CREATE TABLE t (id INT)").unwrap();
    cluster.sql(
        "postgres",
        "ALTER SYSTEM SET synchronous_standby_names = 'nobody'",
    );
    cluster.sql("postgres", "SELECT pg_reload_conf()");
    thread::sleep(Duration::from_millis(300));
    let pid = session.backend_pid();
    session.batch("BEGIN; INSERT INTO t VALUES (1)").unwrap();
    thread::scope(|scope| {
        scope.spawn(|| {
            let wait = format!("SELECT wait_event FROM pg_stat_activity WHERE pid = {pid}");
            eventually("the commit waits", || {
                cluster.sql("postgres", &wait) == "SyncRep"
            });
            cluster.sql("postgres", &format!("SELECT pg_cancel_backend({pid})"));
        });
        let error = session.commit().unwrap_err();
        assert!(matches!(error, ServerError::Unconfirmed { .. }));
        assert_eq!(error.sqlstate(), Some("01000"));
    });
    // The caller of a plain COMMIT sees the notice too.
    assert_eq!(session.notices().len(), 1);
    assert!(!session.is_closed());

    // Nobody cancels: only our deadline ends the wait. Hanging up does not turn it into a success.
    session.set_answer_deadline(Duration::from_millis(500));
    session
        .batch("SET statement_timeout = 100; BEGIN; INSERT INTO t VALUES (2)")
        .unwrap();
    let error = session.commit().unwrap_err();
    assert!(is_gone(&error, Sent::Maybe));
    drop(session);
    assert!(is_active(&cluster, pid));
    let server = LedgerServer::new(cluster.session()).unwrap();
    assert_eq!(server.find_standby().unwrap(), StandbyState::Missing);
}
