//! A JSON object as names and values in their order, values untouched.

use std::fmt;

use maud::{Markup, html};
use serde::Deserialize;
use serde::de::{MapAccess, Visitor};
use serde_json::value::RawValue;

use super::super::record::time_of;
use super::text::{Visible, Whole, beginning, grouped, moment};

/// How much of one value a page shows, in characters.
const MOST_CHARACTERS: usize = 1000;
/// How many values of one record a page shows.
const MOST_FIELDS: usize = 200;

/// The names and values of an object; a name that stands there twice is there twice.
#[derive(Default)]
pub(super) struct Fields<'a>(pub(super) Vec<(String, &'a RawValue)>);

impl<'a> Fields<'a> {
    /// `None` if `text` is no object.
    pub(super) fn of(text: &'a str) -> Option<Self> {
        serde_json::from_str(text).ok()
    }

    /// The fields of a record with those inside `properties` or `$properties` in its place.
    pub(super) fn of_record(text: &'a str) -> Option<Self> {
        let mut all = Vec::new();
        for (name, value) in Self::of(text)?.0 {
            let inner = matches!(name.as_str(), "properties" | "$properties")
                .then(|| Self::of(value.get()))
                .flatten();
            match inner {
                Some(inner) => all.extend(inner.0),
                None => all.push((name, value)),
            }
        }
        Some(Self(all))
    }

    /// The first value of this name, taken out.
    pub(super) fn take(&mut self, name: &str) -> Option<&'a RawValue> {
        let place = self.0.iter().position(|(known, _)| known == name)?;
        Some(self.0.remove(place).1)
    }

    /// The fields as a list of descriptions.
    pub(super) fn list(&self, keys: Keys) -> Markup {
        let hidden = self.0.len().saturating_sub(MOST_FIELDS);
        html! {
            dl.fields {
                @for (name, value) in self.0.iter().take(MOST_FIELDS) {
                    div { (label(name, keys)) dd { (value_of(name, value)) } }
                }
            }
            @if hidden > 0 {
                p.note { "And " (grouped(hidden as u64)) " more, in the file." }
            }
        }
    }
}

/// Whether Mixpanel's own name of a field is shown beside the plain one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Keys {
    Shown,
    Hidden,
}

fn label(name: &str, keys: Keys) -> Markup {
    html! {
        dt {
            @match plain_name(name) {
                Some(plain) => {
                    (plain)
                    @if keys == Keys::Shown { " " code { (name) } }
                }
                None => (Visible(beginning(name, MOST_CHARACTERS).0)),
            }
        }
    }
}

/// What Mixpanel's most common names mean, in plain words.
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
        "$insert_id" => "Number of the event",
        "mp_lib" => "Recorded with",
        "$lib_version" => "Version of the recorder",
        "mp_processing_time_ms" => "Received by Mixpanel",
        "$app_version_string" => "Version of the app",
        _ => return None,
    })
}

fn value_of(name: &str, value: &RawValue) -> Markup {
    let text = value.get();
    let is_time = matches!(name, "time" | "$time" | "mp_processing_time_ms");
    if is_time
        && let Some(time) = time_of(text).and_then(|time| chrono::DateTime::from_timestamp(time, 0))
    {
        return html! { (moment(time)) " UTC" };
    }
    match text.as_bytes().first() {
        Some(b'"') => match serde_json::from_str::<String>(text) {
            Ok(text) if text.is_empty() => html! { em { "empty" } },
            Ok(text) => shortened(&text),
            Err(_) => shortened(text),
        },
        Some(b'{' | b'[') => html! { code { (shortened(text)) } },
        Some(b'n') => html! { em { "nothing" } },
        Some(b't') => html! { "yes" },
        Some(b'f') => html! { "no" },
        _ => shortened(text),
    }
}

fn shortened(text: &str) -> Markup {
    let (shown, whole) = beginning(text, MOST_CHARACTERS);
    html! {
        (Visible(shown))
        @if whole == Whole::No {
            "… " em { "(shortened; the file has all " (grouped(text.chars().count() as u64)) " characters)" }
        }
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Fields<'a> {
    fn deserialize<D: serde::Deserializer<'de>>(parser: D) -> Result<Self, D::Error> {
        struct Reader;
        impl<'de> Visitor<'de> for Reader {
            type Value = Vec<(String, &'de RawValue)>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut fields = Vec::new();
                while let Some(field) = map.next_entry()? {
                    fields.push(field);
                }
                Ok(fields)
            }
        }
        parser.deserialize_map(Reader).map(Fields)
    }
}
