//! What a server must be to hold a ledger.

use tokio_postgres::SimpleQueryRow;

use crate::ledger::engine::postgres::cause::Cause;
use crate::ledger::engine::postgres::error::ServerError;
use crate::ledger::engine::postgres::place::ServerPlace;

const OLDEST_VERSION: u32 = 13;

/// What the server must be, in one row of text.
pub(super) const CHECK: &str = "SELECT current_setting('server_version_num'), current_setting('server_version'), \
    current_setting('server_encoding'), current_setting('client_encoding'), \
    pg_is_in_recovery(), current_setting('transaction_read_only'), pg_backend_pid()";

/// What a server says that it is.
pub(super) struct ServerFacts {
    version_number: u32,
    version: String,
    server_encoding: String,
    client_encoding: String,
    is_standby: bool,
    is_read_only: bool,
    pub(super) backend_pid: i32,
}

impl ServerFacts {
    pub(super) fn read(row: &SimpleQueryRow) -> Option<Self> {
        let text = |index| row.try_get(index).ok().flatten();
        Some(Self {
            version_number: text(0)?.parse().ok()?,
            version: text(1)?.to_owned(),
            server_encoding: text(2)?.to_owned(),
            client_encoding: text(3)?.to_owned(),
            is_standby: text(4)? == "t",
            is_read_only: text(5)? == "on",
            backend_pid: text(6)?.parse().ok()?,
        })
    }

    pub(super) fn check(&self, place: &ServerPlace) -> Result<(), ServerError> {
        let place = place.to_string();
        if self.version_number < OLDEST_VERSION * 10_000 {
            return Err(ServerError::TooOld {
                place,
                found: self.version.clone(),
            });
        }
        for found in [&self.server_encoding, &self.client_encoding] {
            if found != "UTF8" {
                return Err(ServerError::Encoding {
                    place,
                    found: found.clone(),
                });
            }
        }
        if self.is_standby {
            return Err(ServerError::Standby { place });
        }
        if self.is_read_only {
            let text = "`default_transaction_read_only` is on".to_owned();
            return Err(ServerError::ReadOnly {
                source: Cause::Text(text),
            });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found() -> ServerFacts {
        ServerFacts {
            version_number: 130_000,
            version: "13.0".to_owned(),
            server_encoding: "UTF8".to_owned(),
            client_encoding: "UTF8".to_owned(),
            is_standby: false,
            is_read_only: false,
            backend_pid: 1,
        }
    }

    fn refused(found: &ServerFacts) -> String {
        let place = ServerPlace::parse("postgres://u@h/d").unwrap();
        found.check(&place).unwrap_err().to_string()
    }

    #[test]
    fn a_server_must_be_new_in_utf8_and_writable() {
        assert!(
            found()
                .check(&ServerPlace::parse("postgres://u@h/d").unwrap())
                .is_ok()
        );
        let old = ServerFacts {
            version_number: 120_022,
            version: "12.22".to_owned(),
            ..found()
        };
        assert!(refused(&old).contains("12.22"));
        let latin = ServerFacts {
            server_encoding: "LATIN1".to_owned(),
            ..found()
        };
        assert!(refused(&latin).contains("`LATIN1`"));
        // A standby is read-only too; the first says more.
        let standby = ServerFacts {
            is_standby: true,
            is_read_only: true,
            ..found()
        };
        assert!(refused(&standby).contains("standby"));
        let read_only = ServerFacts {
            is_read_only: true,
            ..found()
        };
        assert!(refused(&read_only).contains("not allow writes"));
    }
}
