//! A download that is killed: in the middle, and between the archive and its record.

use std::fs;
use std::thread;
use std::time::{Duration, Instant};

use crate::support::{Exports, Halt, Reply, handing_out, the_download};

const EMPTY_ZIP: &[u8] = b"PK\x05\x06\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0";

fn wait_until(mut is_so: impl FnMut() -> bool) {
    let start = Instant::now();
    while !is_so() {
        assert!(start.elapsed() < Duration::from_secs(60), "it never comes");
        thread::sleep(Duration::from_millis(20));
    }
}

fn hanging_first() -> Exports {
    Exports::from(|call| match call.place {
        0 => Reply::Hang,
        _ => handing_out(EMPTY_ZIP, ""),
    })
}

#[test]
fn an_archive_that_was_put_in_its_place_and_not_recorded_is_found() {
    let exports = Exports::from(|_| handing_out(EMPTY_ZIP, ""));
    let operator = &exports.operator;
    operator.halts_at(Halt::Download);
    let folder = exports.folder();
    let running = operator.start(&["download", "--to", folder.to_str().unwrap()]);
    wait_until(|| exports.names().iter().any(|name| name.ends_with("-1.zip")));
    wait_until(|| operator.is_held());
    running.kill();
    operator.goes_on();
    assert!(
        operator
            .ledger_texts("SELECT sha256 FROM downloads")
            .is_empty()
    );

    let fetches = exports.store.calls().len();
    let outcome = exports.download(&["--json"]);
    outcome.exits_with(0);
    assert_eq!(exports.store.calls().len(), fetches, "it was fetched twice");
    let found = the_download(&outcome);
    assert_eq!(found["bytes"], EMPTY_ZIP.len());
    let recorded = operator.ledger_texts("SELECT sha256 FROM downloads");
    assert_eq!(recorded.len(), 1);
    assert_eq!(found["sha256"], recorded[0].as_str());
    let names = exports.names();
    assert_eq!(names.len(), 1, "{names:?}");
    operator.run(&["audit", "verify"]).exits_with(0);
    exports.download(&[]).exits_with(0);
    assert_eq!(exports.store.calls().len(), fetches);
}

#[test]
fn what_is_no_whole_archive_of_ours_is_in_the_way() {
    let exports = Exports::from(|_| handing_out(EMPTY_ZIP, ""));
    let job = exports.operator.only_request()["jobs"][0]["id"].clone();
    let folder = exports.folder();
    fs::create_dir(&folder).unwrap();
    let path = folder.join(format!("{}.zip", job.as_str().unwrap()));
    let put = |bytes: &[u8], mode| {
        use std::os::unix::fs::PermissionsExt;
        fs::write(&path, bytes).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
    };
    for (bytes, mode) in [(&b"not a zip"[..], 0o600), (EMPTY_ZIP, 0o644)] {
        put(bytes, mode);
        exports.download(&[]).exits_with(2);
        assert_eq!(fs::read(&path).unwrap(), bytes);
        fs::remove_file(&path).unwrap();
    }
    let other = folder.join("other.zip");
    fs::write(&other, EMPTY_ZIP).unwrap();
    std::os::unix::fs::symlink(&other, &path).unwrap();
    exports.download(&[]).exits_with(2);
    exports.store.was_not_called();
}

#[test]
fn what_a_killed_download_left_goes_with_the_next_run() {
    let exports = hanging_first();
    let folder = exports.folder();
    let to = folder.to_str().unwrap();
    let running = exports.operator.start(&["download", "--to", to]);
    wait_until(|| !exports.store.calls().is_empty());
    running.kill();
    let left = exports.names();
    assert!(left.len() == 1 && left[0].ends_with(".part"), "{left:?}");
    let packages = folder.join(".dsr-packages-dead00.part");
    fs::create_dir(&packages).unwrap();
    fs::write(packages.join("events.jsonl"), "{}").unwrap();

    exports.download(&[]).exits_with(0);
    let names = exports.names();
    assert!(
        names.len() == 1 && names[0].ends_with("-1.zip"),
        "{names:?}"
    );
}

#[test]
fn what_a_living_download_writes_stays() {
    let exports = hanging_first();
    let folder = exports.folder();
    let to = folder.to_str().unwrap();
    let running = exports.operator.start(&["download", "--to", to]);
    wait_until(|| !exports.store.calls().is_empty());
    exports.download(&[]).exits_with(0);
    let names = exports.names();
    assert_eq!(names.len(), 2, "{names:?}");
    assert!(
        names.iter().any(|name| name.ends_with(".part")),
        "{names:?}"
    );
    running.kill();
    exports.download(&[]).exits_with(0);
    assert_eq!(exports.names().len(), 1);
}
