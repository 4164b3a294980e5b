//! `dsr apply`: sends exactly what was planned and approved, once.

use std::collections::BTreeSet;

use super::{
    APPLY, APPROVE, BEN, CEM, approve_as, command_as, digest_of, plan_text, run_as, with_people,
    with_plan,
};
use crate::support::{
    Fake, Gate, Hold, Operator, Reply, Terminal, at_once, csv_of, has_accounts, people,
    same_people, states, usual,
};

#[test]
fn what_two_people_agree_on_is_sent_and_both_are_remembered() {
    if !has_accounts() {
        return;
    }
    let fake = Fake::start();
    let mut operator = with_plan(&fake, "approvals = 1", 1234);
    let token = crate::support::OAUTH_TOKEN;
    operator = operator.without("DSR_TOKEN");
    approve_as(&operator, BEN);
    fake.was_not_called();
    // The source has changed since.
    operator.file("ids.csv", csv_of(&people(9), None));
    let operator = operator.with("DSR_TOKEN", token);
    let digest = digest_of(&operator);
    let args = [
        &APPLY[..],
        &["--expect", "1234", "--digest", &digest, "--json"],
    ]
    .concat();
    let request = operator.run(&args).exits_with(0).request();
    assert_eq!(states(&request), ["accepted"; 3]);
    assert_eq!(fake.posts().len(), 3);
    same_people(&fake.posted_ids(), &people(1234));
    let plan = &request["plan"];
    assert_eq!(plan["digest"], digest.as_str());
    assert_eq!(plan["approvals"][0]["user"], "bin");
    assert_ne!(plan["created_by"]["user"], "bin");
    let name = request["id"].as_str().unwrap();
    let report = operator.run(&["report", name, "--json"]).json();
    assert_eq!(&report["report"]["evidence"]["request"]["plan"], plan);
    let page = operator.run(&["report", name]).stdout;
    assert!(page.contains(&digest), "{page}");
    assert!(page.contains("by bin@"), "{page}");
    let again = operator.run(&[&APPLY[..], &["--json"]].concat());
    let failure = again.exits_with(2).failure();
    assert_eq!(failure["kind"], "already_applied");
    assert!(failure["message"].as_str().unwrap().contains(&name[..8]));
    assert_eq!(fake.posts().len(), 3);
}

#[test]
fn a_plan_is_shown_and_the_number_of_ids_asked_for() {
    let fake = Fake::start();
    let operator = with_plan(&fake, "", 1234).with("TERM", "xterm");
    operator
        .run(&["apply", "erase.plan"])
        .exits_with(2)
        .says("--yes");
    fake.was_not_called();
    let mut terminal = Terminal::start(operator.command(&["apply", "erase.plan"]));
    terminal.sees("confirm");
    terminal.types("1234");
    let (status, screen) = terminal.ends();
    assert_eq!(status, 0, "{screen}");
    assert!(screen.contains(&digest_of(&operator)), "{screen}");
    assert!(screen.contains("erases everything"), "{screen}");
    let before = screen.split("to confirm").next().unwrap();
    assert_eq!(before.matches("  Due ").count(), 1, "told once: {screen}");
    assert_eq!(fake.posts().len(), 3);
}

#[test]
fn an_approver_is_shown_the_plan_and_asked_and_needs_no_token() {
    if !has_accounts() {
        return;
    }
    let fake = Fake::start();
    let operator = with_plan(&fake, "", 30)
        .with("TERM", "xterm")
        .without("DSR_TOKEN");
    for (answer, expected) in [("29", 2), ("30", 0)] {
        let command = command_as(&operator, BEN, &["approve", "erase.plan"]);
        let mut terminal = Terminal::start(command);
        terminal.sees("You approve this plan as bin@");
        terminal.sees("confirm");
        terminal.types(answer);
        let (status, screen) = terminal.ends();
        assert_eq!(status, expected, "{screen}");
        assert!(screen.contains(&digest_of(&operator)), "{screen}");
        let approvals = plan_text(&operator).matches("{\"approval\"").count();
        assert_eq!(approvals, usize::from(expected == 0));
    }
    fake.was_not_called();
}

#[test]
fn an_export_is_applied_without_approval_and_without_a_question() {
    let fake = Fake::start();
    let operator = with_people(&fake, "approvals = 1", 30);
    let plan = [
        "export",
        "--ccpa",
        "--disclosure",
        "sources",
        "ids.csv",
        "--plan",
        "out.plan",
    ];
    operator.run(&plan).exits_with(0).says("dsr apply out.plan");
    let request = operator
        .run(&["apply", "out.plan", "--json"])
        .exits_with(0)
        .request();
    assert_eq!(
        (&request["kind"], &request["law"], &request["disclosure"]),
        (&"export".into(), &"ccpa".into(), &"sources".into())
    );
    assert_eq!(fake.posts().len(), 1);
    same_people(&fake.posted_ids(), &people(30));
}

#[test]
fn jobs_are_never_larger_than_planned_nor_than_allowed_now() {
    for (before, after, sizes, is_told) in [
        (
            "delete_batch = 500",
            "delete_batch = 400",
            vec![400, 400, 400, 34],
            true,
        ),
        (
            "delete_batch = 500",
            "delete_batch = 2000",
            vec![500, 500, 234],
            false,
        ),
        (
            "delete_batch = 500",
            "data_groups = 6",
            vec![285, 285, 285, 285, 94],
            true,
        ),
    ] {
        let fake = Fake::start();
        let operator = with_plan(&fake, before, 1234);
        let config = std::fs::read_to_string(operator.config_path()).unwrap();
        operator.write_config(&config.replace(before, after));
        let outcome = operator.run(&[&APPLY[..], &["--json"]].concat());
        let json = outcome.exits_with(0).json();
        let posted: Vec<usize> = fake.posts().iter().map(|call| call.ids().len()).collect();
        assert_eq!(posted, sizes, "{after}");
        let warnings = json["warnings"].as_array().cloned().unwrap_or_default();
        let told = warnings.iter().any(|w| w["kind"] == "smaller_jobs");
        assert_eq!(told, is_told, "{outcome}");
    }
}

#[test]
fn what_mixpanel_has_taught_since_holds_for_a_plan() {
    let fake = Fake::answering(|call| match call.is_post() && call.ids().len() > 100 {
        true => Reply::error(413, "too many distinct ids"),
        false => usual(call),
    });
    let operator = with_plan(&fake, "delete_batch = 150", 300);
    let others: Vec<String> = (0..150).map(|n| format!("other-{n}")).collect();
    operator.file("others.csv", csv_of(&others, None));
    operator
        .run(&["delete", "--gdpr", "--yes", "others.csv"])
        .exits_with(0);
    let before = fake.posts().len();
    operator
        .run(&APPLY)
        .exits_with(0)
        .says("Mixpanel has refused larger jobs");
    let sizes: Vec<usize> = fake.posts()[before..]
        .iter()
        .map(|call| call.ids().len())
        .collect();
    assert_eq!(sizes, [75; 4], "none was too large");
}

#[test]
fn of_two_that_apply_at_the_same_moment_one_sends() {
    let fake = Fake::start();
    let operator = with_plan(&fake, "", 1234);
    let runs: Vec<_> = (0..4).map(|_| operator.start(&APPLY)).collect();
    let mut statuses: Vec<_> = runs.into_iter().map(|run| run.end().status).collect();
    statuses.sort_unstable();
    assert_eq!(statuses, [Some(0), Some(2), Some(2), Some(2)]);
    assert_eq!(fake.posts().len(), 3);
    same_people(&fake.posted_ids(), &people(1234));
    assert_eq!(operator.requests().len(), 1);
}

#[test]
fn a_copy_of_an_applied_plan_is_applied_already_with_however_many_approvals() {
    let fake = Fake::start();
    let operator = with_plan(&fake, "", 30);
    let text = plan_text(&operator);
    operator.run(&APPLY).exits_with(0);
    operator.file("copy.plan", text);
    let refused = operator.run(&["apply", "copy.plan", "--yes", "--new"]);
    refused.exits_with(2).says("already applied");
    if has_accounts() {
        approve_as(&operator, BEN);
        operator.run(&APPLY).exits_with(2).says("already applied");
    }
    assert_eq!(fake.posts().len(), 1);
}

#[test]
fn another_open_request_for_the_same_people_is_not_doubled() {
    let fake = Fake::start();
    let operator = with_plan(&fake, "", 30);
    operator
        .run(&["delete", "--gdpr", "--yes", "ids.csv"])
        .exits_with(0);
    let refused = operator.run(&[&APPLY[..], &["--json"]].concat());
    assert_eq!(refused.exits_with(2).failure()["kind"], "same_request");
    assert_eq!(fake.posts().len(), 1);
    // With `--new` its ids are linked to the first request's task.
    operator
        .run(&[&APPLY[..], &["--new"]].concat())
        .exits_with(0);
    assert_eq!(fake.posts().len(), 1);
    assert_eq!(operator.requests().len(), 2);
}

#[test]
fn a_plan_names_an_open_request_with_the_same_ids_when_it_is_written_and_when_it_is_shown() {
    let fake = Fake::start();
    let operator = with_plan(&fake, "", 30);
    operator
        .run(&["apply", "erase.plan", "--dry-run"])
        .exits_with(0)
        .never_says("exactly these ids");
    let delete = ["delete", "--gdpr", "ids.csv"];
    operator
        .run(&[&delete[..], &["--yes"]].concat())
        .exits_with(0);
    let id = operator.only_request()["id"].as_str().unwrap()[..8].to_owned();
    for args in [
        &[&delete[..], &["--plan", "second.plan"]].concat()[..],
        &["apply", "second.plan", "--dry-run"],
        &["apply", "erase.plan", "--dry-run"],
    ] {
        let shown = operator.run(args);
        shown.exits_with(0).says(&id).says("exactly these ids");
    }
    assert_eq!(fake.posts().len(), 1);
}

#[test]
fn a_plan_that_was_killed_on_its_way_is_resumed_and_not_applied_again() {
    if !has_accounts() {
        return;
    }
    for hold in [Hold::Unconnected, Hold::Decided] {
        let fake = Fake::start();
        let operator = with_plan(&fake, "delete_batch = 10\napprovals = 1", 30);
        approve_as(&operator, BEN);
        let gate = Gate::before(&fake, 0, hold);
        let operator = operator.with("DSR_API_URL", &gate.url());
        let running = operator.start(&APPLY);
        gate.wait_until_held();
        running.kill();
        drop(gate);
        let operator = operator.with("DSR_API_URL", &fake.url());
        let posts = fake.posts().len();
        operator.run(&APPLY).exits_with(2).says("already applied");
        assert_eq!(fake.posts().len(), posts, "{hold:?}");
        operator.run(&["resume"]).exits_with(0);
        let sent: BTreeSet<String> = fake.posted_ids().into_iter().collect();
        assert_eq!(sent, people(30).into_iter().collect(), "{hold:?}");
        operator.run(&APPLY).exits_with(2);
        assert_eq!(states_of(&operator), ["accepted"; 3], "{hold:?}");
    }
}

fn states_of(operator: &Operator) -> Vec<String> {
    let request = operator.only_request();
    let name = request["id"].as_str().expect("an id");
    states(
        &operator
            .run(&["status", name, "--cached", "--json"])
            .request(),
    )
}

#[test]
fn nobody_approves_twice_and_people_who_approve_at_once_all_count() {
    if !has_accounts() {
        return;
    }
    let fake = Fake::start();
    let operator = with_plan(&fake, "approvals = 2", 30);
    approve_as(&operator, BEN);
    let again = run_as(&operator, BEN, &[&APPROVE[..], &["--json"]].concat());
    assert_eq!(again.exits_with(2).failure()["kind"], "approval");
    operator
        .run(&APPLY)
        .exits_with(2)
        .says("needs 2 approvals by other people and has 1");
    fake.was_not_called();
    at_once([CEM, 4, 5], |account| {
        run_as(&operator, account, &APPROVE).exits_with(0);
    });
    let json = operator
        .run(&["apply", "erase.plan", "--dry-run", "--json"])
        .json();
    assert_eq!(json["plan"]["approvals"].as_array().unwrap().len(), 4);
    assert_eq!(json["plan"]["approvals_checked"], true);
    assert_eq!(json["plan"]["approvals_needed"], 2);
    operator.run(&APPLY).exits_with(0);
    same_people(&fake.posted_ids(), &people(30));
    assert_eq!(
        operator.only_request()["plan"]["approvals"]
            .as_array()
            .map(Vec::len),
        Some(4)
    );
}
