//! A ledger on a Kubernetes volume. At each mount the kubelet gives every file to the pod's
//! `fsGroup`, and lets that group read and change it. dsr accepts this only with `DSR_FS_GROUP`.

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown, symlink};
use std::path::Path;

use crate::support::{Fake, Operator, PROJECT_TOKEN, Running, find_program};

const GROUP: u32 = 2000;
/// The user of the image.
const NONROOT: u32 = 65532;
const SEND: [&str; 4] = ["delete", "--gdpr", "--yes", "a1"];

/// Whether this test can give files away. Prints that it skips.
#[expect(clippy::print_stderr, reason = "a test that is skipped says so")]
fn is_root() -> bool {
    let is_root = fs::metadata("/proc/self").expect("Linux").uid() == 0;
    if !is_root {
        eprintln!("skipped: only root can give a file to another group");
    }
    is_root
}

fn add_mode(path: &Path, more: u32) {
    let mode = fs::metadata(path).expect("a file of ours").mode();
    fs::set_permissions(path, Permissions::from_mode(mode | more)).expect("a file of ours");
}

/// Does to a folder what the kubelet does at a mount; `owner` only if given.
fn mount(path: &Path, owner: Option<u32>) {
    chown(path, owner, Some(GROUP)).expect("root may give files away");
    if !path.is_dir() {
        return add_mode(path, 0o660);
    }
    add_mode(path, 0o2770);
    for entry in fs::read_dir(path).expect("a folder of ours") {
        mount(&entry.expect("an entry").path(), owner);
    }
}

/// An operator with a ledger of one request, on a volume that was mounted again since.
fn operator_on_a_volume(fake: &Fake, owner: Option<u32>) -> Operator {
    let operator = Operator::at(fake).with_ledger_key();
    operator.run(&["export", "--gdpr", "b1"]).exits_with(0);
    for (path, mode) in [
        (operator.dsr_home(), 0o700),
        (operator.config_path(), 0o600),
    ] {
        fs::set_permissions(path, Permissions::from_mode(mode)).expect("a file of ours");
    }
    mount(&operator.dsr_home(), owner);
    operator
}

#[test]
fn without_the_setting_a_volume_is_refused_and_the_error_names_the_way_on() {
    if !is_root() {
        return;
    }
    for owner in [None, Some(NONROOT)] {
        let fake = Fake::start();
        let operator = operator_on_a_volume(&fake, owner);
        for args in [&SEND[..], &["status", "--cached"], &["resume"]] {
            let outcome = operator.run(args);
            outcome.exits_with(74).says("DSR_FS_GROUP=2000");
        }
        let doctor = operator.run(&["doctor", "--offline"]);
        doctor.exits_with(74);
        assert!(doctor.stdout.contains("DSR_FS_GROUP=2000"), "{doctor}");
        assert_eq!(fake.posts().len(), 1);
    }
}

#[test]
fn with_the_setting_every_command_works_whoever_owns_the_files() {
    if !is_root() {
        return;
    }
    for owner in [None, Some(NONROOT)] {
        let fake = Fake::start();
        let operator = operator_on_a_volume(&fake, owner).with("DSR_FS_GROUP", "2000");
        operator.run(&SEND).exits_with(0);
        operator.run(&["resume"]).exits_with(0);
        operator.run(&["audit", "verify"]).exits_with(0);
        mount(&operator.dsr_home(), owner);
        operator.run(&["status"]).exits_with(0);
        assert_eq!(fake.posted_ids(), ["b1", "a1"]);
        let doctor = operator.run(&["doctor", "--offline"]);
        doctor.exits_with(0);
        let is_named = doctor.stdout.contains("only you and group 2000");
        assert!(is_named && !doctor.stdout.contains("chmod"), "{doctor}");
        let doctor = operator.run(&["doctor", "--offline", "--json"]).json();
        let settings = doctor["doctor"]["settings"].as_array().unwrap();
        let setting = settings.iter().find(|one| one["name"] == "fs_group");
        assert_eq!(setting.unwrap()["from"], "DSR_FS_GROUP");
    }
}

#[test]
fn only_that_group_is_accepted_and_never_all_others() {
    if !is_root() {
        return;
    }
    let fake = Fake::start();
    let mut operator = operator_on_a_volume(&fake, None);
    let (home, elsewhere) = (operator.dsr_home(), operator.work().join("ledger.db"));
    let mut of = |group: &str| {
        operator.set("DSR_FS_GROUP", group);
        operator.run(&SEND)
    };
    of("2001").exits_with(74).says("DSR_FS_GROUP=2000");
    for (name, more) in [
        ("ledger.db", 0o004),
        ("ledger.db", 0o002),
        ("senders", 0o002),
        ("", 0o002),
    ] {
        let path = home.join(name);
        let before = fs::metadata(&path).unwrap().permissions();
        add_mode(&path, more);
        let outcome = of("2000");
        outcome
            .exits_with(74)
            .says("chmod")
            .never_says("DSR_FS_GROUP");
        fs::set_permissions(&path, before).unwrap();
    }
    fs::rename(home.join("ledger.db"), &elsewhere).unwrap();
    symlink(&elsewhere, home.join("ledger.db")).unwrap();
    of("2000").exits_with(74).says("link");
    assert_eq!(fake.posts().len(), 1);
}

#[test]
fn a_key_on_the_volume_needs_the_setting_too() {
    if !is_root() {
        return;
    }
    let fake = Fake::start();
    let operator = Operator::at(&fake).with_ledger_key();
    let key = operator.key_path();
    mount(&key, None);
    let doctor = ["doctor", "--offline"];
    let refused = operator.run(&doctor);
    refused.exits_with(2);
    assert!(refused.stdout.contains("chmod 600"), "{refused}");
    let operator = operator.with("DSR_FS_GROUP", "2000");
    operator.run(&doctor).exits_with(0);
    add_mode(&key, 0o004);
    operator.run(&doctor).exits_with(2);
}

#[test]
fn what_is_not_a_groups_number_is_refused_before_anything_is_sent() {
    let fake = Fake::start();
    let mut operator = Operator::at(&fake);
    for value in ["staff", "-1", "2000,2001", "4294967296"] {
        operator.set("DSR_FS_GROUP", value);
        let outcome = operator.run(&SEND);
        outcome.exits_with(2).says("DSR_FS_GROUP").never_says(value);
    }
    fake.was_not_called();
}

#[test]
fn a_pod_of_another_user_works_on_a_volume_of_root() {
    let setpriv = find_program("setpriv");
    let (Some(setpriv), true) = (setpriv, is_root()) else {
        return;
    };
    let fake = Fake::start();
    let operator = Operator::at(&fake);
    let root = operator.work();
    let volume = root.join("volume");
    fs::create_dir(&volume).unwrap();
    mount(&volume, None);
    for folder in [root.parent().unwrap(), &root] {
        fs::set_permissions(folder, Permissions::from_mode(0o755)).unwrap();
    }
    let home = volume.join("dsr").display().to_string();
    let operator = operator
        .with("DSR_HOME", &home)
        .with("DSR_PROJECT_TOKEN", PROJECT_TOKEN)
        .with("DSR_REGION", "us");
    let become_user = format!(
        "exec {setpriv} --reuid={NONROOT} --regid={NONROOT} --groups={GROUP} \"$0\" \"$@\""
    );
    let pod = |operator: &Operator, args: &[&str]| {
        let outcome = Running::start(operator.script(&become_user, args), "").end();
        outcome.did_not_panic();
        outcome
    };
    pod(&operator, &["export", "--gdpr", "b1"]).exits_with(0);
    mount(&volume, None);
    let refused = pod(&operator, &SEND);
    refused.exits_with(74).says("DSR_FS_GROUP=2000");
    let operator = operator.with("DSR_FS_GROUP", "2000");
    pod(&operator, &SEND).exits_with(0);
    // The next image runs as another user.
    mount(&volume, Some(NONROOT + 1));
    pod(&operator, &["delete", "--gdpr", "--yes", "c1"]).exits_with(0);
    pod(&operator, &["doctor", "--offline"]).exits_with(0);
    assert_eq!(fake.posted_ids(), ["b1", "a1", "c1"]);
}
