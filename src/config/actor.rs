use crate::domain::Actor;

/// Who runs this process: the effective user, by the system's own list of accounts and not by a
/// variable that anybody can set, and the name of the host. What is not known is said to be so.
///
/// The list may be a directory on the network: ask once a process.
///
/// In a user namespace anybody may be anybody: there the account is the one that the kernel has
/// outside, by its number, which tells nobody from others.
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

/// An account without a name is common in containers.
#[cfg(unix)]
fn nameless(host: &str) -> Actor {
    Actor::numbered(&rustix::process::geteuid().as_raw().to_string(), host)
}

#[cfg(not(unix))]
fn nameless(host: &str) -> Actor {
    Actor::new("", host)
}

/// The number of this process's account outside of its user namespace; `None` where it is in none
/// that gives accounts other numbers.
#[cfg(target_os = "linux")]
fn find_outside_number() -> Option<String> {
    let map = std::fs::read_to_string("/proc/self/uid_map").ok()?;
    outside_number(&map, rustix::process::geteuid().as_raw())
}

#[cfg(not(target_os = "linux"))]
fn find_outside_number() -> Option<String> {
    None
}

/// By a map as `user_namespaces(7)` describes it: the first number inside, the first outside, how
/// many. A namespace inside of another cannot be seen through, so only the map of all accounts to
/// themselves, which the first namespace has, is none.
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
