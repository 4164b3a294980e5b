//! Shows what is suspicious about ids: counts and places, never a value.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::intake::{At, Warning, WarningKind, Warnings};
use crate::ui::console::{OutputFormat, Ui};
use crate::ui::drawing::words::{number, plural, printable};

/// How many places are shown beside the count.
const FIRST: usize = 5;
/// The most places of a warning in JSON.
const MOST_PLACES: usize = 1000;

/// Which places are shown to people; scripts get all that were kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ListedPlaces {
    /// A line for each kind, with the first places.
    First,
    /// The same, and a line for each place.
    All,
}

impl Ui {
    /// Warns of each kind of suspicious ids.
    pub fn warn_of_ids(&self, warnings: &Warnings, listed: ListedPlaces) {
        for warning in warnings.iter() {
            let ids = plural(warning.count, "id", "ids");
            self.warn_of(&warning, &ids, listed);
        }
    }

    /// Warns of values that differ from the others, as cut ones do.
    pub fn warn_of_values(&self, warnings: &Warnings) {
        let is_odd = |kind: &WarningKind| {
            matches!(
                kind,
                WarningKind::OtherKind { .. }
                    | WarningKind::OtherLength { .. }
                    | WarningKind::LostZeros { .. }
                    | WarningKind::RoundedNumber
            )
        };
        for warning in warnings.iter().filter(|warning| is_odd(&warning.kind)) {
            let values = plural(warning.count, "value", "values");
            self.warn_of(&warning, &values, ListedPlaces::First);
        }
    }

    /// Warns of `counted` ids at these places, and gives advice.
    pub fn warn_of_places(&self, kind: &str, counted: &str, places: &[At<Arc<str>>], advice: &str) {
        let count = places.len();
        let lines = places.iter().map(|place| (&*place.label, place.line));
        match self.format {
            OutputFormat::Human => {
                let places = places_text(lines, count);
                self.warn(kind, &format!("{counted}{places}. {advice}"));
            }
            OutputFormat::Json => {
                let listed = lines.take(MOST_PLACES);
                let listed = listed.map(|(label, line)| json!({ "source": label, "line": line }));
                self.warnings.borrow_mut().push(json!({
                    "kind": kind,
                    "message": self.spell(&format!("{counted}. {advice}")),
                    "count": count,
                    "places": listed.collect::<Vec<_>>(),
                    "not_listed": count.saturating_sub(MOST_PLACES),
                }));
            }
        }
    }

    fn warn_of(&self, warning: &Warning<'_>, counted: &str, listed: ListedPlaces) {
        let text = warning.kind.text(warning.count);
        match self.format {
            OutputFormat::Human => {
                let places = first_places(warning);
                self.warn(warning.kind.word(), &format!("{counted}{places} {text}"));
                if listed == ListedPlaces::All {
                    self.aside.write(&all_places(warning));
                }
            }
            OutputFormat::Json => {
                let object = to_object(warning, &format!("{counted} {text}"));
                self.warnings.borrow_mut().push(object);
            }
        }
    }
}

fn first_places(warning: &Warning<'_>) -> String {
    places_text(warning.places(), warning.count)
}

/// `` (`a.csv`, lines 3, 17; `b.csv`, line 2; and 4 more)``; empty if no place is known.
pub(crate) fn places_text<'w>(
    places: impl Iterator<Item = (&'w str, Option<u64>)>,
    count: usize,
) -> String {
    let mut parts: Vec<(String, Vec<String>)> = Vec::new();
    for (label, line) in places.take(FIRST) {
        if parts.last().is_none_or(|(last, _)| *last != label) {
            parts.push((label.to_owned(), Vec::new()));
        }
        if let Some((_, lines)) = parts.last_mut() {
            lines.extend(line.map(|line| line.to_string()));
        }
    }
    if parts.is_empty() {
        return String::new();
    }
    let texts = parts.iter().map(|(label, lines)| match lines.as_slice() {
        [] => printable(label),
        [line] => format!("{}, line {line}", printable(label)),
        several => format!("{}, lines {}", printable(label), several.join(", ")),
    });
    let mut texts: Vec<String> = texts.collect();
    let rest = count.saturating_sub(FIRST);
    if rest > 0 {
        texts.push(format!("and {} more", number(rest)));
    }
    format!(" ({})", texts.join("; "))
}

fn all_places(warning: &Warning<'_>) -> String {
    let mut text = String::new();
    for (label, line) in warning.places() {
        let label = printable(label);
        match line {
            Some(line) => text.push_str(&format!("  {label}, line {line}\n")),
            None => text.push_str(&format!("  {label}\n")),
        }
    }
    if warning.not_listed() > 0 {
        text.push_str(&format!("  and {} more\n", number(warning.not_listed())));
    }
    text
}

fn to_object(warning: &Warning<'_>, message: &str) -> Value {
    let places = warning.places();
    let places = places.map(|(label, line)| json!({ "source": label, "line": line }));
    json!({
        "kind": warning.kind.word(),
        "message": message,
        "count": warning.count,
        "places": places.collect::<Vec<_>>(),
        "not_listed": warning.not_listed(),
    })
}
