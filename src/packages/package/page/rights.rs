//! The legal text on the page: what the person asked for, and their other rights.
//!
//! Sources: GDPR (Regulation (EU) 2016/679) Articles 12, 15 and 20; CCPA (California Civil Code)
//! sections 1798.100, .105, .106, .110, .115, .120, .125 and .130.

use maud::{Markup, html};

use crate::document::text::{Visible, counted};
use crate::domain::{Disclosure, Law, Operation, RetrievalScope};
use crate::packages::Provenance;
use crate::packages::package::contents::PackageContents;

const GDPR_RIGHTS: &str = "You can ask the company to correct or erase your data, or to restrict its processing, and you can object to the processing. You can also complain to a supervisory authority.";
const CCPA_RIGHTS: &str = "You can ask the company to delete or correct your data, and to stop selling or sharing it. The company must not treat you worse because you use your rights.";

pub(crate) fn law_name(about: &Provenance) -> &'static str {
    match Operation::Export(about.scope).law() {
        Law::Gdpr => "General Data Protection Regulation (GDPR)",
        Law::Ccpa => "California Consumer Privacy Act (CCPA)",
    }
}

pub(crate) fn introduction(about: &Provenance, contents: &PackageContents<'_>) -> Markup {
    html! {
        section aria-labelledby="about" {
            h2 #about { "What this is" }
            p {
                "You asked a company which data it holds about you. The company uses Mixpanel, a service that records how people use websites and apps. This is a copy of what Mixpanel delivered for the identifier above. It has nobody else’s data."
            }
            (what_is_missing(contents))
            p {
                (what_the_law_gives(about.scope))
                @if !contents.is_empty() { " This page is for you. The files beside it are for programs." }
            }
        }
    }
}

/// The text if there is no record. It says "no data" only if the whole delivery was understood.
fn what_is_missing(contents: &PackageContents<'_>) -> Markup {
    let unclear = contents.unassigned.unclear();
    html! {
        @if !contents.is_empty() || contents.names.count() > 0 {
        } @else if contents.unassigned.shared_lists > 0 {
            p.none {
                strong { "Mixpanel delivered lists of names for several people together." }
                " They do not say which names are about you. The company has to ask Mixpanel for your categories alone."
            }
        } @else if unclear > 0 {
            p.none {
                strong { "No record in Mixpanel’s delivery is certainly about this identifier." }
                " There may still be data: " (unclear_parts(unclear)) "."
            }
        } @else if contents.of_categories {
            p.none {
                strong { "Mixpanel named no categories of data for this identifier." }
                " If you think there should be data, ask the company which other identifiers it knows you by."
            }
        } @else {
            p.none {
                strong { "Mixpanel delivered no data for this identifier." }
                " Mixpanel recorded nothing under it, or no longer keeps it. If you think there should be data, ask the company which other identifiers it knows you by."
            }
        }
    }
}

/// Why the owner of some parts is unclear.
pub(crate) fn unclear_parts(count: u64) -> String {
    let parts = counted(count, "part", "parts");
    match count {
        1 => format!(
            "{parts} of Mixpanel’s delivery is missing, could not be read, or does not say clearly whom it is about"
        ),
        _ => format!(
            "{parts} of Mixpanel’s delivery are missing, could not be read, or do not say clearly whom they are about"
        ),
    }
}

fn what_the_law_gives(scope: RetrievalScope) -> &'static str {
    match scope {
        RetrievalScope::Gdpr => {
            "Article 15 of the GDPR gives you the right to a copy of your data; Article 20 to have what you provided in a form that programs can read."
        }
        RetrievalScope::Ccpa(Disclosure::Data) => {
            "The CCPA gives you the right to know the specific pieces of personal information collected about you, in a form you can take elsewhere. Mixpanel delivers the last 12 months."
        }
        RetrievalScope::Ccpa(Disclosure::Categories) => {
            "The CCPA gives you the right to know the categories of personal information collected about you. Mixpanel was asked for these categories, and delivers their names for the last 12 months, without the data itself."
        }
        RetrievalScope::Ccpa(Disclosure::Sources) => {
            "The CCPA gives you the right to know the categories of sources your personal information was collected from. Mixpanel was asked for these sources, and delivers the last 12 months."
        }
    }
}

/// The company's own details, each under its title; empty ones are left out.
pub(crate) fn company(about: &Provenance) -> Markup {
    let [
        name,
        contact,
        officer,
        purposes,
        recipients,
        retention,
        authority,
    ] = about.company.values();
    // The CCPA has neither a data protection officer nor a supervisory authority.
    let (officer, authority) = match Operation::Export(about.scope).law() {
        Law::Gdpr => (officer, authority),
        Law::Ccpa => ("", ""),
    };
    let items = [
        ("Who we are", name),
        ("How to reach us", contact),
        ("Our data protection officer", officer),
        ("Why we process your data", purposes),
        ("Who receives your data", recipients),
        ("How long we keep your data", retention),
        ("Where you can complain", authority),
    ];
    if items.iter().all(|(_, value)| value.is_empty()) {
        return html! {};
    }
    html! {
        section.company aria-labelledby="company" {
            h2 #company { "What the company says" }
            dl {
                @for (title, value) in items.into_iter().filter(|(_, value)| !value.is_empty()) {
                    div { dt { (title) } dd { (Visible(value)) } }
                }
            }
        }
    }
}

pub(crate) fn your_rights(about: &Provenance) -> Markup {
    html! {
        section aria-labelledby="rights" {
            h2 #rights { "Your rights" }
            p { (match Operation::Export(about.scope).law() {
                Law::Gdpr => GDPR_RIGHTS,
                Law::Ccpa => CCPA_RIGHTS,
            }) }
        }
    }
}
