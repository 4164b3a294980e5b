//! Pages of Mixpanel's profile query: which ones are given, and whether any is missing.

use std::collections::BTreeMap;

use serde_json::value::RawValue;

use crate::domain::JsonObject;
use crate::intake::IntakeError;
use crate::intake::problem::Fault;

/// The key of a page that holds its records.
pub(crate) const RESULTS: &str = "results";

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
    pub(crate) fn of(object: &JsonObject<'_>, results: u64) -> Self {
        let raw = |key| object.get(key).map(RawValue::get);
        let number = |key| raw(key).and_then(|text| text.parse().ok());
        let session = raw("session_id").filter(|text| *text != "null");
        Self {
            session: session.map(str::to_owned),
            number: number("page").unwrap_or(0),
            size: number("page_size"),
            total: number("total"),
            results,
        }
    }
}

/// All pages that were read, by query.
#[derive(Debug, Default)]
pub(crate) struct Pages(BTreeMap<QueryKey, QueryPages>);

/// The session of a query; without one, pages with the same total belong together.
type QueryKey = (Option<String>, Option<u64>);

#[derive(Debug, Default)]
struct QueryPages {
    label: String,
    total: Option<u64>,
    /// The number of results on each page, and whether the page is full.
    pages: BTreeMap<u64, (u64, bool)>,
}

impl Pages {
    pub(crate) fn note(&mut self, label: &str, page: &Page) {
        let total = page.total.filter(|_| page.session.is_none());
        let query = self.0.entry((page.session.clone(), total)).or_default();
        if query.label.is_empty() {
            label.clone_into(&mut query.label);
        }
        query.total = query.total.max(page.total);
        let is_full = page.size.is_some_and(|size| page.results >= size.max(1));
        let known = query.pages.entry(page.number).or_default();
        *known = (*known).max((page.results, is_full));
    }

    /// How many pages were read, without repeated ones.
    pub(crate) fn count(&self) -> usize {
        self.0.values().map(|query| query.pages.len()).sum()
    }

    /// Fails if the pages of a query have fewer results than it has, or if a page is missing.
    pub(crate) fn demand_all(self) -> Result<(), IntakeError> {
        let missing = self.0.into_values().find(|query| !query.is_whole());
        missing.map_or(Ok(()), |query| {
            let (read, total) = (query.read(), query.total);
            Err(Fault::MissingPages { read, total }.of(query.label))
        })
    }
}

impl QueryPages {
    fn read(&self) -> u64 {
        self.pages.values().map(|(results, _)| results).sum()
    }

    fn is_whole(&self) -> bool {
        let count = self.pages.len() as u64;
        let last = self.pages.last_key_value();
        let is_gapless = last.is_none_or(|(number, _)| number.checked_add(1) == Some(count));
        let is_last_full = last.is_some_and(|(_, (_, is_full))| *is_full);
        is_gapless
            && self
                .total
                .map_or(!is_last_full, |total| self.read() >= total)
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
            all.note("`p`", &Page::of(&object, results.len() as u64));
        }
        all.demand_all().is_ok()
    }

    #[test]
    fn pages_are_whole_if_they_have_all_results_of_their_query() {
        let page = |number: u64, results: &str, total: u64, session: &str| {
            format!(
                r#"{{"page":{number},"page_size":2,"total":{total},"session_id":"{session}","results":[{results}]}}"#
            )
        };
        let (first, second) = (page(0, "1,2", 3, "s"), page(1, "3", 3, "s"));
        assert!(whole(&[&second, &first, &first]), "in any order, repeated");
        assert!(!whole(&[&first]) && !whole(&[&second]));
        assert!(!whole(&[&first, &first]), "twice is not two pages");
        assert!(!whole(&[&first, &page(1, "3", 3, "t")]), "another query");
        assert!(whole(&[&page(0, "1,2", 2, "s")]), "a full last page");
        assert!(whole(&[&page(0, "", 0, "s")]), "nobody");
        assert!(!whole(&[&page(1, "1", 1, "s")]), "the first is missing");
        assert!(whole(&[r#"{"results":[1,2]}"#]));
        assert!(!whole(&[r#"{"results":[1,2],"page_size":2}"#]), "no total");
        let apart = |number: u64, results: &str| {
            format!(r#"{{"page":{number},"total":3,"results":[{results}]}}"#)
        };
        assert!(whole(&[&apart(0, "1,2"), &apart(1, "3")]), "no session");
    }
}
