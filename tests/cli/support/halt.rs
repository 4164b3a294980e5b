//! Holds dsr inside a certain write to its ledger, so that it can be killed just before the commit.
//! A trigger counts for ever, so dsr needs no switch and there is no race.

use std::sync::OnceLock;
use std::time::Duration;

use rusqlite::Connection;

use super::{Kept, Operator};

/// A home with an empty ledger, made once.
static EMPTY: OnceLock<Kept> = OnceLock::new();

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

    pub(crate) fn is_held(&self) -> bool {
        let path = self.dsr_home().join("ledger.db");
        let ledger = Connection::open(path).expect("the ledger can be opened");
        ledger
            .busy_timeout(Duration::ZERO)
            .expect("a connection need not wait");
        ledger.execute_batch("BEGIN IMMEDIATE; ROLLBACK").is_err()
    }

    /// Halts no dsr from now on.
    pub(crate) fn goes_on(&self) {
        self.change_ledger("DROP TRIGGER IF EXISTS halt; DROP VIEW IF EXISTS endless;");
    }
}
