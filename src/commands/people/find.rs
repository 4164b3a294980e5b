//! `dsr find`: the requests that a person is in.

use std::collections::HashMap;
use std::rc::Rc;

use crate::commands::context::Context;
use crate::commands::failures::local_io;
use crate::domain::{CarriedOut, ExitStatus, JobId, RequestId};
use crate::intake::{self, Keep, Place, Source};
use crate::ledger::{Ledger, RequestRecord, WantedPeople};
use crate::ui::{Failure, FindView, Involvement, Sought, reading};

use super::minimise;
use super::sources::{GivenArgs, ReadArgs};

/// Find out whether and when people were exported or erased, and under which task
///
/// dsr looks up every id in the ledger, and does not ask Mixpanel. It reads ids as `dsr delete`
/// does, and compares them byte for byte. The ledger keeps only keyed hashes of the ids of finished
/// jobs, and dsr finds those people by hash. dsr shows the place of an id in your source, and the
/// first digits of its hash. Give ids in a file or on standard input: the shell's history keeps
/// arguments.
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  dsr find ids.csv                         everyone in the file
  dsr find - --format text < ids.txt       each line is an id
  dsr find --exit-status user-17           status 1 unless everybody is found
  dsr find emails.csv --hash sha256        people whose ids are hashes")]
pub(crate) struct FindArgs {
    #[command(flatten)]
    given: GivenArgs,
    /// Exit with status 1 if a person is not found
    #[arg(long)]
    exit_status: bool,
    #[command(flatten)]
    reading: ReadArgs,
}

pub(crate) fn run(ctx: &mut Context, args: &FindArgs) -> Result<ExitStatus, Failure> {
    let sources = args.given.sources(ctx.command)?;
    let ledger = match args.exit_status {
        true => ctx.ledger()?,
        false => ctx.ledger_if_any()?,
    };
    // Without a key, dsr finds only people whose ids the ledger still has.
    let remembered = ledger.find_people_key()?;
    let key = match (minimise::ledger_key(ctx, ledger.if_no_key()?), &remembered) {
        (Ok((key, _)), _) => Some(key),
        (Err(_), None) => None,
        (Err(error), Some(_)) => return Err(error.into()),
    };
    if let Some(key) = &key {
        ledger.demand_people_key(key)?;
    }
    let mut wanted = WantedPeople::new(key.as_ref());
    ctx.warn_of_lost_time(
        &ledger,
        "; people may have been erased in that time, even if dsr finds nothing",
    )?;
    let mut people = read(ctx, args, &sources, &mut wanted)?;
    let mut records = RecordCache::new(&ledger);
    for sighting in ledger.find_people(&wanted)? {
        let involvement = records.involvement(&sighting.job)?;
        if let Some(person) = people.get_mut(sighting.person as usize)
            && let Some(involvement) = involvement
            && ctx.means(&involvement.request.asked.project)
        {
            person.involved.push(involvement);
        }
    }
    for found in ledger.find_still_suppressed(&wanted)? {
        if let Some(person) = people.get_mut(found.person as usize)
            && ctx.means(&found.project)
        {
            person.suppressed.push(found);
        }
    }
    for person in &mut people {
        person.involved.sort_by_key(|found| found.request.created);
    }
    let missing = people.iter().filter(|person| !person.is_found()).count();
    let purges = ledger.list_purges()?;
    if missing > 0 && !purges.is_empty() {
        let requests: usize = purges.iter().map(|purge| purge.closed.requests).sum();
        ctx.ui.warn(
            "purged",
            &format!("records of closed requests were purged ({requests}): dsr does not find people who were only in an export among them"),
        );
    }
    let view = FindView { people: &people };
    ctx.ui.print(&view).map_err(|error| local_io(&error))?;
    Ok(match args.exit_status && missing > 0 {
        // This has no status of its own; 1 is for everything not listed.
        true => ExitStatus::Bug,
        false => ExitStatus::Done,
    })
}

/// Reads the sources. Keeps people in the order of their first appearance.
fn read(
    ctx: &Context,
    args: &FindArgs,
    sources: &[Source],
    wanted: &mut WantedPeople,
) -> Result<Vec<Sought>, Failure> {
    let options = args.reading.options()?;
    Source::find_repeated(sources)?;
    let mut people: Vec<Sought> = Vec::new();
    let mut arguments = 0;
    let mut hear = |place: Place<'_>, id: &str| {
        let is_argument = place.line.is_none() && place.element.is_none();
        arguments += usize::from(is_argument);
        if let Ok(hash) = wanted.add(id) {
            people.push(Sought {
                source: place.label.to_owned(),
                argument: is_argument.then_some(arguments),
                line: place.line,
                element: place.element,
                hash,
                involved: Vec::new(),
                suppressed: Vec::new(),
            });
        }
    };
    let mut progress = reading(&ctx.ui);
    let keep = Keep::Heard(&mut hear);
    let read = intake::read(sources, &[], &options, keep, &mut progress);
    drop(progress);
    args.reading.checks.tell(&ctx.ui, &read);
    read?;
    Ok(people)
}

/// Caches requests and jobs: many people are in the same ones.
struct RecordCache<'l> {
    ledger: &'l Ledger,
    requests: HashMap<RequestId, Option<Rc<RequestRecord>>>,
    jobs: HashMap<JobId, Option<Involvement>>,
}

impl<'l> RecordCache<'l> {
    fn new(ledger: &'l Ledger) -> Self {
        Self {
            ledger,
            requests: HashMap::new(),
            jobs: HashMap::new(),
        }
    }

    /// `None` if another dsr has purged the job since.
    fn involvement(&mut self, id: &JobId) -> Result<Option<Involvement>, Failure> {
        if let Some(known) = self.jobs.get(id) {
            return Ok(known.clone());
        }
        let found = match self.request(&id.request)? {
            Some(request) => {
                let job = self.ledger.find_job(id)?;
                let is_in_doubt = job.carried_out() == CarriedOut::Possibly;
                let tried = is_in_doubt.then(|| self.ledger.find_tried(id));
                Some(Involvement {
                    request,
                    job: Rc::new(job),
                    ended: self.ledger.find_ended(id)?,
                    doubt: tried.transpose()?.map(|tried| tried.doubt()),
                })
            }
            None => None,
        };
        self.jobs.insert(id.clone(), found.clone());
        Ok(found)
    }

    fn request(&mut self, id: &RequestId) -> Result<Option<Rc<RequestRecord>>, Failure> {
        if let Some(known) = self.requests.get(id) {
            return Ok(known.clone());
        }
        let found = self.ledger.find_request(id)?.map(Rc::new);
        self.requests.insert(id.clone(), found.clone());
        Ok(found)
    }
}
