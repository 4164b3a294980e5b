//! What can go wrong with the server, in classes that a caller can act on.

use std::error::Error as _;

use tokio_postgres::Error;

use super::cause::Cause;
use super::session::tls::TlsError;

/// Why the server did not do what it was asked. `place` is the server's URL, which holds no secret.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    #[error("cannot reach the ledger's server `{place}`")]
    Unreachable { place: String, source: Cause },
    #[error("cannot trust the connection to the ledger's server `{place}`")]
    Tls { place: String, source: TlsError },
    /// 28P01, 28000, or a password is asked for and none was given.
    #[error("the ledger's server refused the login at `{place}`")]
    Password { place: String, source: Cause },
    #[error("the ledger's database is not at `{place}`")]
    NoDatabase { place: String, source: Cause },
    #[error("`{place}` is a standby, which cannot be written")]
    Standby { place: String },
    #[error("the database at `{place}` is encoded in `{found}`, not in UTF8")]
    Encoding { place: String, found: String },
    #[error("the server at `{place}` is PostgreSQL {found}; dsr needs 13 or later")]
    TooOld { place: String, found: String },
    /// Session locks and settings would belong to somebody else.
    #[error("a pooler between dsr and the ledger's server changes the session under way")]
    Pooler,
    #[error("the ledger was changed to format {found} while this dsr had it open")]
    Migrated { found: i64 },
    /// The session is lost, and every later call fails the same way.
    #[error("{}", match sent {
        Sent::Maybe => "the ledger's server was lost, and whether it did what was under way is unknown",
        Sent::No => "the connection to the ledger's server is lost",
    })]
    Gone { sent: Sent, source: Cause },
    /// Committed on this server, but a failover could lose it: the wait for the standby was cancelled.
    #[error("the ledger's server committed without its standby")]
    Unconfirmed { source: Cause },
    /// Nothing was done. The same transaction can be tried again.
    #[error("the ledger is busy")]
    Busy { source: Cause },
    #[error("the ledger's server has no room left")]
    Full { source: Cause },
    #[error("the ledger's server found its data damaged or unreadable")]
    Damaged { source: Cause },
    #[error("the ledger's tables are gone from its server")]
    Dropped { source: Cause },
    #[error("the ledger's server does not allow writes")]
    ReadOnly { source: Cause },
    #[error("the ledger's server does not allow this to its user")]
    NotAllowed { source: Cause },
    #[error("the ledger's server refused a row that breaks a rule")]
    Conflict { source: Cause },
    #[error("the ledger's server refused a statement")]
    Other { source: Cause },
}

/// Whether a statement can have reached the server when its session was lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sent {
    Maybe,
    No,
}

impl ServerError {
    /// The server's code for the error, if the server has answered.
    pub fn sqlstate(&self) -> Option<&str> {
        match self.cause()? {
            Cause::ServerWord(answer) => Some(&answer.sqlstate),
            _ => None,
        }
    }

    fn cause(&self) -> Option<&Cause> {
        match self {
            Self::Unreachable { source, .. }
            | Self::Password { source, .. }
            | Self::NoDatabase { source, .. }
            | Self::Gone { source, .. }
            | Self::Unconfirmed { source }
            | Self::Busy { source }
            | Self::Full { source }
            | Self::Damaged { source }
            | Self::Dropped { source }
            | Self::ReadOnly { source }
            | Self::NotAllowed { source }
            | Self::Conflict { source }
            | Self::Other { source } => Some(source),
            Self::Tls { .. }
            | Self::Standby { .. }
            | Self::Encoding { .. }
            | Self::TooOld { .. }
            | Self::Pooler
            | Self::Migrated { .. } => None,
        }
    }

    /// What a failed login means.
    pub(super) fn at_login(place: String, error: &Error, password: PasswordGiven) -> Self {
        let source = match Cause::new(error) {
            // The driver gives this no kind. Without a password it can only be missed, or not be enough.
            Cause::Text(_) if password == PasswordGiven::No => {
                return Self::Password {
                    place,
                    source: Cause::NoPassword,
                };
            }
            // A login has no parameters that the driver's source could quote.
            Cause::Text(text) => Cause::Text(match error.source() {
                Some(source) => format!("{text}: {source}"),
                None => text,
            }),
            source => source,
        };
        match &source {
            Cause::ServerWord(answer) => match answer.sqlstate.as_str() {
                code if code.starts_with("28") => Self::Password { place, source },
                "3D000" => Self::NoDatabase { place, source },
                // 55000: the database is closed to new sessions.
                code if code.starts_with("57P") || code.starts_with("08") || code == "55000" => {
                    Self::Unreachable { place, source }
                }
                _ => Self::of_answer(source),
            },
            Cause::Io { .. } | Cause::Closed | Cause::TimedOut(_) => {
                Self::Unreachable { place, source }
            }
            // Such as a server that cannot prove that it knows the password.
            Cause::NoPassword | Cause::Text(_) => Self::Password { place, source },
        }
    }

    /// What a failed statement means. A lost session is `Gone`.
    pub(super) fn in_session(error: &Error) -> Self {
        let source = Cause::new(error);
        match &source {
            Cause::ServerWord(answer) if answer.ended_the_session() => Self::Gone {
                sent: Sent::Maybe,
                source,
            },
            Cause::ServerWord(_) => Self::of_answer(source),
            // A parameter that does not fit its type is found before anything is sent, and has a
            // source. An answer out of order has none: then nothing later could be matched to its answer.
            Cause::Text(_) if error.source().is_some() => Self::Other { source },
            _ => Self::Gone {
                sent: Sent::Maybe,
                source,
            },
        }
    }

    fn of_answer(source: Cause) -> Self {
        let Cause::ServerWord(answer) = &source else {
            return Self::Other { source };
        };
        match answer.sqlstate.as_str() {
            // Lock not available, deadlock, serialization failure, cancelled.
            "55P03" | "40P01" | "40001" | "57014" => Self::Busy { source },
            // Bad page, bad index, failed read or write, missing file.
            "XX001" | "XX002" | "58030" | "58P01" => Self::Damaged { source },
            // No such table, no such schema.
            "42P01" | "3F000" => Self::Dropped { source },
            "25006" => Self::ReadOnly { source },
            "42501" => Self::NotAllowed { source },
            code if code.starts_with("53") => Self::Full { source },
            code if code.starts_with("23") => Self::Conflict { source },
            _ => Self::Other { source },
        }
    }
}

/// Whether the login had a password to offer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PasswordGiven {
    Yes,
    No,
}

#[cfg(test)]
mod tests {
    use tokio_postgres::error::Severity;

    use super::*;
    use crate::ledger::engine::postgres::cause::answer;

    #[test]
    fn each_code_has_its_class() {
        let class = |code: &str| {
            let source = Cause::ServerWord(Box::new(answer(code, Severity::Error)));
            format!("{:?}", ServerError::of_answer(source))
        };
        for (code, name) in [
            ("55P03", "Busy"),
            ("40P01", "Busy"),
            ("40001", "Busy"),
            ("57014", "Busy"),
            ("53100", "Full"),
            ("53300", "Full"),
            ("XX001", "Damaged"),
            ("58030", "Damaged"),
            ("XX000", "Other"),
            ("25006", "ReadOnly"),
            ("25P02", "Other"),
            ("42501", "NotAllowed"),
            ("42P01", "Dropped"),
            ("42601", "Other"),
            ("23505", "Conflict"),
        ] {
            assert!(class(code).starts_with(name), "{code}: {}", class(code));
        }
    }

    #[test]
    fn an_answer_shows_its_code_and_names() {
        let error = ServerError::of_answer(Cause::ServerWord(Box::new(answer(
            "23505",
            Severity::Error,
        ))));
        assert_eq!(error.sqlstate(), Some("23505"));
        let cause = error.source().unwrap().to_string();
        assert_eq!(
            cause,
            "SQLSTATE 23505, table `jobs`, constraint `jobs_pkey`"
        );
    }
}
