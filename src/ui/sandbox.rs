//! Shows how to use the sandbox while it serves.

use serde_json::{Value, json};

use crate::ui::drawing::paper::Paper;
use crate::ui::drawing::view::View;

/// What dsr in another terminal needs to use it.
pub struct ServingView {
    pub api_url: String,
    pub token: &'static str,
    pub project_token: String,
    pub api_secret: String,
    pub project_id: u32,
    pub service_account: &'static str,
    pub service_account_secret: &'static str,
}

impl View for ServingView {
    fn human(&self, _: &Paper) -> String {
        format!(
            "DSR_API_URL={}\nDSR_TOKEN={}\nDSR_PROJECT_TOKEN={}\nDSR_REGION=us\n\
             # API secret, the password of locked exports: {}\n\
             # Service account, for queries of project {}: {}:{}\n",
            self.api_url,
            self.token,
            self.project_token,
            self.api_secret,
            self.project_id,
            self.service_account,
            self.service_account_secret,
        )
    }

    fn json(&self) -> Value {
        json!({ "sandbox": {
            "api_url": self.api_url,
            "token": self.token,
            "project_token": self.project_token,
            "api_secret": self.api_secret,
            "project_id": self.project_id,
            "service_account": self.service_account,
            "service_account_secret": self.service_account_secret,
        }})
    }
}
