use std::fmt;

use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;

use crate::config::Environment;
use crate::domain::ProjectKey;

use super::keyring_store::{find_text, forget, record_text};
use super::{HashKey, HashKeyError, Keyring, KeyringError};

/// A project's API secret, the password of its locked exports.
#[derive(Clone)]
pub struct ProjectSecret {
    secret: SecretString,
    origin: SecretOrigin,
}

/// Where a project's API secret came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SecretOrigin {
    Keyring,
    SecretFile,
    Sandbox,
}

impl SecretOrigin {
    pub const ALL: [Self; 3] = [Self::Keyring, Self::SecretFile, Self::Sandbox];
}

impl fmt::Display for SecretOrigin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Keyring => "in the keyring",
            Self::SecretFile => "in the file that DSR_PROJECT_SECRET_FILE names",
            Self::Sandbox => "the sandbox's fixed secret",
        })
    }
}

/// Why looking for a project's API secret failed. Never holds one.
#[derive(Debug, thiserror::Error)]
pub enum ProjectSecretError {
    #[error("the file that DSR_PROJECT_SECRET_FILE names cannot be used")]
    File(#[source] HashKeyError),
    #[error("the file that DSR_PROJECT_SECRET_FILE names holds no line of text")]
    NotText,
    #[error("the keyring cannot be asked for the project's API secret")]
    Keyring(#[from] KeyringError),
}

impl ProjectSecret {
    /// Takes a typed or read secret without outer white space; `None` if that is not a line of
    /// text.
    pub fn new(text: &str, origin: SecretOrigin) -> Option<Self> {
        let text = text.trim();
        let is_line = !text.is_empty() && !text.contains(char::is_control);
        is_line.then(|| Self {
            secret: text.into(),
            origin,
        })
    }

    /// The secret itself, for the archive and the keyring only.
    pub fn secret(&self) -> &SecretString {
        &self.secret
    }

    pub fn origin(&self) -> SecretOrigin {
        self.origin
    }
}

impl fmt::Debug for ProjectSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProjectSecret")
            .field("origin", &self.origin)
            .finish_non_exhaustive()
    }
}

/// Finds a project's API secret in the file `DSR_PROJECT_SECRET_FILE`, which must be private, or
/// else in the keyring.
pub fn find_project_secret(
    environment: &Environment,
    project: &ProjectKey,
) -> Result<Option<ProjectSecret>, ProjectSecretError> {
    let Some(path) = &environment.project_secret_file else {
        return Ok(Keyring::find_project_secret(project)?);
    };
    let bytes = HashKey::read(path).map_err(ProjectSecretError::File)?;
    let text = std::str::from_utf8(bytes.expose()).ok();
    let secret = text.and_then(|text| ProjectSecret::new(text, SecretOrigin::SecretFile));
    secret.map(Some).ok_or(ProjectSecretError::NotText)
}

impl Keyring {
    /// The project's API secret in the keyring.
    ///
    /// # Errors
    /// When the keyring fails. A missing entry is not an error.
    pub fn find_project_secret(
        project: &ProjectKey,
    ) -> Result<Option<ProjectSecret>, KeyringError> {
        let Some(text) = find_text(name(project))?.map(SecretString::from) else {
            return Ok(None);
        };
        let secret = ProjectSecret::new(text.expose_secret(), SecretOrigin::Keyring);
        secret.map(Some).ok_or(KeyringError::Damaged)
    }

    /// Stores a project's API secret and replaces the old one.
    ///
    /// # Errors
    /// When the keyring fails; the old secret stays.
    pub fn record_project_secret(
        project: &ProjectKey,
        secret: &ProjectSecret,
    ) -> Result<(), KeyringError> {
        record_text(name(project), secret.secret.expose_secret().to_owned())
    }

    /// Removes a project's API secret; returns whether there was one.
    pub fn forget_project_secret(project: &ProjectKey) -> Result<bool, KeyringError> {
        forget(name(project))
    }
}

/// By the project's key, since another project may get the same name.
fn name(project: &ProjectKey) -> String {
    format!("mixpanel-project-secret-{}", project.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_one_line_of_text_and_does_not_show_itself() {
        let origin = SecretOrigin::SecretFile;
        let secret = ProjectSecret::new(" top-secret\r\n", origin).unwrap();
        assert_eq!(secret.secret().expose_secret(), "top-secret");
        assert!(!format!("{secret:?}").contains("top"));
        for text in ["", " \n", "two\nlines", "a\0b"] {
            assert!(ProjectSecret::new(text, origin).is_none(), "{text:?}");
        }
    }
}
