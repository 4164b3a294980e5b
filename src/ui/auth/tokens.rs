//! Shows OAuth tokens, without the tokens themselves.

use chrono::{DateTime, NaiveDate, Utc};
use serde_json::{Value, json};

use crate::credentials::{OauthToken, TokenAge, TokenOrigin};
use crate::ui::drawing::json::time;
use crate::ui::drawing::paper::Paper;
use crate::ui::drawing::table::{Column, draw};
use crate::ui::drawing::tone::Tone;
use crate::ui::drawing::view::View;
use crate::ui::drawing::words::day_count;

use super::accounts::AccountsView;

/// A token, and what is known of it.
#[derive(Debug)]
pub struct TokenState {
    pub token: OauthToken,
    /// When Mixpanel turned it away, if Mixpanel has not accepted it since.
    pub rejected_at: Option<DateTime<Utc>>,
    /// Whether projects without `auth` use it.
    pub is_default: bool,
    /// The projects that name it.
    pub projects: Vec<String>,
}

impl TokenState {
    /// Whether dsr may send it, as far as is known.
    pub fn is_usable(&self, today: NaiveDate) -> bool {
        let is_over = matches!(self.token.age(today), TokenAge::Expired { .. });
        !is_over && self.rejected_at.is_none()
    }
}

/// All tokens, with the default one.
pub struct TokensView<'a> {
    pub tokens: &'a [TokenState],
    pub accounts: &'a AccountsView,
    pub today: NaiveDate,
}

impl View for TokensView<'_> {
    fn human(&self, paper: &Paper) -> String {
        let tokens = match self.tokens {
            [one] => self.block(one, paper),
            several => self.table(several, paper),
        };
        match self.accounts.accounts.is_empty() {
            true => tokens,
            false => format!("{tokens}\n{}", self.accounts.text(paper)),
        }
    }

    fn json(&self) -> Value {
        let default = self.tokens.iter().find(|state| state.is_default);
        let tokens = self.tokens.iter().map(|state| self.object(state));
        json!({
            "token": default.map(|state| self.object(state)),
            "tokens": tokens.collect::<Vec<_>>(),
            "service_accounts": self.accounts.objects(),
        })
    }
}

impl TokensView<'_> {
    fn block(&self, state: &TokenState, paper: &Paper) -> String {
        let token = &state.token;
        let mut facts = paper.facts(0, 11);
        facts.add("Token", &token.description());
        if let Some(at) = state.rejected_at {
            let text = format!("by Mixpanel on {} (401)", at.date_naive());
            facts.add("Refused", &text);
        }
        let not_known = "not known; set DSR_TOKEN_ISSUED=YYYY-MM-DD to the day it was made";
        facts.add("Expires", &self.expires_text(token, not_known));
        facts.add("Made", &issued_text(token, "not known"));
        facts.add("Fingerprint", &token.fingerprint());
        facts.into_text()
    }

    fn table(&self, states: &[TokenState], paper: &Paper) -> String {
        let columns = [
            Column::Text("TOKEN"),
            Column::Text("EXPIRES"),
            Column::Text("USED BY"),
            Column::Text("MADE"),
            Column::Text("FINGERPRINT"),
        ];
        let rows = states.iter().map(|state| {
            let token = &state.token;
            let name = token.name().map_or("-", |name| name.as_str());
            let mut expires = self.expires_text(token, "not known");
            if let Some(at) = state.rejected_at {
                let refused = Tone::Bad.paint("REFUSED");
                expires = format!("{refused} on {} (401)", at.date_naive());
            }
            let mut users: Vec<&str> = Vec::new();
            users.extend(state.is_default.then_some("(default)"));
            users.extend(state.projects.iter().map(String::as_str));
            vec![
                name.to_owned(),
                expires,
                users.join(", "),
                issued_text(token, "not known"),
                token.fingerprint(),
            ]
        });
        let folds = ["MADE", "FINGERPRINT", "USED BY"];
        draw(&columns, &folds, &rows.collect::<Vec<_>>(), paper)
    }

    fn expires_text(&self, token: &OauthToken, not_known: &str) -> String {
        match token.age(self.today) {
            TokenAge::NotKnown if token.origin() == TokenOrigin::Sandbox => {
                "never; it is made up".to_owned()
            }
            TokenAge::NotKnown => not_known.to_owned(),
            TokenAge::Good { expires, days_left } => {
                format!("{expires} ({})", day_count(days_left))
            }
            TokenAge::Expired { expired } => {
                format!("{} on {expired}", Tone::Bad.paint("EXPIRED"))
            }
        }
    }

    fn object(&self, state: &TokenState) -> Value {
        let token = &state.token;
        let (expires, days_left, expired) = match token.age(self.today) {
            TokenAge::NotKnown => (None, None, None),
            TokenAge::Good { expires, days_left } => (Some(expires), Some(days_left), Some(false)),
            TokenAge::Expired { expired } => {
                let days = (expired - self.today).num_days();
                (Some(expired), Some(days), Some(true))
            }
        };
        json!({
            "name": token.name().map(|name| name.as_str()),
            "default": state.is_default,
            "projects": state.projects,
            "source": token.origin(),
            "fingerprint": token.fingerprint(),
            "issued": token.issued().map(|day| day.to_string()),
            "expires": expires.map(|day| day.to_string()),
            "days_left": days_left,
            "expired": expired,
            "rejected_at": state.rejected_at.map(time),
        })
    }
}

fn issued_text(token: &OauthToken, not_known: &str) -> String {
    let issued = token.issued();
    issued.map_or_else(|| not_known.to_owned(), |day| day.to_string())
}
