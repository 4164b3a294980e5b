use rusqlite::types::ToSql;

use super::Answer;

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
