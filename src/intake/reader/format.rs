//! Detects the format of a source from its beginning, then from its name.

use serde::Serialize;
use serde::de::IgnoredAny;

use super::columns::{DELIMITERS, find_heading, first_line};
use crate::intake::ReadOptions;
use crate::intake::judge::form::ValueForm;
use crate::intake::judge::program;
use crate::intake::problem::Fault;

/// How a text holds values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    /// Rows of fields, such as CSV.
    Table,
    /// One JSON value per line.
    JsonLines,
    JsonArray,
    /// A sequence of JSON values, each on one line or more.
    JsonDocument,
    /// One id per line, byte for byte.
    List,
    /// An .xlsx or .ods file.
    Spreadsheet,
}

/// The extension of a file name in lower case, without the extension of a packing.
pub(crate) fn extension_of(name: &str) -> Option<String> {
    let name = name.to_lowercase();
    let inner = [".gz", ".gzip", ".zst", ".zstd"]
        .iter()
        .find_map(|packing| name.strip_suffix(packing));
    let (stem, extension) = inner.unwrap_or(&name).rsplit_once('.')?;
    (!stem.is_empty()).then(|| extension.to_owned())
}

/// The format that the operator named, or that the text begins like, or that the file name says.
/// Fails when the name says it is a list and the text does not look like one.
pub(crate) fn recognise(
    beginning: &[u8],
    extension: Option<&str>,
    options: &ReadOptions,
) -> Result<Format, Fault> {
    if let Some(format) = options.format {
        return Ok(format);
    }
    if options.delimiter.is_some() {
        return Ok(Format::Table);
    }
    if let Some(format) = recognise_json(beginning) {
        return Ok(format);
    }
    match extension {
        Some("json") if beginning.trim_ascii_start().starts_with(b"[") => Ok(Format::JsonArray),
        Some("jsonl" | "ndjson" | "json") => Ok(Format::JsonLines),
        Some("txt" | "list") if options.column.is_none() => list_or_table(beginning, options),
        Some(_) | None => Ok(Format::Table),
    }
}

/// JSON by its first two characters: a single brace may begin an id, such as `{3f25…}`.
fn recognise_json(beginning: &[u8]) -> Option<Format> {
    let (first, rest) = beginning.trim_ascii_start().split_first()?;
    let second = rest.trim_ascii_start().first();
    match (first, second) {
        (b'{', Some(b'"' | b'}')) => {
            let line = first_line(beginning);
            let first = serde_json::from_slice::<IgnoredAny>(line);
            // No line of a document ends inside a string, so such a line is damaged JSON Lines.
            match first.is_err_and(|error| error.is_eof()) && !ends_in_a_text(line) {
                true => Some(Format::JsonDocument),
                false => Some(Format::JsonLines),
            }
        }
        (b'[', Some(b'"' | b'{' | b'[' | b']')) => Some(Format::JsonArray),
        _ => None,
    }
}

fn ends_in_a_text(line: &[u8]) -> bool {
    let (mut in_text, mut escaped) = (false, false);
    for byte in line {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = in_text,
            b'"' => in_text = !in_text,
            _ => {}
        }
    }
    in_text
}

/// A spreadsheet also saves tables as "text"; a row must not be taken for an id.
fn list_or_table(beginning: &[u8], options: &ReadOptions) -> Result<Format, Fault> {
    if find_heading(beginning, options).is_ok_and(|found| found.has_heading) {
        return Ok(Format::Table);
    }
    let first_line = first_line(beginning);
    let text = String::from_utf8_lossy(first_line);
    let is_id = ValueForm::of(&text).look().is_none() || program::of(&text).is_some();
    if !is_id && first_line.iter().any(|byte| DELIMITERS.contains(byte)) {
        return Err(Fault::ListOrTable);
    }
    Ok(Format::List)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn recognised(beginning: &str, extension: Option<&str>) -> Format {
        let options = ReadOptions::default();
        recognise(beginning.as_bytes(), extension, &options).unwrap()
    }

    #[test]
    fn the_beginning_tells_more_than_the_name() {
        for extension in [None, Some("csv"), Some("txt"), Some("json")] {
            assert_eq!(recognised("\n {\"a\":1}", extension), Format::JsonLines);
            assert_eq!(recognised("[\n{\"a\":1}]", extension), Format::JsonArray);
        }
        assert_eq!(recognised("{3f2504e0}\n", Some("txt")), Format::List);
        assert_eq!(recognised("{3f2504e0}\n", Some("csv")), Format::Table);
        assert_eq!(recognised("[x]\n", None), Format::Table);
    }

    #[test]
    fn the_name_decides_where_the_beginning_does_not() {
        assert_eq!(recognised("\"a\"\n", Some("jsonl")), Format::JsonLines);
        assert_eq!(recognised("17\n", Some("json")), Format::JsonLines);
        assert_eq!(recognised("[17]\n", Some("json")), Format::JsonArray);
        assert_eq!(recognised("a\n", Some("txt")), Format::List);
        assert_eq!(recognised("a\n", None), Format::Table);
        assert_eq!(recognised("a,b\n", Some("log")), Format::Table);
    }

    #[test]
    fn a_text_file_with_a_heading_is_a_table_and_a_doubtful_one_is_refused() {
        assert_eq!(recognised("\ndistinct_id\na\n", Some("txt")), Format::Table);
        assert_eq!(recognised("n\tDistinct ID\n", Some("txt")), Format::Table);
        let options = ReadOptions::default();
        assert_eq!(recognised("auth0|17\n", Some("txt")), Format::List);
        for doubtful in ["a,b\n", "a |17\n", "x\ty"] {
            let result = recognise(doubtful.as_bytes(), Some("txt"), &options);
            assert!(matches!(result, Err(Fault::ListOrTable)));
        }
    }

    #[test]
    fn the_extension_is_the_one_below_the_packing() {
        let extension = |name: &str| extension_of(name);
        assert_eq!(extension("ids.csv").as_deref(), Some("csv"));
        assert_eq!(extension("IDS.JSONL.GZ").as_deref(), Some("jsonl"));
        assert_eq!(extension("a.b.txt.zst").as_deref(), Some("txt"));
        for without in ["ids", ".csv", "ids.gz"] {
            assert_eq!(extension(without), None, "{without}");
        }
    }
}
