//! Common mistakes: each has its own message, with one thing to do.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use crate::support::{Fake, OAUTH_TOKEN, Operator, PROJECT_TOKEN};

const DELETE: [&str; 5] = ["delete", "--gdpr", "--yes", "a1", "--json"];

#[test]
fn a_token_in_quotes_is_said_and_not_sent() {
    let fake = Fake::start();
    for quoted in [
        format!("\"{OAUTH_TOKEN}\""),
        format!("'{OAUTH_TOKEN}'\n"),
        format!("“{OAUTH_TOKEN}”"),
        format!("\"{OAUTH_TOKEN}"),
    ] {
        let in_variable = Operator::at(&fake).with("DSR_TOKEN", &quoted);
        let in_file = Operator::at(&fake).without("DSR_TOKEN");
        let file = in_file.private_file("token", &quoted);
        for operator in [in_variable, in_file.with("DSR_TOKEN_FILE", &file)] {
            let outcome = operator.run(&DELETE);
            let failure = outcome.exits_with(4).failure();
            let (message, hint) = (&failure["message"], &failure["hint"]);
            assert!(message.as_str().unwrap().contains("quotes"), "{outcome}");
            assert!(hint.as_str().unwrap().contains("remove"), "{outcome}");
            outcome.never_says(OAUTH_TOKEN);
        }
    }
    fake.was_not_called();
}

#[test]
fn a_token_file_that_is_a_folder_is_said() {
    let fake = Fake::start();
    let operator = Operator::at(&fake).without("DSR_TOKEN");
    let folder = operator.work().join("secrets");
    fs::create_dir(&folder).unwrap();
    let operator = operator.with("DSR_TOKEN_FILE", folder.to_str().unwrap());
    for mode in [0o700, 0o755] {
        fs::set_permissions(&folder, fs::Permissions::from_mode(mode)).unwrap();
        let outcome = operator.run(&DELETE);
        outcome
            .exits_with(4)
            .says("it is a folder, not a file")
            .says("name the file in it: `DSR_TOKEN_FILE=")
            .says("secrets/FILE");
    }
    fake.was_not_called();
}

#[test]
fn a_config_file_in_utf_16_is_said() {
    let fake = Fake::start();
    let operator = Operator::at(&fake);
    let text = fs::read_to_string(operator.config_path()).unwrap();
    let units: Vec<u16> = text.encode_utf16().collect();
    let little: Vec<u8> = units.iter().flat_map(|unit| unit.to_le_bytes()).collect();
    let big: Vec<u8> = units.iter().flat_map(|unit| unit.to_be_bytes()).collect();
    for bytes in [
        [&[0xff, 0xfe][..], &little].concat(),
        [&[0xfe, 0xff][..], &big].concat(),
        little,
        big,
    ] {
        fs::write(operator.config_path(), bytes).unwrap();
        let outcome = operator.run(&DELETE);
        outcome
            .exits_with(2)
            .says("is UTF-16")
            .says("iconv -f UTF-16 -t UTF-8");
    }
    fake.was_not_called();
    fs::write(operator.config_path(), format!("\u{feff}{text}")).unwrap();
    operator.run(&DELETE).exits_with(0);
}

#[test]
fn a_config_file_in_latin_1_is_said_with_its_line() {
    let fake = Fake::start();
    let operator = Operator::at(&fake);
    let text = fs::read(operator.config_path()).unwrap();
    fs::write(
        operator.config_path(),
        [&b"# ok\n# caf\xe9\n"[..], &text].concat(),
    )
    .unwrap();
    let outcome = operator.run(&DELETE);
    outcome.exits_with(2).says("config.toml").says("line 2");
    outcome.says("UTF-8");
    fake.was_not_called();
}

#[test]
fn a_setting_out_of_range_is_said_with_its_file_and_line() {
    let fake = Fake::start();
    for setting in [
        "rate = 5000",
        "delete_batch = 0",
        "data_groups = 7",
        "time_zone = \"Mars\"",
        "callbacks = [\"http://u:secretpassword@h.test/\"]",
    ] {
        let operator = Operator::at_with(&fake, setting);
        let outcome = operator.run(&DELETE);
        outcome.exits_with(2).says("config.toml`, line 4");
        outcome.says(setting.split(' ').next().unwrap());
        outcome.never_says("secretpassword");
    }
    fake.was_not_called();
}

#[test]
fn a_secret_in_the_place_of_a_projects_name_is_never_shown() {
    let fake = Fake::start();
    let commands: [&[&str]; 7] = [
        &DELETE,
        &["delete", "--gdpr", "--yes", "a1"],
        &["project", "show"],
        &["project", "list"],
        &["status"],
        &["doctor"],
        &["auth", "status"],
    ];
    for secret in [OAUTH_TOKEN, PROJECT_TOKEN] {
        let table = format!("[projects.{secret}]\ntoken = \"{PROJECT_TOKEN}\"\nregion = \"us\"\n");
        for config in [format!("default_project = \"{secret}\"\n"), table] {
            let operator = Operator::at(&fake);
            operator.write_config(&config);
            for args in commands {
                operator.run(args).never_says(secret);
            }
            operator.run(&DELETE).exits_with(2);
        }
        let operator = Operator::at(&fake);
        let named = operator.run(&["delete", "--gdpr", "--yes", "a1", "--project", secret]);
        named.exits_with(2).never_says(secret);
        for command in ["status", "doctor", "report"] {
            let named = operator.run(&[command, "--project", secret]);
            named.exits_with(2).never_says(secret);
        }
        let added = operator.run(&["project", "add", secret, "--region", "us"]);
        added.exits_with(2).never_says(secret);
    }
    fake.was_not_called();
}

#[test]
fn the_password_in_a_callbacks_address_is_never_shown() {
    let fake = Fake::start();
    let setting =
        "callbacks = [\"https://u:secretpassword@h.test/x?key=secretpassword#secretpassword\"]";
    let operator = Operator::at_with(&fake, setting);
    let shown = operator.run(&["project", "show", "--json"]);
    shown.exits_with(0).never_says("secretpassword");
    assert!(shown.stdout.contains("h.test/x"), "{shown}");
}

#[test]
fn a_pipe_in_the_place_of_a_file_is_refused_and_not_waited_for() {
    let fake = Fake::start();
    for (name, status) in [("config.toml", 2), ("ledger.db", 74)] {
        let operator = Operator::at(&fake);
        operator.give_up_trail();
        let path = operator.dsr_home().join(name);
        let _ = fs::remove_file(&path);
        let made = std::process::Command::new("mkfifo")
            .arg("-m600")
            .arg(&path)
            .status();
        assert!(made.unwrap().success());
        for args in [&DELETE[..], &["status"]] {
            let outcome = operator.run(args);
            if args == DELETE || name == "ledger.db" {
                outcome.exits_with(status).says(name);
            }
        }
    }
    fake.was_not_called();
}

#[test]
fn a_pipe_in_the_place_of_the_seen_head_is_refused_and_not_waited_for() {
    let fake = Fake::start();
    let operator = Operator::at(&fake);
    let delete = ["delete", "--gdpr", "--yes", "a1"];
    operator.run(&delete).exits_with(0);
    let path = operator.dsr_home().join("seen-head");
    fs::remove_file(&path).expect("it was there");
    let made = std::process::Command::new("mkfifo")
        .arg("-m644")
        .arg(&path)
        .status();
    assert!(made.unwrap().success());
    for args in [
        &["delete", "--gdpr", "--yes", "a2"][..],
        &["resume"],
        &["status"],
        &["ledger", "status"],
    ] {
        let outcome = operator.run(args);
        outcome.exits_with(74).says("seen-head").never_says("chmod");
        outcome.says("move it away");
    }
    let doctor = operator.run(&["doctor", "--offline"]);
    let found = &doctor.exits_with(74).stdout;
    assert!(found.contains("seen-head"), "{doctor}");
    assert!(found.contains("move it away"), "{doctor}");
    let closes_it = |line: &str| line.contains("chmod") && line.contains("seen-head");
    assert!(!found.lines().any(closes_it), "{doctor}");
    assert_eq!(fake.posts().len(), 1);
}

#[test]
fn a_login_in_the_place_of_a_projects_name_is_never_shown() {
    let fake = Fake::start();
    let operator = Operator::at(&fake);
    for command in [
        &["status"][..],
        &["doctor"],
        &["report"],
        &["project", "show"],
        &DELETE,
    ] {
        let named = operator.run(&[command, &["--project", "robot:hunter2"]].concat());
        named.exits_with(2).never_says("hunter2");
    }
    fake.was_not_called();
}

#[test]
fn a_list_of_ids_is_no_file_of_events() {
    let fake = Fake::start();
    let operator = Operator::at(&fake);
    operator
        .run(&["delete", "--gdpr", "--yes", "a1"])
        .exits_with(0);
    operator.file("ids.csv", "distinct_id\na1\na2\n");
    operator.file("ids.txt", "a1\na2\n");
    for file in ["ids.csv", "ids.txt"] {
        let outcome = operator.run(&["suppressions", "check", file]);
        outcome.exits_with(5).says("events");
        outcome.says("raw export").says("`dsr find`");
    }
    operator.file("events.csv", "distinct_id,time\na1,1700000000\n");
    operator
        .run(&["suppressions", "check", "events.csv"])
        .exits_with(0);
}

#[test]
fn the_way_out_of_a_missing_ledger_key_is_one_that_works() {
    let fake = Fake::start();
    let operator = Operator::at(&fake).with("DSR_LEDGER_KEY_FILE", "missing.key");
    let make = ["auth", "ledger-key", "--to", "new.key"];
    let outcome = operator.run(&make);
    outcome.exits_with(2).says("unset DSR_LEDGER_KEY_FILE");
    operator
        .without("DSR_LEDGER_KEY_FILE")
        .run(&make)
        .exits_with(0);
}
