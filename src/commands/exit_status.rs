use serde_json::{Value, json};

use crate::domain::ExitStatus;
use crate::ui::{Failure, Paper, View};

use super::context::Context;
use super::failures::local_io;

/// What each exit status means; stable, for scripts
#[derive(clap::Args, Debug)]
#[command(long_about = table(), after_help = "Where several apply, the first of 6, 4, 7, 3, 9, 75, 8 wins.")]
pub(crate) struct ExitStatusArgs {}

pub(super) fn run(ctx: &Context, _: ExitStatusArgs) -> Result<ExitStatus, Failure> {
    ctx.ui
        .print(&StatusesView)
        .map_err(|error| local_io(&error))?;
    Ok(ExitStatus::Done)
}

fn table() -> String {
    let lines = ExitStatus::ALL.iter();
    let lines = lines.map(|status| format!("{:>5}  {}", status.code(), status.meaning()));
    let lines: Vec<String> = lines.collect();
    format!("Exit statuses, stable for scripts:\n\n{}", lines.join("\n"))
}

struct StatusesView;

impl View for StatusesView {
    fn human(&self, _: &Paper) -> String {
        format!("{}\n", table())
    }

    fn json(&self) -> Value {
        let statuses = ExitStatus::ALL.iter();
        let statuses = statuses.map(|s| json!({ "status": s.code(), "meaning": s.meaning() }));
        json!({ "exit_statuses": statuses.collect::<Vec<_>>() })
    }
}
