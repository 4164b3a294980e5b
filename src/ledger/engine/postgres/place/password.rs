//! Where the password of the ledger's server is: a file of its own, or libpq's password file.
//!
//! The caller reads the environment. Without a password the server may still know the user, such as
//! by the peer of a socket.

use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use secrecy::SecretString;
use secrecy::zeroize::Zeroizing;

use super::ServerPlace;
use super::passfile::find_entry;

const MAX_PASSWORD_BYTES: u64 = 64 * 1024;
const MAX_PASSFILE_BYTES: u64 = 1024 * 1024;

/// The files to look in, in the order of their fields.
#[derive(Clone, Debug, Default)]
pub(crate) struct PasswordSources {
    /// Holds only the password: `DSR_LEDGER_PASSWORD_FILE`.
    pub(crate) file: Option<PathBuf>,
    /// A password file of libpq, which replaces the one at home: `PGPASSFILE`.
    pub(crate) passfile: Option<PathBuf>,
    /// `~/.pgpass`.
    pub(crate) home_passfile: Option<PathBuf>,
}

/// A password and the place it is from.
#[derive(Debug)]
pub(crate) struct FoundPassword {
    pub(crate) secret: SecretString,
    pub(crate) origin: PasswordOrigin,
}

/// Names the file at fault when the server refuses the password.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PasswordOrigin {
    File(PathBuf),
    Passfile { path: PathBuf, line: usize },
}

impl fmt::Display for PasswordOrigin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(f, "`{}`", path.display()),
            Self::Passfile { path, line } => write!(f, "`{}`, line {line}", path.display()),
        }
    }
}

/// Why a file gives no password. Never holds any of it.
#[derive(Debug, thiserror::Error)]
pub enum PasswordError {
    #[error("cannot read the password file `{}`", path.display())]
    Unreadable { path: PathBuf, source: io::Error },
    #[error("the password file `{}` is not a plain file", .0.display())]
    NotPlain(PathBuf),
    #[error("others can read or change the password file `{}`; its mode must be 0600", .0.display())]
    Open(PathBuf),
    #[error("the password file `{}` is too long", .0.display())]
    TooLong(PathBuf),
    #[error("the password file `{}` is empty", .0.display())]
    Empty(PathBuf),
    #[error("the password in `{}` is not text in UTF-8 on one line", .0.display())]
    NotText(PathBuf),
}

impl PasswordSources {
    /// Finds the password for a place. A missing password file of libpq is no error, as in libpq.
    ///
    /// # Errors
    /// When a file is there and cannot be used safely.
    pub(crate) fn find(&self, place: &ServerPlace) -> Result<Option<FoundPassword>, PasswordError> {
        if let Some(path) = &self.file {
            return read_password(path).map(Some);
        }
        match self.passfile.as_ref().or(self.home_passfile.as_ref()) {
            Some(path) => read_passfile(path, place),
            None => Ok(None),
        }
    }
}

fn read_password(path: &Path) -> Result<FoundPassword, PasswordError> {
    let bytes = read_private(path, MAX_PASSWORD_BYTES, is_open_to_others)?;
    let line = bytes.strip_suffix(b"\n").unwrap_or(&bytes);
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    if line.is_empty() {
        return Err(PasswordError::Empty(path.to_owned()));
    }
    Ok(FoundPassword {
        secret: secret(line, path)?,
        origin: PasswordOrigin::File(path.to_owned()),
    })
}

fn read_passfile(path: &Path, place: &ServerPlace) -> Result<Option<FoundPassword>, PasswordError> {
    let bytes = match read_private(path, MAX_PASSFILE_BYTES, is_open_at_all) {
        Err(PasswordError::Unreadable { source, .. })
            if source.kind() == io::ErrorKind::NotFound =>
        {
            return Ok(None);
        }
        bytes => bytes?,
    };
    // libpq stops at the first entry that matches, also at an empty one.
    let Some((line, password)) = find_entry(&bytes, place).filter(|(_, found)| !found.is_empty())
    else {
        return Ok(None);
    };
    Ok(Some(FoundPassword {
        secret: secret(&password, path)?,
        origin: PasswordOrigin::Passfile {
            path: path.to_owned(),
            line,
        },
    }))
}

fn secret(bytes: &[u8], path: &Path) -> Result<SecretString, PasswordError> {
    match std::str::from_utf8(bytes) {
        Ok(text) if !text.contains(['\0', '\n', '\r']) => Ok(SecretString::from(text)),
        Ok(_) | Err(_) => Err(PasswordError::NotText(path.to_owned())),
    }
}

fn read_private(
    path: &Path,
    limit: u64,
    is_open: fn(&std::fs::Metadata) -> bool,
) -> Result<Zeroizing<Vec<u8>>, PasswordError> {
    let unreadable = |source| PasswordError::Unreadable {
        path: path.to_owned(),
        source,
    };
    // Opening a pipe would wait for its writer.
    if !std::fs::metadata(path).map_err(unreadable)?.is_file() {
        return Err(PasswordError::NotPlain(path.to_owned()));
    }
    let file = File::open(path).map_err(unreadable)?;
    // The open file decides: its name could refer to another file by now.
    let metadata = file.metadata().map_err(unreadable)?;
    if !metadata.is_file() {
        return Err(PasswordError::NotPlain(path.to_owned()));
    }
    if is_open(&metadata) {
        return Err(PasswordError::Open(path.to_owned()));
    }
    // A buffer that grows would leave copies of the password behind.
    let capacity = usize::try_from(metadata.len().min(limit)).unwrap_or(0) + 1;
    let mut bytes = Zeroizing::new(Vec::with_capacity(capacity));
    file.take(limit + 1)
        .read_to_end(&mut bytes)
        .map_err(unreadable)?;
    match bytes.len() as u64 > limit {
        true => Err(PasswordError::TooLong(path.to_owned())),
        false => Ok(bytes),
    }
}

/// libpq's rule for its password file.
#[cfg(unix)]
fn is_open_at_all(metadata: &std::fs::Metadata) -> bool {
    use std::os::unix::fs::MetadataExt;
    metadata.mode() & 0o077 != 0
}

/// dsr's rule for its secret files, `config::is_open_to_others`: root may give a container's group a
/// file to read.
#[cfg(unix)]
fn is_open_to_others(metadata: &std::fs::Metadata) -> bool {
    use std::os::unix::fs::MetadataExt;
    let forbidden = match metadata.uid() == rustix::process::geteuid().as_raw() {
        true => 0o077,
        false => 0o027,
    };
    metadata.mode() & forbidden != 0
}

#[cfg(not(unix))]
fn is_open_at_all(_: &std::fs::Metadata) -> bool {
    false
}

#[cfg(not(unix))]
fn is_open_to_others(_: &std::fs::Metadata) -> bool {
    false
}

#[cfg(unix)]
#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use secrecy::ExposeSecret;

    use super::*;

    const HOST: &str = "postgres://dsr@db.example:5433/ledger";

    struct Folder(tempfile::TempDir);

    impl Folder {
        fn new() -> Self {
            Self(tempfile::tempdir().unwrap())
        }

        #[expect(clippy::unnecessary_wraps, reason = "a source is optional")]
        fn file(&self, name: &str, mode: u32, text: impl AsRef<[u8]>) -> Option<PathBuf> {
            let path = self.0.path().join(name);
            std::fs::write(&path, text).unwrap();
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
            Some(path)
        }
    }

    fn find(sources: &PasswordSources, url: &str) -> Result<Option<FoundPassword>, PasswordError> {
        sources.find(&ServerPlace::parse(url).unwrap())
    }

    #[test]
    fn an_own_file_wins_and_loses_only_its_line_end() {
        let folder = Folder::new();
        for (text, password) in [
            ("  pass word \r\n", "  pass word "),
            ("é:\\", "é:\\"),
            ("hunter2\n", "hunter2"),
        ] {
            let file = folder.file("password", 0o600, text);
            let passfile = folder.file("pgpass", 0o600, "*:*:*:*:other");
            let sources = PasswordSources {
                file: file.clone(),
                passfile,
                home_passfile: None,
            };
            let found = find(&sources, HOST).unwrap().unwrap();
            assert_eq!(found.secret.expose_secret(), password);
            assert_eq!(found.origin, PasswordOrigin::File(file.unwrap()));
            assert!(!format!("{found:?}").contains(password));
        }
    }

    #[test]
    fn an_own_file_must_be_there_private_short_and_text() {
        let folder = Folder::new();
        let error = |file: Option<PathBuf>| {
            find(
                &PasswordSources {
                    file,
                    ..PasswordSources::default()
                },
                HOST,
            )
            .unwrap_err()
        };
        let long = vec![b'a'; 70_000];
        let missing = error(Some(folder.0.path().join("none")));
        assert!(matches!(missing, PasswordError::Unreadable { .. }));
        assert!(matches!(
            error(folder.file("a", 0o640, "x")),
            PasswordError::Open(_)
        ));
        assert!(matches!(
            error(folder.file("b", 0o600, "\n")),
            PasswordError::Empty(_)
        ));
        assert!(matches!(
            error(folder.file("c", 0o600, "a\nb\n")),
            PasswordError::NotText(_)
        ));
        assert!(matches!(
            error(folder.file("d", 0o600, b"\xff")),
            PasswordError::NotText(_)
        ));
        assert!(matches!(
            error(folder.file("e", 0o600, &long)),
            PasswordError::TooLong(_)
        ));
        assert!(matches!(
            error(Some("/dev/null".into())),
            PasswordError::NotPlain(_)
        ));
        assert!(matches!(
            error(Some(folder.0.path().into())),
            PasswordError::NotPlain(_)
        ));
    }

    #[test]
    fn a_password_file_is_private_or_missing() {
        let folder = Folder::new();
        let home_passfile = folder.file("home", 0o600, "*:*:*:*:home");
        let mut sources = PasswordSources {
            home_passfile: home_passfile.clone(),
            ..PasswordSources::default()
        };
        let origin = find(&sources, HOST).unwrap().unwrap().origin;
        assert_eq!(
            origin,
            PasswordOrigin::Passfile {
                path: home_passfile.unwrap(),
                line: 1
            }
        );
        // libpq does not look at home if `PGPASSFILE` is set.
        sources.passfile = Some(folder.0.path().join("none"));
        assert!(find(&sources, HOST).unwrap().is_none());
        for mode in [0o640, 0o604, 0o620, 0o610] {
            sources.passfile = folder.file("open", mode, "*:*:*:*:x");
            assert!(matches!(find(&sources, HOST), Err(PasswordError::Open(_))));
        }
        sources.passfile = Some("/dev/null".into());
        assert!(matches!(
            find(&sources, HOST),
            Err(PasswordError::NotPlain(_))
        ));
        assert!(find(&PasswordSources::default(), HOST).unwrap().is_none());
    }
}
