//! Shows where the ledger key is, and whether it is this ledger's.

use serde_json::{Value, json};

use crate::credentials::KeyOrigin;
use crate::domain::LedgerKey;
use crate::ui::drawing::paper::Paper;
use crate::ui::drawing::view::View;

/// A ledger key, shown by its fingerprint.
pub struct LedgerKeyView {
    origin: KeyOrigin,
    fingerprint: String,
    /// The fingerprint of the key that the ledger's people were hashed under, if any were.
    remembered: Option<String>,
}

impl LedgerKeyView {
    pub fn new(key: &LedgerKey, origin: KeyOrigin, remembered: Option<&str>) -> Self {
        Self {
            origin,
            fingerprint: key.fingerprint(),
            remembered: remembered.map(str::to_owned),
        }
    }

    fn is_the_ledgers(&self) -> Option<bool> {
        let remembered = self.remembered.as_ref();
        remembered.map(|known| *known == self.fingerprint)
    }
}

impl View for LedgerKeyView {
    fn human(&self, _: &Paper) -> String {
        let standing = match self.is_the_ledgers() {
            Some(true) => "The ledger's ids are hashed with this key.",
            Some(false) => {
                "The ledger's ids are hashed with ANOTHER key: with this key, dsr finds nobody."
            }
            None => "The ledger has no hashed ids yet.",
        };
        format!(
            "The ledger key {} is in {}.\n{standing}\n",
            self.fingerprint, self.origin
        )
    }

    fn json(&self) -> Value {
        let (origin, file) = match &self.origin {
            KeyOrigin::Keyring => ("keyring", None),
            KeyOrigin::Sandbox => ("sandbox", None),
            KeyOrigin::File(path) => ("file", Some(path.display().to_string())),
        };
        json!({
            "origin": origin,
            "file": file,
            "fingerprint": self.fingerprint,
            "is_the_ledgers": self.is_the_ledgers(),
        })
    }
}
