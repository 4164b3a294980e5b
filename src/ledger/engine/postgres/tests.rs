//! A session against real servers, which are stopped, killed and cut off. Each test has a cluster of
//! its own, and runs where the ledger's tests run on PostgreSQL.

use super::error::{Sent, ServerError};
use super::session::Session;

mod cluster;
mod login;
mod loss;
mod places;
mod session;

use cluster::Cluster;

fn count(session: &Session, sql: &str) -> i64 {
    session.query(&session.prepare(sql).unwrap(), &[]).unwrap()[0].get(0)
}

fn run_sql(session: &Session, sql: &str) -> Result<u64, ServerError> {
    session.execute(&session.prepare(sql)?, &[])
}

fn is_gone(error: &ServerError, expected: Sent) -> bool {
    matches!(error, ServerError::Gone { sent, .. } if *sent == expected)
}

fn is_active(cluster: &Cluster, pid: i32) -> bool {
    let sql = format!("SELECT count(*) FROM pg_stat_activity WHERE pid = {pid}");
    cluster.sql("postgres", &sql) == "1"
}
