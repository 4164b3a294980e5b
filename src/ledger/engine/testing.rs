//! What only tests need: shortcuts that change rows behind the ledger's back, and a server in place
//! of each test's file.

use std::path::Path;

use super::postgres::Server;
use super::{Answer, Connection, Params, Row, postgres};

/// Where the server for tests is, as a URL. If it is set, each path is a schema there, and the
/// ledger's tests run on PostgreSQL.
const TEST_SERVER: &str = "DSR_TEST_POSTGRES";

#[expect(
    clippy::disallowed_methods,
    reason = "tests are told by the environment"
)]
pub(super) fn server_for(path: &Path) -> Option<Server> {
    let url = std::env::var(TEST_SERVER).ok()?;
    Some(postgres::open_for_test(&url, path))
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
            Self::Sqlite(_) => "SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name",
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
            Self::Sqlite(_) => "'rowid = ' || rowid",
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
            Self::Sqlite(_) => format!("UPDATE audit SET {column} = x'00' WHERE seq = {seq}"),
            Self::Postgres(_) => format!(
                "ALTER TABLE audit ALTER {column} DROP NOT NULL;
                 UPDATE audit SET {column} = NULL WHERE seq = {seq}"
            ),
        }
    }

    /// How the engine answers a query if it uses an index wherever it can.
    pub(crate) fn explain(&self, sql: &str) -> String {
        let (explain, column) = match self {
            Self::Sqlite(_) => ("EXPLAIN QUERY PLAN", 3),
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

    /// Whether the ledger is no file, so that a test of a file has nothing to test. Says so.
    #[expect(clippy::print_stderr, reason = "a skipped test says so")]
    pub(crate) fn skips_files(&self, why: &str) -> bool {
        let skips = matches!(self, Self::Postgres(_));
        if skips {
            eprintln!("SKIPPED on PostgreSQL: {why}");
        }
        skips
    }

    /// No longer checks references between tables.
    pub(crate) fn allow_orphans(&self) {
        match self {
            Self::Sqlite(conn) => conn.pragma_update(None, "foreign_keys", "off").unwrap(),
            Self::Postgres(_) => self
                .execute_batch("SET session_replication_role = 'replica'")
                .unwrap(),
        }
    }
}

/// Whether a statement says in which order its rows come. PostgreSQL gives them in any order
/// otherwise, and another one the next time.
#[derive(Clone)]
pub(super) struct RowOrder {
    sql: String,
    is_needed: bool,
    rows: usize,
}

impl RowOrder {
    pub(super) fn of(sql: &str) -> Self {
        let is_given = outside_brackets(sql).contains(" ORDER BY ");
        Self {
            sql: sql.to_owned(),
            // An EXPLAIN gives lines of a text.
            is_needed: sql.trim_start().starts_with("SELECT") && !is_given,
            rows: 0,
        }
    }

    /// The rows of a map or a set need no order.
    pub(super) fn collect_into<C>(&mut self) {
        let is_list = ["Vec<", "VecDeque<"].map(|list| std::any::type_name::<C>().contains(list));
        if is_list.contains(&true) {
            assert!(!self.is_needed, "no ORDER BY, and a list: {}", self.sql);
        }
        self.is_needed = false;
    }

    pub(super) fn saw(&mut self, is_row: bool) {
        self.rows += usize::from(is_row);
        let is_right = !self.is_needed || self.rows < 2;
        assert!(is_right, "no ORDER BY, and several rows: {}", self.sql);
    }
}

/// The words of a statement itself, without those of its subqueries.
fn outside_brackets(sql: &str) -> String {
    let mut depth = 0;
    let mut outside = String::new();
    for letter in sql.chars() {
        match letter {
            '(' => depth += 1,
            ')' => depth -= 1,
            letter if depth > 0 => drop(letter),
            letter if letter.is_whitespace() => outside.push(' '),
            letter => outside.push(letter),
        }
    }
    outside
}

mod tests {
    use std::collections::BTreeSet;
    use std::panic::{AssertUnwindSafe, catch_unwind};

    use super::*;

    const ONES: &str = "SELECT 1 AS one UNION ALL SELECT 1";

    fn conn() -> (tempfile::TempDir, Connection) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.db");
        std::fs::write(&path, "").unwrap();
        let conn = Connection::open(&path, super::super::Access::ReadWrite).unwrap();
        (folder, conn)
    }

    /// So a statement that reads into a list without ORDER BY fails the test that runs it.
    #[test]
    fn a_statement_must_order_the_rows_of_a_list() {
        let (_folder, conn) = conn();
        let list =
            |sql: &str| -> Answer<Vec<i64>> { conn.prepare(sql)?.list([], |row| row.get(0)) };
        let fails = |sql: &str| catch_unwind(AssertUnwindSafe(|| list(sql))).is_err();
        assert!(fails(ONES));
        assert!(fails(
            "SELECT one FROM (SELECT 1 AS one ORDER BY one) AS ones"
        ));
        assert!(!fails(&format!("{ONES} ORDER BY one")));
        let set: Answer<BTreeSet<i64>> = conn.prepare(ONES).unwrap().list([], |row| row.get(0));
        assert_eq!(set.unwrap().len(), 1);
    }

    #[test]
    fn a_statement_must_order_rows_that_are_read_one_by_one() {
        let (_folder, conn) = conn();
        let mut statement = conn.prepare(ONES).unwrap();
        let mut rows = statement.query([]).unwrap();
        assert!(rows.next().unwrap().is_some(), "one may be any");
        let second = catch_unwind(AssertUnwindSafe(|| rows.next().is_ok()));
        assert!(second.is_err());
    }
}
