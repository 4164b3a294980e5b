//! Defines which rows are evidence, and the digest over those of a job, a request or the ledger.
//! An entry stores the digest as `rows`; verification computes it again. Every column is evidence
//! unless [`NOT_EVIDENCE`] says why not, so a new column is covered from the start.

use sha2::{Digest, Sha256};

use super::EntrySubject;
use crate::domain::{JobId, JobState, to_hex};
use crate::ledger::LedgerError;
use crate::ledger::engine::{Connection, Question, Statement, Value, ValueRef};
use crate::ledger::sql::{self, prepare};

/// The key of the digest in an entry's details.
pub(crate) const KEY: &str = "rows";

/// The tables with evidence by subject, and the order of their rows.
const OF_JOBS: &[(&str, &str)] = &[
    ("jobs", "number"),
    ("attempts", "attempt"),
    ("steps", "step"),
    ("downloads", "number"),
    ("people", "number"),
];
const OF_REQUESTS: &[(&str, &str)] = &[
    ("requests", "id"),
    ("extensions", "request"),
    ("plans", "request"),
    ("approvals", "number"),
    ("answers", "request"),
];
const OF_INGESTIONS: &[(&str, &str)] = &[("ingestions", "id")];
const OF_BATCHES: &[(&str, &str)] = &[("ingestion_batches", "number")];
/// Tables that outlive the requests. The entry of a purge covers them.
const OF_LEDGER: &[(&str, &str)] = &[
    ("purges", "at, closed_before, requests, ids"),
    ("people_key", "fingerprint"),
    ("suppressed", "request, number"),
];

/// Columns that change without an entry, and why.
pub(crate) const NOT_EVIDENCE: &[(&str, &str, &str)] = &[
    (
        "jobs",
        "next_check",
        "when dsr asks next; past once it asked",
    ),
    ("jobs", "told", "what `status --changes` has shown"),
    (
        "requests",
        "ids_digest",
        "`ids_seal` holds it until it is blanked",
    ),
    (
        "requests",
        "ids_salt",
        "`ids_seal` holds it until it is blanked",
    ),
    (
        "people_key",
        "unclean",
        "whether a copy of gone ids may be left",
    ),
];

#[cfg(test)]
pub(crate) const OTHER_TABLES: &[(&str, &str)] = &[
    ("audit", "the trail itself: the chain holds it"),
    ("audit_head", "the trail itself: the chain holds it"),
    (
        "payloads",
        "ids: `ids_seal` holds them until they are hashed",
    ),
    ("payloads_aside", "empty except for moments"),
    ("pace", "when the next call may leave"),
    (
        "sharing",
        "times between hosts: no statement about a person",
    ),
    ("learned", "batch limits: no statement about a person"),
    ("rejected_tokens", "tokens: no statement about a person"),
    (
        "sharing",
        "how hosts keep apart: no statement about a person",
    ),
];

#[cfg(test)]
pub(crate) fn tables() -> impl Iterator<Item = &'static str> {
    let all = [OF_JOBS, OF_REQUESTS, OF_INGESTIONS, OF_BATCHES, OF_LEDGER].concat();
    all.into_iter().map(|(table, _)| table)
}

/// The question for the salt of a request's digests stands before those for its rows, by this name.
const SALT: &str = "salt";

/// What the digest over a subject's rows asks, in order, and of which table.
pub(crate) fn questions(
    subject: EntrySubject<'_>,
) -> Result<Vec<(&'static str, Question)>, LedgerError> {
    let (request, job) = subject.places();
    let tables = match subject {
        EntrySubject::Ledger => OF_LEDGER,
        EntrySubject::Request(_) => OF_REQUESTS,
        EntrySubject::Job(_) => OF_JOBS,
        EntrySubject::Ingestion(_) => OF_INGESTIONS,
        EntrySubject::Batch(_) => OF_BATCHES,
    };
    let mut questions = Vec::new();
    if let Some(request) = request {
        let sql = "SELECT rows_salt FROM requests WHERE id = $1";
        questions.push((SALT, Question::new(sql, [request.as_str()])?));
    }
    for (table, order) in tables {
        let which = match (job, *table) {
            (Some(_), "ingestion_batches") => "WHERE ingestion = $1 AND number = $2",
            (Some(_), _) => "WHERE request = $1 AND number = $2",
            (None, "requests" | "ingestions") => "WHERE id = $1",
            (None, _) if request.is_some() => "WHERE request = $1",
            (None, _) => "",
        };
        let sql = format!("SELECT * FROM {table} {which} ORDER BY {order}");
        let mut question = Question::new(sql, [])?;
        let request = request.map(|request| request.as_str().to_owned().into());
        question.values.extend(request);
        question.values.extend(job.map(Value::from));
        questions.push((table, question));
    }
    Ok(questions)
}

/// The digest of the ledger's rows about a subject; `None` if there are none now. It begins with a
/// salt that is deleted with the request. After a purge nobody can guess what the rows said.
pub(crate) fn digest_of(
    conn: &Connection,
    subject: EntrySubject<'_>,
) -> Result<Option<String>, LedgerError> {
    let (tables, questions): (Vec<_>, Vec<_>) = questions(subject)?.into_iter().unzip();
    conn.ask_ahead(&questions)?;
    let mut rows = DigestRows::default();
    for (table, question) in tables.into_iter().zip(questions) {
        match table {
            SALT => rows.add_salt(conn, question)?,
            _ => rows.add(conn, table, question)?,
        }
    }
    Ok(rows.finish())
}

/// Whether a job is still planned and nothing has happened to it.
pub(crate) fn is_untouched(conn: &Connection, job: &JobId) -> Result<bool, LedgerError> {
    let questions = questions(EntrySubject::Job(job))?.into_iter();
    let questions = questions.filter(|(table, _)| *table != SALT);
    let (own, beside): (Vec<_>, Vec<_>) = questions.partition(|(table, _)| *table == "jobs");
    for (_, asked) in beside {
        if sql::exists(conn, &asked.sql, asked.values)? {
            return Ok(false);
        }
    }
    let Some((_, asked)) = own.into_iter().next() else {
        return Ok(false);
    };
    let mut statement = prepare(conn, &asked.sql)?;
    let names = names_of(&statement);
    let mut rows = statement.query(asked.values)?;
    let Some(row) = &rows.next()? else {
        return Ok(false);
    };
    for (place, name) in names.iter().enumerate() {
        let value = row.get_ref(place)?;
        let is_as_recorded = match name.as_str() {
            "request" | "number" | "subject_request_id" | "ids_count" => true,
            "state" => value == ValueRef::Text(JobState::Planned.as_str().as_bytes()),
            name => says_nothing(value) || !is_evidence("jobs", name),
        };
        if !is_as_recorded {
            return Ok(false);
        }
    }
    Ok(true)
}

/// The digest of a request's jobs as recorded: each job's subject and number of ids, in order.
#[derive(Default)]
pub(crate) struct Births(DigestRows);

impl Births {
    pub(crate) fn add(&mut self, number: i64, subject: ValueRef<'_>, ids: i64) {
        self.0.begin("jobs");
        self.0.add_value("number", ValueRef::Integer(number));
        self.0.add_value("subject_request_id", subject);
        self.0.add_value("ids_count", ValueRef::Integer(ids));
    }

    pub(crate) fn finish(self) -> Option<String> {
        self.0.finish()
    }
}

fn names_of(statement: &Statement<'_>) -> Vec<String> {
    statement.column_names()
}

fn is_evidence(table: &str, column: &str) -> bool {
    let not = |(t, c, _): &(&str, &str, &str)| *t == table && *c == column;
    !NOT_EVIDENCE.iter().any(not)
}

fn says_nothing(value: ValueRef<'_>) -> bool {
    matches!(value, ValueRef::Null | ValueRef::Integer(0))
}

/// Feeds rows into a digest: the table, then each column's name and value. NULL and 0 are left out,
/// so that a new column does not change older digests.
#[derive(Default)]
struct DigestRows {
    hash: Sha256,
    has_some: bool,
}

impl DigestRows {
    fn add_salt(&mut self, conn: &Connection, asked: Question) -> Result<(), LedgerError> {
        let salt: Option<Option<String>> = sql::find_value(conn, &asked.sql, asked.values)?;
        self.field(b"salt", salt.flatten().unwrap_or_default().as_bytes());
        Ok(())
    }

    fn add(&mut self, conn: &Connection, table: &str, asked: Question) -> Result<(), LedgerError> {
        let mut statement = prepare(conn, &asked.sql)?;
        let names = names_of(&statement);
        // Each check changes the age of the answer, until the last one.
        let next_check = names.iter().position(|name| name == "next_check");
        let mut rows = statement.query(asked.values)?;
        while let Some(row) = &rows.next()? {
            self.begin(table);
            let is_followed = match next_check {
                Some(place) => row.get_ref(place)? != ValueRef::Null,
                None => false,
            };
            for (place, name) in names.iter().enumerate() {
                let changes = is_followed && name == "checked_at";
                if is_evidence(table, name) && !changes {
                    self.add_value(name, row.get_ref(place)?);
                }
            }
        }
        Ok(())
    }

    fn begin(&mut self, table: &str) {
        self.has_some = true;
        self.field(b"table", table.as_bytes());
    }

    fn add_value(&mut self, column: &str, value: ValueRef<'_>) {
        if says_nothing(value) {
            return;
        }
        let name = column.as_bytes();
        match value {
            ValueRef::Null => {}
            ValueRef::Integer(number) => self.field(name, format!("i{number}").as_bytes()),
            ValueRef::Real(number) => self.field(name, format!("r{number}").as_bytes()),
            ValueRef::Text(text) => {
                self.field(name, b"t");
                self.field(b"", text);
            }
            ValueRef::Blob(bytes) => {
                self.field(name, b"b");
                self.field(b"", bytes);
            }
        }
    }

    /// A name and a value, each after its length, so that bytes cannot move between fields.
    fn field(&mut self, name: &[u8], value: &[u8]) {
        for part in [name, value] {
            self.hash.update((part.len() as u64).to_be_bytes());
            self.hash.update(part);
        }
    }

    fn finish(self) -> Option<String> {
        self.has_some.then(|| to_hex(&self.hash.finalize()))
    }
}
