//! A `dsr ledger move` that is not known to be complete: nothing is answered as if the file's
//! requests were not there, and there is always a way on.

use std::fs;

use crate::ledger_move::{move_it, on_file, status, with_ledger};
use crate::minimisation::with_key;
use crate::support::{Database, Fake, Operator, Reply};

const UNFINISHED: &str = "not known to be complete";

/// The move of a ledger with one unsent deletion, which the server did not commit.
fn cut_off(fake: &Fake) -> Option<(Operator, Database)> {
    let mut operator = with_key(fake, "rate = 1000");
    let delete = ["delete", "--gdpr", "--yes", "--max-wait", "0s", "stuck-1"];
    operator.run(&delete).exits_with(75);
    let database = with_ledger(&mut operator)?;
    database.at_commit("RAISE EXCEPTION 'no'");
    move_it(&operator).exits_with(75);
    database.forgets_commit();
    Some((operator, database))
}

#[test]
fn until_a_move_is_known_to_be_complete_no_ledger_is_read_or_filled() {
    let fake = Fake::answering_post(0, Reply::error(429, "slow"));
    let Some((mut operator, database)) = cut_off(&fake) else {
        return;
    };
    for args in [
        &["status"][..],
        &["status", "--cached"],
        &["status", "--overdue", "--exit-status"],
        &["find", "--id", "stuck-1"],
        &["report"],
        &["suppressions", "export"],
        &["resume"],
        &["ledger", "status"],
        &["audit", "verify"],
        &["export", "--gdpr", "other-1"],
        &["delete", "--gdpr", "--yes", "other-1"],
    ] {
        let refused = operator.run(args);
        let refused = refused.exits_with(74).says(UNFINISHED);
        refused.says("dsr ledger move");
        let refused = on_file(&mut operator, |operator| operator.run(args));
        let refused = refused.exits_with(74).says(UNFINISHED);
        refused.says("dsr ledger move");
    }
    for args in [&["doctor"][..], &["doctor", "--offline"]] {
        let found = operator.run(args);
        let said = found.exits_with(74).stdout.contains(UNFINISHED);
        assert!(said, "{found}");
    }
    assert_eq!(database.entries(), "1");
    assert_eq!(fake.posts().len(), 1);
    move_it(&operator).exits_with(0);
    operator.run(&["resume"]).exits_with(0);
    assert_eq!(fake.posted_ids(), ["stuck-1", "stuck-1"]);
}

#[test]
fn a_move_into_a_ledger_that_others_use_by_now_is_taken_back() {
    let fake = Fake::answering_post(0, Reply::error(429, "slow"));
    let Some((mut operator, database)) = cut_off(&fake) else {
        return;
    };
    let other = with_key(&fake, "rate = 1000").with("DSR_LEDGER_URL", &database.url);
    other.run(&["export", "--gdpr", "b1"]).exits_with(0);
    let entries = database.entries();

    // Only the server of the move knows what became of it.
    let elsewhere = Database::new().expect("there is a server");
    operator.set("DSR_LEDGER_URL", &elsewhere.url);
    operator.run(&["ledger", "init"]).exits_with(0);
    let refused = move_it(&operator);
    let name = database.ask("SELECT current_database()");
    refused.exits_with(74).says(UNFINISHED).says(&name);
    operator.run(&["status"]).exits_with(74).says(UNFINISHED);

    operator.set("DSR_LEDGER_URL", &database.url);
    let refused = operator.run(&["ledger", "move", "--yes"]);
    let refused = refused.exits_with(2).says("is in use");
    refused.says("taken back");
    assert_eq!(database.entries(), entries);
    let before = on_file(&mut operator, status);
    assert_eq!(before.len(), 1);
    let seen = operator.run(&["status", "--cached"]);
    seen.exits_with(0).says("which is not used");

    operator.set("DSR_LEDGER_URL", &elsewhere.url);
    move_it(&operator).exits_with(0);
    assert_eq!(status(&operator), before);
    operator.run(&["resume"]).exits_with(0);
    operator.run(&["audit", "verify"]).exits_with(0);
    let sent = fake.posted_ids();
    assert_eq!(sent.iter().filter(|id| *id == "stuck-1").count(), 2);
    let refused = on_file(&mut operator, |operator| operator.run(&["status"]));
    refused.exits_with(74).says("has moved to");
}

#[test]
fn a_copy_from_before_the_move_is_not_accepted_without_a_word_of_the_server() {
    let fake = Fake::start();
    let mut operator = with_key(&fake, "rate = 1000");
    operator.run(&["export", "--gdpr", "a1"]).exits_with(0);
    let path = operator.dsr_home().join("ledger.db");
    let copy = fs::read(&path).expect("it is there");
    let Some(_database) = with_ledger(&mut operator) else {
        return;
    };
    move_it(&operator).exits_with(0);
    fs::write(&path, &copy).expect("it can be written");
    on_file(&mut operator, |operator| {
        for args in [
            &["export", "--gdpr", "a2"][..],
            &["ledger", "status"],
            &["ledger", "accept"],
        ] {
            operator.run(args).says("goes on at a server");
        }
        let accepted = operator.run(&["ledger", "accept", "--yes"]);
        accepted.exits_with(0).says("goes on at a server");
    });
    assert_eq!(fake.posts().len(), 1);
}
