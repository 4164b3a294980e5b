//! A page of profiles, as it came.

use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use crate::mixpanel::wire::names_error;

/// A page of profiles, and where it belongs.
#[derive(Debug)]
pub struct ProfilePage {
    /// From 0.
    pub number: usize,
    /// The most profiles of a page.
    pub size: usize,
    /// On all pages.
    pub total: usize,
    pub session: Option<String>,
    /// As they came.
    pub profiles: Vec<PageProfile>,
}

/// A profile of a page.
#[derive(Debug)]
pub struct PageProfile {
    /// A number with each of its digits. Empty if it is neither a text nor a number.
    pub id: String,
    /// Whether the id came as a number with a fraction or an exponent or as `-0`, which no id is.
    pub is_fraction: bool,
    /// `$properties` as it came.
    pub properties: Option<Box<RawValue>>,
}

#[derive(Deserialize)]
struct Reply {
    status: String,
    /// Also beside `ok`, when only a part was found.
    #[serde(default)]
    error: Value,
    page: usize,
    page_size: usize,
    total: usize,
    session_id: Option<String>,
    results: Vec<ProfileRow>,
}

#[derive(Deserialize)]
struct ProfileRow {
    #[serde(rename = "$distinct_id")]
    id: Value,
    #[serde(rename = "$properties")]
    properties: Option<Box<RawValue>>,
}

/// `None` unless it is a whole page without an error.
pub(super) fn read(body: &[u8]) -> Option<ProfilePage> {
    let reply: Reply = serde_json::from_slice(body).ok()?;
    if reply.status != "ok" || names_error(&reply.error) || reply.page_size == 0 {
        return None;
    }
    let profiles = reply.results.into_iter().map(|row| {
        let is_number = row.id.is_number();
        let id = match row.id {
            Value::String(text) => text,
            Value::Number(number) => number.to_string(),
            _ => String::new(),
        };
        PageProfile {
            is_fraction: is_number && (id.contains(['.', 'e', 'E']) || id == "-0"),
            id,
            properties: row.properties,
        }
    });
    Some(ProfilePage {
        number: reply.page,
        size: reply.page_size,
        total: reply.total,
        session: reply.session_id.filter(|session| !session.is_empty()),
        profiles: profiles.collect(),
    })
}
