//! Values that must be found nowhere, in every form that they could take.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use serde_json::Value;

use crate::support::{OAUTH_TOKEN, PROJECT_TOKEN};

pub(super) const API_SECRET: &str = "5ecre7c0ffee41d2a7b9e8d6c5b4a392";
pub(super) const HASH_KEY: &str = "hmacKEYcanary-7c1e55d09b3f4e2a8d60";
pub(super) const ACCOUNT_USER: &str = "leaky.5d4c3b.mp-service-account";
pub(super) const ACCOUNT_SECRET: &str = "accountCANARY-2f7b90c41e8d55aa63";
pub(super) const PLAIN_ID: &str = "canary.person@leak.example.test";
pub(super) const ODD_ID: &str = "søn:9+кана́рь/x=y";

pub(super) const SECRETS: [&str; 6] = [
    OAUTH_TOKEN,
    PROJECT_TOKEN,
    API_SECRET,
    HASH_KEY,
    ACCOUNT_USER,
    ACCOUNT_SECRET,
];
pub(super) const IDS: [&str; 2] = [PLAIN_ID, ODD_ID];

/// A value with all the forms to search for.
pub(super) struct Canary {
    pub(super) value: &'static str,
    pub(super) forms: Vec<(&'static str, Vec<u8>)>,
}

impl Canary {
    pub(super) fn of(value: &'static str) -> Self {
        let bytes = value.as_bytes();
        let mut forms = vec![("plain", bytes.to_vec())];
        let percent = |format: fn(u8) -> String| -> Vec<u8> {
            let parts = bytes.iter().map(|&byte| match byte {
                b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                    char::from(byte).to_string()
                }
                _ => format(byte),
            });
            parts.collect::<String>().into_bytes()
        };
        forms.push(("percent", percent(|byte| format!("%{byte:02X}"))));
        forms.push(("percent", percent(|byte| format!("%{byte:02x}"))));
        let json = Value::from(value).to_string();
        let json = json[1..json.len() - 1].to_owned();
        let units = json.encode_utf16().map(|unit| match u8::try_from(unit) {
            Ok(byte) if byte.is_ascii() => char::from(byte).to_string(),
            _ => format!("\\u{unit:04x}"),
        });
        forms.push(("JSON in ASCII", units.collect::<String>().into_bytes()));
        forms.push(("JSON", json.into_bytes()));
        forms.push(("debug", value.escape_debug().to_string().into_bytes()));
        let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        forms.push(("hex", hex.to_uppercase().into_bytes()));
        forms.push(("hex", hex.into_bytes()));
        for shift in 0..3 {
            // In a longer base64 text it may begin at any of three positions of a group.
            let shifted = [vec![0; shift], bytes.to_vec()].concat();
            let whole = shifted.len() / 3 * 4;
            for engine in [&STANDARD_NO_PAD, &URL_SAFE_NO_PAD] {
                let text = engine.encode(&shifted);
                let from = if shift == 0 { 0 } else { 4 };
                forms.push(("base64", text.as_bytes()[from..whole].to_vec()));
            }
        }
        let little = value.encode_utf16().flat_map(u16::to_le_bytes);
        forms.push(("UTF-16LE", little.collect()));
        let big = value.encode_utf16().flat_map(u16::to_be_bytes);
        forms.push(("UTF-16BE", big.collect()));
        forms.sort();
        forms.dedup_by(|a, b| a.1 == b.1);
        Self { value, forms }
    }

    /// The form in which `text` holds it, if it does.
    pub(super) fn is_in(&self, text: &[u8]) -> Option<&'static str> {
        let found = self.forms.iter().find(|(_, form)| holds(text, form));
        found.map(|(name, _)| *name)
    }
}

fn holds(text: &[u8], part: &[u8]) -> bool {
    memchr::memmem::find(text, part).is_some()
}

#[test]
fn a_canary_is_found_in_each_of_its_forms() {
    for value in SECRETS.into_iter().chain(IDS) {
        let canary = Canary::of(value);
        let quoted = Value::from(format!("x{value}y")).to_string();
        let packed = STANDARD_NO_PAD.encode(format!("ab{value}cd"));
        let wide: Vec<u8> = value.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let url = url::form_urlencoded::byte_serialize(value.as_bytes()).collect::<String>();
        let url = url.replace('+', "%20");
        for text in [
            value.as_bytes(),
            quoted.as_bytes(),
            packed.as_bytes(),
            &wide,
            url.as_bytes(),
        ] {
            assert!(
                canary.is_in(text).is_some(),
                "{}",
                String::from_utf8_lossy(text)
            );
        }
        assert_eq!(canary.is_in(b"nothing of it"), None);
    }
}
