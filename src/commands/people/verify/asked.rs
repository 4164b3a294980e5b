//! Asks Mixpanel what it has of the people to verify: their profiles first, then all events.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Days, NaiveDate, Utc};

use super::scope::ToVerify;
use crate::commands::context::Context;
use crate::commands::failures::{
    NOT_VERIFIED, export_failure, profiles_failure, query_failure, usage,
};
use crate::domain::{
    DistinctId, DistinctIdError, ExitStatus, ExportWindow, LedgerKey, PersonHash, Project,
    ProjectId, ProjectZone, RequestId,
};
use crate::intake::{self, CheckOptions, Keep, OuterSpace, Pattern, Place, ReadOptions, Source};
use crate::ledger::{ErasedBy, Ledger};
use crate::mixpanel::{QueryClient, Timeouts};
use crate::ui::{Failure, plural, reading};
use crate::workflow::{self, Deletions, KnownIds, Searched, SuppressedIndex};

/// Events from so many days before a deletion show whether it erased what was there.
const DAYS_BEFORE: u64 = 7;

/// What to ask Mixpanel.
#[derive(clap::Args, Debug)]
pub(super) struct AskingArgs {
    /// The first day of the events [default: 8 days before the deletion was sent]; with `--events`, the
    /// first day that the files cover
    #[arg(long, value_name = "DATE")]
    from: Option<NaiveDate>,
    /// The last day of the events [default: today]; with `--events`, the last day that the files cover
    #[arg(long, value_name = "DATE")]
    to: Option<NaiveDate>,
    /// A list of ids as for `dsr delete`: also ask for the profiles of those people of the deletion
    /// who are in it
    #[arg(long, value_name = "FILE")]
    ids: Option<PathBuf>,
    /// How long to wait for the hour's next query
    #[arg(long, value_name = "DURATION", default_value = "15m", value_parser = humantime::parse_duration)]
    max_wait: Duration,
}

/// What is known of the people.
#[derive(Default)]
pub(super) struct Obtained {
    pub(super) searched: Searched,
    pub(super) window: Option<ExportWindow>,
    /// The days that the files cover, as the operator says.
    pub(super) covers: Option<ExportWindow>,
    pub(super) zone: ProjectZone,
    pub(super) profiles: HashMap<PersonHash, bool>,
}

pub(super) struct AskedCheck<'a> {
    pub(super) scope: &'a ToVerify,
    pub(super) index: &'a Arc<SuppressedIndex>,
    /// The key of the index.
    pub(super) key: &'a LedgerKey,
    pub(super) args: &'a AskingArgs,
}

impl AskingArgs {
    /// The days that files cover, if the operator names them.
    pub(super) fn days_of_files(&self, today: NaiveDate) -> Result<Option<ExportWindow>, Failure> {
        match (self.from, self.to) {
            (None, None) => Ok(None),
            (Some(from), Some(to)) => self.checked(ExportWindow { from, to }, today).map(Some),
            _ => Err(usage(
                "with `--events`, one of `--from` and `--to` is missing; nothing was checked",
            )
            .hint("name the first and the last day that the files cover: `--from DATE --to DATE`")),
        }
    }

    fn checked(&self, window: ExportWindow, today: NaiveDate) -> Result<ExportWindow, Failure> {
        let (is_turned, last) = (window.from > window.to, later(today));
        let what = match (self.from, self.to) {
            _ if window.to > last => "`--to` is in the future",
            (Some(_), None) if is_turned => "`--from` is in the future",
            (None, Some(_)) if is_turned => {
                "`--to` is before the first day of the events; add `--from`"
            }
            _ if is_turned => "`--from` is after `--to`",
            _ => return Ok(window),
        };
        Err(usage(format!("{what}; nothing was checked")))
    }
}

impl AskedCheck<'_> {
    pub(super) async fn ask(
        &self,
        ctx: &mut Context,
        ledger: &mut Ledger,
    ) -> Result<Obtained, Failure> {
        let project = self.project(ctx)?;
        let id = ctx.demand_project_id(&project)?;
        ctx.account_of(&project)?;
        let window = self.window(ctx, &project)?;
        let known = self.known(ctx, ledger)?;
        let client = ctx.query_client(&project, Timeouts::default())?;
        let target = (&client, id);
        self.note_plan(ctx, ledger, &project, (id, window, known.count()))?;
        ctx.interrupt.begin();
        let asked = self.ask_in_turn(ctx, ledger, (&project, target), (known, window));
        let asked = asked.await;
        ctx.interrupt.pause();
        asked
    }

    async fn ask_in_turn(
        &self,
        ctx: &Context,
        ledger: &mut Ledger,
        (project, target): (&Project, (&QueryClient, ProjectId)),
        (known, window): (KnownIds, ExportWindow),
    ) -> Result<Obtained, Failure> {
        let mut queries = ctx.queries(ledger, (project, target.1), self.args.max_wait);
        // Else the answers to the first would be lost.
        let enough = queries.demand_time(workflow::count_queries(known.count()) + 1);
        enough
            .await
            .map_err(|error| query_failure(error, NOT_VERIFIED))?;
        let mut profiles = HashMap::new();
        if known.count() > 0 {
            let found = known.find_profiles(&mut queries, target).await;
            profiles = found.map_err(|error| profiles_failure(error, NOT_VERIFIED))?;
            // The export has an entry of its own.
            queries.course.sent = 0;
        }
        let mut progress = reading(&ctx.ui);
        let people = (Arc::clone(self.index), self.key.hasher());
        let searched = workflow::search_export(
            &mut queries,
            target,
            (window, project.zone),
            people,
            &mut progress,
        )
        .await;
        drop(progress);
        Ok(Obtained {
            searched: searched.map_err(|error| export_failure(error, NOT_VERIFIED))?,
            window: Some(window),
            covers: None,
            zone: project.zone,
            profiles,
        })
    }

    /// The project, if it is still the one that the deletions were sent to.
    fn project(&self, ctx: &Context) -> Result<Project, Failure> {
        let project = ctx.resolve_named(&self.scope.project)?.project;
        let key = project.key();
        let mut requests = self.scope.requests.iter();
        match requests.all(|request| request.asked.project_key == key) {
            true => Ok(project),
            false => Err(usage(format!(
                "project `{}` has another token now than a deletion was sent with; nothing was checked",
                project.name
            ))
            .hint("check a raw export of the other project: `dsr verify REQUEST --events FILE`")),
        }
    }

    fn window(&self, ctx: &Context, project: &Project) -> Result<ExportWindow, Failure> {
        let today = project.zone.day(ctx.clock.now());
        let Some(sent) = self.first_sent() else {
            let mut groups = self
                .scope
                .requests
                .iter()
                .flat_map(|request| &request.groups);
            if groups.all(|group| group.state.is_final()) {
                let message = "no job of the deletion was done, and none is under way: it erased nobody; nothing was checked";
                return Err(Failure::new(ExitStatus::Failed, "not_done", message)
                    .hint("see why with `dsr status REQUEST`, and send the deletion again"));
            }
            let message =
                "Mixpanel has not reported any job of the deletion as done; nothing was checked";
            return Err(Failure::new(ExitStatus::Running, "running", message)
                .hint("run `dsr status`, and verify again once it is done"));
        };
        // A day more, since Mixpanel may count days in another time zone.
        let first = project.zone.day(sent) - Days::new(DAYS_BEFORE + 1);
        let window = ExportWindow {
            from: self.args.from.unwrap_or(first),
            to: self.args.to.unwrap_or(today),
        };
        self.args.checked(window, today)
    }

    /// When the first of the done jobs was sent.
    fn first_sent(&self) -> Option<DateTime<Utc>> {
        let ids = self.scope.ids();
        let people = self.index.people();
        let sent = people.filter_map(|deletions| first_sent(&ids, deletions));
        sent.min()
    }

    /// The people whose ids dsr knows: from the ledger while it keeps them, and from the list. Nobody
    /// else is asked about.
    fn known(&self, ctx: &Context, ledger: &Ledger) -> Result<KnownIds, Failure> {
        let mut known = KnownIds::new(self.key.hasher(), ctx.home.data());
        let ids = self.scope.ids();
        let is_done = |hash: &PersonHash| {
            let deletions = self.index.find(hash);
            deletions.is_some_and(|deletions| first_sent(&ids, deletions).is_some())
        };
        let mut failed = None;
        let mut keep = |id: &str| match known.put(id, is_done) {
            Ok(is_meant) => is_meant,
            Err(error) => {
                failed = Some(error);
                false
            }
        };
        let by = ErasedBy {
            project: &|name| *name == self.scope.project,
            since: None,
        };
        let erased = ledger.erased(self.key, &by)?;
        erased.visit(&mut |person| {
            // Another request's ids are there to be sent, and for nothing else.
            let job = &erased.jobs()[person.job as usize].job;
            let id = person.id.filter(|_| ids.contains(&job.request));
            id.map(&mut keep);
        })?;
        drop(erased);
        let (mut others, mut padded) = (0, 0);
        if let Some(path) = &self.args.ids {
            let mut hear = |_: Place<'_>, id: &str| {
                let is_other = !keep(id);
                let is_padded = DistinctId::new(id) == Err(DistinctIdError::OuterWhiteSpace);
                others += usize::from(is_other);
                padded += usize::from(is_other && is_padded);
            };
            read_list(ctx, path, &mut hear)?;
        }
        if let Some(error) = failed {
            return Err(error.into());
        }
        if padded > 0 {
            return Err(padded_ids(padded));
        }
        if others > 0 {
            let ids = plural(others, "id is", "ids are");
            ctx.ui.warn(
                "other_people",
                &format!(
                    "{ids} not of a person of this deletion, or the person's deletion is not done: dsr does not ask about them"
                ),
            );
        }
        Ok(known)
    }

    /// Says what will be asked, and how long that takes.
    fn note_plan(
        &self,
        ctx: &Context,
        ledger: &mut Ledger,
        project: &Project,
        (id, window, ids): (ProjectId, ExportWindow, usize),
    ) -> Result<(), Failure> {
        let queries = workflow::count_queries(ids) + 1;
        let planned = ctx.planned_queries(ledger, (project, id), queries)?;
        let profiles = match ids {
            0 => String::new(),
            ids => format!(" and the profiles of {}", plural(ids, "person", "people")),
        };
        ctx.ui.note(&format!(
            "Asking Mixpanel for the events from {} to {}{profiles}: {planned}.",
            window.from, window.to,
        ));
        Ok(())
    }
}

/// When the first of these requests' deletions of the person was sent that is done.
fn first_sent(ids: &HashSet<&RequestId>, deletions: Deletions<'_>) -> Option<DateTime<Utc>> {
    let meant = deletions.requests().filter(|request| ids.contains(request));
    let sent = meant.filter_map(|request| Some(deletions.period_in(request)?.0));
    sent.min()
}

/// The deletion has no such id. Without the white space, an id may be of a person of the deletion.
fn padded_ids(count: usize) -> Failure {
    let ids = plural(
        count,
        "id of the list begins or ends",
        "ids of the list begin or end",
    );
    let message =
        format!("{ids} with white space, and the deletion has no such id; nothing was checked");
    Failure::new(ExitStatus::Input, "bad_input", message)
        .hint("remove the white space from the list, and verify again")
}

/// Mixpanel may be a day ahead in its time zone.
fn later(day: NaiveDate) -> NaiveDate {
    day.succ_opt().unwrap_or(day)
}

/// Reads a list as `dsr delete` reads it, with ids of any look: the deletion accepted them, and nobody
/// else is asked about.
fn read_list(
    ctx: &Context,
    path: &Path,
    hear: &mut dyn FnMut(Place<'_>, &str),
) -> Result<(), Failure> {
    let sources = [Source::from_path(path)];
    let mut progress = reading(&ctx.ui);
    let options = ReadOptions {
        check: CheckOptions {
            outer_space: OuterSpace::Keep,
            pattern: Pattern::new("(?s:.*)").ok(),
            ..CheckOptions::default()
        },
        ..ReadOptions::default()
    };
    let read = intake::read(&sources, &[], &options, Keep::Heard(hear), &mut progress);
    drop(progress);
    read?;
    Ok(())
}
