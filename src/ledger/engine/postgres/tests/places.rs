//! Any text as a place: no panic, and what is shown is read as the same place.

use crate::ledger::engine::postgres::place::ServerPlace;

const PARTS: [&str; 36] = [
    "postgres://",
    "postgresql://",
    "u",
    "@",
    ":",
    "/",
    "?",
    "#",
    "&",
    "=",
    "%",
    "%2F",
    "%40",
    "%00",
    "%C3%A9",
    "host",
    "sslmode",
    "disable",
    "verify-full",
    "/run",
    "localhost",
    "127.0.0.1",
    "[::1]",
    "[",
    "]",
    "5432",
    "0",
    "d",
    "db.example",
    ",",
    "+",
    " ",
    "\u{e9}",
    "\0",
    "postgres://u@h/d?host=/a",
    "postgres://u@localhost/d",
];

#[test]
fn any_text_is_refused_or_read_back() {
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut next = |bound: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state % bound as u64) as usize
    };
    let mut read = 0;
    for _ in 0..100_000 {
        let mut url = PARTS[next(2)].to_owned();
        for _ in 0..next(10) {
            url.push_str(PARTS[next(PARTS.len())]);
        }
        match ServerPlace::parse(&url) {
            Ok(place) => {
                assert_eq!(
                    ServerPlace::parse(&place.to_string()).unwrap(),
                    place,
                    "{url}"
                );
                read += 1;
            }
            Err(error) => {
                assert!(!error.to_string().contains('\0'));
            }
        }
    }
    assert!(read > 20, "{read}");
}
