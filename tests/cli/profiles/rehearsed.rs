//! `dsr --sandbox profiles`: the rehearsal shows something, and what is deleted is gone.

use crate::support::Operator;

fn sandbox(operator: &Operator, args: &[&str]) -> serde_json::Value {
    let outcome = operator.run(&[&["--sandbox"], args, &["--json"]].concat());
    outcome.exits_with(0).json()
}

const WINDOW: [&str; 4] = ["profiles", "expire", "--not-seen-for", "24months"];

#[test]
fn expired_profiles_are_gone_from_the_sandbox_and_nobody_else_is() {
    let operator = Operator::new();
    let dry = [&WINDOW[..], &["--dry-run"]].concat();
    let before = sandbox(&operator, &dry);
    let (all, late) = (
        before["profiles"].as_u64().unwrap(),
        before["selected"].as_u64().unwrap(),
    );
    assert!(late >= 2 && late * 20 <= all, "{before}");
    let again = sandbox(&operator, &dry);
    assert_eq!(again["profiles"], all);
    let done = sandbox(&operator, &[&WINDOW[..], &["--yes"]].concat());
    assert_eq!(done["deletion"]["deleted"], late);
    assert_eq!(done["deletion"]["uncounted"], 0);
    let after = sandbox(&operator, &dry);
    assert_eq!(after["profiles"], all - late);
    assert_eq!(after["selected"], 0);
}

#[test]
fn a_deleted_profile_is_gone_and_its_events_stay() {
    let operator = Operator::new();
    operator.file("ids.csv", "distinct_id\nuser-1001\n");
    let known = |operator: &Operator| {
        let plan = ["export", "--gdpr", "--preflight", "--dry-run", "ids.csv"];
        let plan = sandbox(operator, &plan);
        plan["request"]["preflight"]["with_profile"].as_u64()
    };
    assert_eq!(known(&operator), Some(1));
    sandbox(&operator, &["profiles", "delete", "--yes", "ids.csv"]);
    assert_eq!(known(&operator), Some(0));
    let plan = sandbox(&operator, &["delete", "--gdpr", "--dry-run", "ids.csv"]);
    assert!(!plan.to_string().contains("erased"), "{plan}");
}
