//! Shows the audit trail: its entries, its head and its verification.

use serde_json::{Value, json};

use crate::ledger::{Audit, AuditEntry, AuditHead, Entries, Finding, LostHead, LostTime, SetBack};
use crate::ui::drawing::json::time;
use crate::ui::drawing::paper::{Layout, Paper};
use crate::ui::drawing::table::{Column, draw};
use crate::ui::drawing::view::View;
use crate::ui::drawing::words::{number, plural, printable};

use super::lost_text;

/// A head, to be kept elsewhere.
#[derive(Debug)]
pub struct AuditHeadView<'a> {
    pub head: &'a AuditHead,
}

/// The result of a verification.
#[derive(Debug)]
pub struct AuditView<'a> {
    pub audit: &'a Audit,
    /// What the ledger lacks of what this host has seen.
    pub set_back: Option<&'a SetBack>,
    /// What the ledger lacks for good.
    pub lost: Vec<LostTime>,
}

/// Entries of the trail.
#[derive(Debug)]
pub struct AuditLogView<'a> {
    pub entries: &'a Entries,
}

impl View for AuditHeadView<'_> {
    fn human(&self, _: &Paper) -> String {
        let AuditHead { count, hash, at } = self.head;
        format!("{count}:{hash} {}\n", time(*at))
    }

    fn json(&self) -> Value {
        json!({ "audit": { "head": head(self.head) } })
    }
}

fn head(head: &AuditHead) -> Value {
    json!({ "count": head.count, "hash": head.hash, "at": time(head.at) })
}

impl View for AuditView<'_> {
    fn human(&self, paper: &Paper) -> String {
        let audit = self.audit;
        let entries = count(audit.entries, "entry", "entries");
        let mut text = String::new();
        if let Some(set_back) = self.set_back {
            text.push_str(&paper.wrapped("", &format!("Problem: {set_back}.")));
        }
        match &audit.head {
            Some(head) if audit.is_whole() => {
                text.push_str(&match self.set_back {
                    Some(_) => format!("The rest of the trail is whole: {entries}.\n"),
                    None => format!("The audit trail is whole: {entries}.\n"),
                });
                text.push_str(&format!("Head: {}:{}\n", head.count, head.hash));
            }
            _ if self.has_only_lost_heads() => {
                let heads = match audit.findings.len() {
                    1 => "1 saved head".to_owned(),
                    many => format!("{} saved heads", number(many)),
                };
                let line = format!(
                    "The trail and the ledger agree. dsr cannot check {heads} from the lost time."
                );
                text.push_str(&paper.wrapped("", &line));
            }
            _ if audit.disagrees_only_with_heads() => text.push_str(&format!(
                "The trail and the saved heads disagree ({entries} read):\n"
            )),
            _ => text.push_str(&format!(
                "The trail and the ledger disagree ({entries} read):\n"
            )),
        }
        for finding in &audit.findings {
            text.push_str(&paper.wrapped("- ", &printable(&finding.to_string())));
        }
        if audit.more > 0 {
            text.push_str(&format!("- and {} more\n", number(to_usize(audit.more))));
        }
        if audit.is_whole() {
            text.push_str(&paper.wrapped("", &self.records()));
        }
        if !audit.anchored.is_empty() {
            let heads = plural(
                audit.anchored.len(),
                "saved head matches",
                "saved heads match",
            );
            text.push_str(&format!("{heads}.\n"));
        }
        for head in &audit.lost {
            let line = lost_head_text(head);
            text.push_str(&paper.wrapped("", &line));
        }
        for lost in &self.lost {
            text.push_str(&paper.wrapped("", &lost_text(lost)));
        }
        text
    }

    fn json(&self) -> Value {
        let audit = self.audit;
        json!({ "audit": {
            "whole": audit.is_whole(),
            "set_back": self.set_back.is_some(),
            "set_back_accepted_at": self.lost.last().map(|lost| time(lost.accepted_at)),
            "entries": audit.entries,
            "head": audit.head.as_ref().map(head),
            "started_at": audit.started.map(time),
            "requests": {
                "covered": audit.requests,
                "purged": audit.purged,
                "ids_not_compared": audit.unread,
            },
            "jobs": audit.jobs,
            "anchored": audit.anchored.iter().map(ToString::to_string).collect::<Vec<_>>(),
            "lost": audit.lost.iter().map(|lost| lost.head.to_string()).collect::<Vec<_>>(),
            "findings": audit.findings.iter().map(finding).collect::<Vec<_>>(),
            "more_findings": audit.more,
        }})
    }
}

impl AuditView<'_> {
    fn has_only_lost_heads(&self) -> bool {
        let mut findings = self.audit.findings.iter();
        self.set_back.is_none()
            && self.audit.more == 0
            && findings.all(|finding| matches!(finding, Finding::AnchorLost { .. }))
    }

    fn records(&self) -> String {
        let audit = self.audit;
        let requests = count(audit.requests, "request", "requests");
        let jobs = count(audit.jobs, "job", "jobs");
        let purged = match audit.purged {
            0 => String::new(),
            purged => format!("; {} purged since", number(to_usize(purged))),
        };
        let unread = match audit.unread {
            0 => String::new(),
            unread => format!(
                " The ids of {} were not compared: they are sealed.",
                count(unread, "request", "requests")
            ),
        };
        format!("The ledger matches the trail: {requests}, {jobs}{purged}.{unread}")
    }
}

/// Explains why a saved head that is not in the trail is no sign of a change.
fn lost_head_text(lost: &LostHead) -> String {
    format!(
        "Saved head {} is from the lost time (accepted on {} by {}), so the trail does not have it.",
        lost.head.count,
        lost.accepted_at.date_naive(),
        printable(&lost.by)
    )
}

fn finding(finding: &Finding) -> Value {
    let (request, job) = match finding {
        Finding::RequestMissing { request } | Finding::RequestDiffers { request, .. } => {
            (Some(request), None)
        }
        Finding::JobDiffers { job, .. } => (Some(&job.request), Some(job)),
        _ => (None, None),
    };
    json!({
        "kind": finding.kind(),
        "entry": finding.entry(),
        "request_id": request.map(|request| request.as_str()),
        "job_id": job.map(ToString::to_string),
        "message": finding.to_string(),
    })
}

impl View for AuditLogView<'_> {
    fn human(&self, paper: &Paper) -> String {
        use Column::{Number, Text};
        let columns = [
            Number("ENTRY"),
            Text("AT"),
            Text("WHO"),
            Text("COMMAND"),
            Text("REQUEST"),
            Text("EVENT"),
        ];
        let rows: Vec<Vec<String>> = self.entries.list.iter().map(row).collect();
        let folds = ["EVENT", "COMMAND", "WHO"];
        let mut text = draw(&columns, &folds, &rows, paper);
        if paper.layout == Layout::Plain {
            text.push('\n');
        }
        text.push_str("Times are UTC.\n");
        if self.entries.earlier > 0 {
            let earlier = count(self.entries.earlier, "entry", "entries");
            text.push_str(&format!("{earlier} before these: see `--last`.\n"));
        }
        text
    }

    fn json(&self) -> Value {
        json!({ "audit": {
            "earlier": self.entries.earlier,
            "entries": self.entries.list,
        }})
    }
}

fn row(entry: &AuditEntry) -> Vec<String> {
    let request = entry.request.as_ref().map(|request| request.short());
    let request = match (request, entry.job) {
        (Some(request), Some(job)) => format!("{request}-{job}"),
        (Some(request), None) => request.to_owned(),
        (None, _) => "-".to_owned(),
    };
    vec![
        entry.sequence.to_string(),
        entry.at.format("%Y-%m-%d %H:%M:%S").to_string(),
        printable(&format!("{}@{}", entry.user, entry.host)),
        printable(&entry.command),
        printable(&request),
        printable(&what(entry)),
    ]
}

/// Describes an entry; an unknown kind by its name.
fn what(entry: &AuditEntry) -> String {
    let details = &entry.details;
    let text = |key: &str| details[key].as_str().unwrap_or("-").to_owned();
    let many = |key: &str, one, many| count(details[key].as_u64().unwrap_or(0), one, many);
    let of = |key: &str| number(to_usize(details[key].as_u64().unwrap_or(0)));
    match entry.event.as_str() {
        "trail_started" => "the trail starts here".to_owned(),
        "request_recorded" => format!(
            "recorded: {} {}, {} in {}, due {}",
            text("kind"),
            text("law").to_uppercase(),
            many("job_ids", "id", "ids"),
            many("jobs", "job", "jobs"),
            text("due")
        ),
        "job_moved" if text("why") == "set_back" => match text("state").as_str() {
            "sending" => "may have been sent in the lost time".to_owned(),
            state => format!("{} → {state} (older copy of the ledger)", text("from")),
        },
        "job_moved" => {
            let task = match details["task_id"].as_str() {
                Some(task) => format!(", task {task}"),
                None => String::new(),
            };
            format!(
                "{} → {}{task} ({})",
                text("from"),
                text("state"),
                text("why")
            )
        }
        "job_cut" => {
            let added = details["added"].as_array().map_or(0, Vec::len);
            format!("split; {} added", plural(added, "job", "jobs"))
        }
        "job_noted" => noted(&text("why"), &text("state")),
        "answer_recorded" => {
            let before = details["day_before"].as_str();
            let before = before.filter(|before| *before != text("day"));
            let before = before.map(|before| format!(", previously {before}"));
            let manner = match text("manner").as_str() {
                manner @ ("recorded" | "changed") => format!("; manner {manner}"),
                _ => String::new(),
            };
            format!(
                "answered on {}{}{manner}",
                text("day"),
                before.unwrap_or_default()
            )
        }
        "job_abandoned" => "abandoned by the operator; the job is still unknown".to_owned(),
        "send_again_asked" => "sending again requested".to_owned(),
        "cancellation_asked" => "cancellation requested".to_owned(),
        "request_extended" => {
            format!(
                "extended: due {}, was {}",
                text("due_after"),
                text("due_before")
            )
        }
        "export_fetched" => format!(
            "fetched: {}, SHA-256 {}…",
            many("bytes", "byte", "bytes"),
            text("sha256").chars().take(16).collect::<String>()
        ),
        "packages_made" => format!(
            "split into packages for {}",
            many("packages", "person", "people")
        ),
        "ids_hashed" => format!("{} hashed", many("ids", "id", "ids")),
        "ledger_key_recorded" => format!("people are hashed with the key {}", text("fingerprint")),
        "request_purged" => format!("purged; closed {}", text("closed")),
        "records_purged" => format!("purged: {}", many("requests", "request", "requests")),
        "set_back_accepted" => format!(
            "accepted an older copy of the ledger; {} now unknown",
            many("jobs", "job", "jobs")
        ),
        "set_back_reviewed" => format!("reviewed the lost time: {}", text("note")),
        "profiles_asked" => format!(
            "about to ask Mixpanel which of {} have a profile, project {}",
            many("ids", "id", "ids"),
            text("project")
        ),
        "values_asked" => format!(
            "about to ask Mixpanel for the profiles of {}, project {}",
            many("values", "value", "values"),
            text("project")
        ),
        "all_profiles_asked" => format!(
            "about to ask Mixpanel for all profiles, project {}",
            text("project")
        ),
        "profiles_selected" => format!(
            "selected {} of {} with a time before {}, project {}",
            details["selected"],
            many("profiles", "profile", "profiles"),
            text("limit"),
            text("project"),
        ),
        "erasure_checked" => {
            let words = [
                ("absent", "absent"),
                ("not_yet", "not yet gone"),
                ("present", "present"),
                ("recollected", "re-collected"),
                ("not_checkable", "not checkable"),
                ("not_done", "whose deletion is not done"),
            ];
            let people = words.into_iter().filter(|(key, _)| details[*key] != 0);
            let people: Vec<_> = people
                .map(|(key, word)| format!("{} {word}", of(key)))
                .collect();
            let events = many("events", "event", "events");
            let from = match details["window"].is_null() {
                true => "",
                false => " from Mixpanel",
            };
            let asked = ["with_profile", "without_profile"];
            let asked = asked.map(|key| details[key].as_u64().unwrap_or(0));
            let profiles = match asked {
                [0, 0] => String::new(),
                [with, without] => {
                    format!(
                        "; profiles: {} with one, {} without",
                        number(with as usize),
                        number(without as usize)
                    )
                }
            };
            let before = match details["found_before"]["count"].as_u64() {
                None => String::new(),
                Some(count) => format!(
                    "; {} had a profile before, not shown to be gone",
                    number(count as usize)
                ),
            };
            format!(
                "checked {events}{from} for the people: {}{profiles}{before}",
                people.join(", ")
            )
        }
        "copies_recorded" => {
            let names = |key: &str| {
                let names = details[key].as_array().into_iter().flatten();
                let names: Vec<&str> = names.filter_map(Value::as_str).collect();
                (!names.is_empty()).then(|| names.join(", "))
            };
            let done = names("done").map(|names| format!("copies dealt with: {names}"));
            let withdrawn = names("withdrawn").map(|names| format!("withdrew copies: {names}"));
            let told: Vec<String> = done.into_iter().chain(withdrawn).collect();
            told.join("; ")
        }
        "ingestion_recorded" => format!(
            "recorded the {} of {} in {}, project {}",
            text("kind").replace('_', " "),
            many("records", "record", "records"),
            many("batches", "batch", "batches"),
            text("project"),
        ),
        "batch_moved" => format!(
            "batch {}: {} → {}",
            details["batch"],
            text("from"),
            text("to")
        ),
        "batch_cut" => format!("batch {} split: it was too large", details["batch"]),
        "events_asked" => format!(
            "about to ask Mixpanel for the events from {} to {}, project {}",
            text("from"),
            text("to"),
            text("project")
        ),
        "ids_resealed" => "the ids' digest keyed, for a server".to_owned(),
        "ledger_moved" => format!("moved the ledger from {} to {}", text("from"), text("to")),
        other => other.to_owned(),
    }
}

/// Describes a change that left the job's state as it was.
fn noted(why: &str, state: &str) -> String {
    match why {
        "status" => format!("Mixpanel's status recorded; the job is still {state}"),
        "submit" => format!("small enough, not split; the job is still {state}"),
        "linked" => format!("its ids are in another task; the job is still {state}"),
        "added" => format!("split off from another job; {state}"),
        "hashed" => "ids replaced by hashes".to_owned(),
        "contradiction" => {
            format!("Mixpanel's status contradicts the ledger; the job is still {state}")
        }
        other => format!("changed ({other}); the job is still {state}"),
    }
}

fn count(count: u64, one: &str, many: &str) -> String {
    plural(to_usize(count), one, many)
}

fn to_usize(count: u64) -> usize {
    usize::try_from(count).unwrap_or(usize::MAX)
}
