//! The words of the law on the page: what the person asked for, and what else they are owed.
//!
//! Sources: GDPR (Regulation (EU) 2016/679) Articles 12, 15 and 20; CCPA (California Civil Code)
//! sections 1798.100, .105, .106, .110, .115, .120, .125 and .130.

use maud::{Markup, html};

use super::super::About;
use super::super::package::Contents;
use crate::document::text::counted;
use crate::domain::{Disclosure, Law, Operation, RetrievalScope};

/// What the law gives a right to beside the data, and Mixpanel's data cannot say.
const GDPR_ITEMS: [(&str, &str); 9] = [
    (
        "Who we are and how to reach us",
        "the company responsible for your data, and its data protection officer if it has one",
    ),
    (
        "Why we process your data",
        "the purposes, and the legal basis",
    ),
    (
        "Which kinds of data",
        "the categories of personal data concerned",
    ),
    (
        "Who receives it",
        "Mixpanel stores it for us; other recipients, and safeguards where it leaves the European Economic Area",
    ),
    ("How long we keep it", "the period, or how it is decided"),
    ("Where it came from", "any source other than yourself"),
    (
        "Automated decisions",
        "whether there are any, profiling included, and the logic and consequences",
    ),
    (
        "Your rights",
        "to have data corrected or erased, to restrict or object to its processing",
    ),
    (
        "Where to complain",
        "the supervisory authority you can turn to",
    ),
];

const CCPA_ITEMS: [(&str, &str); 7] = [
    (
        "Who we are and how to reach us",
        "the business that answers this request",
    ),
    (
        "Which categories of data we collected",
        "in the 12 months before your request",
    ),
    ("Where it came from", "the categories of sources"),
    (
        "Why we collect, sell or share it",
        "the business or commercial purpose",
    ),
    (
        "Whom we disclosed it to",
        "the categories of third parties, by category of data; Mixpanel is our service provider",
    ),
    ("Whether we sell or share it", "and how to opt out"),
    (
        "Your rights",
        "to have data deleted or corrected, and not to be treated worse for using your rights",
    ),
];

pub(super) fn law_name(about: &About) -> &'static str {
    match Operation::Export(about.scope).law() {
        Law::Gdpr => "General Data Protection Regulation (GDPR)",
        Law::Ccpa => "California Consumer Privacy Act (CCPA)",
    }
}

/// What this is, in a few sentences.
pub(super) fn introduction(about: &About, contents: &Contents<'_>) -> Markup {
    html! {
        section aria-labelledby="about" {
            h2 #about { "What this is" }
            p {
                "You asked a company which data it holds about you. The company uses Mixpanel, a service that records how people use websites and apps. This is a copy of what Mixpanel delivered for the identifier above, and of nobody else’s data."
            }
            (what_is_missing(contents))
            p { (what_the_law_gives(about.scope)) }
        }
    }
}

/// What is said where there is no record: "no data" only where all of the delivery was understood.
fn what_is_missing(contents: &Contents<'_>) -> Markup {
    let unclear = contents.unassigned.unclear();
    html! {
        @if !contents.is_empty() {
        } @else if contents.unassigned.shared_lists > 0 {
            p.none {
                strong { "Mixpanel delivered lists of names for several people together." }
                " They do not say which names are about you. The company has to ask Mixpanel for your categories alone."
            }
        } @else if unclear > 0 {
            p.none {
                strong { "No record in Mixpanel’s delivery could be matched to this identifier." }
                " This does not mean that there is no data: " (counted(unclear, "part", "parts"))
                " of the delivery could not be read, or " (if unclear == 1 { "does" } else { "do" })
                " not say clearly whom " (if unclear == 1 { "it is" } else { "they are" }) " about."
            }
        } @else if contents.names.count() > 0 {
        } @else if contents.of_categories {
            p.none {
                strong { "Mixpanel named no categories of data for this identifier." }
                " If you think there should be data, ask the company which other identifiers it knows you by."
            }
        } @else {
            p.none {
                strong { "Mixpanel delivered no data for this identifier." }
                " Either nothing was recorded under it, or it is no longer kept. If you think there should be data, ask the company which other identifiers it knows you by."
            }
        }
    }
}

fn what_the_law_gives(scope: RetrievalScope) -> &'static str {
    match scope {
        RetrievalScope::Gdpr => {
            "Article 15 of the GDPR gives you the right to a copy of your data; Article 20 to have what you provided in a form that programs can read. This page is for you, the files beside it are for programs."
        }
        RetrievalScope::Ccpa(Disclosure::Data) => {
            "The CCPA gives you the right to know the specific pieces of personal information collected about you, in a form you can take elsewhere. Mixpanel delivers the last 12 months. This page is for you, the files beside it are for programs."
        }
        RetrievalScope::Ccpa(Disclosure::Categories) => {
            "The CCPA gives you the right to know the categories of personal information collected about you. Mixpanel was asked for these categories, and delivers their names for the last 12 months, without the data itself."
        }
        RetrievalScope::Ccpa(Disclosure::Sources) => {
            "The CCPA gives you the right to know the categories of sources your personal information was collected from. Mixpanel was asked for these sources, and delivers the last 12 months."
        }
    }
}

/// What only the company can say, with room for it.
pub(super) fn what_the_company_adds(about: &About) -> Markup {
    let items: &[(&str, &str)] = match Operation::Export(about.scope).law() {
        Law::Gdpr => &GDPR_ITEMS,
        Law::Ccpa => &CCPA_ITEMS,
    };
    html! {
        section.company aria-labelledby="company" {
            h2 #company { "What the company adds" }
            p { "You are owed more than the data. Mixpanel cannot know the following; the company that sends you this fills it in, here or in a letter." }
            dl {
                @for (title, detail) in items {
                    div {
                        dt { (title) }
                        dd { (detail) span.blank { "To be filled in by the company" } }
                    }
                }
            }
        }
    }
}
