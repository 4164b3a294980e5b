//! Shows what Mixpanel's SDKs offer, topic by topic.

use serde_json::{Value, json};

use crate::guide::{Calls, Library, Sdk, Section, Topic};
use crate::ui::drawing::paper::Paper;
use crate::ui::drawing::view::View;

/// The list of topics.
#[derive(Debug)]
pub struct TopicsView;

/// One topic, for all SDKs or for one.
#[derive(Debug)]
pub struct GuideView {
    pub topic: Topic,
    pub sdk: Option<Sdk>,
}

impl View for TopicsView {
    fn human(&self, paper: &Paper) -> String {
        let width = Topic::ALL.map(|topic| topic.name().len());
        let mut facts = paper.facts(0, width.into_iter().max().unwrap_or(0));
        for topic in Topic::ALL {
            facts.add(topic.name(), topic.title());
        }
        let text = facts.into_text();
        format!("{text}\nRead one with `dsr guide TOPIC`.\n")
    }

    fn json(&self) -> Value {
        let topics =
            Topic::ALL.map(|topic| json!({ "topic": topic.name(), "title": topic.title() }));
        json!({ "topics": topics })
    }
}

impl GuideView {
    fn sections(&self) -> impl Iterator<Item = (&'static Library, &'static Section)> {
        let wanted = self.sdk;
        let sections = self.topic.sections();
        sections.filter(move |(library, _)| wanted.is_none_or(|sdk| sdk == library.sdk))
    }
}

impl View for GuideView {
    fn human(&self, paper: &Paper) -> String {
        let mut text = paper.wrapped("", self.topic.title());
        for paragraph in self.topic.paragraphs() {
            text.push('\n');
            text.push_str(&paper.wrapped("", paragraph));
        }
        for (library, section) in self.sections() {
            text.push('\n');
            text.push_str(&section_text(library, section, paper));
        }
        text
    }

    fn json(&self) -> Value {
        let topic = self.topic.name();
        let entries = self.sections().map(|(library, section)| {
            let calls = match section.calls {
                Calls::Code(code) => Some(code),
                Calls::NoneInSource => None,
            };
            json!({
                "topic": topic,
                "sdk": library.sdk.name(),
                "library": library.name,
                "version": library.version,
                "source": section.source,
                "calls": calls,
                "notes": section.notes,
            })
        });
        json!({ "guide": {
            "topic": topic,
            "title": self.topic.title(),
            "paragraphs": self.topic.paragraphs(),
            "entries": entries.collect::<Vec<_>>(),
        } })
    }
}

/// Never folds code and addresses: people copy them.
fn section_text(library: &Library, section: &Section, paper: &Paper) -> String {
    let mut text = format!(
        "--sdk {}: {} {}\n\n",
        library.sdk.name(),
        library.name,
        library.version
    );
    if let Calls::Code(code) = section.calls {
        for line in code.lines() {
            let line = format!("  {line}");
            text.push_str(line.trim_end());
            text.push('\n');
        }
        text.push('\n');
    }
    for note in section.notes {
        text.push_str(&paper.wrapped("- ", note));
    }
    text.push_str(&format!("{}\n", section.source));
    text
}
