//! Links, foreign folders and open files where dsr writes. dsr never writes, extends or truncates
//! another person's file, and refuses what others can read, with the command that closes it.

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use crate::support::{Exports, Fake, Operator, PROJECT_TOKEN, Running, handing_out};

const SEND: [&str; 4] = ["delete", "--gdpr", "--yes", "a1"];
const KEPT: &[u8] = b"somebody else's only copy\n";

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).expect("a file of ours");
}

fn operator_at(fake: &Fake) -> Operator {
    let operator = Operator::at(fake);
    operator.run(&["export", "--gdpr", "b1"]).exits_with(0);
    operator
}

/// A file outside dsr's home that must stay as it is.
fn victim(operator: &Operator, mode: u32) -> PathBuf {
    let path = operator.work().join("victim");
    fs::write(&path, KEPT).expect("a file can be written");
    set_mode(&path, mode);
    path
}

#[track_caller]
fn is_untouched(victim: &Path, before: &fs::Metadata) {
    let after = fs::symlink_metadata(victim).expect("it is there");
    assert_eq!(fs::read(victim).expect("it is there"), KEPT);
    assert_eq!(after.mode(), before.mode());
    assert_eq!(
        (after.mtime(), after.mtime_nsec()),
        (before.mtime(), before.mtime_nsec())
    );
}

#[test]
fn a_symbolic_link_in_the_place_of_a_file_of_ours_is_not_followed() {
    for name in [
        "ledger.db",
        "ledger.db-wal",
        "ledger.db-shm",
        "ledger.db-journal",
        "holder",
    ] {
        let fake = Fake::start();
        let operator = operator_at(&fake);
        let victim = victim(&operator, 0o600);
        let before = fs::symlink_metadata(&victim).unwrap();
        let place = operator.dsr_home().join(name);
        drop(fs::remove_file(&place));
        symlink(&victim, &place).unwrap();
        let outcome = operator.run(&SEND);
        outcome
            .exits_with(74)
            .says("is a link")
            .says("nothing was sent");
        is_untouched(&victim, &before);
        assert_eq!(fake.posts().len(), 1, "{name}");
        // A dangling link would create its target.
        fs::remove_file(&victim).unwrap();
        operator.run(&SEND).exits_with(74);
        assert!(!victim.exists(), "{name}");
    }
}

#[test]
fn a_symbolic_link_in_the_place_of_a_folder_of_ours_is_not_followed() {
    for name in ["senders", "receipts"] {
        let fake = Fake::start();
        let operator = operator_at(&fake);
        let elsewhere = operator.work().join("elsewhere");
        fs::create_dir(&elsewhere).unwrap();
        // Files that dsr would clear away in its own folder.
        for stale in ["x.lock", "x.jsonl"] {
            fs::write(elsewhere.join(stale), "").unwrap();
        }
        let place = operator.dsr_home().join(name);
        drop(fs::remove_dir_all(&place));
        symlink(&elsewhere, &place).unwrap();
        operator.run(&SEND).exits_with(74).says("is a link");
        operator.run(&["status"]).exits_with(74);
        assert_eq!(fs::read_dir(&elsewhere).unwrap().count(), 2, "{name}");
        assert_eq!(fake.posts().len(), 1, "{name}");
    }
}

#[test]
fn a_file_of_ours_with_a_second_name_is_refused() {
    for name in ["ledger.db", "ledger.db-wal", "holder"] {
        let fake = Fake::start();
        let operator = operator_at(&fake);
        let victim = victim(&operator, 0o600);
        let before = fs::symlink_metadata(&victim).unwrap();
        let place = operator.dsr_home().join(name);
        drop(fs::remove_file(&place));
        fs::hard_link(&victim, &place).unwrap();
        operator.run(&SEND).exits_with(74).says("second name");
        is_untouched(&victim, &before);
        assert_eq!(fake.posts().len(), 1, "{name}");
    }
}

#[test]
fn the_hint_on_a_second_name_mends_it() {
    let fake = Fake::start();
    let operator = operator_at(&fake);
    let ledger = operator.dsr_home().join("ledger.db");
    fs::hard_link(&ledger, operator.work().join("copy")).unwrap();
    let outcome = operator.run(&SEND);
    let command = outcome.exits_with(74).stderr.split('`').nth_back(1);
    let mend = operator.script(command.expect("a command"), &[]);
    Running::start(mend, "").end().exits_with(0);
    operator.run(&SEND).exits_with(0);
}

#[test]
fn a_linked_config_file_is_replaced_and_what_it_led_to_stays() {
    let operator = Operator::new();
    let victim = victim(&operator, 0o644);
    fs::write(&victim, "# kept elsewhere\n").unwrap();
    fs::create_dir(operator.dsr_home()).unwrap();
    symlink(&victim, operator.config_path()).unwrap();
    let add = ["project", "add", "shop", "--region", "us"];
    operator.run_with_input(&add, PROJECT_TOKEN).exits_with(0);
    assert_eq!(fs::read_to_string(&victim).unwrap(), "# kept elsewhere\n");
    let metadata = fs::symlink_metadata(operator.config_path()).unwrap();
    assert!(metadata.is_file());
    assert_eq!(metadata.mode() & 0o777, 0o600);
}

#[test]
fn a_link_where_an_archive_or_its_packages_would_go_is_in_the_way() {
    let zip = b"PK\x05\x06\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0";
    for exists in [true, false] {
        let exports = Exports::from(|_| handing_out(zip, ""));
        exports.download(&[]).exits_with(0);
        let name = exports.names().remove(0);
        let victim = victim(&exports.operator, 0o600);
        let before = fs::symlink_metadata(&victim).unwrap();
        let place = exports.folder().join(&name);
        fs::remove_file(&place).unwrap();
        symlink(&victim, &place).unwrap();
        if !exists {
            fs::remove_file(&victim).unwrap();
        }
        let outcome = exports.download(&["--again"]);
        match exists {
            true => is_untouched(&victim, &before),
            false => assert!(!victim.exists(), "{outcome}"),
        }
        assert!(place.is_symlink(), "{outcome}");
    }
}

#[test]
fn a_link_in_the_place_of_the_sandboxs_state_is_not_followed() {
    for name in ["ledger.db", "server/server.db", "server/server.db-wal"] {
        let operator = Operator::new();
        let run = ["--sandbox", "export", "--gdpr", "a1"];
        operator.run(&run).exits_with(0);
        let victim = victim(&operator, 0o600);
        let before = fs::symlink_metadata(&victim).unwrap();
        let place = operator.dsr_home().join("sandbox").join(name);
        drop(fs::remove_file(&place));
        symlink(&victim, &place).unwrap();
        let outcome = operator.run(&run);
        assert_ne!(outcome.status, Some(0), "{name}\n{outcome}");
        outcome.did_not_panic().says("link");
        is_untouched(&victim, &before);
        fs::remove_file(&place).unwrap();
        fs::hard_link(&victim, &place).unwrap();
        assert_ne!(operator.run(&run).status, Some(0), "{name}");
        is_untouched(&victim, &before);
    }
}

#[test]
fn a_ledger_that_others_can_read_is_refused_with_the_command_that_closes_it() {
    for mode in [0o604, 0o640, 0o620, 0o666] {
        let fake = Fake::start();
        let operator = operator_at(&fake);
        let ledger = operator.dsr_home().join("ledger.db");
        set_mode(&ledger, mode);
        let chmod = format!("chmod 600 {}", ledger.display());
        for args in [&SEND[..], &["status", "--cached"], &["resume"]] {
            operator.run(args).exits_with(74).says(&chmod);
        }
        let failure = operator.run(&["status", "--json"]).failure();
        assert_eq!(failure["kind"], "not_private");
        assert_eq!(fake.posts().len(), 1);
        set_mode(&ledger, 0o600);
        operator.run(&SEND).exits_with(0);
    }
}

#[test]
fn a_home_into_which_others_can_put_files_is_refused() {
    for (mode, status) in [
        (0o777, 74),
        (0o1777, 74),
        (0o770, 74),
        (0o755, 0),
        (0o700, 0),
    ] {
        let fake = Fake::start();
        let operator = operator_at(&fake);
        set_mode(&operator.dsr_home(), mode);
        let outcome = operator.run(&SEND);
        outcome.exits_with(status);
        if status != 0 {
            outcome.says("chmod 700");
        }
    }
}

#[test]
fn what_belongs_to_another_user_is_refused() {
    if fs::metadata("/proc/self").unwrap().uid() != 0 {
        eprintln!("skipped: only root can give a file away");
        return;
    }
    const NOBODY: u32 = 65534;
    for name in ["", "ledger.db", "holder", "senders"] {
        let fake = Fake::start();
        let operator = operator_at(&fake);
        let path = operator.dsr_home().join(name);
        std::os::unix::fs::chown(path, Some(NOBODY), None).unwrap();
        operator.run(&SEND).exits_with(74).says("another user");
        assert_eq!(fake.posts().len(), 1, "{name}");
    }
}
