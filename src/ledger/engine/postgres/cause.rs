//! What a server or the network said, without what can hold a value: the server quotes values in its
//! DETAIL, and in the messages of some classes.

use std::error::Error as _;
use std::time::Duration;
use std::{fmt, io};

use tokio_postgres::Error;
use tokio_postgres::error::{DbError, Severity};

/// The classes of SQLSTATE whose messages quote names and states only. Class 22 quotes values, 23 can,
/// and P0 is whatever a trigger says.
const QUOTES_NO_VALUE: [&str; 17] = [
    "00", "01", "08", "0A", "25", "26", "28", "3D", "3F", "40", "42", "53", "54", "55", "57", "58",
    "XX",
];
const MAX_MESSAGE_CHARS: usize = 300;

/// What is behind a `ServerError`.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Cause {
    #[error(transparent)]
    ServerWord(Box<ServerWord>),
    #[error("{text}")]
    Io { kind: io::ErrorKind, text: String },
    #[error("no answer within {0:?}")]
    TimedOut(Duration),
    #[error("the connection was closed")]
    Closed,
    #[error("it asks for a password or another proof, and none was found")]
    NoPassword,
    #[error("{0}")]
    Text(String),
}

/// An error or a notice of the server, without what can hold a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerWord {
    /// Five letters or digits, such as `23505`.
    pub sqlstate: String,
    pub severity: Option<Severity>,
    /// In the server's language. `None` for the classes that quote values.
    pub message: Option<String>,
    pub table: Option<String>,
    pub column: Option<String>,
    pub constraint: Option<String>,
}

impl ServerWord {
    /// The class of all plain warnings. COMMIT gives one when the wait for a standby was cancelled.
    pub const WARNING: &str = "01000";
    pub(super) const NO_TRANSACTION: &str = "25P01";

    pub(super) fn new(error: &DbError) -> Self {
        let sqlstate = printable(error.code().code());
        let is_safe = QUOTES_NO_VALUE
            .iter()
            .any(|class| sqlstate.starts_with(class));
        Self {
            severity: error.parsed_severity(),
            message: is_safe.then(|| printable(error.message())),
            table: error.table().map(printable),
            column: error.column().map(printable),
            constraint: error.constraint().map(printable),
            sqlstate,
        }
    }

    pub(super) fn ended_the_session(&self) -> bool {
        matches!(self.severity, Some(Severity::Fatal | Severity::Panic))
            // 25P03 and 57P05: idle for too long. 57P01 to 57P04: shut down, crashed, dropped.
            || matches!(self.sqlstate.as_str(), "25P03" | "57P01" | "57P02" | "57P03" | "57P04" | "57P05")
            || self.sqlstate.starts_with("08")
    }
}

impl fmt::Display for ServerWord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.message {
            Some(message) => write!(f, "{message} (SQLSTATE {})", self.sqlstate)?,
            None => write!(f, "SQLSTATE {}", self.sqlstate)?,
        }
        let names = [
            ("table", &self.table),
            ("column", &self.column),
            ("constraint", &self.constraint),
        ];
        for (kind, name) in names {
            if let Some(name) = name {
                write!(f, ", {kind} `{name}`")?;
            }
        }
        Ok(())
    }
}

impl std::error::Error for ServerWord {}

impl Cause {
    pub(super) fn io(error: &io::Error) -> Self {
        let text = match error.kind() {
            // The library explains itself at length, with an address.
            io::ErrorKind::UnexpectedEof => "the server closed the connection".to_owned(),
            _ => error.to_string(),
        };
        // The number says nothing to a reader, and the kind is kept.
        let text = text.split(" (os error ").next().unwrap_or_default();
        Self::Io {
            kind: error.kind(),
            text: text.to_owned(),
        }
    }

    /// Drops what the driver's own text would show: its errors print the server's DETAIL.
    pub(super) fn new(error: &Error) -> Self {
        if let Some(answer) = error.as_db_error() {
            return Self::ServerWord(Box::new(ServerWord::new(answer)));
        }
        match error
            .source()
            .and_then(|source| source.downcast_ref::<io::Error>())
        {
            Some(source) => Self::io(source),
            None if error.is_closed() => Self::Closed,
            None => Self::Text(error.to_string()),
        }
    }
}

/// What a foreign server sends could move the cursor, and never end.
fn printable(text: &str) -> String {
    let shown = |letter: char| if letter.is_control() { ' ' } else { letter };
    text.chars().map(shown).take(MAX_MESSAGE_CHARS).collect()
}

#[cfg(test)]
pub(super) fn answer(sqlstate: &str, severity: Severity) -> ServerWord {
    ServerWord {
        sqlstate: sqlstate.to_owned(),
        severity: Some(severity),
        message: None,
        table: Some("jobs".to_owned()),
        column: None,
        constraint: Some("jobs_pkey".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fatal_answer_ends_the_session_whatever_its_code() {
        assert!(answer("53200", Severity::Fatal).ended_the_session());
        assert!(answer("57P01", Severity::Error).ended_the_session());
        assert!(!answer("57014", Severity::Error).ended_the_session());
    }

    #[test]
    fn a_servers_text_cannot_steer_the_terminal() {
        let shown = printable(&format!("a\u{1b}[2J\n{}", "x".repeat(500)));
        assert!(shown.starts_with("a [2J x"));
        assert_eq!(shown.chars().count(), MAX_MESSAGE_CHARS);
    }
}
