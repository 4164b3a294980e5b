//! A task: the terms of its request, and how each is written on the wire. Holds no rule about time
//! (`lifecycle`) and no SQL (`store`).

use super::clock::Moment;
use super::lifecycle::{Status, Times};

/// An enum of which each variant has one word.
macro_rules! words {
    ($(#[$about:meta])* $name:ident { $($variant:ident => $word:literal,)* }) => {
        $(#[$about])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum $name { $($variant,)* }

        impl $name {
            pub(crate) const ALL: [Self; [$($word),*].len()] = [$(Self::$variant),*];

            pub(crate) fn as_str(self) -> &'static str {
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
pub(crate) struct CreateCall {
    pub(crate) kind: Kind,
    pub(crate) law: Law,
    pub(crate) disclosure: Disclosure,
    /// As received: in order, with duplicates.
    pub(crate) distinct_ids: Vec<String>,
    pub(crate) subject_request_id: Option<String>,
    pub(crate) status_callback_urls: Vec<String>,
}

#[derive(Clone, Debug)]
pub(crate) struct Task {
    pub(crate) id: String,
    pub(crate) project: String,
    pub(crate) shape: ReplyShape,
    pub(crate) times: Times,
    pub(crate) order: CreateCall,
}

impl Task {
    pub(crate) fn status(&self, now: Moment) -> Status {
        self.times.status(now)
    }
}
