//! A small chart of events over time, as SVG without a script.

use chrono::{Datelike, Days as Span, Months, NaiveDate};
use maud::{Markup, html};

use crate::document::chart::{bar_height, percent};
use crate::document::text::{counted, day, grouped};
use crate::packages::sorter::tally::{EventDays, first_of_month};

/// A longer period is shown by month, and from more than `MOST_MONTHS` months by year.
const MOST_DAYS: i64 = 92;
const MOST_MONTHS: usize = 60;
/// In CSS pixels: from the top to the base line, and to the bottom of the labels.
const TOP: u32 = 22;
const BASE: u32 = 152;
const HEIGHT: u32 = 178;
/// The most labels below the chart; more would overlap on a phone.
const LABELS: usize = 4;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Unit {
    Day,
    Month,
    Year,
}

impl Unit {
    fn start(self, day: NaiveDate) -> NaiveDate {
        match self {
            Self::Day => day,
            Self::Month => first_of_month(day),
            Self::Year => day.with_ordinal(1).unwrap_or(day),
        }
    }

    fn next(self, start: NaiveDate) -> Option<NaiveDate> {
        match self {
            Self::Day => start.checked_add_days(Span::new(1)),
            Self::Month => start.checked_add_months(Months::new(1)),
            Self::Year => start.checked_add_months(Months::new(12)),
        }
    }

    fn long(self, start: NaiveDate) -> String {
        match self {
            Self::Day => day(start),
            Self::Month => start.format("%B %Y").to_string(),
            Self::Year => start.format("%Y").to_string(),
        }
    }

    fn short(self, start: NaiveDate) -> String {
        match self {
            Self::Day => format!("{} {}", start.day(), start.format("%b %y")),
            Self::Month => start.format("%b %Y").to_string(),
            Self::Year => start.format("%Y").to_string(),
        }
    }

    fn word(self) -> &'static str {
        match self {
            Self::Day => "day",
            Self::Month => "month",
            Self::Year => "year",
        }
    }
}

/// The chart and a table of its numbers; `None` if no event has a time.
pub(crate) fn chart(days: &EventDays) -> Option<Markup> {
    let (unit, bars) = bars(days)?;
    let most = bars.iter().map(|(_, count)| *count).max()?;
    let summary = format!(
        "Events by {}, from {} to {}; at most {} in one {}.",
        unit.word(),
        unit.long(bars.first()?.0),
        unit.long(bars.last()?.0),
        grouped(most),
        unit.word(),
    );
    let width = 100.0 / bars.len() as f64;
    let labels = bars.len().min(LABELS);
    Some(html! {
        figure.chart {
            svg role="img" aria-label=(summary) width="100%" height=(HEIGHT) {
                line.grid x1="0" x2="100%" y1=(TOP) y2=(TOP) {}
                line.grid x1="0" x2="100%" y1=((TOP + BASE) / 2) y2=((TOP + BASE) / 2) {}
                text.label x="0" y=(TOP - 6) { (counted(most, "event", "events")) }
                @for (place, (start, count)) in bars.iter().enumerate() {
                    @let height = bar_height(*count, most, BASE - TOP);
                    @if height > 0 {
                        rect.bar
                            x=(percent(place as f64 * width + width * 0.1))
                            width=(percent(width * 0.8))
                            y=(BASE - height) height=(height) {
                            title { (unit.long(*start)) ": " (counted(*count, "event", "events")) }
                        }
                    }
                }
                line.base x1="0" x2="100%" y1=(BASE) y2=(BASE) {}
                @for label in 0..labels {
                    @let place = label * (bars.len() - 1) / (labels - 1).max(1);
                    @let (at, anchor) = label_at(label, labels, place as f64 * width + width / 2.0);
                    text.label x=(percent(at)) y=(HEIGHT - 8) text-anchor=(anchor) {
                        (unit.short(bars[place].0))
                    }
                }
            }
            figcaption { (summary) }
            details {
                summary { "The same as a table" }
                table.numbers {
                    thead { tr { th scope="col" { "When" } th.number scope="col" { "Events" } } }
                    tbody {
                        @for (start, count) in bars.iter().filter(|(_, count)| *count > 0) {
                            tr { th scope="row" { (unit.long(*start)) } td.number { (grouped(*count)) } }
                        }
                    }
                }
            }
        }
    })
}

/// Aligns the first and last label to the edges, so that they are not cut off.
fn label_at(label: usize, labels: usize, middle: f64) -> (f64, &'static str) {
    match label {
        _ if labels == 1 => (middle, "middle"),
        0 => (0.0, "start"),
        _ if label + 1 == labels => (100.0, "end"),
        _ => (middle, "middle"),
    }
}

/// One bar per unit of time from the first event to the last, including empty ones.
fn bars(days: &EventDays) -> Option<(Unit, Vec<(NaiveDate, u64)>)> {
    let counts = match days {
        EventDays::Days(counts) | EventDays::Months(counts) => counts,
    };
    let (first, last) = (*counts.keys().next()?, *counts.keys().next_back()?);
    let months = (last.year() - first.year()) as usize * 12 + 12;
    let unit = match days {
        EventDays::Days(_) if (last - first).num_days() < MOST_DAYS => Unit::Day,
        EventDays::Days(_) | EventDays::Months(_) if months <= MOST_MONTHS + 12 => Unit::Month,
        EventDays::Days(_) | EventDays::Months(_) => Unit::Year,
    };
    let mut bars: Vec<(NaiveDate, u64)> =
        std::iter::successors(Some(unit.start(first)), |start| unit.next(*start))
            .take_while(|start| *start <= last)
            .map(|start| (start, 0))
            .collect();
    for (day, count) in counts {
        let start = unit.start(*day);
        if let Ok(place) = bars.binary_search_by_key(&start, |(start, _)| *start) {
            bars[place].1 += count;
        }
    }
    Some((unit, bars))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn days(texts: &[&str]) -> EventDays {
        let day = |text: &&str| (text.parse::<NaiveDate>().unwrap(), 1);
        EventDays::Days(texts.iter().map(day).collect())
    }

    #[test]
    fn a_few_weeks_are_shown_by_day_and_years_by_month() {
        let (unit, shown) = bars(&days(&["2026-01-30", "2026-02-02"])).unwrap();
        assert_eq!((unit, shown.len()), (Unit::Day, 4));
        let (unit, shown) = bars(&days(&["2024-12-31", "2026-01-01"])).unwrap();
        assert_eq!((unit, shown.len()), (Unit::Month, 14));
        let (unit, shown) = bars(&days(&["2005-06-01", "2026-01-01"])).unwrap();
        assert_eq!((unit, shown.len()), (Unit::Year, 22));
    }

    #[test]
    fn no_event_is_left_out_of_the_chart() {
        let (_, shown) = bars(&days(&["2024-01-31", "2024-02-29", "2026-01-01"])).unwrap();
        assert_eq!(shown.iter().map(|(_, count)| count).sum::<u64>(), 3);
    }

    #[test]
    fn without_times_there_is_no_chart() {
        assert!(chart(&EventDays::default()).is_none());
    }

    #[test]
    fn one_event_makes_one_bar() {
        let chart = chart(&days(&["2026-01-30"])).unwrap().into_string();
        assert_eq!(chart.matches("<rect").count(), 1);
    }
}
