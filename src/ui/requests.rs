//! Requests as the ledger has them, and their jobs.

use std::cell::RefCell;
use std::io::{self, BufWriter, Write};
use std::time::Duration;

use chrono::{DateTime, NaiveDate, Utc};
use serde::ser::{Error as _, SerializeMap, SerializeSeq};
use serde::{Serialize, Serializer};
use serde_json::Value;

use crate::domain::Clock;
use crate::ledger::{
    Answered, JobRecord, Ledger, LedgerError, NewRequest, RequestRecord, Standing,
};

use super::deadlines::{Dates, NOT_ADVICE, due_cell, rules_text};
use super::json as shapes;
use super::plan_file_view;
use super::table::{Column, draw, state_cell};
use super::words::{age, number, plural, printable, wrapped};
use super::{Format, Paper, SCHEMA, Ui};

/// The most jobs that people are shown one by one; of more, those that went other than planned.
const MAX_ROWS: usize = 50;

/// How much of each request is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shown {
    /// A line for each request, for `dsr status`.
    List,
    /// Each request with its jobs.
    Jobs,
    /// Each request with those of its jobs that stand otherwise than was last told.
    Untold,
}

impl Shown {
    fn standing(self) -> Standing {
        match self {
            Self::List | Self::Jobs => Standing::Any,
            Self::Untold => Standing::Untold,
        }
    }
}

/// Whether what was written has come to its reader, as far as can be known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delivery {
    Made,
    /// The reader went away.
    Failed,
}

/// The questions about tasks whose time has come.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Polling {
    /// How many jobs are to be asked about now.
    pub due: usize,
    /// How long that takes at the pace.
    pub time: Duration,
}

/// Why requests could not be shown.
#[derive(Debug, thiserror::Error)]
pub enum PrintError {
    #[error("cannot write the result")]
    Io(#[from] io::Error),
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}

impl Ui {
    /// Writes requests as the result of the command. Their jobs are read as they are written.
    ///
    /// # Errors
    /// When stdout cannot be written or the ledger not read. A reader that went away is no error.
    pub fn print_requests(
        &self,
        ledger: &Ledger,
        requests: &[RequestRecord],
        shown: Shown,
        clock: &dyn Clock,
    ) -> Result<(), PrintError> {
        self.print_status(ledger, requests, shown, None, clock)?;
        Ok(())
    }

    /// The same, and with JSON which questions are due.
    ///
    /// # Errors
    /// When stdout cannot be written or the ledger not read.
    pub fn print_status(
        &self,
        ledger: &Ledger,
        requests: &[RequestRecord],
        shown: Shown,
        polling: Option<Polling>,
        clock: &dyn Clock,
    ) -> Result<Delivery, PrintError> {
        match self.format() {
            Format::Json => self.print_objects(ledger, requests, shown, polling, clock),
            Format::Human => {
                let present = Present::by(clock);
                let text = requests_text(ledger, requests, shown, present, &self.paper())?;
                Ok(delivered(self.try_write_result(&text))?)
            }
        }
    }

    /// Writes requests as one JSON object, whatever the format of the rest.
    ///
    /// # Errors
    /// When stdout cannot be written or the ledger not read.
    pub fn print_objects(
        &self,
        ledger: &Ledger,
        requests: &[RequestRecord],
        shown: Shown,
        polling: Option<Polling>,
        clock: &dyn Clock,
    ) -> Result<Delivery, PrintError> {
        let source = Source {
            ledger,
            today: clock.today(),
            standing: shown.standing(),
            failed: RefCell::new(None),
        };
        let document = Document {
            source: &source,
            requests,
            shown,
            polling,
            warnings: self.warnings.take(),
        };
        let mut out = BufWriter::new(io::stdout().lock());
        let written = shapes::write(&mut out, &document);
        if let Some(error) = source.failed.take() {
            return Err(error.into());
        }
        let written = written.and_then(|()| out.write_all(b"\n"));
        Ok(delivered(written.and_then(|()| out.flush()))?)
    }
}

fn delivered(written: io::Result<()>) -> io::Result<Delivery> {
    match written {
        Ok(()) => Ok(Delivery::Made),
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(Delivery::Failed),
        Err(error) => Err(error),
    }
}

/// Requests as people read them.
pub(super) fn requests_text(
    ledger: &Ledger,
    requests: &[RequestRecord],
    shown: Shown,
    present: Present,
    paper: &Paper,
) -> Result<String, LedgerError> {
    if shown == Shown::List {
        return Ok(list_text(requests, present, paper));
    }
    let mut texts = Vec::new();
    for request in requests {
        texts.push(request_text(ledger, request, shown, present, paper)?);
    }
    if !requests.is_empty() {
        texts.push(wrapped("", NOT_ADVICE, paper.width));
    }
    Ok(texts.join("\n"))
}

/// Where the jobs are read from while they are written.
struct Source<'a> {
    ledger: &'a Ledger,
    today: NaiveDate,
    standing: Standing,
    failed: RefCell<Option<LedgerError>>,
}

struct Document<'a> {
    source: &'a Source<'a>,
    requests: &'a [RequestRecord],
    shown: Shown,
    polling: Option<Polling>,
    warnings: Vec<Value>,
}

struct Request<'a> {
    source: &'a Source<'a>,
    request: &'a RequestRecord,
}

struct Jobs<'a>(Request<'a>);

impl Serialize for Document<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let source = self.source;
        let requests = self.requests.iter();
        let requests: Vec<_> = requests
            .map(|request| Request { source, request })
            .collect();
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("schema", &SCHEMA)?;
        match (self.shown, requests.as_slice()) {
            (Shown::Jobs, [request]) => map.serialize_entry("request", request)?,
            (_, requests) => map.serialize_entry("requests", requests)?,
        }
        if let Some(polling) = self.polling {
            map.serialize_entry("polling", &shapes::polling(polling))?;
        }
        if !self.warnings.is_empty() {
            map.serialize_entry("warnings", &self.warnings)?;
        }
        map.end()
    }
}

impl Serialize for Request<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for (key, value) in shapes::request(self.request, self.source.today) {
            map.serialize_entry(&key, &value)?;
        }
        let jobs = Jobs(Request {
            source: self.source,
            request: self.request,
        });
        map.serialize_entry("jobs", &jobs)?;
        map.end()
    }
}

impl Serialize for Jobs<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Request { source, request } = &self.0;
        let mut jobs = serializer.serialize_seq(None)?;
        for job in source.ledger.jobs(&request.id, source.standing) {
            match job {
                Ok(job) => jobs.serialize_element(&shapes::job(&job))?,
                Err(error) => {
                    let message = S::Error::custom(&error);
                    source.failed.replace(Some(error));
                    return Err(message);
                }
            }
        }
        jobs.end()
    }
}

/// When it is: the moment, and the operator's day.
#[derive(Clone, Copy)]
pub(super) struct Present {
    now: DateTime<Utc>,
    today: NaiveDate,
}

impl Present {
    pub(super) fn by(clock: &dyn Clock) -> Self {
        Self {
            now: clock.now(),
            today: clock.today(),
        }
    }
}

/// A line for each request.
fn list_text(requests: &[RequestRecord], present: Present, paper: &Paper) -> String {
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
        Text("CHECKED"),
        Text("AGE"),
        Text("DUE"),
    ];
    let rows = requests.iter().map(|request| {
        let asked = &request.asked;
        vec![
            request.id.short().to_owned(),
            kind_text(asked),
            asked.project.to_string(),
            number(asked.unique),
            state_cell(request.state().job_state()),
            ended_text(request),
            statuses_text(request),
            answered_text(request.answered, present.now),
            age(request.created, present.now).replace(" ago", ""),
            due_cell(request, present.today),
        ]
    });
    let table = draw(&columns, &rows.collect::<Vec<_>>(), paper);
    format!("{table}{}", rules_text(requests, paper))
}

/// How old the oldest answer is.
fn answered_text(answered: Answered, now: DateTime<Utc>) -> String {
    match answered {
        Answered::NotOpen => "-".to_owned(),
        Answered::Never => "never".to_owned(),
        Answered::At(oldest) => {
            let age = age(oldest, now);
            // The largest unit says enough of the oldest of many.
            age.split(' ').next().unwrap_or(&age).replace("just", "now")
        }
    }
}

fn kind_text(asked: &NewRequest) -> String {
    let operation = asked.operation;
    format!("{} {}", operation.kind().as_str(), operation.law().title())
}

/// `2/3`: how many of the jobs have ended.
fn ended_text(request: &RequestRecord) -> String {
    format!(
        "{}/{}",
        number(request.count_jobs(|group| group.state.is_final())),
        number(request.count_jobs(|_| true))
    )
}

/// Mixpanel's own words for the jobs, each once.
fn statuses_text(request: &RequestRecord) -> String {
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

fn request_text(
    ledger: &Ledger,
    request: &RequestRecord,
    shown: Shown,
    present: Present,
    paper: &Paper,
) -> Result<String, LedgerError> {
    let asked = &request.asked;
    let mut text = format!(
        "Request {id}: {kind}, project {project} ({region}), {ids} in {jobs}\n",
        id = request.id,
        kind = kind_text(asked),
        project = asked.project,
        region = asked.region.as_str(),
        ids = plural(asked.unique, "id", "ids"),
        jobs = plural(request.count_jobs(|_| true), "job", "jobs"),
    );
    text.push_str(&format!("  created {}", age(request.created, present.now)));
    if let Some(reference) = &asked.reference {
        text.push_str(&format!(", ref {}", printable(reference)));
    }
    text.push('\n');
    text.push_str(&Dates::of_request(request).lines(present.today, paper));
    if let Some(plan) = &asked.plan {
        text.push_str(&plan_file_view::record_lines(plan, paper));
    }
    text.push('\n');
    let (jobs, more) = match shown {
        Shown::Untold => first_untold(ledger, request)?,
        Shown::List | Shown::Jobs if request.count_jobs(|_| true) > MAX_ROWS => {
            text.push_str(&groups_table(request, paper));
            if let Answered::At(_) | Answered::Never = request.answered {
                let oldest = answered_text(request.answered, present.now);
                text.push_str(&format!("Age of the oldest answer: {oldest}\n"));
            }
            text.push('\n');
            let exceptions = ledger.jobs(&request.id, Standing::Exceptional);
            (exceptions.take(MAX_ROWS).collect::<Result<_, _>>()?, 0)
        }
        Shown::List | Shown::Jobs => {
            let all = ledger.jobs(&request.id, Standing::Any);
            (all.collect::<Result<Vec<_>, _>>()?, 0)
        }
    };
    if !jobs.is_empty() {
        text.push_str(&jobs_table(&jobs, present.now, paper));
    }
    for (id, reason) in reasons(&jobs) {
        text.push_str(&format!("Job {id}: {}\n", printable(reason)));
    }
    if more > 0 {
        let more = plural(more, "more job", "more jobs");
        text.push_str(&format!("And {more} that changed.\n"));
    }
    Ok(text)
}

/// The jobs that stand otherwise than was last told, and how many more of them there are.
fn first_untold(
    ledger: &Ledger,
    request: &RequestRecord,
) -> Result<(Vec<JobRecord>, usize), LedgerError> {
    let mut jobs = Vec::new();
    let mut more = 0;
    for job in ledger.jobs(&request.id, Standing::Untold) {
        let job = job?;
        match jobs.len() {
            MAX_ROWS.. => more += 1,
            _ => jobs.push(job),
        }
    }
    Ok((jobs, more))
}

/// Many jobs, counted by how they stand.
fn groups_table(request: &RequestRecord, paper: &Paper) -> String {
    use Column::{Number, Text, Whole};
    let columns = [
        Number("JOBS"),
        Number("IDS"),
        Whole("STATE"),
        Text("MIXPANEL"),
    ];
    let rows = request.groups.iter().map(|group| {
        let status = group.mixpanel_status.as_deref();
        vec![
            number(group.jobs),
            number(group.ids),
            state_cell(group.state),
            status.map_or_else(|| "-".to_owned(), printable),
        ]
    });
    draw(&columns, &rows.collect::<Vec<_>>(), paper)
}

fn jobs_table(jobs: &[JobRecord], now: DateTime<Utc>, paper: &Paper) -> String {
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
    let rows = jobs.iter().map(|job| {
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
fn reasons(jobs: &[JobRecord]) -> Vec<(u32, &str)> {
    let mut reasons = Vec::new();
    for job in jobs {
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
