//! The bodies that dsr sends, and the known shapes of replies. Mixpanel's OpenAPI file, its prose
//! and its live service differ. Each shape here comes from one of them.

use chrono::{DateTime, NaiveDate, NaiveTime};
use secrecy::SecretString;
use serde::Serialize;
use serde_json::Value;

use crate::domain::{
    Batch, Disclosure, Law, Operation, Project, SubjectRequestId, TaskId, TaskStatus,
};

use super::answer::TaskMade;

#[derive(Serialize)]
pub(super) struct CreateBody<'a> {
    distinct_ids: Vec<&'a str>,
    compliance_type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    disclosure_type: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    subject_request_id: Option<String>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    status_callback_urls: &'a [String],
}

impl<'a> CreateBody<'a> {
    pub(super) fn new(
        operation: Operation,
        batch: &'a Batch,
        subject: SubjectRequestId,
        project: &'a Project,
    ) -> Self {
        Self {
            distinct_ids: batch.ids().iter().map(|id| id.expose()).collect(),
            compliance_type: match operation.law() {
                Law::Gdpr => "GDPR",
                Law::Ccpa => "CCPA",
            },
            disclosure_type: operation.disclosure().map(|disclosure| match disclosure {
                Disclosure::Data => "Data",
                Disclosure::Categories => "Categories",
                Disclosure::Sources => "Sources",
            }),
            // Mixpanel accepts it only for projects with callbacks.
            subject_request_id: (!project.callbacks.is_empty()).then(|| subject.to_string()),
            status_callback_urls: &project.callbacks,
        }
    }

    pub(super) fn to_json(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("texts are always JSON")
    }
}

/// The task that a reply names as created.
pub(super) enum Created {
    Unsaid,
    One(TaskId),
    Several(Vec<TaskId>),
}

pub(super) struct ReplyDocument(Value);

/// Whether an answer's `error` is one: neither null nor empty.
pub(super) fn names_error(error: &Value) -> bool {
    match error {
        Value::Null => false,
        Value::String(text) => !text.is_empty(),
        _ => true,
    }
}

impl ReplyDocument {
    /// `None` unless the body is one complete JSON object.
    pub(super) fn parse(body: &[u8]) -> Option<Self> {
        let value: Value = serde_json::from_slice(body).ok()?;
        value.is_object().then_some(Self(value))
    }

    /// The created task: `tracking_id` or `task_id`, a text or an integer, from `results` or else
    /// from the root. A list may name several.
    pub(super) fn created(&self) -> Created {
        let results = self.0.get("results");
        let listed = results.and_then(Value::as_array);
        let named = |place: &Value| {
            let ids = [place.get("tracking_id"), place.get("task_id")];
            ids.into_iter().flatten().find_map(to_task_id)
        };
        let mut tasks: Vec<TaskId> = Vec::new();
        for task in listed.into_iter().flatten().filter_map(named) {
            if !tasks.contains(&task) {
                tasks.push(task);
            }
        }
        let alone = || results.and_then(named).or_else(|| named(&self.0));
        match (tasks.len(), tasks.pop()) {
            (0, _) | (_, None) => alone().map_or(Created::Unsaid, Created::One),
            (1, Some(task)) => Created::One(task),
            (_, Some(last)) => {
                tasks.push(last);
                Created::Several(tasks)
            }
        }
    }

    pub(super) fn says_error(&self) -> bool {
        let status = self.0.get("status").and_then(Value::as_str);
        status.is_some_and(|status| status.eq_ignore_ascii_case("error"))
    }

    /// Whether there is something of this name.
    pub(super) fn has(&self, name: &str) -> bool {
        self.0.get(name).is_some()
    }

    /// Whether there is an `error`, whatever the status.
    pub(super) fn names_error(&self) -> bool {
        self.0.get("error").is_some_and(names_error)
    }

    /// The status of a task; never the `status` of the reply itself.
    pub(super) fn task_status(&self) -> Option<TaskStatus> {
        let results = self.0.get("results")?;
        let place = results.get(0).unwrap_or(results);
        let text = place.get("status")?.as_str()?.trim();
        (!text.is_empty()).then(|| TaskStatus::parse(text))
    }

    /// The `date_requested` of a task. Documented without a zone; other ISO forms are read, too.
    pub(super) fn task_made(&self) -> TaskMade {
        let results = self.0.get("results");
        let place = results.map(|results| results.get(0).unwrap_or(results));
        let said = place.and_then(|place| place.get("date_requested"));
        let text = match said {
            None | Some(Value::Null) => "",
            Some(said) => said.as_str().map_or("?", str::trim),
        };
        if text.is_empty() {
            return TaskMade::Unsaid;
        }
        let zoned = DateTime::parse_from_rfc3339(text).map(|at| at.naive_utc());
        let day = || {
            text.parse()
                .map(|day: NaiveDate| day.and_time(NaiveTime::MIN))
        };
        let at = zoned.or_else(|_| text.replacen(' ', "T", 1).parse());
        at.or_else(|_| day())
            .map_or(TaskMade::Unreadable, TaskMade::At)
    }

    /// The link to an export that is done, under any of its known names.
    pub(super) fn link(&self) -> Option<SecretString> {
        let results = self.0.get("results")?;
        let place = results.get(0).unwrap_or(results);
        ["result", "results", "destination_url", "results_url"]
            .into_iter()
            .filter_map(|name| place.get(name)?.as_str())
            .map(|text| text.trim_matches(|c: char| c.is_whitespace() || c == '"' || c == '\''))
            .find(|text| !text.is_empty())
            .map(SecretString::from)
    }

    /// The task's ids, if the reply names them. An empty list names none.
    pub(super) fn task_ids(&self) -> Option<Vec<String>> {
        let results = self.0.get("results")?;
        let place = results.get(0).unwrap_or(results);
        let ids = place.get("distinct_ids")?.as_array()?;
        let named: Option<Vec<String>> =
            ids.iter().map(|id| Some(id.as_str()?.to_owned())).collect();
        named.filter(|ids| !ids.is_empty())
    }

    /// The server's error message. `error` may be a text, a list, an object or missing; a gateway
    /// may use other names.
    pub(super) fn error_text(&self) -> Option<String> {
        let names = ["error", "detail", "message", "title"];
        let error = names.into_iter().find_map(|name| self.0.get(name))?;
        let inner = error.get("error").or_else(|| error.get("message"));
        match inner.unwrap_or(error) {
            Value::Null => None,
            Value::String(text) => Some(text.clone()),
            other => Some(other.to_string()),
        }
    }

    /// The ids that a 409 names, and the tasks, possibly none.
    pub(super) fn conflict(&self) -> Option<Conflict> {
        let error = self.0.get("error")?;
        let list = |name| error.get(name).and_then(Value::as_array);
        let ids = list("conflicting_distinct_ids")?;
        let tasks = list("conflicting_task_ids").map_or(&[][..], Vec::as_slice);
        Some(Conflict {
            ids: ids
                .iter()
                .map(|id| Some(id.as_str()?.to_owned()))
                .collect::<Option<_>>()?,
            tasks: tasks.iter().map(to_task_id).collect::<Option<_>>()?,
        })
    }
}

pub(super) struct Conflict {
    pub(super) ids: Vec<String>,
    pub(super) tasks: Vec<TaskId>,
}

fn to_task_id(value: &Value) -> Option<TaskId> {
    match value {
        Value::String(text) => TaskId::new(text),
        // `arbitrary_precision` keeps the digits unchanged.
        Value::Number(number) => {
            let digits = number.to_string();
            let plain = digits.bytes().all(|byte| byte.is_ascii_digit());
            plain.then(|| TaskId::new(&digits)).flatten()
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use secrecy::ExposeSecret;

    fn document(text: &str) -> ReplyDocument {
        ReplyDocument::parse(text.as_bytes()).unwrap()
    }

    fn one(text: &str) -> Option<String> {
        match document(text).created() {
            Created::One(task) => Some(task.to_string()),
            Created::Unsaid | Created::Several(_) => None,
        }
    }

    #[test]
    fn a_list_may_name_several_tasks_and_none_of_them_is_lost() {
        let text = r#"{"results":[{"tracking_id":"a"},{"task_id":"b"},{"tracking_id":"a"}]}"#;
        let Created::Several(tasks) = document(text).created() else {
            panic!("two are named");
        };
        let tasks: Vec<&str> = tasks.iter().map(TaskId::as_str).collect();
        assert_eq!(tasks, ["a", "b"]);
        let same = r#"{"results":[{"tracking_id":"a"},{"task_id":"a"}]}"#;
        assert_eq!(one(same).as_deref(), Some("a"));
    }

    #[test]
    fn the_task_id_is_found_in_every_shape() {
        for (text, id) in [
            (
                r#"{"status":"ok","results":{"task_id":"3e0b7f52-1"}}"#,
                "3e0b7f52-1",
            ),
            (
                r#"{"status":"ok","results":[{"tracking_id":"1600000000000000001","status":"PENDING","destination_url":null}]}"#,
                "1600000000000000001",
            ),
            (
                r#"{"results":{"tracking_id":18446744073709551617,"id":4}}"#,
                "18446744073709551617",
            ),
            (
                r#"{"status":"ok","results":{"tracking_id":"a","task_id":"b"}}"#,
                "a",
            ),
            (r#"{"task_id":" root "}"#, "root"),
        ] {
            assert_eq!(one(text).as_deref(), Some(id));
        }
        for text in [
            "{}",
            r#"{"results":[]}"#,
            r#"{"results":{"task_id":""}}"#,
            r#"{"results":{"task_id":null}}"#,
            r#"{"results":{"task_id":1.5e3}}"#,
            r#"{"results":{"task_id":-4}}"#,
            r#"{"results":{"id":4}}"#,
        ] {
            assert!(one(text).is_none(), "{text}");
        }
    }

    #[test]
    fn the_status_of_the_reply_is_not_that_of_the_task() {
        assert_eq!(document(r#"{"status":"ok"}"#).task_status(), None);
        let text = r#"{"status":"ok","results":{"status":"STARTED"}}"#;
        assert_eq!(document(text).task_status(), Some(TaskStatus::Started));
        let text = r#"{"status":"ok","results":[{"status":"success"}]}"#;
        assert_eq!(document(text).task_status(), Some(TaskStatus::Success));
    }

    #[test]
    fn the_link_is_found_under_each_of_its_names() {
        for name in ["result", "results", "destination_url", "results_url"] {
            let text = format!(
                r#"{{"results":{{"status":"SUCCESS","{name}":" \"https://x.test/y\" "}}}}"#
            );
            let link = document(&text).link().unwrap();
            assert_eq!(link.expose_secret(), "https://x.test/y");
        }
        for value in ["null", "\"\"", "\" '' \""] {
            let text = format!(r#"{{"results":{{"status":"PENDING","result":{value}}}}}"#);
            assert!(document(&text).link().is_none(), "{value}");
        }
    }

    #[test]
    fn errors_are_read_in_every_shape() {
        for (text, wanted) in [
            (r#"{"error":"no"}"#, Some("no")),
            (r#"{"error":{"error":"inner"}}"#, Some("inner")),
            (r#"{"error":["a"]}"#, Some(r#"["a"]"#)),
            (r#"{"error":null}"#, None),
            (
                r#"{"title":"NO_MATCH","detail":"no such route"}"#,
                Some("no such route"),
            ),
            (r#"{"status":"error"}"#, None),
        ] {
            assert_eq!(document(text).error_text().as_deref(), wanted);
        }
        assert!(ReplyDocument::parse(b"[1]").is_none());
        assert!(ReplyDocument::parse(b"{\"a\":").is_none());
    }
}
