//! The published JSON shapes: each is a schema, each is used, and each command has its own.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader};
use std::process::Stdio;

use serde_json::Value;

use crate::minimisation::with_key;
use crate::support::{
    Database, Exports, Fake, Keyring, Operator, PROJECT_TOKEN, Shapes, handing_out, status_reply,
    usual,
};

fn file(name: &str) -> Value {
    let path = Shapes::folder().join(format!("{name}.json"));
    let text = std::fs::read_to_string(path).expect("a shape can be read");
    serde_json::from_str(&text).expect("a shape is JSON")
}

#[test]
fn each_shape_is_a_json_schema_that_people_can_read() {
    for name in Shapes::names().into_iter().chain(["definitions"]) {
        let shape = file(name);
        let dialect = "https://json-schema.org/draft/2020-12/schema";
        assert_eq!(shape["$schema"], dialect, "{name}");
        if let Err(error) = jsonschema::meta::validate(&shape) {
            panic!("{name}: {error}");
        }
        for key in ["title", "description"] {
            assert!(shape[key].is_string(), "{name} has no {key}");
        }
        let mut wrong = Vec::new();
        unexplained(&shape, name, &mut wrong);
        assert!(wrong.is_empty(), "{wrong:#?}");
    }
}

/// Lists keys without a description, and objects that accept any key.
fn unexplained(shape: &Value, place: &str, wrong: &mut Vec<String>) {
    let Value::Object(fields) = shape else {
        if let Value::Array(items) = shape {
            items
                .iter()
                .for_each(|item| unexplained(item, place, wrong));
        }
        return;
    };
    if let Some(properties) = fields.get("properties") {
        if fields.get("additionalProperties") != Some(&Value::Bool(false)) {
            wrong.push(format!("{place} takes any key"));
        }
        for (key, property) in properties.as_object().into_iter().flatten() {
            let says = property.get("description").is_some() || property.get("$ref").is_some();
            if !says {
                wrong.push(format!("{place}.{key} is not described"));
            }
        }
    }
    for (key, value) in fields {
        unexplained(value, &format!("{place}.{key}"), wrong);
    }
}

#[test]
fn what_is_not_as_published_is_found() {
    let line = r#"{"schema":1,"removed":true,"name":"main"}"#;
    assert_eq!(Shapes::name_of("auth logout", line), Ok("auth-logout"));
    for (line, words) in [
        (r#"{"schema":1,"removed":true}"#, "\"name\" is a required"),
        (
            r#"{"schema":1,"removed":"yes","name":"main"}"#,
            "/removed: ",
        ),
        (r#"{"schema":2,"removed":true,"name":"main"}"#, "/schema: "),
        (
            r#"{"schema":1,"removed":true,"name":"main","more":1}"#,
            "'more' was unexpected",
        ),
        ("no object", "no JSON"),
    ] {
        let why = Shapes::name_of("auth logout", line).unwrap_err();
        assert!(why.contains(words), "{line}: {why}");
        assert!(why.lines().count() <= 6 && why.len() < 600, "{why}");
    }
    let why = Shapes::name_of("dance", line).unwrap_err();
    assert!(why.contains("`dsr dance` has no shape"), "{why}");
}

#[test]
fn what_is_warned_of_is_in_the_object() {
    let operator = Operator::at(&Fake::start()).with("DSR_TOKEN_ISSUED", "2000-01-01");
    let outcome = operator.run(&["auth", "status", "--json"]);
    let warnings = outcome.exits_with(4).json()["warnings"].clone();
    let kinds = warnings.as_array().into_iter().flatten();
    let mut kinds = kinds.map(|warning| warning["kind"].clone());
    assert!(kinds.any(|kind| kind == "token_expiry"), "{outcome}");
    assert!(outcome.stderr.is_empty(), "{outcome}");
}

/// Runs commands, and notes which shapes their lines have.
struct Seen(BTreeMap<&'static str, String>);

impl Seen {
    #[track_caller]
    fn run(&mut self, operator: &Operator, args: &[&str]) -> String {
        self.run_with(operator, args, "")
    }

    #[track_caller]
    fn run_with(&mut self, operator: &Operator, args: &[&str], input: &str) -> String {
        let outcome = operator.run_with_input(&[args, &["--json"]].concat(), input);
        self.note(args, &outcome.stdout, &outcome.stderr);
        outcome.stdout
    }

    #[track_caller]
    fn note(&mut self, args: &[&str], stdout: &str, stderr: &str) {
        let words: Vec<&str> = args
            .iter()
            .filter(|a| !a.starts_with('-'))
            .copied()
            .collect();
        let two = words[..words.len().min(2)].join(" ");
        let command = match Shapes::of_command(&two) {
            Some(_) => two.as_str(),
            None => words[0],
        };
        for line in stdout.lines() {
            let shape = Shapes::name_of(command, line).unwrap_or_else(|why| panic!("{why}"));
            self.0.insert(shape, args.join(" "));
        }
        for line in stderr.lines() {
            let shape = Shapes::name_among(&["error", "warnings"], line);
            self.0
                .insert(shape.unwrap_or_else(|why| panic!("{why}")), args.join(" "));
        }
    }
}

#[test]
fn each_shape_is_that_of_some_run() {
    let mut seen = Seen(BTreeMap::new());
    let fake = Fake::answering(|call| match call.is_post() {
        true => usual(call),
        false => status_reply("SUCCESS"),
    });
    let mut operator = Operator::at(&fake);
    seen.run(&operator, &["auth", "ledger-key", "--to", "ledger.key"]);
    let key = operator.work().join("ledger.key");
    operator.set("DSR_LEDGER_KEY_FILE", &key.display().to_string());
    let request = seen.run(&operator, &["delete", "--gdpr", "--yes", "a1", "--wait"]);
    let last: Value = serde_json::from_str(request.lines().last().unwrap()).unwrap();
    let id = last["request"]["id"].as_str().unwrap().to_owned();
    let add = ["project", "add", "app", "--region", "eu"];
    seen.run_with(&operator, &add, &PROJECT_TOKEN.replace('9', "8"));
    let both = ["--project", "app", "--project", "shop"];
    operator.file("users.csv", "distinct_id,email\na1,a@x.test\n");
    operator.file("seen.csv", "distinct_id,$last_seen\na1,2020-01-01\n");
    operator.file("import.jsonl", "{\"event\":\"e\",\"properties\":{\"time\":1790000000,\"distinct_id\":\"a9\",\"$insert_id\":\"i\"}}\n");
    let event =
        r#"{"event":"e","properties":{"distinct_id":"a1","time":1790000000,"plan":"free"}}"#;
    operator.file("raw.jsonl", event);
    operator.file("keep.txt", "plan\n");
    operator.file("events.jsonl", "{\"event\":\"e\",\"distinct_id\":\"a1\"}\n");
    for args in [
        &["status", "--all"][..],
        &["status", &id, "--show-ids"],
        &["export", "--gdpr", "a1", "--dry-run", "--project", "shop"],
        &[&["export", "--gdpr", "a1", "--dry-run"][..], &both].concat(),
        &[
            "export",
            "--gdpr",
            "a1",
            "--plan",
            "a.plan",
            "--project",
            "shop",
        ],
        &["apply", "a.plan", "--dry-run"],
        &["find", "a1"],
        &["lookup", "--profiles", "users.csv", "a@x.test"],
        &["import", "import.jsonl", "--dry-run", "--project", "shop"],
        &["profiles", "delete", "a1", "--dry-run", "--project", "shop"],
        &[
            "profiles",
            "expire",
            "--not-seen-for",
            "1year",
            "--profiles",
            "seen.csv",
            "--at-most",
            "1",
            "--dry-run",
            "--project",
            "shop",
        ],
        &[
            "sanitize",
            "raw.jsonl",
            "--keep",
            "keep.txt",
            "-o",
            "new.jsonl",
            "--project",
            "shop",
        ],
        &["purge", "--older-than", "3years", "--dry-run"],
        &["auth", "status"],
        &["project", "list"],
        &[&["project", "show"][..], &both].concat(),
        &["doctor", "--offline"],
        &["report"],
        &["report", &id],
        &["guide"],
        &["guide", "opt-out"],
        &["guide", "copies"],
        &["guide", "retention"],
        &["answered", &id, "--copy", "warehouse"],
        &["completions", "fish"],
        &["audit", "verify"],
        &["audit", "head"],
        &["audit", "log"],
        &["ledger", "status"],
        &["ledger", "roles"],
        &["ledger", "backup", "copy.db"],
        &["ledger", "accept"],
        &["suppressions", "export"],
        &["suppressions", "export", "--output", "list.txt"],
        &["suppressions", "check", "events.jsonl"],
        &["verify", &id, "--events", "events.jsonl"],
        &[
            "verify",
            "--since",
            "90d",
            "--project",
            "shop",
            "--events",
            "events.jsonl",
        ],
        &["help", "exit-status"],
        &["help", "status"],
        &["man"],
        &["man", "--output", "man"],
        &["status", "nothing-like-it"],
    ] {
        seen.run(&operator, args);
    }
    let zip = b"PK\x05\x06\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0";
    let exports = Exports::from(|_| handing_out(zip, ""));
    seen.run(&exports.operator, &["download", "--to", "got"]);
    serves(&mut seen);
    let mut shapes: BTreeSet<&str> = Shapes::names().into_iter().collect();
    // Warnings after the result are the rarest case; `ui/` tests their shape.
    shapes.remove("warnings");
    if let Some(keyring) = Keyring::start() {
        let operator = keyring.of(Operator::new());
        let key = ["auth", "hash-key", "--with-key"];
        seen.run_with(&operator, &key, "a key");
        seen.run(&operator, &["auth", "hash-key", "--remove"]);
        seen.run(&operator, &["auth", "logout"]);
    } else {
        shapes.retain(|name| !["auth-logout", "secret"].contains(name));
    }
    if let Some(database) = Database::new() {
        let operator = with_key(&Fake::start(), "").with("DSR_LEDGER_URL", &database.url);
        seen.run(&operator, &["ledger", "init"]);
        let file = operator.without("DSR_LEDGER_URL");
        seen.run(&file, &["delete", "--gdpr", "--yes", "a1"]);
        let operator = file.with("DSR_LEDGER_URL", &database.url);
        seen.run(&operator, &["ledger", "move", "--dry-run"]);
    } else {
        shapes.retain(|name| !["made", "moved"].contains(name));
    }
    let seen: BTreeSet<&str> = seen.0.into_keys().collect();
    let dead: Vec<_> = shapes.difference(&seen).collect();
    assert!(dead.is_empty(), "no run has the shapes {dead:?}");
}

fn serves(seen: &mut Seen) {
    let operator = Operator::new();
    let args = ["sandbox", "--port", "0"];
    let mut command = operator.command(&[&args[..], &["--json"]].concat());
    let mut child = command
        .stdout(Stdio::piped())
        .spawn()
        .expect("dsr can be started");
    let mut line = String::new();
    let stdout = child.stdout.take().expect("stdout is piped");
    BufReader::new(stdout).read_line(&mut line).expect("a line");
    child.kill().expect("it runs");
    child.wait().expect("it ends");
    seen.note(&args, &line, "");
}
