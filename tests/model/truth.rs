//! What really happened at the fake of Mixpanel.

use std::collections::BTreeSet;
use std::time::Instant;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    Delete,
    Export,
}

impl Kind {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Delete => "delete",
            Self::Export => "export",
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Status {
    Pending,
    Started,
    Success,
    Failure,
    Revoked,
}

impl Status {
    pub(crate) fn active(self) -> bool {
        matches!(self, Self::Pending | Self::Started)
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Pending => "PENDING",
            Self::Started => "STARTED",
            Self::Success => "SUCCESS",
            Self::Failure => "FAILURE",
            Self::Revoked => "REVOKED",
        }
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Task {
    pub(crate) id: String,
    pub(crate) kind: Kind,
    pub(crate) ids: BTreeSet<String>,
    pub(crate) status: Status,
    pub(crate) accepted: u128,
    pub(crate) ended: Option<u128>,
    /// The POST that made it; `None` for somebody else's task.
    pub(crate) post: Option<usize>,
    /// The tasks that the same POST made.
    pub(crate) siblings: Vec<String>,
    /// Whether its status names its ids.
    pub(crate) shows_ids: bool,
}

/// A POST that was read whole.
#[derive(Clone, Debug)]
pub(crate) struct Post {
    pub(crate) at: u128,
    pub(crate) run: String,
    pub(crate) kind: Kind,
    pub(crate) ids: BTreeSet<String>,
    pub(crate) subject: Option<String>,
    pub(crate) fault: String,
    pub(crate) answer: String,
    pub(crate) tasks: Vec<String>,
}

pub(crate) struct Truth {
    start: Instant,
    pub(crate) tasks: Vec<Task>,
    pub(crate) posts: Vec<Post>,
    pub(crate) calls: Vec<u128>,
    /// Runs that were answered 401 or 403, when, and to what.
    pub(crate) turned_away: Vec<(String, u128, String)>,
    /// What the fake itself finds wrong with dsr's calls.
    pub(crate) complaints: Vec<(&'static str, String)>,
    pub(crate) log: Vec<String>,
}

impl Truth {
    pub(crate) fn new() -> Self {
        Self {
            start: Instant::now(),
            tasks: Vec::new(),
            posts: Vec::new(),
            calls: Vec::new(),
            turned_away: Vec::new(),
            complaints: Vec::new(),
            log: Vec::new(),
        }
    }

    pub(crate) fn now(&self) -> u128 {
        self.start.elapsed().as_millis()
    }

    pub(crate) fn task(&self, id: &str) -> Option<&Task> {
        self.tasks.iter().find(|task| task.id == id)
    }

    pub(crate) fn set(&mut self, id: &str, status: Status) {
        let now = self.now();
        if let Some(task) = self.tasks.iter_mut().find(|task| task.id == id) {
            task.status = status;
            if !status.active() {
                task.ended = Some(now);
            }
            self.log
                .push(format!("      {now} ms: task {id} is {}", status.name()));
        }
    }
}
