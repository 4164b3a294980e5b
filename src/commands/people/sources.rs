//! Flags for a command's ids: where they come from, and how sources are read.

use std::path::PathBuf;

use crate::commands::failures::{source_failure, usage};
use crate::intake::{self, CheckOptions, Format, HeaderRow, ReadOptions, Source};
use crate::ui::Failure;

use super::checks::CheckArgs;

/// Where the ids come from: at least one of these.
#[derive(clap::Args, Debug)]
#[group(id = "sources", required = true, multiple = true)]
pub(crate) struct GivenArgs {
    /// A file, `-` for standard input, or one distinct_id
    ///
    /// A word that is not a file counts as an id only if it is the only source. A word that looks
    /// like a file, an option or a list is an error. Use `--file` or `--id` to say what it is.
    #[arg(value_name = "SOURCE")]
    source: Vec<String>,
    /// A file, even if its name looks like an id or an option
    #[arg(long, value_name = "PATH", help_heading = "Source")]
    file: Vec<PathBuf>,
    /// One distinct_id, even if it looks like a file or an option
    #[arg(
        long,
        value_name = "ID",
        allow_hyphen_values = true,
        help_heading = "Source"
    )]
    id: Vec<String>,
}

/// The format of a source.
#[derive(clap::ValueEnum, Debug, Clone, Copy, PartialEq, Eq)]
enum FormatArg {
    /// A table with any delimiter
    Csv,
    /// A table with tabs
    Tsv,
    /// One JSON object, string or whole number a line
    Jsonl,
    /// One JSON array
    Json,
    /// Each line is an id or a value, byte for byte
    Text,
}

/// How sources are read and checked.
#[derive(clap::Args, Debug)]
pub(crate) struct ReadArgs {
    #[command(flatten)]
    form: FormArgs,
    #[command(flatten)]
    pub(crate) checks: CheckArgs,
}

/// How sources are read.
#[derive(clap::Args, Debug)]
pub(crate) struct FormArgs {
    /// The format of files and standard input [default: recognized]
    #[arg(long, value_enum, help_heading = "Source")]
    format: Option<FormatArg>,
    /// The column to read: its name, or its number counted from 1; in JSON the key, or OUTER.KEY
    #[arg(long, value_name = "NAME", help_heading = "Source")]
    column: Option<String>,
    /// The first line is an id or a value, not a heading
    #[arg(long, help_heading = "Source")]
    no_header: bool,
    /// Field separator: one character, or `tab` [default: recognized]
    #[arg(long, value_name = "CHAR", value_parser = parse_delimiter, help_heading = "Source")]
    delimiter: Option<u8>,
    /// The encoding of text without a byte order mark, such as `windows-1252` [default: utf-8]
    #[arg(long, value_name = "NAME", value_parser = intake::parse_encoding, help_heading = "Source")]
    encoding: Option<&'static intake::Encoding>,
}

fn parse_delimiter(text: &str) -> Result<u8, String> {
    match (text, text.as_bytes()) {
        ("tab" | "\\t", _) => Ok(b'\t'),
        (_, [byte]) if byte.is_ascii() && !matches!(byte, b'"' | b'\n' | b'\r') => Ok(*byte),
        _ => Err("one character, or `tab`".to_owned()),
    }
}

impl GivenArgs {
    /// `command` is the command that was typed, such as `dsr find`: a hint repeats it.
    pub(crate) fn sources(&self, command: &str) -> Result<Vec<Source>, Failure> {
        let others = self.file.len() + self.id.len();
        let words = Source::recognise(&self.source, others);
        let words = words.map_err(|error| source_failure(&error, command))?;
        let files = self.file.iter().map(|path| Source::from_path(path));
        let ids = self.id.iter().map(|id| Source::Id(id.clone()));
        Ok(words.into_iter().chain(files).chain(ids).collect())
    }

    /// The bare word that is read as an id. dsr allows one, and only as the sole source.
    pub(crate) fn named_id<'s>(&self, sources: &'s [Source]) -> Option<&'s str> {
        match sources {
            [Source::Id(id)] if self.id.is_empty() => Some(id),
            _ => None,
        }
    }
}

impl ReadArgs {
    pub(crate) fn options(&self) -> Result<ReadOptions, Failure> {
        self.form.options(self.checks.options()?)
    }
}

impl FormArgs {
    pub(crate) fn options(&self, check: CheckOptions) -> Result<ReadOptions, Failure> {
        use FormatArg::{Csv, Json, Jsonl, Text, Tsv};
        let misplaced = match self.format {
            None | Some(Csv | Tsv) => None,
            Some(Text) if self.column.is_some() => Some("--column"),
            Some(Jsonl | Json) if self.no_header => Some("--no-header"),
            Some(Jsonl | Json | Text) => self.delimiter.map(|_| "--delimiter"),
        };
        if let Some(flag) = misplaced {
            return Err(usage(format!("`{flag}` does not apply to this `--format`"))
                .hint("leave one of them out"));
        }
        Ok(ReadOptions {
            format: self.format.map(|format| match format {
                Csv | Tsv => Format::Table,
                Jsonl => Format::JsonLines,
                Json => Format::JsonArray,
                Text => Format::List,
            }),
            column: self.column.clone(),
            header: match self.no_header {
                true => HeaderRow::Absent,
                false => HeaderRow::Expected,
            },
            delimiter: match self.format {
                Some(Tsv) => self.delimiter.or(Some(b'\t')),
                _ => self.delimiter,
            },
            encoding: self.encoding,
            property: None,
            check,
        })
    }
}
