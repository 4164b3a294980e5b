//! Compares an existing list with its replacement: a person missing from the new list is tracked
//! again.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::Path;

use serde_json::Value;

use crate::commands::failures::local_io;
use crate::domain::ExitStatus;
use crate::ui::{Failure, plural};

/// Refuses to replace a list by one that lacks people of it. The caller adds the hint.
pub(super) fn demand_nobody_lost(there: &Path, new: &Path) -> Result<(), Failure> {
    let mut names = Vec::new();
    let mut read =
        |path: &Path| ReplacedList::read(path, &mut names).map_err(|error| local_io(&error));
    // Reads through a link, as servers do; the link itself is replaced.
    let old = match there.metadata() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(local_io(&error)),
        Ok(_) => read(there)?,
    };
    let path = there.display();
    let Some(old) = old else {
        if there.is_symlink() {
            return Ok(());
        }
        let message = format!("`{path}` is not a suppression list; it was not replaced");
        return Err(refused(message).hint("name another file, or remove this one first"));
    };
    if !old.is_whole() {
        let message = format!(
            "the list `{path}` is empty or was cut off, and dsr cannot tell who was on it; it was not replaced"
        );
        return Err(
            refused(message).hint("restore the whole list; if you cannot, add `--allow-fewer`")
        );
    }
    let new = read(new)?.unwrap_or_default();
    if !old.people.is_empty() && !new.keys.is_empty() && old.keys != new.keys {
        let message =
            format!("the list `{path}` was made under another ledger key; it was not replaced");
        return Err(refused(message).hint(
            "restore the key with `dsr auth ledger-key --from FILE`, or add `--allow-fewer`",
        ));
    }
    match old.count_missing_in(&new) {
        0 => Ok(()),
        lost => {
            let people = plural(lost, "person", "people");
            let message = format!(
                "the list `{path}` has {people} that the new list lacks; it was not replaced"
            );
            Err(refused(message))
        }
    }
}

fn refused(message: String) -> Failure {
    Failure::new(ExitStatus::Usage, "fewer_people", message)
}

#[derive(Default)]
struct ReplacedList {
    /// Each hash with the number of its project in `names`, from 1; 0 without a project.
    people: Vec<(u128, u32)>,
    keys: BTreeSet<String>,
    end: ListEnd,
}

/// What shows that a list is whole.
#[derive(Default, PartialEq, Eq)]
enum ListEnd {
    #[default]
    Missing,
    /// The heading of a CSV table, which has no last line.
    Table,
    /// The last line, with the number of people.
    Counted(usize),
}

impl ReplacedList {
    /// `None` if the file is not a list.
    fn read(path: &Path, names: &mut Vec<String>) -> io::Result<Option<Self>> {
        let mut list = Self::default();
        for line in BufReader::new(File::open(path)?).lines() {
            let line = match line {
                Err(error) if error.kind() == io::ErrorKind::InvalidData => return Ok(None),
                line => line?,
            };
            if !list.take(line.trim_end(), names) {
                return Ok(None);
            }
        }
        list.people.sort_unstable();
        Ok(Some(list))
    }

    /// Reads a line. Returns false if dsr writes no such line.
    fn take(&mut self, line: &str, names: &mut Vec<String>) -> bool {
        let mut place = |name: &str| {
            let found = names.iter().position(|known| known == name);
            let place = found.unwrap_or_else(|| {
                names.push(name.to_owned());
                names.len() - 1
            });
            u32::try_from(place + 1).unwrap_or(u32::MAX)
        };
        if let Some(said) = line.strip_prefix('#') {
            let key = said.trim().strip_prefix("key: ");
            self.keys.extend(key.map(str::to_owned));
            let count = said.trim().strip_prefix("people: ");
            if let Some(count) = count.and_then(|count| count.parse().ok()) {
                self.end = ListEnd::Counted(count);
            }
            return true;
        }
        if line.starts_with('{') {
            let Ok(object) = serde_json::from_str::<Value>(line) else {
                return false;
            };
            let key = object["suppressions"]["key"].as_str();
            self.keys.extend(key.map(str::to_owned));
            let count = object["end"]["counts"]["people"].as_u64();
            if let Some(count) = count.and_then(|count| usize::try_from(count).ok()) {
                self.end = ListEnd::Counted(count);
            }
            let project = object["project"].as_str().map_or(0, place);
            return match object["person_hash"].as_str() {
                Some(hash) => self.add(hash, project),
                // `--json` prints one object with all people.
                None if object["people"].is_array() => false,
                None => object["suppressions"].is_object() || object["end"].is_object(),
            };
        }
        let cells: Vec<&str> = line.split(',').collect();
        match cells.as_slice() {
            ["person_hash", "project", "erasure", "key"] => {
                self.end = ListEnd::Table;
                true
            }
            [hash, project, _, key] => {
                self.keys.insert((*key).to_owned());
                self.add(hash, place(project))
            }
            [hash] => hash.is_empty() || self.add(hash, 0),
            _ => false,
        }
    }

    fn add(&mut self, hash: &str, project: u32) -> bool {
        let is_hash = hash.len() == 32 && hash.bytes().all(|byte| byte.is_ascii_hexdigit());
        match u128::from_str_radix(hash, 16) {
            Ok(hash) if is_hash => {
                self.people.push((hash, project));
                true
            }
            Ok(_) | Err(_) => false,
        }
    }

    /// Whether nothing is missing, as far as the format shows.
    fn is_whole(&self) -> bool {
        match self.end {
            ListEnd::Missing => false,
            ListEnd::Table => true,
            ListEnd::Counted(count) => count == self.people.len(),
        }
    }

    /// Counts the people that `other` lacks: by project if both lists name projects.
    fn count_missing_in(&self, other: &Self) -> usize {
        let names = |list: &Self| list.people.first().is_none_or(|person| person.1 > 0);
        let by_project = names(self) && names(other);
        let is_there = |(hash, project): &(u128, u32)| match by_project {
            true => other.people.binary_search(&(*hash, *project)).is_ok(),
            false => {
                let from = other.people.partition_point(|person| person.0 < *hash);
                other
                    .people
                    .get(from)
                    .is_some_and(|person| person.0 == *hash)
            }
        };
        self.people
            .iter()
            .filter(|person| !is_there(person))
            .count()
    }
}
