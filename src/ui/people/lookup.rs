//! Shows what was found for each line. Names lines by place, never a value or an id.

use std::fmt::Write;

use serde_json::{Value, json};

use crate::domain::ProjectName;
use crate::intake::{Reading, RecordsRead};
use crate::ui::drawing::paper::Paper;
use crate::ui::drawing::view::View;
use crate::ui::drawing::words::{number, path_word, plural, printable};
use crate::workflow::{AnsweredLine, ListedAs, LookedUp, LookupAnswer, QueriedValues};

use super::sources;

/// How many lines are named on the screen for one answer.
const MAX_NAMED: usize = 20;

/// How a near value is a number.
const NUMBER: &str = "is a number";

/// How Mixpanel writes an anonymous device id.
const DEVICE: &str = "$device:";

/// Where the profiles were looked for.
pub enum LookupOrigin {
    Files {
        profiles: RecordsRead,
        /// `None` if no identities were named.
        identities: Option<RecordsRead>,
    },
    Mixpanel {
        project: ProjectName,
        asked: QueriedValues,
        identities: Option<RecordsRead>,
    },
}

impl LookupOrigin {
    pub fn identities(&self) -> Option<&RecordsRead> {
        match self {
            Self::Files { identities, .. } | Self::Mixpanel { identities, .. } => {
                identities.as_ref()
            }
        }
    }

    fn text(&self, property: &str) -> String {
        let property = printable(property);
        match self {
            Self::Files { profiles, .. } => format!(
                "Compared `{property}` byte for byte: {} of {} in {} {} it.",
                number(profiles.having),
                plural(profiles.records(), "record", "records"),
                plural(profiles.readings.len(), "file", "files"),
                if profiles.having == 1 { "has" } else { "have" },
            ),
            Self::Mixpanel { project, asked, .. } => format!(
                "Asked Mixpanel for {} of `{property}` in project {project}, with {}. Compared the {} of its answers byte for byte.",
                plural(asked.values, "value", "values"),
                plural(asked.queries, "query", "queries"),
                plural(asked.profiles, "profile", "profiles"),
            ),
        }
    }
}

/// The result of looking people up by a property.
pub struct LookupView<'a> {
    pub property: &'a str,
    pub found: &'a LookedUp,
    pub sources: &'a [Reading],
    pub searched: &'a LookupOrigin,
    /// The list that was written.
    pub file: Option<String>,
}

impl LookupView<'_> {
    fn with(&self, answer: LookupAnswer) -> impl Iterator<Item = &AnsweredLine> {
        let lines = self.found.lines.iter();
        lines.filter(move |line| line.answer == answer)
    }

    fn count(&self, answer: LookupAnswer) -> usize {
        self.with(answer).count()
    }

    /// For example `line 7: differs in case`.
    fn place(&self, line: &AnsweredLine) -> String {
        let several = self.sources.len() > 1;
        let place = match (line.element, line.line) {
            (Some(element), _) => format!("element {element}"),
            (None, Some(number)) => format!("line {number}"),
            (None, None) => "the value on the command line".to_owned(),
        };
        match several {
            true => format!("{}, {place}", printable(&line.source)),
            false => place,
        }
    }

    fn places<'l>(
        &self,
        lines: impl Iterator<Item = &'l AnsweredLine>,
        about: impl Fn(&AnsweredLine) -> Option<String>,
    ) -> String {
        let (mut named, mut more) = (Vec::new(), 0);
        for line in lines {
            match named.len() < MAX_NAMED {
                true => named.push(match about(line) {
                    Some(about) => format!("{}: {about}", self.place(line)),
                    None => self.place(line),
                }),
                false => more += 1,
            }
        }
        if more > 0 {
            named.push(format!("and {} more", number(more)));
        }
        named.join("; ")
    }

    /// For example `8 lines: 5 have one profile, 1 has none (line 4), …`.
    fn answers(&self) -> String {
        if let [line] = self.found.lines.as_slice()
            && line.line.is_none()
            && line.element.is_none()
        {
            return match (line.profiles, &line.near) {
                _ if line.answer == LookupAnswer::Unusable => {
                    "A profile has the value, but its id is not usable.".to_owned()
                }
                (0, None) => "No profile has the value.".to_owned(),
                (0, Some(near)) => format!("No profile has the value, but one is near: it {near}."),
                (1, _) => "One profile has the value.".to_owned(),
                (several, _) => format!("{} profiles have the value.", number(several)),
            };
        }
        let mut parts = Vec::new();
        for (answer, one, many) in [
            (LookupAnswer::One, "has one profile", "have one profile"),
            (LookupAnswer::Several, "has several", "have several"),
            (LookupAnswer::None, "has none", "have none"),
            (LookupAnswer::Near, "is near", "are near"),
            (LookupAnswer::Unusable, "is not usable", "are not usable"),
        ] {
            let count = self.count(answer);
            if count == 0 {
                continue;
            }
            let mut part = plural(count, one, many);
            let about = |line: &AnsweredLine| match answer {
                LookupAnswer::Several => Some(plural(line.profiles, "profile", "profiles")),
                LookupAnswer::Near => line.near.as_deref().map(str::to_owned),
                LookupAnswer::One | LookupAnswer::None | LookupAnswer::Unusable => None,
            };
            if answer != LookupAnswer::One {
                let _ = write!(part, " ({})", self.places(self.with(answer), about));
            }
            parts.push(part);
        }
        let lines = plural(self.found.lines.len(), "line", "lines");
        format!("{lines}: {}.", parts.join(", "))
    }

    /// How many ids are of profiles, how many are aliases, and how many of those are of devices.
    fn counts(&self) -> (usize, usize, usize) {
        let is_alias = |listed_as| listed_as == ListedAs::Alias;
        let ids = || self.found.ids.iter();
        let aliases = || ids().filter(|listed| is_alias(listed.listed_as));
        let devices = aliases().filter(|listed| listed.id.starts_with(DEVICE));
        let aliases = aliases().count();
        (ids().count() - aliases, aliases, devices.count())
    }

    fn list_text(&self) -> String {
        let (profiles, aliases, devices) = self.counts();
        let ids = plural(profiles + aliases, "id", "ids");
        let mut text = format!("{ids} found");
        if self.searched.identities().is_some() {
            let of = plural(profiles, "profile", "profiles");
            let aliases = plural(aliases, "alias", "aliases");
            let _ = write!(text, ": {of}, {aliases}");
            if devices > 0 {
                let _ = write!(text, " ({} of them `$device:`)", number(devices));
            }
        }
        text
    }

    fn notes(&self) -> Vec<String> {
        let mut notes = Vec::new();
        for lines in self.found.shared.iter().take(MAX_NAMED) {
            let lines = lines.iter().map(|place| &self.found.lines[*place]);
            notes.push(format!(
                "These share a profile: {}.",
                self.places(lines, |_| None)
            ));
        }
        let more = self.found.shared.len().saturating_sub(MAX_NAMED);
        if more > 0 {
            let profiles = plural(more, "more profile has", "more profiles have");
            notes.push(format!(
                "{profiles} several values; `--json` has all of them."
            ));
        }
        let with = |is: fn(&&AnsweredLine) -> bool| self.found.lines.iter().filter(is);
        let joined = || with(|line| line.joined);
        if joined().next().is_some() {
            notes.push(format!(
                "Joined with another profile by the identities: {}. Their aliases may be someone else's, as on a shared device, so dsr does not list them.",
                self.places(joined(), |_| None)
            ));
        }
        if self.count(LookupAnswer::Several) > 0 {
            notes.push(
                "Several profiles: dsr takes all of them. Make sure that each is this person."
                    .to_owned(),
            );
        }
        if self.count(LookupAnswer::Unusable) > 0 {
            notes.push(
                "Not usable: a profile has the value, but its id stands for no user, such as `null`, or can be no id. dsr does not list it. Ask for the person's user id."
                    .to_owned(),
            );
        }
        let other_listed = || {
            let unusable = self.with(LookupAnswer::Unusable);
            unusable.filter(|line| line.profiles > 0)
        };
        if other_listed().next().is_some() {
            let profiles = |line: &AnsweredLine| Some(plural(line.profiles, "profile", "profiles"));
            notes.push(format!(
                "Other profiles have the value of a line that is not usable, and dsr lists them ({}). Make sure that each is this person.",
                self.places(other_listed(), profiles)
            ));
        }
        let is_near = |line: &&AnsweredLine| line.answer == LookupAnswer::Near;
        let mut near = with(|line| !is_number(line)).filter(is_near);
        if near.next().is_some() {
            notes.push(
                "Near is not equal: dsr does not take it. If it is this person, write the value as Mixpanel has it."
                    .to_owned(),
            );
        }
        if with(is_number).any(|line| is_near(&line)) {
            notes.push(
                "A number is not text: dsr cannot ask for it. In a CSV export of the users, numbers are text."
                    .to_owned(),
            );
        }
        let near_too = || {
            let lines = self.found.lines.iter();
            lines.filter(|line| line.profiles > 0 && line.near.is_some())
        };
        if near_too().next().is_some() {
            let places = self.places(near_too(), |line| line.near.as_deref().map(str::to_owned));
            notes.push(format!(
                "Another profile is near, and dsr does not take it ({places})."
            ));
        }
        if self.count(LookupAnswer::None) > 0 {
            notes.push("A person without a profile may still have events.".to_owned());
            if let LookupOrigin::Mixpanel { .. } = self.searched {
                notes.push(
                    "Mixpanel finds equal text only: a profile with a number, a list or another spelling shows with `--profiles`."
                        .to_owned(),
                );
            }
        }
        notes
    }
}

fn is_number(line: &&AnsweredLine) -> bool {
    let near = line.near.as_deref();
    near.is_some_and(|near| near.starts_with(NUMBER))
}

impl View for LookupView<'_> {
    fn human(&self, paper: &Paper) -> String {
        let mut text = paper.wrapped("", &self.answers());
        for note in self.notes() {
            text.push_str(&paper.wrapped("", &note));
        }
        text.push('\n');
        let list = match &self.file {
            Some(file) => format!(
                "{}, in `{}`. Only you can read it. Next: `dsr delete --gdpr --dry-run {}`, or `dsr export` with this file.",
                self.list_text(),
                printable(file),
                printable(&path_word(file)),
            ),
            None if self.found.ids.is_empty() => format!(
                "{}: dsr wrote no list. Ask for the people's user ids, or search with another property: `--by`.",
                self.list_text()
            ),
            None => format!(
                "{}. To write the list, add `--output FILE`.",
                self.list_text()
            ),
        };
        text.push_str(&paper.wrapped("", &list));
        text.push_str(&paper.wrapped("", &self.searched.text(self.property)));
        text
    }

    fn json(&self) -> Value {
        let (profiles, aliases, devices) = self.counts();
        let place = |line: &AnsweredLine| json!({ "source": *line.source, "line": line.line, "element": line.element });
        let lines = self.found.lines.iter().map(|line| {
            let mut object = place(line);
            object["answer"] = json!(line.answer);
            object["profiles"] = line.profiles.into();
            object["near"] = line.near.as_deref().into();
            object["joined"] = line.joined.into();
            object
        });
        let shared = self.found.shared.iter().map(|lines| -> Vec<Value> {
            let lines = lines.iter();
            lines.map(|line| place(&self.found.lines[*line])).collect()
        });
        let objects = |all: &[Reading]| all.iter().map(sources::object).collect::<Vec<_>>();
        let readings =
            |read: Option<&RecordsRead>| read.map_or_else(Vec::new, |read| objects(&read.readings));
        let (profiles_read, asked, records) = match self.searched {
            LookupOrigin::Files { profiles, .. } => (
                Some(profiles),
                Value::Null,
                (profiles.records(), profiles.having),
            ),
            LookupOrigin::Mixpanel { project, asked, .. } => {
                let question = json!({
                    "project": project.as_str(),
                    "values": asked.values,
                    "queries": asked.queries,
                });
                (None, question, (asked.profiles, asked.profiles))
            }
        };
        json!({
            "property": self.property,
            "asked": asked,
            "answers": {
                "one": self.count(LookupAnswer::One),
                "several": self.count(LookupAnswer::Several),
                "none": self.count(LookupAnswer::None),
                "near": self.count(LookupAnswer::Near),
                "unusable": self.count(LookupAnswer::Unusable),
            },
            "ids": { "profiles": profiles, "aliases": aliases, "devices": devices },
            "file": self.file,
            "lines": lines.collect::<Vec<_>>(),
            "shared": shared.collect::<Vec<_>>(),
            "records": { "read": records.0, "with_property": records.1 },
            "sources": objects(self.sources),
            "profiles": readings(profiles_read),
            "identities": readings(self.searched.identities()),
        })
    }
}
