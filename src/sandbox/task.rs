//! A task: the terms of its request, and how each is written on the wire. Holds no rule about time
//! (`lifecycle`) and no SQL (`store`).

use super::clock::Moment;
use super::lifecycle::{Status, Times};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Retrieval,
    Deletion,
}

impl Kind {
    pub(super) const ALL: [Self; 2] = [Self::Retrieval, Self::Deletion];

    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Retrieval => "retrieval",
            Self::Deletion => "deletion",
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Law {
    Gdpr,
    Ccpa,
}

impl Law {
    pub(super) const ALL: [Self; 2] = [Self::Gdpr, Self::Ccpa];

    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Gdpr => "GDPR",
            Self::Ccpa => "CCPA",
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Disclosure {
    Data,
    Categories,
    Sources,
}

impl Disclosure {
    pub(super) const ALL: [Self; 3] = [Self::Data, Self::Categories, Self::Sources];

    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Data => "Data",
            Self::Categories => "Categories",
            Self::Sources => "Sources",
        }
    }
}

/// The documented form of all replies about a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ReplyShape {
    Object,
    List,
}

impl ReplyShape {
    pub(super) const ALL: [Self; 2] = [Self::Object, Self::List];

    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Object => "object",
            Self::List => "list",
        }
    }
}

/// A create call whose body passed every check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct CreateCall {
    pub(super) kind: Kind,
    pub(super) law: Law,
    pub(super) disclosure: Disclosure,
    /// As received: in order, with duplicates.
    pub(super) distinct_ids: Vec<String>,
    pub(super) subject_request_id: Option<String>,
    pub(super) status_callback_urls: Vec<String>,
}

#[derive(Clone, Debug)]
pub(super) struct Task {
    pub(super) id: String,
    pub(super) project: String,
    pub(super) shape: ReplyShape,
    pub(super) times: Times,
    pub(super) order: CreateCall,
}

impl Task {
    pub(super) fn status(&self, now: Moment) -> Status {
        self.times.status(now)
    }
}
