//! Writes JSON: one line, without bytes that control a terminal.

use std::io::{self, Write};

use serde::Serialize;
use serde_json::Value;
use serde_json::ser::{Formatter, Serializer};

use super::words::steers;

/// Version of all JSON shapes. It grows when a change could break a script.
pub(crate) use crate::domain::timestamp::stamp as time;

/// The version of every JSON shape; it grows when one of them changes in a way scripts would notice.
pub(crate) const SCHEMA: u32 = 1;

pub(crate) fn line(value: &Value) -> String {
    let mut line = Vec::new();
    // Writing to a vector cannot fail, and a `Value` can always be written.
    write(&mut line, value).ok();
    let mut line = String::from_utf8(line).unwrap_or_default();
    line.push('\n');
    line
}

/// Escapes characters that control a terminal. JSON readers get the same values.
pub(crate) fn write(out: impl Write, value: &impl Serialize) -> io::Result<()> {
    let mut serializer = Serializer::with_formatter(out, Printable);
    value.serialize(&mut serializer).map_err(io::Error::from)
}

struct Printable;

impl Formatter for Printable {
    fn write_string_fragment<W: ?Sized + Write>(
        &mut self,
        out: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        let mut rest = fragment;
        while let Some(place) = rest.find(steers) {
            let (before, from) = rest.split_at(place);
            out.write_all(before.as_bytes())?;
            let mut chars = from.chars();
            let code = chars.next().map_or(0, u32::from);
            write!(out, "\\u{code:04x}")?;
            rest = chars.as_str();
        }
        out.write_all(rest.as_bytes())
    }
}
