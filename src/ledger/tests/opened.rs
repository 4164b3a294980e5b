use super::*;

#[test]
fn a_newer_ledger_is_not_touched() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.db");
    open(&folder).conn.set_schema_version(99).unwrap();
    let error = Ledger::open(&path, Duration::ZERO).err().unwrap();
    assert!(
        matches!(error, LedgerError::Newer { found: 99, .. }),
        "{error}"
    );
}

#[test]
fn a_damaged_ledger_is_not_touched() {
    let folder = tempfile::tempdir().unwrap();
    if open(&folder)
        .conn
        .skips_files("a server has no file of ours")
    {
        return;
    }
    let path = folder.path().join("damaged.db");
    std::fs::write(
        &path,
        "not a database, but long enough to be read as one".repeat(100),
    )
    .unwrap();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let private = std::fs::Permissions::from_mode(0o600);
        std::fs::set_permissions(&path, private).unwrap();
    }
    let error = Ledger::open(&path, Duration::ZERO).err().unwrap();
    assert!(matches!(error, LedgerError::Damaged(_)), "{error}");
}

#[test]
fn a_ledger_that_another_holds_is_given_up_after_the_time_to_wait() {
    let folder = tempfile::tempdir().unwrap();
    let mut holder = open(&folder);
    let _held = holder.write().unwrap();
    let mut other = open(&folder);
    let error = other.record_slot(&lane(), noon()).err().unwrap();
    assert!(matches!(error, LedgerError::Locked), "{error}");
}

#[cfg(unix)]
#[test]
fn every_file_is_for_its_owner_only() {
    use std::os::unix::fs::PermissionsExt;
    let outer = tempfile::tempdir().unwrap();
    let folder = outer.path().join("a/b");
    let mut ledger = Ledger::open(&folder.join("ledger.db"), Duration::ZERO).unwrap();
    let id = record(&mut ledger, &batches(1, 1), noon());
    send(
        &mut ledger,
        &JobId {
            request: id,
            number: 1,
        },
    );
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&folder), 0o700);
    let mut seen = 0;
    for entry in std::fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        let wanted = if path.is_dir() { 0o700 } else { 0o600 };
        assert_eq!(mode(&path), wanted, "{}", path.display());
        seen += 1;
    }
    assert!(seen >= 4, "ledger, wal, shm, senders");
}

/// A kill between the first commit to a new ledger and the note beside it, then another one before
/// the next note.
#[test]
fn a_new_ledger_that_was_not_noted_is_not_taken_for_a_copy() {
    let folder = tempfile::tempdir().unwrap();
    let note = open(&folder).path.with_file_name("seen-head");
    std::fs::remove_file(&note).unwrap();
    let (killed, _) = with_request(&folder);
    std::mem::forget(killed);
    record(&mut open(&folder), &batches(2, 2), noon());
}
