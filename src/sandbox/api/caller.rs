//! Who calls, for which project, and within the pace or not. A call that is not admitted takes no
//! slot of the project's pace; every other call does, whatever its result.

use std::sync::Arc;

use axum::extract::{FromRequestParts, Query};
use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use serde::Deserialize;

use super::body::ArrivalTime;
use super::replies::Refusal;
use super::server::Server;
use crate::sandbox::state::clock::{Moment, micros};
use crate::sandbox::state::store::Pace;
use crate::sandbox::{FORBIDDEN_PROJECT_TOKEN, OAUTH_TOKEN};

#[derive(Debug)]
pub(crate) struct Caller {
    pub(crate) project: String,
}

#[derive(Deserialize)]
struct Parameters {
    token: Option<String>,
}

impl FromRequestParts<Arc<Server>> for Caller {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, server: &Arc<Server>) -> Result<Self, Refusal> {
        let arrival = parts
            .extensions
            .get()
            .map_or_else(Moment::now, |ArrivalTime(moment)| *moment);
        check_bearer(&parts.headers)?;
        let Ok(Query(Parameters { token })) = Query::try_from_uri(&parts.uri) else {
            return Err(Refusal::MalformedProjectToken);
        };
        let project = check_project_token(token)?;
        keep_pace(server, &project, arrival).await?;
        Ok(Self { project })
    }
}

fn check_bearer(headers: &HeaderMap) -> Result<(), Refusal> {
    let value = headers.get(AUTHORIZATION).ok_or(Refusal::NoBearer)?;
    let (scheme, token) = value
        .to_str()
        .ok()
        .and_then(|text| text.split_once(' '))
        .ok_or(Refusal::WrongBearer)?;
    if scheme.eq_ignore_ascii_case("bearer") && token == OAUTH_TOKEN {
        Ok(())
    } else {
        Err(Refusal::WrongBearer)
    }
}

fn check_project_token(token: Option<String>) -> Result<String, Refusal> {
    let token = token
        .filter(|token| !token.is_empty())
        .ok_or(Refusal::NoProjectToken)?;
    if token == FORBIDDEN_PROJECT_TOKEN {
        return Err(Refusal::ForbiddenProject);
    }
    if token.len() == 32
        && token
            .bytes()
            .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
    {
        return Ok(token);
    }
    if token.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(Refusal::NumericProjectId);
    }
    Err(Refusal::MalformedProjectToken)
}

async fn keep_pace(server: &Arc<Server>, project: &str, arrival: Moment) -> Result<(), Refusal> {
    let rate = server.settings.rate;
    let (interval, project) = (micros(1.0 / rate), project.to_owned());
    match server
        .with_store(move |store| store.record_call(&project, arrival, interval))
        .await?
    {
        Pace::Kept => Ok(()),
        Pace::TooFast => Err(Refusal::TooFast { rate }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(token: &str) -> Option<Refusal> {
        check_project_token(Some(token.to_owned())).err()
    }

    #[test]
    fn a_project_token_is_32_lower_case_hex_digits() {
        assert_eq!(refusal("0123456789abcdef0123456789abcdef"), None);
        assert_eq!(
            refusal("0123456789ABCDEF0123456789ABCDEF"),
            Some(Refusal::MalformedProjectToken)
        );
        assert_eq!(
            refusal("0123456789abcdef0123456789abcde"),
            Some(Refusal::MalformedProjectToken)
        );
        assert_eq!(
            refusal("0123456789abcdef0123456789abcdeg"),
            Some(Refusal::MalformedProjectToken)
        );
        assert_eq!(refusal(""), Some(Refusal::NoProjectToken));
        assert_eq!(refusal("2195193"), Some(Refusal::NumericProjectId));
    }

    #[test]
    fn a_token_of_digits_alone_is_a_token() {
        assert_eq!(refusal("01234567890123456789012345678901"), None);
    }
}
