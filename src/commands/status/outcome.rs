//! How a run that submitted or asked ends: the last message and the exit status.

use chrono::{DateTime, NaiveDate, Utc};

use crate::commands::context::Context;
use crate::commands::failures::renewal;
use crate::credentials::{TokenOrigin, find_environments_token};
use crate::domain::{ExitStatus, JobState};
use crate::ledger::{JobGroup, RequestRecord};
use crate::ui::{Failure, number};
use crate::workflow::{self, RefreshTrouble, RunTally, Settles, Stop, SubmitReport, Waiting};

use super::deadlines;
pub(crate) use super::next_step::FollowEnd;
use super::next_step::next_step;

/// Who may use the API, in the words of Mixpanel's pages.
pub(crate) const ELIGIBLE: &str = "the token's owner must be an owner or admin of the organization or the project (one of Mixpanel's pages says that everyone may)";

pub(crate) fn tell(
    ctx: &Context,
    report: &SubmitReport,
    troubles: &[RefreshTrouble],
    followed: FollowEnd,
) -> ExitStatus {
    let running = count_jobs(&report.requests, |group| group.state.is_followed());
    let not_found = count_not_found(&report.requests);
    let mut statuses = vec![report.exit_status()];
    statuses.extend(troubles.iter().filter_map(trouble_status));
    if not_found > 0 {
        statuses.push(ExitStatus::Failed);
    }
    if followed != FollowEnd::No && running > not_found {
        statuses.push(ExitStatus::Running);
    }
    let status = ExitStatus::most_pressing(statuses);
    match failure(ctx, status, report, troubles, followed) {
        Some(failure) => ctx.ui.fail(&failure),
        None => ctx.ui.note(&next_step(report, followed)),
    }
    status
}

pub(crate) fn standing_status(requests: &[RequestRecord], today: NaiveDate) -> ExitStatus {
    let groups = requests.iter().flat_map(|request| &request.groups);
    let overdue = requests
        .iter()
        .filter(|request| deadlines::is_due_within(request, today, -1))
        .map(|_| ExitStatus::Overdue);
    ExitStatus::most_pressing(groups.map(workflow::standing).chain(overdue))
}

/// Revoked without Mixpanel's word: they were not sent.
fn count_withdrawn(requests: &[RequestRecord]) -> usize {
    count_jobs(requests, |group| {
        group.state == JobState::Revoked && group.mixpanel_status.is_none()
    })
}

pub(crate) fn count_not_found(requests: &[RequestRecord]) -> usize {
    count_jobs(requests, JobGroup::is_not_found)
}

fn count_jobs(requests: &[RequestRecord], which: impl Fn(&JobGroup) -> bool) -> usize {
    let counts = requests.iter().map(|request| request.count_jobs(&which));
    counts.sum()
}

pub(crate) fn trouble_status(trouble: &RefreshTrouble) -> Option<ExitStatus> {
    match trouble {
        RefreshTrouble::NotAllowed { .. } => Some(ExitStatus::Auth),
        RefreshTrouble::Unreachable { .. } | RefreshTrouble::RateLimited => {
            Some(ExitStatus::Temporary)
        }
        RefreshTrouble::NoProject { .. } => Some(ExitStatus::Usage),
        RefreshTrouble::Interrupted => None,
    }
}

pub(crate) fn trouble_failure(ctx: &Context, trouble: &RefreshTrouble) -> Failure {
    let status = trouble_status(trouble).unwrap_or(ExitStatus::Interrupted);
    match trouble {
        RefreshTrouble::NotAllowed { http_status } => {
            not_allowed(ctx, *http_status, None, "dsr status")
        }
        RefreshTrouble::Unreachable { reason } => Failure::new(
            status,
            "temporary",
            format!("dsr could not ask Mixpanel about every job: {reason}"),
        )
        .hint("this is what the ledger knows; try `dsr status` again later"),
        RefreshTrouble::RateLimited => Failure::new(
            status,
            "temporary",
            "Mixpanel's rate limit kept dsr from asking about every job",
        )
        .hint("this is what the ledger knows; try `dsr status` again later"),
        RefreshTrouble::NoProject { project } => Failure::new(
            status,
            "project",
            format!("project `{project}` is no longer set up, or its token has changed"),
        )
        .hint("see `dsr project list`; `dsr status --cached` shows what the ledger knows"),
        RefreshTrouble::Interrupted => Failure::new(status, "interrupted", "interrupted"),
    }
}

/// `then` is the command to run again.
fn not_allowed(ctx: &Context, http_status: u16, message: Option<&str>, then: &str) -> Failure {
    let mut text = match http_status {
        401 => "Mixpanel refused the OAuth token (401)".to_owned(),
        _ => "Mixpanel does not allow this with this OAuth token (403)".to_owned(),
    };
    if let Some(message) = message {
        text.push_str(&format!(": {message}"));
    }
    let hint = format!("{}; then run `{then}`", other_token(ctx, http_status));
    Failure::new(ExitStatus::Auth, "not_allowed", text).hint(hint)
}

/// How to get a token that Mixpanel accepts, by where the refused one is kept.
pub(crate) fn other_token(ctx: &Context, http_status: u16) -> String {
    let renewal = match find_environments_token(&ctx.environment) {
        Ok(Some(token)) if !ctx.is_sandbox() => renewal(token.origin(), None),
        Ok(_) | Err(_) => format!(
            "{} (`dsr auth status` shows which token to replace)",
            renewal(TokenOrigin::Keyring, None)
        ),
    };
    match http_status {
        401 => renewal,
        _ => format!("{ELIGIBLE}; as that person, {renewal}"),
    }
}

fn failure(
    ctx: &Context,
    status: ExitStatus,
    report: &SubmitReport,
    troubles: &[RefreshTrouble],
    followed: FollowEnd,
) -> Option<Failure> {
    let fail = |kind, message: String| Failure::new(status, kind, message);
    let count = |state| count_jobs(&report.requests, |group| group.state == state);
    let unsettled = count_jobs(&report.requests, JobGroup::is_unsettled);
    let short = short_names(&report.requests);
    let unsent = count(JobState::Planned) + count(JobState::Deferred);
    let refusal = report.stops.iter().find_map(|stop| match stop {
        Stop::NotAllowed { http_status, .. } => Some(*http_status),
        _ => None,
    });
    match status {
        ExitStatus::Done => None,
        ExitStatus::Unknown => Some(
            fail(
                "unknown_outcome",
                format!(
                    "the outcome of {} is unknown: Mixpanel may or may not have carried {} out{}{}",
                    jobs(unsettled),
                    if unsettled == 1 { "it" } else { "them" },
                    rest_text(report),
                    refusal.map_or_else(String::new, |http_status| format!(
                        "; Mixpanel refused the token ({http_status})"
                    ))
                ),
            )
            .hint(match refusal {
                Some(http_status) => {
                    format!(
                        "{}; then {}",
                        other_token(ctx, http_status),
                        settle_hint(report)
                    )
                }
                None => settle_hint(report),
            }),
        ),
        ExitStatus::Auth => {
            let stopped = report.stops.iter().find_map(|stop| match stop {
                Stop::NotAllowed {
                    http_status,
                    message,
                } => Some(not_allowed(ctx, *http_status, Some(message), "dsr resume")),
                Stop::Unreachable { .. }
                | Stop::RateLimited
                | Stop::Unclear { .. }
                | Stop::NoProject
                | Stop::Contradiction => None,
            });
            stopped.or_else(|| {
                troubles
                    .first()
                    .map(|trouble| trouble_failure(ctx, trouble))
            })
        }
        ExitStatus::Failed => {
            let failed = count(JobState::Failed);
            let withdrawn = count_withdrawn(&report.requests);
            let revoked = count(JobState::Revoked) - withdrawn;
            let missing = count_not_found(&report.requests);
            let ends = [
                (failed, "failed"),
                (revoked, "revoked"),
                (missing, "not found"),
            ];
            let ends = ends.into_iter().filter(|(count, _)| *count > 0);
            let ends: Vec<String> = ends
                .map(|(count, end)| format!("{} {end}", number(count)))
                .collect();
            let reported =
                (!ends.is_empty()).then(|| format!("Mixpanel reports: {}", ends.join(", ")));
            // First what kept this run from its work: the other jobs may have ended long ago.
            let kept = match (unsent, troubles.first()) {
                (1.., _) => Some(unsent_text(unsent, report)),
                (0, Some(trouble)) => Some(trouble_failure(ctx, trouble).message),
                (0, None) => None,
            };
            let withdrawn =
                (withdrawn > 0).then(|| format!("{} cancelled before sending", jobs(withdrawn)));
            let parts: Vec<String> = kept.into_iter().chain(reported).chain(withdrawn).collect();
            Some(
                fail("failed", parts.join("; "))
                    .hint(match unsent {
                        0 => format!("see which with {}", look(&report.requests)),
                        _ => format!(
                            "nothing is lost; continue with `dsr resume{short}`; see the jobs that ended with {}",
                            look(&report.requests)
                        ),
                    }),
            )
        }
        ExitStatus::Refused => Some(
            fail("refused", refused_text(report))
                .hint(format!("see why with `dsr status{short} --cached`")),
        ),
        ExitStatus::Temporary if unsent == 0 => troubles
            .first()
            .map(|trouble| trouble_failure(ctx, trouble)),
        ExitStatus::Temporary => Some(fail("temporary", unsent_text(unsent, report)).hint(
            match report.waiting.first() {
                Some(waiting) if report.stops.is_empty() => waits_for(waiting).hint,
                _ => format!("nothing is lost; continue with `dsr resume{short}`"),
            },
        )),
        ExitStatus::Running => Some(
            fail(
                "running",
                "the jobs are accepted and still running".to_owned(),
            )
            .hint(format!("check again with `dsr status{short}`")),
        ),
        ExitStatus::HungUp | ExitStatus::Interrupted | ExitStatus::Terminated => {
            let (begin, all_sent) = match followed {
                FollowEnd::Watched => ("stopped watching", "the jobs continue"),
                FollowEnd::No | FollowEnd::ToTheEnd | FollowEnd::AndFetched => {
                    ("interrupted", "everything was sent")
                }
            };
            let message = match (unsettled, unsent) {
                (0, 0) => format!("{begin}; {all_sent}"),
                (0, _) => format!("{begin}; {} not sent yet", jobs(unsent)),
                (_, 0) => format!("{begin}; the outcome of {} is unknown", jobs(unsettled)),
                (_, _) => format!(
                    "{begin}; the outcome of {} is unknown, and {} not sent yet",
                    jobs(unsettled),
                    jobs(unsent)
                ),
            };
            let hint = match unsettled + unsent {
                0 => format!("follow it with `dsr status{short}`"),
                _ => format!("continue with `dsr resume{short}`"),
            };
            Some(fail("interrupted", message).hint(hint))
        }
        ExitStatus::Usage => Some(
            fail(
                "project",
                "a project is no longer set up, or its token has changed".to_owned(),
            )
            .hint("nothing was sent for it; see `dsr project list`"),
        ),
        ExitStatus::Bug
        | ExitStatus::Input
        | ExitStatus::Overdue
        | ExitStatus::Locked
        | ExitStatus::LocalIo => None,
    }
}

fn unsent_text(unsent: usize, report: &SubmitReport) -> String {
    format!(
        "{} could not be sent: {}",
        jobs(unsent),
        stop_reason(report)
    )
}

/// The command that shows the jobs that failed, were revoked or are not found. Lists leave out
/// closed requests.
fn look(requests: &[RequestRecord]) -> String {
    let ended = |group: &JobGroup| {
        matches!(group.state, JobState::Failed | JobState::Revoked) || group.is_not_found()
    };
    let mut with = requests
        .iter()
        .filter(|request| request.count_jobs(ended) > 0);
    match (with.next(), with.next()) {
        (Some(one), None) => format!("`dsr status {} --cached`", one.id.short()),
        _ => "`dsr status --all --cached`".to_owned(),
    }
}

fn stop_reason(report: &SubmitReport) -> String {
    let reason = report.stops.iter().find_map(|stop| match stop {
        Stop::Unreachable { reason } => Some(format!("Mixpanel cannot be reached ({reason})")),
        Stop::RateLimited => Some("Mixpanel's rate limit lasted longer than --max-wait".to_owned()),
        Stop::Unclear { reason } => Some(format!("Mixpanel's answers are unclear ({reason})")),
        Stop::NotAllowed { .. } | Stop::NoProject | Stop::Contradiction => None,
    });
    let waits = report.waiting.first().map(|waiting| waits_for(waiting).why);
    reason
        .or(waits)
        .unwrap_or_else(|| "another dsr is sending, or something stopped this dsr".to_owned())
}

fn settle_hint(report: &SubmitReport) -> String {
    let short = short_names(&report.requests);
    match (report.settling, report.requests.as_slice()) {
        (Settles::ByItself(until), _) => format!(
            "run `dsr resume{short}` {}, 15 minutes after the attempt",
            before(until)
        ),
        (Settles::ByWord, [one]) => by_word(one.id.short(), unsettled_jobs(one)),
        (Settles::ByWord, several) => {
            let most = several.iter().map(unsettled_jobs).max();
            by_word("REQUEST", most.unwrap_or(1))
        }
    }
}

/// `before 14:23 UTC`
pub(crate) fn before(until: DateTime<Utc>) -> String {
    until.format("before %H:%M UTC").to_string()
}

fn refused_text(report: &SubmitReport) -> String {
    if report.stops.contains(&Stop::Contradiction) {
        return "Mixpanel's answer does not match what dsr sent, so dsr sent nothing more"
            .to_owned();
    }
    let refused = count_jobs(&report.requests, |group| group.state == JobState::Refused);
    format!("Mixpanel refused {}{}", jobs(refused), rest_text(report))
}

/// Counts the jobs that are neither refused nor unknown: sent by this run, and still unsent.
fn rest_text(report: &SubmitReport) -> String {
    let count =
        |which: fn(JobState) -> bool| count_jobs(&report.requests, |group| which(group.state));
    let (refused, total) = (count(is_refused), count(|_| true));
    let unsent = count(JobState::is_sendable);
    let through = count(|state| state.is_followed() || state.is_final()) - refused;
    if refused > 0 && refused + through == total {
        return match through {
            0 => "; nothing was created".to_owned(),
            _ => "; the rest went through".to_owned(),
        };
    }
    let RunTally {
        sent,
        settled,
        linked,
    } = report.tally;
    let counts = [
        (sent, "sent"),
        (settled, "resolved"),
        (linked, "linked"),
        (unsent, "not sent"),
    ];
    let counts = counts.into_iter().filter(|(count, _)| *count > 0);
    let counts: Vec<String> = counts
        .map(|(count, what)| format!("{} {what}", jobs(count)))
        .collect();
    match counts.is_empty() {
        true => String::new(),
        false => format!("; {}", counts.join(", ")),
    }
}

fn is_refused(state: JobState) -> bool {
    state == JobState::Refused
}

fn unsettled_jobs(request: &RequestRecord) -> usize {
    request.count_jobs(JobGroup::is_unsettled)
}

/// How to settle unknown jobs that need the operator's decision.
pub(crate) fn by_word(request: &str, jobs: usize) -> String {
    match jobs {
        0 | 1 => format!(
            "find its task in Mixpanel and run `dsr resume {request} --task TASK_ID`; or use `--send-again` or `--abandon`"
        ),
        _ => format!(
            "for each unknown job, find its task in Mixpanel and run `dsr resume {request} --job N --task TASK_ID`; or use `--send-again` or `--abandon` for all"
        ),
    }
}

/// What to do about jobs that the operator abandoned.
pub(crate) fn given_up(request: &RequestRecord) -> String {
    let jobs = request.count_jobs(|group| group.is_abandoned);
    let these = match jobs {
        1 => "this job is".to_owned(),
        many => format!("these {} jobs are", number(many)),
    };
    format!("{these} abandoned and cannot be sent again: make a new request")
}

/// Why a job waits for another request, and what frees it.
pub(crate) struct WaitsFor {
    pub(crate) why: String,
    pub(crate) hint: String,
}

pub(crate) fn waits_for(waiting: &Waiting) -> WaitsFor {
    let own = waiting.job.request.short();
    let (other, number) = (waiting.on.id.request.short(), waiting.on.id.number);
    let has = format!("request {other} has some of its ids");
    let settle_by =
        |how: String| format!("resolve request {other} first: {how}; then run `dsr resume {own}`");
    let (why, hint) = match (waiting.on.state, waiting.settling) {
        (JobState::Unknown, Settles::ByItself(_)) => (
            format!("{has}, and the outcome of its job {number} is unknown"),
            settle_by(format!("run `dsr resume {other}`")),
        ),
        (JobState::Unknown, Settles::ByWord) => (
            format!("{has}, and the outcome of its job {number} is unknown"),
            settle_by(by_word(other, 1)),
        ),
        (JobState::Sending, _) => match waiting.vanished_until {
            Some(until) => (
                format!(
                    "{has}, and the dsr that was sending them is gone; its call may still arrive"
                ),
                settle_by(format!(
                    "run `dsr resume {other}` after {}",
                    until.format("%H:%M:%S UTC")
                )),
            ),
            None => (
                format!("{has}, and another dsr is sending them"),
                format!("when that dsr has ended, run `dsr resume {own}`"),
            ),
        },
        _ => (
            format!("{has} and is not sent yet"),
            format!("run `dsr resume {other}`, then `dsr resume {own}`"),
        ),
    };
    WaitsFor { why, hint }
}

fn jobs(count: usize) -> String {
    match count {
        1 => "1 job".to_owned(),
        _ => format!("{} jobs", number(count)),
    }
}

/// A request's name with a space before it, for a command. Empty for several requests: without a
/// name, commands take every open one.
fn short_names(requests: &[RequestRecord]) -> String {
    match requests {
        [one] => format!(" {}", one.id.short()),
        _ => String::new(),
    }
}
