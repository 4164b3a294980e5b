//! Refused plans: nothing is sent, nothing is recorded, and the message names the difference.

use super::{
    APPLY, APPROVE, BEN, PLAN, approve_as, came_to_nothing, plan_text, run_as, with_people,
    with_plan,
};
use sha2::{Digest, Sha256};

use crate::support::{Fake, Operator, PROJECT_TOKEN, Running, has_accounts, has_calendar};

/// Runs `apply`; returns its failure, after checking that it did nothing.
#[track_caller]
fn refused(operator: &Operator, fake: &Fake, status: i32) -> (String, String) {
    let outcome = operator.run(&[&APPLY[..], &["--json"]].concat());
    let failure = outcome.exits_with(status).failure();
    came_to_nothing(operator, fake);
    let text = |key: &str| failure[key].as_str().unwrap_or_default().to_owned();
    (
        text("kind"),
        format!("{} {}", text("message"), text("hint")),
    )
}

fn rewrite(operator: &Operator, change: impl Fn(&str) -> String) {
    operator.file("erase.plan", change(&plan_text(operator)));
}

#[test]
fn a_project_that_demands_approvals_sends_no_deletion_without_a_plan() {
    let fake = Fake::start();
    let operator = with_people(&fake, "approvals = 1", 30);
    let direct = operator.run(&["delete", "--gdpr", "--yes", "ids.csv"]);
    direct.exits_with(2).says("--plan FILE").says("dsr approve");
    came_to_nothing(&operator, &fake);
    // A dry run erases nobody, and neither does an export.
    operator
        .run(&["delete", "--gdpr", "--dry-run", "ids.csv"])
        .exits_with(0)
        .says("needs 1")
        .says("--plan FILE");
    operator.run(&["export", "--gdpr", "ids.csv"]).exits_with(0);
    assert_eq!(fake.posts().len(), 1);
}

#[test]
fn the_same_project_by_another_name_demands_them_as_well() {
    let fake = Fake::start();
    let operator = with_people(&fake, "approvals = 1", 3);
    let config = std::fs::read_to_string(operator.config_path()).unwrap();
    let other = format!("[projects.alias]\ntoken = \"{PROJECT_TOKEN}\"\nregion = \"us\"\n");
    operator.write_config(&format!("{config}{other}"));
    let args = ["delete", "--gdpr", "--yes", "ids.csv", "--project", "alias"];
    operator.run(&args).exits_with(2).says("approvals = 1");
    came_to_nothing(&operator, &fake);
}

#[test]
fn a_plan_nobody_else_has_approved_is_not_applied_in_such_a_project() {
    let fake = Fake::start();
    let operator = with_plan(&fake, "approvals = 1", 30);
    let (kind, message) = refused(&operator, &fake, 2);
    assert_eq!(kind, "approvals");
    assert!(message.contains("`dsr approve erase.plan`"), "{message}");
    // The creator is not another person.
    let own = operator.run(&[&APPROVE[..], &["--json"]].concat());
    assert_eq!(own.exits_with(2).failure()["kind"], "approval");
    let other = operator.run(&[&APPROVE[..], &["--as", "ben"]].concat());
    other.exits_with(2).says("`--as` is for rehearsals only");
    assert_eq!(refused(&operator, &fake, 2).0, "approvals");
}

#[test]
fn without_the_plans_own_key_nobody_approves_or_applies_and_the_way_out_is_said() {
    if !has_accounts() {
        return;
    }
    let fake = Fake::start();
    let operator = with_plan(&fake, "", 30);
    let other_key = operator.private_file("other.key", "ab".repeat(32));
    let mut operator = operator.without("DSR_LEDGER_KEY_FILE");
    for key in [None, Some(other_key)] {
        if let Some(key) = key {
            operator.set("DSR_LEDGER_KEY_FILE", &key);
        }
        let (kind, message) = refused(&operator, &fake, 2);
        assert_eq!(kind, "ledger_key");
        assert!(
            message.contains("dsr auth ledger-key --to FILE"),
            "{message}"
        );
        let approval = run_as(&operator, BEN, &[&APPROVE[..], &["--json"]].concat());
        assert_eq!(approval.exits_with(2).failure()["kind"], "ledger_key");
        let look = operator.run(&["apply", "erase.plan", "--dry-run"]);
        let shown = &look.exits_with(0).stdout;
        assert!(
            shown.contains("NOT CHECKED") && shown.contains("forged"),
            "{look}"
        );
    }
    assert!(!plan_text(&operator).contains("\"approval\""));
}

#[test]
fn a_file_that_was_changed_cut_or_is_none_is_bad_input() {
    let fake = Fake::start();
    let operator = with_plan(&fake, "", 30);
    let whole = plan_text(&operator);
    let changed = "was changed";
    for (words, text) in [
        (changed, whole.replace("\"shop\"", "\"other\"")),
        (changed, whole.replace("\"gdpr\"", "\"ccpa\"")),
        (changed, whole.replace('\n', "\r\n")),
        (changed, whole[..whole.len() - 80].to_owned()),
        (changed, whole[..whole.len() / 2].to_owned()),
        (changed, format!("{whole}\n")),
        (changed, whole.replacen("\n\"", "\n\"A", 1)),
        (
            "has format 2",
            whole.replace("\"dsr_plan\": 1", "\"dsr_plan\": 2"),
        ),
        ("is not a plan file", "distinct_id\na1\n".to_owned()),
    ] {
        operator.file("erase.plan", text);
        let (kind, message) = refused(&operator, &fake, 5);
        assert_eq!(kind, "plan");
        assert!(message.contains(words), "{message}");
    }
    std::fs::remove_file(operator.work().join("erase.plan")).unwrap();
    assert_eq!(refused(&operator, &fake, 5).0, "plan");
    operator.file("erase.plan", whole);
    let other = operator.run(&[&APPLY[..], &["--expect", "31"]].concat());
    other.exits_with(5).says("unique ids, not 31");
    let digest = "0".repeat(64);
    let other = operator.run(&[&APPLY[..], &["--digest", &digest]].concat());
    other.exits_with(5).says(", not plan");
    came_to_nothing(&operator, &fake);
}

#[test]
fn an_approval_that_was_written_by_hand_or_for_another_plan_is_bad_input() {
    if !has_accounts() {
        return;
    }
    let fake = Fake::start();
    let operator = with_plan(&fake, "approvals = 1", 30);
    approve_as(&operator, BEN);
    let approved = plan_text(&operator);
    let line = approved.lines().last().unwrap().to_owned();
    // An approval in another person's name.
    rewrite(&operator, |text| {
        text.replace("\"user\":\"bin\"", "\"user\":\"cem\"")
    });
    let (kind, message) = refused(&operator, &fake, 5);
    assert_eq!(kind, "plan");
    assert!(message.contains("cem"), "{message}");
    operator.file("erase.plan", format!("{approved}{line}\n"));
    assert_eq!(refused(&operator, &fake, 5).0, "plan");
    // An approval of the plan before its change.
    std::fs::remove_file(operator.work().join("erase.plan")).unwrap();
    operator.run(&PLAN).exits_with(0);
    rewrite(&operator, |text| format!("{text}{line}\n"));
    let (kind, message) = refused(&operator, &fake, 5);
    assert_eq!(kind, "plan");
    assert!(message.contains("for another plan"), "{message}");
    let look = operator.run(&["apply", "erase.plan", "--dry-run"]);
    look.exits_with(5).says("for another plan");
}

/// The digest has no key: whoever changes the readable part can write a new one. The sealed part tells.
#[test]
fn a_changed_plan_with_a_new_digest_is_not_even_shown() {
    let fake = Fake::start();
    let operator = with_plan(&fake, "", 30);
    rewrite(&operator, |text| {
        let (before, _) = text.split_once("{\"digest\"").unwrap();
        let changed = before.replacen("ids.csv", "idx.csv", 1);
        assert_ne!(changed, before);
        let digest = Sha256::digest(changed.as_bytes());
        let digest: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        format!("{changed}{{\"digest\":\"{digest}\"}}\n")
    });
    assert_eq!(refused(&operator, &fake, 5).0, "plan");
    let look = operator.run(&["apply", "erase.plan", "--dry-run"]);
    look.exits_with(5).never_says("idx.csv");
}

#[test]
fn a_project_that_is_not_what_it_was_is_named_with_what_differs() {
    let fake = Fake::start();
    let operator = with_plan(&fake, "", 30);
    let config = std::fs::read_to_string(operator.config_path()).unwrap();
    let changes: [(&str, String); 4] = [
        (
            "project token of `shop` has changed",
            config.replace(PROJECT_TOKEN, &PROJECT_TOKEN.replace('9', "8")),
        ),
        ("in the region eu", config.replace("\"us\"", "\"eu\"")),
        ("no project `shop`", config.replace("shop", "store")),
        (
            "the due date is",
            format!("{config}holidays = [{}]\n", all_days()),
        ),
    ];
    for (words, change) in changes {
        operator.write_config(&change);
        let (_, message) = refused(&operator, &fake, 2);
        assert!(message.contains(words), "{words}: {message}");
    }
    operator.write_config(&config);
    let other = operator.run(&[&APPLY[..], &["--project", "app"]].concat());
    other.exits_with(2).says("`--project` names another");
    let elsewhere = operator.with("DSR_API_URL", "https://mixpanel.invalid/api/app");
    let (kind, message) = refused(&elsewhere, &fake, 2);
    assert_eq!(kind, "outdated_plan");
    assert!(message.contains("mixpanel.invalid"), "{message}");
}

/// Every day of the next weeks is a holiday, so that due dates move.
fn all_days() -> String {
    #[expect(clippy::disallowed_methods, reason = "the test's own clock")]
    let today = chrono::Utc::now().date_naive();
    let days = (25..40).map(|n| (today + chrono::Days::new(n)).to_string());
    days.collect::<Vec<_>>().join(", ")
}

#[test]
fn a_plan_is_too_old_after_thirty_days() {
    if !has_calendar() {
        return;
    }
    let fake = Fake::start();
    let mut operator = with_people(&fake, "", 30);
    operator.lives_on("2026-11-02");
    operator.run(&PLAN).exits_with(0);
    operator.lives_on("2026-12-03");
    let (kind, message) = refused(&operator, &fake, 2);
    assert_eq!(kind, "outdated_plan");
    assert!(message.contains("2026-12-02"), "{message}");
    operator.lives_on("2026-12-01");
    let late = operator.run(&APPLY);
    late.exits_with(0).says("submit at once");
    assert_eq!(fake.posts().len(), 1);
}

#[test]
fn a_plan_from_the_future_is_refused() {
    if !has_calendar() {
        return;
    }
    let fake = Fake::start();
    let mut operator = with_people(&fake, "", 30);
    operator.lives_on("2026-11-02");
    operator.run(&PLAN).exits_with(0);
    operator.lives_on("2026-11-01");
    let (kind, message) = refused(&operator, &fake, 2);
    assert_eq!(kind, "outdated_plan");
    assert!(message.contains("future"), "{message}");
    let shown = operator.run(&["apply", "erase.plan", "--dry-run"]);
    shown.exits_with(0).says("future");
}

/// A name from a user namespace does not make another person.
#[test]
fn a_user_of_a_user_namespace_is_no_second_person() {
    let fake = Fake::start();
    let operator = with_plan(&fake, "approvals = 1", 30);
    let before = plan_text(&operator);
    for map in ["-r", "--map-user=2", "-r unshare -r"] {
        let script = format!("exec unshare --user {map} \"$0\" \"$@\"");
        let outcome = Running::start(operator.script(&script, &APPROVE), "").end();
        if outcome.stderr.contains("unshare:") {
            continue;
        }
        outcome
            .exits_with(2)
            .says("in a user namespace")
            .says("from other people");
        assert_eq!(plan_text(&operator), before, "nothing is approved");
    }
    let (kind, _) = refused(&operator, &fake, 2);
    assert_eq!(kind, "approvals");
    // Nor can a creator hide there and approve under the real name.
    if has_accounts() {
        let script = "exec unshare --user -r \"$0\" delete --gdpr ids.csv --plan hidden.plan";
        let planned = Running::start(operator.script(script, &[]), "").end();
        planned.exits_with(0);
        let approve = ["approve", "hidden.plan", "--yes"];
        let outcome = run_as(&operator, BEN, &approve);
        outcome.exits_with(2).says("from other people");
    }
}
