//! Which column holds the ids, and what parts the fields.

use super::rows::Fields;
use super::{IntakeError, ReadOptions};

/// Whether the first line names the columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Header {
    /// It does; a first line that is no known header is an error.
    #[default]
    Expected,
    /// The first line is data already.
    Absent,
}

/// Which field of each row to take.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Layout {
    pub(super) column: usize,
    pub(super) width: usize,
    pub(super) first_row: FirstRow,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) enum FirstRow {
    Header,
    Data,
}

/// Names of columns that hold distinct_ids, folded.
const KNOWN: [&str; 7] = [
    "distinctid",
    "distinctids",
    "userid",
    "mixpaneldistinctid",
    "mpdistinctid",
    "mixpaneluserid",
    "mixpanelid",
];
/// Names that say enough where there is one column only.
const KNOWN_ALONE: [&str; 3] = ["id", "ids", "uid"];

/// Bytes that part fields, the likeliest first.
pub(super) const DELIMITERS: [u8; 4] = *b",;\t|";

/// Drops case, white space and punctuation: `$distinct_id`, `Distinct ID` and `distinctId` are one.
pub(super) fn fold(name: &str) -> String {
    let kept = name.chars().filter(|c| c.is_alphanumeric());
    kept.flat_map(char::to_lowercase).collect()
}

/// Whether a column, or key, of this name among so many holds distinct_ids.
pub(super) fn is_known(name: &str, width: usize) -> bool {
    let folded = fold(name);
    KNOWN.contains(&folded.as_str()) || (width == 1 && KNOWN_ALONE.contains(&folded.as_str()))
}

/// Recognises what parts the fields of a first line: the byte that yields a known header name (or
/// the one asked for), or else, where there is no header, one that occurs at all.
pub(super) fn recognise_delimiter(first_line: &[u8], options: &ReadOptions) -> u8 {
    let asked = options.column.as_deref().map(fold);
    let names_a_column = |delimiter: &u8| {
        let fields = fields_of(first_line, *delimiter);
        fields.iter().any(|field| {
            is_known(field, fields.len()) || asked.as_ref().is_some_and(|name| fold(field) == *name)
        })
    };
    let splits = |delimiter: &u8| fields_of(first_line, *delimiter).len() > 1;
    let mut found = None;
    if options.header == Header::Expected {
        // A known name alone on its line fits every delimiter; the widest reading tells.
        found = DELIMITERS
            .into_iter()
            .filter(names_a_column)
            .max_by_key(|delimiter| (fields_of(first_line, *delimiter).len(), *delimiter == b','));
    }
    found
        .or_else(|| DELIMITERS.into_iter().find(splits))
        .unwrap_or(b',')
}

/// Whether the line names a column of ids, whatever parts its fields.
pub(super) fn is_heading(line: &[u8]) -> bool {
    DELIMITERS.iter().any(|delimiter| {
        let fields = fields_of(line, *delimiter);
        fields.iter().any(|field| is_known(field, fields.len()))
    })
}

/// The byte that a first line such as `sep=;` says parts the fields: a spreadsheet's own.
pub(super) fn declared_delimiter(first_line: &[u8]) -> Option<u8> {
    match first_line {
        [name @ .., delimiter] if name.eq_ignore_ascii_case(b"sep=") => Some(*delimiter),
        _ => None,
    }
}

fn fields_of(line: &[u8], delimiter: u8) -> Vec<String> {
    let mut fields = Fields::default();
    // However the line ends, what is there of it tells enough.
    fields.feed(line, delimiter);
    fields.to_names()
}

/// Decides from the first row which column to take.
///
/// # Errors
/// When that is not exactly clear. Names are quoted only where the row is surely a header:
/// otherwise it may hold an id.
pub(super) fn decide(
    first_row: &[String],
    options: &ReadOptions,
    label: &str,
) -> Result<Layout, IntakeError> {
    let width = first_row.len();
    let label = || label.to_owned();
    let layout = |column, first_row| {
        Ok(Layout {
            column,
            width,
            first_row,
        })
    };
    let numbered = |text: &str| match text.parse::<usize>() {
        Ok(number) if (1..=width).contains(&number) => Some(number - 1),
        Ok(_) | Err(_) => None,
    };
    match (options.header, options.column.as_deref()) {
        (Header::Absent, None) if width == 1 => layout(0, FirstRow::Data),
        (Header::Absent, None) => Err(IntakeError::WhichColumn {
            label: label(),
            count: width,
        }),
        (Header::Absent, Some(column)) => match numbered(column) {
            Some(place) => layout(place, FirstRow::Data),
            None => Err(IntakeError::MissingColumn {
                label: label(),
                column: column.to_owned(),
            }),
        },
        (Header::Expected, Some(column)) => {
            let exact = first_row.iter().position(|name| name == column);
            let folded = || first_row.iter().position(|name| fold(name) == fold(column));
            match exact.or_else(folded).or_else(|| numbered(column)) {
                Some(place) => layout(place, FirstRow::Header),
                None => Err(IntakeError::MissingColumn {
                    label: label(),
                    column: column.to_owned(),
                }),
            }
        }
        (Header::Expected, None) => {
            let known: Vec<usize> = (0..width)
                .filter(|place| is_known(&first_row[*place], width))
                .collect();
            match known.as_slice() {
                [place] => layout(*place, FirstRow::Header),
                [] if width == 1 => Err(IntakeError::NoHeader { label: label() }),
                [] => Err(IntakeError::NoKnownColumn {
                    label: label(),
                    count: width,
                }),
                several => Err(IntakeError::SeveralColumns {
                    label: label(),
                    columns: several
                        .iter()
                        .map(|p| format!("`{}`", first_row[*p]))
                        .collect(),
                }),
            }
        }
    }
}
