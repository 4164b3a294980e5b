//! Shows service accounts, without user names and secrets.

use serde_json::{Value, json};

use crate::credentials::ServiceAccount;
use crate::ui::drawing::paper::Paper;

/// The service accounts that dsr may use.
#[derive(Debug, Default)]
pub struct AccountsView {
    pub accounts: Vec<ServiceAccount>,
}

impl AccountsView {
    pub(super) fn text(&self, paper: &Paper) -> String {
        let accounts = self.accounts.iter();
        accounts.map(|account| text(account, paper)).collect()
    }

    pub(super) fn objects(&self) -> Vec<Value> {
        self.accounts.iter().map(object).collect()
    }
}

fn text(account: &ServiceAccount, paper: &Paper) -> String {
    let mut facts = paper.facts(0, 11);
    facts.add("Account", &account.description());
    facts.add("Fingerprint", &account.fingerprint());
    facts.into_text()
}

fn object(account: &ServiceAccount) -> Value {
    json!({
        "name": account.name().map(|name| name.as_str()),
        "source": account.origin(),
        "fingerprint": account.fingerprint(),
    })
}
