use std::collections::HashSet;
use std::time::Duration;

use secrecy::SecretString;

use crate::domain::{DistinctId, TaskId, TaskStatus};

use super::Words;

/// What an answer shows about the OAuth token itself, whatever it says about a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenStanding {
    Accepted,
    /// 401. A 403 is about what the token's owner may do, not about the token.
    Rejected,
}

/// What an answer to a POST that creates a task means.
#[derive(Debug)]
pub enum CreateAnswer {
    /// Mixpanel has a task for it.
    Accepted { task: TaskId },
    /// Mixpanel has taken it, and does not say readably as which one task.
    AcceptedUnread { reason: Words },
    /// The connection was never made: not a byte of it left.
    NotSent { reason: Words },
    /// 429, whatever the body: not created. `retry_after` only if the server gave a sane one.
    Deferred { retry_after: Option<Duration> },
    /// More ids than the server takes: not created.
    TooLarge { message: Words },
    /// Some ids have active deletions already, in these tasks if any is named: nothing was created.
    Conflict {
        ids: Vec<DistinctId>,
        tasks: Vec<TaskId>,
    },
    /// A conflict over ids that were not sent: the answer is not to this request.
    ForeignConflict { ids: usize },
    /// A complete answer that says no: not created.
    Refused { http_status: u16, message: Words },
    /// 401 or 403: not created, and nothing else will be with this token.
    NotAllowed { http_status: u16, message: Words },
    /// It may or may not have been created.
    Unknown { reason: Words },
}

/// What an answer to a question about a task means.
#[derive(Debug)]
pub enum StatusAnswer {
    Known {
        /// The task that the answer names, if it does.
        task: Option<TaskId>,
        status: TaskStatus,
        /// Where a finished export can be fetched; whoever has the link has the data.
        link: Option<SecretString>,
        /// The ids the task is about, if the answer names them.
        ids: Option<HashSet<String>>,
    },
    /// No such task here: wrong project, region or token, or long gone.
    NotFound,
    Deferred {
        retry_after: Option<Duration>,
    },
    /// 401 or 403. The server's words are left out: they may name ids, which are not at hand here.
    NotAllowed {
        http_status: u16,
    },
    /// Says nothing about the task; ask again later.
    Unclear {
        reason: Words,
    },
}

/// What an answer to the cancelling of a deletion means.
#[derive(Debug)]
pub enum CancelAnswer {
    Cancelled,
    /// The connection was never made: not a byte of it left.
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
    /// It may or may not have been cancelled; a look at its status decides.
    Unclear {
        reason: Words,
    },
}
