//! Pages of Mixpanel's profile query: which ones are given, and whether any is missing.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, HashSet};

use serde_json::value::RawValue;

use crate::domain::{IdHasher, JsonObject};
use crate::intake::IntakeError;
use crate::intake::damage::Damage;
use crate::intake::problem::Fault;

/// The key of a page that holds its records.
pub(crate) const RESULTS: &str = "results";

/// How many records a page of Mixpanel has at most.
const USUAL_SIZE: u64 = 1000;

/// One page, as it describes itself.
#[derive(Debug)]
pub(crate) struct Page {
    session: Option<String>,
    number: u64,
    size: Option<u64>,
    total: Option<u64>,
    results: u64,
}

impl Page {
    /// Fails if the query failed, or if the page does not say plainly which one it is.
    pub(crate) fn of(object: &JsonObject<'_>, results: u64) -> Result<Self, Damage> {
        let raw = |key| {
            let raw = object.get(key).map(RawValue::get);
            raw.filter(|text| *text != "null")
        };
        let number = |key| match raw(key).map(str::parse) {
            None => Ok(None),
            Some(Ok(number)) => Ok(Some(number)),
            Some(Err(_)) => Err(Damage::BadPage),
        };
        if raw("error").is_some() || raw("status").is_some_and(|status| status != "\"ok\"") {
            return Err(Damage::FailedQuery);
        }
        Ok(Self {
            session: raw("session_id").map(str::to_owned),
            number: number("page")?.unwrap_or(0),
            size: number("page_size")?,
            total: number("total")?,
            results,
        })
    }
}

/// All pages that were read, by query.
pub(crate) struct Pages {
    queries: BTreeMap<QueryKey, QueryPages>,
    hasher: IdHasher,
    /// The hashes of the people on the page that is being read, and how many have what is looked
    /// for.
    people: Vec<u64>,
    having: usize,
}

/// The session of a query; without one, pages with the same total belong together.
type QueryKey = (Option<String>, Option<u64>);

#[derive(Debug, Default)]
struct QueryPages {
    label: String,
    total: Option<u64>,
    /// Whether each page is full.
    pages: BTreeMap<u64, bool>,
    /// Everyone on the pages, as a hash. Two people with one hash would be a missing one.
    people: HashSet<u64>,
    having: usize,
}

impl Default for Pages {
    fn default() -> Self {
        Self {
            queries: BTreeMap::new(),
            hasher: IdHasher::random(),
            people: Vec::new(),
            having: 0,
        }
    }
}

impl Pages {
    /// Takes a record of the page that is being read.
    pub(crate) fn hold(&mut self, person: &str, has: bool) {
        let hash = self.hasher.hash(person.as_bytes());
        self.people.push(hash as u64);
        self.having += usize::from(has);
    }

    /// Takes a page whose records were all held. Fails if it says two totals of one query, or if it
    /// was taken before: it may have been saved in place of another one.
    pub(crate) fn note(&mut self, label: &str, page: &Page) -> Result<(), Damage> {
        let total = page.total.filter(|_| page.session.is_none());
        let query = self.queries.entry((page.session.clone(), total));
        let query = query.or_insert_with(|| QueryPages {
            label: label.to_owned(),
            total: page.total,
            ..QueryPages::default()
        });
        if query.total != page.total {
            return Err(Damage::BadPage);
        }
        let before = query.people.len();
        query.people.extend(self.people.drain(..));
        let is_new = query.people.len() > before;
        query.having += std::mem::take(&mut self.having);
        let is_full = match page.size {
            Some(size) => page.results >= size.max(1),
            None => page.results == USUAL_SIZE,
        };
        match query.pages.entry(page.number) {
            // Without a session, pages of several queries may have one number.
            Entry::Occupied(_) if page.session.is_some() || !(is_new || page.results == 0) => {
                Err(Damage::RepeatedPage)
            }
            Entry::Occupied(mut known) => {
                *known.get_mut() |= is_full;
                Ok(())
            }
            Entry::Vacant(free) => {
                free.insert(is_full);
                Ok(())
            }
        }
    }

    /// How many pages were read.
    pub(crate) fn count(&self) -> usize {
        let pages = self.queries.values().map(|query| query.pages.len());
        pages.sum()
    }

    /// Returns how many records have what is looked for. Fails if the pages of a query have other
    /// people than it has, or if a page is missing, or if no record has what is looked for.
    pub(crate) fn finish(self, lacking: impl Fn() -> Fault) -> Result<usize, IntakeError> {
        let mut having = 0;
        for query in self.queries.into_values() {
            let (read, total) = (query.people.len() as u64, query.total);
            if !query.is_whole() {
                return Err(Fault::OtherPages { read, total }.of(query.label));
            }
            if read > 0 && query.having == 0 {
                return Err(lacking().of(query.label));
            }
            having += query.having;
        }
        Ok(having)
    }
}

impl QueryPages {
    fn is_whole(&self) -> bool {
        let count = self.pages.len() as u64;
        let last = self.pages.last_key_value();
        let is_gapless = last.is_none_or(|(number, _)| number.checked_add(1) == Some(count));
        let is_last_full = last.is_some_and(|(_, is_full)| *is_full);
        let read = self.people.len() as u64;
        is_gapless && self.total.map_or(!is_last_full, |total| read == total)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn whole(pages: &[&str]) -> bool {
        let mut all = Pages::default();
        for page in pages {
            let object = JsonObject::of(page).unwrap();
            let results: Vec<&RawValue> =
                serde_json::from_str(object.get(RESULTS).unwrap().get()).unwrap();
            for person in &results {
                all.hold(person.get(), true);
            }
            let page = Page::of(&object, results.len() as u64);
            if page.and_then(|page| all.note("`p`", &page)).is_err() {
                return false;
            }
        }
        all.finish(|| Fault::NoIdentities).is_ok()
    }

    #[test]
    fn pages_are_whole_if_they_have_all_results_of_their_query() {
        let page = |number: u64, results: &str, total: u64, session: &str| {
            format!(
                r#"{{"page":{number},"page_size":2,"total":{total},"session_id":"{session}","results":[{results}]}}"#
            )
        };
        let (first, second) = (page(0, "1,2", 3, "s"), page(1, "3", 3, "s"));
        assert!(whole(&[&second, &first]), "in any order");
        assert!(!whole(&[&second, &first, &first]), "repeated");
        assert!(!whole(&[&first]) && !whole(&[&second]));
        assert!(!whole(&[&first, &first]), "twice is not two pages");
        assert!(!whole(&[&first, &page(1, "3", 3, "t")]), "another query");
        assert!(whole(&[&page(0, "1,2", 2, "s")]), "a full last page");
        assert!(whole(&[&page(0, "", 0, "s")]), "nobody");
        assert!(!whole(&[&page(1, "1", 1, "s")]), "the first is missing");
        let bare = r#"{"results":[1,2]}"#;
        assert!(whole(&[bare]));
        let of = |results: u64| {
            let results: Vec<String> = (0..results).map(|one| one.to_string()).collect();
            format!(r#"{{"results":[{}]}}"#, results.join(","))
        };
        assert!(!whole(&[&of(1000)]), "there may be another page");
        assert!(whole(&[&of(999)]));
        assert!(!whole(&[bare, bare]), "the second may have been meant");
        assert!(whole(&[bare, r#"{"results":[2,3]}"#]), "another query");
        assert!(whole(&[r#"{"results":[]}"#; 2]), "nobody, twice");
        assert!(!whole(&[r#"{"results":[1,2],"page_size":2}"#]), "no total");
        let apart = |number: u64, results: &str| {
            format!(r#"{{"page":{number},"total":3,"results":[{results}]}}"#)
        };
        assert!(whole(&[&apart(0, "1,2"), &apart(1, "3")]), "no session");
        let twice = [&apart(0, "1,2")[..], &apart(1, "2")];
        assert!(!whole(&twice), "one is there twice, so one is missing");
        assert!(!whole(&[&page(0, "1,2", 1, "s")]), "more than it has");
        assert!(!whole(&[&first, &page(1, "3", 2, "s")]), "two totals");
        for words in [
            r#""status":"error""#,
            r#""error":"x""#,
            r#""total":"1""#,
            r#""page":-1"#,
        ] {
            assert!(
                !whole(&[&format!(r#"{{"results":[1],{words}}}"#)]),
                "{words}"
            );
        }
    }
}
