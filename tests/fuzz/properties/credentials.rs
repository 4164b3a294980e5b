//! Stores of secrets: the keyring's entry, the token file, a key file.

use std::ffi::OsString;

use chrono::{DateTime, NaiveDate};
use dsr::config::Environment;
use dsr::credentials::{
    CredentialError, HashKey, Keyring, OauthToken, TokenAge, find_token, find_valid_token,
};
use dsr::domain::TokenName;
use serde_json::Value;

/// A token that is accepted can be sent, was in the text, and has an age. Messages quote nothing
/// else.
pub(crate) fn token(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    match Keyring::read_entry(&text) {
        Ok(token) => {
            let entry: Value = serde_json::from_str(&text).expect("the entry is JSON");
            let kept = entry["token"].as_str().or(entry[0].as_str());
            assert_eq!(kept.map(str::trim), Some(token.expose()));
            assert!(token.issued().is_some());
            check_token(&token);
        }
        Err(error) => check_silence(&format!("{error} {error:?}"), &text),
    }
    key(bytes);
    let (day, rest) = match bytes.iter().position(|byte| *byte == b'\n') {
        Some(end) => (&bytes[..end], &bytes[end + 1..]),
        None => (&[][..], bytes),
    };
    file(&String::from_utf8_lossy(day), rest);
}

/// The first line is the day the token was made, the rest is in the file.
fn file(day: &str, content: &[u8]) {
    // Private, or dsr would not read it.
    let kept = tempfile::NamedTempFile::new().expect("a file");
    let path = kept.path().to_owned();
    std::fs::write(&path, content).expect("a file");
    let environment = Environment::from_lookup(|name| match name {
        "DSR_TOKEN_FILE" => Some(path.clone().into_os_string()),
        "DSR_TOKEN_ISSUED" => Some(OsString::from(day)),
        _ => None,
    });
    let environment = environment.expect("text");
    match find_token(&environment, &TokenName::main()) {
        Ok(token) => {
            let text = std::str::from_utf8(content).expect("a token is text");
            assert_eq!(text.trim(), token.expose());
            assert_eq!(token.issued().is_none(), day.is_empty());
            check_token(&token);
        }
        Err(error) => {
            let text = String::from_utf8_lossy(content);
            check_silence(&format!("{error} {error:?}"), &text);
        }
    }
    match find_valid_token(&environment, &TokenName::main(), today()) {
        Ok(token) => assert!(!matches!(token.age(today()), TokenAge::Expired { .. })),
        Err(CredentialError::Expired { expired, .. }) => assert!(expired < today()),
        Err(_) => {}
    }
}

fn key(bytes: &[u8]) {
    match HashKey::from_text_or_bytes(bytes.to_vec()) {
        Some(key) => {
            let end = bytes.strip_prefix(key.expose());
            assert!([&b""[..], b"\n", b"\r\n", b"\r"].contains(&end.expect("a beginning")));
            assert!(!key.expose().is_empty());
        }
        None => assert!([&b""[..], b"\n", b"\r\n", b"\r"].contains(&bytes)),
    }
}

fn check_token(token: &OauthToken) {
    assert!(!token.expose().is_empty());
    assert!(token.expose().bytes().all(|byte| byte.is_ascii_graphic()));
    if let TokenAge::Good { days_left, .. } = token.age(today()) {
        assert!(days_left >= 0);
    }
    if token.expose().len() > 60 {
        assert!(!format!("{token:?}").contains(token.expose()));
    }
}

/// No message holds a long word of what could not be read.
fn check_silence(message: &str, text: &str) {
    for word in text.split_whitespace().filter(|word| word.len() >= 24) {
        assert!(!message.contains(word), "a secret leaks");
    }
}

fn today() -> NaiveDate {
    DateTime::UNIX_EPOCH.date_naive() + chrono::Days::new(20_780)
}
