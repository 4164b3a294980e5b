//! Checks the server of a shared ledger.

use chrono::TimeDelta;

use crate::commands::context::Context;
use crate::commands::context::holders::{self, NO_STANDBY, START_STANDBY};
use crate::commands::failures::no_sealing_key;
use crate::commands::people::minimise;
use crate::domain::ExitStatus;
use crate::ledger::{
    ServerHealth, ServerReport, ServerRights, SharedLedger, StandbyState, examine_shared,
};
use crate::ui::{Check, Failure, duration};

use super::local;

/// Every host goes by the server's clock, so a wrong one moves due dates for all.
const CLOCKS_APART: TimeDelta = TimeDelta::seconds(30);

pub(super) fn check(ctx: &Context, shared: &SharedLedger) -> Vec<Check> {
    let now = ctx.host_clock.now();
    let health = match examine_shared(&ctx.opening(), shared, ctx.lock_timeout, now) {
        Ok(health) => health,
        Err(error) => {
            let failure = holders::name(ctx, Failure::from(error));
            return vec![Check::of_failure("ledger", &failure)];
        }
    };
    if let Err(failure) = ctx.demand_no_unfinished_move() {
        return vec![Check::of_failure("ledger", &failure)];
    }
    let mut checks = local::of_whole(&shared.to_string(), &health);
    let Some(server) = &health.server else {
        return checks;
    };
    checks.push(of_report(&server.report));
    checks.extend(of_rights(&server.report));
    checks.extend(of_standby(&server.report));
    checks.extend(of_clock(ctx, server));
    if server.report.may != ServerRights::Read {
        checks.extend(of_key(ctx, health.key.as_deref()));
    }
    checks
}

fn of_report(report: &ServerReport) -> Check {
    if !report.is_durable {
        return Check::problem(
            "ledger server",
            ExitStatus::LocalIo,
            "the server may lose what it has committed: `fsync` or `full_page_writes` is off",
            "switch both on in the server's configuration, then restart it",
        );
    }
    let ServerReport { version, user, .. } = report;
    let millis = report.round_trip.as_secs_f64() * 1000.0;
    let message = format!("PostgreSQL {version}, as `{user}`, {millis:.1} ms away");
    Check::fine("ledger server", message)
}

fn of_rights(report: &ServerReport) -> Option<Check> {
    match report.may {
        ServerRights::Owner | ServerRights::Write => None,
        ServerRights::Superuser => Some(Check::warning(
            "ledger server",
            "dsr is a superuser on this server and could do anything there",
            "use a role of its own: see “Share the ledger with your team” in the runbooks",
        )),
        ServerRights::Read => Some(Check::warning(
            "ledger server",
            "this user may only read the ledger, and can send nothing",
            "to send, use the role of an operator",
        )),
    }
}

fn of_standby(report: &ServerReport) -> Option<Check> {
    match report.standby {
        StandbyState::Connected => None,
        StandbyState::NotDemanded => Some(Check::warning(
            "ledger server",
            "no synchronous standby: if this server is lost, the newest entries may be lost with it",
            "set `synchronous_standby_names`; after any restore or failover run `dsr ledger accept`",
        )),
        StandbyState::Missing => Some(Check::problem(
            "ledger server",
            ExitStatus::Locked,
            NO_STANDBY,
            START_STANDBY,
        )),
    }
}

fn of_clock(ctx: &Context, server: &ServerHealth) -> Option<Check> {
    let ahead = ctx.host_clock.now() - server.now;
    (ahead.abs() > CLOCKS_APART).then(|| {
        let apart = duration(ahead.abs().to_std().unwrap_or_default());
        let side = match ahead < TimeDelta::zero() {
            true => "behind",
            false => "ahead of",
        };
        let message = format!(
            "this machine's clock is {apart} {side} the server's, by which dsr goes on every host"
        );
        Check::warning("ledger server", message, "set the clock that is wrong")
    })
}

/// Without the ledger's own key this host can neither send nor find a person.
fn of_key(ctx: &Context, known: Option<&str>) -> Option<Check> {
    let problem = |message: String, fix: String| {
        Some(Check::problem(
            "ledger key",
            ExitStatus::Usage,
            message,
            fix,
        ))
    };
    match (
        minimise::ledger_key(ctx, crate::credentials::IfNone::Leave),
        known,
    ) {
        (Ok((key, _)), Some(known)) if key.fingerprint() != known => problem(
            format!(
                "this host has the key {}, and the ledger uses the key {known}",
                key.fingerprint()
            ),
            "copy the ledger's key from another host: `dsr auth ledger-key --help`".to_owned(),
        ),
        (Ok(_), _) => None,
        (Err(error), _) => problem(
            format!("this host cannot send or find anybody: {error}"),
            no_sealing_key(&error),
        ),
    }
}
