//! A task: the terms of its request, and how each is written on the wire. Holds no rule about time
//! (`lifecycle`) and no SQL (`store`).

use super::clock::Moment;
use super::lifecycle::{Status, Times};

/// An enum of which each variant has one word.
macro_rules! words {
    ($(#[$about:meta])* $name:ident { $($variant:ident => $word:literal,)* }) => {
        $(#[$about])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(super) enum $name { $($variant,)* }

        impl $name {
            pub(super) const ALL: [Self; [$($word),*].len()] = [$(Self::$variant),*];

            pub(super) fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word,)* }
            }
        }
    };
}

words! {
    /// Which of the two endpoints a task belongs to.
    Kind {
        Retrieval => "retrieval",
        Deletion => "deletion",
    }
}

words! {
    /// The `compliance_type`.
    Law {
        Gdpr => "GDPR",
        Ccpa => "CCPA",
    }
}

words! {
    /// The `disclosure_type` of a CCPA retrieval.
    Disclosure {
        Data => "Data",
        Categories => "Categories",
        Sources => "Sources",
    }
}

words! {
    /// Which documented form the task's replies take, for as long as it lives.
    ReplyShape {
        Object => "object",
        List => "list",
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
