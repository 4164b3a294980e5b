//! Names the process that holds the ledger, while dsr waits for it.

use std::time::Duration;

use chrono::SecondsFormat;

use crate::ledger::{self, LedgerPlace, Opening, ProcessRecord};
use crate::ui::{Failure, duration};

use super::Context;

pub(crate) const NO_STANDBY: &str = "the ledger's server waits for its synchronous standby, and none is connected: no dsr can record anything";
pub(crate) const START_STANDBY: &str = "start the standby, or take it out of `synchronous_standby_names`: then a failover can lose entries";

/// Message while waiting for the ledger: who holds it, and how long dsr waits at most.
pub(crate) fn waiting(ledger: &LedgerPlace, opening: &Opening, left: Duration) -> String {
    let left = duration(left);
    if ledger::lacks_standby(ledger, opening) {
        return format!("Waiting for the ledger, for {left} at most: {NO_STANDBY}.");
    }
    let holder = ledger::find_holder(ledger, opening);
    let holder = holder.map_or_else(|| "another program".to_owned(), |holder| describe(&holder));
    format!("Waiting for the ledger, for {left} at most: it is held by {holder}.")
}

/// Adds to the failure of a locked ledger who holds it, which processes are sending, and the command
/// to run next. A server that waits for its standby looks locked or lost.
pub(crate) fn name(ctx: &Context, mut failure: Failure) -> Failure {
    if !["locked", "ledger_unreachable"].contains(&failure.kind) {
        return failure;
    }
    let Ok(place) = ctx.ledger_place() else {
        return failure;
    };
    let again = match failure.goes_on {
        Some(other) if other != ctx.command => format!("the request is recorded: run `{other}`"),
        _ => format!("run `{}` again", ctx.command),
    };
    if ledger::lacks_standby(&place, &ctx.opening()) {
        let again = format!("{START_STANDBY}. Then {again}: dsr starts nothing twice");
        failure.message = NO_STANDBY.to_owned();
        failure.hint = Some(again);
        return failure;
    }
    if failure.kind != "locked" {
        return failure;
    }
    let holder = ledger::find_holder(&place, &ctx.opening());
    let holders_name = holder.as_ref().map_or_else(
        || "the other program".to_owned(),
        |holder| format!("process {}{}", holder.process, host_of(holder)),
    );
    failure.hint = Some(format!(
        "{again} when {holders_name} has ended, or wait longer with `--lock-timeout 5m`"
    ));
    // The list of senders is extra: if it cannot be read, the holder is still reported.
    let senders = match &place {
        LedgerPlace::File(path) => ledger::list_senders(path).unwrap_or_default(),
        LedgerPlace::Server(_) => Vec::new(),
    };
    let senders: Vec<String> = senders.iter().map(describe).collect();
    let mut known = Vec::new();
    known.extend(holder.map(|holder| format!("held by {}", describe(&holder))));
    if !senders.is_empty() {
        known.push(format!("sending now: {}", senders.join("; ")));
    }
    if !known.is_empty() {
        failure.message = format!("{} ({})", failure.message, known.join("; "));
    }
    failure
}

/// `process 4711 on host-b, dsr delete, since 2026-05-31T08:00:00Z`
pub(crate) fn describe(dsr: &ProcessRecord) -> String {
    let mut text = format!("process {}{}, {}", dsr.process, host_of(dsr), dsr.command);
    if let Some(since) = dsr.since {
        let since = since.to_rfc3339_opts(SecondsFormat::Secs, true);
        text.push_str(&format!(", since {since}"));
    }
    text
}

fn host_of(dsr: &ProcessRecord) -> String {
    let host = dsr.host.as_ref().map(|host| format!(" on {host}"));
    host.unwrap_or_default()
}
