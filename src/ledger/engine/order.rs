//! A check in every test: a statement whose rows can be seen one after the other orders them.

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
            _ if depth > 0 => {}
            letter if letter.is_whitespace() => outside.push(' '),
            letter => outside.push(letter),
        }
    }
    outside
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::panic::{AssertUnwindSafe, catch_unwind};

    use crate::ledger::engine::{Access, Answer, Connection};

    const ONES: &str = "SELECT 1 AS one UNION ALL SELECT 1";

    fn conn() -> (tempfile::TempDir, Connection) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.db");
        std::fs::write(&path, "").unwrap();
        let conn = Connection::open(&path, Access::ReadWrite).unwrap();
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
