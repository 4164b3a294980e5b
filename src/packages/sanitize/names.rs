//! Names: the lists of those that survive, from files of the operator's, and what is known about each.

use std::collections::{HashMap, HashSet};
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
    /// The line of each name, from 1.
    lines: Vec<usize>,
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
        let (mut list, mut known) = (Self::default(), HashSet::new());
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
                list.names.push(name.to_owned());
                list.lines.push(line);
            }
        }
        Ok(list)
    }

    pub(super) fn names(&self) -> &[String] {
        &self.names
    }

    /// The line of each name, from 1.
    pub fn lines(&self) -> &[usize] {
        &self.lines
    }
}

/// Names beside those given at first that are remembered.
const MOST_KNOWN: usize = 10_000;

/// What is known about names that come again and again.
#[derive(Debug, Default)]
pub(crate) struct KnownNames<V> {
    known: Vec<KnownName<V>>,
    places: HashMap<Box<str>, usize>,
    given: usize,
    /// The place of the last name that was looked up.
    last: usize,
}

#[derive(Debug)]
struct KnownName<V> {
    name: Box<str>,
    value: V,
    /// The name that came behind this one: events have their properties in one order as a rule.
    next: usize,
}

impl<V> KnownNames<V> {
    /// These names are known, however many they are.
    pub(super) fn of<'n>(given: impl Iterator<Item = (&'n str, V)>) -> Self {
        let mut names = Self {
            known: Vec::new(),
            places: HashMap::new(),
            given: 0,
            last: 0,
        };
        for (name, value) in given {
            names.add(name, value);
        }
        names.given = names.known.len();
        names
    }

    /// What is known about a name; `make` finds out what is not. `None` if too many are known.
    pub(super) fn find(&mut self, name: &str, make: impl FnOnce(&str) -> V) -> Option<&mut V> {
        let next = self.known.get(self.last).map_or(0, |last| last.next);
        let is_next = |known: &KnownName<V>| *known.name == *name;
        let place = match self.known.get(next).is_some_and(is_next) {
            true => next,
            false => match self.places.get(name) {
                Some(place) => *place,
                None if self.known.len() >= self.given + MOST_KNOWN => return None,
                None => self.add(name, make(name)),
            },
        };
        self.known[self.last].next = place;
        self.last = place;
        Some(&mut self.known[place].value)
    }

    fn add(&mut self, name: &str, value: V) -> usize {
        let place = self.known.len();
        self.places.insert(name.into(), place);
        let (name, next) = (name.into(), 0);
        self.known.push(KnownName { name, value, next });
        place
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, &V)> {
        self.known.iter().map(|known| (&*known.name, &known.value))
    }
}

impl KnownNames<bool> {
    /// Whether `is` holds for a name.
    pub(super) fn check(&mut self, name: &str, is: fn(&str) -> bool) -> bool {
        self.find(name, is).map_or_else(|| is(name), |known| *known)
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
        assert_eq!(list.lines(), [2, 4, 6]);
        assert_eq!(read(b"").unwrap(), NameList::default());
    }

    #[test]
    fn a_name_is_found_in_any_order_and_made_once() {
        let mut names = KnownNames::of([("given", 100)].into_iter());
        let mut made = 0;
        for round in 0..4 {
            for name in ["a", "b", "given", "b", "c", "a"] {
                let found = names.find(name, |name| {
                    made += 1;
                    usize::from(name.as_bytes()[0])
                });
                let expected = match name {
                    "given" => 100,
                    name => usize::from(name.as_bytes()[0]),
                };
                assert_eq!(
                    found,
                    Some(&mut expected.clone()),
                    "{name} in round {round}"
                );
            }
        }
        assert_eq!(made, 3);
        for n in 0..MOST_KNOWN + 10 {
            names.find(&format!("n{n}"), |_| n);
        }
        assert_eq!(names.iter().count(), MOST_KNOWN + 1);
        assert_eq!(names.find("one too many", |_| 0), None);
        assert_eq!(names.find("given", |_| 0), Some(&mut 100));
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
