//! The lists of a project's copies. Reads strictly: an answer that may lack a copy is never "no
//! copy". Keeps nothing about the people who set a copy up.

use serde::Deserialize;
use serde_json::Value;
use unicode_normalization::UnicodeNormalization;

use crate::domain::{JsonObject, ProjectId, words};
use crate::mixpanel::classify::{Exchange, WEB_PAGE};
use crate::mixpanel::spelling::any_reading;
use crate::mixpanel::words::{Confidential, Words};

/// Which list a copy is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CopyKind {
    /// Copies the project's data to a bucket or a warehouse.
    Pipeline,
    /// Brings data of a warehouse into the project.
    WarehouseImport,
}

words!(CopyKind {
    Pipeline => "pipeline",
    WarehouseImport => "warehouse_import",
});

/// Whether a copy goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CopyState {
    Active,
    Paused,
    Deleted,
    /// Mixpanel does not say it in a form that dsr knows.
    Unknown,
}

words!(CopyState {
    Active => "active",
    Paused => "paused",
    Deleted => "deleted",
    Unknown => "unknown",
});

/// A copy that Mixpanel lists. Its texts are Mixpanel's, made safe to show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedCopy {
    pub kind: CopyKind,
    pub name: Words,
    pub state: CopyState,
    /// What else is known of it, such as `frequency: daily`.
    pub about: Vec<Words>,
}

/// What an answer to a question about copies means.
#[derive(Debug, PartialEq, Eq)]
pub enum CopiesAnswer {
    Listed {
        copies: Vec<ListedCopy>,
        /// The answer has no part that dsr does not know. Never an empty list otherwise.
        is_whole: bool,
    },
    Deferred,
    /// 401 or 403.
    NotAllowed {
        http_status: u16,
    },
    /// Nothing is known of the copies.
    Unclear {
        reason: Words,
    },
}

#[derive(Deserialize)]
struct PipelineRow {
    name: String,
    #[serde(default)]
    frequency: Value,
    #[serde(default)]
    sync_enabled: Value,
    #[serde(default)]
    last_dispatched: Value,
}

#[derive(Deserialize)]
struct ImportRow {
    id: u64,
    #[serde(default)]
    warehouse_source_id: Value,
    #[serde(default)]
    import_type: Value,
    #[serde(default)]
    sync_mode: Value,
    #[serde(default)]
    run_every: Value,
    #[serde(default)]
    paused: Value,
    #[serde(default)]
    is_deleted: Value,
}

pub(super) fn classify(
    exchange: Exchange,
    project: ProjectId,
    kind: CopyKind,
    confidential: &Confidential<'_>,
) -> CopiesAnswer {
    let answered = match exchange {
        Exchange::NotSent { reason } | Exchange::Lost { reason, .. } => {
            return CopiesAnswer::Unclear { reason };
        }
        Exchange::Answered(answered) => answered,
    };
    let status = answered.status;
    let unclear = |what| CopiesAnswer::Unclear {
        reason: Words::on_status(what, status),
    };
    let text = std::str::from_utf8(&answered.body).unwrap_or_default();
    let listed = || read(text, project, kind, confidential);
    match status {
        429 => CopiesAnswer::Deferred,
        _ if answered.looks_like_html() => unclear(WEB_PAGE),
        401 | 403 => CopiesAnswer::NotAllowed {
            http_status: status,
        },
        200 if !super::says_error(&answered) => {
            listed().unwrap_or_else(|| unclear("Mixpanel's answer is not a whole list"))
        }
        // Mixpanel's words may quote a person, and dsr has no list of ids to search them for.
        200 | 400..=499 => unclear("Mixpanel refuses the question"),
        _ => unclear("Mixpanel's answer is not a whole list"),
    }
}

/// `None` unless it is a list of this project in which each copy can be named.
fn read(
    text: &str,
    project: ProjectId,
    kind: CopyKind,
    confidential: &Confidential<'_>,
) -> Option<CopiesAnswer> {
    let mut answer = JsonObject::of(text)?;
    let copies: Vec<ListedCopy> = match kind {
        CopyKind::Pipeline => {
            let rows = answer.take(&project.to_string())?.get();
            let rows: Vec<PipelineRow> = serde_json::from_str(rows).ok()?;
            let rows = rows.iter().map(|row| pipeline(row, confidential));
            rows.collect::<Option<_>>()?
        }
        CopyKind::WarehouseImport => {
            if answer.take("status")?.get() != "\"ok\"" {
                return None;
            }
            let rows: Vec<ImportRow> = serde_json::from_str(answer.take("results")?.get()).ok()?;
            rows.iter().map(|row| import(row, confidential)).collect()
        }
    };
    // Such as the address of a next page, or the pipelines of another project.
    let mut rest = answer.0.iter().map(|(_, value)| value.get());
    let is_whole = rest.all(|value| matches!(value, "null" | "\"\""));
    (is_whole || !copies.is_empty()).then_some(CopiesAnswer::Listed { copies, is_whole })
}

fn pipeline(row: &PipelineRow, confidential: &Confidential<'_>) -> Option<ListedCopy> {
    let about = [
        ("frequency", &row.frequency),
        ("sync", &row.sync_enabled),
        ("last run", &row.last_dispatched),
    ];
    (!row.name.trim().is_empty()).then(|| ListedCopy {
        kind: CopyKind::Pipeline,
        name: word(&row.name, confidential),
        state: CopyState::Unknown,
        about: facts(&about, confidential),
    })
}

fn import(row: &ImportRow, confidential: &Confidential<'_>) -> ListedCopy {
    let runs = match row.run_every.as_u64() {
        Some(0) => Value::from("only when asked"),
        Some(3_600_000_000_000) => Value::from("every hour"),
        Some(86_400_000_000_000) => Value::from("every day"),
        Some(604_800_000_000_000) => Value::from("every week"),
        Some(nanoseconds) => Value::from(format!("every {nanoseconds} ns")),
        None => Value::Null,
    };
    let about = [
        ("data", &row.import_type),
        ("mode", &row.sync_mode),
        ("runs", &runs),
        ("source", &row.warehouse_source_id),
    ];
    ListedCopy {
        kind: CopyKind::WarehouseImport,
        name: confidential.word(&format!("import {}", row.id)),
        state: match (&row.is_deleted, &row.paused) {
            (Value::Bool(true), _) => CopyState::Deleted,
            (Value::Bool(false) | Value::Null, Value::Bool(true)) => CopyState::Paused,
            (Value::Bool(false) | Value::Null, Value::Bool(false)) => CopyState::Active,
            (_, _) => CopyState::Unknown,
        },
        about: facts(&about, confidential),
    }
}

/// `label: value` of each value that is a text, a number or a truth.
fn facts(about: &[(&'static str, &Value)], confidential: &Confidential<'_>) -> Vec<Words> {
    let known = about.iter().filter_map(|(label, value)| {
        let text = match value {
            Value::String(text) if !text.trim().is_empty() => text.clone(),
            Value::Number(_) | Value::Bool(_) => value.to_string(),
            _ => return None,
        };
        Some(word(&format!("{label}: {text}"), confidential))
    });
    known.collect()
}

/// A word of Mixpanel's, unless it may be the address of a person.
fn word(text: &str, confidential: &Confidential<'_>) -> Words {
    let may_be_address = any_reading(text, &|reading| reading.nfkd().any(|c| c == '@'));
    match may_be_address.unwrap_or(true) {
        true => Words::ours("withheld: it may hold an e-mail address"),
        false => confidential.word(text),
    }
}
