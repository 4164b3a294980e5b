use chrono::SecondsFormat;

use crate::domain::ExitStatus;
use crate::ledger::{self, SenderRecord};
use crate::ui::Failure;

use super::context::Context;

/// Adds to a failure for a locked ledger which processes are at it.
pub(super) fn name(ctx: &Context, mut failure: Failure) -> Failure {
    if failure.status != ExitStatus::Locked {
        return failure;
    }
    // Who holds it helps, and must not hide that it is held.
    let senders = ledger::list_senders(&ctx.home.ledger()).unwrap_or_default();
    let senders: Vec<String> = senders.iter().map(describe).collect();
    if !senders.is_empty() {
        let senders = senders.join("; ");
        failure.message = format!("{} (sending just now: {senders})", failure.message);
    }
    failure
}

/// `process 4711, dsr delete, since 2026-05-31T08:00:00Z`
fn describe(sender: &SenderRecord) -> String {
    let mut text = format!("process {}", sender.process);
    if let Some(command) = &sender.command {
        text.push_str(&format!(", {command}"));
    }
    if let Some(since) = sender.since {
        let since = since.to_rfc3339_opts(SecondsFormat::Secs, true);
        text.push_str(&format!(", since {since}"));
    }
    text
}
