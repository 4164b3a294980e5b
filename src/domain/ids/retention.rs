//! How long dsr keeps the ids of done exports and the records of closed requests.

use chrono::{DateTime, Months, NaiveDate, NaiveTime, Utc};

use crate::domain::dates::deadline::LINK_MOST_DAYS;
use crate::domain::dates::window::RetentionWindow;

/// Days to keep an export's ids after its end. Splitting the export needs them while its link may
/// live.
pub const EXPORT_IDS_DAYS: u64 = LINK_MOST_DAYS;

/// Days to keep a deletion's ids after it was done, at most, if its project wants it verified.
pub const VERIFY_IDS_DAYS: u64 = 10;

/// Until when a deletion's ids stay in the ledger. An export's have a rule of their own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum IdsKept {
    #[default]
    UntilDone,
    /// Until a whole check found that nobody has a profile, or [`VERIFY_IDS_DAYS`] have passed.
    UntilVerified,
}

const LEAST_MONTHS: u32 = 24;

/// The rule behind the 24 months. Not legal advice.
pub const RETENTION_RULE: &str =
    "11 CCR §7101: records of requests are kept for at least 24 months";

/// Records of requests closed before this day may go. Days are UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cutoff(NaiveDate);

/// Why a cutoff is not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CutoffError {
    #[error("`--older-than` takes a day such as 2024-05-31, or a time such as 30months or 3years")]
    Unreadable,
    #[error("requests closed on or after {floor} must be kept: {RETENTION_RULE}")]
    TooYoung { floor: NaiveDate },
}

impl Cutoff {
    /// Reads a day, or a time before `today`.
    ///
    /// # Errors
    /// When the text is neither, or within the 24 months that records are kept.
    pub fn parse(text: &str, today: NaiveDate) -> Result<Self, CutoffError> {
        let day = text.parse().ok().or_else(|| {
            let window: RetentionWindow = text.parse().ok()?;
            window.limit(today)
        });
        let day: NaiveDate = day.ok_or(CutoffError::Unreadable)?;
        let floor = today
            .checked_sub_months(Months::new(LEAST_MONTHS))
            .ok_or(CutoffError::Unreadable)?;
        match day > floor {
            true => Err(CutoffError::TooYoung { floor }),
            false => Ok(Self(day)),
        }
    }

    pub fn day(self) -> NaiveDate {
        self.0
    }

    /// The start of the day.
    pub fn moment(self) -> DateTime<Utc> {
        self.0.and_time(NaiveTime::MIN).and_utc()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    #[test]
    fn a_day_is_counted_back_by_the_calendar() {
        let today = day("2026-11-22");
        for (text, expected) in [
            ("24months", "2024-11-22"),
            ("24 months", "2024-11-22"),
            ("2y", "2024-11-22"),
            ("3years", "2023-11-22"),
            ("731d", "2024-11-21"),
            ("1000days", "2024-02-26"),
            ("2024-01-01", "2024-01-01"),
        ] {
            let cutoff = Cutoff::parse(text, today).map(Cutoff::day);
            assert_eq!(cutoff, Ok(day(expected)), "{text}");
        }
        for text in [
            "",
            "24",
            "months",
            "-3years",
            "2 centuries",
            "24m",
            "99999999999y",
            "9999999y",
        ] {
            let cutoff = Cutoff::parse(text, today);
            assert_eq!(cutoff, Err(CutoffError::Unreadable), "{text}");
        }
    }

    #[test]
    fn nothing_younger_than_24_months_goes() {
        let today = day("2026-11-22");
        let floor = day("2024-11-22");
        for text in ["2024-11-23", "23months", "1y", "729d", "2027-01-01"] {
            let cutoff = Cutoff::parse(text, today);
            assert_eq!(cutoff, Err(CutoffError::TooYoung { floor }), "{text}");
        }
        // 28 February replaces the missing 29 February.
        let leap = Cutoff::parse("24months", day("2028-02-29")).unwrap();
        assert_eq!(leap.day(), day("2026-02-28"));
        assert_eq!(leap.moment().to_rfc3339(), "2026-02-28T00:00:00+00:00");
    }
}
