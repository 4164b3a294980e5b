//! The plan files behind requests: each is applied once, and its approvals outlast the file.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use serde_json::{Map, Value};

use crate::domain::{Actor, PlanDigest, PlanRecord, RequestId};

use crate::ledger::audit::value;
use crate::ledger::columns::{format_time, moment, unreadable};
use crate::ledger::engine::{Connection, Row, params, params_from_iter};
use crate::ledger::sql::{self, prepare};
use crate::ledger::{Ledger, LedgerError};

impl Ledger {
    /// The request that a plan became, if it was applied.
    pub fn find_applied(&self, digest: &PlanDigest) -> Result<Option<RequestId>, LedgerError> {
        find(&self.conn, digest)
    }
}

pub(crate) fn find(
    conn: &Connection,
    digest: &PlanDigest,
) -> Result<Option<RequestId>, LedgerError> {
    let sql = "SELECT request FROM plans WHERE digest = $1";
    let found = sql::find_value(conn, sql, [digest.to_string()])?;
    Ok(found.map(RequestId::restore))
}

pub(crate) fn insert(
    tx: &Connection,
    request: &RequestId,
    plan: &PlanRecord,
) -> Result<(), LedgerError> {
    let sql = "INSERT INTO plans (request, digest, created, account, host)
         VALUES ($1, $2, $3, $4, $5)";
    prepare(tx, sql)?.execute(params![
        request.as_str(),
        plan.digest.to_string(),
        format_time(plan.created),
        plan.created_by.user(),
        plan.created_by.host(),
    ])?;
    let sql = "INSERT INTO approvals (request, number, account, host, at)
         VALUES ($1, $2, $3, $4, $5)";
    let mut statement = prepare(tx, sql)?;
    for (number, (by, at)) in (1_i64..).zip(&plan.approvals) {
        statement.execute(params![
            request.as_str(),
            number,
            by.user(),
            by.host(),
            format_time(*at)
        ])?;
    }
    Ok(())
}

pub(crate) fn list(
    conn: &Connection,
    condition: &str,
    values: &[&str],
) -> Result<HashMap<RequestId, PlanRecord>, LedgerError> {
    let sql = format!(
        "SELECT request, digest, created, account, host FROM plans
             WHERE request IN (SELECT id FROM requests WHERE {condition})"
    );
    sql::list(conn, &sql, params_from_iter(values), |row| {
        let text = |column| -> Result<String, LedgerError> { Ok(row.get(column)?) };
        let request = RequestId::restore(text("request")?);
        let plan = PlanRecord {
            digest: PlanDigest::parse(&text("digest")?)
                .ok_or_else(|| unreadable("a plan's digest"))?,
            created: moment(row, "created")?,
            created_by: Actor::new(&text("account")?, &text("host")?),
            approvals: list_approvals(conn, &request)?,
        };
        Ok((request, plan))
    })
}

/// The plan of a request as the trail records it, from the stored rows; null if there is none.
pub(crate) fn told(conn: &Connection, request: &RequestId) -> Result<Value, LedgerError> {
    let facts = |row: &Row<'_>, keys: &[&str]| -> Result<Value, LedgerError> {
        let fact = |key: &&str| Ok(((*key).to_owned(), value(row.get_ref(*key)?)));
        let facts: Result<Map<_, _>, LedgerError> = keys.iter().map(fact).collect();
        Ok(facts?.into())
    };
    let sql = "SELECT digest, created, account, host FROM plans WHERE request = $1";
    let plan = sql::find(conn, sql, [request.as_str()], |row| {
        facts(row, &["digest", "created", "account", "host"])
    })?;
    let mut plan = plan.unwrap_or_default();
    let sql = "SELECT account, host, at FROM approvals WHERE request = $1 ORDER BY number";
    let approvals: Vec<Value> = sql::list(conn, sql, [request.as_str()], |row| {
        facts(row, &["account", "host", "at"])
    })?;
    if !plan.is_null() || !approvals.is_empty() {
        plan["approvals"] = approvals.into();
    }
    Ok(plan)
}

fn list_approvals(
    conn: &Connection,
    request: &RequestId,
) -> Result<Vec<(Actor, DateTime<Utc>)>, LedgerError> {
    let sql = "SELECT account, host, at FROM approvals WHERE request = $1 ORDER BY number";
    sql::list(conn, sql, [request.as_str()], |row| {
        let text = |column| -> Result<String, LedgerError> { Ok(row.get(column)?) };
        let by = Actor::new(&text("account")?, &text("host")?);
        Ok((by, moment(row, "at")?))
    })
}
