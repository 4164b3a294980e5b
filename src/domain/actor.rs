use std::fmt;

/// The longest name that is kept, in characters.
use serde::Serialize;

const LONGEST: usize = 255;

/// The prefix of an account's number, for an account without a name.
const NUMBERED: &str = "uid ";

const UNKNOWN: &str = "unknown";

/// The account of the operating system, and its host, that an entry of the ledger names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Actor {
    user: String,
    host: String,
}

impl Actor {
    /// Characters that could steer a terminal or break a line become U+FFFD. A name is cut after
    /// 255 characters; an empty one becomes `unknown`.
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

    /// An account without a name, by its number.
    pub fn numbered(number: &str, host: &str) -> Self {
        Self::new(&format!("{NUMBERED}{number}"), host)
    }

    /// Whether the account names a person. An unknown account, or one with only a number, may be
    /// anyone's.
    pub fn is_somebody(&self) -> bool {
        !self.user.starts_with(NUMBERED) && self.user != UNKNOWN
    }

    /// Whether two accounts may belong to one person. Domain, host and letter case do not count. An
    /// account that names no person may be anyone.
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

    /// The name of the machine or container.
    pub fn host(&self) -> &str {
        &self.host
    }
}

impl Default for Actor {
    fn default() -> Self {
        Self::new("", "")
    }
}

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
    fn one_person_is_one_in_any_domain_and_case() {
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
    fn an_account_without_a_name_is_called_unknown() {
        assert_eq!(Actor::default().to_string(), "unknown@unknown");
        assert_eq!(Actor::new(" \n", "h").user(), "unknown");
    }
}
