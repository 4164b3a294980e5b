use crate::domain::Actor;

/// Who runs this process: the effective user by the system's account list, since anyone can set a
/// variable, and the host's name. Unknown names become `unknown`.
///
/// The list may be on the network, so call this once a process.
///
/// In a user namespace anyone can have any account. There it is the number of the kernel's account
/// outside, which identifies no person.
pub fn find_actor() -> Actor {
    let host = whoami::hostname().unwrap_or_default();
    let user = whoami::username();
    match (find_outside_number(), user) {
        (Some(outside), user) => {
            let inside = user.unwrap_or_else(|_| "nobody".to_owned());
            let number = format!("{outside} (as {inside} in a user namespace)");
            Actor::numbered(&number, &host)
        }
        (None, Ok(user)) => Actor::new(&user, &host),
        (None, Err(_)) => nameless(&host),
    }
}

/// Containers often have an account without a name.
#[cfg(unix)]
fn nameless(host: &str) -> Actor {
    Actor::numbered(&rustix::process::geteuid().as_raw().to_string(), host)
}

#[cfg(not(unix))]
fn nameless(host: &str) -> Actor {
    Actor::new("", host)
}

/// The number of this process's account outside its user namespace; `None` if no namespace maps
/// accounts.
#[cfg(target_os = "linux")]
fn find_outside_number() -> Option<String> {
    let map = std::fs::read_to_string("/proc/self/uid_map").ok()?;
    outside_number(&map, rustix::process::geteuid().as_raw())
}

#[cfg(not(target_os = "linux"))]
fn find_outside_number() -> Option<String> {
    None
}

/// Reads a map as in `user_namespaces(7)`: first number inside, first number outside, count. A
/// nested namespace cannot be recognized. So only the first namespace's map, all accounts to
/// themselves, counts as no namespace.
#[cfg(target_os = "linux")]
fn outside_number(map: &str, inside: u32) -> Option<String> {
    let numbers = |line: &str| -> Vec<u64> {
        let numbers = line.split_whitespace();
        numbers.filter_map(|number| number.parse().ok()).collect()
    };
    let lines: Vec<Vec<u64>> = map.lines().map(numbers).collect();
    if lines == [[0, 0, u64::from(u32::MAX)]] {
        return None;
    }
    let inside = u64::from(inside);
    let outside = lines.iter().find_map(|line| match line.as_slice() {
        [first, outside, count] => {
            let place = inside.checked_sub(*first)?;
            (place < *count).then(|| outside + place)
        }
        _ => None,
    });
    Some(outside.map_or_else(|| "?".to_owned(), |number| number.to_string()))
}

#[cfg(all(test, unix))]
mod tests {
    use std::process::Command;

    use super::*;

    fn said_by(program: &str, argument: &str) -> String {
        let output = Command::new(program).arg(argument).output();
        let output = output.expect("the program can be run").stdout;
        String::from_utf8_lossy(&output).trim().to_owned()
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn only_the_map_of_all_to_themselves_is_no_namespace() {
        assert_eq!(
            outside_number("         0          0 4294967295\n", 0),
            None
        );
        for (map, inside, outside) in [
            ("0 1000 1\n", 0, "1000"),
            ("0 1000 1\n1 100000 65536\n", 3, "100002"),
            ("0 0 1\n", 0, "0"),
            ("0 1000 1\n", 65_534, "?"),
            ("", 0, "?"),
        ] {
            let found = outside_number(map, inside);
            assert_eq!(found.as_deref(), Some(outside), "{map:?}");
        }
    }

    #[test]
    fn the_system_says_who_runs_this() {
        let expected = Actor::new(&said_by("id", "-un"), &said_by("uname", "-n"));
        assert_eq!(find_actor(), expected);
        assert_ne!(expected, Actor::default());
    }
}
