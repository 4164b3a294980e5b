//! Common mistakes: each has its own message, with one thing to do.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use crate::support::{Fake, OAUTH_TOKEN, Operator};

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
            .says("export DSR_TOKEN_FILE=")
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
