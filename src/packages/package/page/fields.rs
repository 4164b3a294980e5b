//! Shows the fields of a record to a person.

use std::borrow::Cow;

use maud::{Render, html};
use serde_json::value::RawValue;

use super::clock_name;
use crate::document::text::{Visible, Whole, beginning, grouped, moment, write_moment};
use crate::domain::{JsonObject, ProjectZone, event_time, json_text};

const MOST_CHARACTERS: usize = 1000;
/// How many values of a record a page shows.
const MOST_FIELDS: usize = 200;

/// Whether to show Mixpanel's own field name beside the plain one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Keys {
    Shown,
    Hidden,
}

/// The fields as a description list.
///
/// Renders directly into the page's text: a page has tens of thousands of fields, and a buffer for
/// each would dominate the cost.
pub(crate) struct FieldList<'a> {
    pub(crate) fields: &'a JsonObject<'a>,
    pub(crate) keys: Keys,
    pub(crate) zone: ProjectZone,
}

pub(crate) struct Label<'a>(pub(crate) &'a str, pub(crate) Keys);

impl Render for Label<'_> {
    fn render_to(&self, out: &mut String) {
        render_label(self.0, self.1, out);
    }
}

impl Render for FieldList<'_> {
    fn render_to(&self, out: &mut String) {
        let fields = &self.fields.0;
        out.push_str("<dl class=\"fields\">");
        for (name, value) in fields.iter().take(MOST_FIELDS) {
            out.push_str("<dt>");
            render_label(name, self.keys, out);
            if &**name == "$transactions" && !value.get().starts_with('[') {
                // A table has no room for a list, so Mixpanel delivers the sum of the amounts.
                out.push_str(" (sum of the amounts)");
            }
            out.push_str("</dt><dd>");
            render_value(name, value, self.zone, out);
            out.push_str("</dd>");
        }
        out.push_str("</dl>");
        let hidden = fields.len().saturating_sub(MOST_FIELDS);
        if hidden > 0 {
            html! { p.note { "And " (grouped(hidden as u64)) " more, in the file." } }
                .render_to(out);
        }
    }
}

fn render_label(name: &str, keys: Keys, out: &mut String) {
    match (plain_name(name), keys) {
        (Some(plain), Keys::Hidden) => out.push_str(plain),
        (Some(plain), Keys::Shown) => html! { (plain) " " code { (name) } }.render_to(out),
        (None, _) => Visible(beginning(name, MOST_CHARACTERS).0).render_to(out),
    }
}

/// Plain words for Mixpanel's most common names.
fn plain_name(name: &str) -> Option<&'static str> {
    Some(match name {
        "distinct_id" | "$distinct_id" => "Identifier",
        "time" => "Time",
        "$name" => "Name",
        "$first_name" => "First name",
        "$last_name" => "Last name",
        "$email" => "E-mail address",
        "$phone" => "Phone number",
        "$avatar" => "Picture",
        "$created" => "Created",
        "$last_seen" => "Last seen",
        "$city" | "mp_city" => "City",
        "$region" => "Region",
        "mp_country_code" | "$country_code" => "Country",
        "$timezone" => "Time zone",
        "$ip" | "ip" => "IP address",
        "$latitude" => "Latitude",
        "$longitude" => "Longitude",
        "$os" => "Operating system",
        "$os_version" => "Version of the operating system",
        "$browser" => "Browser",
        "$browser_version" => "Version of the browser",
        "$device" | "$model" => "Device",
        "$device_id" => "Identifier of the device",
        "$user_id" => "Identifier of the user",
        "$brand" => "Brand",
        "$manufacturer" => "Manufacturer",
        "$carrier" => "Mobile network",
        "$screen_width" => "Screen width",
        "$screen_height" => "Screen height",
        "$current_url" => "Page address",
        "$referrer" => "Came from",
        "$referring_domain" => "Came from the site",
        "$initial_referrer" => "First came from",
        "$insert_id" => "Id of the event",
        "mp_lib" => "Recorded with",
        "$lib_version" => "Version of the recorder",
        "mp_processing_time_ms" => "Received by Mixpanel",
        "$app_version_string" => "Version of the app",
        "$transactions" => "Purchases",
        _ => return None,
    })
}

fn render_value(name: &str, value: &RawValue, zone: ProjectZone, out: &mut String) {
    let text = value.get();
    let clock = match name {
        "time" => Some((zone, clock_name(zone))),
        // Mixpanel's servers set this field.
        "mp_processing_time_ms" => Some((ProjectZone::default(), Some("UTC"))),
        _ => None,
    };
    let shown = clock.and_then(|(zone, clock)| {
        let seconds = event_time(text, zone)?;
        Some((chrono::DateTime::from_timestamp(seconds, 0)?, clock))
    });
    if let Some((time, clock)) = shown {
        return html! { (moment(time)) @if let Some(clock) = clock { " " (clock) } }.render_to(out);
    }
    match text.as_bytes() {
        b"\"\"" => out.push_str("<em>empty</em>"),
        [b'"', ..] if matches!(name, "$created" | "$last_seen") => render_date(&decoded(text), out),
        [b'"', ..] => render_shortened(&decoded(text), out),
        [b'{' | b'[', ..] if !render_inner(text, zone, out) => {
            out.push_str("<code>");
            render_shortened(text, out);
            out.push_str("</code>");
        }
        [b'{' | b'[', ..] => {}
        [b'n', ..] => out.push_str("<em>nothing</em>"),
        [b't', ..] => out.push_str("yes"),
        [b'f', ..] => out.push_str("no"),
        _ => render_shortened(text, out),
    }
}

/// A date in words. Mixpanel does not give its time zone.
fn render_date(text: &str, out: &mut String) {
    match chrono::NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S") {
        Ok(time) => write_moment(time.and_utc(), out),
        Err(_) => render_shortened(text, out),
    }
}

/// Renders a short list, or an object of a few plain values, without brackets. Returns whether it
/// did.
fn render_inner(text: &str, zone: ProjectZone, out: &mut String) -> bool {
    let fields = match text.starts_with('{') {
        _ if text.len() > MOST_CHARACTERS => None,
        true => JsonObject::of(text).map(|fields| fields.0),
        false => serde_json::from_str::<Vec<&RawValue>>(text)
            .ok()
            .map(|values| {
                let nameless = values.into_iter().map(|value| (Cow::Borrowed(""), value));
                nameless.collect()
            }),
    };
    let is_plain = |value: &RawValue| !value.get().starts_with(['{', '[']);
    let Some(fields) = fields.filter(|fields| fields.iter().all(|(_, value)| is_plain(value)))
    else {
        return false;
    };
    if fields.is_empty() {
        out.push_str("<em>empty</em>");
    }
    for (place, (name, value)) in fields.iter().enumerate() {
        if place > 0 {
            out.push_str(", ");
        }
        if !name.is_empty() {
            render_label(name, Keys::Hidden, out);
            out.push_str(": ");
        }
        render_value(name, value, zone, out);
    }
    true
}

/// The content of a JSON string; anything else unchanged.
pub(crate) fn decoded(text: &str) -> Cow<'_, str> {
    json_text(text).unwrap_or(Cow::Borrowed(text))
}

fn render_shortened(text: &str, out: &mut String) {
    let (shown, whole) = beginning(text, MOST_CHARACTERS);
    Visible(shown).render_to(out);
    if whole == Whole::No {
        let all = grouped(text.chars().count() as u64);
        html! { "… " em { "(shortened; the file has all " (all) " characters)" } }.render_to(out);
    }
}
