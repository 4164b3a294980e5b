//! The two-person deletion in the sandbox, by one person on one machine, as in the guide.

use crate::support::{Fake, Operator, csv_of, people, states};

#[test]
fn one_person_rehearses_both_parts() {
    let real = Fake::start();
    let operator = Operator::at(&real);
    operator.file("ids.csv", csv_of(&people(30), Some(5)));
    let run = |args: &str| {
        let args: Vec<&str> = args.split(' ').collect();
        operator.run(&[&["--sandbox"], &args[..]].concat())
    };
    run("project add shop --region eu --approvals 1").exits_with(0);
    run("delete --gdpr --yes ids.csv")
        .exits_with(2)
        .says("`dsr --sandbox approve FILE`");
    run("delete --gdpr ids.csv --plan erase.plan")
        .exits_with(0)
        .says("`dsr --sandbox approve erase.plan --as NAME`")
        .says("not secret");
    run("apply erase.plan --yes")
        .exits_with(2)
        .says("`dsr --sandbox approve erase.plan --as NAME`");
    run("approve erase.plan --yes")
        .exits_with(2)
        .says("--as NAME");
    run("approve erase.plan --as ben --yes").exits_with(0);
    run("approve erase.plan --as Ben --yes").exits_with(2);
    let done = run("apply erase.plan --yes --json");
    let request = done.exits_with(0).request();
    assert_eq!(states(&request), ["accepted"]);
    assert_eq!(request["ids"]["unique"], 30);
    assert_eq!(request["plan"]["approvals"][0]["user"], "ben");
    run("apply erase.plan --yes")
        .exits_with(2)
        .says("already applied");
    real.was_not_called();
    assert!(operator.requests().is_empty(), "nothing of it is real");
}

#[test]
fn a_plan_of_a_rehearsal_is_none_for_the_real_thing() {
    let real = Fake::start();
    let operator = super::with_people(&real, "", 3);
    let sandbox = [
        "--sandbox",
        "delete",
        "--gdpr",
        "ids.csv",
        "--plan",
        "erase.plan",
        "--project",
        "shop",
    ];
    operator.run(&sandbox).exits_with(0);
    let refused = operator.run(&super::APPLY);
    refused
        .exits_with(2)
        .says("ledger key")
        .says("add `--sandbox`");
    super::came_to_nothing(&operator, &real);
}

#[test]
fn a_real_plan_is_none_for_a_rehearsal() {
    let real = Fake::start();
    let operator = super::with_plan(&real, "", 3);
    let rehearsed = operator.run(&[&["--sandbox"], &super::APPLY[..]].concat());
    rehearsed
        .exits_with(2)
        .says("made with `--sandbox`")
        .never_says("auth ledger-key");
    super::came_to_nothing(&operator, &real);
}
