//! Decides what to do about the answer to a create, by the table in docs/design/doubt.md. Pure: it
//! remembers how the service has behaved, and returns an action and a wait. It never sends, sleeps
//! or records.

use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBackoff, ExponentialBuilder};
use chrono::{DateTime, TimeDelta, Utc};

use crate::domain::{DistinctId, JobState, TaskId};
use crate::ledger::Outcome;
use crate::mixpanel::CreateAnswer;

/// Tries of a connection that fails.
const MAX_CONNECTION_TRIES: u32 = 5;
/// After this many unclear answers in a row, dsr stops sending.
const MAX_UNKNOWN_IN_A_ROW: u32 = 3;

#[derive(Debug)]
pub(crate) enum Act {
    Record(Outcome),
    Cut,
    /// Nothing was created: link these ids to these tasks, and send the rest as its own job.
    Link {
        ids: Vec<DistinctId>,
        tasks: Vec<TaskId>,
    },
    /// One of these tasks may be the job's own, whose answer was lost: adopt it if it has all our
    /// ids. If none has, the first POST was not accepted: link the named ids to their tasks.
    Adopt {
        ids: Vec<DistinctId>,
        tasks: Vec<TaskId>,
    },
}

/// How the run goes on with this project.
#[derive(Debug)]
pub(crate) enum Next {
    GoOn,
    /// Send nothing of the project for this long.
    Pause(Duration),
    Stop(Stop),
}

#[derive(Debug)]
pub(crate) struct Verdict {
    pub(crate) act: Act,
    /// For the operator.
    pub(crate) reason: Option<String>,
    /// The server wants no call of the project before this time, from any process.
    pub(crate) closed_until: Option<DateTime<Utc>>,
    pub(crate) next: Next,
}

/// Why dsr stopped sending a project's jobs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stop {
    /// 401 or 403. dsr sends no more of the project's jobs.
    NotAllowed { http_status: u16, message: String },
    /// The connection could not be made.
    Unreachable { reason: String },
    /// The rate limit lasted longer than the allowed wait.
    RateLimited,
    /// Several unclear answers in a row.
    Unclear { reason: String },
    /// The request's project has no client.
    NoProject,
    /// An answer does not fit what was sent.
    Contradiction,
}

/// Whether the operator wants an unknown job sent again, whatever happened to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Word {
    None,
    SendAgain,
}

/// How a project's service behaves in this run.
pub(crate) struct Temper {
    max_wait: Duration,
    connection_waits: ExponentialBackoff,
    connection_tries: u32,
    limit_waits: ExponentialBackoff,
    /// Since when the rate limit has applied.
    limited_since: Option<DateTime<Utc>>,
    unknown_in_a_row: u32,
}

impl Temper {
    /// `max_wait` limits a wait for the rate limit.
    pub(crate) fn new(max_wait: Duration) -> Self {
        Self {
            max_wait,
            connection_waits: connection_waits(),
            connection_tries: 0,
            limit_waits: limit_waits(),
            limited_since: None,
            unknown_in_a_row: 0,
        }
    }

    pub(crate) fn judge(&mut self, answer: CreateAnswer, now: DateTime<Utc>) -> Verdict {
        self.notice(&answer);
        match answer {
            CreateAnswer::Accepted { task } => record(Outcome::Accepted(task), None, Next::GoOn),
            CreateAnswer::NotSent { reason } => {
                let next = self.no_connection(reason.as_str());
                record(Outcome::NotCreated, Some(reason.into()), next)
            }
            CreateAnswer::Deferred { retry_after } => {
                let (until, next) = self.limited(retry_after, now);
                let reason = Some("Mixpanel's rate limit (429)".to_owned());
                record(Outcome::Deferred(until), reason, next)
            }
            CreateAnswer::TooLarge { message } => act(Act::Cut, too_large_reason(message.as_str())),
            CreateAnswer::Conflict { ids, tasks } => {
                let reason = conflict_reason(ids.len(), &tasks);
                act(Act::Link { ids, tasks }, reason)
            }
            CreateAnswer::ForeignConflict { ids } => {
                let reason = foreign_conflict(ids);
                record(
                    Outcome::NotCreated,
                    Some(reason),
                    Next::Stop(Stop::Contradiction),
                )
            }
            CreateAnswer::Refused {
                http_status,
                message,
            } => {
                let reason = format!("Mixpanel refused it ({http_status}): {message}");
                record(Outcome::Refused, Some(reason), Next::GoOn)
            }
            CreateAnswer::NotAllowed {
                http_status,
                message,
            } => {
                let reason = format!("Mixpanel refused the token ({http_status}): {message}");
                record(
                    Outcome::NotCreated,
                    Some(reason),
                    Next::Stop(Stop::NotAllowed {
                        http_status,
                        message: message.into(),
                    }),
                )
            }
            CreateAnswer::AcceptedUnread { reason } => {
                let next = self.unclear(reason.as_str());
                record(Outcome::AcceptedUnread, Some(reason.into()), next)
            }
            CreateAnswer::Unknown { reason } => {
                let next = self.unclear(reason.as_str());
                record(Outcome::Unknown, Some(reason.into()), next)
            }
        }
    }

    /// Decides about the answer to a repeated POST for an unknown job. Only a task settles the job;
    /// after any other answer it stays unknown.
    pub(crate) fn judge_again(
        &mut self,
        answer: CreateAnswer,
        word: Word,
        now: DateTime<Utc>,
    ) -> Verdict {
        self.notice(&answer);
        // The answer is about this POST alone: it created nothing.
        let still =
            |state, reason: String, next| record(Outcome::Unsettled(state), Some(reason), next);
        match answer {
            // The ledger knows of the earlier POST, and notes that there may be two tasks.
            CreateAnswer::Accepted { task } => record(Outcome::Accepted(task), None, Next::GoOn),
            CreateAnswer::Conflict { ids, tasks } => {
                let conflict = conflict_reason(ids.len(), &tasks);
                let reason = format!("sent once more: {conflict}");
                act(Act::Adopt { ids, tasks }, reason)
            }
            CreateAnswer::NotSent { reason } => {
                let next = self.no_connection(reason.as_str());
                still(JobState::Planned, reason.into(), next)
            }
            CreateAnswer::Deferred { retry_after } => {
                let (until, next) = self.limited(retry_after, now);
                let reason = "Mixpanel's rate limit (429) kept dsr from resolving it";
                Verdict {
                    closed_until: Some(until),
                    ..still(JobState::Deferred, reason.to_owned(), next)
                }
            }
            CreateAnswer::TooLarge { message } if word == Word::SendAgain => {
                act(Act::Cut, too_large_reason(message.as_str()))
            }
            CreateAnswer::TooLarge { message } => {
                still(JobState::Refused, message.into(), Next::GoOn)
            }
            CreateAnswer::ForeignConflict { ids } => still(
                JobState::Planned,
                foreign_conflict(ids),
                Next::Stop(Stop::Contradiction),
            ),
            CreateAnswer::Refused {
                http_status,
                message,
            } => still(
                JobState::Refused,
                format!("sent once more, it was refused ({http_status}): {message}"),
                Next::GoOn,
            ),
            CreateAnswer::NotAllowed {
                http_status,
                message,
            } => still(
                JobState::Planned,
                format!("Mixpanel refused the token ({http_status}): {message}"),
                Next::Stop(Stop::NotAllowed {
                    http_status,
                    message: message.into(),
                }),
            ),
            CreateAnswer::AcceptedUnread { reason } => {
                let next = self.unclear(reason.as_str());
                record(Outcome::AcceptedUnread, Some(reason.into()), next)
            }
            CreateAnswer::Unknown { reason } => {
                let next = self.unclear(reason.as_str());
                record(Outcome::Unknown, Some(reason.into()), next)
            }
        }
    }

    /// Any other answer ends a row of unclear ones.
    fn notice(&mut self, answer: &CreateAnswer) {
        if !matches!(
            answer,
            CreateAnswer::Unknown { .. } | CreateAnswer::AcceptedUnread { .. }
        ) {
            self.unknown_in_a_row = 0;
        }
        if !matches!(answer, CreateAnswer::NotSent { .. }) {
            self.connection_tries = 0;
            self.connection_waits = connection_waits();
        }
        if !matches!(answer, CreateAnswer::Deferred { .. }) {
            self.limited_since = None;
            self.limit_waits = limit_waits();
        }
    }

    fn no_connection(&mut self, reason: &str) -> Next {
        self.connection_tries += 1;
        if self.connection_tries > MAX_CONNECTION_TRIES {
            let reason = reason.to_owned();
            return Next::Stop(Stop::Unreachable { reason });
        }
        Next::Pause(self.connection_waits.next().unwrap_or_default())
    }

    /// When the rate limit ends, and whether there is time to wait for that.
    fn limited(
        &mut self,
        retry_after: Option<Duration>,
        now: DateTime<Utc>,
    ) -> (DateTime<Utc>, Next) {
        let doubled = self.limit_waits.next().unwrap_or_default();
        let wait = retry_after.unwrap_or(doubled);
        let until = now + TimeDelta::from_std(wait).unwrap_or(TimeDelta::hours(24));
        let since = *self.limited_since.get_or_insert(now);
        let spent = (until - since).to_std().unwrap_or_default();
        let next = match spent > self.max_wait {
            true => Next::Stop(Stop::RateLimited),
            false => Next::Pause(wait),
        };
        (until, next)
    }

    fn unclear(&mut self, reason: &str) -> Next {
        self.unknown_in_a_row += 1;
        if self.unknown_in_a_row >= MAX_UNKNOWN_IN_A_ROW {
            let reason = reason.to_owned();
            return Next::Stop(Stop::Unclear { reason });
        }
        Next::GoOn
    }
}

fn record(outcome: Outcome, reason: Option<String>, next: Next) -> Verdict {
    Verdict {
        act: Act::Record(outcome),
        reason,
        closed_until: None,
        next,
    }
}

fn act(act: Act, reason: String) -> Verdict {
    Verdict {
        act,
        reason: Some(reason),
        closed_until: None,
        next: Next::GoOn,
    }
}

fn too_large_reason(message: &str) -> String {
    format!("more ids than Mixpanel accepts at once: {message}")
}

pub(crate) fn conflict_reason(ids: usize, tasks: &[TaskId]) -> String {
    let tasks: Vec<&str> = tasks.iter().map(TaskId::as_str).collect();
    match tasks.join(", ") {
        tasks if tasks.is_empty() => format!("{ids} of its ids are being deleted already"),
        tasks => format!("{ids} of its ids are being deleted already (task {tasks})"),
    }
}

fn foreign_conflict(ids: usize) -> String {
    match ids {
        0 => "Mixpanel reports a conflict, but not its ids and tasks (409)".to_owned(),
        _ => format!("Mixpanel reports a conflict about {ids} ids that dsr did not send (409)"),
    }
}

fn connection_waits() -> ExponentialBackoff {
    waits(Duration::from_millis(500), Duration::from_secs(10))
}

fn limit_waits() -> ExponentialBackoff {
    waits(Duration::from_secs(1), Duration::from_secs(15 * 60))
}

fn waits(shortest: Duration, longest: Duration) -> ExponentialBackoff {
    ExponentialBuilder::new()
        .with_min_delay(shortest)
        .with_max_delay(longest)
        .with_jitter()
        .without_max_times()
        .build()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mixpanel::Words;

    fn noon() -> DateTime<Utc> {
        "2026-11-22T12:00:00Z".parse().unwrap()
    }

    fn temper() -> Temper {
        Temper::new(Duration::from_secs(900))
    }

    fn task() -> TaskId {
        TaskId::new("t-1").unwrap()
    }

    fn unknown() -> CreateAnswer {
        CreateAnswer::Unknown {
            reason: Words::ours("reset"),
        }
    }

    fn not_sent() -> CreateAnswer {
        CreateAnswer::NotSent {
            reason: Words::ours("refused"),
        }
    }

    fn limited(seconds: Option<u64>) -> CreateAnswer {
        CreateAnswer::Deferred {
            retry_after: seconds.map(Duration::from_secs),
        }
    }

    #[test]
    fn a_connection_is_tried_five_times_more() {
        let mut temper = temper();
        for _ in 0..MAX_CONNECTION_TRIES {
            let verdict = temper.judge(not_sent(), noon());
            assert!(matches!(verdict.act, Act::Record(Outcome::NotCreated)));
            assert!(matches!(verdict.next, Next::Pause(wait) if wait <= Duration::from_secs(20)));
        }
        let verdict = temper.judge(not_sent(), noon());
        assert!(matches!(verdict.next, Next::Stop(Stop::Unreachable { .. })));
    }

    #[test]
    fn a_rate_limit_is_waited_out_up_to_the_allowed_time() {
        let mut temper = temper();
        let verdict = temper.judge(limited(Some(600)), noon());
        assert!(matches!(verdict.next, Next::Pause(wait) if wait.as_secs() == 600));
        let later = noon() + TimeDelta::seconds(600);
        let verdict = temper.judge(limited(Some(301)), later);
        assert!(matches!(verdict.next, Next::Stop(Stop::RateLimited)));
        assert!(
            matches!(verdict.act, Act::Record(Outcome::Deferred(until)) if until == later + TimeDelta::seconds(301))
        );
        temper.judge(CreateAnswer::Accepted { task: task() }, later);
        let verdict = temper.judge(limited(Some(301)), later);
        assert!(matches!(verdict.next, Next::Pause(_)), "the row is over");
    }

    #[test]
    fn without_retry_after_the_waits_double_up_to_15_minutes() {
        let mut temper = Temper::new(Duration::MAX);
        let mut last = Duration::ZERO;
        for round in 0..20 {
            let Next::Pause(wait) = temper.judge(limited(None), noon()).next else {
                panic!("stopped");
            };
            assert!(wait >= Duration::from_secs(1) && wait <= Duration::from_secs(2 * 900));
            if round > 12 {
                assert!(wait >= Duration::from_secs(900));
            }
            last = wait;
        }
        assert!(last >= Duration::from_secs(900));
    }

    #[test]
    fn three_unclear_answers_in_a_row_stop_the_run() {
        let mut temper = temper();
        for _ in 0..2 {
            assert!(matches!(temper.judge(unknown(), noon()).next, Next::GoOn));
        }
        temper.judge(CreateAnswer::Accepted { task: task() }, noon());
        for _ in 0..2 {
            assert!(matches!(
                temper.judge_again(unknown(), Word::None, noon()).next,
                Next::GoOn
            ));
        }
        let next = temper.judge(unknown(), noon()).next;
        assert!(matches!(next, Next::Stop(Stop::Unclear { .. })));
    }

    #[test]
    fn only_a_task_settles_an_unknown_job() {
        let id = DistinctId::new("user-17").unwrap();
        let answers = [
            unknown(),
            not_sent(),
            limited(None),
            CreateAnswer::TooLarge {
                message: Words::ours(""),
            },
            CreateAnswer::ForeignConflict { ids: 1 },
            CreateAnswer::Refused {
                http_status: 400,
                message: Words::ours(""),
            },
            CreateAnswer::NotAllowed {
                http_status: 401,
                message: Words::ours(""),
            },
        ];
        for answer in answers {
            let shown = format!("{answer:?}");
            let act = temper().judge_again(answer, Word::None, noon()).act;
            let stays = matches!(act, Act::Record(Outcome::Unknown | Outcome::Unsettled(_)));
            assert!(stays, "{shown}");
        }
        let conflict = CreateAnswer::Conflict {
            ids: vec![id],
            tasks: vec![task()],
        };
        let act = temper().judge_again(conflict, Word::None, noon()).act;
        assert!(matches!(act, Act::Adopt { .. }));
        let accepted = CreateAnswer::Accepted { task: task() };
        let verdict = temper().judge_again(accepted, Word::None, noon());
        assert!(matches!(verdict.act, Act::Record(Outcome::Accepted(_))));
    }

    #[test]
    fn a_rate_limit_on_a_repeated_post_also_pauses_the_project() {
        let wait = Duration::from_secs(30);
        let verdict = temper().judge_again(limited(Some(30)), Word::None, noon());
        assert_eq!(verdict.closed_until, Some(noon() + wait));
        assert!(matches!(verdict.next, Next::Pause(pause) if pause == wait));
    }
}
