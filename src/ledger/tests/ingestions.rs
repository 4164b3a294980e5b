use super::audit::{after, check};
use super::*;

fn asked() -> NewIngestion {
    NewIngestion {
        kind: IngestionKind::Import,
        project: ProjectName::new("shop").unwrap(),
        project_key: ProjectKey::restore("service/key".to_owned()),
        after: Some(RequestId::restore("a-deletion".to_owned())),
        source: "events.jsonl".to_owned(),
        source_digest: "00ff".to_owned(),
        days: Some(("2026-09-01".parse().unwrap(), "2026-10-14".parse().unwrap())),
    }
}

pub(super) fn with_ingestion(ledger: &mut Ledger) -> IngestionRecord {
    ledger
        .record_ingestion(&asked(), &[5, 5, 2], noon())
        .unwrap()
}

fn refused(index: usize, field: RefusedField) -> RefusedRecord {
    RefusedRecord { index, field }
}

/// Sends the batch, and records what became of it.
pub(super) fn send(ledger: &mut Ledger, batch: &BatchId, outcome: &BatchOutcome) {
    let claim = ledger.record_batch_sending(batch, after(10)).unwrap();
    assert_eq!(claim, BatchClaim::Send);
    ledger
        .record_batch_outcome(batch, outcome, Some("a reason"), after(11))
        .unwrap();
}

fn states(ledger: &Ledger, id: &RequestId) -> Vec<&'static str> {
    let found = ledger.find_ingestion(id).unwrap().unwrap();
    let states = found.batches.iter().map(|batch| batch.state.as_str());
    states.collect()
}

#[test]
fn each_batch_has_its_own_outcome() {
    let folder = tempfile::tempdir().unwrap();
    let mut ledger = open(&folder);
    let recorded = with_ingestion(&mut ledger);
    assert_eq!((recorded.records, recorded.batches.len()), (12, 3));
    assert_eq!(recorded.asked, asked());
    let outcomes = [
        BatchOutcome::Taken {
            refused: vec![
                refused(1, RefusedField::Time),
                refused(4, RefusedField::Other),
            ],
        },
        BatchOutcome::Unknown,
        BatchOutcome::Refused,
    ];
    for (batch, outcome) in recorded.batches.iter().zip(&outcomes) {
        send(&mut ledger, &batch.id, outcome);
    }
    assert_eq!(states(&ledger, &recorded.id), ["done", "unknown", "failed"]);
    let found = ledger.find_ingestion(&recorded.id).unwrap().unwrap();
    assert_eq!(found.taken(), 3);
    let places = [(1, RefusedField::Time), (4, RefusedField::Other)];
    assert_eq!(found.refused(), places);
    assert!(!found.is_done());
    let done = ledger.record_batch_sending(&found.batches[0].id, after(20));
    assert_eq!(done.unwrap(), BatchClaim::Done);
    for batch in &found.batches[1..] {
        let outcome = BatchOutcome::Taken { refused: vec![] };
        send(&mut ledger, &batch.id, &outcome);
    }
    let found = ledger.find_ingestion(&recorded.id).unwrap().unwrap();
    assert!(found.is_done());
    assert_eq!((found.taken(), found.batches[1].attempts), (10, 2));
    assert_eq!(check(&ledger).findings, []);
    ledger.demand_all_rows().unwrap();
}

#[test]
fn only_one_dsr_sends_a_batch_and_a_dead_one_holds_none() {
    let folder = tempfile::tempdir().unwrap();
    let mut one = open(&folder);
    let recorded = with_ingestion(&mut one);
    let batch = &recorded.batches[0].id;
    let claim = one.record_batch_sending(batch, after(10)).unwrap();
    assert_eq!(claim, BatchClaim::Send);
    let mut two = open(&folder);
    let claim = two.record_batch_sending(batch, after(11)).unwrap();
    assert_eq!(claim, BatchClaim::Elsewhere);
    let unknown = BatchOutcome::Unknown;
    assert!(matches!(
        two.record_batch_outcome(batch, &unknown, None, after(12)),
        Err(LedgerError::OtherBatch(1))
    ));
    drop(one);
    assert_eq!(states(&two, &recorded.id)[0], "sending");
    let claim = two.record_batch_sending(batch, after(13)).unwrap();
    assert_eq!(claim, BatchClaim::Send);
    two.record_batch_outcome(batch, &BatchOutcome::NotTaken, None, after(14))
        .unwrap();
    assert_eq!(states(&two, &recorded.id)[0], "planned");
    assert_eq!(check(&two).findings, []);
}

#[test]
fn a_batch_that_is_too_large_is_split_and_loses_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let mut ledger = open(&folder);
    let recorded = with_ingestion(&mut ledger);
    let batch = &recorded.batches[1].id;
    send(&mut ledger, batch, &BatchOutcome::NotTaken);
    ledger.record_batch_cut(batch, after(20)).unwrap();
    let found = ledger.find_ingestion(&recorded.id).unwrap().unwrap();
    let spans: Vec<_> = found.batches.iter().map(|b| (b.first, b.records)).collect();
    assert_eq!(spans, [(0, 5), (5, 2), (10, 2), (7, 3)]);
    assert_eq!(check(&ledger).findings, []);
    let last = &found.batches[2].id;
    send(&mut ledger, last, &BatchOutcome::Unknown);
    assert!(ledger.record_batch_cut(last, after(30)).is_err());
}

#[test]
fn an_ingestion_is_found_by_its_source_and_its_deletion() {
    let folder = tempfile::tempdir().unwrap();
    let mut ledger = open(&folder);
    let recorded = with_ingestion(&mut ledger);
    let key = &asked().project_key;
    let (kind, other) = (
        IngestionKind::Import,
        ProjectKey::restore("other".to_owned()),
    );
    let found = ledger.find_ingestion_of(kind, key, "00ff").unwrap();
    assert_eq!(found.unwrap().id, recorded.id);
    for (key, digest) in [(key, "00fe"), (&other, "00ff")] {
        assert_eq!(ledger.find_ingestion_of(kind, key, digest).unwrap(), None);
    }
    let unfinished = |ledger: &Ledger| {
        ledger
            .find_unfinished_ingestion(kind, key, "events.jsonl")
            .unwrap()
    };
    assert_eq!(unfinished(&ledger).unwrap().id, recorded.id);
    let request = asked().after.unwrap();
    let listed = ledger.list_ingestions_after(&request).unwrap();
    assert_eq!(listed.len(), 1);
    for batch in &recorded.batches {
        let outcome = BatchOutcome::Taken { refused: vec![] };
        send(&mut ledger, &batch.id, &outcome);
    }
    assert_eq!(unfinished(&ledger), None);
}

#[test]
fn a_changed_or_missing_ingestion_is_found() {
    let folder = tempfile::tempdir().unwrap();
    let mut ledger = open(&folder);
    let recorded = with_ingestion(&mut ledger);
    let batch = &recorded.batches[0].id;
    ledger
        .conn
        .execute("UPDATE ingestion_batches SET state = 'done'", [])
        .unwrap();
    assert_eq!(check(&ledger).findings.len(), 1);
    assert!(matches!(
        ledger.record_batch_sending(batch, after(1)),
        Err(LedgerError::OtherRequest(_))
    ));
    ledger.conn.allow_orphans();
    ledger.conn.execute("DELETE FROM ingestions", []).unwrap();
    assert_eq!(check(&ledger).findings.len(), 1);
    assert!(matches!(
        ledger.demand_all_rows(),
        Err(LedgerError::Gone(_))
    ));
}
