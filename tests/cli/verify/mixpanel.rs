//! A Mixpanel that erases, and whose events and profiles a test sets.

use std::io::Write;
use std::sync::{Arc, Mutex};

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};

use crate::minimisation::with_key;
use crate::support::{Call, Fake, Operator, Outcome, Reply, object_reply, status_reply};

pub(super) const USER: &str = "dsr.1f2e3d.mp-service-account";
pub(super) const SECRET: &str = "account-canary:4c5b6a7d8e";
/// Whose deletion the tests verify.
pub(super) const PEOPLE: [&str; 3] = ["done@x.test", "17", "$device:d-7"];

pub(super) struct Mixpanel {
    pub(super) fake: Fake,
    events: Arc<Mutex<Reply>>,
    profiles: Arc<Mutex<Vec<String>>>,
}

impl Mixpanel {
    pub(super) fn start() -> Self {
        let events = Arc::new(Mutex::new(text(&[])));
        let profiles = Arc::new(Mutex::new(Vec::new()));
        let (given, known) = (Arc::clone(&events), Arc::clone(&profiles));
        let fake = Fake::answering(move |call| {
            if is_export(call) {
                return given.lock().expect("no test failed").clone();
            }
            match (is_query(call), call.is_post()) {
                (true, _) => page(call, &known.lock().expect("no test failed")),
                (false, true) => object_reply(&format!("t-{}", call.place)),
                (false, false) => status_reply("SUCCESS"),
            }
        });
        Self {
            fake,
            events,
            profiles,
        }
    }

    pub(super) fn has_events(&self, reply: Reply) {
        *self.events.lock().expect("no test failed") = reply;
    }

    pub(super) fn has_profiles(&self, ids: &[&str]) {
        *self.profiles.lock().expect("no test failed") =
            ids.iter().map(|id| (*id).to_owned()).collect();
    }

    pub(super) fn operator(&self, settings: &str) -> Operator {
        let settings = format!("rate = 1000\nproject_id = 4242\n{settings}");
        let mut operator = with_key(&self.fake, &settings);
        let path = operator.private_file("account", format!("{USER}:{SECRET}\n"));
        operator.set("DSR_SERVICE_ACCOUNT_FILE", &path);
        operator
    }

    /// Erases these people; the request.
    pub(super) fn erases(&self, operator: &Operator, ids: &[&str]) -> String {
        operator.file("erased.csv", format!("id\n{}\n", ids.join("\n")));
        let args = ["delete", "--gdpr", "--yes", "erased.csv", "--json"];
        let id = operator.run(&args).exits_with(0).request()["id"].clone();
        operator.run(&["status", "--refresh"]).exits_with(0);
        std::fs::remove_file(operator.work().join("erased.csv")).expect("it is there");
        id.as_str().expect("an id").to_owned()
    }

    pub(super) fn exports(&self) -> Vec<Call> {
        let calls = self.fake.calls().into_iter();
        calls.filter(is_export).collect()
    }

    /// The ids of every query of profiles.
    pub(super) fn asked(&self) -> Vec<String> {
        let posts = self.fake.posts().into_iter().filter(is_query);
        posts.flat_map(|call| call.ids()).collect()
    }
}

fn is_export(call: &Call) -> bool {
    call.path.ends_with("/export")
}

fn is_query(call: &Call) -> bool {
    call.path.ends_with("/engage")
}

fn page(call: &Call, known: &[String]) -> Reply {
    let mut ids = call.ids();
    ids.retain(|id| known.contains(id));
    // As if an id that was asked for were an alias.
    ids.extend(known.iter().filter(|id| id.starts_with("alias")).cloned());
    let results = ids.iter().map(|id| json!({ "$distinct_id": id }));
    let body = json!({
        "page": 0, "page_size": 1000, "session_id": "s", "status": "ok", "total": ids.len(),
        "results": results.collect::<Vec<_>>(),
    });
    Reply::json(200, &body)
}

/// A raw export, not packed.
pub(super) fn text(events: &[Value]) -> Reply {
    Reply::text(200, "text/plain", &super::lines(events))
}

pub(super) fn gzip(text: &str) -> Vec<u8> {
    let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
    packed.write_all(text.as_bytes()).expect("memory");
    packed.finish().expect("memory")
}

/// A reply with a length, packed as its header says.
pub(super) fn packed(bytes: &[u8]) -> Reply {
    let length = bytes.len();
    let head = format!("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: {length}\r\n");
    Reply::raw(&head, bytes)
}

pub(super) fn online(operator: &Operator, args: &[&str]) -> Outcome {
    let outcome = operator.run(&[&["verify"][..], args].concat());
    for word in ["x.test", "d-7", "canary", USER, "4c5b6a7d8e"] {
        outcome.never_says(word);
    }
    outcome
}

pub(super) fn entries(operator: &Operator, event: &str) -> usize {
    let sql = format!("SELECT event FROM audit WHERE event = '{event}'");
    operator.ledger_texts(&sql).len()
}
