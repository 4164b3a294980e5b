//! The outcome of a run. A failed assertion shows status, stdout and stderr together.

use std::fmt;
use std::time::Duration;

use serde_json::Value;

use super::shapes::Printed;

#[derive(Clone)]
pub(crate) struct Outcome {
    pub(crate) args: Vec<String>,
    /// `None` if a signal ended it.
    pub(crate) status: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    pub(crate) took: Duration,
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let args = self.args.join(" ");
        let status = match self.status {
            Some(status) => status.to_string(),
            None => "a signal".to_owned(),
        };
        writeln!(f, "$ dsr {args}\n→ {status} after {:?}", self.took)?;
        writeln!(f, "--- stdout\n{}", self.stdout)?;
        write!(f, "--- stderr\n{}", self.stderr)
    }
}

impl Outcome {
    /// Compares what was printed with `--json` with the published shapes.
    #[track_caller]
    pub(super) fn is_in_shape(&self) {
        let printed = Printed {
            args: &self.args,
            stdout: &self.stdout,
            stderr: &self.stderr,
        };
        printed.is_in_shape();
    }

    #[track_caller]
    pub(crate) fn exits_with(&self, status: i32) -> &Self {
        assert_eq!(self.status, Some(status), "the exit status\n{self}");
        self
    }

    /// All of stdout as exactly one JSON object of schema 1.
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        let objects = objects(&self.stdout);
        assert_eq!(objects.len(), 1, "one object on stdout\n{self}");
        self.checked(objects[0].clone())
    }

    /// All of stdout as JSON objects of schema 1, one a line.
    #[track_caller]
    pub(crate) fn json_lines(&self) -> Vec<Value> {
        let lines = self.stdout.lines();
        let parsed = lines.map(|line| match serde_json::from_str(line) {
            Ok(value) => self.checked(value),
            Err(error) => panic!("a line is no JSON: {error}\n{self}"),
        });
        parsed.collect()
    }

    /// All of stderr as exactly one failure object.
    #[track_caller]
    pub(crate) fn failure(&self) -> Value {
        let objects = objects(&self.stderr);
        assert_eq!(objects.len(), 1, "one object on stderr\n{self}");
        let object = self.checked(objects[0].clone());
        for key in ["kind", "message"] {
            assert!(object["error"][key].is_string(), "`{key}`\n{self}");
        }
        assert!(object["error"].get("hint").is_some(), "`hint`\n{self}");
        object["error"].clone()
    }

    #[track_caller]
    pub(crate) fn request(&self) -> Value {
        let request = self.json()["request"].clone();
        assert!(request.is_object(), "no request\n{self}");
        request
    }

    #[track_caller]
    fn checked(&self, value: Value) -> Value {
        assert!(value.is_object(), "no object: {value}\n{self}");
        assert_eq!(value["schema"], 1, "the schema\n{self}");
        value
    }

    #[track_caller]
    pub(crate) fn says(&self, text: &str) -> &Self {
        let said = self.stderr.contains(text);
        assert!(said, "stderr does not say `{text}`\n{self}");
        self
    }

    #[track_caller]
    pub(crate) fn never_says(&self, text: &str) -> &Self {
        let is_shown = shows(&self.stdout, text) || shows(&self.stderr, text);
        assert!(!is_shown, "`{text}` is on the screen\n{self}");
        self
    }

    #[track_caller]
    pub(crate) fn did_not_panic(&self) -> &Self {
        assert!(self.status.is_some(), "a signal ended it\n{self}");
        assert_ne!(self.status, Some(101), "a panic's status\n{self}");
        self.never_says("panicked at")
    }
}

/// The JSON values of a text that holds nothing else.
fn objects(text: &str) -> Vec<Value> {
    let values = serde_json::Deserializer::from_str(text).into_iter::<Value>();
    values
        .collect::<Result<_, _>>()
        .unwrap_or_else(|error| panic!("not JSON ({error}):\n{text}"))
}

pub(crate) fn states(request: &Value) -> Vec<String> {
    let jobs = request["jobs"].as_array().expect("a request has jobs");
    let state = |job: &Value| job["state"].as_str().expect("a job has a state").to_owned();
    jobs.iter().map(state).collect()
}

/// Whether the screen has this text. Short text counts only as a word: a random name may hold it.
pub(crate) fn shows(screen: &str, text: &str) -> bool {
    let in_word = |c: char| c.is_alphanumeric();
    let is_within = |left: &str, right: &str| left.ends_with(in_word) && right.starts_with(in_word);
    screen.match_indices(text).any(|(at, _)| {
        let (before, behind) = (&screen[..at], &screen[at + text.len()..]);
        text.len() > 4 || !(is_within(before, text) || is_within(text, behind))
    })
}
