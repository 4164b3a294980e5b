use chrono::NaiveDate;

use crate::domain::Clock;
use crate::ledger::{AnswerChange, AnswerRecord, Ledger, LedgerError, RequestRecord};

/// Why an answer to a person was not recorded. Nothing changed.
#[derive(Debug, thiserror::Error)]
pub enum AnswerError {
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    #[error("{day} is in the future")]
    Future { day: NaiveDate },
    #[error("{day} is before the day of receipt, {received}")]
    BeforeReceipt { day: NaiveDate, received: NaiveDate },
}

/// Records the day on which the person was told, and replaces an earlier record. Sends nothing. The
/// answer may come before Mixpanel is done: the law asks for information on the action taken (GDPR
/// Art. 12(3)).
///
/// # Errors
/// When the day is impossible, or the ledger cannot be written.
pub fn record_answer(
    ledger: &mut Ledger,
    request: &RequestRecord,
    day: Option<NaiveDate>,
    manner: Option<String>,
    clock: &dyn Clock,
) -> Result<AnswerChange, AnswerError> {
    // An operator who only adds the manner does not change the day.
    let recorded = request.answer.as_ref().map(|answer| answer.day);
    let day = day.or(recorded).unwrap_or_else(|| clock.today());
    check_day(day, request, clock)?;
    let at = clock.now();
    let answer = AnswerRecord { day, manner, at };
    Ok(ledger.record_answer(&request.id, &answer)?)
}

/// Refuses a day on which a person cannot have been told.
pub(crate) fn check_day(
    day: NaiveDate,
    request: &RequestRecord,
    clock: &dyn Clock,
) -> Result<(), AnswerError> {
    let received = request.asked.received;
    match day {
        _ if day > clock.today() => Err(AnswerError::Future { day }),
        _ if day < received => Err(AnswerError::BeforeReceipt { day, received }),
        _ => Ok(()),
    }
}
