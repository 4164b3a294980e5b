//! Where ids come from: files, standard input, or one id on the command line.

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Where ids come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    File(PathBuf),
    Stdin,
    Id(String),
}

/// Why an argument is not a source.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum SourceError {
    // Taking a file name for an id would be a silent disaster.
    #[error("the file `{path}` does not exist")]
    LooksLikePath { path: String },
    #[error("no file matches `{pattern}`")]
    Unexpanded { pattern: String },
    #[error("`{path}` is a link that leads to no file")]
    Link { path: String },
    #[error("the file `{word}` does not exist; `{path}` does")]
    WithoutExtension { word: String, path: String },
    #[error("source {place} is not a file, and its {separator} separates several ids or names")]
    Separated {
        place: usize,
        separator: &'static str,
    },
    #[error("source {place} is not a file, and has a quote, which ids do not have")]
    Quoted { place: usize },
    #[error("source {place} of {of} is not a file; beside other sources, an id needs `--id`")]
    NotAlone { place: usize, of: usize },
    #[error("standard input can be read only once")]
    StdinTwice,
    #[error("`{path}` is a pipe or a device, which can be read only once")]
    PipeTwice { path: PathBuf },
}

/// Extensions that tell a file name from an id.
const EXTENSIONS: [&str; 29] = [
    "csv", "tsv", "tab", "psv", "txt", "json", "jsonl", "ndjson", "gz", "zst", "zip", "xls",
    "xlsx", "ods", "parquet", "sql", "list", "pdf", "doc", "docx", "odt", "rtf", "numbers", "log",
    "dat", "bak", "old", "xml", "html",
];

/// Extensions of the files that dsr reads, packed or not.
pub(super) const EXTENSIONS_READ: [&str; 9] = [
    "csv", "tsv", "tab", "psv", "txt", "json", "jsonl", "ndjson", "list",
];

/// The usual name of a separator between values.
fn separator(c: char) -> Option<&'static str> {
    match c {
        ',' | '\u{ff0c}' | '\u{3001}' | '\u{60c}' => Some("comma"),
        ';' | '\u{ff1b}' | '\u{61b}' => Some("semicolon"),
        c if c.is_whitespace() => Some("white space"),
        _ => None,
    }
}

/// Straight and typographic double quotes, and typographic single quotes.
const QUOTES: &[char] = &[
    '"', '\u{ab}', '\u{bb}', '\u{2018}', '\u{2019}', '\u{201a}', '\u{201b}', '\u{201c}',
    '\u{201d}', '\u{201e}', '\u{201f}', '\u{2039}', '\u{203a}', '\u{ff02}',
];

impl Source {
    /// Reads the bare arguments of a command line: `-`, existing files, or one id. `others` is the
    /// number of sources given with options.
    ///
    /// # Errors
    /// When an argument is not a file and may not be one id, such as a path, a pattern or a broken
    /// link. Also when there are several ids, or an id beside other sources.
    pub fn recognise(words: &[String], others: usize) -> Result<Vec<Self>, SourceError> {
        let of = words.len() + others;
        let numbered = words.iter().zip(1..);
        let sources = numbered.map(|(word, place)| match Self::as_file(word)? {
            Some(file) => Ok(file),
            None => Self::as_id(word, place, of),
        });
        sources.collect()
    }

    fn as_file(word: &str) -> Result<Option<Self>, SourceError> {
        let path = Path::new(word);
        if word == "-" {
            Ok(Some(Self::Stdin))
        } else if path.exists() {
            Ok(Some(Self::File(path.to_owned())))
        } else if path.symlink_metadata().is_ok() {
            let path = word.to_owned();
            Err(SourceError::Link { path })
        } else {
            Ok(None)
        }
    }

    fn as_id(word: &str, place: usize, of: usize) -> Result<Self, SourceError> {
        if word.contains(['*', '?', '[']) {
            let pattern = word.to_owned();
            return Err(SourceError::Unexpanded { pattern });
        }
        if looks_like_path(word) {
            let path = word.to_owned();
            return Err(SourceError::LooksLikePath { path });
        }
        if let Some(separator) = word.chars().find_map(separator) {
            return Err(SourceError::Separated { place, separator });
        }
        if word.contains(QUOTES) {
            return Err(SourceError::Quoted { place });
        }
        if let Some(path) = find_with_extension(word) {
            let word = word.to_owned();
            return Err(SourceError::WithoutExtension { word, path });
        }
        match of {
            1 => Ok(Self::Id(word.to_owned())),
            _ => Err(SourceError::NotAlone { place, of }),
        }
    }

    /// A source given with an option; `-` is standard input.
    pub fn from_path(path: &Path) -> Self {
        if path == Path::new("-") {
            Self::Stdin
        } else {
            Self::File(path.to_owned())
        }
    }

    /// Labels of the files that occur more than once, even under different names.
    ///
    /// # Errors
    /// When standard input or another pipe occurs more than once.
    pub fn find_repeated(sources: &[Self]) -> Result<Vec<String>, SourceError> {
        let stdin = sources.iter().filter(|source| **source == Self::Stdin);
        if stdin.count() > 1 {
            return Err(SourceError::StdinTwice);
        }
        let mut seen = HashSet::new();
        let mut repeated = Vec::new();
        for source in sources {
            let Self::File(path) = source else { continue };
            // Opening the file fails later, with a message.
            let Ok(metadata) = fs::metadata(path) else {
                continue;
            };
            if seen.insert(identity_of(path, &metadata)) || metadata.is_dir() {
                continue;
            }
            if !metadata.is_file() {
                return Err(SourceError::PipeTwice { path: path.clone() });
            }
            repeated.push(source.label());
        }
        Ok(repeated)
    }

    /// The size in bytes, if known before reading.
    pub(super) fn size(&self) -> Option<u64> {
        match self {
            Self::File(path) => {
                let found = path.metadata().ok().filter(std::fs::Metadata::is_file);
                found.map(|found| found.len())
            }
            Self::Stdin => None,
            Self::Id(_) => Some(0),
        }
    }

    /// Whether it is a file that can be read several times.
    pub(super) fn is_rereadable(&self) -> bool {
        match self {
            Self::File(path) => !path.exists() || path.is_file() || path.is_dir(),
            Self::Stdin | Self::Id(_) => false,
        }
    }

    /// The name of the source in messages and in the ledger; never an id.
    pub fn label(&self) -> String {
        match self {
            Self::File(path) => format!("`{}`", path.display()),
            Self::Stdin => "standard input".to_owned(),
            Self::Id(_) => "one id on the command line".to_owned(),
        }
    }
}

/// Equal for all names of one file.
#[cfg(unix)]
fn identity_of(_: &Path, metadata: &fs::Metadata) -> (u64, u64) {
    use std::os::unix::fs::MetadataExt;
    (metadata.dev(), metadata.ino())
}

#[cfg(not(unix))]
fn identity_of(path: &Path, _: &fs::Metadata) -> PathBuf {
    fs::canonicalize(path).unwrap_or_else(|_| path.to_owned())
}

/// The file that has this name plus an extension of a list or a packing.
fn find_with_extension(word: &str) -> Option<String> {
    let packed = ["", ".gz", ".zst"];
    let extensions = EXTENSIONS.iter().flat_map(|extension| {
        let names = packed.map(|packing| format!("{word}.{extension}{packing}"));
        names.into_iter()
    });
    extensions
        .into_iter()
        .find(|name| Path::new(name).is_file())
}

fn looks_like_path(text: &str) -> bool {
    text.contains(['/', '\\']) || has_known_extension(text)
}

/// Whether the text ends like the name of a file of ids.
pub(super) fn has_known_extension(text: &str) -> bool {
    let extension = Path::new(text).extension().and_then(|e| e.to_str());
    extension.is_some_and(|e| EXTENSIONS.iter().any(|known| known.eq_ignore_ascii_case(e)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn recognise(word: &str) -> Result<Source, SourceError> {
        let mut sources = Source::recognise(&[word.to_owned()], 0)?;
        Ok(sources.remove(0))
    }

    #[test]
    fn what_looks_like_a_path_and_does_not_exist_is_never_an_id() {
        for text in [
            "ids.csv",
            "IDS.CSV",
            "a.tsv",
            "list.docx",
            "ids.csv.bak",
            "ids.log",
            "x.txt",
            "y.jsonl",
            "dir/x",
            "./x",
            "c:\\x",
            "~/x",
        ] {
            let error = recognise(text).unwrap_err();
            assert!(matches!(error, SourceError::LooksLikePath { .. }), "{text}");
        }
    }

    #[test]
    fn other_words_are_ids() {
        for text in [
            "user-17",
            "alice@example.com",
            "$device:ab-c",
            "17",
            "v1.2",
            "auth0|5f7c8e",
            "o'brien",
        ] {
            assert_eq!(recognise(text), Ok(Source::Id(text.to_owned())));
        }
        assert_eq!(recognise("-"), Ok(Source::Stdin));
    }

    #[test]
    fn what_exists_is_a_file() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let text = file.path().to_str().unwrap();
        assert_eq!(recognise(text), Ok(Source::File(file.path().to_owned())));
    }

    #[test]
    fn a_pattern_that_matched_nothing_is_never_an_id() {
        for text in ["*.csv", "user-*", "ids/*", "id?", "[object Object]"] {
            let error = recognise(text).unwrap_err();
            assert!(matches!(error, SourceError::Unexpanded { .. }), "{text}");
        }
    }

    #[test]
    fn an_id_beside_another_source_is_named_as_one() {
        let words = ["-".to_owned(), "user-17".to_owned()];
        let error = Source::recognise(&words, 0).unwrap_err();
        assert_eq!(error, SourceError::NotAlone { place: 2, of: 2 });
        let error = Source::recognise(&words[1..], 1).unwrap_err();
        assert_eq!(error, SourceError::NotAlone { place: 1, of: 2 });
    }

    #[cfg(unix)]
    #[test]
    fn a_file_is_the_same_under_all_its_names() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| Source::File(folder.path().join(name));
        for name in ["a", "b"] {
            fs::write(folder.path().join(name), "").unwrap();
        }
        fs::hard_link(folder.path().join("a"), folder.path().join("link")).unwrap();
        let missing = || at("missing");
        let all = [
            at("a"),
            at("b"),
            missing(),
            missing(),
            at("./a"),
            at("link"),
        ];
        let repeated = Source::find_repeated(&all).unwrap();
        let labels = [at("./a").label(), at("link").label()];
        assert_eq!(repeated, labels);
    }

    #[cfg(unix)]
    #[test]
    fn what_can_be_read_only_once_is_not_named_twice() {
        let twice = [Source::Stdin, Source::Stdin];
        assert_eq!(Source::find_repeated(&twice), Err(SourceError::StdinTwice));
        let path = PathBuf::from("/dev/null");
        let twice = [Source::File(path.clone()), Source::File(path.clone())];
        let error = Source::find_repeated(&twice).unwrap_err();
        assert_eq!(error, SourceError::PipeTwice { path });
    }

    #[test]
    fn a_label_does_not_hold_the_id() {
        assert!(!Source::Id("alice".to_owned()).label().contains("alice"));
    }
}
