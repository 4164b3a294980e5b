//! Whole tables, from one database into another. Holds a few rows at a time.

use std::borrow::Borrow;

use bytes::{BufMut, Bytes, BytesMut};
use rusqlite::types::{Type, Value};

use super::postgres::{LedgerServer, ServerError};
use super::{Answer, Connection, EngineError, Row, params_from_iter};

/// About as many bytes go to a server at once.
const CHUNK: usize = 256 * 1024;
/// So many rows come from a server at once. Each may hold all ids of a job.
const FETCHED: usize = 100;
/// Begins PostgreSQL's binary format: its signature, then no flags and no extension.
const BEGINNING: &[u8] = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0";

/// The rows of a table, each with its values in the order of the columns.
pub(crate) type RowSupply<'r, E> = dyn Iterator<Item = Result<Vec<Value>, E>> + 'r;

impl Connection {
    /// Gives the names of a table's columns and all its rows to `take`. On a server this needs a
    /// transaction.
    pub(crate) fn with_rows<T, E: From<EngineError>>(
        &self,
        table: &str,
        take: impl FnOnce(&[String], &mut RowSupply<'_, EngineError>) -> Result<T, E>,
    ) -> Result<T, E> {
        let sql = format!("SELECT * FROM {table} ORDER BY 1");
        let server = match self {
            Self::Sqlite(..) => {
                let mut statement = self.prepare(&sql)?;
                let names = statement.column_names();
                let mut rows = statement.query([])?;
                let next = || match rows.next() {
                    Ok(row) => row.map(|row| values_of(&row, names.len())),
                    Err(error) => Some(Err(error)),
                };
                return take(&names, &mut std::iter::from_fn(next));
            }
            Self::Postgres(server) => server,
        };
        server.execute_batch(&format!("DECLARE rows_of_{table} CURSOR FOR {sql}"))?;
        let mut fetch = server.prepare(&format!("FETCH {FETCHED} FROM rows_of_{table}"))?;
        let names = fetch.names().to_vec();
        let mut fetched = Vec::new().into_iter();
        let next = || {
            if fetched.len() == 0 {
                match fetch.query(&[]) {
                    Ok(rows) => fetched = rows,
                    Err(error) => return Some(Err(error)),
                }
            }
            fetched.next().map(|row| Ok(row.values))
        };
        take(&names, &mut std::iter::from_fn(next))
    }

    /// Adds rows to a table, and returns their number.
    ///
    /// # Errors
    /// Those of `rows`. A server's session is lost by any error.
    pub(crate) fn fill<E: From<EngineError>>(
        &self,
        table: &str,
        columns: &[impl Borrow<str>],
        rows: &mut RowSupply<'_, E>,
    ) -> Result<u64, E> {
        let into = format!("{table} ({})", columns.join(", "));
        if let Self::Postgres(server) = self {
            return copy_in(server, &into, rows);
        }
        let places: Vec<String> = (1..=columns.len())
            .map(|place| format!("${place}"))
            .collect();
        let sql = format!("INSERT INTO {into} VALUES ({})", places.join(", "));
        let mut statement = self.prepare(&sql)?;
        let mut count = 0;
        for row in rows {
            statement.execute(params_from_iter(row?))?;
            count += 1;
        }
        Ok(count)
    }
}

fn values_of(row: &Row<'_>, columns: usize) -> Answer<Vec<Value>> {
    let value = |place| {
        let value = Value::try_from(row.get_ref(place)?);
        value.map_err(|_| no_such_value(place, Type::Text))
    };
    (0..columns).map(value).collect()
}

/// An error of the rows, or of the server.
struct Stopped<E>(E);

impl<E: From<EngineError>> From<ServerError> for Stopped<E> {
    fn from(error: ServerError) -> Self {
        Self(EngineError::from(error).into())
    }
}

fn copy_in<E: From<EngineError>>(
    server: &LedgerServer,
    into: &str,
    rows: &mut RowSupply<'_, E>,
) -> Result<u64, E> {
    let mut next = Some(BytesMut::from(BEGINNING));
    let chunks = std::iter::from_fn(|| {
        let mut chunk = next.take()?;
        while chunk.len() < CHUNK {
            let row = match rows.next() {
                Some(Ok(row)) => row,
                Some(Err(error)) => return Some(Err(Stopped(error))),
                None => {
                    chunk.put_i16(-1);
                    return Some(Ok(chunk.freeze()));
                }
            };
            if let Err(error) = encode(&row, &mut chunk) {
                return Some(Err(Stopped(error.into())));
            }
        }
        next = Some(BytesMut::new());
        Some(Ok::<Bytes, _>(chunk.freeze()))
    });
    let sql = format!("COPY {into} FROM STDIN (FORMAT binary)");
    server.copy_in(&sql, chunks).map_err(|Stopped(error)| error)
}

/// The server checks that each value has the length of its column's type.
fn encode(row: &[Value], out: &mut BytesMut) -> Answer<()> {
    out.put_i16(i16::try_from(row.len()).unwrap_or(i16::MAX));
    for (place, value) in row.iter().enumerate() {
        let bytes: &[u8] = match value {
            Value::Null => {
                out.put_i32(-1);
                continue;
            }
            Value::Integer(number) => &number.to_be_bytes(),
            Value::Text(text) => text.as_bytes(),
            Value::Blob(bytes) => bytes,
            Value::Real(_) => return Err(no_such_value(place, Type::Real)),
        };
        let length = i32::try_from(bytes.len());
        out.put_i32(length.map_err(|_| no_such_value(place, value.data_type()))?);
        out.put_slice(bytes);
    }
    Ok(())
}

fn no_such_value(place: usize, found: Type) -> EngineError {
    rusqlite::Error::InvalidColumnType(place, format!("number {place}"), found).into()
}
