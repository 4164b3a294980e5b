//! Shows projects.

use std::collections::{BTreeSet, HashMap};

use chrono::NaiveDate;
use serde_json::{Value, json};

use crate::config::{Origin, Resolved};
use crate::credentials::SecretOrigin;
use crate::domain::{IdsKept, Kind, ProjectKey};
use crate::ledger::LearnedLimit;
use crate::ui::drawing::json::time;
use crate::ui::drawing::paper::Paper;
use crate::ui::drawing::table::{Column, draw};
use crate::ui::drawing::view::View;
use crate::ui::drawing::words::{number, rate_text};

/// Projects with their settings, without their tokens.
pub struct ProjectView<'a> {
    pub resolved: &'a [Resolved],
    pub default: Option<&'a str>,
    /// Batch limits that Mixpanel taught dsr, by project: for deletions and for exports.
    pub learned: HashMap<ProjectKey, [Option<LearnedLimit>; 2]>,
    pub secrets: HashMap<ProjectKey, SecretPlace>,
}

/// Where a project's API secret is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SecretPlace {
    Kept(SecretOrigin),
    Nowhere,
    /// dsr could not find out, and why.
    Unknown(String),
}

impl View for ProjectView<'_> {
    fn human(&self, paper: &Paper) -> String {
        let texts = self.resolved.iter().map(|one| self.text(one, paper));
        texts.collect::<Vec<_>>().join("\n")
    }

    fn json(&self) -> Value {
        let mut objects: Vec<Value> = self.resolved.iter().map(|one| self.object(one)).collect();
        match objects.len() {
            1 => json!({ "project": objects.remove(0) }),
            _ => json!({ "projects": objects }),
        }
    }
}

impl ProjectView<'_> {
    fn is_default(&self, resolved: &Resolved) -> bool {
        self.default == Some(resolved.project.name.as_str())
    }

    fn text(&self, resolved: &Resolved, paper: &Paper) -> String {
        let project = &resolved.project;
        let from = |origin: Origin| match origin {
            Origin::Default => "",
            Origin::File => "  (config file)",
            Origin::Environment => "  (environment)",
        };
        let learned = |learned: Option<LearnedLimit>| {
            learned.map_or_else(String::new, |learned| {
                format!(
                    "  (dsr sends {} until {}: Mixpanel refused {} on {})",
                    number(learned.limit.get()),
                    learned.expires().date_naive(),
                    number(learned.refused),
                    learned.at.date_naive(),
                )
            })
        };
        let [delete, export] = self.learned(resolved);
        let default = match self.is_default(resolved) {
            true => " (default)",
            false => "",
        };
        let limit = |kind, taught| {
            let ids = number(project.limits.for_kind(kind).get());
            format!("{ids} ids{}", learned(taught))
        };
        let mut facts = paper.facts(0, 12);
        facts.add("Project", &format!("{}{default}", project.name));
        let region = project.region.as_str();
        facts.add("Region", &format!("{region}{}", from(resolved.region_from)));
        let url = project.api_url.as_str();
        facts.add("API", &format!("{url}{}", from(resolved.api_url_from)));
        facts.add("Token", &format!("set{}", from(resolved.token_from)));
        facts.add("API secret", &self.secret_text(resolved));
        facts.add("Delete batch", &limit(Kind::Delete, delete));
        facts.add("Export batch", &limit(Kind::Export, export));
        let rate = rate_text(project.rate.per_second());
        facts.add("Rate", &format!("{rate} a second"));
        if let Some(id) = project.id {
            let queries = project.queries.per_hour();
            facts.add("Project id", &format!("{id}{}", from(resolved.id_from)));
            facts.add("Queries", &format!("{queries} an hour at most"));
        }
        facts.add("Approvals", &approvals_text(resolved.approvals));
        facts.add("Holidays", &holidays_text(&project.holidays));
        facts.add("Time zone", project.zone.as_str());
        if project.ids_kept == IdsKept::UntilVerified {
            facts.add(
                "Verify",
                "deletions keep their ids until verified, at most 10 days  (config file)",
            );
        }
        if let Some(name) = &project.auth {
            facts.add("OAuth token", &format!("{name}  (config file)"));
        }
        facts.into_text()
    }

    fn learned(&self, resolved: &Resolved) -> [Option<LearnedLimit>; 2] {
        let found = self.learned.get(&resolved.project.key());
        found.copied().unwrap_or_default()
    }

    fn secret(&self, resolved: &Resolved) -> &SecretPlace {
        let found = self.secrets.get(&resolved.project.key());
        found.unwrap_or(&SecretPlace::Nowhere)
    }

    fn secret_text(&self, resolved: &Resolved) -> String {
        match self.secret(resolved) {
            SecretPlace::Kept(origin) => origin.to_string(),
            SecretPlace::Nowhere => "not kept; only locked exports need it".to_owned(),
            SecretPlace::Unknown(why) => format!("not known: {why}"),
        }
    }

    fn object(&self, resolved: &Resolved) -> Value {
        let project = &resolved.project;
        let secret = match self.secret(resolved) {
            SecretPlace::Kept(origin) => (json!(true), json!(origin)),
            SecretPlace::Nowhere => (json!(false), Value::Null),
            SecretPlace::Unknown(_) => (Value::Null, Value::Null),
        };
        json!({
            "name": project.name.as_str(),
            "default": self.is_default(resolved),
            "region": project.region,
            "region_from": resolved.region_from,
            "api_url": project.api_url.as_str(),
            "api_url_from": resolved.api_url_from,
            "token_from": resolved.token_from,
            "api_secret": secret.0,
            "api_secret_from": secret.1,
            "delete_batch": project.limits.for_kind(Kind::Delete).get(),
            "export_batch": project.limits.for_kind(Kind::Export).get(),
            "learned_delete_batch": self.learned(resolved)[0].map(|learned| learned.limit),
            "learned_export_batch": self.learned(resolved)[1].map(|learned| learned.limit),
            "learned": self.learned(resolved).into_iter().zip([Kind::Delete, Kind::Export])
                .filter_map(|(learned, kind)| Some(learned_object(learned?, kind)))
                .collect::<Vec<_>>(),
            "rate": project.rate.per_second(),
            "project_id": project.id,
            "queries_per_hour": project.queries.per_hour(),
            "auth": project.auth.as_ref().map(|name| name.as_str()),
            "callbacks": project.callbacks.iter().map(|url| without_secrets(url)).collect::<Vec<_>>(),
            "approvals": resolved.approvals,
            "verify": project.ids_kept == IdsKept::UntilVerified,
            "time_zone": project.zone.as_str(),
            "holidays": project.holidays.iter().map(ToString::to_string).collect::<Vec<_>>(),
        })
    }
}

fn learned_object(learned: LearnedLimit, kind: Kind) -> Value {
    json!({
        "kind": kind,
        "batch": learned.limit,
        "refused": learned.refused,
        "learned_at": time(learned.at),
        "expires_at": time(learned.expires()),
    })
}

/// An address without its user name, password and query.
fn without_secrets(url: &str) -> String {
    let (url, hidden) = match url.find(['?', '#']) {
        Some(end) => (&url[..end], &url[end..=end]),
        None => (url, ""),
    };
    let shown = without_login(url);
    match hidden {
        "" => shown,
        mark => format!("{shown}{mark}…"),
    }
}

fn without_login(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else {
        return "…".to_owned();
    };
    let end = rest.find(['/', '?', '#', '\\']).unwrap_or(rest.len());
    match rest[..end].rfind('@') {
        Some(at) => format!("{scheme}://…{}", &rest[at..]),
        None => url.to_owned(),
    }
}

fn approvals_text(approvals: u32) -> String {
    match approvals {
        0 => "none needed to delete".to_owned(),
        1 => "1 other person must approve each deletion  (config file)".to_owned(),
        _ => format!("{approvals} other people must approve each deletion  (config file)"),
    }
}

/// The holidays in order, each once.
fn holidays_text(holidays: &[NaiveDate]) -> String {
    let days: BTreeSet<&NaiveDate> = holidays.iter().collect();
    let days: Vec<String> = days.into_iter().map(ToString::to_string).collect();
    match days.is_empty() {
        true => "none listed".to_owned(),
        false => format!("{}  (config file)", days.join(", ")),
    }
}

/// The projects of the config file: name, region, whether it is the default.
pub struct ProjectsView {
    pub projects: Vec<(String, Option<&'static str>, bool)>,
}

impl View for ProjectsView {
    fn human(&self, paper: &Paper) -> String {
        if self.projects.is_empty() {
            return "No projects are set up.\n".to_owned();
        }
        let columns = [
            Column::Text("PROJECT"),
            Column::Text("REGION"),
            Column::Text("DEFAULT"),
        ];
        let rows = self.projects.iter().map(|(name, region, is_default)| {
            let mark = if *is_default { "default" } else { "" };
            vec![
                name.clone(),
                region.unwrap_or("-").to_owned(),
                mark.to_owned(),
            ]
        });
        draw(&columns, &[], &rows.collect::<Vec<_>>(), paper)
    }

    fn json(&self) -> Value {
        let projects = self.projects.iter().map(|(name, region, is_default)| {
            json!({ "name": name, "region": region, "default": is_default })
        });
        json!({ "projects": projects.collect::<Vec<_>>() })
    }
}
