//! `dsr report`: chooses the subject, the format and the place of a report.

mod contents;

use std::fs::File;
use std::io::Seek;
use std::path::{Path, PathBuf};

use chrono::{Months, NaiveDate};

use crate::commands::context::Context;
use crate::commands::context::named::find;

use crate::commands::failures::{local_io, usage};
use crate::domain::ExitStatus;
use crate::ledger::Ledger;
use crate::report::{AuditFact, PersonalData};
use crate::ui::{Failure, OutputFormat, ReportView};
use crate::workflow::{NewFile, PlacedFile, audit_fact};
use contents::{ReportContents, ReportFormat, ReportSubject};

/// How many months a business must keep records of requests (11 CCR §7101(a)).
const USUAL_MONTHS: u32 = 24;

/// Report on one request, or on all requests of a period, as evidence
///
/// With REQUEST, the report has what was asked under which law, each job with its steps, attempts
/// and Mixpanel's words, the fetched archives, and the day of the answer. Without REQUEST, it has
/// all requests received in a period [default: the last 24 months], as the log of 11 CCR §7101 and
/// the figures of 11 CCR §7102.
///
/// A report is a page (HTML) to read and to print, a table (CSV) or JSON. dsr reads only the
/// ledger, and includes ids only with --with-ids. On a terminal, dsr writes a page or a table to a
/// file in this folder and prints its name. It never overwrites a file.
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  dsr report q7tz0xma --output report.html     a page, to read or to print
  dsr report q7tz0xma > report.html            the same
  dsr report q7tz0xma --json | jq .report.evidence.request.answer
  dsr report --year 2026 --output 2026.html    a year's requests and figures
  dsr report --from 2025-07-01 --to 2026-06-30 --project shop --output log.csv
  dsr report --output log.html                 the last 24 months")]
pub(crate) struct ReportArgs {
    /// A request (the beginning of its id is enough) or a task id
    #[arg(value_name = "REQUEST | TASK_ID")]
    name: Option<String>,
    /// Requests received on this day or later [default: 24 months before the last day]
    #[arg(long, value_name = "DATE", conflicts_with_all = ["name", "year"])]
    from: Option<NaiveDate>,
    /// Requests received on this day or before [default: today]
    #[arg(long, value_name = "DATE", conflicts_with_all = ["name", "year"])]
    to: Option<NaiveDate>,
    /// Requests received in this calendar year
    #[arg(long, value_name = "YEAR", conflicts_with = "name", value_parser = clap::value_parser!(i32).range(1900..=9999))]
    year: Option<i32>,
    /// The format [default: by the name of --output, else html]
    #[arg(long, value_enum)]
    format: Option<ReportFormat>,
    /// Write to this file, which must not exist; `-` is standard output
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Include the ids of the request's jobs that the ledger still keeps: personal data
    #[arg(long, requires = "name")]
    with_ids: bool,
}

pub(crate) fn run(ctx: &mut Context, args: &ReportArgs) -> Result<ExitStatus, Failure> {
    let ledger = ctx.ledger()?;
    let subject = match &args.name {
        Some(name) => ReportSubject::Request(find(&ledger, name)?.id),
        None => args.period(ctx.clock.today())?,
    };
    let way = Way::of(ctx, args, &subject)?;
    if args.with_ids {
        ctx.ui.warn(
            "personal_data",
            "this report holds people's ids: keep it out of tickets and chats, and delete it when you no longer need it",
        );
    }
    ctx.warn_of_lost_time(&ledger, "; a report lacks what happened then")?;
    let audit = audit_fact(&ledger)?;
    if let AuditFact::Damaged { what } = &audit {
        ctx.ui.warn(
            "ledger",
            &format!("the audit trail is damaged: {what}; `dsr audit verify` shows more"),
        );
    }
    let personal_data = match args.with_ids {
        true => PersonalData::Ids,
        false => PersonalData::None,
    };
    let (contents, output) = ledger.in_one_view(|ledger| {
        let contents = ReportContents::gather(ctx, ledger, &subject, personal_data, audit)?;
        let output = way.write(ctx, ledger, &contents)?;
        Ok::<_, Failure>((contents, output))
    })?;
    match output {
        Output::Prepared(prepared) => ctx.ui.print_prepared(prepared),
        Output::File(file) => ctx.ui.print(&ReportView {
            about: &contents.headline(),
            file: &file,
            digest: contents.digest(),
        }),
    }
    .map_err(|error| local_io(&error))?;
    Ok(ExitStatus::Done)
}

impl ReportArgs {
    fn period(&self, today: NaiveDate) -> Result<ReportSubject, Failure> {
        let (from, to) = match self.year {
            Some(year) => {
                let day = |month, day| NaiveDate::from_ymd_opt(year, month, day);
                let whole = day(1, 1).zip(day(12, 31));
                whole.ok_or_else(|| usage("there is no such year"))?
            }
            None => {
                let to = self.to.unwrap_or(today);
                let usual = to.checked_sub_months(Months::new(USUAL_MONTHS));
                (self.from.or(usual).unwrap_or(to), to)
            }
        };
        match from > to {
            true => Err(usage(format!("`--from` is {from}, after `--to`, {to}"))
                .hint("give the first day of the period, then the last one")),
            false => Ok(ReportSubject::Period { from, to }),
        }
    }
}

struct Way {
    format: ReportFormat,
    /// `None` for stdout.
    file: Option<PathBuf>,
    /// Print the report also as a JSON object on stdout, beside the file.
    with_object: bool,
}

enum Output {
    /// Ready to be printed.
    Prepared(File),
    File(PlacedFile),
}

impl Way {
    fn of(ctx: &Context, args: &ReportArgs, subject: &ReportSubject) -> Result<Self, Failure> {
        let wants_json = ctx.ui.format() == OutputFormat::Json;
        let to_stdout = args.output.as_deref() == Some(Path::new("-"));
        let named = args.output.clone().filter(|_| !to_stdout);
        if named.as_deref().is_some_and(is_pdf) {
            return Err(usage("dsr does not write PDF; nothing was written")
                .hint("name a file that ends in .html, open it in a browser and print it to PDF"));
        }
        let of_name = named.as_deref().and_then(ReportFormat::of_name);
        let format = match (args.format, wants_json && named.is_none()) {
            (Some(format), true) if format != ReportFormat::Json => {
                return Err(usage("`--json` prints the report as JSON")
                    .hint("leave `--format` out, or name a file for it with `--output`"));
            }
            (Some(format), _) => format,
            (None, true) => ReportFormat::Json,
            (None, false) => of_name.unwrap_or(ReportFormat::Html),
        };
        let is_for_eyes = format != ReportFormat::Json && ctx.ui.is_on_screen() && !to_stdout;
        let file = match named {
            None if is_for_eyes => Some(PathBuf::from(subject.usual_name(format))),
            named => named,
        };
        Ok(Self {
            format,
            with_object: wants_json && file.is_some(),
            file,
        })
    }

    fn write(
        &self,
        ctx: &Context,
        ledger: &Ledger,
        contents: &ReportContents,
    ) -> Result<Output, Failure> {
        let written = match &self.file {
            Some(path) => {
                let mut file = NewFile::create(path)?;
                contents.write(ctx, ledger, self.format, &mut file, None)?;
                Some(file.finish()?)
            }
            None => None,
        };
        if let (Some(written), false) = (&written, self.with_object) {
            return Ok(Output::File(written.clone()));
        }
        // All or nothing: a failure on the way must not print half a report.
        let io = |error| local_io(&error);
        let mut spool = tempfile::tempfile_in(ctx.home.data()).map_err(io)?;
        let format = match self.with_object {
            true => ReportFormat::Json,
            false => self.format,
        };
        contents.write(ctx, ledger, format, &mut spool, written.as_ref())?;
        spool.rewind().map_err(io)?;
        Ok(Output::Prepared(spool))
    }
}

impl ReportSubject {
    /// The file name of a report that nobody named.
    fn usual_name(&self, format: ReportFormat) -> String {
        let extension = format.extension();
        match self {
            Self::Request(id) => format!("dsr-report-{}.{extension}", id.short()),
            Self::Period { from, to } => format!("dsr-report-{from}-to-{to}.{extension}"),
        }
    }
}

fn is_pdf(path: &Path) -> bool {
    path.extension()
        .is_some_and(|extension| extension.eq_ignore_ascii_case("pdf"))
}

impl ReportFormat {
    const ALL: [Self; 3] = [Self::Html, Self::Csv, Self::Json];

    fn extension(self) -> &'static str {
        match self {
            Self::Html => "html",
            Self::Csv => "csv",
            Self::Json => "json",
        }
    }

    fn of_name(path: &Path) -> Option<Self> {
        let extension = path.extension()?.to_str()?;
        let fits = |format: &Self| extension.eq_ignore_ascii_case(format.extension());
        Self::ALL.into_iter().find(fits)
    }
}
