//! The members that Mixpanel documents. A member counts as documented only if both its name and its
//! content match; otherwise its content decides.
//!
//! Source: Mixpanel's page "End User Data Management", August 2026.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::IgnoredAny;

/// What a member's name adds to its content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum MemberForm {
    /// Nothing: the records describe themselves.
    Records,
    /// `events.csv`: each row is an event, named by `event_name`.
    EventTable,
    /// `profiles.csv`: each row is the profile of its first column, `distinct_id`.
    ProfileTable,
    /// Describes the whole job, if its content is as documented.
    OfTheJob(JobMember),
}

/// A member about the whole job: names from the data of all its people.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum JobMember {
    EventNames,
    EventProperties,
    ProfileProperties,
    Summary,
}

impl JobMember {
    pub(crate) const LISTS: [Self; 3] = [
        Self::EventNames,
        Self::EventProperties,
        Self::ProfileProperties,
    ];

    pub(crate) fn of_name(name: &str) -> Option<Self> {
        let mut all = Self::LISTS.into_iter().chain([Self::Summary]);
        all.find(|member| member.file_name() == name)
    }

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::EventNames | Self::EventProperties | Self::ProfileProperties => "name_list",
            Self::Summary => "summary",
        }
    }

    pub(crate) fn file_name(self) -> &'static str {
        match self {
            Self::EventNames => "event_names.csv",
            Self::EventProperties => "event_properties.csv",
            Self::ProfileProperties => "profile_properties.csv",
            Self::Summary => "summary.json",
        }
    }
}

/// Names that even the lists of an empty export hold.
const OF_EVERY_EXPORT: [&str; 3] = ["distinct_id", "$distinct_id", "time"];

/// The names of a member about the whole job, each once.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct RecordedNames {
    pub(crate) names: Vec<String>,
    /// Whether it names an event, or an event property that an empty export does not name.
    pub(crate) name_events: bool,
    pub(crate) name_profiles: bool,
}

impl RecordedNames {
    /// Reads the whole member; `None` if its content is not as documented.
    pub(crate) fn of(member: JobMember, text: &[u8]) -> Option<Self> {
        let all = match member {
            JobMember::Summary => summary(text)?,
            list => {
                let row = one_row(text)?;
                JobMember::LISTS.map(|other| match other == list {
                    true => row.clone(),
                    false => Vec::new(),
                })
            }
        };
        let [events, event_properties, profile_properties] = &all;
        let tell = |names: &[String]| {
            let mut names = names.iter();
            names.any(|name| !OF_EVERY_EXPORT.contains(&name.as_str()))
        };
        Some(Self {
            name_events: !events.is_empty() || tell(event_properties),
            name_profiles: tell(profile_properties),
            names: match member {
                JobMember::Summary => Vec::new(),
                _ => all.concat(),
            },
        })
    }
}

/// The fields of a table of one row; empty if the table is.
fn one_row(text: &[u8]) -> Option<Vec<String>> {
    let mut rows = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .from_reader(text)
        .into_records();
    let Some(row) = rows.next() else {
        return Some(Vec::new());
    };
    let names = row.ok()?.iter().map(str::to_owned).collect();
    let is_printable = |name: &String| !name.contains(|c: char| c.is_control());
    let is_only = rows.next().is_none();
    Some(names).filter(|names: &Vec<String>| is_only && names.iter().all(is_printable))
}

/// The names in `{"event_names":{…},"event_column_names":{…},"profile_column_names":{…}}`. Every
/// value must be an empty object.
fn summary(text: &[u8]) -> Option<[Vec<String>; 3]> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct NamesFile {
        event_names: BTreeMap<String, Empty>,
        event_column_names: BTreeMap<String, Empty>,
        profile_column_names: BTreeMap<String, Empty>,
    }
    #[derive(Deserialize)]
    struct Empty(BTreeMap<String, IgnoredAny>);
    let summary = serde_json::from_slice::<NamesFile>(text).ok()?;
    let all = [
        summary.event_names,
        summary.event_column_names,
        summary.profile_column_names,
    ];
    let is_empty = |names: &BTreeMap<String, Empty>| names.values().all(|value| value.0.is_empty());
    let are_sets = all.iter().all(is_empty);
    are_sets.then(|| all.map(|names| names.into_keys().collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_list_is_one_row_and_nothing_else() {
        let names = |text: &str| {
            let facts = RecordedNames::of(JobMember::EventNames, text.as_bytes());
            facts.map(|facts| facts.names)
        };
        let of = |names: &[&str]| Some(names.iter().map(|name| (*name).to_owned()).collect());
        assert_eq!(names("Sign In,\"a, b\"\n"), of(&["Sign In", "a, b"]));
        assert_eq!(names("distinct_id,time\r\n"), of(&["distinct_id", "time"]));
        assert_eq!(names(""), of(&[]));
        assert_eq!(names("Sign In\nSearch\n"), None);
        assert_eq!(names("distinct_id\nanna\n"), None);
        assert_eq!(names("a,\"open\nanna\n"), None);
    }

    #[test]
    fn a_summary_is_three_sets_of_names() {
        let is = |text: &str| RecordedNames::of(JobMember::Summary, text.as_bytes()).is_some();
        let good = r#"{"event_names":{"x":{}},"event_column_names":{},"profile_column_names":{}}"#;
        assert!(is(good));
        for bad in [
            "{}".to_owned(),
            good.replace("{\"x\":{}}", "{\"x\":{\"distinct_id\":\"anna\"}}"),
            good.replace("{\"x\":{}}", "[\"x\"]"),
            good.replacen('{', "{\"more\":{},", 1),
            format!("{good}{good}"),
        ] {
            assert!(!is(&bad), "{bad}");
        }
    }
}
