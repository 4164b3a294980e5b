//! Shows a deletion of profiles: what would go, and what Mixpanel took. Names no profile.

use serde_json::{Value, json};

use super::NO_ERASURE;
use crate::domain::{AliasRule, BatchState, Project};
use crate::intake::Intake;
use crate::ledger::{IngestionBatch, IngestionRecord};
use crate::ui::drawing::paper::{FactList, Paper};
use crate::ui::drawing::view::View;
use crate::ui::drawing::words::{number, plural, printable};
use crate::ui::people::sources::exclusion_text;
use crate::workflow::UNCOUNTED;

/// A deletion of profiles, or the plan of one.
pub struct ProfileDeletionView<'a> {
    pub project: &'a Project,
    pub source: String,
    pub intake: &'a Intake,
    pub rule: AliasRule,
    pub batches: usize,
    /// `None` if nothing was sent.
    pub record: Option<IngestionRecord>,
}

/// What the operator must read before confirming a deletion of profiles, up to its last line.
pub fn profiles_question(
    project: &Project,
    profiles: usize,
    batches: usize,
    rule: AliasRule,
) -> String {
    format!(
        "This deletes {} in project {} ({}), in {}.\nScope: {NO_ERASURE}.\nAlias: {}.\n",
        plural(profiles, "profile", "profiles"),
        project.name,
        project.region.as_str(),
        plural(batches, "batch", "batches"),
        alias_text(rule),
    )
}

fn alias_text(rule: AliasRule) -> &'static str {
    match rule {
        AliasRule::Ignore => "if an id is an alias, the original profile stays",
        AliasRule::Follow => "if an id is an alias, the original profile goes",
    }
}

/// The ids of a deletion, by what became of them.
pub(crate) struct Ends {
    pub(crate) deleted: usize,
    uncounted: usize,
    refused: usize,
    unknown: usize,
    left: usize,
}

impl Ends {
    pub(crate) fn of(record: &IngestionRecord) -> Self {
        let sum = |is_it: &dyn Fn(&IngestionBatch) -> bool| -> usize {
            let batches = record.batches.iter().filter(|batch| is_it(batch));
            batches.map(|batch| batch.records).sum()
        };
        let is_in = |state| move |batch: &IngestionBatch| batch.state == state;
        Self {
            deleted: record.taken(),
            uncounted: sum(&|batch| batch.reason.as_deref() == Some(UNCOUNTED)),
            refused: record.refused().len() + sum(&is_in(BatchState::Failed)),
            unknown: sum(&is_in(BatchState::Unknown)) + sum(&is_in(BatchState::Sending)),
            left: sum(&is_in(BatchState::Planned)),
        }
    }

    /// Ids that Mixpanel did not take: refused ones, and those that are left.
    pub(crate) fn failed(&self) -> usize {
        self.refused + self.left
    }

    pub(crate) fn unknown(&self) -> usize {
        self.unknown
    }
}

/// Adds what became of a deletion.
pub(crate) fn add(facts: &mut FactList<'_>, record: &IngestionRecord, rule: AliasRule) {
    let ends = Ends::of(record);
    facts.add("Deletion", record.id.as_str());
    facts.add("Alias", alias_text(rule));
    let profiles = plural(ends.deleted, "profile", "profiles");
    let deleted = match ends.deleted {
        0 => profiles,
        _ => format!("{profiles}; it takes time until Mixpanel no longer shows them"),
    };
    facts.add("Deleted", &deleted);
    if ends.uncounted > 0 {
        let uncounted = number(ends.uncounted);
        facts.add_below(
            "Deleted",
            &format!("of {uncounted}, Mixpanel does not say how many it took"),
        );
    }
    for (label, count) in [
        ("Refused", ends.refused),
        ("Unknown", ends.unknown),
        ("Left", ends.left),
    ] {
        if count > 0 {
            facts.add(label, &plural(count, "profile", "profiles"));
        }
    }
}

pub(crate) fn object(record: Option<&IngestionRecord>, rule: AliasRule) -> Value {
    let Some(record) = record else {
        return Value::Null;
    };
    let ends = Ends::of(record);
    json!({
        "id": record.id.as_str(),
        "alias": rule.as_str(),
        "profiles": record.records,
        "deleted": ends.deleted,
        "uncounted": ends.uncounted,
        "refused": ends.refused,
        "unknown": ends.unknown,
        "left": ends.left,
        "batches": record.batches.len(),
    })
}

/// Whether Mixpanel took every deletion, in a word.
pub(crate) fn outcome(record: &IngestionRecord) -> &'static str {
    match record.taken() == record.records {
        true => "deleted",
        false => "unfinished",
    }
}

impl View for ProfileDeletionView<'_> {
    fn human(&self, paper: &Paper) -> String {
        let counts = self.intake.counts;
        let mut facts = paper.facts(0, 10);
        facts.add("Project", self.project.name.as_str());
        facts.add("Source", &printable(&self.source));
        let ids = plural(counts.unique, "id", "ids");
        let batches = plural(self.batches, "batch", "batches");
        facts.add("Profiles", &format!("{ids}, in {batches}"));
        if counts.duplicates() > 0 {
            let duplicates = plural(counts.duplicates(), "repeated id", "repeated ids");
            facts.add_below("Profiles", &duplicates);
        }
        for exclusion in &self.intake.exclusions {
            facts.add("Excluded", &exclusion_text(exclusion));
        }
        match &self.record {
            Some(record) => add(&mut facts, record, self.rule),
            None => {
                facts.add("Alias", alias_text(self.rule));
                facts.add("Sent", "nothing");
            }
        }
        facts.add("Scope", NO_ERASURE);
        facts.into_text()
    }

    fn json(&self) -> Value {
        let counts = self.intake.counts;
        json!({
            "scope": NO_ERASURE,
            "project": self.project.name.as_str(),
            "source": self.source,
            "ids": {
                "read": counts.read,
                "unique": counts.unique,
                "duplicates": counts.duplicates(),
                "excluded": counts.excluded,
            },
            "alias": self.rule.as_str(),
            "batches": self.batches,
            "outcome": self.record.as_ref().map_or("dry_run", outcome),
            "deletion": object(self.record.as_ref(), self.rule),
        })
    }
}
