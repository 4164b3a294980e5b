//! A server quotes an id or a token in a random spelling: dsr shows and keeps none of it.

use std::fs;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use rusqlite::types::ValueRef;
use rusqlite::{Connection, OpenFlags};
use serde_json::{Value, json};
use unicode_normalization::UnicodeNormalization;

use crate::support::{
    Call, Chance, Fake, OAUTH_TOKEN, Operator, Outcome, PROJECT_TOKEN, Reply, in_turns,
    object_reply, usual,
};

const ROUNDS: u64 = 60;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Refused,
    NotAllowed,
    Conflict,
    TooMany,
    AcceptedWithAnError,
    TaskId,
    Status,
    Cancelled,
    Settled,
    Fetched,
}

const PLACES: [Place; 10] = [
    Place::Refused,
    Place::NotAllowed,
    Place::Conflict,
    Place::TooMany,
    Place::AcceptedWithAnError,
    Place::TaskId,
    Place::Status,
    Place::Cancelled,
    Place::Settled,
    Place::Fetched,
];

fn an_id(chance: &mut Chance) -> String {
    let letters: Vec<char> = match chance.below(4) {
        0 => "abcdefghijklmnopqrstuvwxyz0123456789-._@".chars().collect(),
        1 => "äöüßéñøabcdefg".chars().collect(),
        2 => "山田太郎花子東京".chars().collect(),
        _ => "кристина-анна7".chars().collect(),
    };
    let length = 5 + chance.below(25);
    let letter = |chance: &mut Chance| letters[chance.below(letters.len() as u64) as usize];
    let middle: String = (0..length).map(|_| letter(chance)).collect();
    // Begins and ends with letters and digits, and is not an ordinary word.
    format!("q7{middle}4z")
}

fn spelled(text: &str, chance: &mut Chance) -> String {
    let bytes = text.as_bytes();
    let each = |format: &dyn Fn(u8) -> String| bytes.iter().map(|byte| format(*byte)).collect();
    let hex: String = each(&|byte| format!("{byte:02x}"));
    match chance.below(15) {
        0 => each(&|byte| format!("%{byte:02X}")),
        1 => url::form_urlencoded::byte_serialize(bytes).collect(),
        2 => STANDARD.encode(text),
        3 => URL_SAFE_NO_PAD.encode(format!("id={text};")),
        4 => STANDARD.encode(text).trim_end_matches('=').to_owned(),
        5 => hex,
        6 => hex.to_uppercase(),
        7 => text.chars().map(|c| format!("&#{};", c as u32)).collect(),
        8 => text
            .chars()
            .map(|c| format!("&#x{:x};", c as u32))
            .collect(),
        9 => text
            .encode_utf16()
            .map(|unit| format!("\\u{unit:04x}"))
            .collect(),
        10 => text.chars().flat_map(|c| [c, '\u{200b}']).collect(),
        11 => text.chars().flat_map(|c| ['\u{2}', c]).collect(),
        12 => text.nfkd().collect(),
        13 => each(&|byte| format!("={byte:02X}")),
        // Only the first character, as if only it needed escaping.
        _ => {
            let mut letters = text.chars();
            let first = letters.next().map(|c| format!("&#{};", c as u32));
            format!("{}{}", first.unwrap_or_default(), letters.as_str())
        }
    }
}

/// What a reader sees of a text: without invisible characters.
fn seen(text: &str) -> String {
    let unseen =
        |c: char| c.is_control() || c.is_whitespace() || matches!(c, '\u{200b}'..='\u{200f}');
    let text: String = text.chars().filter(|c| !unseen(*c)).collect();
    text.nfkc().collect()
}

#[derive(Debug)]
struct Case {
    place: Place,
    ids: Vec<String>,
    /// The quoted value, and how the server spells it.
    secret: String,
    spelling: String,
    json: bool,
}

fn case(seed: u64) -> Case {
    let mut chance = Chance::new(seed);
    let ids: Vec<String> = (0..3).map(|_| an_id(&mut chance)).collect();
    let secret = match chance.below(4) {
        0 => PROJECT_TOKEN.to_owned(),
        1 => OAUTH_TOKEN.to_owned(),
        _ => ids[chance.below(3) as usize].clone(),
    };
    let mut spelling = match chance.below(3) {
        0 => secret.to_uppercase(),
        1 => secret.nfkd().collect(),
        _ => secret.clone(),
    };
    for _ in 0..chance.below(3) {
        spelling = spelled(&spelling, &mut chance);
    }
    Case {
        place: PLACES[(seed % PLACES.len() as u64) as usize],
        ids,
        secret,
        spelling,
        json: chance.below(2) == 0,
    }
}

impl Case {
    fn reply(&self, call: &Call) -> Reply {
        let says = |status| Reply::error(status, &format!("no such user {} here", self.spelling));
        let status = |word: &str| {
            let results = json!({ "status": word, "result": "" });
            Reply::json(200, &json!({ "status": "ok", "results": results }))
        };
        let is_delete = call.method == "DELETE";
        match self.place {
            Place::Refused if call.is_post() => says(400),
            Place::NotAllowed if call.is_post() => says(403),
            Place::Conflict if call.is_post() => {
                let error = json!({
                    "conflicting_distinct_ids": [self.ids[0]],
                    "conflicting_task_ids": [self.spelling],
                });
                Reply::json(409, &json!({ "status": "error", "error": error }))
            }
            // The server quotes the call that it answers.
            Place::TooMany if call.is_post() && call.ids().len() > 1 => {
                Reply::error(413, &format!("too many ids: {}", self.spelling))
            }
            Place::AcceptedWithAnError if call.is_post() => says(200),
            Place::TaskId if call.is_post() => object_reply(&self.spelling),
            Place::Status if !call.is_post() => status(&format!("MOVED {}", self.spelling)),
            Place::Cancelled if is_delete => says(400),
            Place::Cancelled if !call.is_post() => status(&self.spelling),
            Place::Settled if call.is_post() && call.place == 0 => says(500),
            Place::Settled if call.is_post() => says(400),
            Place::Fetched if call.path == "/export.zip" => says(403),
            Place::Fetched if !call.is_post() => {
                let host = call.header("Host").expect("a host");
                let link = format!("http://{host}/export.zip?x={}", OAUTH_TOKEN);
                let results = json!({ "status": "SUCCESS", "result": link });
                Reply::json(200, &json!({ "status": "ok", "results": results }))
            }
            _ => usual(call),
        }
    }

    /// The commands that make the server speak. Returns everything they leave.
    fn play(self) {
        let kind: &[&str] = match self.place {
            Place::Fetched | Place::Status => &["export"],
            _ => &["delete", "--yes"],
        };
        let then: &[&[&str]] = match self.place {
            Place::Status => &[&["status", "--refresh"]],
            Place::Cancelled => &[&["cancel", "--all-of-it"], &["status", "--refresh"]],
            Place::Settled => &[&["resume"]],
            Place::Fetched => &[&["status", "--refresh"], &["download"]],
            _ => &[&["status"]],
        };
        let ids = self.ids.clone();
        let list = ids.join("\n");
        let (spelling, secret, json) = (self.spelling.clone(), self.secret.clone(), self.json);
        let shown = format!("{self:?}");
        let fake = Fake::answering(move |call| self.reply(call));
        let operator = Operator::in_memory(&fake, "rate = 1000");
        let file = operator.file("ids.txt", &list);
        let talk: &[&str] = if json { &["--json", "-vvv"] } else { &["-vvv"] };
        // Some of the ids have an unusual form.
        let allow: Vec<&str> = ids.iter().flat_map(|id| ["--allow", id.as_str()]).collect();
        let first = [kind, &["--gdpr", "--format", "text", file], &allow, talk].concat();
        let mut outcomes = vec![operator.run(&first)];
        let request = operator.requests()[0]["id"].clone();
        let request = request.as_str().expect("a request has an id").to_owned();
        for args in then {
            let named: Vec<&str> = args
                .iter()
                .map(|arg| {
                    if *arg == "--all-of-it" {
                        &request
                    } else {
                        *arg
                    }
                })
                .collect();
            let named = match args[0] {
                "cancel" => [&named[..], &["--yes"]].concat(),
                _ => named,
            };
            outcomes.push(operator.run(&[&named, talk].concat()));
        }
        let forms = [
            seen(&spelling),
            seen(&secret),
            Value::from(spelling).to_string(),
        ];
        let holds = |text: &str| {
            let text = seen(text);
            forms
                .iter()
                .any(|form| text.contains(form.trim_matches('"')))
        };
        for Outcome { stdout, stderr, .. } in &outcomes {
            assert!(!holds(stdout), "stdout of {shown}\n{stdout}");
            assert!(!holds(stderr), "stderr of {shown}\n{stderr}");
        }
        for cell in cells(&operator) {
            assert!(!holds(&cell), "the ledger after {shown}: {cell}");
        }
    }
}

/// Each text in the ledger except the payloads.
fn cells(operator: &Operator) -> Vec<String> {
    let path = operator.dsr_home().join("ledger.db");
    assert!(fs::exists(&path).expect("a folder"), "no ledger");
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY;
    let ledger = Connection::open_with_flags(path, flags).expect("a ledger");
    let sql = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name <> 'payloads'";
    let mut tables = ledger.prepare(sql).expect("a schema");
    let names = tables.query_map([], |row| row.get::<_, String>(0));
    let mut cells = Vec::new();
    for name in names.expect("names") {
        let name = name.expect("a name");
        let mut rows = ledger
            .prepare(&format!("SELECT * FROM \"{name}\""))
            .expect("a table");
        let columns = rows.column_count();
        let mut rows = rows.query([]).expect("rows");
        while let Some(row) = rows.next().expect("a row") {
            for column in 0..columns {
                if let ValueRef::Text(bytes) = row.get_ref(column).expect("a value") {
                    cells.push(String::from_utf8_lossy(bytes).into_owned());
                }
            }
        }
    }
    cells
}

#[test]
fn no_spelling_of_an_id_or_a_token_comes_back_from_a_server() {
    let seeds: Vec<u64> = (0..ROUNDS).collect();
    in_turns(&seeds, 4, |seed| case(*seed).play());
}

#[test]
fn a_withheld_message_says_what_it_quotes_and_a_harmless_one_is_shown() {
    for (id, said, expected) in [
        ("user-17", "no %75ser-17", "withheld: it quotes an id"),
        ("user-17", PROJECT_TOKEN, "withheld: it quotes a token"),
        ("ids", "too few ids", "too few ids"),
        ("1", "1 property is unknown", "1 property is unknown"),
    ] {
        let fake = Fake::answering_posts(Reply::error(400, said));
        let operator = Operator::at(&fake);
        let outcome = operator.run(&["delete", "--yes", "--gdpr", "--id", id, "--allow", id]);
        assert!(outcome.exits_with(3).stdout.contains(expected), "{outcome}");
        assert_eq!(fake.posts().len(), 1);
    }
}
