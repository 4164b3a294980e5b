//! Prints requests and their jobs, reading the jobs from the ledger while it writes.

use std::cell::RefCell;
use std::io::{self, BufWriter, Write};

use serde::Serialize;
use serde_json::{Map, Value};

use crate::document::rows::RowStream;
use crate::domain::Clock;
use crate::ledger::{Ledger, RequestRecord};
use crate::ui::console::{OutputFormat, Ui};
use crate::ui::drawing::json::SCHEMA;

use crate::ui::failures::print::PrintError;

use super::ingestions::{ingestions_json, ingestions_text};
use super::json as shapes;
use super::shown::{Beside, Shown};
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
            OutputFormat::Human => self.write_result(&self.spell(&change_text(job))),
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
        self.print_status(ledger, requests, shown, Beside::default(), clock)?;
        Ok(())
    }

    /// Like `print_requests`; JSON also has which jobs are due to be asked about.
    pub fn print_status(
        &self,
        ledger: &Ledger,
        requests: &[RequestRecord],
        shown: Shown,
        beside: Beside<'_>,
        clock: &dyn Clock,
    ) -> Result<Delivery, PrintError> {
        match self.format() {
            OutputFormat::Json => self.print_objects(ledger, requests, shown, beside, clock),
            OutputFormat::Human => {
                let present = Present::by(clock);
                let mut text = requests_text(ledger, requests, shown, present, &self.paper())?;
                if let Some(ingestions) = beside.ingestions {
                    text += &ingestions_text(ingestions, &self.paper());
                }
                Ok(delivered(self.try_write_result(&self.spell(&text)))?)
            }
        }
    }

    /// Writes requests as one JSON object, whatever the format of the rest.
    pub fn print_objects(
        &self,
        ledger: &Ledger,
        requests: &[RequestRecord],
        shown: Shown,
        beside: Beside<'_>,
        clock: &dyn Clock,
    ) -> Result<Delivery, PrintError> {
        let (today, failed) = (clock.today(), RefCell::new(None));
        let mut objects = requests.iter().map(|request| {
            let jobs = ledger.jobs(&request.id, shown.standing());
            let jobs = jobs.map(|job| job.map(|job| shapes::job(&job)));
            RequestObject {
                request: shapes::request(request, today),
                jobs: RowStream::of(jobs, &failed),
            }
        });
        let (request, requests) = match (shown, requests) {
            (Shown::Jobs, [_]) => (objects.next(), None),
            _ => (None, Some(objects.collect::<Vec<_>>())),
        };
        let document = RequestsDocument {
            schema: SCHEMA,
            request,
            requests,
            ingestions: beside.ingestions.map(ingestions_json),
            polling: beside.polling.map(shapes::polling),
            warnings: self.warnings.take(),
        };
        let mut out = BufWriter::new(io::stdout().lock());
        let written = write(&mut out, &document);
        if let Some(error) = failed.take() {
            return Err(PrintError::Ledger(error));
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

#[derive(Serialize)]
struct RequestsDocument<R> {
    schema: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    request: Option<R>,
    #[serde(skip_serializing_if = "Option::is_none")]
    requests: Option<Vec<R>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ingestions: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    polling: Option<Value>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    warnings: Vec<Value>,
}

/// The jobs are read as they are written.
#[derive(Serialize)]
struct RequestObject<J> {
    #[serde(flatten)]
    request: Map<String, Value>,
    jobs: J,
}
