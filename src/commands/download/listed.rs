//! `--ids`: the people of a request from a file, each compared with what the ledger knows.

use std::collections::HashMap;
use std::path::Path;

use crate::commands::context::Context;
use crate::commands::people::minimise;
use crate::domain::{DistinctId, ExitStatus, JobId};
use crate::intake::{self, CheckOptions, Keep, OuterSpace, Pattern, Place, ReadOptions, Source};
use crate::ledger::{JobRecord, Ledger, LedgerError, RequestRecord, Standing, WantedPeople};
use crate::ui::{Failure, plural, reading};

/// The people of each job, in the order of the list.
pub(crate) type PeopleOfJobs = HashMap<JobId, Vec<DistinctId>>;

/// The most places of ids that a message names.
const MOST_PLACES: usize = 5;

/// Reads the list and gives each id to its job: by the kept ids, or by their keyed hashes. Refuses
/// a list that lacks an id of the request or has another one.
pub(super) fn read_people(
    ctx: &Context,
    ledger: &Ledger,
    request: &RequestRecord,
    path: &Path,
) -> Result<PeopleOfJobs, Failure> {
    let key = match ledger.has_hashed_people(&request.id)? {
        true => Some(minimise::people_key(ctx, ledger)?),
        false => None,
    };
    let mut wanted = WantedPeople::new(key.as_ref());
    let mut listed: Vec<(DistinctId, Option<u64>)> = Vec::new();
    let mut hear = |place: Place<'_>, id: &str| {
        if let Some(id) = DistinctId::restore(id)
            && wanted.add(id.expose()).is_ok()
        {
            listed.push((id, place.line.or(place.element)));
        }
    };
    let mut progress = reading(&ctx.ui);
    let keep = Keep::Heard(&mut hear);
    // The ledger decides which values are ids, whatever they look like.
    let check = CheckOptions {
        outer_space: OuterSpace::Keep,
        pattern: Pattern::new("(?s).*").ok(),
        ..CheckOptions::default()
    };
    let options = ReadOptions {
        check,
        ..ReadOptions::default()
    };
    intake::read(
        &[Source::from_path(path)],
        &[],
        &options,
        keep,
        &mut progress,
    )?;
    drop(progress);

    let mut jobs_of: Vec<Option<JobId>> = vec![None; listed.len()];
    for sighting in ledger.find_people_of(&request.id, &wanted)? {
        if let Some(job) = jobs_of.get_mut(sighting.person as usize) {
            *job = Some(sighting.job);
        }
    }
    let mut people = PeopleOfJobs::new();
    let mut strangers = Vec::new();
    for ((id, line), job) in listed.into_iter().zip(jobs_of) {
        match job {
            Some(job) => people.entry(job).or_default().push(id),
            None => strangers.push(line),
        }
    }
    let jobs = ledger.jobs(&request.id, Standing::Any);
    let jobs: Vec<JobRecord> = jobs.collect::<Result<_, LedgerError>>()?;
    let found = |job: &JobRecord| people.get(&job.id).map_or(0, Vec::len);
    let absent = jobs.iter().map(|job| job.ids.saturating_sub(found(job)));
    match (strangers.as_slice(), absent.sum()) {
        ([], 0) => Ok(people),
        (strangers, absent) => Err(another_list(path, strangers, absent)),
    }
}

/// `strangers` has the lines of the ids that are not in the request.
fn another_list(path: &Path, strangers: &[Option<u64>], absent: usize) -> Failure {
    let are = |count: usize| if count == 1 { "is" } else { "are" };
    let of_strangers = (!strangers.is_empty()).then(|| {
        let count = strangers.len();
        let ids = plural(count, "id", "ids");
        format!(
            "{ids} {} not in the request{}",
            are(count),
            places(strangers)
        )
    });
    let of_absent = (absent > 0).then(|| {
        let ids = plural(absent, "id", "ids");
        format!("{ids} of the request {} not in the list", are(absent))
    });
    let parts = [of_strangers, of_absent].into_iter().flatten();
    let message = format!(
        "`{}` is not the list of this request: {}. Nothing was fetched or split",
        path.display(),
        parts.collect::<Vec<_>>().join(", and ")
    );
    Failure::new(ExitStatus::Input, "bad_input", message).hint(
        "name the list that was exported, with each id as Mixpanel has it; look an id up with `dsr find`",
    )
}

/// ` (lines 4, 9, …)`
fn places(lines: &[Option<u64>]) -> String {
    let known: Vec<u64> = lines.iter().copied().flatten().collect();
    let shown = known.iter().take(MOST_PLACES).map(u64::to_string);
    let shown = shown.collect::<Vec<_>>().join(", ");
    let more = if known.len() > MOST_PLACES {
        ", …"
    } else {
        ""
    };
    match known.len() {
        0 => String::new(),
        1 => format!(" (line {shown})"),
        _ => format!(" (lines {shown}{more})"),
    }
}
