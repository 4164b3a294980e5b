//! One line: an event as Mixpanel's import takes it.

use chrono::{DateTime, NaiveDate};
use serde_json::value::RawValue;

use crate::domain::{DistinctId, DistinctIdError, JsonObject, json_text};

/// The longest `$insert_id`, in bytes (Mixpanel's import reference).
const MOST_INSERT_ID: usize = 36;
/// A larger time is in milliseconds: in seconds it would be the year 5138.
const SECONDS: f64 = 1e11;

/// Why Mixpanel could not take a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LineFault {
    #[error("the line has no end, so the file may be cut off there")]
    Unended,
    #[error("the line is longer than Mixpanel takes")]
    TooLong,
    #[error("the file has more lines than dsr can count")]
    TooMany,
    #[error("it is not UTF-8")]
    NotText,
    #[error("it is not one JSON object")]
    NotAnObject,
    #[error("it must have exactly `event` and `properties`")]
    OtherMembers,
    #[error("`event` must be the event's name")]
    NoName,
    #[error("`properties` must be an object")]
    NoProperties,
    #[error("`properties` has `{0}` twice")]
    Twice(&'static str),
    #[error("`time` must be a number: Unix seconds or milliseconds")]
    NoTime,
    #[error("`distinct_id` must be a text")]
    NoId,
    #[error("`distinct_id` cannot be used: {0}")]
    BadId(DistinctIdError),
    #[error("`$insert_id` must be a text of 1 to 36 letters, digits and `-`")]
    BadInsertId,
}

/// What dsr knows of a line.
#[derive(Debug)]
pub(super) struct CheckedLine<'l> {
    event: &'l str,
    time: &'l str,
    pub(super) id: DistinctId,
    pub(super) insert_id: String,
    /// In UTC.
    pub(super) day: NaiveDate,
}

impl<'l> CheckedLine<'l> {
    pub(super) fn of(line: &'l [u8]) -> Result<Self, LineFault> {
        let text = std::str::from_utf8(line).map_err(|_| LineFault::NotText)?;
        let mut members = JsonObject::of(text).ok_or(LineFault::NotAnObject)?;
        let (event, properties) = (members.take("event"), members.take("properties"));
        let (Some(event), Some(properties), []) = (event, properties, &members.0[..]) else {
            return Err(LineFault::OtherMembers);
        };
        let name = json_text(event.get()).ok_or(LineFault::NoName)?;
        if name.trim().is_empty() {
            return Err(LineFault::NoName);
        }
        let mut properties = JsonObject::of(properties.get()).ok_or(LineFault::NoProperties)?;
        let mut take = |name| -> Result<Option<&'l RawValue>, LineFault> {
            let value = properties.take(name);
            match properties.get(name) {
                Some(_) => Err(LineFault::Twice(name)),
                None => Ok(value),
            }
        };
        let (time, id) = (take("time")?, take("distinct_id")?);
        let insert_id = take("$insert_id")?;
        let time = time.ok_or(LineFault::NoTime)?.get();
        let id = id
            .and_then(|id| json_text(id.get()))
            .ok_or(LineFault::NoId)?;
        let insert_id = insert_id.and_then(|id| json_text(id.get()));
        let insert_id = insert_id.filter(|id| is_insert_id(id));
        Ok(Self {
            event: event.get(),
            time,
            id: DistinctId::new(&id).map_err(LineFault::BadId)?,
            insert_id: insert_id.ok_or(LineFault::BadInsertId)?.into_owned(),
            day: day(time).ok_or(LineFault::NoTime)?,
        })
    }

    /// Equal for events of which Mixpanel counts one.
    pub(super) fn same(&self, key: &[u8; 16]) -> [u8; 16] {
        let fields = [self.event, self.time, self.id.expose(), &self.insert_id];
        super::sip_of(key, fields.map(str::as_bytes))
    }
}

fn is_insert_id(text: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    (1..=MOST_INSERT_ID).contains(&text.len()) && text.bytes().all(fits)
}

/// The day of a time, which is a JSON number.
fn day(time: &str) -> Option<NaiveDate> {
    let is_number = time.starts_with(|c: char| c.is_ascii_digit());
    let time: f64 = time.parse().ok().filter(|_| is_number)?;
    let seconds = match time < SECONDS {
        true => time,
        false => time / 1000.0,
    };
    // `as` saturates, and the library refuses years that no calendar has.
    let moment = DateTime::from_timestamp(seconds as i64, 0)?;
    Some(moment.date_naive())
}
