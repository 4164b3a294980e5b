//! Charts of a period, as SVG without a script. Each has a texture beside its color, and a table of
//! its numbers.

use chrono::NaiveDate;
use maud::{Markup, html};

use crate::document::chart::{bar_height, percent};
use crate::document::text::{counted, grouped};
use crate::domain::Law;

use super::super::figures::{DaysTaken, Figures, Group};

/// In CSS pixels: from the top to the base line, and to the bottom of the labels.
const TOP: u32 = 34;
const BASE: u32 = 194;
const HEIGHT: u32 = 220;
/// With more months than this, bars are years.
const MOST_MONTHS: usize = 60;
/// How many bars of days there are; the last one has the rest.
const MOST_BINS: i64 = 30;

/// The texture of each group; its color is that of the law.
const CLASSES: [&str; 4] = ["gdpr", "gdpr-delete", "ccpa", "ccpa-delete"];

pub(super) fn share(number: usize, whole: usize, class: &str) -> Markup {
    let width = percent(number as f64 / whole.max(1) as f64 * 100.0);
    html! { svg width="100%" height="10" { rect class=(format!("bar {class}")) x="0" y="0" rx="2" width=(width) height="10" {} } }
}

/// Defines the textures, once per page.
pub(super) fn textures() -> Markup {
    html! {
        svg.defs width="0" height="0" aria-hidden="true" { defs {
            @for law in ["gdpr", "ccpa"] {
                pattern id=(format!("{law}-hatch")) width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)" {
                    rect class=(format!("under {law}")) width="6" height="6" {}
                    rect class=(format!("over {law}")) width="2.5" height="6" {}
                }
            }
            pattern id="late-hatch" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(-45)" {
                rect.under.late width="6" height="6" {}
                rect.over.late width="2.5" height="6" {}
            }
        } }
    }
}

pub(super) fn months(figures: &Figures, from: NaiveDate, to: NaiveDate) -> Markup {
    let (unit, bars) = units(figures.months(from, to));
    let total = |counts: &[usize; 4]| counts.iter().sum::<usize>();
    let most = bars
        .iter()
        .map(|(_, counts)| total(counts))
        .max()
        .unwrap_or(0);
    let summary = format!(
        "Requests received by {unit}; at most {} in one {unit}.",
        grouped(most as u64)
    );
    let width = 100.0 / bars.len().max(1) as f64;
    html! {
        figure.chart {
            (legend())
            svg role="img" aria-label=(summary) width="100%" height=(HEIGHT) {
                (frame(most, "request", "requests"))
                @for (place, (name, counts)) in bars.iter().enumerate() {
                    @let x = percent(place as f64 * width + width * 0.14);
                    @for (group, y, height) in stack(counts, most) {
                        rect class=(format!("part {}", CLASSES[group])) x=(x) width=(percent(width * 0.72)) y=(y) height=(height) {
                            title { (name) ", " (Group::ALL[group].title()) ": " (grouped(counts[group] as u64)) }
                        }
                    }
                }
                line.base x1="0" x2="100%" y1=(BASE) y2=(BASE) {}
                (ends(bars.iter().map(|(name, _)| name.as_str())))
            }
            figcaption { (summary) }
            details {
                summary { "The same as a table" }
                table.numbers {
                    thead { tr { th scope="col" { "When" } @for group in Group::ALL { th.number scope="col" { (group.title()) } } } }
                    tbody { @for (name, counts) in bars.iter().filter(|(_, counts)| total(counts) > 0) {
                        tr { th scope="row" { (name) } @for number in counts { td.number { (grouped(*number as u64)) } } }
                    } }
                }
            }
        }
    }
}

fn units(months: Vec<(NaiveDate, [usize; 4])>) -> (&'static str, Vec<(String, [usize; 4])>) {
    let is_long = months.len() > MOST_MONTHS;
    let (unit, format) = if is_long {
        ("year", "%Y")
    } else {
        ("month", "%b %Y")
    };
    let mut bars: Vec<(String, [usize; 4])> = Vec::new();
    for (month, counts) in months {
        let name = month.format(format).to_string();
        match bars.last_mut().filter(|(last, _)| *last == name) {
            Some((_, sum)) => sum
                .iter_mut()
                .zip(counts)
                .for_each(|(sum, one)| *sum += one),
            None => bars.push((name, counts)),
        }
    }
    (unit, bars)
}

/// The parts above zero, each with its position from the top and its height (at least two pixels).
fn stack(counts: &[usize; 4], most: usize) -> Vec<(usize, u32, u32)> {
    let mut y = BASE;
    let there = counts.iter().enumerate().filter(|(_, count)| **count > 0);
    there
        .map(|(group, count)| {
            let height = bar_height(*count as u64, most as u64, BASE - TOP).min(y);
            y -= height;
            (group, y, height)
        })
        .collect()
}

fn legend() -> Markup {
    html! {
        ul.legend aria-hidden="true" {
            @for (group, class) in Group::ALL.iter().zip(CLASSES) {
                li { svg width="14" height="14" { rect class=(format!("part {class}")) width="14" height="14" rx="2" {} } (group.title()) }
            }
        }
    }
}

/// The days that requests under a law took, in time and late, against the limit.
pub(super) fn days(figures: &Figures, law: Law) -> Markup {
    let (in_time, late) = figures.days_of(law);
    let count = in_time.count() + late.count();
    if count == 0 {
        return html! { p { "No answer to a request under the " (law.title()) " is recorded." } };
    }
    let limit = limit(law);
    let width = bin_width(&in_time, &late, limit);
    let bins = bins(&in_time, &late, width);
    let most = bins.iter().map(|(on, late)| on + late).max().unwrap_or(0);
    let wide = 100.0 / bins.len() as f64;
    let height = |count: usize| bar_height(count as u64, most as u64, BASE - TOP);
    let limit_at = limit as f64 / width as f64 * wide;
    let summary = format!(
        "{}: days from receipt to answer of {}, {} of them in time.",
        law.title(),
        counted(count as u64, "request", "requests"),
        grouped(in_time.count() as u64)
    );
    html! {
        figure.chart {
            svg role="img" aria-label=(summary) width="100%" height=(HEIGHT) {
                (frame(most, "request", "requests"))
                @for (place, (on, late)) in bins.iter().enumerate() {
                    @let (low, high) = (height(*on), height(*late));
                    @let x = percent(place as f64 * wide + wide * 0.1);
                    @let name = bin_name(place, width, bins.len());
                    @if low > 0 {
                        rect class=(format!("part {}", law.as_str())) x=(x) width=(percent(wide * 0.8)) y=(BASE - low) height=(low) {
                            title { (name) ", in time: " (grouped(*on as u64)) }
                        }
                    }
                    @if high > 0 {
                        rect.part.late x=(x) width=(percent(wide * 0.8)) y=(BASE.saturating_sub(low + high)) height=(high) {
                            title { (name) ", late: " (grouped(*late as u64)) }
                        }
                    }
                }
                line.mark.due x1=(percent(limit_at)) x2=(percent(limit_at)) y1=(TOP - 18) y2=(BASE) {}
                text.label x=(percent(limit_at)) y="12" text-anchor="middle" { (limit_text(law)) }
                line.base x1="0" x2="100%" y1=(BASE) y2=(BASE) {}
                text.label x="0" y=(HEIGHT - 8) { "0 days" }
                text.label x="100%" y=(HEIGHT - 8) text-anchor="end" { (bin_name(bins.len() - 1, width, bins.len())) }
            }
            figcaption {
                (summary) " Late requests are hatched. "
                "The line is the law’s first period. A request is late after its own last day, which weekends, holidays and extensions move."
            }
            details {
                summary { "The same as a table" }
                table.numbers {
                    thead { tr { th scope="col" { "Days" } th.number scope="col" { "In time" } th.number scope="col" { "Late" } } }
                    tbody { @for (place, (on, late)) in bins.iter().enumerate().filter(|(_, (on, late))| on + late > 0) {
                        tr { th scope="row" { (bin_name(place, width, bins.len())) } td.number { (grouped(*on as u64)) } td.number { (grouped(*late as u64)) } }
                    } }
                }
            }
        }
    }
}

/// The law's first period in days, for the chart only. A real month has 28 to 31 days, and a
/// deadline moves to a working day.
fn limit(law: Law) -> i64 {
    match law {
        Law::Gdpr => 30,
        Law::Ccpa => 45,
    }
}

fn limit_text(law: Law) -> &'static str {
    match law {
        Law::Gdpr => "one month (Art. 12(3))",
        Law::Ccpa => "45 days (11 CCR §7021(b))",
    }
}

/// Days per bar: wide enough for the limit and all requests, up to four times the limit.
fn bin_width(in_time: &DaysTaken, late: &DaysTaken, limit: i64) -> i64 {
    let most = in_time.most().max(late.most()).unwrap_or(0).max(limit + 2);
    let shown = most.min(limit * 4);
    (shown + MOST_BINS) / MOST_BINS
}

fn bins(in_time: &DaysTaken, late: &DaysTaken, width: i64) -> Vec<(usize, usize)> {
    let mut bins = vec![(0, 0); MOST_BINS as usize];
    let bin = |days: i64| usize::try_from((days / width).clamp(0, MOST_BINS - 1)).unwrap_or(0);
    in_time
        .iter()
        .for_each(|(days, count)| bins[bin(days)].0 += count);
    late.iter()
        .for_each(|(days, count)| bins[bin(days)].1 += count);
    bins
}

fn bin_name(place: usize, width: i64, bins: usize) -> String {
    let from = place as i64 * width;
    match width {
        _ if place + 1 == bins => format!("{from} days or more"),
        1 => format!("{from} days"),
        _ => format!("{from} to {} days", from + width - 1),
    }
}

/// The lines behind the bars, and the value of the highest.
fn frame(most: usize, one: &str, many: &str) -> Markup {
    html! {
        line.grid x1="0" x2="100%" y1=(TOP) y2=(TOP) {}
        line.grid x1="0" x2="100%" y1=((TOP + BASE) / 2) y2=((TOP + BASE) / 2) {}
        text.label x="0" y=(TOP - 9) { (counted(most as u64, one, many)) }
    }
}

/// The first, the middle and the last name.
fn ends<'a>(names: impl Iterator<Item = &'a str>) -> Markup {
    let names: Vec<&str> = names.collect();
    let middle = names.len() / 2;
    html! {
        @if let (Some(first), Some(last)) = (names.first(), names.last()) {
            text.label x="0" y=(HEIGHT - 8) { (first) }
            @if names.len() > 6 {
                text.label x=(percent((middle as f64 + 0.5) * 100.0 / names.len() as f64)) y=(HEIGHT - 8) text-anchor="middle" { (names[middle]) }
            }
            @if names.len() > 1 { text.label x="100%" y=(HEIGHT - 8) text-anchor="end" { (last) } }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_months_are_shown_as_years_and_none_is_left_out() {
        let month = |n: i32| {
            let day = NaiveDate::from_ymd_opt(2020 + n / 12, n as u32 % 12 + 1, 1).unwrap();
            (day, [1, 0, 2, 0])
        };
        let (unit, bars) = units((0..24).map(month).collect());
        assert_eq!((unit, bars.len()), ("month", 24));
        let (unit, bars) = units((0..72).map(month).collect());
        assert_eq!((unit, bars.len()), ("year", 6));
        assert!(bars.iter().all(|(_, counts)| *counts == [12, 0, 24, 0]));
    }

    #[test]
    fn a_part_of_a_bar_is_seen_however_small_it_is() {
        let parts = stack(&[1, 0, 99_999, 0], 100_000);
        assert_eq!(parts[0], (0, BASE - 2, 2));
        assert_eq!(parts.len(), 2);
        assert!(parts.iter().all(|(_, y, _)| *y <= BASE));
    }
}
