use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Where ids come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    File(PathBuf),
    Stdin,
    /// One distinct_id, as it was typed.
    Id(String),
}

/// Why an argument is no source.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum SourceError {
    // Erasing a file *name* would be a silent disaster.
    #[error("there is no file `{path}`, and what looks like a path is never taken as an id")]
    LooksLikePath { path: String },
    #[error(
        "there is no file `{pattern}`, and what holds `*`, `?` or `[` is taken for a pattern that matched no file"
    )]
    Unexpanded { pattern: String },
    #[error("standard input can be read only once")]
    StdinTwice,
    #[error("`{path}` is a pipe or a device, which can be read only once")]
    PipeTwice { path: PathBuf },
}

/// Extensions that tell a file name from an id.
const EXTENSIONS: [&str; 17] = [
    "csv", "tsv", "tab", "psv", "txt", "json", "jsonl", "ndjson", "gz", "zst", "zip", "xls",
    "xlsx", "ods", "parquet", "sql", "list",
];

/// Those of files that can be read as they are or unpacked.
pub(super) const EXTENSIONS_READ: [&str; 9] = [
    "csv", "tsv", "tab", "psv", "txt", "json", "jsonl", "ndjson", "list",
];

impl Source {
    /// Takes an argument as `-`, as a file that exists, or as an id.
    ///
    /// # Errors
    /// When it does not exist and looks like a path (a separator, or an extension such as .csv) or
    /// like a pattern that the shell would have replaced by the files it matches.
    pub fn recognise(argument: &str) -> Result<Self, SourceError> {
        let path = Path::new(argument);
        if argument == "-" {
            Ok(Self::Stdin)
        } else if path.exists() {
            Ok(Self::File(path.to_owned()))
        } else if argument.contains(['*', '?', '[']) {
            Err(SourceError::Unexpanded {
                pattern: argument.to_owned(),
            })
        } else if looks_like_path(argument) {
            Err(SourceError::LooksLikePath {
                path: argument.to_owned(),
            })
        } else {
            Ok(Self::Id(argument.to_owned()))
        }
    }

    /// A path that was named as one; `-` is standard input.
    pub fn from_path(path: &Path) -> Self {
        if path == Path::new("-") {
            Self::Stdin
        } else {
            Self::File(path.to_owned())
        }
    }

    /// Labels of the files that are named more than once, under whatever names.
    ///
    /// # Errors
    /// When standard input, or another pipe, is among them more than once.
    pub fn find_repeated(sources: &[Self]) -> Result<Vec<String>, SourceError> {
        let stdin = sources.iter().filter(|source| **source == Self::Stdin);
        if stdin.count() > 1 {
            return Err(SourceError::StdinTwice);
        }
        let mut seen = HashSet::new();
        let mut repeated = Vec::new();
        for source in sources {
            let Self::File(path) = source else { continue };
            // What cannot be asked cannot be opened either, which is said then.
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

    /// How many bytes it has on the disk, if that is known before it is read.
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

    /// What messages and the ledger call it; never an id.
    pub fn label(&self) -> String {
        match self {
            Self::File(path) => format!("`{}`", path.display()),
            Self::Stdin => "standard input".to_owned(),
            Self::Id(_) => "one id on the command line".to_owned(),
        }
    }
}

/// The same for all names of one file.
#[cfg(unix)]
fn identity_of(_: &Path, metadata: &fs::Metadata) -> (u64, u64) {
    use std::os::unix::fs::MetadataExt;
    (metadata.dev(), metadata.ino())
}

#[cfg(not(unix))]
fn identity_of(path: &Path, _: &fs::Metadata) -> PathBuf {
    fs::canonicalize(path).unwrap_or_else(|_| path.to_owned())
}

fn looks_like_path(text: &str) -> bool {
    text.contains(['/', '\\']) || has_known_extension(text)
}

/// Whether it ends as the name of a file of ids.
pub(super) fn has_known_extension(text: &str) -> bool {
    let extension = Path::new(text).extension().and_then(|e| e.to_str());
    extension.is_some_and(|e| EXTENSIONS.iter().any(|known| known.eq_ignore_ascii_case(e)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_looks_like_a_path_and_does_not_exist_is_never_an_id() {
        for text in [
            "ids.csv", "IDS.CSV", "a.tsv", "x.txt", "y.jsonl", "dir/x", "./x", "c:\\x", "~/x",
        ] {
            let error = Source::recognise(text).unwrap_err();
            assert!(matches!(error, SourceError::LooksLikePath { .. }), "{text}");
        }
    }

    #[test]
    fn other_words_are_ids() {
        for text in ["user-17", "alice@example.com", "$device:ab-c", "17", "v1.2"] {
            assert_eq!(Source::recognise(text), Ok(Source::Id(text.to_owned())));
        }
        assert_eq!(Source::recognise("-"), Ok(Source::Stdin));
    }

    #[test]
    fn what_exists_is_a_file() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let text = file.path().to_str().unwrap();
        let found = Source::recognise(text);
        assert_eq!(found, Ok(Source::File(file.path().to_owned())));
    }

    #[test]
    fn a_pattern_that_matched_nothing_is_never_an_id() {
        for text in ["*.csv", "user-*", "ids/*", "id?", "[object Object]"] {
            let error = Source::recognise(text).unwrap_err();
            assert!(matches!(error, SourceError::Unexpanded { .. }), "{text}");
        }
    }

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
