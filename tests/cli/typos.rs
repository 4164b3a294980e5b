//! What is typed wrongly: what was meant is named, and what may be personal is not repeated.

use crate::support::Operator;

#[test]
fn what_was_probably_meant_is_named() {
    let operator = Operator::new();
    operator.write_config("[projects.shop]\ntoken = \"t\"\nregion = \"us\"\n");
    for (args, meant) in [
        (&["exprot"][..], "'export'"),
        (&["auth", "logni"], "'login'"),
        (&["export", "--gdrp", "a1"], "'--gdpr'"),
        (&["export", "--gdpr", "--format", "jsno", "a1"], "'json'"),
        (
            &["export", "--ccpa", "--disclosure", "sorces", "a1"],
            "'sources'",
        ),
        (&["guide", "opt-uot"], "'opt-out'"),
        (&["status", "--color", "nevr"], "'never'"),
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
    // Nothing is made up where nothing is like it.
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
