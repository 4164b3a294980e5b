//! The command line cannot be misread: an ambiguous word sends nothing.

use std::os::unix::fs::symlink;

use crate::support::{Fake, Operator, PROJECT_TOKEN, Terminal};

const OTHER: &str = "ffffffffffffffffffffffffffffffff";

/// What phones, chats and word processors make of `-` and `--`.
const DASHES: [char; 10] = [
    '\u{2010}', '\u{2011}', '\u{2012}', '\u{2013}', '\u{2014}', '\u{2015}', '\u{2212}', '\u{fe58}',
    '\u{fe63}', '\u{ff0d}',
];

/// An operator with a list. A refused command must leave no trace.
struct Scene {
    fake: Fake,
    operator: Operator,
}

impl Scene {
    fn new() -> Self {
        let fake = Fake::start();
        let operator = Operator::at(&fake);
        operator.file("ids.csv", "distinct_id\nuser-1\nuser-2\n");
        operator.file("hold.csv", "distinct_id\nuser-1\n");
        Self { fake, operator }
    }

    /// Runs a deletion and an export of these words; each is refused with this message.
    #[track_caller]
    fn refuses(&self, words: &[&str], says: &str) {
        for command in [&["delete", "--gdpr", "--yes"][..], &["export", "--ccpa"]] {
            let args = [command, words].concat();
            let outcome = self.operator.run(&args);
            outcome.exits_with(2).says(says).did_not_panic();
            let json = self.operator.run(&[&args[..], &["--json"]].concat());
            assert_eq!(json.exits_with(2).failure()["kind"], "usage", "{json}");
        }
        self.fake.was_not_called();
        assert!(self.operator.requests().is_empty());
    }
}

#[test]
fn a_typographic_dash_is_never_the_beginning_of_a_source() {
    let scene = Scene::new();
    for dash in DASHES {
        let exclude = format!("{dash}exclude");
        scene.refuses(&["ids.csv", &exclude, "hold.csv"], "`--exclude`");
    }
    scene.refuses(&["ids.csv", "——dry-run"], "`--dry-run`");
    scene.refuses(&["ids.csv", "—dry-run"], "`--dry-run`");
    scene.refuses(&["–dry-run", "ids.csv"], "`--dry-run`");
    scene.refuses(&["-–dry-run", "ids.csv"], "`--dry-run`");
    scene.refuses(&["ids.csv", "–expect", "5"], "`--expect`");
    scene.refuses(&["ids.csv", "–expect=5"], "`--expect`");
    scene.refuses(&["–user-1"], "`--id ID`");
}

#[test]
fn a_typographic_dash_is_named_wherever_an_option_was_meant() {
    let scene = Scene::new();
    for (args, meant) in [
        (&["status", "–watch"][..], "`--watch`"),
        (&["cancel", "q7tz0xma", "—json"], "`--json`"),
        (&["cancel", "–json"], "`--json`"),
        (&["–json", "status"], "`--json`"),
        (&["apply", "–yes"], "`--yes`"),
        (&["delete", "—gdpr", "ids.csv"], "`--gdpr`"),
    ] {
        scene.operator.run(args).exits_with(2).says(meant);
    }
    scene.fake.was_not_called();
}

#[test]
fn an_option_without_its_dashes_is_no_id() {
    let scene = Scene::new();
    scene.refuses(&["ids.csv", "dry-run"], "`--dry-run`");
    scene.refuses(&["dry-run"], "`--dry-run`");
    scene.refuses(&["expect"], "`--expect`");
    scene.refuses(&["json"], "`--json`");
}

#[test]
fn a_word_that_holds_a_separator_or_a_quote_is_no_id() {
    let scene = Scene::new();
    for word in [
        "ids,csv",
        "u-1,u-2",
        "u-1;u-2",
        "u-1 u-2",
        "u-1\tu-2",
        "u-1\nu-2",
        "u-1\u{a0}u-2",
        "u-1，u-2",
        "u-1、u-2",
    ] {
        scene.refuses(&[word], "separates");
        scene
            .operator
            .run(&["delete", "--gdpr", "--yes", word])
            .never_says(word);
    }
    for word in ["“u-1”", "‘u-1’", "„u-1“", "«u-1»", "\"u-1\"", "u-1”"] {
        scene.refuses(&[word], "quote");
    }
}

#[test]
fn a_link_that_leads_nowhere_is_no_id() {
    let scene = Scene::new();
    let work = scene.operator.work();
    symlink("gone.csv", work.join("broken")).unwrap();
    symlink("loop", work.join("loop")).unwrap();
    scene.refuses(&["broken"], "`broken` is a link");
    scene.refuses(&["loop"], "`loop` is a link");
    scene.refuses(&["ids.csv", "broken"], "`broken` is a link");
}

#[test]
fn a_bare_word_is_an_id_only_as_the_one_source() {
    let scene = Scene::new();
    for words in [
        &["ids.csv", "user-9"][..],
        &["user-9", "ids.csv"],
        &["user-8", "user-9"],
        &["-", "user-9"],
        &["--file", "ids.csv", "user-9"],
        &["--id", "user-8", "user-9"],
    ] {
        scene.refuses(words, "`--id`");
        let outcome = scene
            .operator
            .run(&[&["delete", "--gdpr", "--yes"], words].concat());
        outcome.never_says("user-9");
    }
    let explicit = [
        "export", "--gdpr", "ids.csv", "--id", "user-9", "--id", "-8.9",
    ];
    scene.operator.run(&explicit).exits_with(0);
    assert_eq!(
        scene.fake.posted_ids(),
        ["user-1", "user-2", "user-9", "-8.9"]
    );
}

#[test]
fn a_bare_word_beside_an_exclusion_is_still_the_one_source() {
    let scene = Scene::new();
    let args = ["export", "--gdpr", "user-9", "--exclude", "hold.csv"];
    scene.operator.run(&args).exits_with(0);
    assert_eq!(scene.fake.posted_ids(), ["user-9"]);
}

#[test]
fn a_file_with_an_extension_is_named_where_its_bare_name_was_typed() {
    let scene = Scene::new();
    scene.operator.file("more.jsonl.gz", "");
    for (command, hint) in [
        (
            &["delete", "--gdpr", "--yes", "ids"][..],
            "`dsr delete --gdpr ids.csv`",
        ),
        (&["export", "--ccpa", "ids"], "`dsr export --ccpa ids.csv`"),
        (&["find", "ids"], "`dsr find ids.csv`"),
        (
            &["export", "--ccpa", "more"],
            "`dsr export --ccpa more.jsonl.gz`",
        ),
    ] {
        scene.operator.run(command).exits_with(2).says(hint);
    }
    scene.fake.was_not_called();
    let explicit = ["export", "--gdpr", "--id", "more"];
    scene.operator.run(&explicit).exits_with(0);
    assert_eq!(scene.fake.posted_ids(), ["more"]);
}

#[test]
fn the_plan_and_the_question_show_the_id_that_was_typed() {
    let scene = Scene::new();
    let shown = scene
        .operator
        .run(&["delete", "--gdpr", "user-\u{1b}9", "--dry-run"]);
    assert_eq!(
        shown.status,
        Some(5),
        "control characters are damage: {shown}"
    );
    let word = "user-\u{202e}9";
    let plan = ["delete", "--gdpr", word, "--dry-run", "--allow", word];
    let shown = scene.operator.run(&plan);
    let line = "user-\\u{202e}9";
    assert!(shown.exits_with(0).stdout.contains(line), "{shown}");
    assert!(!shown.stdout.contains('\u{202e}'), "{shown}");
    let json = scene.operator.run(&[&plan[..], &["--json"]].concat());
    assert_eq!(json.exits_with(0).request()["named_id"], word);
    let listed = scene
        .operator
        .run(&["delete", "--gdpr", "ids.csv", "--dry-run", "--json"]);
    assert!(listed.request()["named_id"].is_null(), "{listed}");
    let question = ["delete", "--gdpr", word, "--allow", word];
    let mut terminal = Terminal::start(scene.operator.command(&question));
    terminal.sees("to confirm");
    terminal.types("no");
    let (status, screen) = terminal.ends();
    assert_eq!(status, 2, "{screen}");
    assert!(
        screen.contains(line) && !screen.contains('\u{202e}'),
        "{screen}"
    );
    // It is on the screen only, and recorded nowhere.
    scene
        .operator
        .run(&["export", "--gdpr", "user-9"])
        .exits_with(0);
    let sources = scene.operator.ledger_texts("SELECT source FROM requests");
    assert_eq!(sources, ["one id on the command line"]);
}

#[test]
fn a_token_in_the_environment_that_is_not_the_default_projects_is_an_error() {
    let fake = Fake::start();
    let project = |name: &str, token: &str, approvals: u32| {
        format!(
            "[projects.{name}]\ntoken = \"{token}\"\nregion = \"us\"\napprovals = {approvals}\n"
        )
    };
    let alone = project("shop", PROJECT_TOKEN, 1);
    let chosen = format!(
        "default_project = \"shop\"\n{alone}{}",
        project("app", "1b".repeat(16).as_str(), 0)
    );
    let mut operator = Operator::at(&fake).with("DSR_REGION", "us");
    for config in [&chosen, &alone] {
        operator.write_config(config);
        operator.set("DSR_PROJECT_TOKEN", OTHER);
        let outcome = operator.run(&["delete", "--gdpr", "--yes", "a1"]);
        outcome
            .exits_with(2)
            .says("DSR_PROJECT_TOKEN")
            .says("`shop`")
            .never_says(OTHER);
        // The same token is the same project, with all its rules.
        operator.set("DSR_PROJECT_TOKEN", PROJECT_TOKEN);
        let outcome = operator.run(&["delete", "--gdpr", "--yes", "a1"]);
        outcome.exits_with(2).says("approvals");
    }
    fake.was_not_called();
    assert!(operator.requests().is_empty());
}
