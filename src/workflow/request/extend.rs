use chrono::NaiveDate;

use crate::domain::{Clock, Extension, Period, due_date};
use crate::ledger::{Extended, Ledger, LedgerError, RequestRecord};

use super::answer::{AnswerError, check_day};

/// Why a request was not extended. Nothing changed.
#[derive(Debug, thiserror::Error)]
pub enum ExtendError {
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    #[error(
        "the request was already extended on {day}, to {due}; it can be extended only once ({rule})"
    )]
    Again {
        day: NaiveDate,
        due: NaiveDate,
        rule: &'static str,
    },
    #[error(transparent)]
    Day(#[from] AnswerError),
    #[error("the request was answered on {day}: its time to answer is over")]
    Answered { day: NaiveDate },
    #[error("the first period was over on {due}: it is too late to extend it ({rule})")]
    TooLate { due: NaiveDate, rule: &'static str },
}

/// Records that the operator extends a request's period as the law allows: once, and only within
/// the first period, in which the person must be told: on `day`, or today. Sends nothing.
///
/// # Errors
/// When the law does not allow it, or the ledger cannot be written.
pub fn extend(
    ledger: &mut Ledger,
    request: &RequestRecord,
    reason: &str,
    day: Option<NaiveDate>,
    holidays: &[NaiveDate],
    clock: &dyn Clock,
) -> Result<(), ExtendError> {
    let asked = &request.asked;
    let law = asked.operation.law();
    let again = |extension: &Extension| ExtendError::Again {
        day: extension.day,
        due: extension.due_after,
        rule: law.rule(Period::Extended),
    };
    if let Some(extension) = &request.extension {
        return Err(again(extension));
    }
    if let Some(answer) = &request.answer {
        return Err(ExtendError::Answered { day: answer.day });
    }
    let day = day.unwrap_or_else(|| clock.today());
    check_day(day, request, clock)?;
    if request.deadline().is_over(day) {
        return Err(ExtendError::TooLate {
            due: asked.due,
            rule: law.notice_rule(),
        });
    }
    let extension = Extension {
        at: clock.now(),
        day,
        reason: reason.to_owned(),
        due_before: asked.due,
        due_after: due_date(law, Period::Extended, asked.received, holidays).due,
    };
    match ledger.record_extension(&request.id, &extension)? {
        Extended::Recorded => Ok(()),
        // Another dsr was faster.
        Extended::There(there) => Err(again(&there)),
    }
}
