//! Where the ledger's server is: one URL, read by libpq's rules, without its dangerous options.
//!
//! A place holds no secret, so it can be shown, logged and recorded.

mod host;
mod passfile;
pub(in crate::ledger) mod password;

use std::fmt;
use std::path::{Path, PathBuf};

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

use host::{bracketed, is_host, is_loopback, split_port};

/// What a URL may hold unescaped. libpq decodes everything else.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_');
const ESCAPED_IN_FOLDER: &AsciiSet = &ESCAPED.remove(b'/');

/// One database on one server, as one user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ServerPlace {
    user: String,
    database: String,
    port: u16,
    route: ServerRoute,
}

/// The way to the server. Without TLS there is no way to another host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ServerRoute {
    /// The folder of a Unix socket.
    Socket(PathBuf),
    /// A loopback address or `localhost`, without TLS. The name must be resolved to loopback only.
    Loopback(String),
    /// A name or an address, with TLS that checks both the certificate and the name.
    Tls(String),
}

/// Why a URL names no server. Never holds a password, nor what could be a piece of one.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum PlaceError {
    #[error("the URL of a ledger's server starts with `postgres://` or `postgresql://`")]
    Scheme,
    #[error("the URL holds a password, which others can read there")]
    Password,
    #[error("the URL holds a space, a control character or a letter that is not ASCII")]
    Character,
    #[error("an `@` that is not before the host must be written `%40`")]
    StrayAt,
    #[error("a `#` must be written `%23`")]
    StrayHash,
    #[error("a `%` in the URL is not followed by the two digits of a character")]
    Percent,
    #[error("the URL names no {0}: `postgres://USER@HOST/DATABASE`")]
    Missing(&'static str),
    #[error("the URL's host is neither a name, an IPv4 address nor an IPv6 address in brackets")]
    Host,
    #[error("the URL names several hosts, and a ledger has one")]
    SeveralHosts,
    #[error("the URL's port is not a number from 1 to 65535")]
    Port,
    #[error("`host` in the URL's parameters takes the absolute path of a socket's folder")]
    Folder,
    #[error("the URL names both a host and the folder of a socket")]
    HostAndFolder,
    #[error("`{0}` is not understood; dsr understands `host` and `sslmode`")]
    UnknownParameter(String),
    #[error("a parameter of the URL is not understood; dsr understands `host` and `sslmode`")]
    UnreadableParameter,
    #[error("`{0}` is in the URL twice")]
    Twice(&'static str),
    #[error("`sslmode` takes `verify-full`, or `disable` on a socket or loopback")]
    SslMode,
    #[error("`sslmode=disable` is only for a socket or loopback; `{0}` is another host")]
    NotLocal(String),
    #[error("a socket has no TLS; `sslmode=verify-full` needs a host")]
    TlsOnSocket,
}

enum SslMode {
    VerifyFull,
    Disable,
}

impl ServerPlace {
    /// Reads `postgres://USER@HOST:PORT/DATABASE?host=/FOLDER&sslmode=MODE`.
    ///
    /// # Errors
    /// When a part is missing, unsafe or unknown.
    pub(crate) fn parse(url: &str) -> Result<Self, PlaceError> {
        let rest = url
            .strip_prefix("postgres://")
            .or_else(|| url.strip_prefix("postgresql://"))
            .ok_or(PlaceError::Scheme)?;
        let (authority, rest) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
        let (user, host) = authority.rsplit_once('@').unwrap_or(("", authority));
        if user.contains(':') {
            return Err(PlaceError::Password);
        }
        // A password with an unescaped `/`, `?` or `#` ends the authority too early. Its rest would be
        // read as a database or a parameter, and shown. Such a URL has a second `@`.
        if user.contains('@') || rest.contains('@') {
            return Err(PlaceError::StrayAt);
        }
        if rest.contains('#') {
            return Err(PlaceError::StrayHash);
        }
        if !url.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(PlaceError::Character);
        }
        let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (host, port) = split_port(host)?;
        let user = decoded(user, "user")?;
        let (folder, mode) = read_parameters(query)?;
        let route = route(&decoded_text(host)?, folder, mode)?;
        let database = decoded(path.strip_prefix('/').unwrap_or(""), "database")?;
        Ok(Self {
            user,
            database,
            port,
            route,
        })
    }

    pub(crate) fn user(&self) -> &str {
        &self.user
    }

    pub(crate) fn database(&self) -> &str {
        &self.database
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    pub(crate) fn route(&self) -> &ServerRoute {
        &self.route
    }
}

/// The URL again, which `parse` reads as the same place.
impl fmt::Display for ServerPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let user = utf8_percent_encode(&self.user, ESCAPED);
        f.write_str(&self.address(&format!("{user}@")))
    }
}

impl ServerPlace {
    /// The same for every user.
    pub(crate) fn without_user(&self) -> String {
        self.address("")
    }

    fn address(&self, user: &str) -> String {
        let database = utf8_percent_encode(&self.database, ESCAPED);
        let port = self.port;
        match &self.route {
            ServerRoute::Socket(folder) => {
                let folder = folder.to_string_lossy();
                let folder = utf8_percent_encode(&folder, ESCAPED_IN_FOLDER);
                format!("postgres://{user}localhost:{port}/{database}?host={folder}")
            }
            ServerRoute::Loopback(host) => {
                let host = bracketed(host);
                format!("postgres://{user}{host}:{port}/{database}?sslmode=disable")
            }
            ServerRoute::Tls(host) => {
                let host = bracketed(host);
                format!("postgres://{user}{host}:{port}/{database}")
            }
        }
    }
}

fn read_parameters(query: &str) -> Result<(Option<PathBuf>, Option<SslMode>), PlaceError> {
    let (mut folder, mut mode) = (None, None);
    for parameter in query.split('&').filter(|parameter| !parameter.is_empty()) {
        let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
        match decoded_text(name)?.as_str() {
            "host" if folder.is_some() => return Err(PlaceError::Twice("host")),
            "host" => folder = Some(socket_folder(&decoded_text(value)?)?),
            "sslmode" if mode.is_some() => return Err(PlaceError::Twice("sslmode")),
            "sslmode" => {
                mode = Some(match decoded_text(value)?.as_str() {
                    "verify-full" => SslMode::VerifyFull,
                    "disable" => SslMode::Disable,
                    _ => return Err(PlaceError::SslMode),
                });
            }
            "password" | "sslpassword" => return Err(PlaceError::Password),
            name if is_parameter_name(name) => {
                return Err(PlaceError::UnknownParameter(name.to_owned()));
            }
            // It could be anything, also a piece of a secret.
            _ => return Err(PlaceError::UnreadableParameter),
        }
    }
    Ok((folder, mode))
}

/// The names of libpq's parameters are small letters and `_`, and short.
fn is_parameter_name(name: &str) -> bool {
    name.len() <= 32
        && name
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte == b'_')
}

fn socket_folder(text: &str) -> Result<PathBuf, PlaceError> {
    match Path::new(text).has_root() {
        true => Ok(PathBuf::from(text)),
        false => Err(PlaceError::Folder),
    }
}

fn route(
    host: &str,
    folder: Option<PathBuf>,
    mode: Option<SslMode>,
) -> Result<ServerRoute, PlaceError> {
    // libpq also takes the folder as the host: `postgres://dsr@%2Frun%2Fpostgresql/dsr`.
    let folder = match (folder, host.starts_with('/')) {
        (Some(_), true) => return Err(PlaceError::HostAndFolder),
        // libpq ignores the host then. Without this check, `db.example` would be local in secret.
        (Some(_), false) if !host.is_empty() && !is_loopback(host) => {
            return Err(PlaceError::HostAndFolder);
        }
        (None, true) => Some(socket_folder(host)?),
        (folder, false) => folder,
    };
    match (folder, mode) {
        (Some(_), Some(SslMode::VerifyFull)) => Err(PlaceError::TlsOnSocket),
        (Some(folder), _) => Ok(ServerRoute::Socket(folder)),
        (None, _) if host.is_empty() => Err(PlaceError::Missing("host")),
        (None, _) if host.contains(',') => Err(PlaceError::SeveralHosts),
        (None, _) if !is_host(host) => Err(PlaceError::Host),
        (None, Some(SslMode::Disable)) if is_loopback(host) => {
            Ok(ServerRoute::Loopback(host.to_owned()))
        }
        (None, Some(SslMode::Disable)) => Err(PlaceError::NotLocal(host.to_owned())),
        (None, Some(SslMode::VerifyFull) | None) => Ok(ServerRoute::Tls(host.to_owned())),
    }
}

fn decoded(text: &str, part: &'static str) -> Result<String, PlaceError> {
    match decoded_text(text)? {
        text if text.is_empty() => Err(PlaceError::Missing(part)),
        text => Ok(text),
    }
}

/// As libpq decodes: a `+` stays a `+`, a `%` that escapes nothing is an error.
fn decoded_text(text: &str) -> Result<String, PlaceError> {
    let digits = |rest: &str| {
        let escape = rest.as_bytes().get(..2);
        escape.is_some_and(|escape| escape.iter().all(u8::is_ascii_hexdigit))
    };
    if !text.split('%').skip(1).all(digits) {
        return Err(PlaceError::Percent);
    }
    let decoded = percent_decode_str(text)
        .decode_utf8()
        .map_err(|_| PlaceError::Percent)?;
    // A NUL would end the name in the protocol, and other control characters would move the cursor.
    match decoded.chars().any(char::is_control) {
        true => Err(PlaceError::Character),
        false => Ok(decoded.into_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(url: &str) -> ServerPlace {
        ServerPlace::parse(url).unwrap()
    }

    fn refused(url: &str) -> PlaceError {
        ServerPlace::parse(url).unwrap_err()
    }

    #[test]
    fn a_host_gets_tls_and_the_usual_port() {
        let place = place("postgresql://dsr@db.example/ledger");
        assert_eq!(place.user(), "dsr");
        assert_eq!(place.database(), "ledger");
        assert_eq!(place.port(), 5432);
        assert_eq!(place.route(), &ServerRoute::Tls("db.example".to_owned()));
    }

    #[test]
    fn addresses_are_hosts() {
        let remote = place("postgres://u@[fd00::1]:6000/d?sslmode=verify-full");
        assert_eq!(remote.route(), &ServerRoute::Tls("fd00::1".to_owned()));
        assert_eq!(remote.port(), 6000);
        for url in ["127.0.0.9", "[::1]", "localhost", "LocalHost"] {
            let place = place(&format!("postgres://u@{url}/d?sslmode=disable"));
            assert!(matches!(place.route(), ServerRoute::Loopback(_)), "{url}");
        }
    }

    #[test]
    fn a_folder_is_a_socket_without_tls() {
        let folder = ServerRoute::Socket(PathBuf::from("/run/postgresql"));
        for url in [
            "postgres://dsr@localhost:5432/dsr?host=/run/postgresql&sslmode=disable",
            "postgres://dsr@localhost/dsr?host=%2Frun%2Fpostgresql",
            "postgres://dsr@/dsr?host=/run/postgresql",
            "postgres://dsr@%2Frun%2Fpostgresql/dsr",
        ] {
            assert_eq!(place(url).route(), &folder, "{url}");
        }
    }

    #[test]
    fn what_is_shown_is_read_as_the_same_place() {
        for url in [
            "postgres://dsr@db.example:6000/dsr",
            "postgres://a%40b%3A%C3%A9@[fd00::1]/d%2Fe%3F%23",
            "postgres://dsr@[::1]/dsr?sslmode=disable",
            "postgres://dsr@/dsr?host=/run/a%20b+c%26",
        ] {
            let place = place(url);
            assert_eq!(self::place(&place.to_string()), place, "{place}");
        }
        let shown = place("postgresql://dsr@/dsr?host=/run/postgresql").to_string();
        assert_eq!(
            shown,
            "postgres://dsr@localhost:5432/dsr?host=/run/postgresql"
        );
    }

    #[test]
    fn a_password_is_refused_and_never_repeated() {
        for (url, error) in [
            ("postgres://u:hunter2@h/d", PlaceError::Password),
            ("postgres://u:@h/d", PlaceError::Password),
            ("postgres://u:hun@ter2@h/d", PlaceError::Password),
            ("postgres://u:12/hunter2@h/d", PlaceError::StrayAt),
            ("postgres://u:12?hunter2@h/d", PlaceError::StrayAt),
            ("postgres://u:12#hunter2@h/d", PlaceError::StrayAt),
            ("postgres://u:hunter2", PlaceError::Port),
            ("postgres://u@h/d?password=hunter2", PlaceError::Password),
            ("postgres://u@h/d?pass%77ord=hunter2", PlaceError::Password),
            ("postgres://u@h/d?sslmode=hunter2", PlaceError::SslMode),
            ("postgres://u@h/d?Hunter2", PlaceError::UnreadableParameter),
            ("u:hunter2@h/d", PlaceError::Scheme),
        ] {
            let found = refused(url);
            assert_eq!(found, error, "{url}");
            assert!(!format!("{found} {found:?}").contains("unter2"), "{found}");
        }
    }

    #[test]
    fn only_safe_modes_are_understood() {
        let remote = "postgres://u@db.example/d?sslmode=disable";
        assert_eq!(
            refused(remote),
            PlaceError::NotLocal("db.example".to_owned())
        );
        for mode in ["require", "prefer", "allow", "verify-ca", ""] {
            assert_eq!(
                refused(&format!("postgres://u@h/d?sslmode={mode}")),
                PlaceError::SslMode
            );
        }
        let socket = "postgres://u@/d?host=/run&sslmode=verify-full";
        assert_eq!(refused(socket), PlaceError::TlsOnSocket);
    }

    #[test]
    fn what_is_missing_or_strange_is_named() {
        let unknown = |name: &str| PlaceError::UnknownParameter(name.to_owned());
        for (url, error) in [
            ("mysql://u@h/d", PlaceError::Scheme),
            ("postgres://h/d", PlaceError::Missing("user")),
            ("postgres://u@/d", PlaceError::Missing("host")),
            ("postgres://u@h", PlaceError::Missing("database")),
            ("postgres://u@h/", PlaceError::Missing("database")),
            ("postgres://u@h:0/d", PlaceError::Port),
            ("postgres://u@h:+1/d", PlaceError::Port),
            ("postgres://u@h:65536/d", PlaceError::Port),
            ("postgres://u@a,b/d", PlaceError::SeveralHosts),
            ("postgres://u@a%2Cb/d", PlaceError::SeveralHosts),
            ("postgres://u@a..b/d", PlaceError::Host),
            ("postgres://u@[1.2.3.4]/d", PlaceError::Host),
            ("postgres://u@[::1/d", PlaceError::Host),
            ("postgres://u@h/d e", PlaceError::Character),
            ("postgres://u%00@h/d", PlaceError::Character),
            ("postgres://u%zz@h/d", PlaceError::Percent),
            ("postgres://u%4@h/d", PlaceError::Percent),
            ("postgres://u%ff@h/d", PlaceError::Percent),
            ("postgres://u@h/d#x", PlaceError::StrayHash),
            ("postgres://u@h/d?host=run", PlaceError::Folder),
            ("postgres://u@h/d?host=/run", PlaceError::HostAndFolder),
            ("postgres://u@/d?host=/a&host=/b", PlaceError::Twice("host")),
            ("postgres://u@h/d?sslrootcert=x", unknown("sslrootcert")),
            (
                "postgres://u@h/d?target_session_attrs=any",
                unknown("target_session_attrs"),
            ),
        ] {
            assert_eq!(refused(url), error, "{url}");
        }
    }
}
