//! Failures of writing, approving and applying plans.

use crate::credentials::LedgerKeyError;
use crate::domain::ExitStatus;
use crate::plan_file::PlanFileError;
use crate::ui::Failure;
use crate::workflow::{Outdated, PlanningError};

use super::{in_the_way, ledger_key_hint};

/// How an approver gets the key that sealed a plan.
const GET_KEY: &str = "have the plan's creator run `dsr auth ledger-key --to FILE` and hand you the file safely; set DSR_LEDGER_KEY_FILE to it";

const PLAN_ANEW: &str = "nothing was sent; make a new plan with `--plan`, and have it approved";

impl From<PlanFileError> for Failure {
    fn from(error: PlanFileError) -> Self {
        let input = |hint| (ExitStatus::Input, "plan", hint);
        let refused = |hint| (ExitStatus::Usage, "approval", hint);
        let (status, kind, hint) = match &error {
            PlanFileError::Exists { path } => {
                return in_the_way(path, "nothing was written; name a new file");
            }
            PlanFileError::Write { .. } => (
                ExitStatus::LocalIo,
                "local_io",
                "no partial file was kept; free space, correct the permissions or name another folder",
            ),
            PlanFileError::Read { .. } => input("check that the file is there and readable"),
            PlanFileError::NotAPlan { .. } => {
                input("name a plan file, from `--plan` of `dsr delete` or `dsr export`")
            }
            PlanFileError::Newer { .. } => input("use the dsr that wrote it, or a newer one"),
            PlanFileError::Damaged { .. } => input(
                "nothing was sent; get the file again from its creator (mail may change line breaks: send it in a zip), or make a new plan",
            ),
            PlanFileError::ForAnother { .. }
            | PlanFileError::Forged { .. }
            | PlanFileError::ByCreator { .. }
            | PlanFileError::Doubled { .. } => input(
                "nothing was sent; find out who added it, then make a new plan and have it approved",
            ),
            PlanFileError::TooLong => (
                ExitStatus::Usage,
                "usage",
                "nothing was written; plan fewer sources at a time",
            ),
            PlanFileError::OtherKey { .. } => (ExitStatus::Usage, "ledger_key", GET_KEY),
            PlanFileError::Link { .. } => refused("nothing was approved; name the file itself"),
            PlanFileError::OwnPlan { .. } => {
                refused("nothing was approved; have another operator run `dsr approve`")
            }
            PlanFileError::Unclear { .. } => refused(
                "nothing was approved or sent; plan and approve from accounts with names, outside of user namespaces (`unshare`, rootless containers)",
            ),
            PlanFileError::Again { .. } => {
                refused("nothing was changed; see the plan with `dsr apply FILE --dry-run`")
            }
            PlanFileError::Replaced { .. } => {
                refused("nothing was approved; look at it with `dsr approve` again")
            }
        };
        Self::from_error(status, kind, &error).hint(hint)
    }
}

impl From<Outdated> for Failure {
    fn from(error: Outdated) -> Self {
        let (kind, hint) = match &error {
            Outdated::Future { .. } => (
                "outdated_plan",
                "nothing was sent; correct this machine's clock, or make a new plan with `--plan`",
            ),
            Outdated::Region { .. }
            | Outdated::Service { .. }
            | Outdated::Token { .. }
            | Outdated::Due { .. }
            | Outdated::ConfirmBy
            | Outdated::Expired { .. } => ("outdated_plan", PLAN_ANEW),
            Outdated::NotEnoughApprovals { .. } => (
                "approvals",
                "nothing was sent; have another operator run `dsr approve FILE`",
            ),
        };
        Self::from_error(ExitStatus::Usage, kind, &error).hint(hint)
    }
}

impl From<PlanningError> for Failure {
    fn from(error: PlanningError) -> Self {
        match error {
            PlanningError::File(error) => error.into(),
            PlanningError::Ids(error) => error.into(),
            PlanningError::Shown(error) => error.into(),
        }
    }
}

/// No key is available to open a plan or check its approvals.
pub(crate) fn no_key_for_plans(error: &LedgerKeyError) -> Failure {
    let hint = match error {
        LedgerKeyError::Keyring(_) | LedgerKeyError::Gone => GET_KEY.to_owned(),
        LedgerKeyError::Read { .. }
        | LedgerKeyError::Open { .. }
        | LedgerKeyError::Malformed { .. }
        | LedgerKeyError::Write { .. }
        | LedgerKeyError::Lock(_) => ledger_key_hint(error),
    };
    Failure::from_error(ExitStatus::Usage, "ledger_key", error).hint(hint)
}
