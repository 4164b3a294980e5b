use serde::Deserialize;

/// The `[company]` table: what the company says of itself on each person's page.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Company {
    #[serde(default)]
    pub name: String,
    #[serde(default)]
    pub contact: String,
    /// The data protection officer.
    #[serde(default)]
    pub officer: String,
    #[serde(default)]
    pub purposes: String,
    #[serde(default)]
    pub recipients: String,
    #[serde(default)]
    pub retention: String,
    /// The supervisory authority.
    #[serde(default)]
    pub authority: String,
}

impl Company {
    /// Every value, in a fixed order; one that is blank is not set.
    pub fn values(&self) -> [&str; 7] {
        [
            &self.name,
            &self.contact,
            &self.officer,
            &self.purposes,
            &self.recipients,
            &self.retention,
            &self.authority,
        ]
        .map(|value| value.trim())
    }

    /// Whether nothing is set.
    pub fn is_empty(&self) -> bool {
        self.values().iter().all(|value| value.is_empty())
    }
}
