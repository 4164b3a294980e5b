//! Counts the requests of a period by law and kind: how they were answered, and in how many days.
//!
//! Memory grows with the months and the different numbers of days, not with the requests.

use std::collections::BTreeMap;

use chrono::{Datelike, NaiveDate};
use serde::Serialize;

use crate::domain::{Kind, Law};

use super::answer::{Nature, Timing};
use super::facts::RowFacts;

/// Adds up requests one by one.
#[derive(Debug, Clone, Default)]
pub struct Figures {
    by_year: BTreeMap<(i32, Group), RequestTally>,
    by_month: BTreeMap<(i32, u32), BTreeMap<Group, usize>>,
    all: RequestTally,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Group {
    pub(super) law: Law,
    kind: Kind,
}

#[derive(Debug, Clone, Default)]
pub(super) struct RequestTally {
    pub(super) received: usize,
    pub(super) whole: usize,
    pub(super) part: usize,
    pub(super) not_carried_out: usize,
    pub(super) unknown: usize,
    pub(super) open: usize,
    pub(super) extended: usize,
    /// Closed requests without a recorded answer.
    pub(super) not_recorded: usize,
    /// Answers dated before the receipt: neither in time nor late.
    pub(super) contradictory: usize,
    pub(super) ids: IdTally,
    /// Only requests with a recorded answer.
    pub(super) in_time: DaysTaken,
    pub(super) late: DaysTaken,
}

#[derive(Debug, Clone, Copy, Default, Serialize)]
pub(super) struct IdTally {
    /// Includes excluded ids.
    pub(super) received: usize,
    pub(super) carried_out: usize,
    /// Refused, failed, revoked and excluded.
    pub(super) not_carried_out: usize,
    pub(super) unknown: usize,
    pub(super) open: usize,
}

/// How many requests took each number of days.
#[derive(Debug, Clone, Default)]
pub(super) struct DaysTaken(BTreeMap<i64, usize>);

impl Group {
    pub(super) const ALL: [Self; 4] = [
        Self::of(Law::Gdpr, Kind::Export),
        Self::of(Law::Gdpr, Kind::Delete),
        Self::of(Law::Ccpa, Kind::Export),
        Self::of(Law::Ccpa, Kind::Delete),
    ];

    const fn of(law: Law, kind: Kind) -> Self {
        Self { law, kind }
    }

    pub(super) fn title(self) -> &'static str {
        match (self.law, self.kind) {
            (Law::Gdpr, Kind::Export) => "GDPR export",
            (Law::Gdpr, Kind::Delete) => "GDPR deletion",
            (Law::Ccpa, Kind::Export) => "CCPA request to know",
            (Law::Ccpa, Kind::Delete) => "CCPA request to delete",
        }
    }
}

impl Figures {
    pub(super) fn add(&mut self, row: &RowFacts) {
        let group = Group::of(row.asked.law, row.asked.kind);
        let day = row.asked.received;
        self.all.add(row);
        self.by_year
            .entry((day.year(), group))
            .or_default()
            .add(row);
        let month = self.by_month.entry((day.year(), day.month())).or_default();
        *month.entry(group).or_default() += 1;
    }

    /// The number of requests.
    pub fn received(&self) -> usize {
        self.all.received
    }

    pub(super) fn all(&self) -> &RequestTally {
        &self.all
    }

    /// By calendar year, then by law and kind.
    pub(super) fn years(&self) -> impl Iterator<Item = (i32, Group, &RequestTally)> {
        let years = self.by_year.iter();
        years.map(|((year, group), tally)| (*year, *group, tally))
    }

    /// The days that requests under a law took: in time, and late.
    pub(super) fn days_of(&self, law: Law) -> (DaysTaken, DaysTaken) {
        let mut days = (DaysTaken::default(), DaysTaken::default());
        for (_, _, tally) in self.years().filter(|(_, group, _)| group.law == law) {
            days.0.merge(&tally.in_time);
            days.1.merge(&tally.late);
        }
        days
    }

    /// Every month of a period, including empty ones.
    pub(super) fn months(&self, from: NaiveDate, to: NaiveDate) -> Vec<(NaiveDate, [usize; 4])> {
        let first = from.with_day(1).unwrap_or(from);
        let next = |month: &NaiveDate| month.checked_add_months(chrono::Months::new(1));
        let months = std::iter::successors(Some(first), next);
        let count = |month: NaiveDate| {
            let counts = self.by_month.get(&(month.year(), month.month()));
            let of = |group: Group| counts.and_then(|counts| counts.get(&group)).copied();
            (month, Group::ALL.map(|group| of(group).unwrap_or(0)))
        };
        months.take_while(|month| *month <= to).map(count).collect()
    }

    /// One JSON entry per calendar year, law and kind.
    pub(super) fn objects(&self, from: NaiveDate, to: NaiveDate) -> Vec<FigureObject<'_>> {
        let object = |(year, group, tally)| FigureObject::new(year, group, tally, from, to);
        self.years().map(object).collect()
    }
}

impl RequestTally {
    fn add(&mut self, row: &RowFacts) {
        let answer = &row.answer;
        self.received += 1;
        *match answer.nature {
            Nature::Whole => &mut self.whole,
            Nature::Part => &mut self.part,
            Nature::NotCarriedOut => &mut self.not_carried_out,
            Nature::Unknown => &mut self.unknown,
            Nature::Open => &mut self.open,
        } += 1;
        let is_open = answer.nature == Nature::Open;
        self.not_recorded += usize::from(answer.timing == Timing::NoAnswer && !is_open);
        self.contradictory += usize::from(answer.timing == Timing::DatesContradict);
        self.extended += usize::from(row.asked.extension.is_some());
        if let Some(days) = answer.days {
            match answer.timing {
                Timing::Late => self.late.add(days),
                _ => self.in_time.add(days),
            }
        }
        let ids = &row.ids;
        self.ids.received += ids.unique + ids.excluded;
        self.ids.carried_out += ids.carried_out;
        self.ids.not_carried_out += ids.refused + ids.failed + ids.revoked + ids.excluded;
        self.ids.unknown += ids.given_up;
        self.ids.open += ids.open + ids.not_fetched;
    }

    pub(super) fn carried_out(&self) -> usize {
        self.whole + self.part
    }

    pub(super) fn days(&self) -> DaysTaken {
        let mut days = self.in_time.clone();
        days.merge(&self.late);
        days
    }
}

impl DaysTaken {
    fn add(&mut self, days: i64) {
        *self.0.entry(days).or_default() += 1;
    }

    fn merge(&mut self, other: &Self) {
        for (days, count) in &other.0 {
            *self.0.entry(*days).or_default() += count;
        }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (i64, usize)> {
        self.0.iter().map(|(days, count)| (*days, *count))
    }

    pub(super) fn count(&self) -> usize {
        self.0.values().sum()
    }

    pub(super) fn most(&self) -> Option<i64> {
        self.0.keys().next_back().copied()
    }

    /// The middle value, or the mean of the two middle values.
    pub(super) fn median(&self) -> Option<f64> {
        let count = self.count();
        let (lower, upper) = (self.at(count.checked_sub(1)? / 2)?, self.at(count / 2)?);
        Some((lower + upper) as f64 / 2.0)
    }

    /// Rounded to a hundredth of a day.
    pub(super) fn mean(&self) -> Option<f64> {
        let count = self.count();
        let sum: f64 = self.iter().map(|(days, of)| days as f64 * of as f64).sum();
        (count > 0).then(|| (sum / count as f64 * 100.0).round() / 100.0)
    }

    fn at(&self, place: usize) -> Option<i64> {
        let mut before = 0;
        self.iter().find_map(|(days, count)| {
            before += count;
            (before > place).then_some(days)
        })
    }
}

#[derive(Debug, Serialize)]
pub(super) struct FigureObject<'a> {
    year: i32,
    /// The part of the year that is in the period.
    from: NaiveDate,
    to: NaiveDate,
    law: Law,
    kind: Kind,
    received: usize,
    complied_in_whole: usize,
    complied_in_part: usize,
    not_carried_out: usize,
    unknown: usize,
    open: usize,
    extended: usize,
    answer_not_recorded: usize,
    dates_contradict: usize,
    in_time: usize,
    late: usize,
    median_days: Option<f64>,
    mean_days: Option<f64>,
    most_days: Option<i64>,
    ids: &'a IdTally,
}

impl<'a> FigureObject<'a> {
    fn new(
        year: i32,
        group: Group,
        tally: &'a RequestTally,
        from: NaiveDate,
        to: NaiveDate,
    ) -> Self {
        let days = tally.days();
        let of_year = |month, day| NaiveDate::from_ymd_opt(year, month, day);
        Self {
            year,
            from: from.max(of_year(1, 1).unwrap_or(from)),
            to: to.min(of_year(12, 31).unwrap_or(to)),
            law: group.law,
            kind: group.kind,
            received: tally.received,
            complied_in_whole: tally.whole,
            complied_in_part: tally.part,
            not_carried_out: tally.not_carried_out,
            unknown: tally.unknown,
            open: tally.open,
            extended: tally.extended,
            answer_not_recorded: tally.not_recorded,
            dates_contradict: tally.contradictory,
            in_time: tally.in_time.count(),
            late: tally.late.count(),
            median_days: days.median(),
            mean_days: days.mean(),
            most_days: days.most(),
            ids: &tally.ids,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn days(all: &[i64]) -> DaysTaken {
        let mut days = DaysTaken::default();
        all.iter().for_each(|one| days.add(*one));
        days
    }

    #[test]
    fn the_median_is_the_middle_one_or_between_two() {
        for (all, median, mean) in [
            (&[][..], None, None),
            (&[7], Some(7.0), Some(7.0)),
            (&[3, 1], Some(2.0), Some(2.0)),
            (&[1, 2], Some(1.5), Some(1.5)),
            (&[30, 1, 2], Some(2.0), Some(11.0)),
            (&[5, 5, 5, 90], Some(5.0), Some(26.25)),
            (&[0, 0, 1], Some(0.0), Some(0.33)),
            (&[-1, 0], Some(-0.5), Some(-0.5)),
        ] {
            assert_eq!(days(all).median(), median, "{all:?}");
            assert_eq!(days(all).mean(), mean, "{all:?}");
        }
    }

    #[test]
    fn the_median_is_what_sorting_them_all_finds() {
        let mut state = 7_u64;
        for count in 1..200 {
            let mut all: Vec<i64> = (0..count)
                .map(|_| {
                    state = state
                        .wrapping_mul(6_364_136_223_846_793_005)
                        .wrapping_add(1);
                    (state >> 33) as i64 % 120
                })
                .collect();
            let found = days(&all).median();
            all.sort_unstable();
            let half = all.len() / 2;
            let expected = match all.len() % 2 {
                0 => (all[half - 1] + all[half]) as f64 / 2.0,
                _ => all[half] as f64,
            };
            assert_eq!(found, Some(expected), "{all:?}");
        }
    }

    #[test]
    fn no_month_is_left_out() {
        let day = |text: &str| text.parse::<NaiveDate>().unwrap();
        let months = Figures::default().months(day("2027-12-31"), day("2028-03-01"));
        let first: Vec<_> = months.iter().map(|(month, _)| month.to_string()).collect();
        assert_eq!(
            first,
            ["2027-12-01", "2028-01-01", "2028-02-01", "2028-03-01"]
        );
    }
}
