//! Reports as CSV (RFC 4180, UTF-8): a line per job or per request. Columns are a contract: add new
//! ones at the end.

use std::io::{self, Write};

use chrono::{DateTime, NaiveDate, Utc};

use crate::document::defused;

use super::evidence::PersonalData;
use crate::domain::Setback;
use crate::domain::timestamp::stamp;

use super::facts::{Asked, JobFacts, RequestFacts, RowFacts};

const JOB_COLUMNS: [&str; 27] = [
    "request",
    "job",
    "kind",
    "law",
    "disclosure",
    "project",
    "region",
    "ref",
    "received",
    "due",
    "ids",
    "state",
    "reason",
    "mixpanel_status",
    "task_id",
    "subject_request_id",
    "linked",
    "attempts",
    "created",
    "first_attempt_at",
    "submitted_at",
    "checked_at",
    "ended_at",
    "given_up_at",
    "fetched_at",
    "archive_bytes",
    "archive_sha256",
];

/// Says at the top of the file what it holds.
const ID_COLUMN: &str = "PERSONAL DATA: distinct_id";

const REQUEST_COLUMNS: [&str; 34] = [
    "request",
    "kind",
    "law",
    "disclosure",
    "right",
    "project",
    "region",
    "ref",
    "received",
    "created",
    "submitted_at",
    "due",
    "due_rule",
    "extended_on",
    "extension_reason",
    "answer",
    "answered_on",
    "days_to_answer",
    "timing",
    "reasons",
    "ids_read",
    "ids_unique",
    "ids_duplicates",
    "ids_excluded",
    "ids_carried_out",
    "ids_not_fetched",
    "ids_refused",
    "ids_failed",
    "ids_revoked",
    "ids_given_up",
    "ids_open",
    "ids_linked",
    "ended_at",
    "manner",
];

/// Writes a line for each job, or for each id if the jobs have ids.
///
/// # Errors
/// When `out` fails, or the first error of the jobs.
pub fn request_table<E: From<io::Error>>(
    out: &mut dyn Write,
    request: &RequestFacts,
    jobs: impl Iterator<Item = Result<JobFacts, E>>,
    personal_data: PersonalData,
) -> Result<(), E> {
    let mut table = CsvTable::new(out);
    let with_ids = personal_data != PersonalData::None;
    let ids = with_ids.then_some(ID_COLUMN);
    table.line(ids.into_iter().chain(JOB_COLUMNS).map(str::to_owned))?;
    for job in jobs {
        let job = job?;
        let cells = job_cells(request, &job);
        let ids = job.distinct_ids.unwrap_or_default();
        match with_ids {
            false => table.line(cells)?,
            true if ids.is_empty() => table.line(std::iter::once(String::new()).chain(cells))?,
            true => {
                for id in ids {
                    let cells = cells.iter().cloned();
                    table.line(std::iter::once(defused(&id)).chain(cells))?;
                }
            }
        }
    }
    Ok(table.finish()?)
}

/// Writes a line for each request: the log of 11 CCR §7101(b).
///
/// # Errors
/// When `out` fails, or the first error of the requests.
pub fn period_table<E: From<io::Error>>(
    out: &mut dyn Write,
    requests: impl Iterator<Item = Result<RowFacts, E>>,
) -> Result<(), E> {
    let mut table = CsvTable::new(out);
    table.line(REQUEST_COLUMNS.map(str::to_owned))?;
    for request in requests {
        table.line(request_cells(&request?))?;
    }
    Ok(table.finish()?)
}

struct CsvTable<'a>(csv::Writer<&'a mut dyn Write>);

impl<'a> CsvTable<'a> {
    fn new(out: &'a mut dyn Write) -> Self {
        let mut builder = csv::WriterBuilder::new();
        Self(builder.terminator(csv::Terminator::CRLF).from_writer(out))
    }

    fn line(&mut self, cells: impl IntoIterator<Item = String>) -> io::Result<()> {
        self.0.write_record(cells).map_err(io::Error::from)
    }

    fn finish(mut self) -> io::Result<()> {
        self.0.flush()
    }
}

fn job_cells(request: &RequestFacts, job: &JobFacts) -> Vec<String> {
    let asked = &request.asked;
    let download = job.download.as_ref();
    let certain = job.attempts.iter().filter(|attempt| attempt.is_certain);
    let attempts = certain.clone().count();
    let first_attempt = certain.map(|attempt| attempt.started_at).next();
    let fetched = download.and_then(|download| download.first_fetched_at);
    vec![
        request.id.clone(),
        job.id.clone(),
        asked.kind.as_str().to_owned(),
        asked.law.as_str().to_owned(),
        disclosure(asked),
        defused(&asked.project),
        asked.region.to_owned(),
        text(asked.reference.as_deref()),
        asked.received.to_string(),
        asked.due.to_string(),
        job.ids.to_string(),
        job.state.as_str().to_owned(),
        text(job.reason.as_deref()),
        text(job.mixpanel_status.as_deref()),
        text(job.task_id.as_deref()),
        job.subject_request_id.clone(),
        job.linked.to_string(),
        attempts.to_string(),
        stamp(asked.created),
        moment(first_attempt),
        moment(job.submitted_at),
        moment(job.checked_at),
        moment(job.ended_at),
        moment(job.given_up_at),
        moment(fetched),
        download.map_or_else(String::new, |download| download.bytes.to_string()),
        download.map_or_else(String::new, |download| download.sha256.clone()),
    ]
}

fn request_cells(row: &RowFacts) -> Vec<String> {
    let (asked, answer, ids) = (&row.asked, &row.answer, &row.ids);
    let extension = asked.extension.as_ref();
    let days = answer.days.map(|days| days.to_string());
    let mut cells = vec![
        row.id.clone(),
        asked.kind.as_str().to_owned(),
        asked.law.as_str().to_owned(),
        disclosure(asked),
        asked.right.to_owned(),
        defused(&asked.project),
        asked.region.to_owned(),
        text(asked.reference.as_deref()),
        asked.received.to_string(),
        stamp(asked.created),
        moment(asked.submitted_at),
        asked.due.to_string(),
        asked.due_rule.to_owned(),
        day(extension.map(|extension| extension.taken.day)),
        text(extension.map(|extension| extension.taken.reason.as_str())),
        answer.nature.as_str().to_owned(),
        day(answer.day),
        days.unwrap_or_default(),
        answer.timing.as_str().to_owned(),
        defused(&reasons_text(&row.setbacks, row.other_setbacks)),
    ];
    let counts = [
        ids.read,
        ids.unique,
        ids.duplicates,
        ids.excluded,
        ids.carried_out,
        ids.not_fetched,
        ids.refused,
        ids.failed,
        ids.revoked,
        ids.given_up,
        ids.open,
        ids.linked,
    ];
    cells.extend(counts.map(|count| count.to_string()));
    cells.push(moment(answer.ended_at));
    cells.push(text(answer.manner.as_deref()));
    cells
}

/// `refused (1 job): no such project; revoked (2 jobs): cancelled before it was sent`
pub(super) fn reasons_text(reasons: &[Setback], others: usize) -> String {
    let jobs = |count| match count {
        1 => "1 job".to_owned(),
        count => format!("{count} jobs"),
    };
    let mut texts: Vec<String> = reasons
        .iter()
        .map(|setback| {
            let state = setback.state.as_str();
            let what = format!("{state} ({})", jobs(setback.jobs));
            match &setback.reason {
                Some(reason) => format!("{what}: {reason}"),
                None => what,
            }
        })
        .collect();
    if others > 0 {
        texts.push(format!("{} for other reasons", jobs(others)));
    }
    texts.join("; ")
}

fn disclosure(asked: &Asked) -> String {
    let disclosure = asked.disclosure.map(|disclosure| disclosure.as_str());
    disclosure.unwrap_or_default().to_owned()
}

fn text(text: Option<&str>) -> String {
    text.map(defused).unwrap_or_default()
}

fn moment(time: Option<DateTime<Utc>>) -> String {
    time.map(stamp).unwrap_or_default()
}

fn day(day: Option<NaiveDate>) -> String {
    day.map(|day| day.to_string()).unwrap_or_default()
}
