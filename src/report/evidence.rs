//! Writes reports as JSON and computes the digest of their facts. Streams rows while writing.

use std::cell::RefCell;
use std::io::{self, Write};

use serde::{Serialize, Serializer};
use sha2::{Digest as _, Sha256};

use crate::document::rows::RowStream;
use crate::domain::to_hex;

use super::facts::{AuditFact, JobFacts, Made, PeriodFacts, RequestFacts, RowFacts};
use super::figures::Figures;

/// The SHA-256 of a report's `evidence` as compact JSON, in lower-case hex. Equal for the same
/// facts, whoever made the report and when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Digest(String);

impl Digest {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A report as one JSON object.
#[derive(Serialize)]
pub struct ReportDocument<'a, E> {
    #[serde(rename = "type")]
    kind: &'static str,
    personal_data: bool,
    made: &'a Made,
    audit: &'a AuditFact,
    digest: &'a Digest,
    evidence: E,
}

/// What is said of one request.
#[derive(Serialize)]
struct RequestEvidence<'a, J> {
    request: &'a RequestFacts,
    jobs: J,
}

/// The facts of a period. `requests` comes first, because writing them adds up `figures`.
#[derive(Serialize)]
struct PeriodEvidence<'a, R> {
    period: &'a PeriodFacts,
    requests: R,
    figures: Summed<'a>,
}

struct Summed<'a> {
    period: &'a PeriodFacts,
    figures: &'a RefCell<Figures>,
}

impl Serialize for Summed<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let figures = self.figures.borrow();
        let objects = figures.objects(self.period.from, self.period.to);
        objects.serialize(serializer)
    }
}

/// The digest of a request's report; passes each job to `hear`.
///
/// # Errors
/// The first error of `jobs`.
pub fn evidence_digest<E>(
    request: &RequestFacts,
    jobs: impl Iterator<Item = Result<JobFacts, E>>,
    mut hear: impl FnMut(&JobFacts),
) -> Result<Digest, E> {
    let failed = RefCell::new(None);
    let heard = jobs.inspect(|job| {
        if let Ok(job) = job {
            hear(job);
        }
    });
    let jobs = RowStream::of(heard, &failed);
    let digest = digest_of(&RequestEvidence { request, jobs });
    match failed.take() {
        Some(error) => Err(error),
        None => Ok(digest),
    }
}

/// The digest of a period's report, and the figures of its requests.
///
/// # Errors
/// The first error of `requests`.
pub fn period_digest<E>(
    period: &PeriodFacts,
    requests: impl Iterator<Item = Result<RowFacts, E>>,
    mut hear: impl FnMut(&RowFacts),
) -> Result<(Digest, Figures), E> {
    let (failed, sums) = (RefCell::new(None), RefCell::new(Figures::default()));
    let heard = requests.inspect(|row| {
        if let Ok(row) = row {
            sums.borrow_mut().add(row);
            hear(row);
        }
    });
    let requests = RowStream::of(heard, &failed);
    let figures = Summed {
        period,
        figures: &sums,
    };
    let digest = digest_of(&PeriodEvidence {
        period,
        requests,
        figures,
    });
    match failed.take() {
        Some(error) => Err(error),
        None => Ok((digest, sums.take())),
    }
}

/// A request's report for JSON. An error of `jobs` ends the writing and is put into `failed`.
pub fn request_document<'a, E>(
    request: &'a RequestFacts,
    jobs: impl Iterator<Item = Result<JobFacts, E>> + 'a,
    about: &'a About,
    failed: &'a RefCell<Option<E>>,
) -> ReportDocument<'a, impl Serialize + 'a> {
    let jobs = RowStream::of(jobs, failed);
    document("request", about, RequestEvidence { request, jobs })
}

/// A period's report for JSON; the same as [`request_document`]. Writing the requests does not
/// change `figures`: pass those of [`period_digest`].
pub fn period_document<'a, E>(
    period: &'a PeriodFacts,
    requests: impl Iterator<Item = Result<RowFacts, E>> + 'a,
    figures: &'a RefCell<Figures>,
    about: &'a About,
    failed: &'a RefCell<Option<E>>,
) -> ReportDocument<'a, impl Serialize + 'a> {
    let requests = RowStream::of(requests, failed);
    let figures = Summed { period, figures };
    let evidence = PeriodEvidence {
        period,
        requests,
        figures,
    };
    document("period", about, evidence)
}

/// What every report has.
#[derive(Debug, Clone)]
pub struct About {
    pub made: Made,
    pub audit: AuditFact,
    pub digest: Digest,
    pub personal_data: PersonalData,
}

/// Whether a report holds people's ids.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PersonalData {
    None,
    /// Requested, but the ledger no longer has any.
    Gone,
    Ids,
}

fn document<'a, E>(kind: &'static str, about: &'a About, evidence: E) -> ReportDocument<'a, E> {
    ReportDocument {
        kind,
        personal_data: about.personal_data == PersonalData::Ids,
        made: &about.made,
        audit: &about.audit,
        digest: &about.digest,
        evidence,
    }
}

/// Ignores a write error: it comes from a row, and the caller reports that.
fn digest_of(evidence: &impl Serialize) -> Digest {
    let mut hash = Hash(Sha256::new());
    drop(serde_json::to_writer(&mut hash, evidence));
    let bytes = hash.0.finalize();
    Digest(to_hex(&bytes))
}

struct Hash(Sha256);

impl Write for Hash {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
