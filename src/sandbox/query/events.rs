//! `raw-event-export`: the events of a project between two days, one JSON object a line.

use std::collections::BTreeSet;
use std::io::{self, Write};
use std::sync::Arc;

use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use chrono::NaiveDate;
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::Value;

use super::account::{self, QueryKind};
use super::expression::Expression;
use super::parameters::QueryParameters;
use crate::sandbox::api::replies::Refusal;
use crate::sandbox::api::server::{Server, off_thread};
use crate::sandbox::people::person::Person;
use crate::sandbox::people::population::Population;
use crate::sandbox::state::clock::Moment;
use crate::sandbox::state::ingested::ImportedEvent;

const MAX_LIMIT: usize = 100_000;
/// A shorter reply is never compressed.
const PLAIN_BYTES: usize = 1400;
const PARAMETERS: [&str; 7] = [
    "event",
    "from_date",
    "limit",
    "project_id",
    "time_in_ms",
    "to_date",
    "where",
];

/// Which events to export.
#[derive(Debug)]
struct EventQuery {
    /// In Unix seconds: the first one of the first day, and the first one after the last day.
    days: std::ops::Range<i64>,
    events: Option<Vec<String>>,
    filter: Option<Expression>,
    limit: usize,
    in_milliseconds: bool,
}

pub(crate) async fn export(
    State(server): State<Arc<Server>>,
    headers: HeaderMap,
    RawQuery(address): RawQuery,
) -> Result<Response, Refusal> {
    account::check(&headers)?;
    let address = QueryParameters::parse(address.unwrap_or_default().as_bytes(), &PARAMETERS)?;
    let project = account::project(&server, address.get("project_id")).await?;
    let _turn = account::admit(&server, &project, QueryKind::Events).await?;
    let query = EventQuery::parse(&address)?;
    let days = query.days.clone();
    let (tasks, imported) = server
        .with_store(move |store| {
            let imported = store.list_imported(&project.token, days)?;
            Ok((store.list_tasks(&project.token)?, imported))
        })
        .await?;
    let lines = off_thread(move || {
        let population = Population::new(&tasks, Moment::now());
        Ok(query.lines(&population, imported)?)
    });
    let lines = lines.await?;
    let kind = [(header::CONTENT_TYPE, "text/plain; charset=utf-8")];
    let encodings = headers.get(header::ACCEPT_ENCODING);
    let takes_gzip = encodings.is_some_and(|all| {
        all.to_str()
            .is_ok_and(|all| all.split(',').any(|one| one.trim() == "gzip"))
    });
    if !takes_gzip || lines.len() <= PLAIN_BYTES {
        return Ok((kind, lines).into_response());
    }
    let packed = off_thread(move || Ok(gzip(&lines)?)).await?;
    let encoding = [(header::CONTENT_ENCODING, "gzip")];
    Ok((kind, encoding, packed).into_response())
}

impl EventQuery {
    fn parse(address: &QueryParameters) -> Result<Self, Refusal> {
        let from = day(address, "from_date")?;
        let to = day(address, "to_date")?;
        if to < from {
            return Err(Refusal::BadQuery("to_date is before from_date"));
        }
        let wrong = "limit must be a number from 1 to 100000";
        let limit = address.number("limit", wrong)?;
        if limit.is_some_and(|limit| limit == 0 || limit > MAX_LIMIT) {
            return Err(Refusal::BadQuery(wrong));
        }
        Ok(Self {
            days: from..to + 24 * 3600,
            events: address.texts("event", "event must be a JSON array of names")?,
            filter: address.get("where").map(Expression::parse).transpose()?,
            limit: limit.unwrap_or(usize::MAX),
            in_milliseconds: match address.get("time_in_ms") {
                None | Some("false") => false,
                Some("true") => true,
                Some(_) => return Err(Refusal::BadQuery("time_in_ms must be true or false")),
            },
        })
    }

    fn lines(
        &self,
        population: &Population,
        imported: Vec<(ImportedEvent, Moment)>,
    ) -> io::Result<Vec<u8>> {
        let span = population.retained();
        let filter = self.filter.as_ref();
        let named = filter.map_or_else(Vec::new, |one| one.texts_of("distinct_id"));
        let ids: BTreeSet<String> = population.ids().into_iter().chain(named).collect();
        let mut found: Vec<(i64, Value)> = Vec::new();
        for id in &ids {
            let person = Person::new(id);
            let times = population.times(&person, span).into_iter();
            let times = times.filter(|time| self.days.contains(time));
            let events = times.map(|time| (time, person.event(time)));
            found.extend(events.filter(|(_, event)| self.asks_for(event)));
        }
        let imported = imported.into_iter();
        let kept = imported.filter(|(event, at)| population.keeps(&event.distinct_id, *at));
        let kept = kept.map(|(event, _)| (event.time, event.json));
        found.extend(kept.filter(|(_, event)| self.asks_for(event)));
        found.sort_by_key(|(time, _)| *time);
        let mut lines = Vec::new();
        for (time, mut event) in found.into_iter().take(self.limit) {
            if self.in_milliseconds {
                event["properties"]["time"] = (time * 1000).into();
            }
            serde_json::to_writer(&mut lines, &event)?;
            lines.push(b'\n');
        }
        Ok(lines)
    }

    fn asks_for(&self, event: &Value) -> bool {
        let name = event["event"].as_str().unwrap_or_default();
        let events = self.events.as_ref();
        let filter = self.filter.as_ref();
        events.is_none_or(|events| events.iter().any(|one| one == name))
            && filter.is_none_or(|one| one.holds(|name| event["properties"][name].clone()))
    }
}

/// The start of a day in UTC, in Unix seconds.
fn day(address: &QueryParameters, name: &str) -> Result<i64, Refusal> {
    let text = address.get(name).unwrap_or_default();
    let day = NaiveDate::parse_from_str(text, "%Y-%m-%d").ok();
    // The format also takes `2026-1-2`.
    let day = day.filter(|day| day.to_string() == text);
    let day = day.ok_or(Refusal::BadQuery(
        "from_date and to_date are required, each as YYYY-MM-DD",
    ))?;
    Ok(day.and_time(chrono::NaiveTime::MIN).and_utc().timestamp())
}

fn gzip(lines: &[u8]) -> io::Result<Vec<u8>> {
    let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
    packed.write_all(lines)?;
    packed.finish()
}
