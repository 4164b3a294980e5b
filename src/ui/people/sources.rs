//! Shows how each source was read.

use serde_json::{Value, json};

use crate::domain::Exclusion;
use crate::intake::{Format, Reading};
use crate::ui::drawing::paper::FactList;
use crate::ui::drawing::words::{number, plural, printable};

/// Adds a line for each source and each excluded file.
pub(crate) fn add(facts: &mut FactList<'_>, sources: &[Reading], excluded: &[Reading]) {
    let readings = [sources, excluded].concat();
    for reading in &readings {
        let name = match readings.len() {
            1 => String::new(),
            _ => format!("{}: ", printable(&reading.label)),
        };
        facts.add("Read as", &format!("{name}{}", description(reading)));
    }
}

fn description(reading: &Reading) -> String {
    let mut parts = vec![match reading.format {
        Format::Table => format!("table{}", delimiter_text(reading.delimiter)),
        Format::JsonLines => "JSON lines".to_owned(),
        Format::JsonArray => "JSON array".to_owned(),
        Format::JsonDocument => "JSON".to_owned(),
        Format::List => "list, each line an id".to_owned(),
        Format::Spreadsheet => "spreadsheet".to_owned(),
    }];
    if let Some(column) = &reading.column {
        let what = match reading.format {
            Format::Table | Format::Spreadsheet => "column",
            _ => "key",
        };
        parts.push(format!("{what} `{}`", printable(column)));
    }
    parts.push(reading.encoding.to_owned());
    parts.extend(reading.packing.name().map(str::to_owned));
    if reading.blank_lines > 0 {
        let count = plural(reading.blank_lines, "blank line", "blank lines");
        parts.push(format!("{count} skipped"));
    }
    parts.join(", ")
}

fn delimiter_text(delimiter: Option<u8>) -> String {
    match delimiter {
        None => String::new(),
        Some(b'\t') => " with tabs".to_owned(),
        Some(byte) => format!(" with `{}`", char::from(byte)),
    }
}

pub(crate) fn object(reading: &Reading) -> Value {
    json!({
        "source": reading.label,
        "format": reading.format,
        "delimiter": reading.delimiter.map(|byte| char::from(byte).to_string()),
        "column": reading.column,
        "encoding": reading.encoding.to_lowercase(),
        "compression": reading.packing.name(),
        "values": reading.values,
        "blank_lines": reading.blank_lines,
    })
}

/// Counts the ids that a file left out.
pub(crate) fn exclusion_text(exclusion: &Exclusion) -> String {
    let Exclusion { source, ids, found } = exclusion;
    let found = match found {
        0 => "NONE".to_owned(),
        found => number(*found),
    };
    let ids = plural(*ids, "id", "ids");
    format!("{}: {ids}, {found} found in the list", printable(source))
}
