//! Tokens that Mixpanel refused, each by the first digits of its hash. No token is stored.

use chrono::{DateTime, Utc};

use crate::credentials::{OauthToken, TokenOrigin};
use crate::domain::{ApiUrl, TokenName};
use crate::ledger::engine::params;

use super::columns::{format_time, moment};
use super::sql::{self, prepare};
use super::{Ledger, LedgerError};

/// A token that a service refused, with no later success of a token from the same place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejection {
    service: String,
    place: String,
    fingerprint: String,
    pub at: DateTime<Utc>,
}

impl Rejection {
    /// Whether this token is the refused one.
    pub fn is_of(&self, token: &OauthToken) -> bool {
        self.place == place_of(token) && self.fingerprint == token.fingerprint()
    }

    /// The keyring name of the refused token; `None` if it came from elsewhere.
    pub fn token_name(&self) -> Option<TokenName> {
        TokenName::new(self.place.strip_prefix(IN_KEYRING)?)
    }
}

const IN_KEYRING: &str = "keyring:";

fn place_of(token: &OauthToken) -> String {
    match (token.origin(), token.name()) {
        (TokenOrigin::Keyring, Some(name)) => place_in_keyring(name),
        (TokenOrigin::Keyring, None) => place_in_keyring(&TokenName::main()),
        (TokenOrigin::Environment, _) => "environment".to_owned(),
        (TokenOrigin::TokenFile, _) => "token_file".to_owned(),
        (TokenOrigin::Sandbox, _) => "sandbox".to_owned(),
    }
}

fn place_in_keyring(name: &TokenName) -> String {
    format!("{IN_KEYRING}{name}")
}

impl Ledger {
    /// Records that the service at `api_url` refused the token (401).
    pub fn record_rejected(
        &mut self,
        token: &OauthToken,
        api_url: &ApiUrl,
        at: DateTime<Utc>,
    ) -> Result<(), LedgerError> {
        let tx = self.write()?;
        let sql = "INSERT INTO rejected_tokens (service, place, fingerprint, at)
             VALUES ($1, $2, $3, $4)
             ON CONFLICT (service, place, fingerprint) DO UPDATE SET at = excluded.at";
        prepare(&tx, sql)?.execute(params![
            api_url.service(),
            place_of(token),
            token.fingerprint(),
            format_time(at),
        ])?;
        tx.commit()
    }

    /// Removes an earlier rejection, since the service accepts the token. Writes only if there is
    /// one.
    pub fn record_accepted(
        &mut self,
        token: &OauthToken,
        api_url: &ApiUrl,
    ) -> Result<(), LedgerError> {
        let place = place_of(token);
        // A keyring has one token of a name; variables on several machines may hold different ones.
        let is_over = |rejection: &Rejection| {
            rejection.service == api_url.service()
                && rejection.place == place
                && (place.starts_with(IN_KEYRING) || rejection.fingerprint == token.fingerprint())
        };
        let over: Vec<Rejection> = self
            .list_rejections()?
            .into_iter()
            .filter(is_over)
            .collect();
        if over.is_empty() {
            return Ok(());
        }
        let tx = self.write()?;
        for rejection in over {
            let sql = "DELETE FROM rejected_tokens
                 WHERE service = $1 AND place = $2 AND fingerprint = $3";
            sql::execute(
                &tx,
                sql,
                params![rejection.service, rejection.place, rejection.fingerprint],
            )?;
        }
        tx.commit()
    }

    /// Forgets rejections of the keyring's token with this name, after it was replaced or removed.
    pub fn record_replaced(&mut self, name: &TokenName) -> Result<(), LedgerError> {
        let tx = self.write()?;
        let sql = "DELETE FROM rejected_tokens WHERE place = $1";
        sql::execute(&tx, sql, [place_in_keyring(name)])?;
        tx.commit()
    }

    /// The refused tokens, the latest first.
    pub fn list_rejections(&self) -> Result<Vec<Rejection>, LedgerError> {
        let sql = "SELECT service, place, fingerprint, at FROM rejected_tokens
             ORDER BY at DESC, service, place, fingerprint";
        sql::list(&self.conn, sql, [], |row| {
            Ok(Rejection {
                service: row.get("service")?,
                place: row.get("place")?,
                fingerprint: row.get("fingerprint")?,
                at: moment(row, "at")?,
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::domain::Region;

    fn token(text: &str, origin: TokenOrigin) -> OauthToken {
        OauthToken::new(text, None, origin).unwrap()
    }

    fn open() -> (tempfile::TempDir, Ledger) {
        let folder = tempfile::tempdir().unwrap();
        let ledger = Ledger::open(&folder.path().join("ledger.db"), Duration::ZERO).unwrap();
        (folder, ledger)
    }

    fn noon() -> DateTime<Utc> {
        DateTime::from_timestamp(1_800_000_000, 0).unwrap()
    }

    #[test]
    fn a_rejection_lasts_until_the_same_service_takes_a_token_from_the_same_place() {
        let (_folder, mut ledger) = open();
        let (us, eu) = (ApiUrl::of_region(Region::Us), ApiUrl::of_region(Region::Eu));
        let acme = TokenName::new("acme").unwrap();
        let named = token("a-token", TokenOrigin::Keyring).named(acme.clone());
        ledger.record_rejected(&named, &eu, noon()).unwrap();
        ledger.record_rejected(&named, &eu, noon()).unwrap();
        let rejections = ledger.list_rejections().unwrap();
        assert_eq!(rejections.len(), 1);
        assert!(rejections[0].is_of(&named));
        assert_eq!(rejections[0].token_name(), Some(acme.clone()));

        let main = token("a-token", TokenOrigin::Keyring);
        assert!(!rejections[0].is_of(&main), "another place");
        let other = token("another", TokenOrigin::Keyring).named(acme.clone());
        assert!(!rejections[0].is_of(&other), "another token");
        ledger.record_accepted(&named, &us).unwrap();
        ledger.record_accepted(&main, &eu).unwrap();
        assert_eq!(ledger.list_rejections().unwrap().len(), 1);
        ledger.record_accepted(&other, &eu).unwrap();
        assert_eq!(ledger.list_rejections().unwrap(), [], "it was replaced");

        ledger.record_rejected(&named, &eu, noon()).unwrap();
        ledger.record_replaced(&TokenName::main()).unwrap();
        assert_eq!(ledger.list_rejections().unwrap().len(), 1);
        ledger.record_replaced(&acme).unwrap();
        assert_eq!(ledger.list_rejections().unwrap(), []);
    }

    #[test]
    fn a_refused_token_of_one_variable_does_not_refuse_another() {
        let (_folder, mut ledger) = open();
        let us = ApiUrl::of_region(Region::Us);
        let one = token("one", TokenOrigin::Environment);
        let two = token("two", TokenOrigin::Environment);
        ledger.record_rejected(&one, &us, noon()).unwrap();
        ledger.record_accepted(&two, &us).unwrap();
        assert_eq!(ledger.list_rejections().unwrap().len(), 1);
        ledger.record_accepted(&one, &us).unwrap();
        assert_eq!(ledger.list_rejections().unwrap(), []);
    }
}
