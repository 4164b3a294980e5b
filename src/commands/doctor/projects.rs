//! Checks the projects, and how Mixpanel answers each.

use std::time::Duration;

use crate::commands::context::Context;
use crate::commands::failures::renewal;
use crate::commands::status::outcome::ELIGIBLE;
use crate::config::{Mode, ResolveError, Resolved, resolve};
use crate::domain::{ExitStatus, Project};
use crate::ledger::Ledger;
use crate::mixpanel::Timeouts;
use crate::ui::{Check, Failure, Level, Phase, Progress, ResultLines, clocks_apart};
use crate::workflow::{self, MAX_SKEW, Probe, Probed};

/// Shorter than a command's: a person waits for the doctor.
pub(super) const TIMEOUTS: Timeouts = Timeouts {
    connect: Duration::from_secs(5),
    total: Duration::from_secs(20),
};

const NOT_ASKED: Probed = Probed {
    probe: Probe::Interrupted,
    ahead: None,
};

/// Resolves each project of `--project`, or all. A broken project does not hide the others.
pub(crate) fn resolve_each(ctx: &Context, checks: &mut Vec<Check>) -> Vec<Resolved> {
    let file = match ctx.projects_file() {
        Ok(file) => file,
        Err(failure) => {
            checks.push(Check::of_failure("config", &failure));
            return Vec::new();
        }
    };
    let chosen = resolve(&ctx.projects, &ctx.environment, &file, &ctx.mode);
    let (mut found, failed) = match chosen {
        Ok(found) => (found, None),
        Err(error) => (Vec::new(), Some(error)),
    };
    let mut names: Vec<String> = ctx.projects.clone();
    if names.is_empty() {
        names.extend(file.list().map(|(name, _)| name.to_owned()));
    }
    for name in names {
        let is_there = |resolved: &Resolved| resolved.project.name.as_str() == name;
        if found.iter().any(is_there) {
            continue;
        }
        match resolve(
            std::slice::from_ref(&name),
            &ctx.environment,
            &file,
            &ctx.mode,
        ) {
            Ok(more) => found.extend(more),
            Err(error) => {
                checks.push(Check::of_failure("project", &error.into()).of(name));
            }
        }
    }
    if let Some(error) = failed {
        let is_choice = matches!(error, ResolveError::NotChosen { .. });
        let mut check = Check::of_failure("project", &error.into());
        if is_choice {
            (check.level, check.status) = (Level::Warning, ExitStatus::Done);
        }
        // The loop above may have found the same problem.
        if !checks.iter().any(|known| known.message == check.message) {
            checks.push(check);
        }
    }
    for resolved in &found {
        checks.push(of_settings(resolved, &ctx.mode));
    }
    found
}

fn of_settings(resolved: &Resolved, mode: &Mode) -> Check {
    let project = &resolved.project;
    let check = match mode {
        Mode::Real if !project.token.has_documented_form() => Check::warning(
            "project",
            "its token does not look like a project token (32 hex digits)",
            "copy the project token from Mixpanel's project settings",
        ),
        Mode::Real | Mode::Sandbox { .. } => Check::fine(
            "project",
            format!("set up, region {}", project.region.as_str()),
        ),
    };
    check.of(project.name.as_str())
}

/// Reports what [`ask_each`] would have asked.
pub(crate) fn skip_each(resolved: &[Resolved], checks: &mut Vec<Check>) {
    for resolved in resolved {
        let check = Check::skipped("mixpanel", "not asked: `--offline`");
        checks.push(check.of(resolved.project.name.as_str()));
    }
    if !resolved.is_empty() {
        let message = "not compared with Mixpanel's: `--offline`";
        checks.push(Check::skipped("clock", message));
    }
}

/// Asks Mixpanel once for each project, within its pace.
pub(super) async fn ask_each(ctx: &mut Context, resolved: &[Resolved], checks: &mut Vec<Check>) {
    if resolved.is_empty() {
        return;
    }
    let is_broken = checks.iter().any(|check| {
        matches!(check.what, "ledger" | "ledger server" | "files")
            && check.status != ExitStatus::Done
    });
    let ledger = match is_broken {
        true => None,
        false => match ctx.ledger_to_ask() {
            Ok(ledger) => Some(ledger),
            Err(failure) => {
                checks.push(Check::of_failure("ledger", &failure));
                None
            }
        },
    };
    let Some(mut ledger) = ledger else {
        let message = "not asked: dsr needs the ledger to keep to the rate limit";
        let fix = "repair the ledger, then run `dsr doctor` again";
        checks.push(Check::warning("mixpanel", message, fix));
        return;
    };
    ctx.interrupt.begin();
    let mut ahead = None;
    for project in resolved.iter().map(|resolved| &resolved.project) {
        let name = project.name.as_str();
        match ask(ctx, &mut ledger, project).await {
            Ok((probed, renewal)) => {
                ahead = ahead.or(probed.ahead);
                checks.push(of_probe(ctx, project, &probed.probe, &renewal).of(name));
            }
            // The token checks report the reason.
            Err(failure) if failure.status == ExitStatus::Auth => {
                let message = "not asked: the project has no valid token";
                checks.push(Check::skipped("mixpanel", message).of(name));
            }
            Err(failure) => checks.push(Check::of_failure("ledger", &failure)),
        }
        if ctx.interrupt.signal().is_some() {
            return;
        }
    }
    checks.extend(ahead.map(of_clock));
}

async fn ask(
    ctx: &mut Context,
    ledger: &mut Ledger,
    project: &Project,
) -> Result<(Probed, String), Failure> {
    let clients = ctx.clients_within(std::slice::from_ref(project), TIMEOUTS)?;
    let key = project.key();
    let progress = Progress::start(&ctx.ui, Phase::Asking, 1, ResultLines::None);
    let mut run = ctx.run(ledger, &clients, &progress);
    match clients.get(&key) {
        Some(client) => {
            let token = client.token();
            let renewal = renewal(token.origin(), token.name());
            Ok((workflow::probe(&mut run, client).await?, renewal))
        }
        None => Ok((NOT_ASKED, String::new())),
    }
}

/// `renewal` says how to replace the token.
fn of_probe(ctx: &Context, project: &Project, probe: &Probe, renewal: &str) -> Check {
    const WHAT: &str = "mixpanel";
    let region = project.region.as_str();
    let again = "run `dsr doctor` again later";
    match probe {
        Probe::NotHere if !ctx.is_sandbox() => Check::fine(
            WHAT,
            format!(
                "accepts the token. dsr cannot check region `{region}`: compare it in Mixpanel"
            ),
        ),
        Probe::Welcome | Probe::NotHere => Check::fine(WHAT, "accepts the token"),
        Probe::NotAllowed { http_status: 401 } => Check::problem(
            WHAT,
            ExitStatus::Auth,
            format!("refuses the OAuth token (401); region `{region}` may be wrong, too"),
            renewal,
        ),
        Probe::NotAllowed { http_status } => Check::problem(
            WHAT,
            ExitStatus::Auth,
            format!("does not allow this token in the project ({http_status})"),
            format!("{ELIGIBLE}; as that person, {renewal}"),
        ),
        Probe::Odd { status } => Check::warning(
            WHAT,
            format!(
                "reports `{}` for a task that does not exist: is {} Mixpanel?",
                status.as_str(),
                project.api_url.as_str()
            ),
            "check DSR_API_URL and the proxy",
        ),
        Probe::RateLimited => Check::warning(WHAT, "not asked: Mixpanel's rate limit (429)", again),
        Probe::Unreachable { reason } => {
            let fix = match (&ctx.environment.proxy, project.api_url.is_loopback()) {
                (Some(proxy), false) => {
                    format!("check the network and the proxy in {}", proxy.variable)
                }
                (_, _) => "check the network".to_owned(),
            };
            let message = format!("cannot be reached: {reason}");
            Check::problem(WHAT, ExitStatus::Temporary, message, fix)
        }
        Probe::Interrupted => Check::skipped(WHAT, "not asked: interrupted"),
    }
}

fn of_clock(ahead: chrono::TimeDelta) -> Check {
    match ahead.abs() > MAX_SKEW {
        true => Check::warning(
            "clock",
            format!("{}, and due dates depend on it", clocks_apart(ahead)),
            "set the clock, for example with `timedatectl set-ntp true`",
        ),
        false => Check::fine("clock", "agrees with Mixpanel's"),
    }
}
