use crate::domain::Actor;

/// Who runs this process: the effective user, by the system's own list of accounts and not by a
/// variable that anybody can set, and the name of the host. What is not known is said to be so.
///
/// The list may be a directory on the network: ask once a process.
pub fn find_actor() -> Actor {
    let user = whoami::username().unwrap_or_else(|_| number_of_user());
    let host = whoami::hostname().unwrap_or_default();
    Actor::new(&user, &host)
}

/// An account without a name is common in containers.
#[cfg(unix)]
fn number_of_user() -> String {
    format!("uid {}", rustix::process::geteuid().as_raw())
}

#[cfg(not(unix))]
fn number_of_user() -> String {
    String::new()
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

    #[test]
    fn the_system_says_who_runs_this() {
        let expected = Actor::new(&said_by("id", "-un"), &said_by("uname", "-n"));
        assert_eq!(find_actor(), expected);
        assert_ne!(expected, Actor::default());
    }
}
