//! The ledger's own key, known by its fingerprint, and the seal made of it.

use crate::credentials::IfNone;
use crate::domain::LedgerKey;
use crate::ledger::columns::unreadable;
use crate::ledger::engine::{Connection, OptionalExtension};
use crate::ledger::seal::Seal;
use crate::ledger::sql::prepare;
use crate::ledger::{Ledger, LedgerError};

impl Ledger {
    /// The fingerprint of the key that hashed the people or sealed the ids, if there are any.
    pub fn find_people_key(&self) -> Result<Option<String>, LedgerError> {
        find_key(&self.conn)
    }

    /// Fails if the ledger has another key.
    ///
    /// # Errors
    /// [`LedgerError::OtherKey`], or when the ledger cannot be read.
    pub fn demand_people_key(&self, key: &LedgerKey) -> Result<(), LedgerError> {
        demand_key(&self.conn, &key.fingerprint()).map(drop)
    }

    /// Fails if the ids of jobs are sealed and this host cannot open them.
    ///
    /// # Errors
    /// [`LedgerError::NoKey`], [`LedgerError::OtherKey`], or when the ledger cannot be read.
    pub fn demand_seal(&self) -> Result<(), LedgerError> {
        find_seal(&self.conn).map(drop)
    }

    /// Whether a missing key may be made: only while the ledger has none, and never for a server's,
    /// whose hosts must share one.
    pub fn if_no_key(&self) -> Result<IfNone, LedgerError> {
        Ok(match (self.conn.lazy_seal(), self.find_people_key()?) {
            (None, None) => IfNone::Make,
            (Some(_), _) | (_, Some(_)) => IfNone::Leave,
        })
    }
}

pub(crate) fn find_key(conn: &Connection) -> Result<Option<String>, LedgerError> {
    let mut statement = prepare(conn, "SELECT fingerprint FROM people_key")?;
    Ok(statement.query_row([], |row| row.get(0)).optional()?)
}

/// Returns whether the ledger has this key already; it may have none.
pub(crate) fn demand_key(conn: &Connection, given: &str) -> Result<bool, LedgerError> {
    match find_key(conn)? {
        Some(known) if known != given => Err(LedgerError::OtherKey {
            known,
            given: given.to_owned(),
        }),
        known => Ok(known.is_some()),
    }
}

/// The seal of the ledger's key; `None` for a file, whose ids are not sealed.
///
/// # Errors
/// [`LedgerError::NoKey`], [`LedgerError::OtherKey`], or when the ledger does not know its key.
pub(crate) fn find_seal(conn: &Connection) -> Result<Option<&Seal>, LedgerError> {
    let Some(lazy) = conn.lazy_seal() else {
        return Ok(None);
    };
    let seal = lazy.get().map_err(LedgerError::NoKey)?;
    if !lazy.fits.get() {
        if !demand_key(conn, &seal.fingerprint)? {
            return Err(unreadable("the fingerprint of the ledger key"));
        }
        lazy.fits.set(true);
    }
    Ok(Some(seal))
}
