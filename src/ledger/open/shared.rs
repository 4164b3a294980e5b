//! Opens, makes and migrates a ledger on a server.

use std::path::Path;

use super::migrations;
use super::presence::find_sharing;
use super::seen;
use super::set_back::Seen;
use crate::config::create_private_folder;
use crate::ledger::columns::unreadable;
use crate::ledger::engine::Connection;
use crate::ledger::{
    Kept, Ledger, LedgerError, Older, Opening, Patience, SharedLedger, refuse_what_others_share,
    sql,
};

/// What `dsr ledger init` and `dsr ledger migrate` did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MadeReady {
    New,
    Migrated {
        from: i64,
        to: i64,
    },
    /// It was there, in the format of this dsr.
    Nothing,
}

impl Ledger {
    /// Opens the ledger of a server. Makes and migrates nothing there.
    ///
    /// # Errors
    /// When the server cannot be reached or trusted, or refuses this user; when it has no ledger,
    /// or one in another format. When this host's files beside it are not private.
    pub fn open_shared(
        opening: &Opening,
        shared: &SharedLedger,
        patience: impl Into<Patience>,
    ) -> Result<Self, LedgerError> {
        Self::open_shared_as(opening, shared, patience.into(), Older::Refused)
    }

    pub(in crate::ledger) fn open_shared_as(
        opening: &Opening,
        shared: &SharedLedger,
        patience: Patience,
        older: Older,
    ) -> Result<Self, LedgerError> {
        let conn = connect(opening, shared, patience)?;
        let place = shared.to_string();
        match conn.schema_version()? {
            0 if conn.has_hidden_schema()? => return Err(LedgerError::NoRole(place)),
            0 if conn.is_empty()? => return Err(LedgerError::NotMade(place)),
            found if !migrations::check(&conn, &place)? => {
                let known = migrations::known();
                return Err(LedgerError::Older {
                    place,
                    found,
                    known,
                });
            }
            _ => {}
        }
        Self::share(conn, opening, shared, older)
    }

    /// Makes the ledger's tables on a server, unless they are there.
    ///
    /// # Errors
    /// As for opening it. When the user may not make tables.
    pub fn make_shared(
        opening: &Opening,
        shared: &SharedLedger,
        patience: impl Into<Patience>,
    ) -> Result<(Self, MadeReady), LedgerError> {
        let conn = connect(opening, shared, patience.into())?;
        conn.make_schema()?;
        let place = shared.to_string();
        let from = conn.schema_version()?;
        let is_new = conn.is_empty()?;
        // The first entry has the server's time.
        conn.read_clock()?;
        let migrated = migrations::apply(&conn, &place, opening)?;
        let made = match (migrated, is_new) {
            (migrations::Migrated::No, _) => MadeReady::Nothing,
            (migrations::Migrated::Yes, true) => MadeReady::New,
            (migrations::Migrated::Yes, false) => MadeReady::Migrated {
                from,
                to: migrations::known(),
            },
        };
        Ok((Self::share(conn, opening, shared, Older::Refused)?, made))
    }

    fn share(
        conn: Connection,
        opening: &Opening,
        shared: &SharedLedger,
        older: Older,
    ) -> Result<Self, LedgerError> {
        if let Some(server) = conn.server() {
            server.share(migrations::known());
        }
        conn.read_clock()?;
        opening.server_clock.follow(&conn);
        let identity = identity_of(&conn)?;
        let path = match known_trail(shared, &identity)? {
            // Another trail than this one would be found to lack what this host has seen.
            Some(known) => shared.beside(&known),
            None => {
                shared.note_trail(&identity).map_err(LedgerError::Seen)?;
                shared.beside(&identity)
            }
        };
        let folder = path.parent().unwrap_or(Path::new("."));
        create_private_folder(folder).map_err(LedgerError::Seen)?;
        refuse_what_others_share(&path)?;
        // Who only reads knows what it has seen, too.
        if older == Older::Refused && seen::find_set_back(&conn, &path)?.is_none() {
            seen::catch_up(&conn, &path)?;
        }
        let sharing = find_sharing(&conn)?;
        let mut ledger = Self::with(conn, opening, &path, Kept::Server, older);
        ledger.sharing = Some(sharing);
        Ok(ledger)
    }
}

/// The trail that this host has seen requests of at this address. One that had only its first entry
/// may be replaced, as a move into a new ledger does.
fn known_trail(shared: &SharedLedger, identity: &str) -> Result<Option<String>, LedgerError> {
    let noted = shared.noted_trail().map_err(LedgerError::Seen)?;
    let Some(noted) = noted.filter(|noted| noted != identity) else {
        return Ok(None);
    };
    Ok(match seen::read(&shared.beside(&noted))? {
        Seen::Head(head) if head.count <= 1 => None,
        Seen::Nothing => None,
        Seen::Head(_) | Seen::Unreadable => Some(noted),
    })
}

/// The hash of the trail's first entry. It stays when the ledger moves.
pub(crate) fn identity_of(conn: &Connection) -> Result<String, LedgerError> {
    let sql = "SELECT hash FROM audit WHERE seq = 1";
    let identity: Option<String> = sql::find_value(conn, sql, [])?;
    identity.ok_or_else(|| unreadable("the audit trail's first entry"))
}

fn connect(
    opening: &Opening,
    shared: &SharedLedger,
    mut patience: Patience,
) -> Result<Connection, LedgerError> {
    let mut conn = shared.connect(opening)?;
    let owed = opening.owed.clone();
    conn.wait_while(move |tries| {
        owed.write();
        patience.goes_on(tries)
    })?;
    Ok(conn)
}
