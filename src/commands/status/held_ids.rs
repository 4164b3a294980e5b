//! `dsr status --show-ids`: the ids of a request, while they are kept.

use crate::commands::context::Context;
use crate::domain::ExitStatus;
use crate::ledger::{Ledger, RequestRecord};
use crate::ui::Failure;

pub(crate) fn show(
    ctx: &Context,
    ledger: &Ledger,
    request: &RequestRecord,
) -> Result<ExitStatus, Failure> {
    ctx.ui.warn(
        "personal_data",
        "this shows people's ids: keep them out of logs, tickets and chats",
    );
    ctx.ui.print_held_ids(ledger, request)?;
    Ok(ExitStatus::Done)
}
