use std::fmt;

use chrono::NaiveDate;
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};

use crate::domain::text::enums::text;
use crate::domain::{
    ApiUrl, BatchLimits, HourlyQueries, IdsKept, ProjectId, ProjectZone, Rate, Region, TokenName,
    to_hex,
};

/// The operator's name for a project: letters, digits, `-`, `_`, `.`; 1 to 64 characters.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ProjectName(String);

impl ProjectName {
    /// `None` if `text` is not such a name.
    pub fn new(text: &str) -> Option<Self> {
        let fits = (1..=64).contains(&text.len())
            && text
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
            && text.starts_with(|c: char| c.is_ascii_alphanumeric());
        fits.then(|| Self(text.to_owned()))
    }
}

text!(ProjectName);

/// Whether a text where a project's name belongs may be a token or a password, which no message
/// may show: 32 letters and digits in a row, or 20 characters whose letters and digits take turns.
pub fn looks_like_secret(text: &str) -> bool {
    let runs = || text.split(|c: char| !c.is_ascii_alphanumeric());
    let turns = |run: &str| {
        let pairs = run.as_bytes().windows(2);
        pairs
            .filter(|pair| pair[0].is_ascii_digit() != pair[1].is_ascii_digit())
            .count()
    };
    let is_mixed = text.len() >= 20 && runs().map(turns).sum::<usize>() >= 5;
    is_mixed || runs().any(|run| run.len() >= 32)
}

/// The project token: sent as `?token=`, never shown, logged or kept in the ledger.
#[derive(Clone)]
pub struct ProjectToken(SecretString);

impl ProjectToken {
    /// `None` if the text is empty or holds anything but printable ASCII.
    pub fn new(text: &str) -> Option<Self> {
        let text = text.trim();
        let fits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_graphic());
        fits.then(|| Self(SecretString::from(text)))
    }

    /// The token itself, for the wire and the config file only.
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }

    /// All digits: probably the numeric project id, which Mixpanel does not accept here.
    pub fn looks_like_project_id(&self) -> bool {
        self.expose().bytes().all(|b| b.is_ascii_digit()) && self.expose().len() < 32
    }

    /// 32 hex digits, as documented.
    pub fn has_documented_form(&self) -> bool {
        self.expose().len() == 32 && self.expose().bytes().all(|b| b.is_ascii_hexdigit())
    }
}

impl fmt::Debug for ProjectToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ProjectToken(hidden)")
    }
}

/// Identifies a project in the ledger without its token: a hash of service and token.
///
/// Two names for one project share the key and its pace. A rehearsal on loopback never shares it
/// with the real service.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ProjectKey(String);

impl ProjectKey {
    pub fn of(api_url: &ApiUrl, token: &ProjectToken) -> Self {
        let hash = Sha256::new()
            .chain_update(api_url.service())
            .chain_update([0])
            .chain_update(token.expose())
            .finalize();
        Self(to_hex(&hash[..16]))
    }

    /// A key from the ledger.
    pub fn restore(text: String) -> Self {
        Self(text)
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Where a project's calls wait for their turn: one after the other, at the project's rate.
#[derive(Debug, Clone, PartialEq)]
pub struct Lane {
    pub project: ProjectKey,
    pub rate: Rate,
}

/// One Mixpanel project with everything that a submission needs.
#[derive(Debug, Clone)]
pub struct Project {
    pub name: ProjectName,
    pub token: ProjectToken,
    pub region: Region,
    pub api_url: ApiUrl,
    pub limits: BatchLimits,
    pub rate: Rate,
    /// Only for questions about profiles.
    pub id: Option<ProjectId>,
    pub queries: HourlyQueries,
    /// `status_callback_urls`, if Mixpanel enabled them for the project; at most 5, https.
    pub callbacks: Vec<String>,
    /// Days off, besides Saturday and Sunday.
    pub holidays: Vec<NaiveDate>,
    /// The time zone of its events.
    pub zone: ProjectZone,
    /// The OAuth token to use; `None` for the default one.
    pub auth: Option<TokenName>,
    /// How long its deletions keep their ids.
    pub ids_kept: IdsKept,
}

impl Project {
    pub fn key(&self) -> ProjectKey {
        ProjectKey::of(&self.api_url, &self.token)
    }

    pub fn lane(&self) -> Lane {
        Lane {
            project: self.key(),
            rate: self.rate,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_project_token_does_not_show_itself() {
        let token = ProjectToken::new("0123456789abcdef0123456789abcdef").unwrap();
        assert_eq!(format!("{token:?}"), "ProjectToken(hidden)");
        let key = ProjectKey::of(&ApiUrl::of_region(Region::Us), &token);
        assert!(!key.as_str().contains("0123456789abcdef"));
    }

    #[test]
    fn the_key_tells_hosts_and_tokens_apart() {
        let one = ProjectToken::new("0123456789abcdef0123456789abcdef").unwrap();
        let two = ProjectToken::new("1123456789abcdef0123456789abcdef").unwrap();
        let us = &ApiUrl::of_region(Region::Us);
        assert_eq!(ProjectKey::of(us, &one), ProjectKey::of(us, &one));
        assert_ne!(ProjectKey::of(us, &one), ProjectKey::of(us, &two));
        let eu = &ApiUrl::of_region(Region::Eu);
        assert_ne!(ProjectKey::of(us, &one), ProjectKey::of(eu, &one));
    }

    #[test]
    fn a_numeric_project_id_is_recognised_as_such() {
        assert!(
            ProjectToken::new("2195193")
                .unwrap()
                .looks_like_project_id()
        );
        let token = ProjectToken::new("12345678901234567890123456789012").unwrap();
        assert!(!token.looks_like_project_id());
        assert!(token.has_documented_form());
    }

    #[test]
    fn a_secret_is_not_taken_for_a_name() {
        for secret in [
            "0123456789abcdef0123456789abcdef",
            "wJ8sK2mQp4Tz9xVb7Nc1",
            "3e0b7f52-77aa-4c1e-9a4b-0000000000a1",
            "qwertyuiopasdfghjklzxcvbnmqwertyui",
        ] {
            assert!(looks_like_secret(secret), "{secret}");
        }
        for name in [
            "shop",
            "acme-production-eu-2024-marketing",
            "CustomerAnalytics2024",
        ] {
            assert!(!looks_like_secret(name), "{name}");
        }
    }

    #[test]
    fn project_names_are_plain() {
        for good in ["acme", "acme-eu.2", "A_1"] {
            assert!(ProjectName::new(good).is_some());
        }
        for bad in ["", "-x", "a b", "a/b", "é", &"x".repeat(65)] {
            assert!(ProjectName::new(bad).is_none());
        }
    }
}
