//! A server's messages, made safe to show, record and log. Only this module makes [`Words`], so
//! every text of a server is searched before it leaves `mixpanel/`.

use std::borrow::Cow;
use std::error::Error;
use std::fmt;
use std::io;

use crate::domain::id_form::is_uuid;
use crate::domain::{DistinctId, TaskId};

use super::needles::Needles;
use super::spelling::{TooMany, is_invisible};

/// The most characters to show of a server's message.
const SHOWN_CHARS: usize = 300;
/// The most bytes to search: the shown part in any encoding, and what its end cuts through.
const LOOKED_AT: usize = 4 * 1024;

/// A server's message, or ours about an answer. It is one line without control characters, and
/// quotes no token or sent id in any spelling.
#[derive(Clone, PartialEq, Eq)]
pub struct Words(Cow<'static, str>);

impl Words {
    /// Our own words, which quote nothing.
    pub const fn ours(text: &'static str) -> Self {
        Self(Cow::Borrowed(text))
    }

    /// Our own words, with the answer's HTTP status.
    pub fn on_status(text: &'static str, http_status: u16) -> Self {
        Self(Cow::Owned(format!("{text} ({http_status})")))
    }

    /// These words after ours.
    pub(super) fn after(self, ours: &'static str) -> Self {
        Self(Cow::Owned(format!("{ours}{self}")))
    }

    /// These words, followed by ours.
    pub(super) fn and(self, ours: &'static str) -> Self {
        Self(Cow::Owned(format!("{self}{ours}")))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Words {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Words {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<Words> for String {
    fn from(words: Words) -> Self {
        words.0.into_owned()
    }
}

/// Finds the sent ids that a message could quote; `None` if they are no longer known.
pub type SentIds<'a> = &'a dyn Fn() -> Option<Vec<DistinctId>>;

/// The tokens and ids that a server's message must not quote.
pub struct Confidential<'a> {
    pub tokens: Vec<&'a str>,
    /// Called only if there is a text to search.
    pub sent: SentIds<'a>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Withheld {
    Token,
    Id,
    Unsearched,
}

impl Confidential<'_> {
    /// The start of a server's message. If any part can be read as a token or an id, says only that
    /// it was withheld.
    pub fn words(&self, said: &str) -> Words {
        match self.shown(said) {
            Ok(words) => words,
            Err(Withheld::Token) => {
                Words::ours("the server's message was withheld: it quotes a token")
            }
            Err(Withheld::Id) => Words::ours("the server's message was withheld: it quotes an id"),
            Err(Withheld::Unsearched) => {
                Words::ours("the server's message was withheld: it cannot be searched for ids")
            }
        }
    }

    /// Why a call failed. A library's error may quote the server's certificate or headers.
    pub(super) fn error(&self, error: reqwest::Error) -> Words {
        self.words(&describe(error))
    }

    /// A single word of a server's, such as an unknown status, with the same checks.
    pub(super) fn word(&self, said: &str) -> Words {
        self.shown(said).unwrap_or(Words::ours("withheld"))
    }

    /// Whether a task's id quotes a token or a long sent id, or is a short sent id. A lost task is
    /// worse than a shown short id, so a longer task id may contain one. A UUID or a number is read
    /// only as it is written: decoded, it could hold any letter.
    pub(super) fn hides(&self, task: &TaskId) -> bool {
        let ids = (self.sent)().unwrap_or_default();
        let mut needles = Needles::default();
        self.tokens
            .iter()
            .for_each(|token| needles.add_secret(token));
        ids.iter().for_each(|id| needles.add_exactly(id));
        let text = task.as_str();
        match is_uuid(text) || text.bytes().all(|byte| byte.is_ascii_digit()) {
            true => needles.are_all_of_plain(text),
            false => needles.are_all_of(text) != Ok(false),
        }
    }

    fn shown(&self, said: &str) -> Result<Words, Withheld> {
        let said = beginning(said);
        let words: Vec<&str> = said.split_whitespace().collect();
        let line = words.join(" ");
        let seen = line.chars().filter(|c| !is_invisible(*c));
        let shown: String = seen.take(SHOWN_CHARS).collect();
        if shown.is_empty() {
            return Ok(Words::ours("no reason given"));
        }
        let unsearched = |TooMany| Withheld::Unsearched;
        let mut tokens = Needles::default();
        self.tokens
            .iter()
            .for_each(|token| tokens.add_secret(token));
        if tokens.are_in(said).map_err(unsearched)? {
            return Err(Withheld::Token);
        }
        let mut ids = Needles::default();
        let sent = (self.sent)().ok_or(Withheld::Unsearched)?;
        sent.iter().for_each(|id| ids.add_id(id));
        match ids.are_in(said).map_err(unsearched)? {
            true => Err(Withheld::Id),
            false => Ok(Words(Cow::Owned(shown))),
        }
    }
}

/// The failure and its root cause, on one line, without the address.
pub(super) fn describe(error: reqwest::Error) -> String {
    let error = error.without_url();
    if is_of_unknown_authority(&error) {
        return "the server's certificate is from an unknown authority; if your company's proxy signs it, name the proxy's certificate in DSR_CA_FILE".to_owned();
    }
    let mut cause = None;
    let mut next = error.source();
    while let Some(error) = next {
        cause = Some(error.to_string());
        next = error.source();
    }
    let cause = cause.unwrap_or_else(|| error.to_string());
    let cause = cause.split(" (os error").next().unwrap_or_default();
    let what = if error.is_connect() {
        "no connection"
    } else if error.is_timeout() {
        "no answer in time"
    } else if error.is_body() || error.is_decode() {
        "the answer broke off"
    } else {
        "the connection broke before an answer came"
    };
    format!("{what}: {cause}")
}

fn is_of_unknown_authority(error: &reqwest::Error) -> bool {
    let mut cause: Option<&(dyn Error + 'static)> = Some(error);
    while let Some(error) = cause {
        // `source` of an I/O error skips the error inside it.
        let inner = error
            .downcast_ref::<io::Error>()
            .and_then(io::Error::get_ref);
        let found = match inner {
            Some(inner) => inner.downcast_ref::<rustls::Error>(),
            None => error.downcast_ref::<rustls::Error>(),
        };
        if let Some(rustls::Error::InvalidCertificate(rustls::CertificateError::UnknownIssuer)) =
            found
        {
            return true;
        }
        cause = match inner {
            Some(inner) => Some(inner),
            None => error.source(),
        };
    }
    false
}

fn beginning(said: &str) -> &str {
    let mut ends = (0..=said.len().min(LOOKED_AT)).rev();
    let end = ends.find(|end| said.is_char_boundary(*end));
    &said[..end.unwrap_or(0)]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Leniency;

    fn words(ids: &[&str], said: &str) -> String {
        let ids: Vec<DistinctId> = ids
            .iter()
            .map(|id| DistinctId::new_with(id, Leniency::Named).unwrap())
            .collect();
        let confidential = Confidential {
            tokens: vec!["9f2c41d07ab35e6680cc17d4e2b1a95f"],
            sent: &|| Some(ids.clone()),
        };
        confidential.words(said).into()
    }

    const AN_ID: &str = "the server's message was withheld: it quotes an id";
    const A_TOKEN: &str = "the server's message was withheld: it quotes a token";

    #[test]
    fn an_id_is_found_however_the_server_writes_it() {
        for (id, said) in [
            ("user-17", "no user-17"),
            ("user-17", "no USER-17!"),
            ("user-17", "no user 17"),
            ("user-17", "no u\u{200b}ser-17"),
            ("user-17", "no ｕｓｅｒ-１７"),
            ("user-17", "no dXNlci0xNw=="),
            ("al ice", "no al\n ice"),
            ("alice", "no al\u{1}ice"),
            ("alice", "user=alice&x"),
            ("alice", "x\u{1}alice\u{1}y"),
            ("alice", r#"["\u0061lice"]"#),
            (r#"a"bc"#, r#"["a\"bc"]"#),
            ("Ünï", r#"["\u00dcn\u00ef"]"#),
            ("Ünï", "no U\u{308}ni\u{308}"),
            ("straße", "no STRASSE"),
            ("a b@c", "GET /x?id=a%20b%40c"),
            ("a b@c", "GET /x?id=a+b%40c&y"),
            ("山田太郎", "ユーザー山田太郎は"),
            ("alice.smith@example.test", "no alice.smith@example…"),
            ("alice.smith@example.test", "no …ce.smith@example.test"),
            (
                "alice.smith@example.test",
                "useralice.smith@example.testwas",
            ),
        ] {
            assert_eq!(words(&[id], said), AN_ID, "{id}: {said}");
        }
    }

    #[test]
    fn ordinary_words_are_no_ids() {
        for (id, said) in [
            ("a", "a user is unknown"),
            ("1", "at most 1 id"),
            ("ids", "too many ids"),
            ("user", "user unknown"),
            ("255", "at most 255 characters"),
            ("alice", "malice"),
            ("user-17", "no user-170"),
            ("1234", "see 91234"),
        ] {
            assert_eq!(words(&[id], said), said, "{id}");
        }
    }

    #[test]
    fn any_telling_part_of_a_token_is_found() {
        for said in [
            "token=9f2c41d07ab35e6680cc17d4e2b1a95f",
            "token=9F2C41D07AB3…",
            "token …d4e2b1a95f".replace("…", "cc17").as_str(),
            "OWYyYzQxZDA3YWIzNWU2NjgwY2MxN2Q0ZTJiMWE5NWY=",
        ] {
            assert_eq!(words(&[], said), A_TOKEN, "{said}");
        }
    }

    #[test]
    fn an_id_at_the_end_of_what_is_shown_is_found_too() {
        for padding in SHOWN_CHARS - 40..SHOWN_CHARS + 2 {
            let said = format!(
                "{}ünï-smith@example.test and more",
                "x ".repeat(padding / 2)
            );
            assert_eq!(
                words(&["ünï-smith@example.test"], &said),
                AN_ID,
                "{padding}"
            );
        }
    }

    #[test]
    fn what_is_shown_is_one_short_line_of_what_can_be_seen() {
        assert_eq!(words(&[], "no\n\u{202e}such\u{0}  task"), "no such task");
        assert_eq!(words(&[], " \n"), "no reason given");
        assert_eq!(
            words(&[], &"long ".repeat(500)).chars().count(),
            SHOWN_CHARS
        );
    }

    #[test]
    fn a_task_is_hidden_only_where_it_is_an_id_or_a_token() {
        let ids = ["17", "user-17", "alice.smith@example.test"];
        let ids = ids.map(|id| DistinctId::new(id).unwrap()).to_vec();
        let confidential = Confidential {
            tokens: vec!["9f2c41d07ab35e6680cc17d4e2b1a95f"],
            sent: &|| Some(ids.clone()),
        };
        for (task, hidden) in [
            ("17", true),
            ("t-17", false),
            ("3e0b7f52-17aa-4d0c-9c5e-0a1b2c3d4e17", false),
            ("USER-17", true),
            ("task-of-alice.smith@example.test", true),
            ("x9f2c41d07ab35e6680cc17d4e2b1a95f", true),
        ] {
            let task = TaskId::new(task).unwrap();
            assert_eq!(confidential.hides(&task), hidden, "{task}");
        }
    }

    #[test]
    fn a_uuid_or_a_number_is_read_only_as_it_is_written() {
        let uuid = "3e0b7f52-17aa-4d0c-9c5e-0a1b2c3d4e17";
        let ids = ["q", "7", "x y", uuid, "1234567890123456789"];
        let ids = ids.map(|id| DistinctId::new(id).unwrap()).to_vec();
        let confidential = Confidential {
            tokens: vec!["9f2c41d07ab35e6680cc17d4e2b1a95f"],
            sent: &|| Some(ids.clone()),
        };
        // Base64 and hex readings of a UUID hold any letter.
        for end in ["207120202020", "202020207120"] {
            let task = TaskId::new(&format!("aaaaaaaa-aaaa-4aaa-aaaa-{end}")).unwrap();
            assert!(!confidential.hides(&task), "{task}");
        }
        for (task, hidden) in [
            ("7171717171717171717", false),
            ("1234567890123456788", false),
            ("1234567890123456789", true),
            ("7", true),
            (uuid, true),
            ("3E0B7F52-17AA-4D0C-9C5E-0A1B2C3D4E17", true),
            ("9f2c41d0-7ab3-5e66-80cc-17d4e2b1a95f", true),
            // Another form of id may still be written in another way.
            ("IHEg", true),
        ] {
            let task = TaskId::new(task).unwrap();
            assert_eq!(confidential.hides(&task), hidden, "{task}");
        }
    }

    #[test]
    fn thousands_of_ids_and_megabytes_of_words_take_no_time() {
        let ids = (0..2000).map(|n| format!("person-{n}@example.test"));
        let ids: Vec<String> = ids.collect();
        let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
        let start = std::time::Instant::now();
        for said in [
            "nobody of that name is unknown; ",
            "Zm9vYmFyYmF6cXV4",
            "%25%3d=3D&amp;\\u0061",
        ] {
            words(&ids, &said.repeat(8 * 1024 * 1024 / said.len()));
        }
        assert!(start.elapsed().as_secs() < 20, "{:?}", start.elapsed());
    }
}
