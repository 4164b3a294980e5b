//! Shows the plan of a request: who made it, and who approved it.

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use crate::domain::{Actor, PlanRecord};
use crate::ui::drawing::json::time;
use crate::ui::drawing::paper::Paper;
use crate::ui::drawing::words::printable;

/// `anna@ops-1, 2026-11-22 18:50 UTC`
pub(crate) fn signed(by: &Actor, at: DateTime<Utc>) -> String {
    format!("{by}, {}", at.format("%Y-%m-%d %H:%M UTC"))
}

pub(crate) fn approval(by: &Actor, at: DateTime<Utc>) -> Value {
    json!({ "user": by.user(), "host": by.host(), "at": time(at) })
}

/// A line for the plan, and one for each approval.
pub(crate) fn record_lines(plan: &PlanRecord, paper: &Paper) -> String {
    let mut facts = paper.facts(2, 10);
    let digest = plan.digest.short();
    let made = signed(&plan.created_by, plan.created);
    facts.add("Plan", &printable(&format!("{digest}, made by {made}")));
    for (by, at) in &plan.approvals {
        let approved = format!("approved by {}", signed(by, *at));
        facts.add_below("Approval", &printable(&approved));
    }
    facts.into_text()
}
