//! Finished exports: a Mixpanel whose links lead to a store, and an operator who asked for them.

use std::fs;
use std::path::PathBuf;

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::{Call, Fake, Operator, Outcome, Reply, object_reply};

/// A store of exports, and a Mixpanel whose finished exports lead to it.
pub(crate) struct Exports {
    pub(crate) store: Fake,
    pub(crate) api: Fake,
    pub(crate) operator: Operator,
}

impl Exports {
    /// One finished export of `a1`; `script` answers for the store.
    pub(crate) fn from(script: impl Fn(&Call) -> Reply + Send + Sync + 'static) -> Self {
        Self::of(&["a1"], script)
    }

    pub(crate) fn of(
        people: &[&str],
        script: impl Fn(&Call) -> Reply + Send + Sync + 'static,
    ) -> Self {
        Self::with(people, "/export.zip", "SUCCESS", "rate = 1000", script)
    }

    /// One finished export of `anna` and `bob`, in a job each.
    pub(crate) fn of_two_jobs(script: impl Fn(&Call) -> Reply + Send + Sync + 'static) -> Self {
        let settings = "rate = 1000\nexport_batch = 1";
        Self::with(&["anna", "bob"], "/export.zip", "SUCCESS", settings, script)
    }

    /// Like `of`, with this link or status, and these settings of the project.
    pub(crate) fn with(
        people: &[&str],
        link: &str,
        status: &'static str,
        settings: &str,
        script: impl Fn(&Call) -> Reply + Send + Sync + 'static,
    ) -> Self {
        let store = Fake::answering(script);
        let link = match link.starts_with('/') {
            true => format!("{}{link}?signature=secret", store.origin()),
            false => link.to_owned(),
        };
        let api = Fake::answering(move |call| match call.is_post() {
            true => object_reply(&format!("t-{}", call.place + 1)),
            false => {
                let results = json!({ "status": status, "result": link, "distinct_ids": [] });
                Reply::json(200, &json!({ "status": "ok", "results": results }))
            }
        });
        let operator = Operator::at_with(&api, settings);
        let list = people.join("\n");
        let args = ["export", "--gdpr", "--format", "text", "-"];
        operator.run_with_input(&args, &list).exits_with(0);
        operator.run(&["status"]);
        Self {
            store,
            api,
            operator,
        }
    }

    pub(crate) fn folder(&self) -> PathBuf {
        self.operator.dsr_home().join("exports")
    }

    #[track_caller]
    pub(crate) fn download(&self, flags: &[&str]) -> Outcome {
        let folder = self.folder();
        let to = ["download", "--to", folder.to_str().expect("UTF-8")];
        self.operator.run(&[&to, flags].concat())
    }

    pub(crate) fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(self.folder()).into_iter().flatten();
        let names = entries.map(|entry| entry.expect("a file").file_name());
        let names = names.map(|name| name.into_string().expect("UTF-8"));
        let mut names: Vec<String> = names.collect();
        names.sort();
        names
    }
}

impl Operator {
    /// Exports from the sandbox, and makes a package for each person.
    #[track_caller]
    pub(crate) fn rehearses_a_split(&self, asked: &[&str]) -> Outcome {
        let export = ["--sandbox", "export", "--wait"];
        self.run(&[&export, asked].concat()).exits_with(0);
        let outcome = self.run(&["--sandbox", "download", "--split", "--json"]);
        outcome.exits_with(0);
        outcome
    }
}

/// The first export in the result of a run with `--json`.
#[track_caller]
pub(crate) fn the_download(outcome: &Outcome) -> Value {
    let lines = outcome.json_lines();
    lines[0]["downloads"][0].clone()
}

/// A reply with all of these bytes.
pub(crate) fn handing_out(bytes: &[u8], headers: &str) -> Reply {
    Reply::raw(
        &format!(
            "HTTP/1.1 200 OK\r\nContent-Type: application/zip\r\nContent-Length: {}\r\n{headers}",
            bytes.len()
        ),
        bytes,
    )
}

pub(crate) fn package_of(id: &str) -> String {
    let digest = Sha256::digest(id);
    let hex: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    hex[..32].to_owned()
}
