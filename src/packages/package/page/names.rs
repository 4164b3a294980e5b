//! Lists the names of the data about the person. A *Categories* export has only these.

use maud::{Markup, html};

use super::fields::{Keys, Label};
use super::records::event_name;
use crate::document::text::grouped;
use crate::domain::{Disclosure, RetrievalScope};
use crate::packages::package::contents::PackageContents;

/// How many names of a list are shown; the manifest has all.
const MOST_NAMES: usize = 500;

pub(crate) fn names(scope: RetrievalScope, contents: &PackageContents<'_>) -> Markup {
    let names = &contents.names;
    if names.count() == 0 {
        return html! {};
    }
    let (title, what) = match scope {
        RetrievalScope::Ccpa(Disclosure::Categories) => (
            "The categories of your data",
            "These are the names of the events and properties that Mixpanel delivered as categories.",
        ),
        RetrievalScope::Ccpa(Disclosure::Sources) => (
            "How your data was collected",
            "These are the names of the properties that Mixpanel delivered as sources.",
        ),
        RetrievalScope::Gdpr | RetrievalScope::Ccpa(Disclosure::Data) => (
            "Kinds of data about you",
            "These are the names of all properties in your own records.",
        ),
    };
    // The other exports list the events with their counts.
    let events = match contents.of_categories {
        true => names.events.as_slice(),
        false => &[],
    };
    html! {
        section aria-labelledby="names" {
            h2 #names { (title) }
            p { (what) }
            (list("Events", events, &|name| event_name(name)))
            (list("Properties of events", &names.event_properties, &property))
            (list("Properties of the profile", &names.profile_properties, &property))
        }
    }
}

fn property(name: &str) -> Markup {
    html! { (Label(name, Keys::Shown)) }
}

fn list(title: &str, names: &[&str], show: &dyn Fn(&str) -> Markup) -> Markup {
    let hidden = names.len().saturating_sub(MOST_NAMES);
    html! {
        @if !names.is_empty() {
            h3 { (title) }
            ul.names {
                @for name in names.iter().take(MOST_NAMES) { li { (show(name)) } }
            }
            @if hidden > 0 {
                p.note { "And " (grouped(hidden as u64)) " more, in the manifest." }
            }
        }
    }
}
