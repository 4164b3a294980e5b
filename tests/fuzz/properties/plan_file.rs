//! Plan files from e-mails and shared folders.

use chrono::DateTime;
use dsr::domain::{Actor, LedgerKey, PlanDigest};
use dsr::plan_file::{PlanFile, PlanFileError};

/// The corpus's key, which is public.
fn key() -> LedgerKey {
    LedgerKey::restore(dsr::sandbox::LEDGER_KEY)
}

/// A plan that opens is whole and counts right; an approved plan stays the same plan; no message
/// quotes a refused file.
pub(crate) fn open(bytes: &[u8]) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("a.plan");
    std::fs::write(&path, bytes).expect("a file");
    let file = match PlanFile::open(&path) {
        Ok(file) => file,
        Err(error) => return check_silence(&error, bytes),
    };
    let text = std::str::from_utf8(bytes).expect("a plan is text");
    let digest = file.digest().to_string();
    assert_eq!(PlanDigest::parse(&digest).as_ref(), Some(file.digest()));
    assert!(text.contains(&format!("{{\"digest\":\"{digest}\"}}\n")));
    let header = file.header();
    assert!(header.unique > 0 && header.jobs() > 0);
    assert_eq!(
        header.read,
        header.unique + header.excluded + header.duplicates()
    );
    assert!(header.expires() > header.created);
    assert!(header.deadline().last_safe_day() < header.due);
    let mut count = 0;
    let read = file.read_ids(&key(), &mut |id| {
        count += 1;
        assert!(!id.is_empty() && !id.contains('\n'));
        Ok::<_, PlanFileError>(())
    });
    assert!(count <= header.unique);
    match read {
        Ok(()) => assert_eq!(count, header.unique),
        Err(error) => check_silence(&error, bytes),
    }
    approve(&file, bytes);
}

fn approve(file: &PlanFile, bytes: &[u8]) {
    let is_genuine = file.check_approvals(&key()).is_ok();
    let at = DateTime::from_timestamp(1_800_000_000, 0).expect("a time");
    let by = Actor::new("zoe", "desk");
    match PlanFile::approve(file.path(), file.digest(), &by, &key(), at) {
        Ok(approved) => {
            assert!(is_genuine, "what was forged is not approved");
            assert_eq!(approved.digest(), file.digest());
            assert_eq!(approved.approvals().len(), file.approvals().len() + 1);
            assert!(approved.check_approvals(&key()).is_ok());
            let written = std::fs::read(file.path()).expect("it is there");
            assert!(written.starts_with(bytes));
        }
        Err(error) => {
            check_silence(&error, bytes);
            let now = std::fs::read(file.path()).expect("it is there");
            assert_eq!(now, bytes, "nothing was changed");
        }
    }
}

/// No message holds a long word of the file, except what it names on purpose.
fn check_silence(error: &PlanFileError, bytes: &[u8]) {
    if let PlanFileError::OtherKey { .. }
    | PlanFileError::Forged { .. }
    | PlanFileError::ForAnother { .. }
    | PlanFileError::ByCreator { .. }
    | PlanFileError::Doubled { .. }
    | PlanFileError::Again { .. }
    | PlanFileError::OwnPlan { .. } = error
    {
        return;
    }
    let message = error.to_string();
    let text = String::from_utf8_lossy(bytes);
    let is_inside = |c: char| c.is_ascii_alphanumeric();
    for word in text.split(|c| !is_inside(c)).filter(|w| w.len() >= 24) {
        assert!(!message.contains(word), "the file is quoted");
    }
}
