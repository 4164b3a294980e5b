use chrono::{Datelike, Days, Months, NaiveDate, Weekday};

use super::Law;

/// The last day to answer a request, and the rule it follows from. Not legal advice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Deadline {
    pub due: NaiveDate,
    pub rule: &'static str,
}

/// The last day to answer a request that was received on `received`.
///
/// GDPR: one calendar month (Art. 12(3)), counted as Regulation (EEC, Euratom) 1182/71 says: the
/// day of receipt is not counted, the period ends on the same date of the next month or on its
/// last day (Art. 3(2)(c)), and moves to the next working day from a Saturday, Sunday or holiday
/// (Art. 3(4)). CCPA: 45 calendar days (11 CCR §7021(b)), which do not move.
pub fn due_date(law: Law, received: NaiveDate, holidays: &[NaiveDate]) -> Deadline {
    match law {
        Law::Gdpr => Deadline {
            due: next_working_day(received + Months::new(1), holidays),
            rule: "GDPR Art. 12(3): one month from receipt, moved to a working day",
        },
        Law::Ccpa => Deadline {
            due: received + Days::new(45),
            rule: "11 CCR §7021(b): 45 calendar days from receipt",
        },
    }
}

fn next_working_day(mut day: NaiveDate, holidays: &[NaiveDate]) -> NaiveDate {
    while matches!(day.weekday(), Weekday::Sat | Weekday::Sun) || holidays.contains(&day) {
        day = day + Days::new(1);
    }
    day
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    fn gdpr(received: &str) -> NaiveDate {
        due_date(Law::Gdpr, day(received), &[]).due
    }

    #[test]
    fn a_gdpr_month_ends_on_the_same_date_or_the_months_last() {
        assert_eq!(gdpr("2025-09-03"), day("2025-10-03"));
        assert_eq!(gdpr("2026-08-31"), day("2026-09-30"));
        assert_eq!(gdpr("2026-03-31"), day("2026-04-30"));
        assert_eq!(gdpr("2025-01-30"), day("2025-02-28"));
        assert_eq!(gdpr("2024-01-30"), day("2024-02-29"));
    }

    #[test]
    fn a_gdpr_month_that_ends_on_a_free_day_moves_to_a_working_day() {
        assert_eq!(
            gdpr("2026-01-31"),
            day("2026-03-02"),
            "28 February 2026 is a Saturday"
        );
        let christmas = [day("2026-12-25")];
        let due = due_date(Law::Gdpr, day("2026-11-25"), &christmas).due;
        assert_eq!(due, day("2026-12-28"));
    }

    #[test]
    fn ccpa_days_do_not_move() {
        let due = due_date(Law::Ccpa, day("2026-11-05"), &[]).due;
        assert_eq!(due, day("2026-12-20"));
        assert_eq!(due.weekday(), Weekday::Sun);
    }
}
