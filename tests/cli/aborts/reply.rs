//! What the peer makes of the first POST of the first job, and what it really did with it.

use serde_json::json;

use crate::support::{Fault, Habits, Model, Reply as Wire};

/// Reasons of a refusal that a settling repeat or a later POST does not meet again are used up by
/// the first POST that the peer reads whole. What lies in the ids (their number, other people's
/// tasks) stays.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Reply {
    /// 201 with a task.
    Task,
    /// 201 that names no task.
    NoTask,
    /// 201 that ends in the middle of its body.
    CutOff,
    /// 500, and it was carried out.
    Failed500,
    /// 503, and it was carried out.
    Failed503,
    /// The connection is reset after the POST was read and carried out.
    ResetTaken,
    /// 500, and it was carried out and has come to its end before anybody asks.
    Ended,
    /// 500, and nothing was done.
    Idle500,
    /// 503, and nothing was done.
    Idle503,
    /// A web page with status 200: a proxy's, the peer has seen nothing.
    Page,
    /// 301, which nobody may follow.
    Moved,
    /// The connection is reset after the POST was read, and nothing was done.
    ResetIdle,
    /// 200 that says `status: error`.
    ErrorIn200,
    /// 400.
    Refused,
    /// 413, as for every POST of more than one id.
    TooLarge413,
    /// 400 that speaks of too many ids, as for every POST of more than one id.
    TooLarge400,
    /// 409 naming all ids: somebody's task has them.
    ConflictAll,
    /// 409 naming one of two ids: somebody's task has it.
    ConflictSome,
    /// 409 naming all ids, which are in two tasks of somebody's.
    ConflictTwo,
    /// 409 naming ids that were not sent.
    ConflictForeign,
    /// 429.
    Limited,
    /// 429 with `Retry-After: 1`.
    LimitedFor,
    /// 401.
    NotAllowed401,
    /// 403.
    NotAllowed403,
    /// Nobody listens.
    Unreachable,
}

/// The same for all replies that the protocol treats alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Means {
    Task,
    /// It says that it was taken and not as which task; the peer has an active one.
    Unread,
    /// It says nothing, and the peer has an active task.
    LostTaken,
    /// It says nothing, and the peer has done all of it already.
    LostEnded,
    /// It says nothing, and the peer has done nothing.
    LostIdle,
    Refused,
    TooLarge,
    ConflictAll,
    ConflictSome,
    ConflictTwo,
    Foreign,
    Limited,
    NotAllowed,
    Unreachable,
}

impl Reply {
    pub(super) const ALL: [Self; 25] = [
        Self::Task,
        Self::NoTask,
        Self::CutOff,
        Self::Failed500,
        Self::Failed503,
        Self::ResetTaken,
        Self::Ended,
        Self::Idle500,
        Self::Idle503,
        Self::Page,
        Self::Moved,
        Self::ResetIdle,
        Self::ErrorIn200,
        Self::Refused,
        Self::TooLarge413,
        Self::TooLarge400,
        Self::ConflictAll,
        Self::ConflictSome,
        Self::ConflictTwo,
        Self::ConflictForeign,
        Self::Limited,
        Self::LimitedFor,
        Self::NotAllowed401,
        Self::NotAllowed403,
        Self::Unreachable,
    ];

    pub(super) fn means(self) -> Means {
        match self {
            Self::Task => Means::Task,
            Self::NoTask | Self::CutOff => Means::Unread,
            Self::Failed500 | Self::Failed503 | Self::ResetTaken => Means::LostTaken,
            Self::Ended => Means::LostEnded,
            Self::Idle500 | Self::Idle503 | Self::Page | Self::Moved | Self::ResetIdle => {
                Means::LostIdle
            }
            Self::ErrorIn200 | Self::Refused => Means::Refused,
            Self::TooLarge413 | Self::TooLarge400 => Means::TooLarge,
            Self::ConflictAll => Means::ConflictAll,
            Self::ConflictSome => Means::ConflictSome,
            Self::ConflictTwo => Means::ConflictTwo,
            Self::ConflictForeign => Means::Foreign,
            Self::Limited | Self::LimitedFor => Means::Limited,
            Self::NotAllowed401 | Self::NotAllowed403 => Means::NotAllowed,
            Self::Unreachable => Means::Unreachable,
        }
    }

    /// A peer that answers so, and truthfully from then on. `ids` are those of the first job.
    pub(super) fn model(self, ids: &[String]) -> Model {
        let mut habits = Habits::default();
        match self {
            Self::TooLarge413 => (habits.largest, habits.too_large) = (1, 413),
            Self::TooLarge400 => habits.largest = 1,
            _ => {}
        }
        let model = Model::striking_at(&ids[0], self.fault(), habits);
        let others: &[&[String]] = match self {
            Self::ConflictAll => &[ids],
            Self::ConflictSome => &[&ids[..1]],
            Self::ConflictTwo => &[&ids[..1], &ids[1..]],
            _ => &[],
        };
        for ids in others {
            model.somebody_deletes(ids);
        }
        model
    }

    fn fault(self) -> Fault {
        let error = |status| Wire::error(status, "boom");
        let page = "<!doctype html><html><body>Sign in</body></html>";
        let foreign = json!({ "status": "error", "error": {
            "conflicting_distinct_ids": ["somebody-else"],
            "conflicting_task_ids": ["0c0ffee0-1111-4222-8333-444444444444"],
        }});
        match self {
            Self::Task
            | Self::TooLarge413
            | Self::TooLarge400
            | Self::ConflictAll
            | Self::ConflictSome
            | Self::ConflictTwo
            | Self::Unreachable => Fault::None,
            Self::NoTask => Fault::Taken(Wire::json(201, &json!({ "status": "ok" }))),
            Self::CutOff => Fault::Taken(Wire::Half {
                status: 201,
                body: "{\"status\":\"ok\",\"results\":{\"task_id\":\"3e0b".to_owned(),
            }),
            Self::Failed500 => Fault::Taken(error(500)),
            Self::Failed503 => Fault::Taken(error(503)),
            Self::ResetTaken => Fault::Taken(Wire::Reset),
            Self::Ended => Fault::Ended(error(500)),
            Self::Idle500 => Fault::Turned(error(500)),
            Self::Idle503 => Fault::Turned(error(503)),
            Self::Page => Fault::Turned(Wire::text(200, "text/html", page)),
            Self::Moved => {
                let moved = Wire::text(301, "text/plain", "moved for good");
                Fault::Turned(moved.with("Location", "/api/app/elsewhere/"))
            }
            Self::ResetIdle => Fault::Turned(Wire::Reset),
            Self::ErrorIn200 => Fault::Turned(error(200)),
            Self::Refused => Fault::Turned(error(400)),
            Self::ConflictForeign => Fault::Turned(Wire::json(409, &foreign)),
            Self::Limited => Fault::Turned(error(429)),
            Self::LimitedFor => Fault::Turned(error(429).with("Retry-After", "1")),
            Self::NotAllowed401 => Fault::Turned(error(401)),
            Self::NotAllowed403 => Fault::Turned(error(403)),
        }
    }
}
