use super::*;
use crate::domain::{Actor, PlanDigest};

fn plan(byte: u8) -> PlanRecord {
    PlanRecord {
        digest: PlanDigest::new([byte; 32]),
        created: noon(),
        created_by: Actor::new("anna", "desk-1"),
        approvals: ["ben", "cem"]
            .map(|user| (Actor::new(user, "desk-2"), noon()))
            .into(),
    }
}

fn apply(ledger: &mut Ledger, plan: PlanRecord, again: Again) -> Recorded {
    let asked = NewRequest {
        plan: Some(plan),
        ..request()
    };
    let batches = batches(3, 3);
    let asked = [(asked, planned(&batches))];
    ledger.record_requests(asked, again, noon()).unwrap()
}

#[test]
fn a_plan_becomes_one_request_and_keeps_its_approvals() {
    let folder = tempfile::tempdir().unwrap();
    let mut ledger = open(&folder);
    let Recorded::New(ids) = apply(&mut ledger, plan(1), Again::Refuse) else {
        panic!("it was not there");
    };
    let record = ledger.find_request(&ids[0]).unwrap().unwrap();
    assert_eq!(record.asked.plan, Some(plan(1)));
    assert_eq!(
        ledger.find_applied(&plan(1).digest).unwrap(),
        Some(ids[0].clone())
    );
    assert_eq!(ledger.find_applied(&plan(2).digest).unwrap(), None);
    // Even if a second request for the same people is allowed.
    for again in [Again::Refuse, Again::Allow] {
        let there = apply(&mut ledger, plan(1), again);
        assert_eq!(there, Recorded::Applied(ids[0].clone()));
    }
    let other = apply(&mut ledger, plan(2), Again::Allow);
    assert!(matches!(other, Recorded::New(_)), "{other:?}");
    assert_eq!(ledger.list_requests(Which::All).unwrap().len(), 2);
}

#[test]
fn of_two_applying_one_plan_at_once_one_succeeds() {
    let folder = tempfile::tempdir().unwrap();
    open(&folder);
    let outcomes: Vec<Recorded> = std::thread::scope(|scope| {
        let path = folder.path().join("ledger.db");
        let runs = [(); 4].map(|()| {
            let path = path.clone();
            scope.spawn(move || {
                let mut ledger = Ledger::open(&path, Duration::from_secs(30)).unwrap();
                apply(&mut ledger, plan(1), Again::Allow)
            })
        });
        runs.map(|run| run.join().unwrap()).into()
    });
    let new = outcomes.iter().filter(|o| matches!(o, Recorded::New(_)));
    assert_eq!(new.count(), 1, "{outcomes:?}");
    let ledger = open(&folder);
    assert_eq!(ledger.list_requests(Which::All).unwrap().len(), 1);
}

#[test]
fn a_request_without_a_plan_has_none() {
    let folder = tempfile::tempdir().unwrap();
    let mut ledger = open(&folder);
    let id = record(&mut ledger, &batches(3, 3), noon());
    let record = ledger.find_request(&id).unwrap().unwrap();
    assert_eq!(record.asked.plan, None);
}

#[test]
fn a_changed_plan_row_is_found() {
    for change in [
        "UPDATE plans SET digest = REPLACE(digest, '0101', '0102')",
        "UPDATE plans SET account = 'eve'",
        "UPDATE approvals SET account = 'eve' WHERE number = 2",
        "UPDATE approvals SET at = '2026-01-01T00:00:00.000Z' WHERE number = 1",
        "DELETE FROM approvals WHERE number = 2",
        "DELETE FROM approvals; DELETE FROM plans",
    ] {
        let folder = tempfile::tempdir().unwrap();
        let mut ledger = open(&folder);
        apply(&mut ledger, plan(1), Again::Refuse);
        assert!(audit::check(&ledger).findings.is_empty());
        ledger.conn.execute_batch(change).unwrap();
        let found = audit::check(&ledger).findings;
        assert_eq!(found.len(), 1, "{change}: {found:?}");
        assert!(found[0].to_string().contains("`plan`"), "{change}");
    }
}
