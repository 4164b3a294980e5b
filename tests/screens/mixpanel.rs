//! A Mixpanel that treats a request as its first id says.

use std::collections::BTreeMap;
use std::sync::Mutex;

use serde_json::json;

use crate::support::{Call, Fake, Reply, object_reply, status_reply, usual};

/// `done@x`, `running@x`, `failed@x`, `revoked@x` and `missing@x` get that status. `refused@x` is
/// refused, `deferred@x` meets the rate limit, and the answer for `unknown@x` is lost. All other
/// tasks wait.
pub(crate) fn obedient() -> Fake {
    let words = Mutex::new(BTreeMap::new());
    Fake::answering(move |call| {
        let mut words = words.lock().unwrap();
        if !call.is_post() {
            let word: Option<&String> = words.get(call.task());
            return match (call.method.as_str(), word.map(String::as_str)) {
                ("DELETE", _) => usual(call),
                (_, Some("done")) => status_reply("SUCCESS"),
                (_, Some("running")) => status_reply("STARTED"),
                (_, Some("failed")) => status_reply("FAILURE"),
                (_, Some("revoked")) => status_reply("REVOKED"),
                (_, Some("missing")) => status_reply("NOT_FOUND"),
                _ => status_reply("PENDING"),
            };
        }
        let word = call.ids()[0]
            .split('@')
            .next()
            .unwrap_or_default()
            .to_owned();
        match word.as_str() {
            "refused" => Reply::error(400, "distinct_ids is too long"),
            "deferred" => Reply::error(429, "API is limited to 1 req/s"),
            "unknown" => Reply::Reset,
            _ => {
                let task = task_of(call);
                words.insert(task.clone(), word);
                object_reply(&task)
            }
        }
    })
}

/// A deletion of one person that does not wait out the rate limit.
pub(crate) fn deletion_of(id: &str) -> [&str; 7] {
    ["delete", "--gdpr", "--yes", "--max-wait", "0s", "--id", id]
}

/// Reports this status for every task.
pub(crate) fn saying(status: &'static str) -> Fake {
    Fake::answering(move |call| match call.method.as_str() {
        "GET" => status_reply(status),
        _ => usual(call),
    })
}

pub(crate) fn refusing(status: u16, text: &'static str) -> Fake {
    Fake::answering_posts(Reply::error(status, text))
}

/// Accepts every POST without answering clearly. Its tasks wait, and have these people.
pub(crate) fn silent() -> Fake {
    Fake::answering(|call| match call.method.as_str() {
        "POST" => Reply::Reset,
        "GET" => {
            let ids = ["user-1001", "user-1002", "user-1003"];
            let results = json!({ "status": "PENDING", "distinct_ids": ids });
            Reply::json(200, &json!({ "status": "ok", "results": results }))
        }
        _ => usual(call),
    })
}

fn task_of(call: &Call) -> String {
    format!("3e0b7f52-77aa-4c1e-9a4b-{:012x}", call.place + 0xa1)
}
