//! Shows which profiles a retention window selects. Names no profile.

use serde_json::{Value, json};

use super::{NO_ERASURE, deletion};
use crate::domain::{AliasRule, MostSelected, Project, words};
use crate::intake::RecordsRead;
use crate::ledger::IngestionRecord;
use crate::ui::drawing::paper::Paper;
use crate::ui::drawing::view::View;
use crate::ui::drawing::words::{number, plural, printable};
use crate::ui::people::sources;
use crate::workflow::{ExpiryCounts, ExpiryRule};

/// Where the profiles came from.
pub enum ExpiryOrigin {
    Files(RecordsRead),
    Mixpanel { queries: usize },
}

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExpiryEnd {
    DryRun,
    NothingSelected,
    Deleted,
    Unfinished,
}

words!(ExpiryEnd {
    DryRun => "dry_run",
    NothingSelected => "nothing_selected",
    Deleted => "deleted",
    Unfinished => "unfinished",
});

/// The selected profiles, by counts.
pub struct ExpiryView<'a> {
    pub project: &'a Project,
    pub rule: &'a ExpiryRule,
    pub counts: ExpiryCounts,
    pub origin: &'a ExpiryOrigin,
    pub at_most: MostSelected,
    /// The list that was written.
    pub list: Option<String>,
    pub alias: AliasRule,
    /// `None` if nothing was sent.
    pub deletion: Option<IngestionRecord>,
}

impl ExpiryView<'_> {
    pub fn end(&self) -> ExpiryEnd {
        match &self.deletion {
            None if self.counts.selected == 0 => ExpiryEnd::NothingSelected,
            None => ExpiryEnd::DryRun,
            Some(record) if record.taken() == record.records => ExpiryEnd::Deleted,
            Some(_) => ExpiryEnd::Unfinished,
        }
    }

    /// What the operator must know of the selection before confirming it.
    pub fn summary(&self) -> String {
        format!(
            "{} of {} have {}.\n",
            number(self.counts.selected),
            plural(self.counts.profiles, "profile", "profiles"),
            self.rule_text(),
        )
    }

    /// For example `1 without the property, 2 with a time that dsr cannot read`.
    fn not_judged(&self) -> String {
        let counts = self.counts;
        let kinds = [
            (counts.undated, "without the property"),
            (counts.unreadable, "with a time that dsr cannot read"),
            (counts.future, "with a time in the future"),
            (
                counts.unusable,
                "late, with an id that dsr would not delete",
            ),
            (counts.repeated, "late, with the id of another profile"),
        ];
        let kinds = kinds.into_iter().filter(|(count, _)| *count > 0);
        let kinds: Vec<String> = kinds
            .map(|(count, what)| format!("{} {what}", number(count)))
            .collect();
        kinds.join("; ")
    }

    /// For example `` `$last_seen` before 2024-12-01 (Europe/Berlin) ``.
    fn rule_text(&self) -> String {
        let rule = self.rule;
        let mut text = format!(
            "`{}` before {} ({}), which is {} ago",
            printable(&rule.properties.by),
            rule.limit,
            rule.zone.as_str(),
            rule.window,
        );
        for (name, value) in &rule.properties.equal {
            let (name, value) = (printable(name), printable(value));
            text.push_str(&format!(", and `{name}` equal to `{value}`"));
        }
        text
    }

    fn origin_text(&self) -> String {
        match self.origin {
            ExpiryOrigin::Files(read) => plural(read.readings.len(), "file", "files"),
            ExpiryOrigin::Mixpanel { queries } => {
                format!("Mixpanel, with {}", plural(*queries, "query", "queries"))
            }
        }
    }
}

impl View for ExpiryView<'_> {
    fn human(&self, paper: &Paper) -> String {
        let counts = self.counts;
        let mut facts = paper.facts(0, 10);
        facts.add("Project", self.project.name.as_str());
        let origin = self.origin_text();
        let looked_at = plural(counts.profiles, "profile", "profiles");
        facts.add("Looked at", &format!("{looked_at}, from {origin}"));
        facts.add(
            "Selected",
            &format!(
                "{}: {}",
                plural(counts.selected, "profile", "profiles"),
                self.rule_text()
            ),
        );
        facts.add("At most", &self.at_most.to_string());
        let kept = format!("{} seen on that day or later", number(counts.seen_since));
        facts.add("Kept", &kept);
        if !self.rule.properties.equal.is_empty() {
            let other = format!("{} without these values", number(counts.not_meant));
            facts.add_below("Kept", &other);
        }
        if counts.excluded > 0 {
            let excluded = format!("{} late, and excluded", number(counts.excluded));
            facts.add_below("Kept", &excluded);
        }
        if counts.not_judged() > 0 {
            facts.add(
                "Not judged",
                &format!("{}; dsr keeps them", self.not_judged()),
            );
        }
        if let Some(list) = &self.list {
            facts.add(
                "List",
                &format!("`{}`; only you can read it", printable(list)),
            );
        }
        match &self.deletion {
            Some(record) => deletion::add(&mut facts, record, self.alias),
            None => facts.add("Sent", "nothing"),
        }
        facts.add("Scope", NO_ERASURE);
        facts.into_text()
    }

    fn json(&self) -> Value {
        let (rule, counts) = (self.rule, self.counts);
        let equal = rule.properties.equal.iter();
        let (files, queries) = match self.origin {
            ExpiryOrigin::Files(read) => (
                read.readings.iter().map(sources::object).collect(),
                Value::Null,
            ),
            ExpiryOrigin::Mixpanel { queries } => (Vec::new(), json!(queries)),
        };
        json!({
            "scope": NO_ERASURE,
            "project": self.project.name.as_str(),
            "window": rule.window.to_string(),
            "by": rule.properties.by,
            "where": equal.map(|(name, value)| json!({ "property": name, "value": value })).collect::<Vec<_>>(),
            "limit": rule.limit.to_string(),
            "time_zone": rule.zone.as_str(),
            "at_most": self.at_most.to_string(),
            "profiles": counts.profiles,
            "selected": counts.selected,
            "seen_since": counts.seen_since,
            "not_meant": counts.not_meant,
            "excluded": counts.excluded,
            "not_judged": {
                "undated": counts.undated,
                "unreadable": counts.unreadable,
                "future": counts.future,
                "unusable": counts.unusable,
                "repeated": counts.repeated,
            },
            "files": files,
            "queries": queries,
            "list": self.list,
            "outcome": self.end().as_str(),
            "deletion": deletion::object(self.deletion.as_ref(), self.alias),
        })
    }
}
