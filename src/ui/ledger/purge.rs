//! Shows records that were purged, or would be.

use chrono::NaiveDate;
use serde_json::{Value, json};

use crate::domain::{Closed, Purge};
use crate::ui::drawing::json::time;
use crate::ui::drawing::paper::Paper;
use crate::ui::drawing::view::View;
use crate::ui::drawing::words::{number, plural};

/// What was removed, or would be.
#[derive(Debug)]
pub struct PurgeView<'a> {
    /// Requests closed before this day are meant.
    pub cutoff: NaiveDate,
    pub found: Option<&'a Closed>,
    /// `None` if nothing was removed.
    pub purged: Option<&'a Closed>,
    /// How many people stay suppressed, or would.
    pub stay: usize,
    /// Every purge so far.
    pub all: &'a [Purge],
}

impl View for PurgeView<'_> {
    fn human(&self, _: &Paper) -> String {
        let before = self.cutoff;
        let mut text = match (self.purged, self.found) {
            (Some(closed), _) => format!("Removed: {}.\n", records(closed)),
            (None, Some(closed)) => format!(
                "Closed before {before}: {}. Nothing was removed.\n",
                records(closed)
            ),
            (None, None) => {
                format!("No request was closed before {before}. Nothing was removed.\n")
            }
        };
        if self.found.is_some() {
            text.push_str(&format!("{}\n", staying(self.stay)));
        }
        if !self.all.is_empty() {
            text.push_str("All purges of this ledger:\n");
        }
        for purge in self.all {
            text.push_str(&format!(
                "  {}: removed {}\n",
                purge.at.date_naive(),
                records(&purge.closed)
            ));
        }
        text
    }

    fn json(&self) -> Value {
        let purges = self.all.iter().map(|purge| {
            let mut object = json!(purge.closed);
            object["at"] = time(purge.at).into();
            object["closed_before"] = time(purge.closed_before).into();
            object["suppressed"] = purge.suppressed.into();
            object
        });
        json!({
            "closed_before": self.cutoff.to_string(),
            "found": self.found,
            "purged": self.purged,
            "suppressed": self.stay,
            "purges": purges.collect::<Vec<_>>(),
        })
    }
}

/// Says how many people stay suppressed when their records go.
pub fn staying(people: usize) -> String {
    match people {
        0 => "Nobody in these requests is on the suppression list.".to_owned(),
        1 => "1 person of a deletion stays on the suppression list.".to_owned(),
        people => format!(
            "{} suppressed people stay on the suppression list.",
            number(people)
        ),
    }
}

fn records(closed: &Closed) -> String {
    format!(
        "{} with {}, closed from {} to {}",
        plural(closed.requests, "request", "requests"),
        plural(closed.ids, "id", "ids"),
        closed.first.date_naive(),
        closed.last.date_naive(),
    )
}
