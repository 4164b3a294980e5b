//! Finds the column of the ids and the field separator.

use super::rows::{Cells, Fields};
use crate::domain::id_names::{KNOWN, fold, folds_to};
use crate::intake::ReadOptions;
use crate::intake::judge::form::ValueForm;
use crate::intake::judge::program;
use crate::intake::problem::Fault;
use crate::intake::stream::text::parse_encoding;

/// Whether the first line names the columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum HeaderRow {
    /// An unknown first line is an error.
    #[default]
    Expected,
    /// The first line is data.
    Absent,
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) struct ColumnLayout {
    pub(crate) column: usize,
    pub(crate) width: usize,
    /// The heading of the id column; `None` if the first row is data.
    pub(crate) heading: Option<String>,
    /// Whether a field may hold a JSON list of ids.
    pub(crate) is_plural: bool,
}

impl ColumnLayout {
    /// The heading, or the column's number from 1.
    pub(crate) fn column_name(&self) -> String {
        let number = || (self.column + 1).to_string();
        self.heading.clone().unwrap_or_else(number)
    }
}

/// Names that are enough if the table has only one column.
pub(crate) const KNOWN_ALONE: [&str; 3] = ["id", "ids", "uid"];

/// Field separators, the most likely first; Hive writes the last.
pub(crate) const DELIMITERS: [u8; 5] = *b",;\t|\x01";
/// The most lines that are searched for a heading.
pub(crate) const MOST_ABOVE: usize = 20;

/// Whether a column or key with this name holds the ids, or the property that is read instead.
/// `width` is the number of columns or keys.
pub(crate) fn is_known(name: &str, width: usize, options: &ReadOptions) -> bool {
    if let Some(property) = &options.property {
        return name == property || folds_to(name, &fold(property));
    }
    let folded = fold(name);
    KNOWN.contains(&folded.as_str()) || (width == 1 && KNOWN_ALONE.contains(&folded.as_str()))
}

/// A name in messages that [`is_known`].
pub(crate) fn sought(options: &ReadOptions) -> String {
    let property = options.property.clone();
    property.unwrap_or_else(|| "distinct_id".to_owned())
}

/// Whether a key or column with this name may hold a list of ids, such as `$distinct_ids`.
pub(crate) fn is_plural(name: &str) -> bool {
    fold(name).ends_with("ids")
}

#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Beginning {
    /// Lines above the heading: a title, comments, or a line that names the separator.
    pub(crate) above: usize,
    /// The field separator; `None` if no heading or line tells.
    pub(crate) delimiter: Option<u8>,
    pub(crate) has_heading: bool,
}

/// Whether a heading is `email`, `E-Mail`, `$email`, `mail address` or a similar word.
fn is_of_emails(name: &str) -> bool {
    let letters = name.chars().filter(char::is_ascii_alphabetic);
    let letters: String = letters.map(|c| c.to_ascii_lowercase()).collect();
    let word = letters.strip_suffix("address").unwrap_or(&letters);
    matches!(word, "email" | "emails" | "mail" | "mails")
}

/// Finds the heading of a table, on the first line or below a title. A heading has a known name or
/// the one asked for. Fails when a program drew the table or wrote messages around it.
pub(crate) fn find_heading(beginning: &[u8], options: &ReadOptions) -> Result<Beginning, Fault> {
    let mut found = Beginning::default();
    let mut titles: Vec<&str> = Vec::new();
    for (number, line) in lines_of(beginning).take(MOST_ABOVE).enumerate() {
        let Ok(text) = std::str::from_utf8(line) else {
            break;
        };
        if text.trim().is_empty() {
            continue;
        }
        if let Some(declared) = declared_delimiter(text) {
            found.above = number + 1;
            found.delimiter = Some(declared);
            continue;
        }
        if options.header == HeaderRow::Absent {
            break;
        }
        if let Some(look) = program::of(text).filter(|_| options.delimiter.is_none()) {
            let line = number + 1;
            return Err(Fault::Drawn { line, look });
        }
        let given = options.delimiter.or(found.delimiter);
        if let Some(delimiter) = heading_delimiter(line, given, options) {
            if titles
                .iter()
                .all(|title| is_title(&fields_of(title.as_bytes(), delimiter)))
            {
                found = Beginning {
                    above: number,
                    delimiter: Some(delimiter),
                    has_heading: true,
                };
            }
            break;
        }
        titles.push(text);
    }
    found.delimiter = options.delimiter.or(found.delimiter);
    Ok(found)
}

/// Splits lines like [`crate::intake::stream::lines::Lines`].
fn lines_of(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = text;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let end = memchr::memchr2(b'\n', b'\r', rest).unwrap_or(rest.len());
        let (line, behind) = rest.split_at(end);
        rest = behind
            .strip_prefix(b"\r\n")
            .or(behind.get(1..))
            .unwrap_or_default();
        Some(line)
    })
}

/// The first line that is not empty; it may be cut off by the end of `beginning`.
pub(crate) fn first_line(beginning: &[u8]) -> &[u8] {
    let mut lines = lines_of(beginning);
    lines.find(|line| !line.is_empty()).unwrap_or_default()
}

/// Whether a row above a heading is a title or a comment, and holds no id.
pub(crate) fn is_title(fields: &[String]) -> bool {
    let mut filled = fields.iter().filter(|field| !field.trim().is_empty());
    let text = filled.next().map_or("", |field| field.trim());
    let part = |c: char| c.is_whitespace() || "#,;|\"'()[]<>".contains(c);
    let holds_id = |field: &String| {
        field
            .split(part)
            .any(|word| ValueForm::of(word).is_of_a_system())
    };
    (filled.next().is_none() || text.starts_with('#'))
        && (ValueForm::of(text).look().is_some() || parse_encoding(text).is_ok())
        && !fields.iter().any(holds_id)
}

/// The separator that splits `line` into a heading with a known name or the one asked for.
fn heading_delimiter(line: &[u8], given: Option<u8>, options: &ReadOptions) -> Option<u8> {
    let candidates = match given {
        Some(given) => vec![given],
        None => DELIMITERS.to_vec(),
    };
    // A known name alone fits every separator; the one that gives most fields wins.
    let headings = candidates.into_iter().filter_map(|delimiter| {
        let fields = fields_of(line, delimiter);
        names_ids(&fields, options).then_some((fields.len(), delimiter == b',', delimiter))
    });
    headings.max().map(|(_, _, delimiter)| delimiter)
}

pub(crate) fn names_ids(names: &[String], options: &ReadOptions) -> bool {
    let asked = options.column.as_deref();
    let asked = asked.map(fold).filter(|name| !name.is_empty());
    let width = names.len();
    names.iter().any(|name| {
        is_known(name, width, options) || asked.as_ref().is_some_and(|asked| fold(name) == *asked)
    })
}

/// The separator of a table without a heading: the first that occurs.
pub(crate) fn likeliest_delimiter(first_line: &[u8]) -> u8 {
    let splits = |delimiter: &u8| fields_of(first_line, *delimiter).len() > 1;
    DELIMITERS.into_iter().find(splits).unwrap_or(b',')
}

/// Whether the line names a column of ids, with any field separator.
pub(crate) fn is_heading(line: &[u8], options: &ReadOptions) -> bool {
    heading_delimiter(line, None, options).is_some()
}

/// The field separator in a spreadsheet's `sep=;` line; quotes or more separators may follow.
fn declared_delimiter(line: &str) -> Option<u8> {
    let line = line.trim_matches([' ', '"']);
    let (name, rest) = line.split_at_checked(4)?;
    let rest = rest.trim_end_matches('"');
    let delimiter = *rest.as_bytes().first()?;
    let is_it = |byte: u8| byte == delimiter || DELIMITERS.contains(&byte);
    (name.eq_ignore_ascii_case("sep=")
        && !delimiter.is_ascii_alphanumeric()
        && rest.bytes().all(is_it))
    .then_some(delimiter)
}

fn fields_of(line: &[u8], delimiter: u8) -> Vec<String> {
    let mut fields = Fields::default();
    // Even an unfinished line has enough fields to tell.
    fields.feed(line, delimiter);
    Cells::Quoted(&fields).to_names()
}

/// Chooses the column from the first row. Fails when the choice is not clear. Quotes names only if
/// the row is certainly a header; otherwise it may hold an id.
pub(crate) fn decide(first_row: &[String], options: &ReadOptions) -> Result<ColumnLayout, Fault> {
    // Programs may write empty cells after the last column.
    let filled = first_row.iter().rposition(|name| !name.is_empty());
    let width = filled.map_or(1, |last| last + 1);
    let names = &first_row[..width];
    let asked = options.column.as_deref();
    let has_heading = names.iter().any(|name| is_known(name, width, options));
    let missing = |column: &str| Fault::MissingColumn {
        column: column.to_owned(),
        // A person may have the property's name as a value.
        known: match (options.header, has_heading && options.property.is_none()) {
            (HeaderRow::Expected, true) => names.to_vec(),
            _ => Vec::new(),
        },
    };
    let repeated = |column: &str, count| Fault::RepeatedColumn {
        column: column.to_owned(),
        count,
    };
    let number = asked.and_then(|text| text.parse().ok());
    let numbered = number.filter(|number| (1..=width).contains(number));
    let places = |is: &dyn Fn(&str) -> bool| -> Vec<usize> {
        (0..width).filter(|place| is(&names[*place])).collect()
    };
    let column = match (options.header, asked) {
        (HeaderRow::Absent, None) if width == 1 => 0,
        (HeaderRow::Absent, None) => {
            return Err(Fault::WhichColumn { count: width });
        }
        (HeaderRow::Absent, Some(asked)) => numbered.ok_or_else(|| missing(asked))? - 1,
        (HeaderRow::Expected, Some(asked)) => {
            let mut found = places(&|name| name == asked);
            if found.is_empty() {
                found = places(&|name| fold(name) == fold(asked) && !fold(name).is_empty());
            }
            match (found.as_slice(), numbered) {
                ([place], _) => *place,
                // A system-made value is an id, and would be lost as a heading.
                ([], Some(number)) if ValueForm::of(&names[number - 1]).is_of_a_system() => {
                    return Err(Fault::IdInHeading);
                }
                ([], Some(number)) => number - 1,
                ([], None) => return Err(missing(asked)),
                (several, _) => return Err(repeated(asked, several.len())),
            }
        }
        (HeaderRow::Expected, None) => {
            match places(&|name| is_known(name, width, options)).as_slice() {
                [place] => *place,
                [] if width == 1 => {
                    let may_be_id = ValueForm::of(&names[0]).look().is_none();
                    let sought = sought(options);
                    return Err(Fault::NoHeader { may_be_id, sought });
                }
                [] => {
                    return Err(Fault::NoKnownColumn {
                        count: width,
                        sought: sought(options),
                        email: names.iter().find(|name| is_of_emails(name)).cloned(),
                    });
                }
                [first, rest @ ..] if rest.iter().all(|place| names[*place] == names[*first]) => {
                    return Err(repeated(&names[*first], rest.len() + 1));
                }
                several => {
                    let columns = several.iter().map(|place| names[*place].clone());
                    return Err(Fault::SeveralColumns(columns.collect()));
                }
            }
        }
    };
    let heading = match options.header {
        HeaderRow::Expected => Some(names[column].clone()),
        HeaderRow::Absent => None,
    };
    Ok(ColumnLayout {
        column,
        width,
        is_plural: heading.as_deref().is_some_and(is_plural),
        heading,
    })
}
