//! No leak anywhere: runs every command with every outcome and verbosity. All secrets and ids are
//! canaries; then everything that the run left is searched for them.

mod anonymous;
mod canaries;
mod commands;
mod search;
mod spellings;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::json;

use self::canaries::{ACCOUNT_SECRET, ACCOUNT_USER, API_SECRET, HASH_KEY, IDS, ODD_ID, PLAIN_ID};
use self::commands::{ASKING, LOCAL, a_holder, asks_for_values, events};
use self::search::{Search, Watch};
use crate::support::{
    Call, Fake, Kept, OAUTH_TOKEN, Operator, Outcome, PROJECT_TOKEN, Reply, Running, handing_out,
    in_turns, object_reply, usual,
};

type Talk = (
    &'static [&'static str],
    &'static [(&'static str, &'static str)],
);

const TALK: [Talk; 5] = [
    (&[], &[]),
    (&["-vvv"], &[]),
    (&[], &[("DSR_LOG", "trace"), ("RUST_LOG", "trace")]),
    (&["--json"], &[]),
    (&["--json", "-vvv"], &[("RUST_BACKTRACE", "full")]),
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Answers {
    Well,
    Saying(u16),
    Page,
    Elsewhere,
    Conflict,
    Reset,
    Half,
    Never,
}

const ANSWERS: [Answers; 14] = [
    Answers::Well,
    Answers::Saying(400),
    Answers::Saying(401),
    Answers::Saying(403),
    Answers::Saying(409),
    Answers::Saying(413),
    Answers::Saying(429),
    Answers::Saying(500),
    Answers::Page,
    Answers::Elsewhere,
    Answers::Conflict,
    Answers::Reset,
    Answers::Half,
    Answers::Never,
];

/// Answers whose words dsr shows.
const SPOKEN_OF: [Answers; 4] = [
    Answers::Well,
    Answers::Saying(400),
    Answers::Saying(403),
    Answers::Saying(500),
];

/// What is wrong on the machine itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Harm {
    None,
    Ledger,
    Config,
    ReadOnly,
    FullDisk,
}

#[derive(Debug, Clone, Copy)]
struct Case {
    args: &'static [&'static str],
    input: &'static str,
    talk: usize,
    answers: Answers,
    harm: Harm,
}

fn all_cases() -> Vec<Case> {
    let mut cases = Vec::new();
    let well = Answers::Well;
    for talk in 0..TALK.len() {
        for args in ASKING {
            for answers in ANSWERS {
                // The others give the same output.
                let is_quiet = matches!(talk, 0 | 2 | 3);
                if is_quiet && !SPOKEN_OF.contains(&answers) {
                    continue;
                }
                cases.push(Case {
                    args,
                    input: "",
                    talk,
                    answers,
                    harm: Harm::None,
                });
            }
        }
        for (args, input) in LOCAL {
            cases.push(Case {
                args,
                input,
                talk,
                answers: well,
                harm: Harm::None,
            });
        }
    }
    let local = LOCAL.into_iter();
    for (args, input) in ASKING.map(|args| (args, "")).into_iter().chain(local) {
        for harm in [Harm::Ledger, Harm::Config, Harm::ReadOnly, Harm::FullDisk] {
            cases.push(Case {
                args,
                input,
                talk: 4,
                answers: well,
                harm,
            });
        }
    }
    cases
}

/// Repeats everything that the server was told, as it is and URL-encoded.
fn echo(call: &Call) -> String {
    let ids = match call.is_post() && !asks_for_values(call) {
        true => call.ids(),
        // The ids of the tasks or the values that it was asked about.
        false => IDS.map(str::to_owned).into(),
    };
    let encode =
        |id: &String| url::form_urlencoded::byte_serialize(id.as_bytes()).collect::<String>();
    let encoded: Vec<String> = ids.iter().map(encode).collect();
    let spaced = encoded.join("&").replace('+', "%20");
    format!(
        "no {} ({}; {spaced}) for token={PROJECT_TOKEN}&x=1 (Bearer {OAUTH_TOKEN})",
        ids.join(", "),
        encoded.join("&")
    )
}

fn reply(answers: Answers, call: &Call) -> Reply {
    let echo = echo(call);
    let named = |reply: Reply| {
        reply
            .with("X-Echo", OAUTH_TOKEN)
            .with("X-Token", PROJECT_TOKEN)
    };
    match answers {
        Answers::Well if asks_for_values(call) => a_holder(),
        Answers::Well => usual(call),
        Answers::Saying(status) if call.place.is_multiple_of(2) => {
            named(Reply::error(status, &echo))
        }
        Answers::Saying(status) => {
            let error = json!({ "error": [echo], "detail": { "quoted": echo } });
            named(Reply::json(
                status,
                &json!({ "status": "error", "error": error }),
            ))
        }
        Answers::Page => Reply::text(502, "text/html", &format!("<html>{echo}</html>")),
        Answers::Elsewhere => {
            let place = format!("http://127.0.0.1:1/{PLAIN_ID}?token={PROJECT_TOKEN}");
            Reply::error(302, &echo).with("Location", &place)
        }
        Answers::Conflict => {
            let error = json!({
                "conflicting_distinct_ids": [PLAIN_ID],
                "conflicting_task_ids": ["t-9"],
                "error": echo,
            });
            Reply::json(409, &json!({ "status": "error", "error": error }))
        }
        Answers::Reset => Reply::Reset,
        Answers::Half => Reply::Half {
            status: 201,
            body: format!("{{\"error\":\"{echo}"),
        },
        Answers::Never => Reply::Hang,
    }
}

/// What must have happened before a case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Before {
    Exported,
    /// Not a deletion: it would be linked to the open one, and nothing would be sent.
    Deleted,
    /// What a resume goes on with is not sent yet.
    Deferred,
}

impl Before {
    const ALL: [Self; 3] = [Self::Exported, Self::Deleted, Self::Deferred];

    fn of(case: &Case) -> Self {
        match case.args[0] {
            "cancel" => Self::Deleted,
            "resume" => Self::Deferred,
            _ => Self::Exported,
        }
    }

    fn happens(self, operator: &Operator) -> String {
        let kind = match self {
            Self::Exported => &["export"][..],
            Self::Deleted | Self::Deferred => &["delete", "--yes"],
        };
        let rest = ["--gdpr", "own/ids.csv", "--json", "--max-wait", "0s"];
        let made = operator.run(&[kind, &rest].concat());
        made.exits_with(if self == Self::Deferred { 75 } else { 0 });
        let request = made.request()["id"].clone();
        request.as_str().expect("a request has an id").to_owned()
    }
}

/// A request with its home, made once for all cases that begin with it.
struct Begun {
    kept: Kept,
    request: String,
}

impl Begun {
    fn with(before: Before) -> Self {
        let fake = Fake::answering(move |call| first_reply(before, call));
        let operator = with_lists(&fake);
        let request = before.happens(&operator);
        let mut search = Search::new();
        search.files(&operator, &[operator.work().join("own")]);
        assert!(search.found.is_empty(), "{}", search.found.join("\n"));
        let kept = operator.keeps();
        Self { kept, request }
    }
}

fn first_reply(before: Before, call: &Call) -> Reply {
    match call.is_post() {
        _ if before == Before::Deferred => Reply::error(429, "later"),
        true => object_reply("t-1"),
        false => usual(call),
    }
}

/// An operator with lists, keys and a folder for temporary files.
fn with_lists(fake: &Fake) -> Operator {
    let mut operator = Operator::in_memory(fake, "rate = 1000\nproject_id = 4242");
    for folder in ["own", "tmp"] {
        fs::create_dir(operator.work().join(folder)).expect("a folder");
    }
    let tmp = operator.work().join("tmp").display().to_string();
    operator.set("TMPDIR", &tmp);
    let quoted = ODD_ID.replace('"', "\"\"");
    operator.file(
        "own/ids.csv",
        format!("distinct_id\n{PLAIN_ID}\n\"{quoted}\"\n"),
    );
    operator.file(
        "own/users.csv",
        format!("distinct_id,email\n{PLAIN_ID},{PLAIN_ID}\n\"{quoted}\",\"{quoted}\"\n"),
    );
    commands::lay_out_profiles(&operator, &quoted);
    anonymous::lay_out(&operator);
    let bad = format!("distinct_id\n{PLAIN_ID}\u{7}\n {ODD_ID}\n\"{PLAIN_ID}\n");
    operator.file("own/events.jsonl", events());
    operator.file("own/bad.csv", bad);
    operator.private_file("own/key", HASH_KEY);
    let secret = operator.private_file("own/secret", API_SECRET);
    operator.set("DSR_PROJECT_SECRET_FILE", &secret);
    let account = format!("{ACCOUNT_USER}:{ACCOUNT_SECRET}");
    let account = operator.private_file("own/account", account);
    operator.set("DSR_SERVICE_ACCOUNT_FILE", &account);
    operator
}

/// An operator with a request, and a Mixpanel that answers as the case demands.
struct Scene {
    fake: Fake,
    operator: Operator,
    is_ready: Arc<AtomicBool>,
    own: Vec<PathBuf>,
    request: String,
}

impl Scene {
    fn of(case: &Case, begun: &BTreeMap<Before, Begun>) -> Self {
        let is_ready = Arc::new(AtomicBool::new(false));
        let (ready, answers) = (Arc::clone(&is_ready), case.answers);
        let store = handing_out(b"PK\x05\x06\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", "");
        let fetches = case.args[0] == "download";
        let before = Before::of(case);
        let fake = Fake::answering(move |call| match ready.load(Ordering::Relaxed) {
            true if call.path == "/export.zip" => store.clone(),
            true if answers == Answers::Well && fetches => {
                let link = format!("http://{}/export.zip", call.header("Host").expect("a host"));
                let results = json!({ "status": "SUCCESS", "result": link });
                Reply::json(200, &json!({ "status": "ok", "results": results }))
            }
            true => reply(answers, call),
            false => first_reply(before, call),
        });
        let mut operator = with_lists(&fake);
        let request = match case.args.iter().any(|arg| arg.ends_with(".plan")) {
            true => {
                crate::plans::keep_one_at(&mut operator, "own/own.plan");
                before.happens(&operator)
            }
            false => {
                operator.begins_with(&begun[&before].kept);
                begun[&before].request.clone()
            }
        };
        let own = ["own", "fetched"].map(|name| operator.work().join(name));
        Self {
            fake,
            operator,
            is_ready,
            own: own.into(),
            request,
        }
    }

    /// Breaks what the case demands, and runs it.
    fn play(&mut self, case: &Case, search: &mut Search) -> Outcome {
        let (flags, variables) = TALK[case.talk];
        for (name, value) in variables {
            self.operator.set(name, value);
        }
        let args: Vec<&str> = case.args.iter().chain(flags).copied().collect();
        let named = |arg| match arg {
            "REQUEST" => self.request.as_str(),
            arg => arg,
        };
        let args: Vec<&str> = args.into_iter().map(named).collect();
        let input = match (case.input, case.args.contains(&"-")) {
            (_, true) => IDS.join("\n"),
            (input, false) => input.to_owned(),
        };
        let setup = self.harm(case.harm);
        self.is_ready.store(true, Ordering::Relaxed);
        let before = self.fake.calls().len();
        let running = Running::start(self.operator.command_after(setup, &args), input);
        let watch = Watch::of(running.id());
        // These may wait out a rate limit.
        let is_patient = matches!(case.args[0], "status" | "cancel");
        let waits = case.answers == Answers::Saying(429) && is_patient;
        if waits || case.answers == Answers::Never {
            for _ in 0..100 {
                if self.fake.calls().len() > before {
                    break;
                }
                std::thread::sleep(Duration::from_millis(20));
            }
            // The first signal waits for the call under way.
            let stop = format!(
                "kill -TERM {0}; sleep 0.1; kill -TERM {0}; true",
                running.id()
            );
            Running::start(self.operator.script(&stop, &[]), "").end();
        }
        let outcome = running.end();
        // A secret that the operator gave as an argument is in the arguments.
        let secrets = [OAUTH_TOKEN, PROJECT_TOKEN, HASH_KEY];
        let watched = watch.end();
        if !args.iter().any(|arg| secrets.contains(arg)) {
            search.processes(watched);
            // clap would refuse the command before it does anything.
            outcome.never_says("unexpected argument");
        }
        outcome
    }

    fn harm(&self, harm: Harm) -> &'static str {
        let ledger = self.operator.dsr_home().join("ledger.db");
        match harm {
            Harm::None => ":",
            Harm::Ledger => {
                let mut bytes = fs::read(&ledger).expect("a ledger");
                bytes[100..].fill(0xa5);
                fs::write(&ledger, bytes).expect("a file of ours");
                ":"
            }
            Harm::Config => {
                self.operator.write_config(&format!(
                    "[projects.shop]\ntoken = \"{PROJECT_TOKEN}\nregion = {OAUTH_TOKEN}\n"
                ));
                ":"
            }
            Harm::ReadOnly => {
                // Root can write all the same: then it is one more ordinary run.
                let home = self.operator.dsr_home();
                let closed = PermissionsExt::from_mode(0o500);
                fs::set_permissions(home, closed).expect("a folder of ours");
                ":"
            }
            Harm::FullDisk => "ulimit -f 1",
        }
    }
}

#[test]
fn no_secret_and_no_id_is_in_anything_that_any_run_leaves_behind() {
    let cases = all_cases();
    let (runs, statuses) = (AtomicUsize::new(0), Mutex::new(BTreeSet::new()));
    let begun = Before::ALL.map(|before| (before, Begun::with(before)));
    let begun = BTreeMap::from(begun);
    in_turns(&cases, 12, |case| {
        let mut scene = Scene::of(case, &begun);
        let mut search = Search::new();
        let outcome = scene.play(case, &mut search);
        search.anything("stdout", outcome.stdout.as_bytes());
        search.anything("stderr", outcome.stderr.as_bytes());
        if case.harm == Harm::Config {
            // The broken line is the operator's own text; the other files count.
            scene.own.push(scene.operator.config_path());
        }
        search.files(&scene.operator, &scene.own);
        runs.fetch_add(1, Ordering::Relaxed);
        statuses
            .lock()
            .expect("nobody fails with it")
            .insert(outcome.status);
        assert!(
            search.found.is_empty(),
            "{}\n{outcome}",
            search.found.join("\n")
        );
        outcome.never_says("panicked at");
        assert_ne!(outcome.status, Some(1), "a bug\n{outcome}");
    });
    let (runs, statuses) = (
        runs.into_inner(),
        statuses.into_inner().expect("all have ended"),
    );
    println!("{runs} runs, exit statuses {statuses:?}: nothing found");
    assert!(runs >= 200, "{runs} runs are too few");
    // Otherwise the cases do not lead where they should.
    for status in [0, 2, 3, 4, 5, 6, 74, 75, 143] {
        assert!(
            statuses.contains(&Some(status)),
            "no run ended with {status}"
        );
    }
}

/// The commands without subcommands, from the program's own help.
fn commands(operator: &Operator, above: &[&str]) -> BTreeSet<String> {
    let outcome = operator.run(&[above, &["--help"]].concat());
    let text = outcome.exits_with(0).stdout.clone();
    let list = text.split("\nCommands:\n").nth(1);
    let list = list.map(|list| list.split("\n\n").next().unwrap_or_default());
    let Some(list) = list else {
        return BTreeSet::from([above.join(" ")]);
    };
    // Lines that are indented further continue a description.
    let lines = list
        .lines()
        .filter(|line| line.starts_with("  ") && !line.starts_with("   "));
    let names = lines.filter_map(|line| line.split_whitespace().next());
    names
        .flat_map(|name| commands(operator, &[above, &[name]].concat()))
        .collect()
}

#[test]
fn each_command_there_is_has_its_cases() {
    let all = commands(&Operator::new(), &[]);
    assert!(all.len() >= 19, "{all:?}");
    // It serves until it is ended. `sandbox.rs` checks its output, and `--sandbox` its files.
    let told_elsewhere = BTreeSet::from(["sandbox".to_owned()]);
    let local = LOCAL.map(|(args, _)| args);
    let covered = |command: &String| {
        let mut cases = ASKING.iter().chain(&local);
        let words: Vec<&str> = command.split(' ').collect();
        cases.any(|args| args.starts_with(&words)) || told_elsewhere.contains(command)
    };
    let missing: Vec<&String> = all.iter().filter(|command| !covered(command)).collect();
    assert!(missing.is_empty(), "no case for {missing:?}");
}
