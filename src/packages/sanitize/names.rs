//! Lists of names that survive: one a line, from a file of the operator's.

use std::collections::HashSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// What dsr sets itself, and what Mixpanel uses to tell people apart or to join them. These never
/// survive.
const NEVER_KEPT: [&str; 15] = [
    "distinct_id",
    "$distinct_id",
    "$distinct_ids",
    "$distinct_id_before_identity",
    "$user_id",
    "$device_id",
    "$identified_id",
    "$anon_id",
    "$anon_distinct_id",
    "alias",
    "time",
    "$insert_id",
    "ip",
    "$ip",
    "token",
];

/// Characters of the longest name, as Mixpanel's import takes it.
pub(crate) const LONGEST_NAME: usize = 255;

/// Names, in the order of their file, each once.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NameList {
    names: Vec<String>,
}

/// Why a file is not a list of names.
#[derive(Debug, thiserror::Error)]
pub enum NameListError {
    #[error("cannot read the list `{}`", path.display())]
    Read { path: PathBuf, source: io::Error },
    #[error("`{}`, line {line}, is not text in UTF-8", path.display())]
    NotText { path: PathBuf, line: usize },
    #[error("`{}`, line {line}: a name has at most {LONGEST_NAME} characters", path.display())]
    TooLong { path: PathBuf, line: usize },
    #[error("`{}`, line {line}: `{name}` is an id, or dsr sets it itself; it cannot be kept", path.display())]
    NeverKept {
        path: PathBuf,
        line: usize,
        name: &'static str,
    },
}

impl NameList {
    /// Reads the names of properties.
    ///
    /// # Errors
    /// When the file is not a list of names, or names a property that never survives.
    pub fn of_properties(path: &Path) -> Result<Self, NameListError> {
        let list = Self::read(path, |name| {
            NEVER_KEPT.into_iter().find(|known| *known == name)
        })?;
        Ok(list)
    }

    /// Reads the names of events.
    ///
    /// # Errors
    /// When the file is not a list of names.
    pub fn of_events(path: &Path) -> Result<Self, NameListError> {
        Self::read(path, |_| None)
    }

    /// Skips empty lines, and those that begin with `#`. Outer white space is not part of a name.
    fn read(
        path: &Path,
        never: impl Fn(&str) -> Option<&'static str>,
    ) -> Result<Self, NameListError> {
        let path = || path.to_owned();
        let bytes = fs::read(path()).map_err(|source| NameListError::Read {
            path: path(),
            source,
        })?;
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes);
        let (mut names, mut known) = (Vec::new(), HashSet::new());
        for (text, line) in bytes.split(|byte| *byte == b'\n').zip(1..) {
            let not_text = |_| NameListError::NotText { path: path(), line };
            let name = std::str::from_utf8(text).map_err(not_text)?.trim();
            if name.is_empty() || name.starts_with('#') {
                continue;
            }
            if name.chars().count() > LONGEST_NAME {
                return Err(NameListError::TooLong { path: path(), line });
            }
            if let Some(name) = never(name) {
                let path = path();
                return Err(NameListError::NeverKept { path, line, name });
            }
            if known.insert(name) {
                names.push(name.to_owned());
            }
        }
        Ok(Self { names })
    }

    pub(super) fn names(&self) -> &[String] {
        &self.names
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8]) -> Result<NameList, NameListError> {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), bytes).unwrap();
        NameList::of_properties(file.path())
    }

    #[test]
    fn a_list_has_a_name_a_line() {
        let list = read(b"\xef\xbb\xbf# kept\r\nplan\r\n\n  Sign Up  \nplan\n$city").unwrap();
        assert_eq!(list.names(), ["plan", "Sign Up", "$city"]);
        assert_eq!(read(b"").unwrap(), NameList::default());
    }

    #[test]
    fn a_list_that_would_keep_an_id_is_refused_with_its_line() {
        for name in NEVER_KEPT {
            let error = read(format!("plan\n{name}\n").as_bytes()).unwrap_err();
            assert!(
                matches!(error, NameListError::NeverKept { line: 2, .. }),
                "{error}"
            );
        }
        let long = "x".repeat(256);
        let error = read(long.as_bytes()).unwrap_err();
        assert!(matches!(error, NameListError::TooLong { line: 1, .. }));
        let error = read(b"plan\n\xff\n").unwrap_err();
        assert!(matches!(error, NameListError::NotText { line: 2, .. }));
    }
}
