//! Shows requests to people: as a list, or each with its dates and its jobs.

use std::borrow::Cow;

use chrono::{DateTime, NaiveDate, Utc};

use super::plan;
use crate::domain::{Clock, ErasureCheck, JobState, Kind, RequestState, TaskStatus};
use crate::ledger::{
    AnswerAge, JobGroup, JobRecord, Ledger, LedgerError, NewRequest, RequestRecord, Standing,
};
use crate::ui::drawing::paper::{Layout, Paper};
use crate::ui::drawing::table::{Column, draw, state_cell};
use crate::ui::drawing::words::{age, folded, number, plural, printable};
use crate::ui::request::dates::{Dates, NOT_ADVICE, due_cell, rules_text};

use super::shown::Shown;

/// With more jobs than this, only those that did not go as planned are shown one by one.
const MAX_ROWS: usize = 50;

/// The present moment and the operator's day.
#[derive(Clone, Copy)]
pub(crate) struct Present {
    now: DateTime<Utc>,
    today: NaiveDate,
}

impl Present {
    pub(crate) fn by(clock: &dyn Clock) -> Self {
        Self {
            now: clock.now(),
            today: clock.today(),
        }
    }
}

pub(crate) fn requests_text(
    ledger: &Ledger,
    requests: &[RequestRecord],
    shown: Shown,
    present: Present,
    paper: &Paper,
) -> Result<String, LedgerError> {
    if shown == Shown::List {
        return Ok(list_text(requests, present, paper));
    }
    let mut texts = Vec::new();
    for request in requests {
        texts.push(request_text(ledger, request, shown, present, paper)?);
    }
    if !requests.is_empty() {
        texts.push(paper.wrapped("", NOT_ADVICE));
    }
    Ok(texts.join("\n"))
}

fn list_text(requests: &[RequestRecord], present: Present, paper: &Paper) -> String {
    use Column::{Number, Text};
    if requests.is_empty() {
        return "No open requests.\n".to_owned();
    }
    let columns = [
        Text("REQUEST"),
        Text("STATE"),
        Text("DUE"),
        Text("KIND"),
        Text("PROJECT"),
        Number("IDS"),
        Number("ENDED"),
        Text("MIXPANEL"),
        Text("CHECKED"),
    ];
    let folds = ["MIXPANEL", "CHECKED", "ENDED", "PROJECT"];
    let rows = requests.iter().map(|request| {
        let asked = &request.asked;
        vec![
            request.id.short().to_owned(),
            state_cell(request.state().job_state()),
            due_cell(request, present.today),
            kind_text(asked),
            asked.project.to_string(),
            number(asked.unique),
            ended_text(request),
            statuses_text(request),
            answered_text(request.answered, present.now),
        ]
    });
    let table = draw(&columns, &folds, &rows.collect::<Vec<_>>(), paper);
    let doubled = duplicates_text(requests, paper);
    format!("{table}{doubled}{}", rules_text(requests, paper))
}

/// Names requests with jobs that Mixpanel may have accepted twice; empty if there are none.
fn duplicates_text(requests: &[RequestRecord], paper: &Paper) -> String {
    let named = requests.iter().filter_map(|request| {
        match request.count_jobs(JobGroup::is_possible_duplicate) {
            0 => None,
            jobs => Some(format!(
                "{} ({})",
                request.id.short(),
                plural(jobs, "job", "jobs")
            )),
        }
    });
    let named: Vec<String> = named.collect();
    if named.is_empty() {
        return String::new();
    }
    let text = format!(
        "{}: sent twice, and Mixpanel may have accepted both.",
        named.join(", ")
    );
    paper.wrapped("Possible duplicate: ", &text)
}

fn answered_text(answered: AnswerAge, now: DateTime<Utc>) -> String {
    match answered {
        AnswerAge::NotOpen => "-".to_owned(),
        AnswerAge::Never => "never".to_owned(),
        AnswerAge::At(oldest) => {
            let age = age(oldest, now);
            // The largest unit is enough.
            age.split(' ').next().unwrap_or(&age).replace("just", "now")
        }
    }
}

fn kind_text(asked: &NewRequest) -> String {
    let operation = asked.operation;
    format!("{} {}", operation.kind().as_str(), operation.law().title())
}

/// `2/3`: how many jobs have ended.
fn ended_text(request: &RequestRecord) -> String {
    format!(
        "{}/{}",
        number(request.count_jobs(|group| group.state.is_final())),
        number(request.count_jobs(|_| true))
    )
}

/// Mixpanel's own words for the jobs, each once, without those that repeat the state.
fn statuses_text(request: &RequestRecord) -> String {
    let mut words: Vec<&str> = Vec::new();
    for group in &request.groups {
        if let Some(word) = group.mixpanel_status.as_deref()
            && !says_the_state(word, group.state)
            && !words.contains(&word)
        {
            words.push(word);
        }
    }
    if words.is_empty() {
        return "-".to_owned();
    }
    printable(&words.join(", "))
}

fn says_the_state(word: &str, state: JobState) -> bool {
    let status = TaskStatus::parse(word);
    let waits = matches!(status, TaskStatus::Pending | TaskStatus::Staging);
    status.job_state() == Some(state) || waits && state == JobState::Accepted
}

fn request_text(
    ledger: &Ledger,
    request: &RequestRecord,
    shown: Shown,
    present: Present,
    paper: &Paper,
) -> Result<String, LedgerError> {
    let mut text = heading(request, present, paper);
    text.push_str(&Dates::of_request(request).lines(present.today, paper));
    if let Some(plan) = &request.asked.plan {
        text.push_str(&plan::record_lines(plan, paper));
    }
    if let Some(check) = ledger.find_erasure_check(&request.id)? {
        text.push_str(&verified_text(&check, paper));
    }
    text.push_str(&copies_text(request, paper));
    text.push('\n');
    let (jobs, more) = match shown {
        Shown::Untold => first_untold(ledger, request)?,
        Shown::List | Shown::Jobs if request.count_jobs(|_| true) > MAX_ROWS => {
            text.push_str(&groups_table(request, paper));
            if let AnswerAge::At(_) | AnswerAge::Never = request.answered {
                let oldest = answered_text(request.answered, present.now);
                text.push_str(&format!("Age of the oldest answer: {oldest}\n"));
            }
            text.push('\n');
            let exceptions = ledger.jobs(&request.id, Standing::Exceptional);
            (exceptions.take(MAX_ROWS).collect::<Result<_, _>>()?, 0)
        }
        Shown::List | Shown::Jobs => {
            let all = ledger.jobs(&request.id, Standing::Any);
            (all.collect::<Result<Vec<_>, _>>()?, 0)
        }
    };
    if !jobs.is_empty() {
        text.push_str(&jobs_table(&jobs, present.now, paper));
    }
    if paper.layout == Layout::Columns {
        text.push_str(&reasons_text(&jobs, paper));
    }
    if more > 0 {
        let more = plural(more, "more job", "more jobs");
        text.push_str(&format!("And {more} that changed.\n"));
    }
    Ok(text)
}

/// The last check: how many of its people were absent, and what became of the others.
fn verified_text(check: &ErasureCheck, paper: &Paper) -> String {
    let found = &check.found;
    let mut parts = vec![format!(
        "{} of {} absent",
        number(found.absent),
        number(found.done() + found.not_done)
    )];
    let concerns = found.concerns();
    parts.extend(concerns.map(|(count, one, many)| plural(count, one, many)));
    for (count, what) in [
        (found.not_yet, "not yet gone"),
        (found.not_done, "not checked: the deletion was not done"),
    ] {
        if count > 0 {
            parts.push(format!("{} {what}", number(count)));
        }
    }
    let mut facts = paper.facts(2, 10);
    let day = check.at.date_naive();
    facts.add("Verified", &format!("{day}: {}", parts.join(", ")));
    facts.into_text()
}

/// The copies of the data that the operator dealt with, or that a finished deletion has none.
fn copies_text(request: &RequestRecord, paper: &Paper) -> String {
    let mut facts = paper.facts(2, 10);
    let is_done = !request.is_open() && request.jobs_in(JobState::Done) > 0;
    if request.copies.is_empty() && is_done && request.asked.operation.kind() == Kind::Delete {
        facts.add("Copies", "none recorded as dealt with: `dsr guide copies`");
    }
    for (place, tick) in request.copies.iter().enumerate() {
        let at = tick.at.format("%Y-%m-%d %H:%M UTC");
        let text = printable(&format!("{}: dealt with, by {}, {at}", tick.name, tick.by));
        match place {
            0 => facts.add("Copies", &text),
            _ => facts.add_below("Copies", &text),
        }
    }
    facts.into_text()
}

fn heading(request: &RequestRecord, present: Present, paper: &Paper) -> String {
    let asked = &request.asked;
    let (kind, project) = (kind_text(asked), &asked.project);
    let region = asked.region.as_str();
    let count = request.count_jobs(|_| true);
    let ids = plural(asked.unique, "id", "ids");
    let jobs = plural(count, "job", "jobs");
    let created = age(request.created, present.now);
    let reference = asked.reference.as_deref().map(printable);
    let mut facts = paper.facts(2, 10);
    if paper.layout == Layout::Plain {
        facts.add("Request", request.id.as_str());
        facts.add("State", request.state().as_str());
        facts.add("Kind", &kind);
        facts.add("Project", &format!("{project} ({region})"));
        facts.add("Ids", &number(asked.unique));
        facts.add("Jobs", &standing_text(request));
        facts.add("Created", &created);
        reference.inspect(|reference| facts.add("Ref", reference));
        return facts.into_text();
    }
    let id = &request.id;
    let title = format!("Request {id}: {kind}, project {project} ({region}), {ids} in {jobs}");
    let reference = reference.map_or_else(String::new, |reference| format!(", ref {reference}"));
    let created = format!("created {created}{reference}");
    if count > 1 {
        facts.add("Jobs", &standing_text(request));
    }
    let title = folded(&title, 0, "  ", paper.width);
    format!("{title}\n") + &paper.wrapped("  ", &created) + &facts.into_text()
}

/// Counts jobs by state, the most pressing first: `1 unknown, 2 running, 3 done`.
fn standing_text(request: &RequestRecord) -> String {
    let counts = RequestState::PRESSING.map(|state| (state, request.jobs_in(state)));
    let counts = counts.into_iter().filter(|(_, count)| *count > 0);
    let texts = counts.map(|(state, count)| format!("{} {}", number(count), state_cell(state)));
    texts.collect::<Vec<_>>().join(", ")
}

/// The jobs that changed since they were last shown, and how many more there are.
fn first_untold(
    ledger: &Ledger,
    request: &RequestRecord,
) -> Result<(Vec<JobRecord>, usize), LedgerError> {
    let mut jobs = Vec::new();
    let mut more = 0;
    for job in ledger.jobs(&request.id, Standing::Untold) {
        let job = job?;
        match jobs.len() {
            MAX_ROWS.. => more += 1,
            _ => jobs.push(job),
        }
    }
    Ok((jobs, more))
}

fn groups_table(request: &RequestRecord, paper: &Paper) -> String {
    use Column::{Number, Text};
    let columns = [
        Number("JOBS"),
        Number("IDS"),
        Text("STATE"),
        Text("MIXPANEL"),
    ];
    let rows = request.groups.iter().map(|group| {
        let status = group.mixpanel_status.as_deref();
        vec![
            number(group.jobs),
            number(group.ids),
            state_cell(group.state),
            status.map_or_else(|| "-".to_owned(), printable),
        ]
    });
    draw(&columns, &["MIXPANEL"], &rows.collect::<Vec<_>>(), paper)
}

fn jobs_table(jobs: &[JobRecord], now: DateTime<Utc>, paper: &Paper) -> String {
    use Column::{Number, Text};
    let mut columns = vec![
        Number("JOB"),
        Number("IDS"),
        Text("STATE"),
        Text("TASK"),
        Text("MIXPANEL"),
        Text("CHECKED"),
    ];
    // In columns, reasons go below the table, since they are long.
    if paper.layout == Layout::Plain {
        columns.push(Text("REASON"));
    }
    let dash = || "-".to_owned();
    let rows = jobs.iter().map(|job| {
        vec![
            job.id.number.to_string(),
            number(job.ids),
            state_cell(job.state),
            job.task
                .as_ref()
                .map_or_else(dash, |t| printable(t.as_str())),
            job.mixpanel_status.as_deref().map_or_else(dash, printable),
            job.checked_at.map_or_else(dash, |time| age(time, now)),
            printable(&reasons(job).collect::<Vec<_>>().join("; ")),
        ]
    });
    let folds = ["CHECKED", "MIXPANEL", "IDS"];
    draw(&columns, &folds, &rows.collect::<Vec<_>>(), paper)
}

/// `Job q7tz0xmab2cd3ef4-1: running (STARTED)`
pub(crate) fn change_text(job: &JobRecord) -> String {
    let status = job.mixpanel_status.as_deref().map(printable);
    let status = status.map_or_else(String::new, |status| format!(" ({status})"));
    format!("Job {}: {}{status}\n", job.id, state_cell(job.state))
}

/// Each reason once, with its jobs: `Jobs 4 to 28: …`.
fn reasons_text(jobs: &[JobRecord], paper: &Paper) -> String {
    let mut groups: Vec<(Cow<'_, str>, Vec<u32>)> = Vec::new();
    for job in jobs {
        for reason in reasons(job) {
            match groups.iter_mut().find(|(known, _)| *known == reason) {
                Some((_, numbers)) => numbers.push(job.id.number),
                None => groups.push((reason, vec![job.id.number])),
            }
        }
    }
    let lines = groups.iter().map(|(reason, numbers)| {
        let jobs = if numbers.len() == 1 { "Job" } else { "Jobs" };
        let label = format!("{jobs} {}: ", spans_text(numbers));
        paper.wrapped(&label, &printable(reason))
    });
    lines.collect()
}

/// `1, 2, 4 to 28`, of ascending numbers.
fn spans_text(numbers: &[u32]) -> String {
    let spans = numbers.chunk_by(|one, next| one + 1 == *next);
    let texts = spans.map(|span| match span {
        [first, _, .., last] => format!("{first} to {last}"),
        few => few
            .iter()
            .map(u32::to_string)
            .collect::<Vec<_>>()
            .join(", "),
    });
    texts.collect::<Vec<_>>().join(", ")
}

/// Explains a job's state, if the job did not go as planned.
fn reasons(job: &JobRecord) -> impl Iterator<Item = Cow<'_, str>> {
    let from_status = match job.mixpanel_status.as_deref() {
        Some("NOT_FOUND") => {
            Some("Mixpanel knows no such task in this project; check its region and token")
        }
        Some("FAILURE") => Some("Mixpanel reports that the task failed"),
        Some(_) | None => None,
    };
    let abandoned = job.abandoned_at.map(|at| {
        let day = at.date_naive();
        Cow::from(format!("abandoned on {day}; it stays unknown"))
    });
    let known = [job.reason.as_deref(), from_status].into_iter().flatten();
    known.map(Cow::from).chain(abandoned)
}
