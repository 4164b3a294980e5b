//! Prints requests and their jobs, reading the jobs from the ledger while it writes.

use std::cell::RefCell;
use std::io::{self, BufWriter, Write};

use chrono::NaiveDate;
use serde::ser::{Error as _, SerializeMap, SerializeSeq};
use serde::{Serialize, Serializer};
use serde_json::Value;

use crate::domain::Clock;
use crate::ledger::{Ledger, LedgerError, RequestRecord, Standing};
use crate::ui::console::{OutputFormat, Ui};
use crate::ui::drawing::json::SCHEMA;

use crate::ui::failures::print::PrintError;

use super::json as shapes;
use super::shown::{Polling, Shown};
use super::text::{Present, change_text, requests_text};
use crate::ledger::JobRecord;
use crate::ui::drawing::json::write;

/// Whether the output reached its reader, as far as dsr can know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delivery {
    Made,
    /// The reader went away.
    Failed,
}

impl Ui {
    /// Writes a job's present state as a line of the result. A reader that went away is not an
    /// error.
    pub fn print_change(&self, job: &JobRecord) -> io::Result<()> {
        match self.lines_format() {
            OutputFormat::Json => self.print_object_line(&shapes::job_line(job)),
            OutputFormat::Human => self.write_result(&change_text(job)),
        }
    }

    /// Writes requests as the result, reading their jobs meanwhile. A reader that went away is not
    /// an error.
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

    /// Like `print_requests`; JSON also has which jobs are due to be asked about.
    pub fn print_status(
        &self,
        ledger: &Ledger,
        requests: &[RequestRecord],
        shown: Shown,
        polling: Option<Polling>,
        clock: &dyn Clock,
    ) -> Result<Delivery, PrintError> {
        match self.format() {
            OutputFormat::Json => self.print_objects(ledger, requests, shown, polling, clock),
            OutputFormat::Human => {
                let present = Present::by(clock);
                let text = requests_text(ledger, requests, shown, present, &self.paper())?;
                Ok(delivered(self.try_write_result(&text))?)
            }
        }
    }

    /// Writes requests as one JSON object, whatever the format of the rest.
    pub fn print_objects(
        &self,
        ledger: &Ledger,
        requests: &[RequestRecord],
        shown: Shown,
        polling: Option<Polling>,
        clock: &dyn Clock,
    ) -> Result<Delivery, PrintError> {
        let source = JobSource {
            ledger,
            today: clock.today(),
            standing: shown.standing(),
            failed: RefCell::new(None),
        };
        let document = RequestsDocument {
            source: &source,
            requests,
            shown,
            polling,
            warnings: self.warnings.take(),
        };
        let mut out = BufWriter::new(io::stdout().lock());
        let written = write(&mut out, &document);
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

/// Where jobs are read from while they are written.
struct JobSource<'a> {
    ledger: &'a Ledger,
    today: NaiveDate,
    standing: Standing,
    failed: RefCell<Option<LedgerError>>,
}

struct RequestsDocument<'a> {
    source: &'a JobSource<'a>,
    requests: &'a [RequestRecord],
    shown: Shown,
    polling: Option<Polling>,
    warnings: Vec<Value>,
}

struct RequestObject<'a> {
    source: &'a JobSource<'a>,
    request: &'a RequestRecord,
}

struct RequestJobs<'a>(RequestObject<'a>);

impl Serialize for RequestsDocument<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let source = self.source;
        let requests = self.requests.iter();
        let requests: Vec<_> = requests
            .map(|request| RequestObject { source, request })
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

impl Serialize for RequestObject<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for (key, value) in shapes::request(self.request, self.source.today) {
            map.serialize_entry(&key, &value)?;
        }
        let jobs = RequestJobs(RequestObject {
            source: self.source,
            request: self.request,
        });
        map.serialize_entry("jobs", &jobs)?;
        map.end()
    }
}

impl Serialize for RequestJobs<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let RequestObject { source, request } = &self.0;
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
