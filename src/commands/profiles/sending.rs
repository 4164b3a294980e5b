//! Sends a confirmed deletion of profiles, batch by batch, and says what did not go through.

use std::rc::Rc;
use std::time::Duration;

use chrono::TimeDelta;
use sha2::{Digest, Sha256};

use super::AT_ONCE;
use crate::commands::context::Context;
use crate::commands::import::sending::{
    SendingCourse, SendingWords, unconfirmed, warn_of_batches, warn_of_stop,
};
use crate::commands::import::status_of;
use crate::commands::people::minimise::key_or_any;
use crate::domain::{
    AliasRule, BatchState, Confirmed, ExitStatus, IngestionKind, LedgerKey, Project, YesFlag,
    to_hex,
};
use crate::intake::{IntakeError, UniqueIds};
use crate::ledger::{IngestionRecord, Ledger, NewIngestion};
use crate::mixpanel::{MOST_DELETION_BYTES, MOST_PROFILES, Timeouts, deletion_bytes};
use crate::ui::{Confirmable, Failure, number, plural, profiles_question};
use crate::workflow::{self, ImportReport, ImportRun, ProfileSource, profiles_lane};

/// For how long the same command goes on with a deletion that is not done. Later, a profile of it
/// may have been made again, so every id is sent again: that is harmless.
const GOES_ON_FOR: TimeDelta = TimeDelta::hours(24);

const WORDS: SendingWords = SendingWords {
    records: "profiles",
    whole: "the deletion of profiles",
    stopped: "deletion_stopped",
    not_allowed: "Mixpanel does not allow it",
    check: "check the project token and the region, then run the same command again",
    elsewhere: "another dsr is deleting the same profiles",
    again: "run the same command again: a profile that is gone stays gone",
};

/// The profiles that are to go.
pub(super) struct ProfilePlan {
    pub(super) project: Project,
    /// Names no id.
    pub(super) source: String,
    pub(super) ids: Rc<UniqueIds>,
    pub(super) rule: AliasRule,
    /// How many ids each call has.
    pub(super) batches: Vec<usize>,
}

/// A deletion as far as it came.
pub(super) struct SentProfiles {
    pub(super) record: IngestionRecord,
    pub(super) status: ExitStatus,
}

impl ProfilePlan {
    pub(super) fn new(
        project: Project,
        source: String,
        ids: Rc<UniqueIds>,
        rule: AliasRule,
    ) -> Result<Self, IntakeError> {
        let (mut batches, mut bytes) = (Vec::new(), 0);
        for batch in ids.batches(AT_ONCE) {
            for id in batch?.ids() {
                let more = deletion_bytes(id);
                bytes += more;
                match batches.last_mut() {
                    Some(last) if *last < MOST_PROFILES && bytes <= MOST_DELETION_BYTES => {
                        *last += 1;
                    }
                    Some(_) | None => {
                        batches.push(1);
                        bytes = more;
                    }
                }
            }
        }
        Ok(Self {
            project,
            source,
            ids,
            rule,
            batches,
        })
    }

    /// Shows what will go. Fails if the operator does not agree, or cannot be asked.
    /// `summary` comes first.
    pub(super) fn confirm(
        self,
        ctx: &Context,
        summary: &str,
        flag: YesFlag,
    ) -> Result<Confirmed<Self>, Failure> {
        let ids = self.ids.count();
        let question = profiles_question(&self.project, ids, self.batches.len(), self.rule);
        let question = format!("{summary}{question}{}", undoing(ctx));
        ctx.ui
            .confirm(Confirmable::ProfileDeletion, self, &question, ids, flag)
            .map_err(unconfirmed)
    }

    /// Finds what is left of the same deletion, or records a new one.
    fn record(&self, ctx: &Context, ledger: &mut Ledger) -> Result<IngestionRecord, Failure> {
        let asked = NewIngestion {
            kind: IngestionKind::ProfileDeletion,
            project: self.project.name.clone(),
            project_key: self.project.key(),
            after: None,
            source: format!("{}; alias: {}", self.source, self.rule.as_str()),
            source_digest: self.digest(ctx, ledger)?,
            days: None,
        };
        let now = ctx.clock.now();
        let found =
            ledger.find_ingestion_of(asked.kind, &asked.project_key, &asked.source_digest)?;
        let is_left =
            |found: &IngestionRecord| !found.is_done() && now - found.created < GOES_ON_FOR;
        if let Some(found) = found.filter(is_left) {
            ctx.ui.note(&format!(
                "Going on with the deletion of {}: {} of {} done.",
                found.created.format("%Y-%m-%d %H:%M UTC"),
                number(found.count_in(BatchState::Done)),
                plural(found.batches.len(), "batch", "batches"),
            ));
            return Ok(found);
        }
        Ok(ledger.record_ingestion(&asked, &self.batches, now)?)
    }

    /// A keyed hash of the ids in order and of the rule. Without a key, no deletion equals another.
    fn digest(&self, ctx: &Context, ledger: &Ledger) -> Result<String, Failure> {
        let key = key_or_any(ctx, ledger).map(|(key, _)| key);
        let key = key.unwrap_or_else(|_| LedgerKey::random());
        let mut digest = Sha256::new();
        digest.update(self.rule.as_str());
        for batch in self.ids.batches(AT_ONCE) {
            for id in batch?.ids() {
                digest.update([0]);
                digest.update(id);
            }
        }
        Ok(key.hasher().hash(&to_hex(&digest.finalize())).hex())
    }
}

fn undoing(ctx: &Context) -> &'static str {
    match ctx.is_sandbox() {
        true => "It is the sandbox: nothing real is deleted.",
        false => "You cannot undo this.",
    }
}

/// Sends every batch that is not known to be taken.
pub(super) async fn send(
    ctx: &mut Context,
    confirmed: Confirmed<ProfilePlan>,
    max_wait: Duration,
) -> Result<SentProfiles, Failure> {
    let (plan, _) = confirmed.into_parts();
    let client = ctx.ingestion_client(&plan.project, Timeouts::default())?;
    let mut ledger = ctx.ledger_to_fill()?;
    let ingestion = plan.record(ctx, &mut ledger)?;
    ctx.interrupt.begin();
    let course = SendingCourse::new(&ctx.ui, &WORDS, ingestion.records);
    let mut run = ImportRun {
        ledger: &mut ledger,
        lane: profiles_lane(&plan.project),
        source: ProfileSource::new(&client, plan.rule, &plan.ids),
        clock: ctx.clock.as_ref(),
        interrupt: &ctx.interrupt,
        max_wait,
        observer: &course,
    };
    let report = workflow::import(&mut run, &ingestion.id).await?;
    tell(ctx, &report);
    let record = report.ingestion;
    let status = status_of(&record, report.stop.as_ref(), record.refused().len());
    Ok(SentProfiles { record, status })
}

/// Warns of what did not go through.
fn tell(ctx: &Context, report: &ImportReport) {
    warn_of_batches(ctx, report, &|_| String::new());
    for ((field, message), count) in report.messages.iter().take(5) {
        let profiles = plural(*count, "profile", "profiles");
        let message = format!("{profiles} refused for `{}`: {message}", field.as_str());
        ctx.ui.warn("refused", &message);
    }
    warn_of_stop(ctx, report, &WORDS);
}
