use serde::Deserialize;

/// The `[company]` table: what the company says about itself on each person's page.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Company {
    #[serde(default)]
    pub name: String,
    #[serde(default)]
    pub contact: String,
    #[serde(default)]
    pub officer: String,
    #[serde(default)]
    pub purposes: String,
    #[serde(default)]
    pub recipients: String,
    #[serde(default)]
    pub retention: String,
    #[serde(default)]
    pub authority: String,
}

impl Company {
    /// All values in a fixed order; a blank one is not set.
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

    /// Whether no value is set.
    pub fn is_empty(&self) -> bool {
        self.values().iter().all(|value| value.is_empty())
    }
}
