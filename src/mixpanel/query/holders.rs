//! The query of the profiles that have one of some texts as a property.
//!
//! Mixpanel documents `properties["name"] == "text"` and joining by `or`, and no way to escape a
//! quote or a backslash. It calls `in` between two texts a search for a part, so dsr never sends it.

use std::collections::HashSet;

use super::{PageCourse, PageFault, ProfilePage};
use crate::domain::JsonObject;

/// The most comparisons of one expression. Mixpanel documents no limit. This is far below the depth
/// at which parsers of such chains give up, which for Python's is about 1,000.
pub const COMPARISONS: usize = 200;
/// The longest expression, in bytes. Servers commonly take forms of 1 MB and more.
pub const EXPRESSION_BYTES: usize = 16 * 1024;

const OR: &str = " or ";

/// Some texts of a property, and the profiles that have one of them, as far as the pages show.
#[derive(Debug)]
pub struct Holders {
    property: String,
    texts: Vec<String>,
    course: PageCourse,
    ids: HashSet<String>,
    found: Vec<Holder>,
}

/// A profile that Mixpanel says has one of the texts. Only a comparison can tell which.
#[derive(Debug)]
pub struct Holder {
    /// Empty if it is neither a text nor a whole number.
    pub id: String,
    /// The property as JSON.
    pub json: String,
}

/// Whether an expression can hold this text of a value or a property's name.
pub fn can_be_asked(text: &str) -> bool {
    !text.contains(|c: char| matches!(c, '"' | '\\') || c.is_control())
}

/// How many bytes of an expression a text takes.
pub fn comparison(property: &str, text: &str) -> usize {
    OR.len() + format!(r#"properties["{property}"] == "{text}""#).len()
}

impl Holders {
    /// Nothing is known yet of the profiles with these texts, which [`can_be_asked`] accepts.
    pub fn of(property: &str, texts: Vec<String>) -> Self {
        Self {
            property: property.to_owned(),
            texts,
            course: PageCourse::default(),
            ids: HashSet::new(),
            found: Vec::new(),
        }
    }

    /// The `where` of the query.
    pub(super) fn expression(&self) -> String {
        let property = &self.property;
        let each = |text| format!(r#"properties["{property}"] == "{text}""#);
        self.texts.iter().map(each).collect::<Vec<_>>().join(OR)
    }

    pub(super) fn property(&self) -> &str {
        &self.property
    }

    pub(super) fn course(&self) -> &PageCourse {
        &self.course
    }

    /// Whether every page was read.
    pub fn is_whole(&self) -> bool {
        self.course.is_whole()
    }

    /// How many pages are left, as far as the pages show.
    pub fn pages_left(&self) -> usize {
        self.course.left()
    }

    /// The profiles. Only if [`Self::is_whole`].
    pub fn into_found(self) -> Vec<Holder> {
        self.found
    }

    /// Takes the next page.
    ///
    /// # Errors
    /// When the page does not fit the pages before, has a profile twice, or has one without the
    /// property: a profile could be missing or another one could be taken.
    pub fn take(&mut self, page: &ProfilePage) -> Result<(), PageFault> {
        self.course.demand_next(page)?;
        for profile in &page.profiles {
            let properties = profile.properties.as_deref();
            let properties = properties.and_then(|raw| JsonObject::of(raw.get()));
            let mut properties = properties.ok_or(PageFault::NoProperty)?;
            let json = properties.take(&self.property);
            let json = json.filter(|_| properties.get(&self.property).is_none());
            let json = json.ok_or(PageFault::NoProperty)?.get().to_owned();
            if !profile.id.is_empty() && !self.ids.insert(profile.id.clone()) {
                return Err(PageFault::Twice);
            }
            let id = match profile.is_fraction {
                true => String::new(),
                false => profile.id.clone(),
            };
            self.found.push(Holder { id, json });
        }
        self.course.add(page)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(text: &str) -> ProfilePage {
        super::super::page::read(text.as_bytes()).expect("a page")
    }

    fn of_results(results: &str, total: usize) -> ProfilePage {
        page(&format!(
            r#"{{"page":0,"page_size":2,"session_id":"s","status":"ok","total":{total},"results":[{results}]}}"#
        ))
    }

    fn holders() -> Holders {
        Holders::of("$email", vec!["a@x.test".to_owned(), "it's [b]".to_owned()])
    }

    #[test]
    fn the_expression_has_documented_forms_only() {
        let expected =
            r#"properties["$email"] == "a@x.test" or properties["$email"] == "it's [b]""#;
        assert_eq!(holders().expression(), expected);
        let bytes = |text| comparison("$email", text);
        let sum = bytes("a@x.test") + bytes("it's [b]");
        assert_eq!(expected.len() + OR.len(), sum);
        for odd in ["a\"b", "a\\b", "a\nb", "a\u{1}b", "a\u{85}b", "a\tb"] {
            assert!(!can_be_asked(odd), "{odd:?}");
        }
        for plain in [
            "a b", " a", "a'b", "zoë", "e\u{308}", "\u{200b}", "a or b", "]",
        ] {
            assert!(can_be_asked(plain), "{plain:?}");
        }
    }

    #[test]
    fn holders_keep_the_property_as_it_came() {
        let mut found = holders();
        let row =
            |id: &str, rest: &str| format!(r#"{{"$distinct_id":{id},"$properties":{{{rest}}}}}"#);
        let rows = [
            row("17", r#""$email":"a@x.test""#),
            row(r#""u""#, r#""$email":12345678901234567890123"#),
        ];
        found.take(&of_results(&rows.join(","), 2)).unwrap();
        assert!(found.is_whole());
        let found = found.into_found();
        assert_eq!(found[0].id, "17");
        assert_eq!(found[0].json, r#""a@x.test""#);
        assert_eq!(found[1].json, "12345678901234567890123");
    }

    #[test]
    fn a_profile_without_exactly_one_such_property_or_twice_is_an_error() {
        for row in [
            r#"{"$distinct_id":"u"}"#,
            r#"{"$distinct_id":"u","$properties":null}"#,
            r#"{"$distinct_id":"u","$properties":[]}"#,
            r#"{"$distinct_id":"u","$properties":{}}"#,
            r#"{"$distinct_id":"u","$properties":{"$Email":"a@x.test"}}"#,
            r#"{"$distinct_id":"u","$properties":{"$email":"a@x.test","$email":"b@x.test"}}"#,
        ] {
            let fault = holders().take(&of_results(row, 1));
            assert_eq!(fault, Err(PageFault::NoProperty), "{row}");
        }
        let row = r#"{"$distinct_id":"u","$properties":{"$email":"a@x.test"}}"#;
        let fault = holders().take(&of_results(&[row, row].join(","), 2));
        assert_eq!(fault, Err(PageFault::Twice));
        assert_eq!(
            holders().take(&of_results(row, 2)),
            Err(PageFault::WrongCount)
        );
    }
}
