//! How the peer answers the first POST of the first job, and what it really did with it.

use serde_json::json;

use crate::support::{Fault, Habits, Model, Reply as Wire};

/// The first POST that the peer reads whole uses a reply up, unless the reason lies in the ids
/// (their number, other people's tasks).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Reply {
    Task,
    NoTask,
    CutOff,
    /// 500, although the peer carried the POST out.
    Failed500,
    /// 503, although the peer carried the POST out.
    Failed503,
    /// The peer carries the POST out, then resets the connection.
    ResetTaken,
    /// 500, and the task has ended before dsr asks.
    Ended,
    /// 500, and the peer did nothing.
    Idle500,
    /// 503, and the peer did nothing.
    Idle503,
    /// A proxy's web page with status 200; the peer saw nothing.
    Page,
    /// 301, which dsr must not follow.
    Moved,
    /// The peer reads the POST, resets the connection and does nothing.
    ResetIdle,
    /// 200 that says `status: error`.
    ErrorIn200,
    Refused,
    /// 413 for every POST of more than one id.
    TooLarge413,
    /// 400 about too many ids, for every POST of more than one id.
    TooLarge400,
    /// 409 naming all ids, which are in another task.
    ConflictAll,
    /// 409 naming one of two ids, which is in another task.
    ConflictSome,
    /// 409 naming all ids, which are in two other tasks.
    ConflictTwo,
    ConflictForeign,
    Limited,
    LimitedFor,
    NotAllowed401,
    NotAllowed403,
    Unreachable,
}

/// Groups the replies that the protocol treats alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Means {
    Task,
    /// Says that it accepted the POST but not as which task; the task is active.
    Unread,
    /// Says nothing, and the task is active.
    LostTaken,
    /// Says nothing, and the task has ended.
    LostEnded,
    /// Says nothing, and did nothing.
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

    /// A peer that gives this reply once and is truthful from then on. `ids` are the first job's.
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
