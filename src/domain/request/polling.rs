use std::time::Duration;

use chrono::{DateTime, NaiveDate, NaiveTime, TimeDelta, Utc};

/// The shortest pause between two checks of one task.
const SHORTEST: Duration = Duration::from_secs(1);
/// The shortest pause after a check that brought nothing.
const SHORTEST_AFTER_NOTHING: Duration = Duration::from_secs(60);
/// The longest pause between two checks of one task. A later time comes from a clock that was set
/// back since.
pub const LONGEST_PAUSE: Duration = Duration::from_secs(3600);
/// The shortest pause because of a near deadline.
const SHORTEST_FOR_DEADLINE: Duration = Duration::from_secs(300);

/// What the last check of a task brought.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Heard {
    /// The state of the task.
    Standing,
    /// No answer, or one without a state, such as UNKNOWN.
    Nothing,
}

/// When to check a task again that is not done, after a check at `asked`.
///
/// The pause is a tenth of the task's age since `submitted`, between one second and an hour. Until
/// the end of `due` (UTC) it is at most five minutes or a 24th of the time left, whichever is
/// longer. After a check that brought nothing it is at least a minute.
///
/// An hour is early enough: an export's link lives at least 14 days from completion (Mixpanel,
/// callbacks page).
pub fn next_check(
    asked: DateTime<Utc>,
    submitted: DateTime<Utc>,
    due: NaiveDate,
    heard: Heard,
) -> DateTime<Utc> {
    let end_of_due = due.and_time(NaiveTime::MIN).and_utc() + TimeDelta::days(1);
    let pause = pause(asked - submitted, end_of_due - asked, heard);
    let pause = TimeDelta::from_std(pause).unwrap_or(TimeDelta::MAX);
    asked.checked_add_signed(pause).unwrap_or(asked)
}

fn pause(age: TimeDelta, left: TimeDelta, heard: Heard) -> Duration {
    let part = |time: TimeDelta, of: i32| (time / of).to_std().unwrap_or_default();
    let by_age = part(age, 10).clamp(SHORTEST, LONGEST_PAUSE);
    let by_deadline = match left > TimeDelta::zero() {
        true => part(left, 24).max(SHORTEST_FOR_DEADLINE),
        // The due day is over: hurrying no longer helps.
        false => LONGEST_PAUSE,
    };
    let least = match heard {
        Heard::Standing => SHORTEST,
        Heard::Nothing => SHORTEST_AFTER_NOTHING,
    };
    by_age.min(by_deadline).max(least)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const FAR: TimeDelta = TimeDelta::days(30);

    fn seconds(age: TimeDelta, left: TimeDelta) -> u64 {
        pause(age, left, Heard::Standing).as_secs()
    }

    #[test]
    fn a_task_is_asked_about_often_at_first_and_then_hourly() {
        assert_eq!(seconds(TimeDelta::zero(), FAR), 1);
        assert_eq!(seconds(TimeDelta::seconds(10), FAR), 1);
        assert_eq!(seconds(TimeDelta::minutes(10), FAR), 60);
        assert_eq!(seconds(TimeDelta::hours(5), FAR), 1800);
        for hours in [10, 11, 24 * 60, 24 * 365] {
            assert_eq!(seconds(TimeDelta::hours(hours), FAR), 3600);
        }
    }

    #[test]
    fn near_the_deadline_it_is_asked_about_sooner_and_after_it_hourly_again() {
        let old = TimeDelta::days(20);
        assert_eq!(seconds(old, TimeDelta::hours(24)), 3600);
        assert_eq!(seconds(old, TimeDelta::hours(12)), 1800);
        assert_eq!(seconds(old, TimeDelta::hours(2)), 300);
        assert_eq!(seconds(old, TimeDelta::seconds(1)), 300);
        assert_eq!(seconds(old, TimeDelta::zero()), 3600);
        assert_eq!(seconds(old, TimeDelta::days(-40)), 3600);
        assert_eq!(seconds(TimeDelta::zero(), TimeDelta::hours(2)), 1);
    }

    #[test]
    fn the_due_day_itself_still_counts() {
        let due: NaiveDate = "2026-12-21".parse().unwrap();
        let noon = "2026-12-21T12:00:00Z".parse().unwrap();
        let long_ago = "2026-11-21T12:00:00Z".parse().unwrap();
        let next = next_check(noon, long_ago, due, Heard::Standing);
        assert_eq!(next - noon, TimeDelta::minutes(30), "twelve hours are left");
        let midnight = "2026-12-22T00:00:00Z".parse().unwrap();
        let next = next_check(midnight, long_ago, due, Heard::Standing);
        assert_eq!(next - midnight, TimeDelta::hours(1));
    }

    #[test]
    fn what_brought_nothing_is_not_asked_again_within_a_minute() {
        for (age, left) in [(0, 1), (5, 600), (30, 100_000)] {
            let (age, left) = (TimeDelta::seconds(age), TimeDelta::seconds(left));
            assert_eq!(pause(age, left, Heard::Nothing).as_secs(), 60);
        }
    }

    proptest! {
        #[test]
        fn a_pause_has_bounds_and_never_shrinks_with_age_or_with_the_time_that_is_left(
            age in -1_000_000i64..200_000_000,
            older in 0i64..100_000_000,
            left in 1i64..200_000_000,
            more in 0i64..100_000_000,
        ) {
            let of = |age, left, heard| {
                pause(TimeDelta::seconds(age), TimeDelta::seconds(left), heard)
            };
            for heard in [Heard::Standing, Heard::Nothing] {
                let one = of(age, left, heard);
                prop_assert!(one >= SHORTEST && one <= LONGEST_PAUSE);
                prop_assert!(of(age + older, left, heard) >= one);
                prop_assert!(of(age, left + more, heard) >= one);
                prop_assert!(of(age, -left, heard) >= one);
            }
            prop_assert!(of(age, left, Heard::Nothing) >= of(age, left, Heard::Standing));
            prop_assert!(of(age, left, Heard::Nothing) >= SHORTEST_AFTER_NOTHING);
        }
    }
}
