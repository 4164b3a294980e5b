//! Finds a project's token and service account, and warns of tokens that end soon or were turned away.

use chrono::{DateTime, NaiveDate, Utc};

use crate::commands::failures::{renewal, usage};
use crate::config::Mode;
use crate::credentials::{
    AccountOrigin, CredentialError, OauthToken, ServiceAccount, TokenAge, TokenOrigin, WARN_DAYS,
    find_environments_token, find_service_account, find_valid_token,
};
use crate::domain::{Project, ProjectId, ProjectKey, TokenName};
use crate::ledger::{Ledger, Rejection};
use crate::sandbox;
use crate::ui::{Failure, day_count};

use super::Context;

impl Context {
    /// Finds a project's token. Fails if it must not be sent any more.
    pub(super) fn token_of(&self, project: &Project) -> Result<OauthToken, Failure> {
        let today = self.clock.today();
        Ok(match self.mode {
            Mode::Sandbox { .. } => sandbox_token()?,
            Mode::Real => {
                let name = match &project.auth {
                    Some(name) => name.clone(),
                    None => self.default_token_name()?,
                };
                find_valid_token(&self.environment, &name, today)?
            }
        })
    }

    /// Finds the service account that may ask for the project's profiles: the one with the name of
    /// the project's token, or else the one without a name.
    pub(crate) fn account_of(&self, project: &Project) -> Result<ServiceAccount, Failure> {
        if self.is_sandbox() {
            return Ok(sandbox_account());
        }
        let name = match &project.auth {
            Some(name) => name.clone(),
            None => self.default_token_name()?,
        };
        Ok(find_service_account(&self.environment, &name)?)
    }

    /// The number by which the query API knows the project, if it is set.
    pub(crate) fn project_id(&self, project: &Project) -> Option<ProjectId> {
        match self.is_sandbox() {
            true => ProjectId::new(sandbox::project_id(project.token.expose())),
            false => project.id,
        }
    }

    /// # Errors
    /// When the number is not set.
    pub(crate) fn demand_project_id(&self, project: &Project) -> Result<ProjectId, Failure> {
        self.project_id(project).ok_or_else(|| {
            let name = &project.name;
            let or = match self.environment.project_id {
                None => "or set DSR_PROJECT_ID; Mixpanel's project settings show the number",
                Some(_) => "or set DSR_PROJECT_TOKEN beside DSR_PROJECT_ID, which could be another project's",
            };
            usage(format!("project `{name}` has no `project_id`; nothing was sent"))
                .hint(format!("run `dsr project set {name} --project-id N`, {or}"))
        })
    }

    /// Warns of a token in the environment that ends soon. Reading it costs nothing, so every
    /// command does; a keyring's token is checked when it is used.
    pub(crate) fn warn_of_environments_token(&self) {
        let given = self.environment.token.is_some() || self.environment.token_file.is_some();
        if given
            && matches!(self.mode, Mode::Real)
            && let Ok(Some(token)) = find_environments_token(&self.environment)
        {
            self.warn_of_age(&token);
            self.note_end(None, &token);
        }
    }

    pub(super) fn note_end(&self, project: Option<&ProjectKey>, token: &OauthToken) {
        if let TokenAge::Good { expires, .. } = token.age(self.clock.today()) {
            let mut ends = self.token_ends.borrow_mut();
            ends.insert(project.cloned(), expires);
        }
    }

    pub(crate) fn warn_of_age(&self, token: &OauthToken) {
        let when = match token.age(self.clock.today()) {
            TokenAge::NotKnown => return,
            TokenAge::Good { days_left, .. } if days_left > WARN_DAYS => return,
            TokenAge::Good { expires, days_left } => {
                format!("expires on {expires} ({})", day_count(days_left))
            }
            TokenAge::Expired { expired } => format!("expired on {expired}"),
        };
        let renewal = renewal(token.origin(), token.name());
        let message = format!("{} {when}; {renewal}", token.description());
        match token.name() {
            // Each named token is asked for once, and there may be several.
            Some(_) => self.ui.warn("token_expiry", &message),
            None => self.ui.warn_once("token_expiry", &message),
        }
    }

    /// Whether the project's token is good today and ends before `day`.
    pub(crate) fn token_ends_before(&self, project: &ProjectKey, day: NaiveDate) -> bool {
        let ends = self.token_ends.borrow();
        let end = ends.get(&Some(project.clone())).or_else(|| ends.get(&None));
        end.is_some_and(|end| *end < day)
    }

    /// The name of the token that projects without `auth` use.
    pub(crate) fn default_token_name(&self) -> Result<TokenName, Failure> {
        let file = self.projects_file()?;
        let named = file.default_auth().cloned();
        Ok(named.unwrap_or_else(TokenName::main))
    }

    /// Lists the tokens that the ledger knows to be turned away.
    pub(crate) fn rejections(&self) -> Result<Vec<Rejection>, Failure> {
        match self.has_ledger()? {
            true => Ok(self.open_ledger()?.list_rejections()?),
            false => Ok(Vec::new()),
        }
    }

    /// Warns of tokens in use that Mixpanel turned away. Needs no keyring: keeping a new token
    /// there removes the ledger's note.
    pub(super) fn warn_of_rejections(&self, ledger: &Ledger) -> Result<(), Failure> {
        let Ok(given) = find_environments_token(&self.environment) else {
            return Ok(());
        };
        for rejection in ledger.list_rejections()? {
            match (&given, rejection.token_name()) {
                (Some(token), _) if rejection.is_of(token) => self.warn_of_rejection(
                    &token.description(),
                    &renewal(token.origin(), None),
                    rejection.at,
                ),
                (None, Some(name)) => {
                    let origin = TokenOrigin::Keyring;
                    let which = match name.is_main() {
                        true => origin.to_string(),
                        false => format!("the token `{name}` in the keyring"),
                    };
                    self.warn_of_rejection(&which, &renewal(origin, Some(&name)), rejection.at);
                }
                _ => {}
            }
        }
        Ok(())
    }

    pub(crate) fn warn_of_rejection(&self, which: &str, renewal: &str, at: DateTime<Utc>) {
        let day = at.date_naive();
        let message = format!("Mixpanel refused {which} on {day} (401); {renewal}");
        self.ui.warn("token_rejected", &message);
    }

    pub(crate) fn warn_of_odd_token(&self, project: &Project) {
        if !project.token.has_documented_form() {
            self.ui.warn(
                "project_token",
                &format!(
                    "the token of project `{}` does not look like one: 32 hex digits",
                    project.name
                ),
            );
        }
    }

    /// Refuses in a rehearsal, whose token is fixed.
    pub(crate) fn refuse_in_sandbox(&self) -> Result<(), Failure> {
        self.refuse_sandboxed("the sandbox has a fixed token of its own; nothing was changed")
    }

    /// Refuses in a rehearsal, whose key is fixed.
    pub(crate) fn refuse_key_of_sandbox(&self) -> Result<(), Failure> {
        self.refuse_sandboxed("the sandbox has its own key, which cannot be copied or changed")
    }

    fn refuse_sandboxed(&self, why: &str) -> Result<(), Failure> {
        match self.is_sandbox() {
            false => Ok(()),
            true => Err(usage(why).hint("leave `--sandbox` out")),
        }
    }
}

pub(crate) fn parse_token_name(text: &str) -> Result<TokenName, String> {
    let message = "1 to 32 letters, digits, `-`, `_` and `.`, the first a letter or digit";
    TokenName::new(text).ok_or_else(|| message.to_owned())
}

/// Returns the sandbox's own account, which is never sent to Mixpanel.
pub(crate) fn sandbox_account() -> ServiceAccount {
    let (user, secret) = (sandbox::SERVICE_ACCOUNT, sandbox::SERVICE_ACCOUNT_SECRET);
    ServiceAccount::new(user, secret, AccountOrigin::Sandbox).expect("a constant account is one")
}

/// Returns the sandbox's own token, which is never sent to Mixpanel.
pub(crate) fn sandbox_token() -> Result<OauthToken, CredentialError> {
    let origin = TokenOrigin::Sandbox;
    OauthToken::new(sandbox::OAUTH_TOKEN, None, origin)
        .map_err(|source| CredentialError::BadToken { origin, source })
}
