use std::collections::{HashMap, HashSet};

use sha2::{Digest, Sha256};

use super::SplitError;
use crate::domain::{DistinctId, to_hex};

/// Hex digits of the id's SHA-256 in a package name: enough to avoid collisions.
const NAME_DIGITS: usize = 32;

/// The requested people, each once, with the name of their package.
#[derive(Debug)]
pub(super) struct People<'a> {
    ids: Vec<&'a DistinctId>,
    names: Vec<String>,
    places: HashMap<&'a str, usize>,
}

impl<'a> People<'a> {
    pub(super) fn new(asked: &'a [DistinctId]) -> Result<Self, SplitError> {
        let mut people = Self {
            ids: Vec::new(),
            names: Vec::new(),
            places: HashMap::new(),
        };
        for id in asked {
            if !people.places.contains_key(id.expose()) {
                people.places.insert(id.expose(), people.ids.len());
                people.ids.push(id);
            }
        }
        if people.ids.is_empty() {
            return Err(SplitError::Nobody);
        }
        people.names = package_names(&people.ids, NAME_DIGITS);
        Ok(people)
    }

    pub(super) fn count(&self) -> usize {
        self.ids.len()
    }

    /// The index of the person with exactly this id.
    pub(super) fn find(&self, id: &str) -> Option<usize> {
        self.places.get(id).copied()
    }

    pub(super) fn id(&self, person: usize) -> &'a DistinctId {
        self.ids[person]
    }

    /// The name of the package: safe on every file system, and without the id.
    pub(super) fn name(&self, person: usize) -> &str {
        &self.names[person]
    }
}

/// The first `digits` hex digits of each id's SHA-256, or more if needed to tell all ids apart.
fn package_names(ids: &[&DistinctId], digits: usize) -> Vec<String> {
    let hashes: Vec<String> = ids.iter().map(|id| sha256_hex(id.expose())).collect();
    let cut = |digits: usize| hashes.iter().map(move |hash| &hash[..digits]);
    let unique = |digits: &usize| cut(*digits).collect::<HashSet<_>>().len() == ids.len();
    let digits = (digits..=64).find(unique).unwrap_or(64);
    cut(digits).map(str::to_owned).collect()
}

fn sha256_hex(text: &str) -> String {
    to_hex(&Sha256::digest(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(texts: &[&str]) -> Vec<DistinctId> {
        let id = |text: &&str| DistinctId::new(text).unwrap();
        texts.iter().map(id).collect()
    }

    #[test]
    fn a_name_is_the_beginning_of_the_hash_of_the_id() {
        let asked = ids(&["user-17"]);
        let people = People::new(&asked).unwrap();
        assert_eq!(people.name(0), &sha256_hex("user-17")[..32]);
    }

    #[test]
    fn a_repeated_id_is_one_person() {
        let asked = ids(&["a1", "b1", "a1"]);
        let people = People::new(&asked).unwrap();
        assert_eq!(people.count(), 2);
        assert_eq!((people.find("a1"), people.find("b1")), (Some(0), Some(1)));
        assert_eq!(people.find("A1"), None);
    }

    #[test]
    fn names_that_would_collide_grow_until_all_differ() {
        let texts: Vec<String> = (0..100).map(|number| format!("user-{number}")).collect();
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        let asked = ids(&texts);
        let names = package_names(&asked.iter().collect::<Vec<_>>(), 1);
        let unique: HashSet<&String> = names.iter().collect();
        assert_eq!(unique.len(), 100, "one digit cannot tell 100 people apart");
        assert!(names[0].len() > 1);
    }

    #[test]
    fn asking_for_nobody_is_an_error() {
        assert!(matches!(People::new(&[]), Err(SplitError::Nobody)));
    }
}
