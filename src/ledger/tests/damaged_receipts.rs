use super::*;

/// A ledger with a job whose sender died, and a receipt file of that sender.
fn with_receipts(folder: &tempfile::TempDir, content: &[u8]) -> (Ledger, JobId, PathBuf) {
    let (mut ledger, record) = with_request(folder);
    let job = nth(&record.id, 1);
    send(&mut ledger, &job);
    let sender = ledger.sender.as_ref().unwrap().id().to_owned();
    drop(ledger);
    let receipts = folder.path().join("receipts");
    let file = receipts.join(format!("{sender}.jsonl"));
    let text = String::from_utf8_lossy(content);
    let content = match text.contains("REQUEST") {
        true => text.replace("REQUEST", record.id.as_str()).into_bytes(),
        false => content.to_owned(),
    };
    std::fs::write(&file, content).unwrap();
    (open(folder), job, file)
}

#[test]
fn a_receipt_that_is_not_text_does_not_stop_dsr() {
    let folder = tempfile::tempdir().unwrap();
    let (mut ledger, job, file) = with_receipts(&folder, b"\xff\xfe{\n");
    let report = ledger.record_receipts(noon()).unwrap();
    assert_eq!((report.recorded, report.left.len()), (0, 1));
    assert_eq!(state(&ledger, &job), JobState::Sending);
    assert!(file.exists(), "it stays where it is");
}

#[test]
fn a_time_that_the_ledger_could_not_read_again_is_not_recorded() {
    for time in ["+262142-12-31T23:59:59Z", "-0001-01-01T00:00:00Z"] {
        let folder = tempfile::tempdir().unwrap();
        let receipt =
            format!(r#"{{"request":"REQUEST","job":1,"task_id":"t","accepted_at":"{time}"}}"#);
        let (mut ledger, job, file) = with_receipts(&folder, receipt.as_bytes());
        let report = ledger.record_receipts(noon()).unwrap();
        assert_eq!((report.recorded, report.left.len()), (0, 1));
        assert_eq!(state(&ledger, &job), JobState::Sending);
        assert!(file.exists(), "it stays where it is");
    }
}
