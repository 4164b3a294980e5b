//! Completion: which words dsr offers, also in real shells.

use std::fs;
use std::os::unix::fs::symlink;
use std::time::Duration;

use rusqlite::Connection;

use crate::minimisation::with_key;
use crate::support::{Fake, Operator, PROJECT_TOKEN, Terminal, find_program};
use crate::suppressions::{erase, obedient};

/// The words offered in the place of the last one, with their descriptions.
fn offered(operator: &Operator, words: &[&str]) -> Vec<(String, String)> {
    let outcome = operator.run(&[&["__complete"], words].concat());
    outcome.exits_with(0);
    assert!(
        outcome.stderr.is_empty(),
        "it is read while somebody types\n{outcome}"
    );
    let line = |line: &str| {
        let (word, help) = line.split_once('\t').unwrap_or((line, ""));
        (word.to_owned(), help.to_owned())
    };
    outcome.stdout.lines().map(line).collect()
}

fn words(operator: &Operator, typed: &[&str]) -> Vec<String> {
    let offered = offered(operator, typed).into_iter();
    offered.map(|(word, _)| word).collect()
}

/// Two projects and a token; exports, and deletions that are done, running, accepted and unsent.
fn with_history(fake: &Fake) -> Operator {
    let second = format!(
        "[projects.app]\ntoken = \"{}\"\nregion = \"eu\"\nauth = \"acme\"\nrate = 1000",
        PROJECT_TOKEN.replace('9', "8")
    );
    let operator = with_key(fake, &format!("rate = 1000\n{second}"));
    let ids = [
        "done@x.test",
        "running@x.test",
        "accepted@x.test",
        "deferred@x.test",
    ];
    erase(
        &operator,
        &ids,
        &["--project", "shop", "--ref", "T-\u{202e}1\t2"],
    );
    for id in ["done@y.test", "open@y.test"] {
        operator
            .run(&["export", "--ccpa", "--project", "app", id])
            .exits_with(0);
    }
    operator.run(&["status", "--refresh"]).exits_with(0);
    operator
}

fn requests(operator: &Operator) -> Vec<String> {
    let mut all = operator.requests();
    all.sort_by_key(|request| request["created"].as_str().map(str::to_owned));
    let id = |request: &serde_json::Value| request["id"].as_str().expect("an id").to_owned();
    all.iter().map(id).collect()
}

#[test]
fn only_requests_that_fit_behind_the_command_are_offered_the_newest_first() {
    let fake = obedient();
    let operator = with_history(&fake);
    let [done, running, accepted, deferred, exported, open] =
        requests(&operator).try_into().unwrap();
    let all = [&open, &exported, &deferred, &accepted, &running, &done];
    for (command, fitting) in [
        ("status", &all[..]),
        ("cancel", &[&deferred, &accepted]),
        ("resume", &[&deferred]),
        ("extend", &[&open, &deferred, &accepted, &running]),
        ("download", &[&exported]),
    ] {
        let found = words(&operator, &[command, ""]);
        assert_eq!(found.iter().collect::<Vec<_>>(), fitting, "{command}");
    }
    assert_eq!(
        words(&operator, &["status", &accepted[..7]]),
        [accepted.as_str()]
    );
    assert_eq!(words(&operator, &["status", "zz"]), [""; 0]);
    let of_app = ["--project", "app", "status", ""];
    assert_eq!(words(&operator, &of_app), [open.as_str(), &exported]);
    assert_eq!(
        words(&operator, &["status", "--project=app", ""]),
        [open, exported]
    );
    let said = offered(&operator, &["cancel", ""]);
    // The operator's own text cannot control the terminal, and stays on its line.
    assert_eq!(said[1].1, "delete GDPR, shop, accepted, T-\\u{202e}1 2");
}

#[test]
fn tasks_are_offered_from_their_third_character_on() {
    let fake = obedient();
    let operator = with_history(&fake);
    assert_eq!(words(&operator, &["status", "ru"]), [""; 0]);
    let found = offered(&operator, &["cancel", "run"]);
    assert_eq!(found.len(), 1);
    assert!(found[0].0.starts_with("running-"), "{found:?}");
    assert_eq!(
        words(&operator, &["resume", "run"]),
        [""; 0],
        "it takes requests alone"
    );
}

#[test]
fn projects_tokens_topics_and_files_are_offered() {
    let fake = obedient();
    let operator = with_history(&fake);
    for (typed, found) in [
        (&["--project", ""][..], &["app", "shop"][..]),
        (&["status", "--project", "s"], &["shop"]),
        (&["--project=a"], &["--project=app"]),
        (&["project", "show", ""], &["app", "shop"]),
        (&["project", "add", "s"], &[]),
        (&["auth", "use", ""], &["acme", "main"]),
        (&["project", "add", "x", "--auth", "a"], &["acme"]),
        (&["guide", "opt-o"], &["opt-out"]),
        (&["guide", "opt-out", "--sdk", "s"], &["swift", "server"]),
        (&["help", "exp"], &["export"]),
        (&["help", "ru"], &["runbooks"]),
        (&["man", "auth", "l"], &["login", "logout", "ledger-key"]),
        (&["can"], &["cancel"]),
        (&["delete", "--gdpr", ""], &["//files"]),
        (&["delete", "--gdpr", "canary"], &["//files"]),
        (&["delete", "--exclude", ""], &["//files"]),
        (&["delete", "--file=x"], &["--file=//files"]),
        (&["download", "--to", ""], &["//folders"]),
        (&["delete", "--id", ""], &[]),
        (&["delete", "--gd"], &["--gdpr"]),
        (&["status", "--ca"], &["--cached"]),
        (&["status", "--", "--ca"], &[]),
    ] {
        let mut offered = words(&operator, typed);
        offered.retain(|word| !word.starts_with("--") || typed.last().unwrap().starts_with("--"));
        assert_eq!(offered, found, "{typed:?}");
    }
    assert!(
        words(&operator, &["--sandbox", "--project", ""]).is_empty(),
        "it has its own"
    );
}

#[test]
fn a_look_leaves_no_trace_waits_for_nobody_and_is_silent_whatever_it_finds() {
    let nobody = Operator::new();
    for typed in [
        &["status", ""][..],
        &["--sandbox", "cancel", ""],
        &["--project", ""],
        &[],
    ] {
        let flags = |word: &String| !word.starts_with("--");
        assert!(
            !words(&nobody, typed)
                .iter()
                .any(|w| flags(w) && typed.len() > 1),
            "{typed:?}"
        );
    }
    assert_eq!(nobody.files().len(), 0, "nothing is made");
    let fake = obedient();
    let operator = with_history(&fake);
    let count = words(&operator, &["status", ""]).len();
    assert_eq!(count, 6);
    let before = operator.files();
    words(&operator, &["status", ""]);
    assert!(
        operator.files() == before,
        "neither a new file nor another byte"
    );
    let ledger = operator.dsr_home().join("ledger.db");
    let other = Connection::open(&ledger).unwrap();
    other
        .execute_batch("BEGIN IMMEDIATE; UPDATE jobs SET reason = 'x'")
        .unwrap();
    let outcome = operator.run(&["__complete", "status", ""]);
    assert_eq!(outcome.stdout.lines().count(), count);
    assert!(outcome.took < Duration::from_secs(2), "{outcome}");
    // A recent write is in the log only.
    other
        .execute_batch("UPDATE requests SET reference = 'fresh'; COMMIT")
        .unwrap();
    assert!(offered(&operator, &["status", ""])[0].1.ends_with("fresh"));
    drop(other);
    for harm in ["PRAGMA user_version = 99", "PRAGMA user_version = 3"] {
        operator.tamper_with(harm);
        let found = words(&operator, &["status", ""]);
        assert!(found.iter().all(|word| word.starts_with("--")), "{harm}");
    }
    fs::write(&ledger, "no ledger").unwrap();
    operator.write_config("[[[");
    assert!(
        words(&operator, &["status", ""])
            .iter()
            .all(|word| word.starts_with("--"))
    );
    assert!(words(&operator, &["--project", ""]).is_empty());
}

/// A shell on a terminal with dsr's completion, and a command `show` that is completed the same way
/// and prints its arguments.
fn shell(operator: &mut Operator, program: &str, path: &str, setup: &str) -> Terminal {
    for folder in ["bin", "functions"] {
        fs::create_dir_all(operator.work().join(folder)).expect("a folder");
    }
    let dsr = operator.work().join("bin/dsr");
    if !dsr.exists() {
        symlink(env!("CARGO_BIN_EXE_dsr"), dsr).expect("a link");
    }
    let file = if program == "zsh" {
        "functions/_dsr"
    } else {
        "completion"
    };
    operator.file(
        file,
        operator
            .run(&["completions", program])
            .exits_with(0)
            .stdout
            .clone(),
    );
    let bin = operator.work().join("bin").display().to_string();
    operator.set("PATH", &format!("{bin}:/usr/bin:/bin"));
    let mut terminal = Terminal::start(operator.script(&format!("TERM=dumb exec {path}"), &[]));
    terminal.types(setup);
    terminal.types("echo rea''dy");
    terminal.sees("ready");
    terminal
}

/// Types words, with a tab where completion must help, and reads what the shell made of them.
#[track_caller]
fn completes_to(terminal: &mut Terminal, typed: &str, arguments: &[&str]) {
    terminal.types(&format!("show {typed}"));
    for argument in arguments {
        // zsh removes the slash again that it added to a folder.
        terminal.sees(&format!("<{argument}"));
    }
    terminal.sees("<end>");
}

#[test]
fn real_shells_complete_requests_projects_and_sources() {
    let fake = obedient();
    for (program, flags, setup) in [
        (
            "bash",
            "--norc --noprofile -i",
            "source completion; complete -F _dsr show; show() { printf '<%s>\\n' \"$@\" end; }",
        ),
        (
            "zsh",
            "-f -i",
            "fpath=($PWD/functions $fpath); autoload -Uz compinit; compinit -D; compdef _dsr show; show() { printf '<%s>\\n' \"$@\" end }",
        ),
        (
            "fish",
            "--no-config -i",
            "source completion; complete --command show --wraps dsr; function show; printf '<%s>\\n' $argv end; end",
        ),
    ] {
        let Some(path) = find_program(program) else {
            continue;
        };
        let mut operator = with_key(&fake, "rate = 1000");
        erase(&operator, &["accepted@x.test", "done@x.test"], &[]);
        let accepted = requests(&operator).swap_remove(0);
        operator.file("my ids.csv", "distinct_id\na\n");
        fs::create_dir_all(operator.work().join("out folder")).unwrap();
        let mut terminal = shell(&mut operator, program, &format!("{path} {flags}"), setup);
        let terminal = &mut terminal;
        completes_to(terminal, "cancel \t", &["cancel", &accepted]);
        completes_to(
            terminal,
            &format!("status {}\t", &accepted[..5]),
            &["status", &accepted],
        );
        completes_to(terminal, "status --project sh\t", &["--project", "shop"]);
        completes_to(
            terminal,
            "--project=sh\tstatus",
            &["--project=shop", "status"],
        );
        completes_to(terminal, "delete --gdpr my\t", &["--gdpr", "my ids.csv"]);
        completes_to(terminal, "delete --file=my\t", &["--file=my ids.csv"]);
        completes_to(terminal, "download --to out\t", &["--to", "out folder"]);
        completes_to(terminal, "gui\topt-ou\t", &["guide", "opt-out"]);
        terminal.types("exit");
        terminal.end();
    }
}
