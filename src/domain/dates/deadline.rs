use chrono::{Datelike, Days, Months, NaiveDate, Weekday};

use crate::domain::Law;

/// Days that Mixpanel may take from submission (`expected_completion_time` of its callbacks). Some
/// of its pages name longer times.
const MIXPANEL_DAYS: u64 = 30;

/// The first year of the two laws: the GDPR applies from 25 May 2018, the CCPA from 2020.
pub const FIRST_YEAR: i32 = 2018;

/// Days from completion that an export's link lives at least (Mixpanel, callbacks page).
const LINK_DAYS: u64 = 14;
/// Days from completion that it lives at most (Mixpanel, End User Data Management).
pub(crate) const LINK_MOST_DAYS: u64 = 30;

/// The last day of a period, and the rule behind it. Not legal advice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Deadline {
    pub due: NaiveDate,
    pub rule: &'static str,
}

/// The period to answer in: the law's own, or the one the company extended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Period {
    First,
    Extended,
}

impl Law {
    /// The rule behind the due date.
    pub fn rule(self, period: Period) -> &'static str {
        match (self, period) {
            (Self::Gdpr, Period::First) => {
                "GDPR Art. 12(3): one month from receipt, or the next working day"
            }
            (Self::Gdpr, Period::Extended) => {
                "GDPR Art. 12(3), extended: three months from receipt, or the next working day"
            }
            (Self::Ccpa, Period::First) => "11 CCR §7021(b): 45 calendar days from receipt",
            (Self::Ccpa, Period::Extended) => {
                "11 CCR §7021(b), extended: 90 calendar days from receipt"
            }
        }
    }

    /// The notice that the law requires of a company that extends the period.
    pub fn notice_rule(self) -> &'static str {
        match self {
            Self::Gdpr => {
                "GDPR Art. 12(3): the person must be told, with the reasons, within one month of receipt"
            }
            Self::Ccpa => {
                "11 CCR §7021(b): the person must be told, with an explanation of the reason, within the first 45 days"
            }
        }
    }
}

impl Deadline {
    /// Counts from today: 0 on the due day, negative after it.
    pub fn days_left(&self, today: NaiveDate) -> i64 {
        (self.due - today).num_days()
    }

    pub fn is_over(&self, today: NaiveDate) -> bool {
        self.due < today
    }

    /// The last day to submit so that Mixpanel's own period still ends by the due date.
    pub fn last_safe_day(&self) -> NaiveDate {
        let day = self.due.checked_sub_days(Days::new(MIXPANEL_DAYS));
        day.unwrap_or(NaiveDate::MIN)
    }
}

/// The last day to answer a request that was received on `received`.
///
/// GDPR: one calendar month, or three if extended by two more (Art. 12(3)). Regulation (EEC,
/// Euratom) 1182/71 says how to count. The day of receipt does not count (Art. 3(1)). The period
/// ends on the same date of its last month, or on that month's last day (Art. 3(2)(c)). From a
/// Saturday, Sunday or holiday it moves to the next working day (Art. 3(4)). An extended period
/// counts from receipt, not from the first end: 31 January to 30 April, not to 28.
///
/// CCPA: 45 calendar days, or 90 if extended by 45 more (11 CCR §7021(b)). They begin on the day of
/// receipt, even while the person is being verified, and do not move from a weekend.
pub fn due_date(law: Law, period: Period, received: NaiveDate, holidays: &[NaiveDate]) -> Deadline {
    let month = |months| next_working_day(months_after(received, months), holidays);
    Deadline {
        due: match (law, period) {
            (Law::Gdpr, Period::First) => month(1),
            (Law::Gdpr, Period::Extended) => month(3),
            (Law::Ccpa, Period::First) => days_after(received, 45),
            (Law::Ccpa, Period::Extended) => days_after(received, 90),
        },
        rule: law.rule(period),
    }
}

/// The last day to confirm receipt, if the law requires it. CCPA: 10 business days after the day of
/// receipt (11 CCR §7021(a)).
pub fn confirmation_date(
    law: Law,
    received: NaiveDate,
    holidays: &[NaiveDate],
) -> Option<NaiveDate> {
    match law {
        Law::Gdpr => None,
        Law::Ccpa => {
            let next = |day, _| next_working_day(days_after(day, 1), holidays);
            Some((0..10).fold(received, next))
        }
    }
}

/// The rule behind [`confirmation_date`].
pub const CONFIRMATION_RULE: &str = "11 CCR §7021(a): 10 business days from receipt";

/// The day by which Mixpanel expects to be done. It may take longer.
pub fn expected_completion(submitted: NaiveDate) -> NaiveDate {
    days_after(submitted, MIXPANEL_DAYS)
}

/// The day until which an export's link certainly lives. If `completed` is only the latest possible
/// day, so is the result.
pub fn link_end(completed: NaiveDate) -> NaiveDate {
    days_after(completed, LINK_DAYS)
}

/// The day until which an export's link may live. dsr tries the link until then.
pub fn link_may_end(completed: NaiveDate) -> NaiveDate {
    days_after(completed, LINK_MOST_DAYS)
}

/// The year of `day` if the listed holidays skip that year: the list is out of date.
pub fn year_without_holidays(holidays: &[NaiveDate], day: NaiveDate) -> Option<i32> {
    let is_listed = holidays.iter().any(|holiday| holiday.year() == day.year());
    (!holidays.is_empty() && !is_listed).then_some(day.year())
}

fn next_working_day(mut day: NaiveDate, holidays: &[NaiveDate]) -> NaiveDate {
    while is_free(day, holidays)
        && let Some(next) = day.succ_opt()
    {
        day = next;
    }
    day
}

fn is_free(day: NaiveDate, holidays: &[NaiveDate]) -> bool {
    matches!(day.weekday(), Weekday::Sat | Weekday::Sun) || holidays.contains(&day)
}

fn months_after(day: NaiveDate, months: u32) -> NaiveDate {
    let later = day.checked_add_months(Months::new(months));
    later.unwrap_or(NaiveDate::MAX)
}

fn days_after(day: NaiveDate, days: u64) -> NaiveDate {
    let later = day.checked_add_days(Days::new(days));
    later.unwrap_or(NaiveDate::MAX)
}

#[cfg(test)]
mod tests;
