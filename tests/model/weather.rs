//! How the fake behaves: which faults occur, and how often.

use crate::rng::Rng;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Fault {
    None,
    TooMany(Option<&'static str>),
    ServerErrorBefore,
    HtmlBefore,
    Refused,
    TooLarge,
    TooLarge413,
    Unauthorized,
    Forbidden,
    Redirect,
    DropBefore,
    HoldBefore,
    ErrorIn200,
    Conflict409Odd,
    NoId,
    Cut,
    Html200,
    ServerErrorAfter,
    DropAfter,
    HoldAfter,
    Late,
    Several,
    SameId,
    NotFound,
    UnknownWord,
    OtherIds,
    HollowCancel,
}

const POST: [Fault; 24] = [
    Fault::TooMany(None),
    Fault::TooMany(Some("1")),
    Fault::TooMany(Some("-5")),
    Fault::TooMany(Some("soon")),
    Fault::ServerErrorBefore,
    Fault::HtmlBefore,
    Fault::Refused,
    Fault::TooLarge,
    Fault::TooLarge413,
    Fault::Unauthorized,
    Fault::Forbidden,
    Fault::Redirect,
    Fault::DropBefore,
    Fault::ErrorIn200,
    Fault::Conflict409Odd,
    Fault::NoId,
    Fault::Cut,
    Fault::Html200,
    Fault::ServerErrorAfter,
    Fault::DropAfter,
    Fault::DropAfter,
    Fault::Late,
    Fault::Several,
    Fault::SameId,
];

const GET: [Fault; 9] = [
    Fault::TooMany(Some("1")),
    Fault::ServerErrorBefore,
    Fault::HtmlBefore,
    Fault::Html200,
    Fault::DropBefore,
    Fault::NotFound,
    Fault::UnknownWord,
    Fault::OtherIds,
    Fault::Forbidden,
];

const CANCEL: [Fault; 6] = [
    Fault::TooMany(Some("1")),
    Fault::ServerErrorBefore,
    Fault::ServerErrorAfter,
    Fault::DropAfter,
    Fault::Forbidden,
    Fault::HollowCancel,
];

pub(crate) struct Weather {
    post: Vec<Fault>,
    get: Vec<Fault>,
    cancel: Vec<Fault>,
    post_chance: usize,
    get_chance: usize,
    cancel_chance: usize,
    /// What the next POST meets, whatever the chances.
    pub(crate) next_post: Option<Fault>,
    pub(crate) fair: bool,
    /// A lie, to test the model: an accepted task is left out of the truth.
    pub(crate) forget_tasks: bool,
    /// Another lie: failed tasks are reported as done, and revoked ones as failed.
    pub(crate) wrong_ends: bool,
}

impl Weather {
    /// A few kinds of faults for each seed, so that they combine in many ways.
    pub(crate) fn of(rng: &mut Rng) -> Self {
        let mut some = |all: &[Fault], most: usize| {
            let count = 1 + rng.below(most);
            (0..count).map(|_| *rng.pick(all)).collect::<Vec<_>>()
        };
        let (post, get, cancel) = (some(&POST, 5), some(&GET, 3), some(&CANCEL, 2));
        Self {
            post,
            get,
            cancel,
            post_chance: *rng.pick(&[0, 15, 30, 50, 70]),
            get_chance: *rng.pick(&[0, 0, 10, 30]),
            cancel_chance: *rng.pick(&[0, 20, 50]),
            next_post: None,
            fair: false,
            forget_tasks: crate::setting("DSR_MODEL_LIE", 0) == 1,
            wrong_ends: crate::setting("DSR_MODEL_LIE", 0) == 2,
        }
    }

    pub(crate) fn post(&mut self, rng: &mut Rng) -> Fault {
        if let Some(fault) = self.next_post.take() {
            return fault;
        }
        Self::one(
            &self.post,
            if self.fair { 0 } else { self.post_chance },
            rng,
        )
    }

    pub(crate) fn get(&mut self, rng: &mut Rng) -> Fault {
        Self::one(&self.get, if self.fair { 0 } else { self.get_chance }, rng)
    }

    pub(crate) fn cancel(&mut self, rng: &mut Rng) -> Fault {
        Self::one(
            &self.cancel,
            if self.fair { 0 } else { self.cancel_chance },
            rng,
        )
    }

    fn one(faults: &[Fault], chance: usize, rng: &mut Rng) -> Fault {
        if rng.percent(chance) {
            *rng.pick(faults)
        } else {
            Fault::None
        }
    }

    pub(crate) fn told(&self) -> String {
        format!(
            "POST {}% of {:?}; GET {}% of {:?}; DELETE {}% of {:?}",
            self.post_chance, self.post, self.get_chance, self.get, self.cancel_chance, self.cancel
        )
    }
}
