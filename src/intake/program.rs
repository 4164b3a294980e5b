//! What programs write around a list: drawn tables, and lines of their own.

use std::fmt;

/// Which program it was, as far as its words tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Program {
    Mysql,
    Psql,
    Sqlcmd,
    Sqlplus,
    Markdown,
    Uniq,
    Grep,
    /// One that draws tables or counts rows.
    Table,
}

impl Program {
    /// How it writes a bare list.
    pub fn way_out(self) -> &'static str {
        match self {
            Self::Mysql => "have mysql write a bare list into a .txt file: `mysql -N -B`",
            Self::Psql => "have psql write a bare list into a .txt file: `psql -At -X -q`",
            Self::Sqlcmd => {
                "have sqlcmd write a bare list into a .txt file: `sqlcmd -h -1 -W`, with `SET NOCOUNT ON;` before the query"
            }
            Self::Sqlplus => {
                "have sqlplus write a bare list into a .txt file: `sqlplus -S`, with `SET HEADING OFF FEEDBACK OFF PAGESIZE 0` before the query"
            }
            Self::Markdown => "put the ids alone into a .txt file, one a line",
            Self::Uniq => "make the list without the numbers: `sort -u` in place of `uniq -c`",
            Self::Grep => "make the list without names and line numbers: `grep -h` without `-n`",
            Self::Table => {
                "have the program write a bare list into a .txt file, such as `mysql -N -B`, `psql -At -X -q` or `sqlcmd -h -1 -W`"
            }
        }
    }
}

impl fmt::Display for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Mysql => "the value looks like a drawn table or a message of mysql",
            Self::Psql => "the value looks like a drawn table or a message of psql",
            Self::Sqlcmd => "the value looks like a message of sqlcmd",
            Self::Sqlplus => "the value looks like a message of sqlplus",
            Self::Markdown => "the value looks like a table in Markdown",
            Self::Uniq => "the value has a number before it, as `uniq -c` writes",
            Self::Grep => "the value has a file's name or a line number before it, as grep writes",
            Self::Table => "the value looks like a part of a drawn table or a count of rows",
        })
    }
}

/// The program that writes such a line beside its results.
pub(super) fn of(line: &str) -> Option<Program> {
    let line = line.trim().to_lowercase();
    if let Some(program) = drawn(&line) {
        return Some(program);
    }
    let inner = line
        .strip_prefix('(')
        .and_then(|line| line.strip_suffix(')'));
    if let Some((_, rest)) = inner.and_then(counted) {
        return Some(
            match rest.contains("affected") || rest.contains("betroffen") {
                true => Program::Sqlcmd,
                false => Program::Psql,
            },
        );
    }
    let starts = |words: &[&str]| words.iter().any(|word| line.starts_with(word));
    if starts(&[
        "timing is o",
        "(no rows)",
        "output format is ",
        "tuples only is ",
        "-[ record",
    ]) {
        return Some(Program::Psql);
    }
    if starts(&["empty set", "query ok", "mysql: [warning]", "[warning]"]) {
        return Some(Program::Mysql);
    }
    if line.starts_with("***") && line.contains(". row ***") {
        return Some(Program::Mysql);
    }
    if starts(&["no rows selected", "sql>"]) {
        return Some(Program::Sqlplus);
    }
    if let Some((_, rest)) = counted(&line) {
        return match rest {
            _ if rest.contains(" in set") => Some(Program::Mysql),
            _ if rest.contains("selected") => Some(Program::Sqlplus),
            "row" | "rows" | "record" | "records" | "zeilen" | "lignes" | "filas" => {
                Some(Program::Table)
            }
            _ if rest.starts_with("row") => Some(Program::Table),
            _ => None,
        };
    }
    let (word, rest) = line.split_once(' ')?;
    match word {
        "copy" | "select" | "insert" | "update" | "delete" if is_count(rest) => Some(Program::Psql),
        "time:" | "zeit:" if rest.starts_with(|c: char| c.is_ascii_digit()) => Some(Program::Psql),
        _ => None,
    }
}

/// The program that draws such a line; a line without a corner or a bar may be anyone's.
pub(super) fn drawn(line: &str) -> Option<Program> {
    let line = line.trim();
    let is_ruler = line.bytes().all(|byte| b"+-=|: ".contains(&byte)) && line.len() > 2;
    match line.as_bytes() {
        [b'+', b'-' | b'=', ..] if is_ruler => Some(Program::Mysql),
        [b'|', .., b'|'] if is_ruler => Some(Program::Markdown),
        [b'|', .., b'|'] if line.len() > 2 => Some(Program::Table),
        [b'-', ..] if is_ruler && line.contains("-+-") => Some(Program::Psql),
        _ => None,
    }
}

/// `5 rows`: a number, and what is counted.
fn counted(text: &str) -> Option<(&str, &str)> {
    let (number, rest) = text.split_once(' ')?;
    let rest = rest.trim_end_matches('.');
    (is_count(number) && rest.starts_with(char::is_alphabetic)).then_some((number, rest))
}

fn is_count(text: &str) -> bool {
    let is_part = |c: char| c.is_ascii_digit() || c == ',' || c == ' ';
    text.starts_with(|c: char| c.is_ascii_digit()) && text.chars().all(is_part)
}
