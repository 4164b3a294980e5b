//! Typing errors: dsr suggests what was meant, and does not repeat what may be personal.

use crate::support::Operator;

#[test]
fn what_was_probably_meant_is_named() {
    let operator = Operator::new();
    operator.write_config("[projects.shop]\ntoken = \"t\"\nregion = \"us\"\n");
    for (args, meant) in [
        (&["exprot"][..], "`dsr export`"),
        (&["auth", "logni"], "`dsr auth login`"),
        (&["export", "--gdrp", "a1"], "`--gdpr`"),
        (&["export", "--gdpr", "--format", "jsno", "a1"], "`json`"),
        (
            &["export", "--ccpa", "--disclosure", "sorces", "a1"],
            "`sources`",
        ),
        (&["guide", "opt-uot"], "`opt-out`"),
        (&["status", "--color", "nevr"], "`never`"),
        (&["help", "exit-statu"], "`dsr help exit-status`"),
        (&["help", "exprot"], "`dsr help export`"),
        (&["help", "auth", "logni"], "`dsr help auth login`"),
        (&["man", "auth", "logni"], "`dsr help auth login`"),
        (
            &["export", "--gdpr", "--dry-run", "--project", "shp", "a1"],
            "`shop`",
        ),
        (&["project", "show", "shpo"], "`shop`"),
        (&["project", "use", "shpo"], "`shop`"),
        (&["project", "remove", "shpo"], "`shop`"),
    ] {
        let outcome = operator.run(args);
        outcome.exits_with(2).says(meant);
        let json = operator.run(&[args, &["--json"]].concat());
        json.exits_with(2).says(meant.trim_matches('`'));
    }
    // dsr suggests nothing if nothing is similar.
    operator
        .run(&["project", "use", "elsewhere"])
        .exits_with(2)
        .says("`dsr project list`")
        .never_says("did you mean");
}

#[test]
fn an_id_in_the_wrong_place_is_not_repeated() {
    let operator = Operator::new();
    for id in ["bob.miller@example.com", "annemiller", "export@example.com"] {
        let option = format!("--{}", id.replace("annemiller", "anne=miller"));
        let cases = [
            &[id][..],
            &[&option],
            &["auth", id],
            &["help", id],
            &["help", "auth", id],
            &["man", id],
            &["status", "q7", id],
            &["status", &option],
            &["export", "--gdpr", "--format", id, "a1"],
            &["export", "--gdpr", "--expect", id, "a1"],
            &["export", "--gdpr", "--received", id, "a1"],
            &["export", "--gdpr", "--wait", "--timeout", id, "a1"],
            &["project", "add", "shop", "--region", id],
            &["guide", id],
            &["completions", id],
        ];
        for args in cases {
            for format in [&[][..], &["--json"]] {
                let outcome = operator.run(&[args, format].concat());
                outcome.exits_with(2).never_says(id);
            }
        }
    }
}

#[test]
fn a_command_line_that_cannot_be_understood_is_explained_in_our_words() {
    let operator = Operator::new();
    operator.file("ids.csv", "distinct_id\na1\n");
    for (args, message, hint) in [
        (
            &["export", "ids.csv"][..],
            "`dsr export` needs `--gdpr` or `--ccpa`",
            "`dsr export --gdpr ids.csv`",
        ),
        (
            &["delete", "--gdpr", "--ccpa", "ids.csv"],
            "`--gdpr` and `--ccpa` cannot be used together",
            "leave one of them out",
        ),
        (
            &["delete", "--gdpr"],
            "`dsr delete` needs `SOURCE`, `--file PATH` or `--id ID`",
            "`dsr delete --gdpr --dry-run ids.csv`",
        ),
        (
            &["export", "--gdpr", "ids.csv", "--received", "29.11.2026"],
            "`--received` takes a date such as `2026-11-29`, not `29.11.2026`",
            "`--received 2026-11-29`",
        ),
        (
            &["export", "--gdpr", "ids.csv", "--received", "2026/11/9"],
            "not `2026/11/9`",
            "`--received 2026-11-09`",
        ),
        (
            &["export", "--gdpr", "ids.csv", "--received", "11/12/2026"],
            "`--received` takes a date such as `2026-11-29`, not `11/12/2026`",
            "`dsr export --help`",
        ),
        (
            &["export", "--gdpr", "ids.csv", "--received"],
            "`--received` needs a value: a date such as `2026-11-29`",
            "`dsr export --help`",
        ),
        (
            &["delete", "--gdpr", "ids.csv", "-y"],
            "`dsr delete` has no option `-y`",
            "`--yes`",
        ),
        (
            &["delete", "--gdpr", "ids.csv", "--force"],
            "`dsr delete` has no option `--force`",
            "`--yes`",
        ),
        (
            &["status", "--frobnicate"],
            "`dsr status` has no option `--frobnicate`",
            "`dsr status --help`",
        ),
        (&["annemiller"], "there is no such command", "`dsr --help`"),
        (
            &["project", "add", "shop", "--region", "de"],
            "`--region` takes `us`, `eu` or `in`",
            "`dsr project add --help`",
        ),
        (
            &["export", "--gdpr", "ids.csv", "--wait", "--timeout", "5"],
            "`--timeout` takes a duration such as `30s`, `15m` or `2h`",
            "`dsr export --help`",
        ),
        (
            &["export", "--gdpr", "ids.csv", "--expect", "many"],
            "`--expect` takes a whole number",
            "`dsr export --help`",
        ),
        (
            &["cancel"],
            "`dsr cancel` needs `REQUEST | TASK_ID`",
            "`dsr cancel q7tz0xma`",
        ),
        (
            &["extend", "q7tz0xma"],
            "`dsr extend` needs `--reason TEXT`",
            "`dsr extend q7tz0xma --reason",
        ),
        (
            &["status", "q7tz0xma", "b8"],
            "`dsr status` takes no further argument",
            "`dsr status --help`",
        ),
        (
            &["export", "--gdpr", "ids.csv", "--plan", "a", "--plan", "b"],
            "`--plan` is given twice",
            "give it once",
        ),
        (
            &["export", "--gdpr", "ids.csv", "--json=3"],
            "`--json` takes no value",
            "`dsr export --help`",
        ),
    ] {
        let outcome = operator.run(args);
        outcome
            .exits_with(2)
            .says("Error: ")
            .says(message)
            .says(hint);
        outcome.says("othing was ").never_says("Usage:");
        let json = operator.run(&[args, &["--json"]].concat());
        let failure = json.exits_with(2).failure();
        assert_eq!(failure["kind"], "usage", "{json}");
        let said = |key: &str, text: &str| failure[key].as_str().unwrap().contains(text);
        assert!(said("message", message) && said("hint", hint), "{json}");
    }
}

#[test]
fn help_stays_as_it_is() {
    let operator = Operator::new();
    let alone = operator.run(&[]);
    alone.exits_with(2).says("Usage: dsr");
    let group = operator.run(&["project"]);
    group.exits_with(2).says("Usage: dsr project");
    let json = operator.run(&["project", "--json"]);
    assert_eq!(json.exits_with(2).failure()["kind"], "usage", "{json}");
    let asked = operator.run(&["export", "--help"]);
    assert!(asked.exits_with(0).stdout.contains("Usage: dsr export"));
}
