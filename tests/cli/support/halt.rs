//! Holds a dsr inside one certain write to its ledger, so that it can be killed just before it is
//! committed: a trigger that counts for ever. No switch in dsr, and no race with it.

use std::sync::OnceLock;
use std::time::Duration;

use rusqlite::Connection;

use super::{Kept, Operator};

/// A home with an empty ledger, which is made once.
static EMPTY: OnceLock<Kept> = OnceLock::new();

/// The write that is never committed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Halt {
    /// A request with its jobs.
    Request,
    /// The intent of an attempt, with so many before it.
    IntentAfter(usize),
    /// The outcome of an attempt, with so many made until then.
    OutcomeOf(usize),
    /// A job taken apart: cut, or linked in part or in whole.
    Apart,
    /// A status that Mixpanel reports.
    Check,
    /// The withdrawal of what was never sent of a cancelled request.
    Withdrawal,
    /// That an export was fetched.
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
        if !self.dsr_home().join("ledger.db").exists() {
            let empty = EMPTY.get_or_init(|| {
                self.has_an_empty_ledger();
                self.keeps()
            });
            self.begins_with(empty);
        }
        let trigger = halt.trigger();
        self.change_ledger(&format!(
            "CREATE VIEW endless AS WITH RECURSIVE numbers (n) AS
                 (SELECT 1 UNION ALL SELECT n + 1 FROM numbers) SELECT n FROM numbers;
             CREATE TRIGGER halt BEFORE {trigger}
                 BEGIN SELECT COUNT(*) FROM endless; END;"
        ));
    }

    /// Whether somebody is in a write to the ledger.
    pub(crate) fn is_held(&self) -> bool {
        let path = self.dsr_home().join("ledger.db");
        let ledger = Connection::open(path).expect("the ledger can be opened");
        ledger
            .busy_timeout(Duration::ZERO)
            .expect("a connection need not wait");
        ledger.execute_batch("BEGIN IMMEDIATE; ROLLBACK").is_err()
    }

    /// No dsr is halted any more.
    pub(crate) fn goes_on(&self) {
        self.change_ledger("DROP TRIGGER IF EXISTS halt; DROP VIEW IF EXISTS endless;");
    }
}
