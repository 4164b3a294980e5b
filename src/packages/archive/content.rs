//! Detects what a member holds: from its beginning, then from a documented name.

use serde::Deserialize;
use serde::de::IgnoredAny;

use super::documented::{JobMember, MemberForm};
use crate::packages::record::columns::RecordColumns;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum MemberContent {
    Empty,
    /// One JSON object per line.
    Lines,
    /// JSON in any layout: an array, an object of arrays, or one record.
    Document,
    /// CSV, or the same with another field separator.
    Table {
        delimiter: u8,
    },
    /// Anything else; kept whole.
    Unknown,
}

impl MemberContent {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Empty => "empty",
            Self::Lines => "json_lines",
            Self::Document => "json",
            Self::Table { .. } => "csv",
            Self::Unknown => "unknown",
        }
    }
}

impl MemberForm {
    pub(crate) fn of(name: &str, content: MemberContent) -> Self {
        let name = name.rsplit('/').next().unwrap_or(name);
        let is_table = matches!(content, MemberContent::Table { delimiter: b',' });
        match name {
            "events.csv" if is_table => Self::EventTable,
            "profiles.csv" if is_table => Self::ProfileTable,
            name => JobMember::of_name(name).map_or(Self::Records, Self::OfTheJob),
        }
    }
}

/// How much of a member is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Window {
    Whole,
    Beginning,
}

/// Tells what a member is by its bytes, or by the first of them.
pub(crate) fn recognise(bytes: &[u8], window: Window) -> MemberContent {
    let Some(first) = bytes.iter().find(|byte| !byte.is_ascii_whitespace()) else {
        return match window {
            Window::Whole => MemberContent::Empty,
            Window::Beginning => MemberContent::Unknown,
        };
    };
    if bytes.contains(&0) {
        return MemberContent::Unknown;
    }
    let mut lines: Vec<&[u8]> = bytes.split(|byte| *byte == b'\n').collect();
    if window == Window::Beginning && lines.len() > 1 {
        // The window cuts off the last line.
        lines.pop();
    }
    lines.retain(|line| !line.trim_ascii().is_empty());
    // Some lines of a longer document may be objects by themselves.
    let objects = lines.iter().filter(|line| is_object(line)).count();
    if objects * 2 > lines.len() && (lines.len() > 1 || window == Window::Beginning) {
        return MemberContent::Lines;
    }
    if matches!(first, b'{' | b'[') {
        return MemberContent::Document;
    }
    let heading = lines.first().copied().unwrap_or_default();
    let table = [b',', b';', b'\t'].into_iter().find(|delimiter| {
        let names = heading.split(|byte| byte == delimiter);
        RecordColumns::name_a_person(names)
    });
    table.map_or(MemberContent::Unknown, |delimiter| MemberContent::Table {
        delimiter,
    })
}

fn is_object(line: &[u8]) -> bool {
    let line = line.trim_ascii();
    let mut parser = serde_json::Deserializer::from_slice(line);
    line.starts_with(b"{") && IgnoredAny::deserialize(&mut parser).is_ok() && parser.end().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_member_is_known_by_its_beginning() {
        let table = |delimiter| MemberContent::Table { delimiter };
        for (text, content) in [
            ("", MemberContent::Empty),
            (" \n\t", MemberContent::Empty),
            ("{\"a\":1}\n{\"a\":2}\n", MemberContent::Lines),
            ("\n{\"a\":1}\r\n{\"a\":2}", MemberContent::Lines),
            ("# made by x\n{\"a\":1}\n{\"a\":2}\n", MemberContent::Lines),
            (
                "[note] made by x\n{\"a\":1}\n{\"a\":2}\n",
                MemberContent::Lines,
            ),
            ("{\"a\":\n{\"a\":1}\n{\"a\":2}\n", MemberContent::Lines),
            ("{\"a\":1}", MemberContent::Document),
            ("{\"a\":1}\n", MemberContent::Document),
            (
                "{\n \"a\": [\n  {\"b\":1},\n  {\"b\":2}\n ]\n}\n",
                MemberContent::Document,
            ),
            ("[{\"a\":1}]", MemberContent::Document),
            (" [\n{\"a\":1},\n{\"a\":2}\n]", MemberContent::Document),
            ("event,distinct_id\nx,y\n", table(b',')),
            ("event;\"Distinct ID\"\nx;y\n", table(b';')),
            ("$distinct_id\t$email\r\nx\ty\r\n", table(b'\t')),
            ("distinct_id\nx\n", table(b',')),
            ("name,city\nx,y\n", MemberContent::Unknown),
            ("Dear reader,\n", MemberContent::Unknown),
            ("PK\x03\x04", MemberContent::Unknown),
            ("{\"a\":1}\n{\"a\":\0}\n", MemberContent::Unknown),
        ] {
            assert_eq!(
                recognise(text.as_bytes(), Window::Whole),
                content,
                "{text:?}"
            );
        }
    }

    #[test]
    fn a_window_that_cuts_a_line_is_judged_by_the_lines_before_it() {
        assert_eq!(
            recognise(b"{\"a\":1}\n{\"a\":", Window::Beginning),
            MemberContent::Lines
        );
        assert_eq!(
            recognise(b"{\"events\":[{\"a\":", Window::Beginning),
            MemberContent::Document
        );
    }
}
