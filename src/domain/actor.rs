use std::fmt;

/// The longest name that is kept, in characters: accounts and hosts have no longer ones.
const LONGEST: usize = 255;

/// Who does what the ledger is told of: an account of the operating system, on a host.
#[derive(Debug, Clone, PartialEq, Eq)]
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
        return "unknown".to_owned();
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
    fn who_is_not_known_is_said_to_be_unknown() {
        assert_eq!(Actor::default().to_string(), "unknown@unknown");
        assert_eq!(Actor::new(" \n", "h").user(), "unknown");
    }
}
