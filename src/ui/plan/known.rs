//! Shows what is known of a plan's people before anything is sent: who has a profile, and who is in an
//! earlier request.

use serde_json::{Value, json};

use crate::domain::{CarriedOut, Kind};
use crate::ui::drawing::paper::FactList;
use crate::ui::drawing::words::{number, plural};
use crate::ui::people::warnings::places_text;
use crate::workflow::{Earlier, Plan, Preflight};

/// How many earlier requests are shown; scripts get all.
const FIRST: usize = 5;

/// Adds the lines about profiles and earlier requests.
pub(super) fn add(facts: &mut FactList<'_>, plan: &Plan) {
    if let Some(preflight) = &plan.preflight {
        facts.add("Profiles", &profiles_text(preflight));
    }
    for line in earlier_lines(&plan.earlier) {
        facts.add("Earlier", &line);
    }
}

/// `5 of 8 ids have a profile; 3 have none (`ids.csv`, lines 2, 5, 7). …`
pub fn profiles_text(preflight: &Preflight) -> String {
    let Preflight {
        asked,
        with_profile,
        without,
        ..
    } = preflight;
    let have = match with_profile {
        1 => "has",
        _ => "have",
    };
    let text = format!(
        "{} of {} {have} a profile",
        number(*with_profile),
        plural(*asked, "id", "ids")
    );
    if without.is_empty() {
        return format!("{text}.");
    }
    let none = match without.len() {
        1 => "1 has none".to_owned(),
        many => format!("{} have none", number(many)),
    };
    let places = without.iter().map(|place| (&*place.label, place.line));
    let places = places_text(places, without.len());
    format!("{text}; {none}{places}. A person without a profile may still have events.")
}

/// `2 were erased under request q7tz… on 2026-03-02`, for each request.
pub(crate) fn earlier_lines(earlier: &[Earlier]) -> Vec<String> {
    let mut lines: Vec<String> = earlier.iter().take(FIRST).map(earlier_text).collect();
    let rest = earlier.len().saturating_sub(FIRST);
    if rest > 0 {
        let more = plural(rest, "more request has", "more requests have");
        lines.push(format!("{more} some of the ids; `dsr find` lists them"));
    }
    lines
}

fn earlier_text(earlier: &Earlier) -> String {
    let done = match earlier.kind {
        Kind::Delete => "erased",
        Kind::Export => "exported",
    };
    let (is, people) = match earlier.people {
        1 => ("is", "1".to_owned()),
        many => ("are", number(many)),
    };
    let what = match (earlier.carried_out, earlier.people) {
        (CarriedOut::Yes, 1) => format!("was {done} under"),
        (CarriedOut::Yes, _) => format!("were {done} under"),
        (CarriedOut::UnderWay, _) => format!("{is} being {done} under"),
        (CarriedOut::Possibly, _) => format!("may have been {done} under"),
        (CarriedOut::No, _) => format!("{is} to be {done} under"),
    };
    let (request, day) = (earlier.request.short(), earlier.day);
    let since = match earlier.carried_out {
        CarriedOut::Yes => "on",
        _ => "of",
    };
    format!("{people} {what} request {request} {since} {day}")
}

pub(super) fn profiles_object(preflight: &Preflight) -> Value {
    let places = preflight.without.iter().map(
        |place| json!({ "source": &*place.label, "line": place.line, "element": place.element }),
    );
    json!({
        "asked": preflight.asked,
        "with_profile": preflight.with_profile,
        "without_profile": preflight.without.len(),
        "places_without_profile": places.collect::<Vec<_>>(),
        "queries": preflight.queries,
    })
}

pub(super) fn earlier_objects(earlier: &[Earlier]) -> Vec<Value> {
    let objects = earlier.iter().map(|earlier| {
        json!({
            "request": earlier.request.as_str(),
            "kind": earlier.kind,
            "carried_out": earlier.carried_out.as_str(),
            "ids": earlier.people,
            "day": earlier.day.to_string(),
        })
    });
    objects.collect()
}
