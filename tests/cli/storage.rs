//! Disks and ledgers that fail: dsr overwrites nothing that it cannot read, and sends nothing.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use crate::support::{
    Exports, Fake, OAUTH_TOKEN, Operator, Outcome, PROJECT_TOKEN, Running, csv_of, handing_out,
    people, states,
};

const COMMANDS: [&[&str]; 5] = [
    &["delete", "--gdpr", "--yes", "a2"],
    &["export", "--gdpr", "a2"],
    &["resume"],
    &["status", "--all"],
    &["status", "--all", "--cached", "--json"],
];

/// An operator whose ledger holds a request of some jobs, in one file without a log.
fn operator_with_a_ledger(fake: &Fake) -> (Operator, PathBuf) {
    let operator = Operator::at_with(fake, "rate = 1000\ndelete_batch = 100");
    operator.file("ids.csv", csv_of(&people(1000), None));
    operator
        .run(&["delete", "--gdpr", "--yes", "ids.csv"])
        .exits_with(0);
    let path = operator.dsr_home().join("ledger.db");
    let rest = operator.dsr_home().join("ledger.db-wal");
    assert!(!rest.exists(), "it is all in the one file");
    (operator, path)
}

type Damage = fn(&mut Vec<u8>);

#[test]
fn a_ledger_that_cannot_be_read_is_not_written_and_nothing_is_sent() {
    let damages: [(&str, Damage); 5] = [
        ("no database", |bytes| bytes.fill(b'x')),
        ("another file", |bytes| {
            *bytes = b"date,amount\n2026-01-01,4\n".repeat(200);
        }),
        ("half of it", |bytes| bytes.truncate(bytes.len() / 2)),
        ("its first page only", |bytes| bytes.truncate(4096)),
        ("pages of noise", |bytes| {
            // All but the first page, whose header says that it is a ledger.
            let noise = (0_u8..=255).cycle().skip(7);
            for (byte, noise) in bytes[4096..].iter_mut().zip(noise) {
                *byte ^= noise | 1;
            }
        }),
    ];
    for (name, damage) in damages {
        let fake = Fake::start();
        let (operator, path) = operator_with_a_ledger(&fake);
        let before = fake.calls().len();
        let mut bytes = fs::read(&path).unwrap();
        damage(&mut bytes);
        fs::write(&path, &bytes).unwrap();
        for args in COMMANDS {
            let outcome = operator.run(args);
            assert_eq!(outcome.status, Some(74), "{name}\n{outcome}");
            outcome.did_not_panic().says("Restore a ledger");
        }
        assert!(fs::read(&path).unwrap() == bytes, "{name}: it was written");
        assert_eq!(fake.calls().len(), before, "{name}");
    }
}

#[test]
fn one_damaged_page_is_a_local_failure_or_in_nobodys_way_or_leaves_a_receipt() {
    let fake = Fake::start();
    let (operator, path) = operator_with_a_ledger(&fake);
    let whole = fs::read(&path).unwrap();
    let receipts = operator.dsr_home().join("receipts");
    let mut refused = 0;
    for page in 1..whole.len() / 4096 {
        let mut bytes = whole.clone();
        for byte in &mut bytes[page * 4096..(page + 1) * 4096] {
            *byte ^= 0xa5;
        }
        fs::write(&path, &bytes).unwrap();
        let before = fake.posts().len();
        let outcome = operator.run(&["delete", "--gdpr", "--yes", "a2"]);
        outcome.did_not_panic();
        let sent = fake.posts().len() - before;
        match outcome.status {
            Some(74) => {
                assert_eq!(sent, 0, "page {page}\n{outcome}");
                refused += 1;
            }
            Some(0) => {
                assert_eq!(sent, 1, "page {page}\n{outcome}");
                let known = "SELECT task_id FROM jobs JOIN requests ON id = request
                             WHERE ids_unique = 1 AND state = 'accepted'";
                let tasks = operator.ledger_texts(known);
                assert!(outcome.stdout.contains(&tasks[0]), "page {page}\n{outcome}");
            }
            // This page is only written for an accepted job, so dsr finds the damage after the
            // POST.
            Some(6) => {
                assert_eq!(sent, 1, "page {page}\n{outcome}");
                let receipts = fs::read_dir(&receipts).unwrap();
                let kept = receipts.map(|entry| fs::read_to_string(entry.unwrap().path()).unwrap());
                let kept: String = kept.collect();
                let task = outcome.stderr.split('`').nth(1).unwrap();
                assert!(kept.contains(task), "page {page}\n{outcome}");
            }
            _ => panic!("page {page}\n{outcome}"),
        }
        drop(fs::remove_dir_all(&receipts));
        for name in ["ledger.db-wal", "ledger.db-shm"] {
            drop(fs::remove_file(operator.dsr_home().join(name)));
        }
    }
    assert!(refused > 0);
}

#[test]
fn an_empty_file_in_the_ledgers_place_becomes_a_ledger() {
    let fake = Fake::start();
    let operator = Operator::at(&fake);
    let path = operator.dsr_home().join("ledger.db");
    fs::write(&path, "").unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    operator.run(&["export", "--gdpr", "a1"]).exits_with(0);
    assert_eq!(states(&operator.only_request()), ["accepted"]);
}

#[test]
fn a_folder_in_the_ledgers_place_is_a_local_failure() {
    let fake = Fake::start();
    let operator = Operator::at(&fake);
    fs::create_dir(operator.dsr_home().join("ledger.db")).unwrap();
    for args in COMMANDS {
        operator
            .run(args)
            .exits_with(74)
            .did_not_panic()
            .says("not the kind of file");
    }
    fake.was_not_called();
}

#[test]
fn a_ledger_of_a_newer_or_unreleased_dsr_is_not_written_by_any_command() {
    let fake = Fake::start();
    let (operator, path) = operator_with_a_ledger(&fake);
    for (format, why) in [(999, "newer"), (17, "from before the first release")] {
        let ledger = rusqlite::Connection::open(&path).unwrap();
        ledger.pragma_update(None, "user_version", format).unwrap();
        drop(ledger);
        let (before, bytes) = (fake.calls().len(), fs::read(&path).unwrap());
        for args in COMMANDS {
            let outcome = operator.run(args);
            let said = format!("format {format}");
            outcome.exits_with(74).says(&said).says(why);
        }
        assert!(fs::read(&path).unwrap() == bytes, "it was written");
        assert_eq!(fake.calls().len(), before);
    }
}

#[test]
fn a_disk_that_fills_up_at_any_step_sends_only_what_is_known_of() {
    let mut ends = BTreeSet::new();
    // Limits files to this many blocks, from too few to more than enough, so that the disk is full
    // at another step each time.
    for blocks in [8, 80, 160, 320, 640, 1280, 40_000] {
        let fake = Fake::start();
        let (operator, _) = operator_with_a_ledger(&fake);
        let others: Vec<String> = (0..30).map(|n| format!("other-{n}")).collect();
        operator.file("more.csv", csv_of(&others, None));
        let before = fake.posts().len();
        let text = fs::read_to_string(operator.config_path()).unwrap();
        operator.write_config(&text.replace("= 100\n", "= 1\n"));
        // Ignores the signal that comes with the limit, which would end the process.
        let setup = format!("ulimit -f {blocks}");
        let args = ["delete", "--gdpr", "--yes", "more.csv"];
        let outcome = Running::start(operator.command_after(&setup, &args), "").end();
        outcome.did_not_panic();
        let status = outcome.status.unwrap();
        assert!(matches!(status, 0 | 6 | 74), "{blocks}\n{outcome}");
        let sent = fake.posts().len() - before;
        let requests = operator.requests();
        let states = requests.iter().flat_map(states);
        let known = states.filter(|state| state != "planned").count() - 10;
        assert_eq!(known, sent, "each POST is known of: {blocks}\n{outcome}");
        assert!(status != 0 || sent == 30, "{blocks}\n{outcome}");
        if sent < 30 && requests.len() == 2 {
            operator.run(&["resume"]).did_not_panic();
            let ids = fake.posted_ids();
            let again = ids.iter().filter(|id| id.starts_with("other")).count();
            assert!(again >= 30, "the rest is sent: {blocks}");
        }
        ends.insert((status, sent > 0));
    }
    assert!(
        ends.contains(&(74, false)) && ends.contains(&(0, true)),
        "{ends:?}"
    );
}

#[test]
fn an_archive_beyond_the_largest_file_there_may_be_is_a_full_disk() {
    let archive = [b"PK\x03\x04".to_vec(), vec![7; 2 << 20]].concat();
    let exports = Exports::from(move |_| handing_out(&archive, ""));
    let folder = exports.folder().display().to_string();
    let args = ["download", "--to", &folder];
    let command = exports.operator.command_after("ulimit -f 2048", &args);
    let outcome = Running::start(command, "").end();
    outcome.exits_with(74).says("File too large");
    assert_eq!(exports.names(), [""; 0], "nothing is left half\n{outcome}");
}

/// Runs a script on its own file system `disk` of one MiB; `None` if the system does not allow
/// that. Commands end in lines `name: status`.
fn on_a_disk_of_its_own(fake: &Fake, script: &str) -> Option<Outcome> {
    let operator = Operator::new()
        .with("DSR_TOKEN", OAUTH_TOKEN)
        .with("DSR_API_URL", &fake.url())
        .with("DSR_PROJECT_TOKEN", PROJECT_TOKEN)
        .with("DSR_REGION", "us");
    let home = operator.work().join("disk/dsr").display().to_string();
    let operator = operator.with("DSR_HOME", &home);
    fs::create_dir(operator.work().join("disk")).expect("a folder can be made");
    let mount = "mount -t tmpfs -o size=1m tmpfs disk || exit 90";
    let script = format!("{mount}; {script}").replace("dsr ", "\"$0\" ");
    let inside = format!("unshare -rm /bin/sh -c '{script}' \"$0\" || exit 90");
    let outcome = Running::start(operator.script(&inside, &[]), "").end();
    if outcome.status == Some(90) {
        return None;
    }
    outcome.did_not_panic();
    Some(outcome)
}

/// Prints that there is no such disk. An error if `DSR_TEST_REQUIRE` names `file-system`.
#[expect(clippy::print_stdout, reason = "a test that skips says so")]
fn skip() {
    #[expect(
        clippy::disallowed_methods,
        reason = "the environment says whether the outside part is there"
    )]
    let required = std::env::var("DSR_TEST_REQUIRE").unwrap_or_default();
    let is_required = required.split(',').any(|part| part == "file-system");
    assert!(!is_required, "no file system can be mounted here");
    println!("SKIPPED: no file system can be mounted here");
}

#[test]
fn a_full_disk_sends_nothing_and_loses_nothing() {
    let fake = Fake::start();
    let script = r#"
        dsr export --gdpr a1 >/dev/null; echo "first: $?"
        head -c 2000000 /dev/zero > disk/filler
        dsr delete --gdpr --yes a2; echo "full: $?"
        truncate -s -150K disk/filler
        (echo distinct_id; seq -f "user-%.0f@example.test" 1 40000) > many.csv
        dsr delete --gdpr --yes many.csv; echo "no room for it: $?"
        rm disk/filler
        dsr delete --gdpr --yes a2 >/dev/null; echo "after: $?""#;
    let Some(outcome) = on_a_disk_of_its_own(&fake, script) else {
        skip();
        return;
    };
    assert_eq!(
        outcome.stdout, "first: 0\nfull: 74\nno room for it: 74\nafter: 0\n",
        "{outcome}"
    );
    assert_eq!(fake.posted_ids(), ["a1", "a2"]);
}

#[test]
fn a_read_only_disk_is_a_local_failure_and_nothing_is_sent() {
    let fake = Fake::start();
    let script = r#"
        dsr export --gdpr a1 >/dev/null; echo "first: $?"
        mount -o remount,ro disk
        dsr delete --gdpr --yes a2; echo "delete: $?"
        dsr resume; echo "resume: $?"
        dsr status; echo "status: $?"
        mount -o remount,rw disk
        dsr delete --gdpr --yes a2 >/dev/null; echo "after: $?""#;
    let Some(outcome) = on_a_disk_of_its_own(&fake, script) else {
        skip();
        return;
    };
    let ends = "first: 0\ndelete: 74\nresume: 74\nstatus: 74\nafter: 0\n";
    assert_eq!(outcome.stdout, ends, "{outcome}");
    outcome.says("permissions");
    assert_eq!(fake.posted_ids(), ["a1", "a2"]);
    assert_eq!(fake.calls().len(), 2, "nobody was asked");
}
