//! Saved heads, compared with a ledger that was restored from copies.

use std::fs;
use std::thread::sleep;
use std::time::Duration;

use crate::support::{Fake, Operator};

fn line_of(operator: &Operator) -> String {
    let line = operator.run(&["audit", "head"]);
    line.exits_with(0).stdout.clone()
}

fn export(operator: &Operator, id: &str) {
    operator.run(&["export", "--gdpr", id]).exits_with(0);
}

#[test]
fn heads_of_two_lost_times_accuse_nobody() {
    let fake = Fake::start();
    let operator = Operator::at(&fake);
    let verify = |head: &str| operator.run_with_input(&["audit", "verify", "--head", "-"], head);
    let accept = || {
        operator.run(&["ledger", "accept", "--yes"]).exits_with(0);
    };
    // Times in the trail have milliseconds; a copy must not be made in the same one.
    let pause = || sleep(Duration::from_millis(20));
    export(&operator, "a1");
    let kept = line_of(&operator);
    let first = operator.copies_ledger();
    pause();
    export(&operator, "b1");
    let work = line_of(&operator);
    let second = operator.copies_ledger();
    pause();
    export(&operator, "c1");
    export(&operator, "c2");
    let lost = line_of(&operator);
    operator.puts_back(&first);
    accept();
    let accepted = line_of(&operator);
    pause();
    export(&operator, "d1");
    let between = line_of(&operator);
    export(&operator, "d2");
    operator.puts_back(&second);
    accept();
    for round in 0..2 {
        for head in [&kept, &work] {
            let outcome = verify(head);
            let shown = &outcome.exits_with(0).stdout;
            assert!(shown.contains("saved head matches"), "{outcome}");
        }
        for head in [&lost, &accepted, &between] {
            let outcome = verify(head);
            outcome.exits_with(74).never_says("who could write");
            let shown = outcome.stdout.replace('\n', " ");
            assert!(
                shown.starts_with(
                    "The trail and the ledger agree. dsr cannot check 1 saved head from the lost time."
                ),
                "{outcome}"
            );
        }
        for place in 0..4 {
            export(&operator, &format!("e{round}{place}"));
        }
    }
    // A head with another time is still compared with the trail.
    let now = line_of(&operator);
    let (count, rest) = now.split_once(':').expect("a head");
    let time = rest.split(' ').nth(1).expect("a time");
    let forged = format!("{count}:{} {time}", "0".repeat(64));
    verify(&forged).exits_with(74).says("who could write");
}

#[test]
fn a_changed_line_of_saved_heads_does_not_accuse_the_ledger() {
    let fake = Fake::start();
    let operator = Operator::at(&fake);
    export(&operator, "a1");
    let good = line_of(&operator);
    let (count, _) = good.split_once(':').expect("a head");
    let forged = format!("{count}:{}", "0".repeat(64));
    operator.file("heads", format!("{good}{forged}\n"));
    let outcome = operator.run(&["audit", "verify", "--head", "heads"]);
    outcome
        .exits_with(74)
        .says("the audit trail and the saved heads disagree")
        .never_says("the ledger disagree");
    let shown = outcome.stdout.replace('\n', " ");
    let shown = shown.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(
        shown.starts_with("The trail and the saved heads disagree"),
        "{outcome}"
    );
    assert!(
        shown.contains("not the one in the saved head (heads, line 2): the trail was rewritten, or this saved line was changed"),
        "{outcome}"
    );
}

#[test]
fn a_head_of_a_ledger_that_is_set_back_leads_to_the_guide_first() {
    let fake = Fake::start();
    let operator = Operator::at(&fake);
    export(&operator, "a1");
    let copy = operator.copies_ledger();
    export(&operator, "b1");
    let seen = fs::read_to_string(operator.beside_ledger("seen-head")).expect("a head");
    let newer = line_of(&operator);
    operator.puts_back(&copy);
    for head in [seen.trim(), newer.split(' ').next().expect("a head")] {
        let outcome = operator.run(&["audit", "verify", "--head", head]);
        outcome
            .exits_with(74)
            .says("looks older than your head")
            .says("restored from a copy")
            .says("who could write");
        outcome.never_says("keep this ledger unchanged");
    }
    let forged = format!("1:{}", "0".repeat(64));
    let outcome = operator.run(&["audit", "verify", "--head", &forged]);
    outcome.exits_with(74).says("keep this ledger unchanged");
}
