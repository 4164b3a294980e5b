//! Reads the packages from the disk, without any of the code that wrote them.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use sha2::{Digest, Sha256};

/// The owner of a package; `None` for `unassigned/`.
type Place = Option<String>;

pub(crate) struct Found {
    /// Every mark in a data file, with the places where it was found.
    marks: BTreeMap<String, Vec<Place>>,
    pub(crate) pages: BTreeMap<String, String>,
}

impl Found {
    pub(crate) fn places_of(&self, mark: &str) -> Vec<Place> {
        self.marks.get(mark).cloned().unwrap_or_default()
    }

    pub(crate) fn marks(&self) -> usize {
        self.marks.len()
    }
}

pub(crate) fn look_through(root: &Path, asked: &[String]) -> Found {
    let mut found = Found {
        marks: BTreeMap::new(),
        pages: BTreeMap::new(),
    };
    for id in asked {
        let folder = root.join(&hash(id)[..32]);
        let page = fs::read_to_string(folder.join("index.html")).unwrap();
        // A mark on a page is also in the person's own files, or it belongs to somebody else.
        let (mut own, before) = (Vec::new(), found.marks.clone());
        for name in ["events.jsonl", "profile.json", "other.jsonl"] {
            let text = fs::read_to_string(folder.join(name)).unwrap_or_default();
            own.extend(marks_of(&text));
        }
        for mark in marks_of(&page) {
            assert!(
                own.contains(&mark),
                "{mark} is on the page of another person"
            );
            assert!(!before.contains_key(&mark), "{mark} is another person's");
        }
        for mark in own {
            found.marks.entry(mark).or_default().push(Some(id.clone()));
        }
        found.pages.insert(id.clone(), page);
    }
    for entry in fs::read_dir(root.join("unassigned")).unwrap() {
        let path = entry.unwrap().path();
        assert!(path.is_file(), "every member is read: {}", path.display());
        for mark in marks_of(&fs::read_to_string(&path).unwrap()) {
            found.marks.entry(mark).or_default().push(None);
        }
    }
    found
}

fn marks_of(text: &str) -> Vec<String> {
    let ends = text
        .match_indices("-end")
        .map(|(end, found)| end + found.len());
    let marks = ends.filter_map(|end| text.get(end.checked_sub("mark-00000-end".len())?..end));
    marks
        .filter(|mark| mark.starts_with("mark-"))
        .map(str::to_owned)
        .collect()
}

fn hash(id: &str) -> String {
    let digest = Sha256::digest(id);
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}
