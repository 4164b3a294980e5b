//! Prints the ids that the ledger still has of a request's jobs.

use std::cell::RefCell;
use std::io::{self, BufWriter, Write};

use serde::ser::{Error as _, SerializeMap, SerializeSeq};
use serde::{Serialize, Serializer};
use serde_json::Value;

use crate::domain::Batch;
use crate::ledger::{JobRecord, Ledger, LedgerError, RequestRecord, Standing};
use crate::ui::console::{OutputFormat, Ui};
use crate::ui::drawing::json as lines;
use crate::ui::drawing::json::SCHEMA;
use crate::ui::drawing::words::{plural, printable};
use crate::ui::failures::print::PrintError;

/// Shown in the place of ids that were replaced by hashes.
const HASHED: &str =
    "the ledger keeps only their keyed hashes; `dsr find` shows whether a person is among them";

impl Ui {
    /// Writes a request's ids job by job, as the result. A reader that went away is not an error.
    pub fn print_held_ids(
        &self,
        ledger: &Ledger,
        request: &RequestRecord,
    ) -> Result<(), PrintError> {
        let mut out = BufWriter::new(io::stdout().lock());
        let written = match self.format() {
            OutputFormat::Json => {
                let document = HeldIdsDocument {
                    jobs: HeldJobs {
                        ledger,
                        request,
                        failed: RefCell::new(None),
                    },
                    warnings: self.warnings.take(),
                };
                let written = lines::write(&mut out, &document);
                if let Some(error) = document.jobs.failed.take() {
                    return Err(error.into());
                }
                written.and_then(|()| out.write_all(b"\n"))
            }
            OutputFormat::Human => self.write_texts(ledger, request, &mut out)?,
        };
        match written.and_then(|()| out.flush()) {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            other => Ok(other?),
        }
    }

    fn write_texts(
        &self,
        ledger: &Ledger,
        request: &RequestRecord,
        out: &mut impl Write,
    ) -> Result<io::Result<()>, LedgerError> {
        for job in ledger.jobs(&request.id, Standing::Any) {
            let job = job?;
            let ids = ledger.find_kept_batch(&job.id)?;
            if let Err(error) = out.write_all(self.job_text(&job, ids.as_ref()).as_bytes()) {
                return Ok(Err(error));
            }
        }
        Ok(Ok(()))
    }

    fn job_text(&self, job: &JobRecord, ids: Option<&Batch>) -> String {
        let count = plural(job.ids, "id", "ids");
        let mut text = format!("Job {}: {count}, {}", job.id, job.state.as_str());
        match ids {
            Some(batch) => {
                text.push('\n');
                for id in batch.ids() {
                    text.push_str(&format!("  {}\n", printable(id.expose())));
                }
            }
            None => text.push_str(&format!("; {}\n", self.spell(HASHED))),
        }
        text
    }
}

struct HeldIdsDocument<'a> {
    jobs: HeldJobs<'a>,
    warnings: Vec<Value>,
}

/// Reads jobs while it writes: a request may have ten million ids.
struct HeldJobs<'a> {
    ledger: &'a Ledger,
    request: &'a RequestRecord,
    failed: RefCell<Option<LedgerError>>,
}

struct Job<'a> {
    job: &'a JobRecord,
    ids: Option<&'a Batch>,
}

struct HeldRequest<'a>(&'a HeldJobs<'a>);

impl Serialize for HeldIdsDocument<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("schema", &SCHEMA)?;
        map.serialize_entry("request", &HeldRequest(&self.jobs))?;
        if !self.warnings.is_empty() {
            map.serialize_entry("warnings", &self.warnings)?;
        }
        map.end()
    }
}

impl Serialize for HeldRequest<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("id", self.0.request.id.as_str())?;
        map.serialize_entry("jobs", self.0)?;
        map.end()
    }
}

impl Serialize for HeldJobs<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut jobs = serializer.serialize_seq(None)?;
        for job in self.ledger.jobs(&self.request.id, Standing::Any) {
            let found = job.and_then(|job| {
                let ids = self.ledger.find_kept_batch(&job.id)?;
                Ok((job, ids))
            });
            match found {
                Ok((job, ids)) => jobs.serialize_element(&Job {
                    job: &job,
                    ids: ids.as_ref(),
                })?,
                Err(error) => {
                    let message = S::Error::custom(&error);
                    self.failed.replace(Some(error));
                    return Err(message);
                }
            }
        }
        jobs.end()
    }
}

impl Serialize for Job<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let ids = self.ids.map(|batch| {
            let ids = batch.ids().iter();
            ids.map(|id| id.expose()).collect::<Vec<_>>()
        });
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("id", &self.job.id.to_string())?;
        map.serialize_entry("ids", &self.job.ids)?;
        map.serialize_entry("state", self.job.state.as_str())?;
        map.serialize_entry("distinct_ids", &ids)?;
        map.end()
    }
}
