//! The prepared statements of one session, by their SQL.

use std::collections::HashMap;

use tokio_postgres::Statement;

/// More than dsr has. A statement that falls out is closed on the server when its last user drops it.
const CAPACITY: usize = 256;

struct Entry<T> {
    statement: T,
    used: u64,
}

/// Keeps the statements that were used last.
pub(super) struct Statements<T = Statement> {
    entries: HashMap<Box<str>, Entry<T>>,
    uses: u64,
}

impl<T: Clone> Statements<T> {
    pub(super) fn new() -> Self {
        Self {
            entries: HashMap::new(),
            uses: 0,
        }
    }

    pub(super) fn get(&mut self, sql: &str) -> Option<T> {
        self.uses += 1;
        let entry = self.entries.get_mut(sql)?;
        entry.used = self.uses;
        Some(entry.statement.clone())
    }

    pub(super) fn insert(&mut self, sql: &str, statement: T) {
        if self.entries.len() >= CAPACITY {
            let oldest = self.entries.iter().min_by_key(|(_, entry)| entry.used);
            if let Some(sql) = oldest.map(|(sql, _)| sql.clone()) {
                self.entries.remove(&sql);
            }
        }
        let entry = Entry {
            statement,
            used: self.uses,
        };
        self.entries.insert(sql.into(), entry);
    }

    pub(super) fn clear(&mut self) {
        self.entries.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_statement_that_was_used_longest_ago_falls_out() {
        let mut statements = Statements::new();
        for number in 0..CAPACITY {
            assert_eq!(statements.get(&number.to_string()), None);
            statements.insert(&number.to_string(), number);
        }
        assert_eq!(statements.get("0"), Some(0));
        assert_eq!(statements.get("new"), None);
        statements.insert("new", 1000);
        assert_eq!(statements.get("1"), None);
        assert_eq!(statements.get("0"), Some(0));
        assert_eq!(statements.get("new"), Some(1000));
        assert_eq!(statements.entries.len(), CAPACITY);
    }
}
