use super::*;

#[test]
fn what_was_written_is_read_again_in_its_order() {
    let folder = tempfile::tempdir().unwrap();
    // More than one chunk, and ids that hardly compress.
    let mut ids = users(9_000);
    ids.extend((0..5_000).map(|_| uuid::Uuid::new_v4().to_string()));
    ids.push("Ünï \u{202e}søn\t".to_owned());
    let path = folder.path().join("a.plan");
    let digest = write_ids(&path, &ids);
    let plan = PlanFile::open(&path).unwrap();
    assert_eq!(plan.header(), &header(ids.len()));
    assert_eq!(plan.digest(), &digest);
    assert_eq!(plan.ledger_key(), key(7).fingerprint());
    assert!(plan.approvals().is_empty());
    assert_eq!(read_all(&plan, &key(7)).unwrap(), ids);
    assert_eq!(read_all(&plan, &key(7)).unwrap(), ids, "and once more");
    let text = std::fs::read_to_string(&path).unwrap();
    let chunks = text.lines().filter(|line| line.starts_with('"')).count();
    assert!(chunks > 2, "{chunks}");
}

#[test]
fn the_digest_is_that_of_the_bytes_before_it() {
    use sha2::{Digest, Sha256};
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.plan");
    let digest = write_ids(&path, &users(3));
    let text = std::fs::read_to_string(&path).unwrap();
    let (before, after) = text.split_once("{\"digest\":").unwrap();
    let whole: [u8; 32] = Sha256::digest(before).into();
    assert_eq!(PlanDigest::new(whole), digest);
    assert_eq!(after, format!("\"{digest}\"}}\n"));
}

#[test]
fn a_file_is_a_row_of_json_values() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.plan");
    write_ids(&path, &users(3));
    let text = std::fs::read_to_string(&path).unwrap();
    let values = serde_json::Deserializer::from_str(&text).into_iter();
    let values: Vec<serde_json::Value> = values.collect::<Result<_, _>>().unwrap();
    assert_eq!(values.len(), 3);
    assert_eq!(values[0]["dsr_plan"], 1);
    assert_eq!(values[0]["ids"]["unique"], 3);
    assert_eq!(values[0]["limits"]["jobs"], 1);
    assert_eq!(values[0]["created_by"]["user"], "anna");
    assert!(values[1].is_string() && values[2]["digest"].is_string());
}

#[test]
fn a_plan_file_reveals_no_person_and_no_id_length() {
    let folder = tempfile::tempdir().unwrap();
    let text = |name: &str, id: &str| {
        let path = folder.path().join(name);
        write_ids(&path, &[id.to_owned()]);
        std::fs::read_to_string(path).unwrap()
    };
    let one = text("one", "ann@x.test");
    let other = text(
        "other",
        &"someone.with.a.much.longer.name@example.test".repeat(4),
    );
    assert_eq!(one.len(), other.len());
    assert!(!one.contains("ann@x.test"));
    let people = |text: &str| {
        let line = text
            .lines()
            .find(|line| line.contains("\"people\""))
            .unwrap();
        line.to_owned()
    };
    assert_ne!(people(&one), people(&other));
    let again = text("again", "ann@x.test");
    assert_eq!(people(&one), people(&again), "the same people");
    let lines = |text: &str| -> Vec<String> { text.lines().map(str::to_owned).collect() };
    let (one, again) = (lines(&one), lines(&again));
    let sealed = one.iter().position(|line| line.starts_with('"')).unwrap();
    assert_ne!(one[sealed], again[sealed], "sealed under another key");
}

#[test]
fn another_key_opens_nothing_and_is_said_to_be_another() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.plan");
    write_ids(&path, &users(3));
    let plan = PlanFile::open(&path).unwrap();
    for error in [
        read_all(&plan, &key(8)).unwrap_err(),
        plan.check_approvals(&key(8)).unwrap_err(),
        PlanFile::approve(
            plan.path(),
            plan.digest(),
            &actor("ben"),
            &key(8),
            moment("2026-11-23T10:00:00Z"),
        )
        .unwrap_err(),
    ] {
        assert!(matches!(error, PlanFileError::OtherKey { .. }), "{error}");
    }
}

#[test]
fn whatever_is_in_the_place_of_a_new_plan_stays_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.plan");
    let write_it = || write(&path, &header(1), &key(7), || batches(&[])).unwrap_err();
    std::fs::write(&path, "mine").unwrap();
    assert!(matches!(write_it(), PlanFileError::Exists { .. }));
    assert_eq!(std::fs::read(&path).unwrap(), b"mine");
    std::fs::remove_file(&path).unwrap();
    std::fs::create_dir(&path).unwrap();
    assert!(matches!(write_it(), PlanFileError::Exists { .. }));
    let names = std::fs::read_dir(folder.path()).unwrap().count();
    assert_eq!(names, 1, "nothing is left beside it");
}

#[test]
fn ids_that_cannot_be_had_leave_no_file_behind() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.plan");
    let rounds = std::cell::Cell::new(0);
    let failing = || {
        rounds.set(rounds.get() + 1);
        let ids = users(1);
        let fails = rounds.get() == 2;
        let first: Vec<_> = batches(&ids).collect();
        let then = fails.then_some(Err(PlanFileError::TooLong));
        first.into_iter().chain(then)
    };
    let error = write(&path, &header(1), &key(7), failing).unwrap_err();
    assert!(matches!(error, PlanFileError::TooLong), "{error}");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[cfg(unix)]
#[test]
fn a_link_is_neither_written_through_nor_replaced() {
    use std::os::unix::fs::symlink;
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    symlink(at("nothing"), at("link")).unwrap();
    let ids = users(1);
    let error = write(&at("link"), &header(1), &key(7), || batches(&ids)).unwrap_err();
    assert!(matches!(error, PlanFileError::Exists { .. }), "{error}");
    assert!(!at("nothing").exists());
    write_ids(&at("a.plan"), &users(1));
    let before = std::fs::read(at("a.plan")).unwrap();
    symlink(at("a.plan"), at("other")).unwrap();
    let plan = PlanFile::open(&at("other")).unwrap();
    let moment = moment("2026-11-23T10:00:00Z");
    let error =
        PlanFile::approve(plan.path(), plan.digest(), &actor("ben"), &key(7), moment).unwrap_err();
    assert!(matches!(error, PlanFileError::Link { .. }), "{error}");
    assert_eq!(std::fs::read(at("a.plan")).unwrap(), before);
    assert!(at("other").is_symlink());
}

#[cfg(unix)]
#[test]
fn a_plan_is_for_its_owner_alone_until_they_open_it() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.plan");
    write_ids(&path, &users(1));
    let mode = || std::fs::metadata(&path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(), 0o600);
    std::fs::set_permissions(&path, PermissionsExt::from_mode(0o664)).unwrap();
    let plan = PlanFile::open(&path).unwrap();
    let moment = moment("2026-11-23T10:00:00Z");
    PlanFile::approve(plan.path(), plan.digest(), &actor("ben"), &key(7), moment).unwrap();
    assert_eq!(mode(), 0o664, "an approval closes nobody out");
}

#[test]
fn a_file_that_is_not_a_plan_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.plan");
    for text in [
        "",
        "{",
        "{\n",
        "{}\n",
        "distinct_id\nuser-1\n",
        "{\n  \"dsr_plan\": 0\n}\n",
        "{\n  \"plan\": 1\n}\n",
        "{\n  \"dsr_plan\": -1\n}\n",
        "PK\u{3}\u{4}",
    ] {
        std::fs::write(&path, text).unwrap();
        let error = PlanFile::open(&path).unwrap_err();
        assert!(
            matches!(error, PlanFileError::NotAPlan { .. }),
            "{text}: {error}"
        );
    }
    let error = PlanFile::open(folder.path()).unwrap_err();
    assert!(matches!(error, PlanFileError::NotAPlan { .. }), "{error}");
    let error = PlanFile::open(&folder.path().join("b")).unwrap_err();
    assert!(matches!(error, PlanFileError::Read { .. }), "{error}");
}

#[test]
fn a_newer_version_is_named_whatever_else_it_holds() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.plan");
    std::fs::write(
        &path,
        "{\n  \"dsr_plan\": 2,\n  \"new\": [true]\n}\n\"x\"\n",
    )
    .unwrap();
    let error = PlanFile::open(&path).unwrap_err();
    assert!(
        matches!(
            error,
            PlanFileError::Newer {
                found: 2,
                known: 1,
                ..
            }
        ),
        "{error}"
    );
}

#[test]
fn people_who_approve_at_once_lose_no_approval() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.plan");
    write_ids(&path, &users(3));
    let digest = *PlanFile::open(&path).unwrap().digest();
    std::thread::scope(|scope| {
        for who in 0..8 {
            let (path, digest) = (&path, &digest);
            scope.spawn(move || {
                let by = actor(&format!("user{who}"));
                let at = moment("2026-11-23T10:00:00Z");
                PlanFile::approve(path, digest, &by, &key(7), at).unwrap();
            });
        }
    });
    let plan = PlanFile::open(&path).unwrap();
    assert_eq!(plan.approvals().len(), 8);
    plan.check_approvals(&key(7)).unwrap();
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
}
