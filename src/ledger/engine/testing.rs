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
            Self::Sqlite(_) => "SELECT name FROM sqlite_schema WHERE type = 'table'",
            Self::Postgres(_) => {
                "SELECT tablename FROM pg_tables WHERE schemaname = current_schema()
                     AND tablename <> 'ledger_schema'"
            }
        };
        let mut statement = self.prepare(sql).unwrap();
        statement.list([], |row| row.get(0)).unwrap()
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
