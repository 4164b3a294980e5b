//! Names the process that holds the ledger, while dsr waits for it.

use std::path::Path;
use std::time::Duration;

use chrono::SecondsFormat;

use crate::domain::ExitStatus;
use crate::ledger::{self, ProcessRecord};
use crate::ui::{Failure, duration};

use super::Context;

/// Message while waiting for the ledger: who holds it, and how long dsr waits at most.
pub(crate) fn waiting(ledger: &Path, left: Duration) -> String {
    let holder = match ledger::find_holder(ledger) {
        Some(holder) => describe(&holder),
        None => "another program".to_owned(),
    };
    let left = duration(left);
    format!("Waiting for the ledger, for {left} at most: it is held by {holder}.")
}

/// Adds to the failure of a locked ledger who holds it, and which processes are sending.
pub(crate) fn name(ctx: &Context, mut failure: Failure) -> Failure {
    if failure.status != ExitStatus::Locked {
        return failure;
    }
    let path = ctx.home.ledger();
    let holder = ledger::find_holder(&path);
    // The list of senders is extra: if it cannot be read, the holder is still reported.
    let senders = ledger::list_senders(&path).unwrap_or_default();
    let senders: Vec<String> = senders.iter().map(describe).collect();
    let mut known = Vec::new();
    known.extend(holder.map(|holder| format!("held by {}", describe(&holder))));
    if !senders.is_empty() {
        known.push(format!("sending just now: {}", senders.join("; ")));
    }
    if !known.is_empty() {
        failure.message = format!("{} ({})", failure.message, known.join("; "));
    }
    failure
}

/// `process 4711, dsr delete, since 2026-05-31T08:00:00Z`
pub(crate) fn describe(dsr: &ProcessRecord) -> String {
    let mut text = format!("process {}, {}", dsr.process, dsr.command);
    if let Some(since) = dsr.since {
        let since = since.to_rfc3339_opts(SecondsFormat::Secs, true);
        text.push_str(&format!(", since {since}"));
    }
    text
}
