//! What only tests need: shortcuts that change rows behind the ledger's back, and a server in place
//! of each test's file.

use std::path::Path;

use super::postgres::LedgerServer;
use super::{Answer, Connection, Params, Row, postgres};

/// Where the server for tests is, as a URL. If it is set, each path is a schema there, and the
/// ledger's tests run on PostgreSQL.
const TEST_SERVER: &str = "DSR_TEST_POSTGRES";

pub(super) fn server_for(path: &Path) -> Option<LedgerServer> {
    Some(postgres::open_for_test(&test_server()?, path))
}

pub(super) fn test_server() -> Option<String> {
    variable(TEST_SERVER)
}

#[expect(
    clippy::disallowed_methods,
    reason = "tests are told by the environment"
)]
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// Not by a macro, whose words cargo shows of failing tests only.
fn say(text: &str) {
    use std::io::Write;
    writeln!(std::io::stderr(), "{text}").unwrap();
}

#[test]
fn the_ledger_is_tested_on_postgres_or_says_that_it_is_not() {
    if test_server().is_some() {
        return;
    }
    let needed = variable("DSR_TEST_REQUIRE").unwrap_or_default();
    let is_needed = needed.split(',').any(|needed| needed == "postgres");
    assert!(!is_needed, "{TEST_SERVER} names no server");
    say(
        "SKIPPED: the ledger on PostgreSQL is tested by .ci/with-postgres cargo test --lib ledger::",
    );
}

impl Connection {
    pub(crate) fn execute(&self, sql: &str, values: impl Params) -> Answer<usize> {
        self.prepare(sql)?.execute(values)
    }

    pub(crate) fn query_row<T>(
        &self,
        sql: &str,
        values: impl Params,
        read: impl FnOnce(&Row<'_>) -> Answer<T>,
    ) -> Answer<T> {
        self.prepare(sql)?.query_row(values, read)
    }

    pub(crate) fn list_tables(&self) -> Vec<String> {
        let sql = match self {
            Self::Sqlite(..) => "SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name",
            Self::Postgres(_) => {
                "SELECT tablename FROM pg_tables WHERE schemaname = current_schema()
                     AND tablename <> 'ledger_schema' ORDER BY tablename"
            }
        };
        let mut statement = self.prepare(sql).unwrap();
        statement.list([], |row| row.get(0)).unwrap()
    }

    /// A condition for each row of a table: its place, which an UPDATE changes in PostgreSQL.
    pub(crate) fn list_places(&self, table: &str) -> Vec<String> {
        let place = match self {
            Self::Sqlite(..) => "'rowid = ' || rowid",
            Self::Postgres(_) => "'ctid = ''' || ctid || ''''",
        };
        let sql = format!("SELECT {place} AS place FROM {table} ORDER BY place");
        let mut statement = self.prepare(&sql).unwrap();
        statement.list([], |row| row.get(0)).unwrap()
    }

    /// Whether a column takes values of its own type only. In SQLite a number can become a text.
    pub(crate) fn is_typed(&self) -> bool {
        matches!(self, Self::Postgres(_))
    }

    /// A statement that puts into a column of `audit` what dsr never writes: a value of another
    /// type, or none.
    pub(crate) fn make_unreadable(&self, column: &str, seq: u64) -> String {
        match self {
            Self::Sqlite(..) => format!("UPDATE audit SET {column} = x'00' WHERE seq = {seq}"),
            Self::Postgres(_) => format!(
                "ALTER TABLE audit ALTER {column} DROP NOT NULL;
                 UPDATE audit SET {column} = NULL WHERE seq = {seq}"
            ),
        }
    }

    /// How the engine answers a query if it uses an index wherever it can.
    pub(crate) fn explain(&self, sql: &str) -> String {
        let (explain, column) = match self {
            Self::Sqlite(..) => ("EXPLAIN QUERY PLAN", 3),
            Self::Postgres(_) => {
                // A table of a few rows is read whole.
                let settings = "SET enable_seqscan = off; SET enable_bitmapscan = off";
                self.execute_batch(settings).unwrap();
                ("EXPLAIN", 0)
            }
        };
        let mut statement = self.prepare(&format!("{explain} {sql}")).unwrap();
        let lines: Vec<String> = statement.list([], |row| row.get(column)).unwrap();
        lines.join("\n")
    }

    /// Prints that a test about files skips, and returns true, if the ledger is on a server.
    pub(crate) fn skips_files(&self, why: &str) -> bool {
        let skips = matches!(self, Self::Postgres(_));
        if skips {
            say(&format!("SKIPPED on PostgreSQL: {why}"));
        }
        skips
    }

    /// No longer checks references between tables.
    pub(crate) fn allow_orphans(&self) {
        match self {
            Self::Sqlite(conn, _) => conn.pragma_update(None, "foreign_keys", "off").unwrap(),
            Self::Postgres(_) => self
                .execute_batch("SET session_replication_role = 'replica'")
                .unwrap(),
        }
    }
}
