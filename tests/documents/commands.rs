//! Runs every command block of the documents, each in its own scene:
//!
//! | fence | is |
//! |---|---|
//! | `sh` | commands, each run by itself; `# exits 8` names a status other than 0 |
//! | `bash` | a script, run whole by `bash -eu -o pipefail`; it ends with 0 |
//! | `cron` | lines of a crontab, whose commands are run |
//! | `toml` | a config file |
//! | `text` | what the command above it prints |
//! | `python` | a program of the reader's, which `tests/cli/audit.rs` runs |
//! | none | an illustration |

use std::collections::BTreeSet;

use crate::blocks::{self, Block};
use crate::examples;
use crate::pages;
use crate::scene::{Mixpanel, REQUEST, Scene};
use crate::shell;
use crate::support::{NOWHERE, Outcome, in_turns};

/// What is not run, by how it begins, and why. dsr commands in it are parsed all the same.
const NOT_RUN: [(&str, &str); 19] = [
    (
        "dsr doctor --copies",
        "needs a service account; the next command asks the sandbox instead",
    ),
    ("cargo test", "is this very run"),
    ("DSR_UPDATE=1 cargo test", "writes into this very folder"),
    (
        "INSTA_UPDATE=always cargo test",
        "writes into this very folder",
    ),
    (
        "cargo install cargo-fuzz",
        "installs a program, and fuzzing takes minutes",
    ),
    (
        "TMPDIR=/dev/shm cargo fuzz",
        "needs cargo-fuzz and takes minutes",
    ),
    (
        "check-jsonschema",
        "is any validator of the reader's; every run of the tests is held to the schemas",
    ),
    (
        "cargo install --locked",
        "builds for minutes what is built already",
    ),
    (
        "sha256sum --check",
        "needs a release, which `.ci/release` tries",
    ),
    (
        "sudo apt install",
        "needs a release, and changes the machine",
    ),
    (
        "sudo systemctl ",
        "changes the machine; `recipes.rs` runs the unit's commands",
    ),
    (
        "kubectl ",
        "needs a cluster; `recipes.rs` runs the pod's commands",
    ),
    ("dsr init", "asks; `tests/cli/init.rs` answers"),
    (
        "ssh-keygen -Y verify",
        "needs a release, which `.ci/release` tries",
    ),
    ("./dsr ", "needs a release, which `.ci/release` tries"),
    ("tar xzf", "needs a release, which `.ci/release` tries"),
    ("podman build", "needs a release and a base image"),
    (
        "psql ",
        "needs a server, which `tests/cli/shared_ledger.rs` has",
    ),
    (
        "DSR_LEDGER_URL=postgres",
        "needs a server, which `tests/cli/shared_ledger.rs` has",
    ),
];

#[derive(Debug)]
struct Case {
    place: String,
    chapter: String,
    text: String,
    /// What it prints, as the document shows it.
    shown: Option<String>,
}

fn cases_of(document: &str) -> Vec<Case> {
    let mut cases: Vec<Case> = Vec::new();
    let mut is_shown = false;
    for block in blocks::of(document) {
        let case = |text: String| Case {
            place: block.place.clone(),
            chapter: block.chapter.clone(),
            text,
            shown: None,
        };
        let was_run = std::mem::replace(&mut is_shown, false);
        match block.language.as_str() {
            "sh" => cases.extend(block.commands().into_iter().map(case)),
            "bash" => cases.push(case(block.text.clone())),
            "cron" => cases.extend(block.commands().iter().map(|line| case(of_crontab(line)))),
            "toml" => is_config(&block),
            // How each command is called.
            "text" if document == REFERENCE => {}
            "text" if was_run => cases.last_mut().unwrap().shown = Some(block.text),
            "" | "python" => {}
            other => panic!("{}: nobody knows what `{other}` is", block.place),
        }
        is_shown = matches!(block.language.as_str(), "sh" | "bash");
    }
    cases
}

/// The command after the five time fields of a crontab line; a setting is kept as it is.
fn of_crontab(line: &str) -> String {
    let mut rest = line;
    for _ in 0..5 {
        let (field, behind) = rest.trim_start().split_once(' ').unwrap();
        assert!(
            field
                .chars()
                .all(|c| c.is_ascii_digit() || "*/,-".contains(c)),
            "{line}"
        );
        rest = behind;
    }
    // A `%` in a crontab begins the input.
    assert!(!rest.contains('%'), "{line}");
    rest.trim_start().to_owned()
}

fn is_config(block: &Block) {
    let scene = Scene::at(NOWHERE);
    scene.operator.write_config(&block.text);
    scene.run("dsr project list").exits_with(0);
    if block.text.contains("[projects.") {
        scene.run("dsr project show --json").exits_with(0);
    }
}

/// Two sandboxes: one whose jobs end at once, one whose jobs take their time.
struct World {
    quick: Mixpanel,
    slow: Mixpanel,
}

impl World {
    /// `None` if this machine has no keyring, which is printed.
    fn scene_of(&self, case: &Case) -> Option<Scene> {
        let text = case.text.as_str();
        let has = |word: &str| text.contains(word);
        let mixpanel = match has("dsr cancel") || has("dsr extend") {
            true => &self.slow,
            false => &self.quick,
        };
        let mut scene = Scene::at(mixpanel.url());
        if has("DSR_TOKEN_FILE=") {
            scene = scene.without_token();
        }
        if has("dsr project add") || has("dsr init") || has("DSR_PROJECT_TOKEN=") {
            scene = scene.without_project();
        }
        let keeps_secrets = [
            "dsr auth login",
            "dsr init",
            "dsr auth use",
            "dsr auth logout",
            "dsr auth status",
            "dsr auth hash-key",
            "dsr auth ledger-key --from",
            "dsr project secret",
        ];
        if keeps_secrets.into_iter().any(has) && !has("DSR_TOKEN_FILE") {
            scene = scene.with_keyring()?;
        }
        let imports = has("dsr import ");
        let asks = has("dsr lookup ") || has("dsr profiles expire ");
        if has("--preflight") || (asks && !has("--profiles")) {
            scene = scene.with_account(mixpanel.account());
        }
        if has("found.csv") && !has(" lookup ") {
            let ids = include_str!("../data/ids.csv");
            scene.operator.file("found.csv", ids);
        }
        if imports {
            let event = r#"{"event":"Buy","properties":{"time":1790000000,"distinct_id":"anon-7","$insert_id":"a-1","ip":0}}"#;
            for name in ["events.jsonl", "corrected.jsonl"] {
                scene.operator.file(name, format!("{event}\n"));
            }
        }
        if has("ledger-key --from ledger.key") {
            scene.operator.private_file("ledger.key", "0a".repeat(32));
        }
        // They ask for a ledger, and asking does not make one.
        let read_the_ledger = [
            "suppressions",
            "report",
            "audit",
            "ledger",
            "purge",
            "verify",
        ];
        let rely_on_it = [
            "dsr status --changes",
            "dsr status --watch",
            "dsr resume  ",
            "status=0\ndsr status",
            "echo user-9999 | dsr find",
        ];
        let reads = read_the_ledger
            .iter()
            .any(|name| has(&format!("dsr {name}")));
        let relies = rely_on_it.iter().any(|begin| text.starts_with(begin));
        if (reads || relies) && !has(REQUEST) {
            let delete = ["delete", "--gdpr", "--yes", "ids.csv", "--wait"];
            scene.operator.run(&delete).exits_with(0);
        }
        if has("--head evidence/heads") {
            scene.run("dsr audit head >>evidence/heads").exits_with(0);
        }
        if has(REQUEST) {
            let of_deletions = [
                "dsr cancel",
                "dsr verify ",
                "--copy",
                "--withdraw-copy",
                "--after",
            ];
            let kind: &[&str] = match of_deletions.into_iter().any(has) {
                true => &["delete", "--gdpr", "--yes", "ids.csv"],
                false => &["export", "--gdpr", "ids.csv"],
            };
            scene = scene.with_request(kind, 0);
            if has("dsr download") || has("dsr verify") || imports {
                scene.operator.run(&["status", "--watch"]).exits_with(0);
            }
        }
        if imports {
            scene = scene.with_account(mixpanel.account());
        }
        Some(scene)
    }
}

fn status_of(text: &str) -> i32 {
    let (_, behind) = text.split_once("# exits ").unwrap_or_default();
    let digits: String = behind.chars().take_while(char::is_ascii_digit).collect();
    digits.parse().unwrap_or(0)
}

/// Parses the branches of a script that are not taken, too. A variable has its value only in a run.
fn parses(case: &Case) {
    let calls = shell::calls(&case.text).into_iter();
    let plain = calls.filter(|call| !call.iter().any(|word| word.contains('$')));
    plain.for_each(|call| examples::parses(&call, &case.place));
}

fn check(case: &Case, world: &World) {
    parses(case);
    let Some(scene) = prepared(case, world) else {
        return;
    };
    let outcome = scene.run(&case.text);
    outcome.exits_with(status_of(&case.text));
    outcome.never_says("panicked at");
    if let Some(shown) = &case.shown {
        is_as_shown(&outcome, shown);
    }
    afterwards(case, &scene);
}

/// The document has the whole result; everything else in it was printed beside the result.
fn is_as_shown(outcome: &Outcome, shown: &str) {
    let (own, other) = (request_in(&outcome.stdout), request_in(shown));
    let (result, shown) = (comparable(&outcome.stdout, own), comparable(shown, other));
    let said = comparable(&outcome.stderr, own);
    let (same, beside) = shown.split_at(result.len().min(shown.len()));
    assert_eq!(same, result, "{outcome}");
    for line in beside {
        assert!(said.contains(line), "`{line}` is not said\n{outcome}");
    }
}

/// The scenes of chapters that begin with something gone wrong.
fn prepared(case: &Case, world: &World) -> Option<Scene> {
    match case.chapter.as_str() {
        "After a night without network" => Some(Scene::cut_off_then_at(world.quick.url())),
        // Only a deletion can be settled without the operator's decision.
        "When an outcome is unknown" => {
            Some(Scene::of_lost_answers(match case.text.contains("--") {
                true => &["export"],
                false => &["delete", "--yes"],
            }))
        }
        "Put the newest copy in place" => Some(Scene::at(world.quick.url()).with_an_older_copy()),
        "Record that the review is done" => {
            let scene = Scene::at(world.quick.url()).with_an_older_copy();
            Some(scene.that_was_accepted())
        }
        "Two people for one deletion" if !case.text.contains("--sandbox") => {
            Scene::at(world.quick.url()).of_two_people(&case.text)
        }
        _ => world.scene_of(case),
    }
}

/// What a chapter promises apart from its status.
fn afterwards(case: &Case, scene: &Scene) {
    match case.chapter.as_str() {
        "After a night without network" => {
            let jobs = scene.operator.only_request()["jobs"].clone();
            assert_eq!(jobs[0]["state"], "done", "{jobs}");
        }
        "Following jobs in cron" if case.text.contains("--changes") => {
            let again = scene.run(&case.text);
            again.exits_with(0);
            assert!(
                again.stdout.is_empty() && again.stderr.is_empty(),
                "{again}"
            );
        }
        _ => {}
    }
}

/// A text without what differs from run to run: the request's id, tasks, dates, ages and widths.
fn comparable(text: &str, request: Option<&str>) -> Vec<String> {
    let text = match request {
        Some(id) => text.replace(id, "REQUEST").replace(&id[..8], "REQUEST"),
        None => text.to_owned(),
    };
    let word = |word: &str| {
        let bare = word.trim_matches(|c: char| !c.is_ascii_alphanumeric());
        let digits = bare.chars().filter(char::is_ascii_digit).count();
        let dashes = bare.matches('-').count();
        let is_age = digits > 0 && digits + 1 == bare.len() && bare.ends_with(['s', 'm', 'h']);
        match (bare.len(), digits, dashes) {
            (10, 8, 2) => word.replace(bare, "DATE"),
            (36, _, 4) => word.replace(bare, "TASK"),
            _ if is_age => "AGE".to_owned(),
            _ => word.to_owned(),
        }
    };
    let line = |line: &str| {
        let words: Vec<String> = line.split_whitespace().map(word).collect();
        words.join(" ").replace("AGE ago", "just now")
    };
    text.lines().map(line).collect()
}

/// The id in `Request q7tz0xmab2cd3ef4: …`.
fn request_in(text: &str) -> Option<&str> {
    text.strip_prefix("Request ")?.split(':').next()
}

fn run_all(documents: &[String]) {
    let cases: Vec<Case> = documents.iter().flat_map(|page| cases_of(page)).collect();
    assert!(cases.len() > 5, "{documents:?}: {} commands", cases.len());
    let world = World {
        quick: Mixpanel::start("0.2"),
        slow: Mixpanel::start("600"),
    };
    let reason = |case: &Case| {
        NOT_RUN
            .iter()
            .find(|(begin, _)| case.text.starts_with(begin))
    };
    let (kept, run): (Vec<Case>, Vec<Case>) =
        cases.into_iter().partition(|case| reason(case).is_some());
    kept.iter().for_each(parses);
    in_turns(&run, 6, |case| check(case, &world));
}

/// Every page whose commands are run. The reference has examples, which are only parsed.
fn run_pages() -> (Vec<String>, Vec<String>) {
    let all = pages::all().into_iter();
    all.filter(|page| page != REFERENCE)
        .partition(|page| page.starts_with("docs/guide/"))
}

const REFERENCE: &str = "docs/reference.md";

#[test]
fn every_command_of_the_guide_runs() {
    run_all(&run_pages().0);
}

#[test]
fn every_command_of_all_other_pages_runs() {
    run_all(&run_pages().1);
}

#[test]
fn every_command_of_the_reference_parses() {
    let cases = cases_of(REFERENCE);
    assert!(cases.len() > 100, "{} commands", cases.len());
    cases.iter().for_each(parses);
}

#[test]
fn nothing_is_left_out_without_need() {
    let all = pages::all().into_iter();
    let cases = all.flat_map(|page| cases_of(&page));
    let texts: BTreeSet<String> = cases.map(|case| case.text).collect();
    for (begin, reason) in NOT_RUN {
        let is_there = texts.iter().any(|text| text.starts_with(begin));
        assert!(is_there, "no document says `{begin}`, which {reason}");
    }
}
