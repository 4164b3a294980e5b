//! Plan files on the wire: dsr sends what was approved, once; everything else sends nothing.

mod applying;
mod refusing;
mod rehearsing;
mod writing;

use std::process::Command;

use serde_json::Value;

use crate::support::{Fake, Operator, Outcome, Running, as_account, csv_of, people};

pub(super) const PLAN: [&str; 5] = ["delete", "--gdpr", "ids.csv", "--plan", "erase.plan"];
pub(crate) const APPLY: [&str; 3] = ["apply", "erase.plan", "--yes"];
pub(super) const APPROVE: [&str; 3] = ["approve", "erase.plan", "--yes"];

/// Accounts that every system has, apart from the tests' own.
pub(super) const BEN: u32 = 2;
pub(super) const CEM: u32 = 3;

/// An operator with a ledger key and `count` people in `ids.csv`, in a project with these settings.
pub(super) fn with_people(fake: &Fake, settings: &str, count: usize) -> Operator {
    let operator = crate::minimisation::with_key(fake, &format!("rate = 1000\n{settings}"));
    operator.file("ids.csv", csv_of(&people(count), Some(20)));
    operator
}

/// Like `with_people`, with a plan to erase them.
pub(crate) fn with_plan(fake: &Fake, settings: &str, count: usize) -> Operator {
    let operator = with_people(fake, settings, count);
    operator.run(&PLAN).exits_with(0);
    operator
}

/// Writes a plan to export the people of `own/ids.csv`, under a ledger key in `own`, too.
pub(crate) fn keep_one_at(operator: &mut Operator, path: &str) {
    let key = operator.private_file("own/key-of-plans", "5e".repeat(32));
    operator.set("DSR_LEDGER_KEY_FILE", &key);
    let plan = ["export", "--ccpa", "own/ids.csv", "--plan", path];
    operator.run(&plan).exits_with(0);
}

/// A command that another account runs.
pub(super) fn command_as(operator: &Operator, account: u32, args: &[&str]) -> Command {
    operator.script(&as_account(account, r#""$0" "$@""#), args)
}

pub(super) fn run_as(operator: &Operator, account: u32, args: &[&str]) -> Outcome {
    Running::start(command_as(operator, account, args), "").end()
}

#[track_caller]
pub(super) fn approve_as(operator: &Operator, account: u32) {
    run_as(operator, account, &APPROVE).exits_with(0);
}

pub(super) fn plan_text(operator: &Operator) -> String {
    let path = operator.work().join("erase.plan");
    std::fs::read_to_string(path).expect("the plan can be read")
}

pub(super) fn digest_of(operator: &Operator) -> String {
    let text = plan_text(operator);
    let line = text.lines().find(|line| line.starts_with("{\"digest\""));
    let line: Value = serde_json::from_str(line.expect("a digest")).expect("JSON");
    line["digest"].as_str().expect("a text").to_owned()
}

/// Checks that nothing was sent, and that nothing is in the ledger.
#[track_caller]
pub(super) fn came_to_nothing(operator: &Operator, fake: &Fake) {
    fake.was_not_called();
    if operator.dsr_home().join("ledger.db").exists() {
        assert!(operator.ledger_texts("SELECT id FROM requests").is_empty());
        assert!(operator.ledger_texts("SELECT digest FROM plans").is_empty());
    }
}
