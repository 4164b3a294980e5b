//! What every command that sends batches shares: its options, how far it is, and why it stopped.

use std::cell::Cell;
use std::time::Duration;

use crate::commands::context::Context;
use crate::domain::BatchState;
use crate::ui::{Confirmable, Failure, QuestionError, Ui, duration, number};
use crate::workflow::{ImportObserver, ImportReport, ImportStop};

/// After so many batches with a fault, only the number of the others is shown.
const NAMED: usize = 10;

#[derive(clap::Args, Debug)]
pub(crate) struct IngestionArgs {
    /// How long to wait in all for Mixpanel's limits and outages
    #[arg(long, value_name = "DURATION", default_value = "15m", value_parser = humantime::parse_duration)]
    pub(crate) max_wait: Duration,
    /// Show the plan, and send nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Do not ask for confirmation
    #[arg(long)]
    pub(crate) yes: bool,
}

impl IngestionArgs {
    /// Fails before anything is read if nobody could be asked later.
    pub(crate) fn demand_answer(&self, ui: &Ui, what: Confirmable) -> Result<(), Failure> {
        match self.dry_run || self.yes {
            true => Ok(()),
            false => ui.demand_terminal(what).map_err(unconfirmed),
        }
    }
}

pub(crate) fn unconfirmed(error: QuestionError) -> Failure {
    Failure::from(error).or_hint("nothing was sent; see the plan with `--dry-run`, or add `--yes`")
}

/// How a command names what it sends, and what helps.
pub(crate) struct SendingWords {
    /// Such as "events".
    pub(crate) records: &'static str,
    /// Such as "the import".
    pub(crate) whole: &'static str,
    pub(crate) stopped: &'static str,
    pub(crate) not_allowed: &'static str,
    /// What to check if Mixpanel does not allow it.
    pub(crate) check: &'static str,
    pub(crate) elsewhere: &'static str,
    pub(crate) again: &'static str,
}

/// Shows now and then how far it is: after each tenth.
pub(crate) struct SendingCourse<'a> {
    ui: &'a Ui,
    records: &'static str,
    total: usize,
    shown: Cell<usize>,
}

impl<'a> SendingCourse<'a> {
    pub(crate) fn new(ui: &'a Ui, words: &SendingWords, total: usize) -> Self {
        Self {
            ui,
            records: words.records,
            total,
            shown: Cell::new(0),
        }
    }
}

impl ImportObserver for SendingCourse<'_> {
    fn on_settled(&self, records: usize) {
        let tenth = records * 10 / self.total.max(1);
        if tenth > self.shown.replace(tenth) && records < self.total {
            let (sent, total) = (number(records), number(self.total));
            self.ui
                .note(&format!("{sent} of {total} {} sent", self.records));
        }
    }

    fn on_wait(&self, reason: &str, wait: Duration) {
        let wait = duration(wait);
        self.ui
            .note(&format!("{reason}. Trying the batch again in {wait}."));
    }
}

/// Warns of the batches that did not go through. `place` says where in the source a batch is.
pub(crate) fn warn_of_batches(ctx: &Context, report: &ImportReport, place: &dyn Fn(u32) -> String) {
    for (batch, reason) in report.unsettled.iter().take(NAMED) {
        let message = format!("batch {batch}{} is not done: {reason}", place(*batch));
        ctx.ui.warn("unsettled", &message);
    }
    let more = report.unsettled.len().saturating_sub(NAMED);
    if more > 0 {
        let message = format!("{} more batches are not done", number(more));
        ctx.ui.warn("unsettled", &message);
    }
}

/// Warns if sending stopped, or is not at its end. A batch that Mixpanel refused would be refused
/// again.
pub(crate) fn warn_of_stop(ctx: &Context, report: &ImportReport, words: &SendingWords) {
    let record = &report.ingestion;
    let Some(stop) = &report.stop else {
        let ended = record.count_in(BatchState::Done) + record.count_in(BatchState::Failed);
        if ended < record.batches.len() {
            let message = format!("{} is not done; {}", words.whole, words.again);
            ctx.ui.warn("unsettled", &message);
        }
        return;
    };
    let (why, next) = match stop {
        ImportStop::NotAllowed { http_status } => (
            format!("{} ({http_status})", words.not_allowed),
            words.check,
        ),
        ImportStop::Waited { reason, .. } => (reason.clone(), words.again),
        ImportStop::Unsettled => (
            "Mixpanel settled no batch, three times in a row".to_owned(),
            words.again,
        ),
        ImportStop::TooLarge => (
            format!(
                "Mixpanel found many single {} too large (413)",
                words.records
            ),
            "check the proxy, then run the same command again",
        ),
        ImportStop::Elsewhere => (words.elsewhere.to_owned(), "wait for it"),
        ImportStop::Interrupted(_) => ("interrupted".to_owned(), words.again),
    };
    let message = format!("{} stopped: {why}; {next}", words.whole);
    ctx.ui.warn(words.stopped, &message);
}
