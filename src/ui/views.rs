//! Each result in both of its forms.

use std::collections::HashMap;

use chrono::{DateTime, NaiveDate, Utc};
use serde_json::{Value, json};

use crate::config::{Origin, Resolved};
use crate::credentials::{OauthToken, TokenAge, TokenOrigin};
use crate::domain::{Kind, ProjectKey};
use crate::ledger::{NewRequest, RequestOverview, RequestRecord};

use super::json as shapes;
use super::table::{Column, draw, state_cell};
use super::words::{age, day_count, number, plural, printable, rate_text};
use super::{Paper, View};

pub(super) fn one_or_several(mut requests: Vec<Value>) -> Value {
    match requests.len() {
        1 => json!({ "request": requests.remove(0) }),
        _ => json!({ "requests": requests }),
    }
}

/// How much of each request is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shown {
    /// A line for each request, for `dsr status`.
    List,
    /// Each request with its jobs.
    Jobs,
}

/// Requests as the ledger has them.
pub struct RequestsView<'a> {
    pub requests: &'a [RequestRecord],
    pub shown: Shown,
    pub now: DateTime<Utc>,
}

impl View for RequestsView<'_> {
    fn human(&self, paper: &Paper) -> String {
        match self.shown {
            Shown::List => {
                let overviews = self.requests.iter().map(RequestOverview::from);
                list_text(&overviews.collect::<Vec<_>>(), self.now, paper)
            }
            Shown::Jobs => {
                let texts = self.requests.iter();
                let texts: Vec<String> = texts.map(|r| request_text(r, self.now, paper)).collect();
                texts.join("\n")
            }
        }
    }

    fn json(&self) -> Value {
        let requests: Vec<Value> = self.requests.iter().map(shapes::request).collect();
        match self.shown {
            Shown::List => json!({ "requests": requests }),
            Shown::Jobs => one_or_several(requests),
        }
    }
}

/// A line for each request.
pub(super) fn list_text(requests: &[RequestOverview], now: DateTime<Utc>, paper: &Paper) -> String {
    use Column::{Number, Text, Whole};
    if requests.is_empty() {
        return "No open requests.\n".to_owned();
    }
    let columns = [
        Whole("REQUEST"),
        Text("KIND"),
        Text("PROJECT"),
        Number("IDS"),
        Whole("STATE"),
        Number("ENDED"),
        Text("MIXPANEL"),
        Text("AGE"),
        Text("DUE"),
    ];
    let rows = requests.iter().map(|request| {
        let asked = &request.asked;
        let days = (asked.due - now.date_naive()).num_days();
        vec![
            request.id.short().to_owned(),
            kind_text(asked),
            asked.project.to_string(),
            number(asked.unique),
            state_cell(request.state().job_state()),
            ended_text(request),
            statuses_text(request),
            age(request.created, now).replace(" ago", ""),
            days_left(days),
        ]
    });
    draw(&columns, &rows.collect::<Vec<_>>(), paper)
}

/// `30d`, or `3d over` when the day has passed.
fn days_left(days: i64) -> String {
    match days {
        0.. => format!("{days}d"),
        _ => format!("{}d over", days.unsigned_abs()),
    }
}

fn kind_text(asked: &NewRequest) -> String {
    let operation = asked.operation;
    format!("{} {}", operation.kind().as_str(), operation.law().title())
}

/// `2/3`: how many of the jobs have ended.
fn ended_text(request: &RequestOverview) -> String {
    format!(
        "{}/{}",
        number(request.ended_jobs()),
        number(request.jobs())
    )
}

/// Mixpanel's own words for the jobs, each once.
fn statuses_text(request: &RequestOverview) -> String {
    let mut words: Vec<&str> = Vec::new();
    let groups = request.groups.iter();
    for word in groups.filter_map(|group| group.mixpanel_status.as_deref()) {
        if !words.contains(&word) {
            words.push(word);
        }
    }
    if words.is_empty() {
        return "-".to_owned();
    }
    printable(&words.join(", "))
}

fn request_text(request: &RequestRecord, now: DateTime<Utc>, paper: &Paper) -> String {
    let asked = &request.asked;
    let days = (asked.due - now.date_naive()).num_days();
    let mut text = format!(
        "Request {id}: {kind}, project {project} ({region}), {ids} in {jobs}\n",
        id = request.id,
        kind = kind_text(asked),
        project = asked.project,
        region = asked.region.as_str(),
        ids = plural(asked.unique, "id", "ids"),
        jobs = plural(request.jobs.len(), "job", "jobs"),
    );
    text.push_str(&format!(
        "  created {created}, due {due} ({days})",
        created = age(request.created, now),
        due = asked.due,
        days = day_count(days),
    ));
    if let Some(reference) = &asked.reference {
        text.push_str(&format!(", ref {}", printable(reference)));
    }
    text.push_str("\n\n");
    text.push_str(&jobs_table(request, now, paper));
    for (id, reason) in reasons(request) {
        text.push_str(&format!("Job {id}: {}\n", printable(reason)));
    }
    text
}

fn jobs_table(request: &RequestRecord, now: DateTime<Utc>, paper: &Paper) -> String {
    use Column::{Number, Text, Whole};
    let columns = [
        Number("JOB"),
        Number("IDS"),
        Whole("STATE"),
        Whole("TASK"),
        Text("MIXPANEL"),
        Text("CHECKED"),
    ];
    let dash = || "-".to_owned();
    let rows = request.jobs.iter().map(|job| {
        vec![
            job.id.number.to_string(),
            number(job.ids),
            state_cell(job.state),
            job.task
                .as_ref()
                .map_or_else(dash, |t| printable(t.as_str())),
            job.mixpanel_status.as_deref().map_or_else(dash, printable),
            job.checked_at.map_or_else(dash, |time| age(time, now)),
        ]
    });
    draw(&columns, &rows.collect::<Vec<_>>(), paper)
}

/// Why jobs stand where they stand, for those that went other than planned.
fn reasons(request: &RequestRecord) -> Vec<(u32, &str)> {
    let mut reasons = Vec::new();
    for job in &request.jobs {
        let from_status = match job.mixpanel_status.as_deref() {
            Some("NOT_FOUND") => {
                Some("Mixpanel knows no such task in this project; check its region and token")
            }
            Some("FAILURE") => Some("Mixpanel reports that the task failed"),
            Some(_) | None => None,
        };
        let both = [job.reason.as_deref(), from_status].into_iter().flatten();
        reasons.extend(both.map(|reason| (job.id.number, reason)));
    }
    reasons
}

/// The OAuth token, without the token.
pub struct AuthView<'a> {
    pub token: &'a OauthToken,
    pub today: NaiveDate,
}

impl View for AuthView<'_> {
    fn human(&self, _: &Paper) -> String {
        let issued = self.token.issued();
        let issued = issued.map_or_else(|| "not known".to_owned(), |day| day.to_string());
        let expires = match self.token.age(self.today) {
            TokenAge::NotKnown if self.token.origin() == TokenOrigin::Sandbox => {
                "never; it is made up".to_owned()
            }
            TokenAge::NotKnown => {
                "not known; say when it was made: DSR_TOKEN_ISSUED=YYYY-MM-DD".to_owned()
            }
            TokenAge::Good { expires, days_left } => {
                format!("{expires} ({})", day_count(days_left))
            }
            TokenAge::Expired { expired } => format!("EXPIRED on {expired}"),
        };
        format!(
            "Token        {origin}\nFingerprint  {fingerprint}\nMade         {issued}\nExpires      {expires}\n",
            origin = self.token.origin(),
            fingerprint = self.token.fingerprint(),
        )
    }

    fn json(&self) -> Value {
        let (expires, days_left, expired) = match self.token.age(self.today) {
            TokenAge::NotKnown => (None, None, None),
            TokenAge::Good { expires, days_left } => (Some(expires), Some(days_left), Some(false)),
            TokenAge::Expired { expired } => {
                let days = (expired - self.today).num_days();
                (Some(expired), Some(days), Some(true))
            }
        };
        json!({ "token": {
            "source": self.token.origin(),
            "fingerprint": self.token.fingerprint(),
            "issued": self.token.issued().map(|day| day.to_string()),
            "expires": expires.map(|day| day.to_string()),
            "days_left": days_left,
            "expired": expired,
        }})
    }
}

/// Projects with their settings, without their tokens.
pub struct ProjectView<'a> {
    pub resolved: &'a [Resolved],
    pub default: Option<&'a str>,
    /// Batch limits the server taught us, by project, deletions and exports.
    pub learned: HashMap<ProjectKey, [Option<usize>; 2]>,
}

impl View for ProjectView<'_> {
    fn human(&self, _: &Paper) -> String {
        let texts = self.resolved.iter().map(|one| self.text(one));
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

    fn text(&self, resolved: &Resolved) -> String {
        let project = &resolved.project;
        let from = |origin: Origin| match origin {
            Origin::Default => "",
            Origin::File => "  (config file)",
            Origin::Environment => "  (environment)",
            Origin::Flag => "  (flag)",
        };
        let learned = |limit: Option<usize>| {
            limit.map_or_else(String::new, |limit| {
                format!(
                    "  (Mixpanel takes {} only, as it has taught dsr)",
                    number(limit)
                )
            })
        };
        let [delete, export] = self.learned(resolved);
        format!(
            "Project       {name}{default}\n\
             Region        {region}{region_from}\n\
             API           {url}{url_from}\n\
             Token         set{token_from}\n\
             Delete batch  {delete} ids{learned_delete}\n\
             Export batch  {export} ids{learned_export}\n\
             Rate          {rate} a second\n",
            name = project.name,
            default = if self.is_default(resolved) {
                " (default)"
            } else {
                ""
            },
            region = project.region.as_str(),
            region_from = from(resolved.region_from),
            url = project.api_url.as_str(),
            url_from = from(resolved.api_url_from),
            token_from = from(resolved.token_from),
            delete = number(project.limits.for_kind(Kind::Delete).get()),
            export = number(project.limits.for_kind(Kind::Export).get()),
            rate = rate_text(project.rate.per_second()),
            learned_delete = learned(delete),
            learned_export = learned(export),
        )
    }

    fn learned(&self, resolved: &Resolved) -> [Option<usize>; 2] {
        let found = self.learned.get(&resolved.project.key());
        found.copied().unwrap_or_default()
    }

    fn object(&self, resolved: &Resolved) -> Value {
        let project = &resolved.project;
        json!({
            "name": project.name.as_str(),
            "default": self.is_default(resolved),
            "region": project.region,
            "region_from": resolved.region_from,
            "api_url": project.api_url.as_str(),
            "api_url_from": resolved.api_url_from,
            "token_from": resolved.token_from,
            "delete_batch": project.limits.for_kind(Kind::Delete).get(),
            "export_batch": project.limits.for_kind(Kind::Export).get(),
            "learned_delete_batch": self.learned(resolved)[0],
            "learned_export_batch": self.learned(resolved)[1],
            "rate": project.rate.per_second(),
            "callbacks": project.callbacks,
            "approvals": resolved.approvals,
            "holidays": project.holidays.iter().map(ToString::to_string).collect::<Vec<_>>(),
        })
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
            Column::Whole("PROJECT"),
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
        draw(&columns, &rows.collect::<Vec<_>>(), paper)
    }

    fn json(&self) -> Value {
        let projects = self.projects.iter().map(|(name, region, is_default)| {
            json!({ "name": name, "region": region, "default": is_default })
        });
        json!({ "projects": projects.collect::<Vec<_>>() })
    }
}
