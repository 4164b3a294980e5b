//! Shows what the operator must read before confirming a deletion.

use chrono::NaiveDate;

use crate::config::Mode;
use crate::ui::console::Ui;
use crate::ui::drawing::words::{plural, printable};
use crate::ui::people::sources::exclusion_text;
use crate::ui::plan::known::earlier_lines;
use crate::workflow::Plan;

use super::dates::NOT_ADVICE;

/// Whether the operator has seen a plan's dates.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum DatesShown {
    Already,
    No,
}

impl Ui {
    /// Says what these plans erase.
    pub fn deletion_text(
        &self,
        plans: &[Plan],
        dates: DatesShown,
        today: NaiveDate,
        mode: &Mode,
    ) -> String {
        let mut text = String::new();
        for plan in plans {
            let ids = plural(plan.counts.unique, "id", "ids");
            let jobs = plural(plan.job_count(), "deletion", "deletions");
            text.push_str(&format!(
            "This erases everything Mixpanel holds on {ids} in project {} ({}), under {}, in {jobs}.\n",
            plan.project.name,
            plan.project.region.as_str(),
            plan.order.operation.law().title(),
        ));
            text.push_str(&earlier_text(plan));
            if dates == DatesShown::No {
                text.push_str(&self.dates_text(plan, today));
            }
        }
        if let Some(plan) = plans.first() {
            text.push_str(&ids_text(plan));
        }
        if dates == DatesShown::No {
            text.push_str(&format!("{NOT_ADVICE}\n"));
        }
        text.push_str(match mode {
            Mode::Sandbox { .. } => "It is the sandbox: nothing real is erased.",
            Mode::Real => "You can cancel until Mixpanel starts. After that it cannot be undone.",
        });
        text
    }
}

fn ids_text(plan: &Plan) -> String {
    let mut text = String::new();
    if let Some(id) = &plan.order.named_id {
        text.push_str(&format!("The id is `{}`.\n", printable(id.expose())));
    }
    if plan.counts.excluded > 0 || !plan.exclusions.is_empty() {
        let ids = plural(plan.counts.excluded, "id", "ids");
        text.push_str(&format!("Excluded: {ids}.\n"));
    }
    for exclusion in &plan.exclusions {
        text.push_str(&format!("  {}\n", exclusion_text(exclusion)));
    }
    text
}

fn earlier_text(plan: &Plan) -> String {
    let mut text = String::new();
    for line in earlier_lines(&plan.earlier) {
        text.push_str(&format!("Earlier: {line}.\n"));
    }
    text
}
