use chrono::{DateTime, NaiveDate, NaiveDateTime};

use crate::domain::ProjectZone;

/// The end of 2199 in Unix seconds. An event's time is between 1970 and then.
const LAST_SECOND: i64 = 7_258_118_399;
/// The year 2000. No earlier event has its time in milliseconds.
const FIRST_OF_FRACTIONS: f64 = 946_684_800.0;

/// Reads a time as Mixpanel and its warehouse exports write it, in seconds by the clock of `zone`.
///
/// The size of a number shows whether it counts seconds, milliseconds or microseconds. Numbers, and
/// dates without an offset, follow that clock already.
pub fn event_time(text: &str, zone: ProjectZone) -> Option<i64> {
    let text = text.trim_matches('"').trim();
    let seconds = match text.parse::<f64>() {
        Ok(number) if number >= FIRST_OF_FRACTIONS * 1e6 => (number / 1e6) as i64,
        Ok(number) if number >= FIRST_OF_FRACTIONS * 1e3 => (number / 1e3) as i64,
        Ok(number) => number as i64,
        Err(_) => time_of_words(text, zone)?,
    };
    (1..=LAST_SECOND).contains(&seconds).then_some(seconds)
}

/// Reads a time in a property of a profile, in seconds by the clock of `zone`.
///
/// A number is a Unix time, in UTC whatever the project's clock: the company's servers wrote it. It
/// has digits only, because an exponent shows that a spreadsheet rounded it. A text without an
/// offset follows the project's clock.
pub fn property_time(text: &str, zone: ProjectZone) -> Option<i64> {
    let is_number = |c: char| c.is_ascii_digit() || c == '.';
    if text.chars().all(is_number) {
        let unix = DateTime::from_timestamp(event_time(text, zone)?, 0)?;
        return Some(zone.clock_seconds(unix));
    }
    time_of_words(text.trim(), zone)
}

fn time_of_words(text: &str, zone: ProjectZone) -> Option<i64> {
    if let Ok(time) = DateTime::parse_from_rfc3339(text) {
        return Some(zone.clock_seconds(time.to_utc()));
    }
    let forms = ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M:%S%.f"];
    let time = forms
        .iter()
        .find_map(|form| NaiveDateTime::parse_from_str(text, form).ok());
    let midnight = || {
        NaiveDate::parse_from_str(text, "%Y-%m-%d")
            .ok()?
            .and_hms_opt(0, 0, 0)
    };
    time.or_else(midnight)
        .map(|time| time.and_utc().timestamp())
}
