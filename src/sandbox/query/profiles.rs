//! `engage-query`: the profiles of a project, a page at a time. A session names the moment and the
//! question of its first page, so that all its pages are of one list.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::account::{self, QueryKind};
use super::expression::Expression;
use super::parameters::QueryParameters;
use crate::sandbox::api::body::Received;
use crate::sandbox::api::replies::Refusal;
use crate::sandbox::api::server::{Server, off_thread};
use crate::sandbox::people::person::Person;
use crate::sandbox::people::population::Population;
use crate::sandbox::state::clock::Moment;
use crate::sandbox::{Settings, hex};

/// What the sandbox knows of the documented form. It refuses the rest.
const FORM: [&str; 6] = [
    "distinct_id",
    "distinct_ids",
    "output_properties",
    "page",
    "session_id",
    "where",
];

/// Which profiles to find, and what of each.
#[derive(Debug)]
struct ProfileQuery {
    distinct_ids: Option<BTreeSet<String>>,
    filter: Option<Expression>,
    output_properties: Option<Vec<String>>,
    page: usize,
    session: QuerySession,
}

/// When a session began, and a digest of what it asked.
#[derive(Debug)]
struct QuerySession {
    began: Moment,
    asked: String,
}

pub(crate) async fn find(
    State(server): State<Arc<Server>>,
    headers: HeaderMap,
    RawQuery(address): RawQuery,
    Extension(body): Extension<Received>,
) -> Result<Response, Refusal> {
    account::check(&headers)?;
    let address = address.unwrap_or_default();
    let address = QueryParameters::parse(address.as_bytes(), &["project_id", "workspace_id"])?;
    let project = account::project(&server, address.get("project_id")).await?;
    let _turn = account::admit(&server, &project, QueryKind::Profiles).await?;
    let query = ProfileQuery::parse(&project.token, &headers, &body)?;
    let (tasks, deleted) = server
        .with_store(move |store| {
            let deleted = store.list_deleted_profiles(&project.token)?;
            Ok((store.list_tasks(&project.token)?, deleted))
        })
        .await?;
    let found = off_thread(move || {
        let population = Population::new(&tasks, query.session.began).without_profiles_of(deleted);
        Ok(query.answer(&population, &server.settings))
    });
    Ok(Json(found.await?).into_response())
}

impl ProfileQuery {
    fn parse(project: &str, headers: &HeaderMap, body: &Received) -> Result<Self, Refusal> {
        let Received::Whole(body) = body else {
            return Err(Refusal::BodyTooLarge);
        };
        let form = "application/x-www-form-urlencoded";
        let is_form = headers.get(header::CONTENT_TYPE).is_some_and(|kind| {
            kind.to_str()
                .is_ok_and(|kind| kind.split(';').next() == Some(form))
        });
        if !is_form && !body.is_empty() {
            return Err(Refusal::BadQuery("the body must be a form"));
        }
        let form = QueryParameters::parse(body, &FORM)?;
        let many = form.texts("distinct_ids", "distinct_ids must be a JSON array of texts")?;
        let distinct_ids = match (many, form.get("distinct_id")) {
            (Some(_), Some(_)) => {
                let text = "distinct_id and distinct_ids cannot both be given";
                return Err(Refusal::BadQuery(text));
            }
            (Some(many), None) => Some(many.into_iter().collect()),
            (None, one) => one.map(|one| BTreeSet::from([one.to_owned()])),
        };
        let page = form.number("page", "page must be a number from 0")?;
        Ok(Self {
            distinct_ids,
            filter: form.get("where").map(Expression::parse).transpose()?,
            output_properties: form.texts(
                "output_properties",
                "output_properties must be a JSON array of texts",
            )?,
            page: page.unwrap_or(0),
            session: QuerySession::parse(project, &form, page.unwrap_or(0))?,
        })
    }

    fn answer(&self, population: &Population, settings: &Settings) -> Value {
        let ids = match &self.distinct_ids {
            Some(ids) => ids.clone(),
            None => self.all_ids(population),
        };
        let found: Vec<Value> = ids
            .iter()
            .filter_map(|id| population.profile(&Person::new(id)))
            .filter(|profile| {
                self.filter
                    .as_ref()
                    .is_none_or(|one| one.holds(of(profile)))
            })
            .collect();
        let page = found.chunks(settings.page_size).nth(self.page);
        let results = page.unwrap_or_default().iter();
        json!({
            "page": self.page,
            "page_size": settings.page_size,
            "session_id": self.session.to_string(),
            "status": "ok",
            "total": found.len(),
            "results": results.map(|profile| self.shown(profile)).collect::<Vec<_>>(),
        })
    }

    /// Everyone that the project knows, and the ids that the filter names.
    fn all_ids(&self, population: &Population) -> BTreeSet<String> {
        let named = self
            .filter
            .iter()
            .flat_map(|one| one.texts_of("$distinct_id"));
        let known = population.ids().into_iter().chain(Person::seen_people());
        known.chain(named).collect()
    }

    /// A profile with the asked properties. An id of digits is a number, as in OpenAPI; others are
    /// texts.
    fn shown(&self, profile: &Value) -> Value {
        let mut profile = profile.clone();
        let id = profile["$distinct_id"].as_str().unwrap_or_default();
        let number: Option<u64> = id.parse().ok();
        if let Some(number) = number.filter(|number| number.to_string() == id) {
            profile["$distinct_id"] = number.into();
        }
        if let (Some(asked), Some(properties)) = (
            &self.output_properties,
            profile["$properties"].as_object_mut(),
        ) {
            properties.retain(|name, _| asked.contains(name));
        }
        profile
    }
}

/// A property of a profile, in a filter.
fn of(profile: &Value) -> impl Fn(&str) -> Value {
    |name| match name {
        "$distinct_id" => profile[name].clone(),
        _ => profile["$properties"][name].clone(),
    }
}

impl QuerySession {
    /// The session of a form, or a new one for a first page.
    fn parse(project: &str, form: &QueryParameters, page: usize) -> Result<Self, Refusal> {
        let mut asked = Sha256::new().chain_update(project);
        for name in FORM
            .iter()
            .filter(|name| !["page", "session_id"].contains(name))
        {
            let value = form.get(name).map(|value| (value.len(), value));
            asked.update(format!("{value:?}"));
        }
        let asked = hex(&asked.finalize()[..8]);
        let began = match (form.get("session_id"), page) {
            (None, 0) => Moment::now(),
            (None, _) => {
                let text = "session_id is required for a page above 0";
                return Err(Refusal::BadQuery(text));
            }
            (Some(id), _) => {
                let (began, digest) = id.split_once('-').unwrap_or_default();
                let began = began.parse().ok().filter(|_| digest == asked);
                Moment(began.ok_or(Refusal::BadQuery("session_id is not of this query"))?)
            }
        };
        Ok(Self { began, asked })
    }
}

impl std::fmt::Display for QuerySession {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "{}-{}", self.began.0, self.asked)
    }
}
