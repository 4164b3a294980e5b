//! A page of profiles, as it came.

use serde::Deserialize;
use serde_json::Value;

use crate::mixpanel::wire::names_error;

/// A page of profiles: their ids, and where it belongs.
#[derive(Debug, PartialEq, Eq)]
pub struct ProfilePage {
    /// From 0.
    pub number: usize,
    /// The most profiles of a page.
    pub size: usize,
    /// On all pages.
    pub total: usize,
    pub session: Option<String>,
    /// As they came; a number with each of its digits.
    pub ids: Vec<String>,
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
}

/// `None` unless it is a whole page without an error, each profile of it with an id.
pub(super) fn read(body: &[u8]) -> Option<ProfilePage> {
    let reply: Reply = serde_json::from_slice(body).ok()?;
    if reply.status != "ok" || names_error(&reply.error) || reply.page_size == 0 {
        return None;
    }
    let ids = reply.results.into_iter().map(|profile| match profile.id {
        Value::String(text) if !text.is_empty() => Some(text),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    });
    Some(ProfilePage {
        number: reply.page,
        size: reply.page_size,
        total: reply.total,
        session: reply.session_id.filter(|session| !session.is_empty()),
        ids: ids.collect::<Option<_>>()?,
    })
}
