//! The entries of libpq's password file, by the rules of its `passwordFromFile`.

use secrecy::zeroize::Zeroizing;

use super::{ServerPlace, ServerRoute};

/// The folders for which libpq's password file says `localhost`: what Debian and upstream build in.
const DEFAULT_FOLDERS: [&str; 3] = ["/run/postgresql", "/var/run/postgresql", "/tmp"];

/// The first entry that matches: the number of its line, and its password, which may be empty.
pub(super) fn find_entry(file: &[u8], place: &ServerPlace) -> Option<(usize, Zeroizing<Vec<u8>>)> {
    let port = place.port().to_string();
    let host = listed_host(place.route());
    let wanted = [
        host.as_bytes(),
        port.as_bytes(),
        place.database().as_bytes(),
        place.user().as_bytes(),
    ];
    let mut lines = file.split(|byte| *byte == b'\n').zip(1..);
    lines.find_map(|(line, number)| Some((number, matching_password(line, &wanted)?)))
}

/// The host as libpq looks it up in its password file.
fn listed_host(route: &ServerRoute) -> String {
    match route {
        ServerRoute::Socket(folder)
            if DEFAULT_FOLDERS
                .iter()
                .any(|known| folder.as_os_str() == *known) =>
        {
            "localhost".to_owned()
        }
        ServerRoute::Socket(folder) => folder.to_string_lossy().into_owned(),
        ServerRoute::Loopback(host) | ServerRoute::Tls(host) => host.clone(),
    }
}

/// The password of a line `host:port:database:user:password` that matches, without its backslashes.
fn matching_password(line: &[u8], wanted: &[&[u8]]) -> Option<Zeroizing<Vec<u8>>> {
    if line.starts_with(b"#") {
        return None;
    }
    let ended = line.iter().rev().take_while(|byte| **byte == b'\r').count();
    let mut rest = line.get(..line.len() - ended)?;
    for wanted in wanted {
        rest = after_field(rest, wanted)?;
    }
    let mut password = Zeroizing::new(Vec::with_capacity(rest.len()));
    let mut bytes = rest.iter().copied();
    while let Some(byte) = bytes.next() {
        match byte {
            // libpq ends the password there, so that the file can gain fields.
            b':' => break,
            b'\\' => password.push(bytes.next().unwrap_or(b'\\')),
            byte => password.push(byte),
        }
    }
    Some(password)
}

/// What follows a field and its `:`, if the field is `*` or spells `wanted`.
fn after_field<'a>(line: &'a [u8], wanted: &[u8]) -> Option<&'a [u8]> {
    if let Some(rest) = line.strip_prefix(b"*:") {
        return Some(rest);
    }
    let mut rest = line;
    let mut wanted = wanted.iter();
    loop {
        let (byte, after) = match rest {
            [b':', after @ ..] => return wanted.next().is_none().then_some(after),
            [b'\\', byte, after @ ..] | [byte, after @ ..] => (byte, after),
            [] => return None,
        };
        if wanted.next() != Some(byte) {
            return None;
        }
        rest = after;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOST: &str = "postgres://dsr@db.example:5433/ledger";

    fn listed(text: impl AsRef<[u8]>, url: &str) -> Option<String> {
        let (_, password) = find_entry(text.as_ref(), &ServerPlace::parse(url).unwrap())?;
        Some(String::from_utf8(password.to_vec()).unwrap())
    }

    #[test]
    fn the_first_entry_that_matches_wins() {
        let text = "# db.example:5433:ledger:dsr:comment\n\
            \n\
            other:5433:ledger:dsr:no\n\
            db.example:5432:ledger:dsr:no\n\
            db.example:5433:ledge:dsr:no\n\
            db.example:5433:ledger:dsr2:no\n\
            db.example:*:ledger:dsr:yes\r\n\
            *:*:*:*:late\n";
        assert_eq!(listed(text, HOST).unwrap(), "yes");
        assert_eq!(listed(text, "postgres://u@h/d").unwrap(), "late");
        assert_eq!(
            listed("db.example:5433:ledger:dsr:\n*:*:*:*:late", HOST).unwrap(),
            ""
        );
        assert_eq!(listed("db.example:5433:ledger:dsr", HOST), None);
    }

    #[test]
    fn backslashes_escape_in_every_field() {
        let url = "postgres://a%3Ab%5Cc@[::1]/%2A?sslmode=disable";
        assert_eq!(
            listed(r"\:\:1:5432:\*:a\:b\\c:p\:w\\d:field", url).unwrap(),
            r"p:w\d"
        );
        assert_eq!(listed(r"*:*:*:*:end\", url).unwrap(), r"end\");
        // A star that is escaped, or not alone, is a letter.
        assert_eq!(listed(r"\*:*:*:*:x", HOST), None);
        assert_eq!(listed(r"*.example:*:*:*:x", HOST), None);
        // A name that ends with an escaped letter.
        assert_eq!(
            listed(r"h:5432:d:a\::x", "postgres://a%3A@h/d").unwrap(),
            "x"
        );
        // Other lines may be in any encoding, and the last one needs no end.
        assert_eq!(listed(b"\xff:*:*:*:\xfe\n*:*:*:*:x", HOST).unwrap(), "x");
    }

    #[test]
    fn a_socket_is_localhost_only_in_the_default_folders() {
        let text = "localhost:*:*:*:default\n/srv/pg:*:*:*:own";
        assert_eq!(
            listed(text, "postgres://u@/d?host=/run/postgresql").unwrap(),
            "default"
        );
        assert_eq!(
            listed(text, "postgres://u@/d?host=/tmp").unwrap(),
            "default"
        );
        assert_eq!(listed(text, "postgres://u@/d?host=/srv/pg").unwrap(), "own");
        assert_eq!(listed(text, "postgres://u@/d?host=/srv/other"), None);
    }
}
