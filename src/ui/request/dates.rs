//! Shows the dates that the laws and Mixpanel set, each with its rule.

use chrono::NaiveDate;
use serde_json::{Map, Value, json};

use crate::domain::{CONFIRMATION_RULE, Deadline, Extension, JobState, Law, expected_completion};
use crate::ledger::{JobGroup, RequestRecord, Unfetched};
use crate::plan_file::Header;
use crate::ui::console::Ui;
use crate::ui::drawing::json::time;
use crate::ui::drawing::paper::{Layout, Paper};
use crate::ui::drawing::tone::Tone;
use crate::ui::drawing::words::{day_count, plural, printable};
use crate::workflow::Plan;

/// Printed once wherever dates are shown.
pub(crate) const NOT_ADVICE: &str = "Dates follow the rules they name and are not legal advice.";

/// The dates of a plan or a request.
pub(crate) struct Dates<'a> {
    law: Law,
    received: NaiveDate,
    deadline: Deadline,
    confirm_by: Option<NaiveDate>,
    extension: Option<&'a Extension>,
    unfetched: Option<&'a Unfetched>,
    /// Some jobs are not sent yet.
    is_unsent: bool,
    /// Some jobs still wait for something.
    is_open: bool,
    /// The time to answer is running.
    is_to_be_answered: bool,
    is_answered: bool,
    /// What is known of the answer to the person; `None` while the request is open.
    answer: Option<String>,
}

impl<'a> Dates<'a> {
    pub(crate) fn of_plan(plan: &Plan) -> Self {
        Self {
            law: plan.order.operation.law(),
            received: plan.order.received,
            deadline: plan.deadline,
            confirm_by: plan.confirm_by,
            extension: None,
            unfetched: None,
            is_unsent: true,
            is_open: true,
            is_to_be_answered: true,
            is_answered: false,
            answer: None,
        }
    }

    pub(crate) fn of_plan_file(header: &Header) -> Self {
        Self {
            law: header.operation.law(),
            received: header.received,
            deadline: header.deadline(),
            confirm_by: header.confirm_by,
            extension: None,
            unfetched: None,
            is_unsent: true,
            is_open: true,
            is_to_be_answered: true,
            is_answered: false,
            answer: None,
        }
    }

    pub(crate) fn of_request(request: &'a RequestRecord) -> Self {
        Self {
            law: request.asked.operation.law(),
            received: request.asked.received,
            deadline: request.deadline(),
            confirm_by: request.asked.confirm_by,
            extension: request.extension.as_ref(),
            unfetched: request.unfetched.as_ref(),
            is_unsent: request.has_unsent(),
            is_open: request.is_open(),
            is_to_be_answered: request.is_to_be_answered(),
            is_answered: request.answer.is_some(),
            answer: answer_text(request),
        }
    }

    /// A line for each date, and below it the rule it follows from.
    pub(crate) fn lines(&self, today: NaiveDate, paper: &Paper) -> String {
        let mut facts = paper.facts(2, 10);
        let left = match (self.is_to_be_answered, self.is_answered) {
            (true, _) => format!(", {}", left_text(&self.deadline, today)),
            // Before the first `dsr answered`, dsr does not know who records answers.
            (false, false) if self.deadline.is_over(today) => {
                format!(", {} unless answered", left_text(&self.deadline, today))
            }
            (false, _) => String::new(),
        };
        let (due, received) = (self.deadline.due, self.received);
        facts.add("Due", &format!("{due}{left} (received {received})"));
        facts.add_below("Due rule", self.deadline.rule);
        if let Some(answer) = &self.answer {
            facts.add("Answer", answer);
        }
        if let Some(Extension {
            day,
            due_before,
            reason,
            ..
        }) = self.extension
        {
            let reason = printable(reason).replace('\n', " ");
            facts.add(
                "Extended",
                &format!("on {day}, from {due_before}: {reason}"),
            );
            facts.add_below("Extension rule", self.law.notice_rule());
        }
        if self.is_unsent {
            facts.add("Submit by", &submit_text(&self.deadline, today));
        }
        if let (Some(day), true) = (self.confirm_by, self.is_open) {
            let left = day_count((day - today).num_days());
            facts.add("Confirm by", &format!("{day}, {left}"));
            facts.add_below("Confirm rule", CONFIRMATION_RULE);
        }
        if let Some(unfetched) = self.unfetched {
            facts.add("Fetch by", &fetch_text(unfetched, today));
        }
        facts.into_text()
    }

    /// Adds the dates to an object.
    pub(crate) fn added_to(&self, object: Value, today: NaiveDate) -> Map<String, Value> {
        match object {
            Value::Object(mut fields) => {
                fields.extend(self.object(today));
                fields
            }
            _ => Map::new(),
        }
    }

    fn object(&self, today: NaiveDate) -> Map<String, Value> {
        let days_left = self.is_to_be_answered;
        let days_left = days_left.then(|| self.deadline.days_left(today));
        let value = json!({
            "due_rule": self.deadline.rule,
            "days_left": days_left,
            "overdue": days_left.is_some_and(|days| days < 0),
            "last_safe_day": self.deadline.last_safe_day().to_string(),
            "extended": self.extension.is_some(),
            "extension": self.extension.map(|extension| json!({
                "at": time(extension.at),
                "day": extension.day.to_string(),
                "reason": extension.reason,
                "due_before": extension.due_before.to_string(),
                "due_after": extension.due_after.to_string(),
                "tell_by": extension.due_before.to_string(),
                "tell_rule": self.law.notice_rule(),
            })),
            "confirm_by": self.confirm_by.map(|day| day.to_string()),
            "unfetched": self.unfetched.map(|unfetched| json!({
                "jobs": unfetched.jobs,
                "finished_by": time(unfetched.finished_by),
                "link_until_at_most": unfetched.link_end().to_string(),
                "days_left_at_most": (unfetched.link_end() - today).num_days(),
                "link_may_live_until": unfetched.link_may_end().to_string(),
            })),
        });
        match value {
            Value::Object(fields) => fields,
            _ => Map::new(),
        }
    }
}

/// `in 30 days`, `today`, `OVERDUE by 3 days`
fn left_text(deadline: &Deadline, today: NaiveDate) -> String {
    match deadline.days_left(today) {
        days @ 0.. => day_count(days),
        days => {
            let days = usize::try_from(days.unsigned_abs()).unwrap_or(usize::MAX);
            let overdue = Tone::Bad.paint("OVERDUE");
            format!("{overdue} by {}", plural(days, "day", "days"))
        }
    }
}

/// Says by when to submit, so that Mixpanel's 30 days end in time.
fn submit_text(deadline: &Deadline, today: NaiveDate) -> String {
    let last = deadline.last_safe_day();
    let until = expected_completion(today);
    match (last - today).num_days() {
        days @ 0.. => format!("{last}, {}: Mixpanel may need 30 days", day_count(days)),
        _ => format!("at once: {last} was the last safe day; Mixpanel may need until {until}"),
    }
}

fn fetch_text(unfetched: &Unfetched, today: NaiveDate) -> String {
    let exports = plural(unfetched.jobs, "finished export", "finished exports");
    let last = unfetched.link_end();
    match (last - today).num_days() {
        days @ 0.. => format!(
            "{last}, {}: {exports} not fetched, links work for 14 to 30 days",
            day_count(days)
        ),
        _ => format!(
            "{last} (past): {exports} not fetched, the links may still work until {}",
            unfetched.link_may_end()
        ),
    }
}

impl Ui {
    /// The dates of a plan, to be read before it is confirmed.
    pub fn dates_text(&self, plan: &Plan, today: NaiveDate) -> String {
        Dates::of_plan(plan).lines(today, &self.paper())
    }
}

/// `on 2026-11-28, 3 days late: by e-mail`, or that no answer is recorded.
fn answer_text(request: &RequestRecord) -> Option<String> {
    match &request.answer {
        Some(answer) => {
            let manner = answer.manner.as_deref().map(printable);
            let manner = manner.map(|manner| format!(": {}", manner.replace('\n', " ")));
            let timing = match days_late(request) {
                None => ", before the day of receipt: the dates contradict each other".to_owned(),
                Some(0) => String::new(),
                Some(days) => format!(", {}", Tone::Bad.paint(&late_text(days))),
            };
            Some(format!(
                "on {}{timing}{}",
                answer.day,
                manner.unwrap_or_default()
            ))
        }
        None if request.is_open() || request.unfetched.is_some() => None,
        None => Some(format!("not recorded ({})", ended_text(request))),
    }
}

/// How many days after the due date the person was told. `None` if no answer is recorded, or if its
/// day is before the receipt.
pub(crate) fn days_late(request: &RequestRecord) -> Option<u64> {
    let day = request.answer.as_ref()?.day;
    let late = (day - request.deadline().due).num_days();
    (day >= request.asked.received).then(|| late.max(0).unsigned_abs())
}

fn late_text(days: u64) -> String {
    let days = usize::try_from(days).unwrap_or(usize::MAX);
    format!("{} late", plural(days, "day", "days"))
}

fn ended_text(request: &RequestRecord) -> &'static str {
    let done = request.jobs_in(JobState::Done);
    match (done, request.count_jobs(JobGroup::is_lost)) {
        (0, 0) => "not carried out",
        (0, _) => "outcome unknown",
        (_, 0) if done == request.count_jobs(|_| true) => "carried out",
        (_, 0) => "carried out in part",
        (_, _) => "carried out in part, the rest unknown",
    }
}

/// `30d left`, `today`, `3d late`, `answered`, `answered 3d late`, or `-` if nothing is expected.
pub(crate) fn due_cell(request: &RequestRecord, today: NaiveDate) -> String {
    if !request.is_to_be_answered() {
        return match (&request.answer, days_late(request)) {
            (None, _) => "-".to_owned(),
            (Some(_), Some(days @ 1..)) => Tone::Bad.paint(&format!("answered {days}d late")),
            (Some(_), _) => "answered".to_owned(),
        };
    }
    match request.deadline().days_left(today) {
        0 => "today".to_owned(),
        days @ 1.. => format!("{days}d left"),
        days => Tone::Bad.paint(&format!("{}d late", days.unsigned_abs())),
    }
}

/// The rules behind the due dates of a list; empty if it shows no due date.
pub(crate) fn rules_text(requests: &[RequestRecord], paper: &Paper) -> String {
    let mut rules: Vec<&str> = Vec::new();
    for request in requests.iter().filter(|r| r.is_to_be_answered()) {
        let rule = request.deadline().rule;
        if !rules.contains(&rule) {
            rules.push(rule);
        }
    }
    if rules.is_empty() {
        return String::new();
    }
    let label = match paper.layout {
        Layout::Columns => "Due dates follow ",
        Layout::Plain => "Due rule: ",
    };
    let text = format!("{label}{}. Not legal advice.", rules.join("; "));
    format!("\n{}", paper.wrapped("", &text))
}
