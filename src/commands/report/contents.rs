//! Reads a report from one view of the ledger, and writes it in its format.

use std::cell::RefCell;
use std::io::{self, Write};

use chrono::NaiveDate;

use crate::commands::context::Context;
use crate::commands::failures::usage;
use crate::domain::RequestId;
use crate::ledger::{Course, Ledger, LedgerError};
use crate::report::{
    About, AuditFact, Digest, Figures, JobFacts, JobsShown, Made, PeriodFacts, PersonalData,
    RequestFacts, RowFacts, RowsShown, evidence_digest, period_digest, period_document,
    period_page, period_table, request_document, request_page, request_table,
};
use crate::ui::{Failure, PrintError, plural, reporting};
use crate::workflow::{PlacedFile, job_facts, period_facts, request_facts, row_facts};

/// What a report is made as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum ReportFormat {
    /// A page in one file, without links to other files
    Html,
    /// A line each job, or each request
    Csv,
    /// One object
    Json,
}

pub(super) enum ReportSubject {
    Request(RequestId),
    Period { from: NaiveDate, to: NaiveDate },
}

/// Everything but the rows, which are read again for each writing.
pub(super) struct ReportContents {
    about: About,
    subject: ReportFacts,
    rows: usize,
}

enum ReportFacts {
    Request {
        id: RequestId,
        facts: Box<RequestFacts>,
        shown: JobsShown,
    },
    Period {
        facts: PeriodFacts,
        shown: RowsShown,
        figures: Box<RefCell<Figures>>,
    },
}

impl ReportContents {
    pub(super) fn gather(
        ctx: &Context,
        ledger: &Ledger,
        subject: &ReportSubject,
        personal_data: PersonalData,
        audit: AuditFact,
    ) -> Result<Self, Failure> {
        let gathered = match subject {
            ReportSubject::Request(id) => gather_request(ctx, ledger, id, personal_data)?,
            ReportSubject::Period { from, to } => gather_period(ctx, ledger, *from, *to)?,
        };
        let holds_ids = match &gathered.subject {
            ReportFacts::Request { shown, .. } => shown.has_ids(),
            ReportFacts::Period { .. } => false,
        };
        Ok(Self {
            about: About {
                made: Made {
                    at: ctx.clock.now(),
                    by: ctx.actor().to_string(),
                    dsr: env!("CARGO_PKG_VERSION"),
                    sandbox: ctx.is_sandbox(),
                    day: ctx.clock.today(),
                    overdue: gathered.overdue,
                },
                audit,
                personal_data: match personal_data {
                    PersonalData::Ids if !holds_ids => PersonalData::Gone,
                    asked => asked,
                },
                digest: gathered.digest,
            },
            subject: gathered.subject,
            rows: gathered.rows,
        })
    }

    pub(super) fn digest(&self) -> &Digest {
        &self.about.digest
    }

    pub(super) fn headline(&self) -> String {
        match &self.subject {
            ReportFacts::Request { facts, .. } => {
                format!("Request {}: {}", facts.id, facts.headline())
            }
            ReportFacts::Period { facts, figures, .. } => {
                let requests = plural(figures.borrow().received(), "request", "requests");
                format!("{requests} received from {} to {}", facts.from, facts.to)
            }
        }
    }

    /// Writes the whole report. `file` is the file that was written beside it.
    pub(super) fn write(
        &self,
        ctx: &Context,
        ledger: &Ledger,
        format: ReportFormat,
        out: &mut dyn Write,
        file: Option<&PlacedFile>,
    ) -> Result<(), Failure> {
        let mut out = io::BufWriter::new(out);
        let mut step = steps(ctx, self.rows);
        match &self.subject {
            ReportFacts::Request { id, facts, shown } => {
                let jobs = job_facts(ledger, id, self.about.personal_data).map(failing);
                let jobs = jobs.inspect(|_| step());
                self.write_request(ctx, (facts, shown, jobs), format, &mut out, file)?;
            }
            ReportFacts::Period {
                facts,
                shown,
                figures,
            } => {
                let rows = rows(ctx, ledger, facts).map(failing).inspect(|_| step());
                match format {
                    ReportFormat::Html => {
                        period_page(&mut out, facts, &figures.borrow(), shown, &self.about)
                            .map_err(PrintError::from)?;
                    }
                    ReportFormat::Csv => period_table(&mut out, rows)?,
                    ReportFormat::Json => {
                        let failed = RefCell::new(None);
                        let document = period_document(facts, rows, figures, &self.about, &failed);
                        let written = ctx.ui.write_report(&mut out, &document, file);
                        drop(document);
                        told(written, failed)?;
                    }
                }
            }
        }
        Ok(out.flush().map_err(PrintError::from)?)
    }

    fn write_request(
        &self,
        ctx: &Context,
        (facts, shown, jobs): (
            &RequestFacts,
            &JobsShown,
            impl Iterator<Item = Result<JobFacts, PrintError>>,
        ),
        format: ReportFormat,
        out: &mut dyn Write,
        file: Option<&PlacedFile>,
    ) -> Result<(), PrintError> {
        match format {
            ReportFormat::Html => Ok(request_page(out, facts, shown, &self.about)?),
            ReportFormat::Csv => request_table(out, facts, jobs, self.about.personal_data),
            ReportFormat::Json => {
                let failed = RefCell::new(None);
                let document = request_document(facts, jobs, &self.about, &failed);
                let written = ctx.ui.write_report(out, &document, file);
                drop(document);
                told(written, failed)
            }
        }
    }
}

struct Gathered {
    digest: Digest,
    subject: ReportFacts,
    rows: usize,
    overdue: usize,
}

fn gather_request(
    ctx: &Context,
    ledger: &Ledger,
    id: &RequestId,
    personal_data: PersonalData,
) -> Result<Gathered, Failure> {
    let course = ledger.find_course(id)?;
    let course = course.ok_or_else(|| usage(format!("there is no request `{id}`")))?;
    let facts = request_facts(ledger, &course)?;
    let is_overdue = facts.asked.is_overdue(&facts.answer, ctx.clock.today());
    let mut shown = JobsShown::default();
    let mut step = steps(ctx, facts.jobs_count);
    let jobs = job_facts(ledger, id, personal_data);
    let digest = evidence_digest(&facts, jobs, |job| {
        shown.hear(job);
        step();
    })?;
    Ok(Gathered {
        digest,
        rows: facts.jobs_count,
        overdue: usize::from(is_overdue),
        subject: ReportFacts::Request {
            id: id.clone(),
            facts: Box::new(facts),
            shown,
        },
    })
}

fn gather_period(
    ctx: &Context,
    ledger: &Ledger,
    from: NaiveDate,
    to: NaiveDate,
) -> Result<Gathered, Failure> {
    let facts = period_facts(ledger, from, to, &ctx.projects)?;
    let [_, total, _] = ledger.count_received(from, to)?;
    let mut shown = RowsShown::default();
    let mut step = steps(ctx, total);
    let rows = rows(ctx, ledger, &facts);
    let (today, mut overdue) = (ctx.clock.today(), 0);
    let (digest, figures) = period_digest(&facts, rows, |row| {
        shown.hear(row);
        overdue += usize::from(row.asked.is_overdue(&row.answer, today));
        step();
    })?;
    Ok(Gathered {
        digest,
        rows: total,
        overdue,
        subject: ReportFacts::Period {
            facts,
            shown,
            figures: Box::new(RefCell::new(figures)),
        },
    })
}

/// Returns a function to call at each row, which shows the progress.
fn steps(ctx: &Context, total: usize) -> impl FnMut() {
    let mut show = reporting(&ctx.ui);
    let mut done = 0;
    move || {
        done += 1;
        show(done, total as u64);
    }
}

/// Reads the requests of a period, in the projects that the operator means, one at a time.
fn rows<'a>(
    ctx: &'a Context,
    ledger: &'a Ledger,
    facts: &PeriodFacts,
) -> impl Iterator<Item = Result<RowFacts, LedgerError>> + 'a {
    let received = ledger.received(facts.from, facts.to);
    let is_meant = |course: &Result<Course, LedgerError>| match course {
        Ok(course) => ctx.means(&course.request.asked.project),
        Err(_) => true,
    };
    let row = |course: Course| row_facts(&course);
    received.filter(is_meant).map(move |course| course.map(row))
}

fn failing<T>(row: Result<T, LedgerError>) -> Result<T, PrintError> {
    row.map_err(PrintError::from)
}

/// An error from reading a row explains more than the write error it caused.
fn told(written: io::Result<()>, failed: RefCell<Option<PrintError>>) -> Result<(), PrintError> {
    match failed.into_inner() {
        Some(error) => Err(error),
        None => Ok(written?),
    }
}
