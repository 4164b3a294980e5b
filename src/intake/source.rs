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
    #[error("standard input can be read only once")]
    StdinTwice,
}

/// Extensions that tell a file name from an id.
const EXTENSIONS: [&str; 17] = [
    "csv", "tsv", "tab", "psv", "txt", "json", "jsonl", "ndjson", "gz", "zst", "zip", "xls",
    "xlsx", "ods", "parquet", "sql", "list",
];

impl Source {
    /// Takes an argument as `-`, as a file that exists, or as an id.
    ///
    /// # Errors
    /// When it looks like a path (a separator, or an extension such as .csv) and does not exist.
    pub fn recognise(argument: &str) -> Result<Self, SourceError> {
        let path = Path::new(argument);
        if argument == "-" {
            Ok(Self::Stdin)
        } else if path.exists() {
            Ok(Self::File(path.to_owned()))
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

    /// # Errors
    /// When standard input is among them more than once.
    pub fn check_all(sources: &[Self]) -> Result<(), SourceError> {
        let stdin = sources.iter().filter(|source| **source == Self::Stdin);
        if stdin.count() > 1 {
            return Err(SourceError::StdinTwice);
        }
        Ok(())
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

fn looks_like_path(text: &str) -> bool {
    let extension = Path::new(text).extension().and_then(|e| e.to_str());
    let known = |e: &str| EXTENSIONS.iter().any(|known| known.eq_ignore_ascii_case(e));
    text.contains(['/', '\\']) || extension.is_some_and(known)
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
    fn a_label_does_not_hold_the_id() {
        assert!(!Source::Id("alice".to_owned()).label().contains("alice"));
    }
}
