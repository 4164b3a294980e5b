//! Values on their way to a PostgreSQL server and back.

use std::error::Error;

use bytes::BytesMut;
use rusqlite::types::Value;
use tokio_postgres::types::{FromSql, IsNull, ToSql, Type, to_sql_checked};

type Failure = Box<dyn Error + Sync + Send>;

/// A parameter. It takes the type that the statement demands, so that an integer fits a BIGINT as
/// well as an INT.
#[derive(Debug)]
pub(super) struct Bound(pub(super) Value);

impl ToSql for Bound {
    fn to_sql(&self, to: &Type, out: &mut BytesMut) -> Result<IsNull, Failure> {
        match (&self.0, to) {
            (Value::Null, _) => Ok(IsNull::Yes),
            (Value::Integer(number), &Type::BOOL) => (*number != 0).to_sql(to, out),
            (Value::Integer(number), &Type::INT2) => i16::try_from(*number)?.to_sql(to, out),
            (Value::Integer(number), &Type::INT4) => i32::try_from(*number)?.to_sql(to, out),
            (Value::Integer(number), &Type::INT8) => number.to_sql(to, out),
            (Value::Real(number), &Type::FLOAT8) => number.to_sql(to, out),
            (Value::Text(text), &Type::TEXT | &Type::VARCHAR | &Type::NAME | &Type::UNKNOWN) => {
                text.to_sql(to, out)
            }
            (Value::Blob(bytes), &Type::BYTEA) => bytes.to_sql(to, out),
            (value, _) => {
                let kind = value.data_type();
                Err(format!("a parameter is {kind}, and the statement needs {to}").into())
            }
        }
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    to_sql_checked!();
}

/// A value of a row, as SQLite would give it.
pub(super) struct Taken(pub(super) Value);

impl<'r> FromSql<'r> for Taken {
    fn from_sql(from: &Type, raw: &'r [u8]) -> Result<Self, Failure> {
        let value = match *from {
            Type::BOOL => Value::Integer(bool::from_sql(from, raw)?.into()),
            Type::INT2 => Value::Integer(i16::from_sql(from, raw)?.into()),
            Type::INT4 => Value::Integer(i32::from_sql(from, raw)?.into()),
            Type::INT8 => Value::Integer(i64::from_sql(from, raw)?),
            Type::OID => Value::Integer(u32::from_sql(from, raw)?.into()),
            Type::FLOAT8 => Value::Real(f64::from_sql(from, raw)?),
            Type::TEXT | Type::VARCHAR | Type::NAME | Type::UNKNOWN => {
                Value::Text(String::from_sql(from, raw)?)
            }
            Type::BYTEA => Value::Blob(raw.to_owned()),
            _ => return Err(format!("a column is {from}, which the ledger never uses").into()),
        };
        Ok(Self(value))
    }

    fn from_sql_null(_: &Type) -> Result<Self, Failure> {
        Ok(Self(Value::Null))
    }

    fn accepts(_: &Type) -> bool {
        true
    }
}
