use rusqlite::types::{ToSql, ToSqlOutput, Value};

use super::{Answer, EngineError};

/// The values of a statement's parameters, in order.
pub(crate) trait Params {
    /// Gives each value to `bind`.
    fn each(&self, bind: &mut dyn FnMut(&dyn ToSql) -> Answer<()>) -> Answer<()>;
}

/// No values. Its own type, so that `[]` needs no annotation.
impl Params for [&dyn ToSql; 0] {
    fn each(&self, _: &mut dyn FnMut(&dyn ToSql) -> Answer<()>) -> Answer<()> {
        Ok(())
    }
}

impl Params for &[&dyn ToSql] {
    fn each(&self, bind: &mut dyn FnMut(&dyn ToSql) -> Answer<()>) -> Answer<()> {
        self.iter().try_for_each(|value| bind(*value))
    }
}

impl Params for Vec<Value> {
    fn each(&self, bind: &mut dyn FnMut(&dyn ToSql) -> Answer<()>) -> Answer<()> {
        self.iter().try_for_each(|value| bind(value))
    }
}

macro_rules! arrays {
    ($($count:literal)*) => { $(
        impl<T: ToSql> Params for [T; $count] {
            fn each(&self, bind: &mut dyn FnMut(&dyn ToSql) -> Answer<()>) -> Answer<()> {
                self.iter().try_for_each(|value| bind(value))
            }
        }

        impl<T: ToSql> Params for &[T; $count] {
            fn each(&self, bind: &mut dyn FnMut(&dyn ToSql) -> Answer<()>) -> Answer<()> {
                self.iter().try_for_each(|value| bind(value))
            }
        }
    )* };
}

arrays!(1 2 3 4);

impl<A: ToSql, B: ToSql> Params for (A, B) {
    fn each(&self, bind: &mut dyn FnMut(&dyn ToSql) -> Answer<()>) -> Answer<()> {
        bind(&self.0)?;
        bind(&self.1)
    }
}

impl<A: ToSql, B: ToSql, C: ToSql> Params for (A, B, C) {
    fn each(&self, bind: &mut dyn FnMut(&dyn ToSql) -> Answer<()>) -> Answer<()> {
        bind(&self.0)?;
        bind(&self.1)?;
        bind(&self.2)
    }
}

/// A list of values whose number is known only at run time.
pub(crate) struct ValueList<T>(Vec<T>);

impl<T: ToSql> Params for ValueList<T> {
    fn each(&self, bind: &mut dyn FnMut(&dyn ToSql) -> Answer<()>) -> Answer<()> {
        self.0.iter().try_for_each(|value| bind(value))
    }
}

pub(crate) fn params_from_iter<T: ToSql>(values: impl IntoIterator<Item = T>) -> ValueList<T> {
    ValueList(values.into_iter().collect())
}

/// A query with its values.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Question {
    pub(crate) sql: String,
    pub(crate) values: Vec<Value>,
}

impl Question {
    pub(crate) fn new(sql: impl Into<String>, values: impl Params) -> Answer<Self> {
        let mut owned_values = Vec::new();
        values.each(&mut |value| {
            owned_values.push(owned(value)?);
            Ok(())
        })?;
        Ok(Self {
            sql: sql.into(),
            values: owned_values,
        })
    }
}

pub(super) fn owned(value: &dyn ToSql) -> Answer<Value> {
    match value.to_sql()? {
        ToSqlOutput::Borrowed(value) => Value::try_from(value).map_err(|_| not_a_value()),
        ToSqlOutput::Owned(value) => Ok(value),
        _ => Err(not_a_value()),
    }
}

fn not_a_value() -> EngineError {
    rusqlite::Error::ToSqlConversionFailure("a text that is not UTF-8".into()).into()
}
