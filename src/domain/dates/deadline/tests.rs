use proptest::prelude::*;

use super::*;

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

fn days<const N: usize>(texts: [&str; N]) -> [NaiveDate; N] {
    texts.map(day)
}

fn due(law: Law, period: Period, received: &str, holidays: &[NaiveDate]) -> NaiveDate {
    due_date(law, period, day(received), holidays).due
}

fn gdpr(received: &str) -> NaiveDate {
    due(Law::Gdpr, Period::First, received, &[])
}

#[test]
fn a_gdpr_month_ends_on_the_same_date_or_the_months_last() {
    // In these years no period ends on a free day.
    for (received, ends) in [
        ("2025-09-03", "2025-10-03"),
        ("2026-08-31", "2026-09-30"),
        ("2026-03-31", "2026-04-30"),
        ("2025-01-30", "2025-02-28"),
        ("2025-01-31", "2025-02-28"),
        ("2024-01-30", "2024-02-29"),
        ("2024-01-31", "2024-02-29"),
        ("2024-02-29", "2024-03-29"),
        ("2026-12-31", "2027-02-01"),
    ] {
        assert_eq!(gdpr(received), day(ends), "{received}");
    }
}

#[test]
fn a_gdpr_month_that_ends_on_a_free_day_moves_to_a_working_day() {
    assert_eq!(gdpr("2026-01-31"), day("2026-03-02"), "a Saturday");
    assert_eq!(gdpr("2027-01-31"), day("2027-03-01"), "a Sunday");
    let christmas = days(["2026-12-25"]);
    let moved = |received| due(Law::Gdpr, Period::First, received, &christmas);
    assert_eq!(moved("2026-11-25"), day("2026-12-28"), "and over a weekend");
    assert_eq!(moved("2026-11-24"), day("2026-12-24"));
    // Easter: Good Friday, a weekend, Easter Monday.
    let easter = days(["2027-03-26", "2027-03-29"]);
    let moved = due(Law::Gdpr, Period::First, "2027-02-26", &easter);
    assert_eq!(moved, day("2027-03-30"));
}

#[test]
fn an_extended_gdpr_period_is_three_months_from_receipt() {
    let extended = |received| due(Law::Gdpr, Period::Extended, received, &[]);
    assert_eq!(extended("2026-11-23"), day("2027-02-23"));
    assert_eq!(
        extended("2025-01-31"),
        day("2025-04-30"),
        "not two months from 28 February"
    );
    assert_eq!(
        extended("2026-01-31"),
        day("2026-04-30"),
        "not two months from 2 March, to which the first end was moved"
    );
    assert_eq!(extended("2026-11-30"), day("2027-03-01"), "a Sunday");
}

#[test]
fn ccpa_days_do_not_move() {
    let holidays = days(["2026-12-20"]);
    let first = due(Law::Ccpa, Period::First, "2026-11-05", &holidays);
    assert_eq!(first, day("2026-12-20"));
    assert_eq!(first.weekday(), Weekday::Sun);
    let extended = due(Law::Ccpa, Period::Extended, "2026-11-05", &[]);
    assert_eq!(extended, day("2027-02-03"));
    let extended = due(Law::Ccpa, Period::Extended, "2026-11-08", &holidays);
    assert_eq!(extended, day("2027-02-06"), "a Saturday");
}

#[test]
fn receipt_is_to_be_confirmed_within_ten_business_days_under_the_ccpa() {
    let confirm = |received, holidays: &[NaiveDate]| {
        confirmation_date(Law::Ccpa, day(received), holidays).unwrap()
    };
    assert_eq!(confirm("2026-11-20", &[]), day("2026-12-04"), "a Friday");
    assert_eq!(confirm("2026-11-21", &[]), day("2026-12-04"), "a Saturday");
    assert_eq!(confirm("2026-11-23", &[]), day("2026-12-07"), "a Monday");
    let thanksgiving = days(["2026-11-26", "2026-11-27"]);
    assert_eq!(confirm("2026-11-20", &thanksgiving), day("2026-12-08"));
    assert_eq!(confirmation_date(Law::Gdpr, day("2026-11-20"), &[]), None);
}

#[test]
fn each_rule_names_its_source_and_length() {
    for (law, period, words) in [
        (Law::Gdpr, Period::First, ["GDPR Art. 12(3)", "one month"]),
        (Law::Gdpr, Period::Extended, ["Art. 12(3)", "three months"]),
        (Law::Ccpa, Period::First, ["11 CCR §7021(b)", "45 calendar"]),
        (Law::Ccpa, Period::Extended, ["§7021(b)", "90 calendar"]),
    ] {
        let deadline = due_date(law, period, day("2026-11-23"), &[]);
        assert_eq!(deadline.rule, law.rule(period));
        for words in words {
            assert!(deadline.rule.contains(words), "{}", deadline.rule);
        }
    }
}

#[test]
fn what_is_submitted_after_the_last_safe_day_may_come_too_late() {
    let deadline = due_date(Law::Gdpr, Period::First, day("2026-11-23"), &[]);
    assert_eq!(deadline.due, day("2026-12-23"));
    assert_eq!(deadline.last_safe_day(), day("2026-11-23"));
    assert_eq!(expected_completion(day("2026-11-23")), deadline.due);
    let ccpa = due_date(Law::Ccpa, Period::First, day("2026-11-05"), &[]);
    assert_eq!(ccpa.last_safe_day(), day("2026-11-20"));
}

#[test]
fn a_deletion_received_on_31_january_is_late_on_the_day_it_arrives() {
    let received = day("2025-01-31");
    let deadline = due_date(Law::Gdpr, Period::First, received, &[]);
    assert_eq!(deadline.due, day("2025-02-28"));
    assert_eq!(deadline.last_safe_day(), day("2025-01-29"));
    assert!(deadline.last_safe_day() < received);
    assert_eq!(expected_completion(received), day("2025-03-02"));
}

#[test]
fn a_due_date_is_over_on_the_day_after_it() {
    let deadline = due_date(Law::Gdpr, Period::First, day("2026-11-23"), &[]);
    let left = |today| {
        let today = day(today);
        (deadline.days_left(today), deadline.is_over(today))
    };
    assert_eq!(left("2026-11-23"), (30, false));
    assert_eq!(left("2026-12-23"), (0, false));
    assert_eq!(left("2026-12-24"), (-1, true));
}

#[test]
fn a_link_lives_fourteen_days() {
    assert_eq!(link_end(day("2026-11-23")), day("2026-12-07"));
}

#[test]
fn a_list_of_holidays_of_other_years_only_is_an_old_one() {
    let list = days(["2025-12-25", "2026-12-25"]);
    assert_eq!(year_without_holidays(&list, day("2026-01-02")), None);
    assert_eq!(year_without_holidays(&list, day("2027-01-02")), Some(2027));
    assert_eq!(year_without_holidays(&[], day("2027-01-02")), None);
}

#[test]
fn the_ends_of_the_calendar_stop_nothing() {
    for law in [Law::Gdpr, Law::Ccpa] {
        for received in [NaiveDate::MIN, NaiveDate::MAX] {
            for period in [Period::First, Period::Extended] {
                let deadline = due_date(law, period, received, &[NaiveDate::MAX]);
                assert!(deadline.due >= received);
                deadline.last_safe_day();
            }
            confirmation_date(law, received, &[]);
        }
    }
    let first = Deadline {
        due: NaiveDate::MIN,
        rule: "",
    };
    assert_eq!(first.last_safe_day(), NaiveDate::MIN);
}

/// The same date some months later, or the month's last day, found by trying.
fn by_trying(received: NaiveDate, months: u32) -> NaiveDate {
    let month = received.month0() + months;
    let year = received.year() + i32::try_from(month / 12).unwrap();
    let date = |day| NaiveDate::from_ymd_opt(year, month % 12 + 1, day);
    (1..=received.day()).rev().find_map(date).unwrap()
}

fn any_day() -> impl Strategy<Value = NaiveDate> {
    (0..40_000_u64).prop_map(|count| day("1999-01-01") + Days::new(count))
}

fn holidays_after(day: NaiveDate) -> impl Strategy<Value = Vec<NaiveDate>> {
    let holiday = (0..180_u64).prop_map(move |count| day + Days::new(count));
    proptest::collection::vec(holiday, 0..30)
}

fn day_with_holidays() -> impl Strategy<Value = (NaiveDate, Vec<NaiveDate>)> {
    any_day().prop_flat_map(|day| (Just(day), holidays_after(day)))
}

proptest! {
    #[test]
    fn a_gdpr_period_ends_on_the_first_working_day_from_its_last_date(
        (received, holidays) in day_with_holidays(),
    ) {
        for (period, months) in [(Period::First, 1), (Period::Extended, 3)] {
            let due = due_date(Law::Gdpr, period, received, &holidays).due;
            let last = by_trying(received, months);
            prop_assert!(due >= last);
            prop_assert!(!is_free(due, &holidays));
            let mut between = last.iter_days().take_while(|day| *day < due);
            prop_assert!(between.all(|day| is_free(day, &holidays)));
        }
    }

    #[test]
    fn a_later_receipt_never_has_an_earlier_due_date(
        (received, holidays) in day_with_holidays(),
        later in 0..40_u64,
    ) {
        for law in [Law::Gdpr, Law::Ccpa] {
            for period in [Period::First, Period::Extended] {
                let due = |day| due_date(law, period, day, &holidays).due;
                prop_assert!(due(received) <= due(received + Days::new(later)));
            }
            let first = due_date(law, Period::First, received, &holidays).due;
            let extended = due_date(law, Period::Extended, received, &holidays).due;
            prop_assert!(received < first && first < extended);
        }
    }

    #[test]
    fn ccpa_days_are_counted_whatever_they_are((received, holidays) in day_with_holidays()) {
        for (period, days) in [(Period::First, 45), (Period::Extended, 90)] {
            let due = due_date(Law::Ccpa, period, received, &holidays).due;
            prop_assert_eq!((due - received).num_days(), days);
        }
    }

    #[test]
    fn ten_business_days_lie_between_receipt_and_its_confirmation(
        (received, holidays) in day_with_holidays(),
    ) {
        let end = confirmation_date(Law::Ccpa, received, &holidays).unwrap();
        let days = received.iter_days().skip(1).take_while(|day| *day <= end);
        prop_assert_eq!(days.filter(|day| !is_free(*day, &holidays)).count(), 10);
        prop_assert!(!is_free(end, &holidays));
    }

    #[test]
    fn holidays_that_are_not_listed_never_make_a_date_later(
        (received, holidays) in day_with_holidays(),
    ) {
        for law in [Law::Gdpr, Law::Ccpa] {
            let due = |holidays: &[NaiveDate]| due_date(law, Period::First, received, holidays).due;
            prop_assert!(due(&[]) <= due(&holidays));
            let confirm = |holidays: &[NaiveDate]| confirmation_date(law, received, holidays);
            prop_assert!(confirm(&[]) <= confirm(&holidays));
        }
    }

    #[test]
    fn what_is_submitted_by_the_last_safe_day_is_expected_in_time(received in any_day()) {
        for law in [Law::Gdpr, Law::Ccpa] {
            let deadline = due_date(law, Period::First, received, &[]);
            let last = deadline.last_safe_day();
            prop_assert_eq!(expected_completion(last), deadline.due);
        }
    }
}
