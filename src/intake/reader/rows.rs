//! Splits lines into rows of fields. Stricter than common CSV readers, which never fail: anything
//! that would merge rows or change a value is damage.

use std::io::{self, Read};

use crate::intake::damage::Damage;
use crate::intake::damage::MAX_LINE_BYTES;
use crate::intake::stream::lines::{LineStep, TextLines};

/// The fields of one row without their quotes, in one buffer.
#[derive(Debug, Default)]
pub(crate) struct Fields {
    text: Vec<u8>,
    ends: Vec<usize>,
    in_quotes: bool,
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Fed {
    Whole,
    /// A quote is open: the row goes on with the next line.
    Open,
    TextAfterQuote,
}

impl Fields {
    pub(crate) fn clear(&mut self) {
        self.text.clear();
        self.ends.clear();
        self.in_quotes = false;
    }

    /// Takes the row's next line. A quote counts only at the beginning of a field; elsewhere it is
    /// part of the value.
    pub(crate) fn feed(&mut self, line: &[u8], delimiter: u8) -> Fed {
        let mut rest = line;
        loop {
            if self.in_quotes {
                let Some(place) = memchr::memchr(b'"', rest) else {
                    self.text.extend_from_slice(rest);
                    return Fed::Open;
                };
                self.text.extend_from_slice(&rest[..place]);
                rest = &rest[place + 1..];
                match rest.split_first() {
                    Some((b'"', behind)) => {
                        self.text.push(b'"');
                        rest = behind;
                        continue;
                    }
                    Some((next, behind)) if *next == delimiter => rest = behind,
                    Some(_) => return Fed::TextAfterQuote,
                    None => {
                        self.end_field();
                        return Fed::Whole;
                    }
                }
                self.end_field();
            }
            if let Some((b'"', behind)) = rest.split_first() {
                self.in_quotes = true;
                rest = behind;
                continue;
            }
            match memchr::memchr(delimiter, rest) {
                Some(place) => {
                    self.text.extend_from_slice(&rest[..place]);
                    self.end_field();
                    rest = &rest[place + 1..];
                }
                None => {
                    self.text.extend_from_slice(rest);
                    self.end_field();
                    return Fed::Whole;
                }
            }
        }
    }

    fn end_field(&mut self) {
        self.in_quotes = false;
        self.ends.push(self.text.len());
    }

    fn iter(&self) -> impl Iterator<Item = &[u8]> {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        starts
            .zip(&self.ends)
            .map(|(start, end)| &self.text[start..*end])
    }
}

pub(crate) enum TableRow<'a> {
    Blank,
    Whole(Cells<'a>),
    Damaged(Damage),
    /// Damage after which nothing can be read.
    Broken(Damage),
    End,
}

pub(crate) enum Cells<'a> {
    Plain {
        line: &'a [u8],
        delimiter: u8,
    },
    Quoted(&'a Fields),
    /// A row of a spreadsheet; an error says why a cell cannot be an id.
    Sheet(&'a [Result<String, Damage>]),
}

pub(crate) struct TableRows<R> {
    lines: TextLines<R>,
    pub(crate) delimiter: u8,
    fields: Fields,
}

impl<R: Read> TableRows<R> {
    pub(crate) fn new(lines: TextLines<R>, delimiter: u8) -> Self {
        Self {
            lines,
            delimiter,
            fields: Fields::default(),
        }
    }

    /// The next row, and the number of its first line.
    #[inline(always)]
    pub(crate) fn advance(&mut self) -> io::Result<(u64, TableRow<'_>)> {
        let step = self.lines.advance()?;
        let number = self.lines.number();
        let row = match step {
            LineStep::Damaged(damage) => TableRow::Damaged(damage),
            LineStep::TooLong => TableRow::Broken(Damage::TooLong),
            LineStep::End => TableRow::End,
            LineStep::Line if self.lines.has_quote() => self.join()?,
            LineStep::Line => Cells::Plain {
                line: self.lines.line(),
                delimiter: self.delimiter,
            }
            .into_row(),
        };
        Ok((number, row))
    }

    /// Whether the last line has no line end.
    pub(crate) fn is_unended(&self) -> bool {
        self.lines.is_unended()
    }

    /// Joins the row that begins on the current line, over several lines if needed.
    fn join(&mut self) -> io::Result<TableRow<'_>> {
        self.fields.clear();
        loop {
            match self.fields.feed(self.lines.line(), self.delimiter) {
                Fed::Whole => return Ok(Cells::Quoted(&self.fields).into_row()),
                Fed::TextAfterQuote => return Ok(TableRow::Damaged(Damage::TextAfterQuote)),
                Fed::Open if self.fields.text.len() > MAX_LINE_BYTES => {
                    return Ok(TableRow::Broken(Damage::TooLong));
                }
                Fed::Open => self.fields.text.push(b'\n'),
            }
            match self.lines.advance()? {
                LineStep::Line => {}
                LineStep::Damaged(damage) => return Ok(TableRow::Damaged(damage)),
                LineStep::TooLong => return Ok(TableRow::Broken(Damage::TooLong)),
                LineStep::End => return Ok(TableRow::Broken(Damage::OpenQuote)),
            }
        }
    }
}

impl<'a> Cells<'a> {
    /// Rows of only delimiters are blank: spreadsheets write them after the last row.
    #[inline(always)]
    fn into_row(self) -> TableRow<'a> {
        let is_blank = match &self {
            Self::Plain { line, delimiter } => {
                let is_blank = |byte: &u8| byte == delimiter || matches!(byte, b' ' | b'\t');
                line.iter().all(is_blank)
            }
            Self::Quoted(fields) => fields.text.is_empty() && fields.ends.len() > 1,
            Self::Sheet(_) => false,
        };
        match is_blank {
            true => TableRow::Blank,
            false => TableRow::Whole(self),
        }
    }

    pub(crate) fn to_names(&self) -> Vec<String> {
        let mut names = Vec::new();
        self.all(|field| {
            names.push(String::from_utf8_lossy(field).into_owned());
            true
        });
        names
    }

    pub(crate) fn single_line(&self) -> Option<&'a str> {
        match self {
            Self::Plain { line, .. } => std::str::from_utf8(line).ok(),
            Self::Quoted(_) | Self::Sheet(_) => None,
        }
    }

    /// Whether a quoted field may hold whole rows, since a quote was left open: a field with a line
    /// end in one of these columns, or one that splits where rows of this width do.
    pub(crate) fn may_hide_rows(
        &self,
        mut columns: impl Iterator<Item = usize>,
        delimiter: u8,
    ) -> bool {
        let Self::Quoted(fields) = self else {
            return false;
        };
        if memchr::memchr(b'\n', &fields.text).is_none() {
            return false;
        }
        let width = fields.ends.len();
        let is_broken = |field: &[u8]| field.contains(&b'\n');
        let splits_like_rows = |(column, field): (usize, &[u8])| {
            let lines = field.split(|byte| *byte == b'\n');
            let counts = lines.map(|line| memchr::memchr_iter(delimiter, line).count());
            let counts: Vec<usize> = counts.collect();
            match counts.as_slice() {
                [first, between @ .., last] => {
                    first + column + 1 == width
                        && *last == column
                        && between.iter().all(|count| count + 1 == width)
                }
                _ => false,
            }
        };
        columns.any(|column| fields.iter().nth(column).is_some_and(is_broken))
            || fields
                .iter()
                .enumerate()
                .any(|(column, field)| is_broken(field) && splits_like_rows((column, field)))
    }

    /// Whether `is` holds for all fields; stops at the first that fails.
    pub(crate) fn all(&self, is: impl FnMut(&[u8]) -> bool) -> bool {
        self.all_behind(0, is)
    }

    fn all_behind(&self, width: usize, mut is: impl FnMut(&[u8]) -> bool) -> bool {
        match self {
            Self::Plain { line, delimiter } => {
                let mut fields = line.split(|byte| byte == delimiter).skip(width);
                fields.all(is)
            }
            Self::Quoted(fields) => fields.iter().skip(width).all(is),
            Self::Sheet(cells) => {
                let text = |cell: &'a Result<String, _>| cell.as_ref().map_or("", String::as_str);
                cells
                    .iter()
                    .skip(width)
                    .all(|cell| is(text(cell).as_bytes()))
            }
        }
    }

    /// The field at `column`, if the row has `width` fields. Empty fields may follow.
    #[inline(always)]
    pub(crate) fn pick(&self, column: usize, width: usize) -> Result<&'a [u8], Damage> {
        let (value, found) = match self {
            Self::Plain { line, delimiter } => pick(line, *delimiter, column),
            Self::Quoted(fields) => {
                let value = fields.iter().nth(column).unwrap_or_default();
                (value, fields.ends.len())
            }
            Self::Sheet(cells) => {
                return match cells.get(column) {
                    Some(Ok(text)) => Ok(text.as_bytes()),
                    Some(Err(damage)) => Err(*damage),
                    None => Ok(b""),
                };
            }
        };
        self.demand_width(width, found)?;
        Ok(value)
    }

    /// Passes the fields at `columns`, which are in order, to `hear`. Fails if `hear` does, or as
    /// [`Self::pick`] does, which may be after some fields were passed.
    #[inline(always)]
    pub(crate) fn pick_each<T: Copy>(
        &self,
        columns: &[(usize, T)],
        width: usize,
        mut hear: impl FnMut(T, &'a [u8]) -> Result<(), Damage>,
    ) -> Result<(), Damage> {
        let Self::Plain { line, delimiter } = self else {
            for (column, what) in columns {
                hear(*what, self.pick(*column, width)?)?;
            }
            return Ok(());
        };
        let (mut rest, mut found) = (*line, 0);
        let mut wanted = columns.iter().peekable();
        while wanted.peek().is_some() {
            let end = memchr::memchr(*delimiter, rest);
            let field = &rest[..end.unwrap_or(rest.len())];
            while let Some((_, what)) = wanted.next_if(|(column, _)| *column == found) {
                hear(*what, field)?;
            }
            found += 1;
            match end {
                Some(end) => rest = &rest[end + 1..],
                None => return self.demand_width(width, found),
            }
        }
        // To count is faster than to find.
        let others = memchr::memchr_iter(*delimiter, rest).count();
        self.demand_width(width, found + 1 + others)
    }

    #[inline(always)]
    fn demand_width(&self, width: usize, found: usize) -> Result<(), Damage> {
        match found == width || (found > width && self.all_behind(width, <[u8]>::is_empty)) {
            true => Ok(()),
            false => Err(Damage::Ragged {
                expected: width,
                found,
            }),
        }
    }
}

/// The field at `column` of a line without quotes, and the number of fields.
#[inline]
fn pick(line: &[u8], delimiter: u8, column: usize) -> (&[u8], usize) {
    let (mut start, mut end, mut count) = (0, line.len(), 1);
    for place in memchr::memchr_iter(delimiter, line) {
        if count == column {
            start = place + 1;
        } else if count == column + 1 {
            end = place;
        }
        count += 1;
    }
    (&line[start..end], count)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// All rows, or the first damage.
    fn rows(text: &[u8], delimiter: u8) -> Result<Vec<Vec<Vec<u8>>>, (u64, Damage)> {
        let mut rows = TableRows::new(TextLines::new(text, "UTF-8"), delimiter);
        let mut all = Vec::new();
        loop {
            match rows.advance().unwrap() {
                (_, TableRow::Blank) => {}
                (_, TableRow::Whole(cells)) => {
                    let width = cells.to_names().len();
                    let pick = |column| cells.pick(column, width).unwrap().to_owned();
                    all.push((0..width).map(pick).collect());
                }
                (line, TableRow::Damaged(damage) | TableRow::Broken(damage)) => {
                    return Err((line, damage));
                }
                (_, TableRow::End) => return Ok(all),
            }
        }
    }

    /// What the csv crate reads; that crate changes damaged rows.
    fn by_another_reader(text: &[u8], delimiter: u8) -> Vec<Vec<Vec<u8>>> {
        let mut reader = csv::ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .delimiter(delimiter)
            .from_reader(text);
        let records = reader.byte_records().map(Result::unwrap);
        let fields = |record: csv::ByteRecord| -> Vec<Vec<u8>> {
            record.iter().map(<[u8]>::to_owned).collect()
        };
        let is_blank = |row: &Vec<Vec<u8>>| row.len() > 1 && row.iter().all(Vec::is_empty);
        records.map(fields).filter(|row| !is_blank(row)).collect()
    }

    #[test]
    fn what_would_change_a_value_or_merge_rows_is_damage() {
        for (text, line, damage) in [
            ("a\n\"b\"c\nd\n", 2, Damage::TextAfterQuote),
            ("a\n\"b\" ,c\n", 2, Damage::TextAfterQuote),
            ("a\n1,\"b\nc,d\n", 2, Damage::OpenQuote),
            ("a\n1,\"b\n2,\"c\"\n", 2, Damage::TextAfterQuote),
            ("\"a\"\"", 1, Damage::OpenQuote),
        ] {
            assert_eq!(rows(text.as_bytes(), b','), Err((line, damage)), "{text}");
        }
    }

    #[test]
    fn an_open_quote_does_not_fill_the_memory() {
        let text = io::Cursor::new("a\n\"").chain(io::repeat(b'\n'));
        let mut rows = TableRows::new(TextLines::new(text, "UTF-8"), b',');
        assert!(matches!(rows.advance().unwrap(), (1, TableRow::Whole(_))));
        let next = rows.advance().unwrap();
        assert!(matches!(next, (2, TableRow::Broken(Damage::TooLong))));
        assert!(rows.fields.text.capacity() <= 4 * MAX_LINE_BYTES);
    }

    proptest! {
        #[test]
        fn fields_picked_at_once_are_those_picked_one_by_one(
            line in "[ab,]{0,12}",
            columns in prop::collection::vec(0..5_usize, 1..4),
            width in 1..7_usize,
        ) {
            let (line, delimiter) = (line.as_bytes(), b',');
            let cells = Cells::Plain { line, delimiter };
            let mut columns: Vec<(usize, usize)> = columns.into_iter().map(|c| (c, c)).collect();
            columns.sort_unstable();
            let one_by_one = columns.iter().map(|(column, _)| {
                Ok((*column, cells.pick(*column, width)?))
            });
            let one_by_one: Result<Vec<_>, Damage> = one_by_one.collect();
            let mut at_once = Vec::new();
            let picked = cells.pick_each(&columns, width, |column, field| {
                at_once.push((column, field));
                Ok(())
            });
            // A column that the heading lacks is never wanted.
            prop_assume!(columns.iter().all(|(column, _)| *column < width));
            prop_assert_eq!(picked.map(|()| at_once), one_by_one);
        }

        #[test]
        fn whatever_is_accepted_is_what_another_reader_sees(text in "[ab,\";\n.]{0,60}") {
            for delimiter in [b',', b';'] {
                if let Ok(rows) = rows(text.as_bytes(), delimiter) {
                    prop_assert_eq!(rows, by_another_reader(text.as_bytes(), delimiter));
                }
            }
        }

        #[test]
        fn whatever_is_written_is_read_back(
            table in prop::collection::vec(prop::collection::vec("[a,;\"\n]{0,6}", 2), 1..8),
        ) {
            for delimiter in [b',', b';'] {
                let mut writer = csv::WriterBuilder::new().delimiter(delimiter).from_writer(Vec::new());
                for row in &table {
                    writer.write_record(row).unwrap();
                }
                let text = writer.into_inner().unwrap();
                let wanted: Vec<Vec<Vec<u8>>> = table
                    .iter()
                    .filter(|row| row.iter().any(|field| !field.is_empty()))
                    .map(|row| row.iter().map(|field| field.as_bytes().to_owned()).collect())
                    .collect();
                prop_assert_eq!(rows(&text, delimiter), Ok(wanted));
            }
        }
    }
}
