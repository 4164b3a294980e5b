use std::collections::HashSet;
use std::time::Duration;

use chrono::NaiveDateTime;
use secrecy::SecretString;

use crate::domain::{DistinctId, TaskId, TaskStatus};

use super::Words;

/// What an answer shows about the OAuth token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenStanding {
    Accepted,
    /// 401. A 403 concerns the rights of the token's owner, not the token.
    Rejected,
}

/// What an answer to a POST that creates a task means.
#[derive(Debug)]
pub enum CreateAnswer {
    /// Mixpanel has a task for it.
    Accepted { task: TaskId },
    /// Mixpanel accepted it, but not with exactly one readable task id.
    AcceptedUnread { reason: Words },
    /// No connection was made, so not a byte was sent.
    NotSent { reason: Words },
    /// 429 with any body: not created. `retry_after` only if the server's value is sane.
    Deferred { retry_after: Option<Duration> },
    /// More ids than the server accepts: not created.
    TooLarge { message: Words },
    /// Some ids have active deletions, in these tasks if the answer names any: nothing was created.
    Conflict {
        ids: Vec<DistinctId>,
        tasks: Vec<TaskId>,
    },
    /// A conflict over ids that dsr did not send, so the answer is for another request.
    ForeignConflict { ids: usize },
    /// A complete refusal: not created.
    Refused { http_status: u16, message: Words },
    /// 401 or 403: not created, and no other call with this token will be.
    NotAllowed { http_status: u16, message: Words },
    /// It may or may not have been created.
    Unknown { reason: Words },
}

/// When a task was made, if Mixpanel says so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TaskMade {
    Unsaid,
    /// In UTC if Mixpanel names a zone, else by a clock of unknown zone.
    At(NaiveDateTime),
    /// Mixpanel says it in a form that dsr does not know.
    Unreadable,
}

/// What Mixpanel says about a task.
#[derive(Debug)]
pub struct TaskAnswer {
    /// The task that the answer names, if any.
    pub task: Option<TaskId>,
    pub status: TaskStatus,
    pub made: TaskMade,
    /// The link to a done export; anyone with the link has the data.
    pub link: Option<SecretString>,
    /// The task's ids, if the answer names them.
    pub ids: Option<HashSet<String>>,
}

/// What an answer to a question about a task means.
#[derive(Debug)]
pub enum StatusAnswer {
    Known(TaskAnswer),
    /// No such task: wrong project, region or token, or long gone.
    NotFound,
    Deferred {
        retry_after: Option<Duration>,
    },
    /// 401 or 403. Without the server's words: they may quote ids that dsr cannot check here.
    NotAllowed {
        http_status: u16,
    },
    /// The answer says nothing about the task; ask again later.
    Unclear {
        reason: Words,
    },
}

/// What an answer to the cancelling of a deletion means.
#[derive(Debug)]
pub enum CancelAnswer {
    Cancelled,
    /// No connection was made, so not a byte was sent.
    NotSent {
        reason: Words,
    },
    /// 405: Mixpanel has started it.
    AlreadyStarted,
    NotFound,
    Deferred {
        retry_after: Option<Duration>,
    },
    NotAllowed {
        http_status: u16,
    },
    /// It may or may not have been cancelled; its status decides.
    Unclear {
        reason: Words,
    },
}
