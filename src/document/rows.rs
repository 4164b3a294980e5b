//! JSON lists whose rows are read while they are written.

use std::cell::RefCell;

use serde::ser::{Error as _, SerializeSeq};
use serde::{Serialize, Serializer};

/// Rows to stream, and the error that stopped them.
pub struct RowStream<'a, I, E> {
    rows: RefCell<Option<I>>,
    failed: &'a RefCell<Option<E>>,
}

impl<'a, I, E> RowStream<'a, I, E> {
    pub fn of(rows: I, failed: &'a RefCell<Option<E>>) -> Self {
        Self {
            rows: RefCell::new(Some(rows)),
            failed,
        }
    }
}

impl<T, E, I> Serialize for RowStream<'_, I, E>
where
    T: Serialize,
    I: Iterator<Item = Result<T, E>>,
{
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut list = serializer.serialize_seq(None)?;
        for row in self.rows.take().into_iter().flatten() {
            match row {
                Ok(row) => list.serialize_element(&row)?,
                Err(error) => {
                    self.failed.replace(Some(error));
                    return Err(S::Error::custom("a row cannot be read"));
                }
            }
        }
        list.end()
    }
}
