//! Holds dsr inside a certain write to its ledger, so that it can be killed just before the commit.
//! A trigger counts or sleeps for ever, so dsr needs no switch and there is no race.

use std::sync::OnceLock;
use std::time::Duration;

use rusqlite::Connection;

use super::{Kept, Operator};

/// A home with an empty ledger, made once.
static EMPTY: OnceLock<Kept> = OnceLock::new();

/// The sessions that a trigger holds.
const HALTED: &str = "FROM pg_stat_activity
     WHERE datname = current_database() AND wait_event = 'PgSleep'";

/// The write that is never committed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Halt {
    Request,
    /// The intent of an attempt, after this many earlier ones.
    IntentAfter(usize),
    /// The outcome of an attempt, when this many have been made.
    OutcomeOf(usize),
    /// A job that is divided: cut, or linked in part or in whole.
    Apart,
    /// A status that Mixpanel reports.
    Check,
    /// Withdrawing the unsent jobs of a cancelled request.
    Withdrawal,
    /// The record of a fetched export.
    Download,
}

impl Halt {
    fn trigger(self) -> String {
        let attempts = "(SELECT COUNT(*) FROM attempts)";
        match self {
            Self::Request => "INSERT ON requests".to_owned(),
            Self::IntentAfter(count) => {
                format!("INSERT ON attempts WHEN {attempts} = {count}")
            }
            Self::OutcomeOf(count) => {
                format!("UPDATE OF ended_at ON attempts WHEN {attempts} = {count}")
            }
            Self::Apart => "UPDATE OF ids_count ON jobs".to_owned(),
            Self::Check => "UPDATE OF checked_at ON jobs".to_owned(),
            Self::Download => "INSERT ON downloads".to_owned(),
            Self::Withdrawal => "UPDATE OF state ON jobs WHEN NEW.state = 'revoked'".to_owned(),
        }
    }
}

impl Operator {
    /// From now on every dsr stays in this write until it is killed. Makes the ledger if there is
    /// none.
    pub(crate) fn halts_at(&self, halt: Halt) {
        if !self.has_ledger() {
            let empty = EMPTY.get_or_init(|| {
                self.has_an_empty_ledger();
                self.keeps()
            });
            self.begins_with(empty);
        }
        self.halts_before(&halt.trigger());
    }

    /// Like `halts_at`: `EVENT ON TABLE`, and perhaps `WHEN CONDITION`.
    pub(crate) fn halts_before(&self, write: &str) {
        if !self.is_on_server() {
            self.tamper_with(
                "CREATE VIEW endless AS WITH RECURSIVE numbers (n) AS
                     (SELECT 1 UNION ALL SELECT n + 1 FROM numbers) SELECT n FROM numbers",
            );
        }
        self.triggers(
            write,
            "SELECT COUNT(*) FROM endless",
            "PERFORM pg_sleep(3600)",
        );
    }

    /// From now on this write fails.
    pub(crate) fn fails_before(&self, write: &str) {
        self.triggers(write, "SELECT RAISE(ABORT, 'no')", "RAISE EXCEPTION 'no'");
    }

    fn triggers(&self, write: &str, in_file: &str, on_server: &str) {
        if !self.is_on_server() {
            self.tamper_with(&format!(
                "CREATE TRIGGER halt BEFORE {write} BEGIN {in_file}; END"
            ));
            return;
        }
        // A trigger's own condition cannot ask about other rows.
        let (write, when) = write.split_once(" WHEN ").unwrap_or((write, "true"));
        let result = if write.starts_with("DELETE") {
            "OLD"
        } else {
            "NEW"
        };
        self.tamper_with(&format!(
            "CREATE FUNCTION halt() RETURNS trigger LANGUAGE plpgsql SET search_path = dsr AS $$
                 BEGIN IF {when} THEN {on_server}; END IF; RETURN {result}; END $$;
             CREATE TRIGGER halt BEFORE {write} FOR EACH ROW EXECUTE FUNCTION halt()"
        ));
    }

    pub(crate) fn is_held(&self) -> bool {
        if let Some(database) = &self.database {
            return database.ask(&format!("SELECT count(*) {HALTED}")) != "0";
        }
        let path = self.dsr_home().join("ledger.db");
        let ledger = Connection::open(path).expect("the ledger can be opened");
        ledger
            .busy_timeout(Duration::ZERO)
            .expect("a connection need not wait");
        ledger.execute_batch("BEGIN IMMEDIATE; ROLLBACK").is_err()
    }

    /// Halts no dsr from now on.
    pub(crate) fn goes_on(&self) {
        if let Some(database) = &self.database {
            // The server does not notice that a client is gone while it sleeps for it.
            database.ask(&format!("SELECT pg_terminate_backend(pid, 5000) {HALTED}"));
            self.tamper_with("DROP FUNCTION IF EXISTS halt CASCADE");
            return;
        }
        self.tamper_with("DROP TRIGGER IF EXISTS halt; DROP VIEW IF EXISTS endless;");
    }
}
