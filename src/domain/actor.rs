use std::fmt;

use serde::Serialize;

/// The longest name that is kept, in characters: accounts and hosts have no longer ones.
const LONGEST: usize = 255;

/// What stands before the number of an account that has no name.
const NUMBERED: &str = "uid ";

/// Who nobody knows.
const UNKNOWN: &str = "unknown";

/// Who does what the ledger is told of: an account of the operating system, on a host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Actor {
    user: String,
    host: String,
}

impl Actor {
    /// Takes the names as the system has them. What would steer a terminal or break a line becomes
    /// U+FFFD, and what is over 255 characters is cut off; an empty name becomes `unknown`.
    pub fn new(user: &str, host: &str) -> Self {
        Self {
            user: clean(user),
            host: clean(host),
        }
    }

    /// The name of the account, or `uid 1000` for one that has no name.
    pub fn user(&self) -> &str {
        &self.user
    }

    /// An account without a name of its own, by its number.
    pub fn numbered(number: &str, host: &str) -> Self {
        Self::new(&format!("{NUMBERED}{number}"), host)
    }

    /// Whether the account names somebody: one that has only a number, or is not known, may be
    /// anybody's.
    pub fn is_somebody(&self) -> bool {
        !self.user.starts_with(NUMBERED) && self.user != UNKNOWN
    }

    /// Whether two may be the same person. The same name without its domain and whatever its case
    /// is one person, on whatever host; so is whoever cannot be told apart.
    pub fn may_be(&self, other: &Self) -> bool {
        let both_named = self.is_somebody() && other.is_somebody();
        !both_named || self.bare_name() == other.bare_name()
    }

    /// `anna` of `CORP\Anna`, `CORP+anna` and `anna@corp.example`.
    fn bare_name(&self) -> String {
        let name = self.user.rsplit(['\\', '/', '+']).next();
        let name = name.and_then(|name| name.split('@').next());
        name.unwrap_or_default().to_lowercase()
    }

    /// The name of the machine, or of the container.
    pub fn host(&self) -> &str {
        &self.host
    }
}

impl Default for Actor {
    fn default() -> Self {
        Self::new("", "")
    }
}

/// `user@host`.
impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.user, self.host)
    }
}

fn clean(name: &str) -> String {
    let name = name.trim();
    if name.is_empty() {
        return UNKNOWN.to_owned();
    }
    let shown = |c: char| match c {
        '\u{61c}' | '\u{200e}' | '\u{200f}' => char::REPLACEMENT_CHARACTER,
        '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => char::REPLACEMENT_CHARACTER,
        c if c.is_control() => char::REPLACEMENT_CHARACTER,
        c => c,
    };
    name.chars().take(LONGEST).map(shown).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_kept_and_cannot_steer_a_terminal_or_break_a_line() {
        let actor = Actor::new("anna", "ops-1.example");
        assert_eq!((actor.user(), actor.host()), ("anna", "ops-1.example"));
        assert_eq!(actor.to_string(), "anna@ops-1.example");
        let odd = Actor::new("CORP\\Jörg Müller", "\u{1b}[2Jhost\n\u{202e}x");
        assert_eq!(odd.user(), "CORP\\Jörg Müller");
        assert_eq!(odd.host(), "\u{fffd}[2Jhost\u{fffd}\u{fffd}x");
        assert_eq!(Actor::new(&"x".repeat(300), "h").user().len(), LONGEST);
    }

    #[test]
    fn one_person_is_one_whatever_the_domain_and_the_case_and_nobody_is_two() {
        let anna = Actor::new("anna", "desk-1");
        for name in [
            "Anna",
            "CORP\\anna",
            "anna@corp.example",
            "CORP+ANNA",
            "corp/anna",
        ] {
            assert!(anna.may_be(&Actor::new(name, "desk-2")), "{name}");
        }
        for name in ["ben", "CORP\\ben", "annalena"] {
            assert!(!anna.may_be(&Actor::new(name, "desk-1")), "{name}");
        }
        for nobody in [
            Actor::default(),
            Actor::numbered("1000", "desk-1"),
            Actor::numbered("1000 (as root in a user namespace)", "desk-1"),
        ] {
            assert!(anna.may_be(&nobody) && nobody.may_be(&anna), "{nobody}");
        }
    }

    #[test]
    fn who_is_not_known_is_said_to_be_unknown() {
        assert_eq!(Actor::default().to_string(), "unknown@unknown");
        assert_eq!(Actor::new(" \n", "h").user(), "unknown");
    }
}
