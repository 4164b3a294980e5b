//! A preflight asks nothing before the cheap local checks have passed.

use super::{is_query, profiles, set_up};
use crate::support::{Fake, OAUTH_TOKEN};

const DELETE: [&str; 5] = ["delete", "--gdpr", "--yes", "--preflight", "ids.csv"];

#[test]
fn without_a_token_nothing_is_asked() {
    let fake = Fake::answering(profiles);
    let operator = set_up(&fake, "").without("DSR_TOKEN");
    operator.run(&DELETE).exits_with(4);
    let operator = operator
        .with("DSR_TOKEN", OAUTH_TOKEN)
        .with("DSR_TOKEN_ISSUED", "2020-01-01");
    operator.run(&DELETE).exits_with(4).says("expired");
    fake.was_not_called();
    // A plan that is only shown needs none.
    let operator = operator.without("DSR_TOKEN").without("DSR_TOKEN_ISSUED");
    operator.run(&super::DRY_RUN).exits_with(0);
    assert_eq!(fake.calls().len(), 1);
}

#[test]
fn an_open_request_with_the_same_ids_is_found_before_anything_is_asked() {
    let fake = Fake::answering(profiles);
    let operator = set_up(&fake, "");
    operator.run(&DELETE).exits_with(0);
    let before = fake.calls().len();
    let outcome = operator.run(&DELETE);
    outcome
        .exits_with(2)
        .says("asks for the same ids")
        .says("--new");
    assert_eq!(fake.calls().len(), before);
    operator
        .run(&[&DELETE[..], &["--new"]].concat())
        .exits_with(0);
    assert_eq!(fake.calls().iter().filter(|call| is_query(call)).count(), 2);
}

#[test]
fn a_plan_file_without_a_ledger_key_asks_nothing() {
    let fake = Fake::answering(profiles);
    let operator = set_up(&fake, "").with("DSR_LEDGER_KEY_FILE", "no-key");
    let args = [
        "delete",
        "--gdpr",
        "--preflight",
        "ids.csv",
        "--plan",
        "a.plan",
    ];
    operator.run(&args).exits_with(2).says("no-key");
    fake.was_not_called();
    assert!(!operator.work().join("a.plan").exists());
}

#[test]
fn a_deletion_that_nobody_can_confirm_asks_nothing() {
    let fake = Fake::answering(profiles);
    let operator = set_up(&fake, "");
    let outcome = operator.run(&["delete", "--gdpr", "--preflight", "ids.csv"]);
    outcome.exits_with(2).says("--yes --expect N");
    fake.was_not_called();
}

#[test]
fn a_service_account_beyond_ascii_is_refused_for_that_reason() {
    let fake = Fake::answering(profiles);
    let operator = set_up(&fake, "");
    for text in [
        "us\u{e9}r:secret",
        "user:s\u{e9}cret",
        "user:se\u{2011}cret",
    ] {
        operator.private_file("account", text);
        let outcome = operator.run(&super::DRY_RUN);
        outcome
            .exits_with(4)
            .says("printable ASCII")
            .never_says("cret:");
    }
    fake.was_not_called();
}
