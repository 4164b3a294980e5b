//! The host and the port in a server's URL.

use std::net::{IpAddr, Ipv6Addr};

use super::PlaceError;

const DEFAULT_PORT: u16 = 5432;

pub(super) fn bracketed(host: &str) -> String {
    match host.contains(':') {
        true => format!("[{host}]"),
        false => host.to_owned(),
    }
}

/// Splits `host:port`, where the host can be an IPv6 address in brackets.
pub(super) fn split_port(text: &str) -> Result<(&str, u16), PlaceError> {
    let (host, port) = match text.strip_prefix('[') {
        Some(rest) => {
            let (host, port) = rest.split_once(']').ok_or(PlaceError::Host)?;
            if host.parse::<Ipv6Addr>().is_err() {
                return Err(PlaceError::Host);
            }
            match port.strip_prefix(':') {
                None if !port.is_empty() => return Err(PlaceError::Host),
                port => (host, port),
            }
        }
        None if text.contains(',') => return Err(PlaceError::SeveralHosts),
        None => match text.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (text, None),
        },
    };
    // `parse` would also accept a sign.
    let port = match port {
        None | Some("") => DEFAULT_PORT,
        Some(port) if port.bytes().all(|byte| byte.is_ascii_digit()) => {
            port.parse().map_err(|_| PlaceError::Port)?
        }
        Some(_) => return Err(PlaceError::Port),
    };
    match port {
        0 => Err(PlaceError::Port),
        port => Ok((host, port)),
    }
}

pub(super) fn is_host(host: &str) -> bool {
    let is_name = host.len() <= 253
        && host.split('.').all(|label| {
            let mut bytes = label.bytes();
            !label.is_empty()
                && bytes.all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
        });
    is_name || host.parse::<IpAddr>().is_ok()
}

pub(super) fn is_loopback(host: &str) -> bool {
    host.eq_ignore_ascii_case("localhost")
        || host
            .parse::<IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_a_name_or_an_address() {
        for host in [
            "localhost",
            "db-1.example",
            "a_b",
            "10.0.0.1",
            "fd00::1",
            "xn--bcher-kva",
        ] {
            assert!(is_host(host), "{host}");
        }
        for host in ["", "a b", "a..b", ".a", "@run", "bücher", "a:b", "/run"] {
            assert!(!is_host(host), "{host}");
        }
    }

    #[test]
    fn only_this_machine_is_loopback() {
        for host in ["localhost", "LOCALHOST", "127.0.0.1", "127.9.9.9", "::1"] {
            assert!(is_loopback(host), "{host}");
        }
        // Resolvers read some of these as loopback. dsr then only asks for more: TLS.
        for host in [
            "localhost.example",
            "127.1",
            "0.0.0.0",
            "::",
            "::ffff:127.0.0.1",
            "10.0.0.1",
        ] {
            assert!(!is_loopback(host), "{host}");
        }
    }

    #[test]
    fn an_address_in_brackets_keeps_its_colons() {
        assert_eq!(split_port("[::1]:6000"), Ok(("::1", 6000)));
        assert_eq!(split_port("[::1]"), Ok(("::1", 5432)));
        assert_eq!(split_port("h:"), Ok(("h", 5432)));
        assert_eq!(bracketed("::1"), "[::1]");
        for text in ["[::1]6000", "[::1", "[h]", "::1", "h:1:2"] {
            assert!(split_port(text).is_err(), "{text}");
        }
    }
}
