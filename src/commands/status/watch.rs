//! `dsr status --watch`: asks about what is due, and shows changes that any dsr finds.

use std::collections::{HashMap, HashSet};
use std::time::{Duration, Instant};

use crate::commands::context::Context;
use crate::commands::failures::local_io;
use crate::commands::people::minimise;
use crate::domain::{ExitStatus, JobId, RequestId};
use crate::ledger::{Ledger, RequestRecord, Turn};
use crate::ui::{Beside, Failure, OutputFormat, Phase, Picture, Progress, ResultLines, Screen};
use crate::workflow::{self, RefreshTrouble, RunTally, Settles, SubmitReport};

use super::{StatusView, deadlines, outcome, polling};

/// How often dsr checks the size of the terminal.
const GLANCE: Duration = Duration::from_millis(200);
/// Reads the ledger at most this often, and for at most 1/`READ_PART` of the time.
const READ_EVERY: Duration = Duration::from_secs(1);
const READ_PART: u32 = 20;

pub(crate) async fn run(
    ctx: &mut Context,
    mut ledger: Ledger,
    mut view: StatusView,
    timeout: Option<Duration>,
) -> Result<ExitStatus, Failure> {
    let requests = view.read(ctx, &ledger)?;
    let projects = ctx.projects_of(&requests)?;
    let clients = ctx.clients(&projects)?;
    deadlines::warn_of_token_for(ctx, &ledger, &requests)?;
    // A second connection: the first is busy while it waits for an answer.
    let eyes = ctx.open_ledger()?;
    ctx.interrupt.begin();
    let scope = view.scope.clone();
    let screen = Screen::find(&ctx.ui);
    let troubles = match &screen {
        Some(screen) => {
            let mut run = ctx.run(&mut ledger, &clients, screen);
            tokio::select! {
                troubles = workflow::wait(&mut run, &scope, timeout) => troubles?,
                failure = redraw(ctx, &eyes, screen, &mut view) => return Err(failure),
            }
        }
        None => {
            let open = requests.iter();
            let open = open.map(|r| r.count_jobs(|group| group.state.is_followed()));
            let progress = Progress::start(&ctx.ui, Phase::Waiting, open.sum(), ResultLines::None);
            let mut lines = Changes::since_now(&eyes)?;
            let troubles = {
                let mut run = ctx.run(&mut ledger, &clients, &progress);
                tokio::select! {
                    troubles = workflow::wait(&mut run, &scope, timeout) => troubles?,
                    failure = lines.tell_for_ever(ctx, &eyes, &mut view) => return Err(failure),
                }
            };
            lines.tell(ctx, &eyes, &mut view)?;
            troubles
        }
    };
    if screen.is_none() {
        minimise::sweep(ctx, &mut ledger);
    }
    let status = conclude(ctx, &eyes, &mut view, screen.as_ref(), &troubles)?;
    // Its warnings belong below the last picture.
    if screen.is_some() {
        minimise::sweep(ctx, &mut ledger);
    }
    Ok(status)
}

/// Shows the last picture or the final result, and returns its status.
fn conclude(
    ctx: &Context,
    eyes: &Ledger,
    view: &mut StatusView,
    screen: Option<&Screen<'_>>,
    troubles: &[RefreshTrouble],
) -> Result<ExitStatus, Failure> {
    let signal = ctx.interrupt.signal();
    let requests = view.read(ctx, eyes)?;
    let clock = ctx.clock.as_ref();
    if let (Some(screen), Some(signal)) = (screen, signal) {
        draw(ctx, eyes, screen, view, &requests)?;
        screen.end();
        return Ok(signal.exit_status());
    }
    match screen {
        Some(screen) => {
            screen.clear().map_err(|error| local_io(&error))?;
            ctx.ui.print_requests(eyes, &requests, view.shown, clock)?;
        }
        None if ctx.ui.lines_format() == OutputFormat::Human => {
            ctx.ui.print_requests(eyes, &requests, view.shown, clock)?;
        }
        None => {
            let polling = polling(ctx, eyes, &view.scope)?;
            let beside = Beside {
                polling: Some(polling),
                ..Beside::default()
            };
            ctx.ui
                .print_objects(eyes, &requests, view.shown, beside, clock)?;
        }
    }
    if let Some(screen) = screen {
        screen.end();
    }
    let report = SubmitReport {
        settling: Settles::of(eyes, &requests, ctx.clock.now())?,
        waiting: workflow::list_seen_waiting(eyes, &requests, ctx.clock.now())?,
        requests,
        stops: Vec::new(),
        tally: RunTally::default(),
        signal,
    };
    Ok(outcome::tell(
        ctx,
        &report,
        troubles,
        outcome::FollowEnd::Watched,
    ))
}

async fn redraw(
    ctx: &Context,
    eyes: &Ledger,
    screen: &Screen<'_>,
    view: &mut StatusView,
) -> Failure {
    loop {
        let start = Instant::now();
        let drawn = view
            .read(ctx, eyes)
            .and_then(|requests| draw(ctx, eyes, screen, view, &requests));
        if let Err(failure) = drawn {
            return failure;
        }
        let pause = READ_EVERY.max(start.elapsed() * READ_PART);
        while start.elapsed() < pause && !screen.is_resized() {
            tokio::time::sleep(GLANCE).await;
        }
    }
}

fn draw(
    ctx: &Context,
    eyes: &Ledger,
    screen: &Screen<'_>,
    view: &StatusView,
    requests: &[RequestRecord],
) -> Result<(), Failure> {
    let now = ctx.clock.now();
    let next = eyes.find_next_check(&view.scope, Turn::Due, &[], now)?;
    Ok(screen.draw(&Picture {
        ledger: eyes,
        requests,
        shown: view.shown,
        polling: polling(ctx, eyes, &view.scope)?,
        next: next.map(|next| next.at),
        clock: ctx.clock.as_ref(),
    })?)
}

struct Changes {
    version: i64,
    standings: HashMap<JobId, String>,
}

impl Changes {
    fn since_now(eyes: &Ledger) -> Result<Self, Failure> {
        Ok(Self {
            version: eyes.find_version()?,
            standings: eyes.list_open_standings()?,
        })
    }

    async fn tell_for_ever(
        &mut self,
        ctx: &Context,
        eyes: &Ledger,
        view: &mut StatusView,
    ) -> Failure {
        loop {
            let start = Instant::now();
            if let Err(failure) = self.tell(ctx, eyes, view) {
                return failure;
            }
            tokio::time::sleep(READ_EVERY.max(start.elapsed() * READ_PART)).await;
        }
    }

    fn tell(&mut self, ctx: &Context, eyes: &Ledger, view: &mut StatusView) -> Result<(), Failure> {
        let version = eyes.find_version()?;
        if version == self.version {
            return Ok(());
        }
        self.version = version;
        let requests = view.read(ctx, eyes)?;
        let meant: HashSet<&RequestId> = requests.iter().map(|request| &request.id).collect();
        let before = std::mem::replace(&mut self.standings, eyes.list_open_standings()?);
        let moved = self
            .standings
            .iter()
            .filter(|(job, standing)| before.get(*job) != Some(standing));
        let ended = before
            .keys()
            .filter(|job| !self.standings.contains_key(*job));
        let mut changed: Vec<&JobId> = moved.map(|(job, _)| job).chain(ended).collect();
        changed.retain(|job| meant.contains(&job.request));
        changed.sort_by(|a, b| (&a.request, a.number).cmp(&(&b.request, b.number)));
        for job in changed {
            ctx.ui
                .print_change(&eyes.find_job(job)?)
                .map_err(|error| local_io(&error))?;
        }
        Ok(())
    }
}
