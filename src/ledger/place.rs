//! Where a ledger is: a file, or a database on a server that several hosts share.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::{fmt, fs, io};

use sha2::{Digest, Sha256};

use crate::config::{begin_file, create_private_folder, replace, sync_file};
use crate::domain::to_hex;

use super::engine::{
    Connection, EngineTrouble, PasswordSources, PlaceError, ServerPlace, TrustedRoots,
};
use super::{LedgerError, Opening};

/// The folder of shared ledgers' files on this host, one folder a ledger.
const FOLDER: &str = "shared";

/// Where a ledger is. Holds no secret.
#[derive(Debug, Clone)]
pub enum LedgerPlace {
    File(PathBuf),
    Server(Box<SharedLedger>),
}

/// A ledger on a server, and what this host needs to use it.
#[derive(Debug, Clone)]
pub struct SharedLedger {
    server: ServerPlace,
    passwords: PasswordSources,
    /// A file of certificate authorities in place of the bundled ones.
    authorities: Option<PathBuf>,
    data: PathBuf,
}

/// The files in which to look for a server's password, the first one first.
#[derive(Debug, Clone, Default)]
pub struct PasswordFiles {
    /// Holds only the password.
    pub own: Option<PathBuf>,
    /// A password file of libpq in place of the one at home.
    pub passfile: Option<PathBuf>,
    pub home_passfile: Option<PathBuf>,
}

/// Why a URL names no ledger. Never holds a password.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct LedgerUrlError(#[from] PlaceError);

impl SharedLedger {
    /// Reads `postgres://USER@HOST/DATABASE`. This host's files about the ledger get into `data`.
    ///
    /// # Errors
    /// When the URL is wrong, unsafe, or holds a password.
    pub fn at(
        url: &str,
        passwords: PasswordFiles,
        authorities: Option<PathBuf>,
        data: &Path,
    ) -> Result<Self, LedgerUrlError> {
        Ok(Self {
            server: ServerPlace::parse(url)?,
            passwords: PasswordSources {
                file: passwords.own,
                passfile: passwords.passfile,
                home_passfile: passwords.home_passfile,
            },
            authorities,
            data: data.to_owned(),
        })
    }

    /// # Errors
    /// When the server cannot be reached or trusted, refuses the login, or cannot hold a ledger.
    pub(crate) fn connect(&self, opening: &Opening) -> Result<Connection, LedgerError> {
        let password = self.passwords.find(&self.server)?;
        let roots = match &self.authorities {
            None => TrustedRoots::Bundled,
            Some(path) => {
                let pem = std::fs::read(path).map_err(|source| LedgerError::Authorities {
                    path: path.clone(),
                    source,
                })?;
                TrustedRoots::Pem(pem)
            }
        };
        let secret = password.as_ref().map(|found| &found.secret);
        let name = application_name(opening);
        let opened = Connection::open_server(&self.server, secret, &roots, &name);
        opened.map_err(|error| match (error.trouble(), password) {
            (EngineTrouble::Login, Some(found)) => LedgerError::OtherPassword {
                error,
                origin: found.origin,
            },
            _ => error.into(),
        })
    }

    /// The server and its database, as the audit trail names them.
    pub fn without_user(&self) -> String {
        self.server.without_user()
    }

    /// The trail that this host has found at this address: the hash of its first entry.
    pub(crate) fn noted_trail(&self) -> io::Result<Option<String>> {
        match fs::read_to_string(self.note()) {
            Ok(text) => Ok(Some(text.trim_end().to_owned())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    pub(crate) fn note_trail(&self, identity: &str) -> io::Result<()> {
        create_private_folder(&self.data.join(FOLDER))?;
        let mut file = begin_file(&self.data.join(FOLDER))?;
        writeln!(file, "{identity}")?;
        sync_file(file.as_file())?;
        replace(file, &self.note())
    }

    fn note(&self) -> PathBuf {
        let name = to_hex(&Sha256::digest(self.without_user())[..8]);
        self.data.join(FOLDER).join(format!("{name}.trail"))
    }

    /// The path that this host's files about the ledger are beside. No file is at the path itself.
    /// `identity` is the hash of the trail's first entry: it stays when the server moves.
    pub(crate) fn beside(&self, identity: &str) -> PathBuf {
        beside(&self.data, identity)
    }
}

/// See [`SharedLedger::beside`]; `data` is this host's folder.
pub(crate) fn beside(data: &Path, identity: &str) -> PathBuf {
    let name = &identity[..identity.len().min(16)];
    data.join(FOLDER).join(name).join("ledger.db")
}

impl fmt::Display for SharedLedger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.server.fmt(f)
    }
}

impl fmt::Display for LedgerPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => path.display().fmt(f),
            Self::Server(shared) => shared.fmt(f),
        }
    }
}

/// `dsr/ledger-status/4711/host`: the server cuts the end of a long name.
fn application_name(opening: &Opening) -> String {
    let command = opening.command.trim_start_matches("dsr ");
    let command = command.replace([' ', '/'], "-");
    let host = opening.actor.host();
    format!("dsr/{command}/{}/{host}", std::process::id())
}
