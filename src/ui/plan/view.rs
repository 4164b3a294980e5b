use chrono::{DateTime, NaiveDate, Utc};
use serde_json::Value;

use crate::domain::{Exclusion, Kind};
use crate::intake::{HashExample, Hashed, LetterCase};
use crate::ui::View;
use crate::ui::drawing::paper::{Layout, Paper};
use crate::ui::drawing::words::{duration, number, plural, printable, rate_text, wrapped};
use crate::ui::people::sources;
use crate::ui::project::one_or_several;
use crate::ui::request::json as shapes;
use crate::ui::status::deadlines::{Dates, NOT_ADVICE};
use crate::workflow::Plan;

/// Plans of one command, one for each project; nothing has been sent.
pub struct PlanView<'a> {
    pub plans: &'a [Plan],
    pub now: DateTime<Utc>,
    pub today: NaiveDate,
}

impl View for PlanView<'_> {
    fn human(&self, paper: &Paper) -> String {
        let mut text = String::new();
        for plan in self.plans {
            text.push_str(&plan_text(plan, paper));
            text.push_str(&Dates::of_plan(plan).lines(self.today, paper));
            text.push('\n');
        }
        text.push_str(&wrapped(
            "",
            &format!("{NOT_ADVICE} Nothing was sent."),
            paper.width,
        ));
        text
    }

    fn json(&self) -> Value {
        let shape = |plan| shapes::plan(plan, self.now, self.today);
        let plans = self.plans.iter().map(shape);
        one_or_several(plans.collect())
    }
}

fn plan_text(plan: &Plan, paper: &Paper) -> String {
    let operation = plan.order.operation;
    let what = match operation.kind() {
        Kind::Export => "Export",
        Kind::Delete => "Deletion",
    };
    let disclosure = operation
        .disclosure()
        .map_or_else(String::new, |d| format!(", disclosing {}", d.as_str()));
    let limit = number(plan.limit().get());
    let sizes = sizes_text(plan);
    let law = operation.law().title();
    let heading = format!("{what} under {law}{disclosure}");
    let mut facts = paper.facts(2, 10);
    let (project, region) = (&plan.project.name, plan.project.region.as_str());
    facts.add("Project", &format!("{project} ({region})"));
    facts.add(
        "Ids",
        &format!(
            "{} read from {}: {}",
            number(plan.counts.read),
            printable(&plan.order.source),
            counts_text(
                plan.counts.unique,
                plan.counts.duplicates(),
                plan.counts.excluded
            ),
        ),
    );
    if let Some(id) = &plan.order.named_id {
        facts.add("Id", &format!("`{}`", printable(id.expose())));
    }
    if !plan.exclusions.is_empty() {
        let excluded = plural(plan.counts.excluded, "id", "ids");
        facts.add("Excluded", &excluded);
        for exclusion in &plan.exclusions {
            facts.add_below("Exclusion", &exclusion_text(exclusion));
        }
    }
    sources::add(&mut facts, &plan.readings, &plan.excluded_readings);
    if let Some(hashed) = &plan.hashed {
        facts.add("Hashed", &hashed_text(hashed));
        if let Some(example) = &hashed.example {
            facts.add_below("Example", &example_text(example));
        }
    }
    let jobs = plural(plan.job_count(), "job", "jobs");
    match plan.why_one_id_a_job() {
        Some(why) => {
            facts.add("Jobs", &format!("{jobs} of 1 id each"));
            facts.add_below("Why", &format!("{why}."));
        }
        None => facts.add("Jobs", &format!("{jobs} of at most {limit} ids{sizes}")),
    }
    let time = duration(plan.time());
    let rate = rate_text(plan.project.rate.per_second());
    facts.add(
        "Time",
        &format!("{time} at {rate} a second; Mixpanel then needs up to 30 days"),
    );
    let begin = match paper.layout {
        Layout::Columns => "",
        Layout::Plain => "Plan: ",
    };
    format!("{begin}{heading}\n{}", facts.into_text())
}

/// What became of the values that were read: `7 unique, 0 duplicates, 1 excluded`.
pub(crate) fn counts_text(unique: usize, duplicates: usize, excluded: usize) -> String {
    let duplicates = plural(duplicates, "duplicate", "duplicates");
    let excluded = match excluded {
        0 => String::new(),
        excluded => format!(", {} excluded", number(excluded)),
    };
    format!("{} unique, {duplicates}{excluded}", number(unique))
}

/// How ids are made.
fn hashed_text(hashed: &Hashed) -> String {
    let mut text = format!("{} of each value", hashed.function);
    if hashed.case == LetterCase::Lowered {
        text.push_str(", lower-cased");
    }
    if !hashed.prefix.is_empty() {
        text.push_str(&format!(", after `{}`", printable(&hashed.prefix)));
    }
    text
}

/// How ids are made, and one to compare with Mixpanel's.
pub fn hashing_text(hashed: &Hashed) -> String {
    let example = hashed.example.as_ref();
    let example = example.map_or_else(String::new, |one| format!("; {}", example_text(one)));
    format!("{}{example}", hashed_text(hashed))
}

fn example_text(example: &HashExample) -> String {
    let line = example
        .line
        .map_or_else(String::new, |line| format!(", line {line}"));
    let (source, value, id) = (&example.source, &example.value, &example.id);
    printable(&format!("{source}{line}: {value} -> {id}"))
}

/// What became of a file whose ids are left out.
pub fn exclusion_text(exclusion: &Exclusion) -> String {
    let Exclusion { source, ids, found } = exclusion;
    let found = match found {
        0 => "NONE".to_owned(),
        found => number(*found),
    };
    let ids = plural(*ids, "id", "ids");
    format!("{}: {ids}, {found} found in the list", printable(source))
}

fn sizes_text(plan: &Plan) -> String {
    let sizes: Vec<usize> = plan.job_sizes().collect();
    match sizes.as_slice() {
        [] | [_] => String::new(),
        [.., last] if sizes.len() > 4 => {
            let full = number(sizes.len() - 1);
            format!(": {full} full ones and one of {}", number(*last))
        }
        few => {
            let few: Vec<String> = few.iter().map(|size| number(*size)).collect();
            format!(": {}", few.join(", "))
        }
    }
}
