//! The jobs of a request: their states, each job, and its history.

use maud::{Markup, html};

use crate::document::text::{Visible, counted, day, grouped, moment};
use crate::domain::{Attempt, JobState, Kind};

use super::super::facts::{JobFacts, PackagesFact, RequestFacts};
use super::super::shown::{JobsShown, MOST_JOBS};
use super::super::words;
use super::count;

const MOST_LINES: usize = 40;

/// Jobs by state, and why some ended without success.
pub(super) fn standing(request: &RequestFacts) -> Markup {
    html! {
        section aria-labelledby="standing" {
            h2 #standing { "States of the jobs" }
            p { "A job is one call to Mixpanel. Mixpanel limits the ids of one call, and makes one task of each job." }
            table.cards {
                thead { tr {
                    th scope="col" { "State" } th scope="col" { "Meaning" } th scope="col" { "Mixpanel’s status" }
                    th.number scope="col" { "Jobs" } th.number scope="col" { "Ids" }
                } }
                tbody { @for group in &request.groups {
                    tr {
                        th scope="row" { (state(group.state)) }
                        td data-label="Meaning" {
                            @if group.given_up { (words::last_state_meaning(group.state)) }
                            @else { (words::state_meaning(group.state)) }
                            @if group.carried_out == "possibly" { "; possibly carried out" }
                            @if group.linked { "; in a task made for another request" }
                        }
                        td data-label="Mixpanel’s status" { (or_dash(group.mixpanel_status.as_deref())) }
                        td.number data-label="Jobs" { (count(group.jobs)) }
                        td.number data-label="Ids" { (count(group.ids)) }
                    }
                } }
            }
            @if !request.setbacks.is_empty() {
                h3 { "Jobs that did not succeed, and why" }
                ul { @for setback in &request.setbacks {
                    li {
                        (counted(setback.jobs as u64, "job", "jobs")) " with " (counted(setback.ids as u64, "id", "ids")) ", " (words::state(setback.state))
                        @if setback.state == JobState::Unknown { " and abandoned" }
                        ": " @match &setback.reason {
                            Some(reason) => (Visible(reason)),
                            None => (words::last_state_meaning(setback.state)),
                        }
                    }
                }
                @if request.other_setbacks > 0 { li { (counted(request.other_setbacks as u64, "job", "jobs")) " for other reasons, in the table of jobs (CSV)" } }
                }
            }
        }
    }
}

pub(super) fn listing(request: &RequestFacts, shown: &JobsShown) -> Markup {
    let jobs = shown.list();
    html! {
        section aria-labelledby="jobs" {
            h2 #jobs { "The jobs" }
            @if shown.more() > 0 {
                p.note {
                    "This page lists " (MOST_JOBS) " of " (count(request.jobs_count)) " jobs, those that did not succeed first. The table (CSV) of this report lists all jobs."
                }
            }
            table.jobs.cards {
                thead { tr {
                    th scope="col" { "Job" } th.number scope="col" { "Ids" } th scope="col" { "State" }
                    th scope="col" { "Mixpanel’s task and status" } th scope="col" { "Submitted" } th scope="col" { "Ended" }
                } }
                tbody { @for job in &jobs {
                    tr {
                        th scope="row" { "Job " (number_of(&job.id)) }
                        td.number data-label="Ids" { (count(job.ids)) }
                        td data-label="State" { (state(job.state)) @if job.given_up_at.is_some() { br; "abandoned" } }
                        td data-label="Mixpanel’s task" {
                            code { (or_dash(job.task_id.as_deref())) }
                            @if let Some(word) = &job.mixpanel_status { br; (Visible(word)) }
                            @if job.linked { br; small { "made for another request" } }
                            @if let Some(reason) = &job.reason { br; small { (Visible(reason)) } }
                        }
                        td.time data-label="Submitted" { (time_or_dash(job.submitted_at)) }
                        td.time data-label="Ended" { (time_or_dash(job.ended_at.or(job.given_up_at))) }
                    }
                } }
            }
        }
    }
}

pub(super) fn archives(request: &RequestFacts, shown: &JobsShown) -> Markup {
    let Some(fetching) = request
        .fetching
        .as_ref()
        .filter(|_| request.asked.kind == Kind::Export)
    else {
        return html! {};
    };
    let jobs = shown.list();
    let mut fetched = jobs
        .iter()
        .filter_map(|job| Some((job, job.download.as_ref()?)));
    let first = fetched.next();
    html! {
        section aria-labelledby="archives" {
            h2 #archives { "Fetched exports" }
            p {
                "Mixpanel finished " (counted(fetching.finished_jobs as u64, "export", "exports")) ". dsr fetched "
                (count(fetching.fetched_jobs)) "."
            }
            @if first.is_some() {
                table.cards {
                    thead { tr {
                        th scope="col" { "Job" } th.number scope="col" { "Bytes" } th scope="col" { "SHA-256 of the archive" }
                        th scope="col" { "First fetched" } th scope="col" { "Packages" }
                    } }
                    tbody { @for (job, download) in first.into_iter().chain(fetched) {
                        tr {
                            th scope="row" { "Job " (number_of(&job.id)) }
                            td.number data-label="Bytes" { (grouped(download.bytes)) }
                            td data-label="SHA-256" { code { (download.sha256) } }
                            td.time data-label="First fetched" {
                                (time_or_dash(download.first_fetched_at))
                                @if download.first_fetched_at != Some(download.fetched_at) { br; small { "again " (moment(download.fetched_at)) } }
                            }
                            td data-label="Packages" { @match &download.packages {
                                Some(packages) => { (packages_text(packages)) },
                                None => "none recorded",
                            } }
                        }
                    } }
                }
            }
        }
    }
}

/// The packages of an archive, what is in none of them, and who released them. The ledger does not
/// know where the packages are now.
fn packages_text(packages: &PackagesFact) -> String {
    let mut parts = vec![
        counted(packages.packages as u64, "person", "people"),
        format!(
            "{} without a matched record",
            grouped(packages.without_data as u64)
        ),
    ];
    let left = &packages.not_in_packages;
    let kinds = [
        (left.members, "member not read", "members not read"),
        (left.pieces, "piece not readable", "pieces not readable"),
        (
            left.records,
            "record without a certain owner",
            "records without a certain owner",
        ),
        (
            left.lists,
            "list of several people together",
            "lists of several people together",
        ),
        (left.missing, "part missing", "parts missing"),
    ];
    let kinds = kinds.into_iter().filter(|(number, ..)| *number > 0);
    parts.extend(kinds.map(|(number, one, many)| counted(number, one, many)));
    if packages.released_by_operator {
        parts.push("released by the operator".to_owned());
    }
    let made = day(packages.made_at.date_naive());
    format!("{}; made on {made} (UTC)", parts.join(", "))
}

pub(super) fn histories(shown: &JobsShown) -> Markup {
    let jobs = shown.list();
    html! {
        section aria-labelledby="history" {
            h2 #history { "Each step" }
            p { "dsr recorded each step when it happened. It recorded the start of sending before the first byte left." }
            table.history {
                thead { tr { th scope="col" { "Time (UTC)" } th scope="col" { "What" } } }
                @for job in jobs { (history(job)) }
            }
        }
    }
}

fn history(job: &JobFacts) -> Markup {
    let lines = job.steps.len();
    html! {
        tbody {
            tr.head { th colspan="2" scope="rowgroup" {
                "Job " (number_of(&job.id)) small { ", " code { "subject_request_id" } " " code { (job.subject_request_id) } }
            } }
            @for (place, step) in job.steps.iter().take(MOST_LINES).enumerate() {
                tr {
                    td.time { (moment(step.at)) }
                    td {
                        @match (attempt_of(job, place), step.to) {
                            (Some(attempt), JobState::Sending) if !attempt.is_certain => "may have been sent in the lost time",
                            (None, JobState::Accepted) if job.submitted_at.is_none() => "the operator named the task",
                            (attempt, to) => {
                                (words::step(to))
                                @if let Some(attempt) = attempt { (outcome(attempt)) }
                            }
                        }
                        @if let (Some(by), Some(command)) = (&step.by, &step.command) { small { ", " (Visible(by)) ", " (command) } }
                    }
                }
            }
            @if lines > MOST_LINES { tr { td {} td { "The JSON of this report has " (count(lines - MOST_LINES)) " more steps." } } }
            @if let Some(at) = job.given_up_at { tr { td.time { (moment(at)) } td { "The operator abandoned this job. Its outcome stays unknown." } } }
            @if lines == 0 && job.given_up_at.is_none() { tr { td {} td { "Nothing has happened yet." } } }
        }
    }
}

/// The attempt that a step began or ended: a step to `sending` begins one, the next step ends it.
fn attempt_of(job: &JobFacts, place: usize) -> Option<&Attempt> {
    let before = job.steps[..=place].iter();
    let begun = before.filter(|step| step.to == JobState::Sending).count();
    let step = &job.steps[place];
    let touches = step.to == JobState::Sending || step.from == JobState::Sending;
    let attempt = job
        .attempts
        .iter()
        .find(|attempt| attempt.number as usize == begun);
    attempt.filter(|_| touches)
}

fn outcome(attempt: &Attempt) -> Markup {
    html! {
        small {
            " ("
            @if attempt.is_certain { "attempt " (attempt.number) } @else { "may not have been sent" }
            @if let Some(reason) = &attempt.reason { ": " (Visible(reason)) }
            ")"
        }
    }
}

/// Who did what, apart from the steps of jobs.
pub(super) fn deeds(request: &RequestFacts) -> Markup {
    html! {
        section aria-labelledby="deeds" {
            h2 #deeds { "Who did what" }
            @if request.deeds.is_empty() {
                p { "The audit trail has no entry for this request." }
            } @else {
                table.cards {
                    thead { tr { th scope="col" { "Time (UTC)" } th scope="col" { "What" } th scope="col" { "Who" } th scope="col" { "Command" } th.number scope="col" { "Entry" } } }
                    tbody { @for deed in &request.deeds {
                        tr {
                            td.time data-label="Time (UTC)" { (moment(deed.at)) }
                            th scope="row" { (deed_text(request, &deed.event)) @if let Some(job) = deed.job { ", job " (job) } }
                            td data-label="Who" { (Visible(&deed.by)) }
                            td data-label="Command" { code { (Visible(&deed.command)) } }
                            td.number data-label="Entry" { (count(deed.entry)) }
                        }
                    } }
                }
            }
            @if request.other_deeds > 0 { p.note { "The audit trail has " (counted(request.other_deeds as u64, "more entry", "more entries")) "." } }
        }
    }
}

/// What was done, by what became of it.
fn deed_text<'d>(request: &RequestFacts, event: &'d str) -> &'d str {
    let is_all_done = request
        .groups
        .iter()
        .all(|group| group.state == JobState::Done);
    match event == "cancellation_asked" && is_all_done {
        true => words::CANCELLED_TOO_LATE,
        false => words::deed(event),
    }
}

/// The ids, if requested.
pub(super) fn ids(shown: &JobsShown) -> Markup {
    html! {
        section aria-labelledby="ids" {
            h2 #ids { "The ids (personal data)" }
            @for (job, ids) in &shown.ids {
                h3 { "Job " (number_of(job)) }
                ul.ids { @for id in ids { li { (Visible(id)) } } }
            }
            @if shown.more_ids > 0 { p.note { "The table (CSV) and the JSON have " (counted(shown.more_ids as u64, "more id", "more ids")) "." } }
            @if shown.without_ids > 0 {
                p.note { "The ledger no longer has the ids of " (counted(shown.without_ids as u64, "job", "jobs")) ". It keeps keyed hashes instead." }
            }
        }
    }
}

fn state(state: JobState) -> Markup {
    let class = match state {
        JobState::Done => "badge good",
        JobState::Planned | JobState::Sending | JobState::Accepted | JobState::Running => {
            "badge open"
        }
        JobState::Deferred => "badge some",
        JobState::Unknown => "badge bad",
        JobState::Refused | JobState::Failed | JobState::Revoked => "badge none",
    };
    html! { span class=(class) { (words::state(state)) } }
}

/// `q7tz0xmab2cd3ef4-12` is job 12.
fn number_of(job: &str) -> &str {
    job.rsplit('-').next().unwrap_or(job)
}

fn or_dash(text: Option<&str>) -> Markup {
    html! { @match text { Some(text) => (Visible(text)), None => "–" } }
}

fn time_or_dash(time: Option<chrono::DateTime<chrono::Utc>>) -> String {
    time.map_or_else(|| "–".to_owned(), moment)
}
