use chrono::{DateTime, Utc};
use hmac::{Hmac, KeyInit, Mac};
use serde::{Deserialize, Serialize};
use sha2::Sha256;

use crate::domain::timestamp::stamp;
use crate::domain::{Actor, LedgerKey, PlanDigest, from_hex, to_hex};

use super::PlanFileError;
use super::error::Flaw;
use super::seal::derive;

/// The longest line of an approval, in bytes: two escaped names and the rest.
pub(super) const MAX_LINE: usize = 8 * 1024;
/// The most approvals of one plan.
pub(super) const MOST: usize = 100;

/// One person's approval of a plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Approval {
    pub by: Actor,
    pub at: DateTime<Utc>,
    pub digest: PlanDigest,
    /// HMAC-SHA-256 over `by`, `at` and `digest`, under a key from the plan's ledger key.
    code: [u8; 32],
}

#[derive(Serialize, Deserialize)]
struct Line {
    approval: WrittenApproval,
}

#[derive(Serialize, Deserialize)]
struct WrittenApproval {
    user: String,
    host: String,
    at: String,
    digest: String,
    code: String,
}

impl Approval {
    pub(super) fn new(
        by: Actor,
        at: DateTime<Utc>,
        digest: PlanDigest,
        key: &LedgerKey,
        salt: &[u8; 32],
    ) -> Self {
        let code = keyed(&by, at, &digest, key, salt).finalize().into_bytes();
        let code = code.into();
        Self {
            by,
            at,
            digest,
            code,
        }
    }

    /// The line in the file, including its line end.
    pub(super) fn to_line(&self) -> String {
        let line = Line {
            approval: WrittenApproval {
                user: self.by.user().to_owned(),
                host: self.by.host().to_owned(),
                at: stamp(self.at),
                digest: self.digest.to_string(),
                code: to_hex(&self.code),
            },
        };
        // Serializing texts cannot fail.
        let mut text = serde_json::to_string(&line).unwrap_or_default();
        text.push('\n');
        text
    }

    /// Reads a line strictly: writing it again must give the same bytes.
    pub(super) fn from_line(line: &[u8]) -> Result<Self, Flaw> {
        let damaged = || Flaw::Damaged("an approval");
        let written: Line = serde_json::from_slice(line).map_err(|_| damaged())?;
        let written = written.approval;
        let understood = || {
            Some(Self {
                by: Actor::new(&written.user, &written.host),
                at: written.at.parse().ok()?,
                digest: PlanDigest::parse(&written.digest)?,
                code: from_hex(&written.code)?,
            })
        };
        let approval = understood().ok_or_else(damaged)?;
        match approval.to_line().as_bytes() == line {
            true => Ok(approval),
            false => Err(damaged()),
        }
    }

    fn is_genuine(&self, key: &LedgerKey, salt: &[u8; 32]) -> bool {
        // A constant-time comparison.
        let expected = keyed(&self.by, self.at, &self.digest, key, salt);
        expected.verify_slice(&self.code).is_ok()
    }
}

fn keyed(
    by: &Actor,
    at: DateTime<Utc>,
    digest: &PlanDigest,
    key: &LedgerKey,
    salt: &[u8; 32],
) -> Hmac<Sha256> {
    let derived = derive(key, salt, b"dsr plan: approval");
    let keyed = Hmac::<Sha256>::new_from_slice(&derived);
    let mut keyed = keyed.expect("an HMAC takes any key");
    keyed.update(digest.as_bytes());
    for text in [by.user(), by.host(), &stamp(at)] {
        // The length keeps apart where one name ends and the next begins.
        keyed.update(&(text.len() as u64).to_be_bytes());
        keyed.update(text.as_bytes());
    }
    keyed
}

/// Checks that dsr made each approval for this plan. Each must come from another person than the
/// creator and the earlier approvers.
pub(super) fn check(
    approvals: &[Approval],
    creator: &Actor,
    digest: &PlanDigest,
    key: &LedgerKey,
    salt: &[u8; 32],
) -> Result<(), PlanFileError> {
    for (place, approval) in approvals.iter().enumerate() {
        let by = || approval.by.clone();
        // First, because the code of another plan's approval could not be checked.
        if approval.digest != *digest {
            return Err(PlanFileError::ForAnother { by: by() });
        }
        if !approval.is_genuine(key, salt) {
            return Err(PlanFileError::Forged { by: by() });
        }
        if let Some(nobody) = [creator, &approval.by]
            .into_iter()
            .find(|by| !by.is_somebody())
        {
            return Err(PlanFileError::Unclear { by: nobody.clone() });
        }
        if approval.by.may_be(creator) {
            return Err(PlanFileError::ByCreator { by: by() });
        }
        let mut earlier = approvals[..place].iter();
        if earlier.any(|earlier| earlier.by.may_be(&approval.by)) {
            return Err(PlanFileError::Doubled { by: by() });
        }
    }
    Ok(())
}
