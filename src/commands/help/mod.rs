//! What there is to read: help, topics, man pages, the guide, completions.

pub(super) mod completions;
pub(super) mod guide;
pub(super) mod man;
mod man_reader;
pub(crate) mod topics;

use crate::commands::context::Context;
use crate::commands::failures::{local_io, usage};
use crate::domain::{ExitStatus, most_like};
use crate::ui::{CommandView, Failure, for_the_screen};

/// Show the help of a command or a topic
///
/// Without an argument, dsr lists the commands and topics. `dsr help topics` lists only the topics.
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  dsr help                     the commands
  dsr help auth login          one command
  dsr help topics              the topics
  dsr help exit-status         one topic
  dsr help exit-status --json  one topic, for a program")]
pub(crate) struct HelpArgs {
    /// A command, such as `auth login`, or a topic
    #[arg(value_name = "COMMAND | TOPIC")]
    words: Vec<String>,
}

pub(crate) fn run(
    ctx: &Context,
    args: &HelpArgs,
    tree: clap::Command,
) -> Result<ExitStatus, Failure> {
    let page = match &args.words[..] {
        [word] => topics::find(word, Some(&ctx.home)),
        _ => None,
    };
    let printed = match page {
        Some(page) => ctx.ui.print(&page),
        None => {
            let mut tree = for_the_screen(tree);
            tree.build();
            let mut command = find(&tree, &args.words)?;
            ctx.ui.print(&CommandView {
                title: command.get_about().map(ToString::to_string),
                name: command.get_bin_name().unwrap_or("dsr").to_owned(),
                help: command.render_long_help(),
            })
        }
    };
    printed.map_err(|error| local_io(&error))?;
    Ok(ExitStatus::Done)
}

/// Finds the command that these words name. The error suggests a command and does not repeat the
/// words: one may be an id.
pub(crate) fn find(tree: &clap::Command, words: &[String]) -> Result<clap::Command, Failure> {
    let mut command = tree;
    let mut path = String::new();
    for word in words {
        let Some(below) = command.find_subcommand(word) else {
            let topics = match path.is_empty() {
                true => topics::names().chain(topics::pages()).collect(),
                false => Vec::new(),
            };
            let below = command.get_subcommands().map(|below| below.get_name());
            let failure = usage("there is no such command or topic");
            return Err(match most_like(word, below.chain(topics)) {
                Some(meant) => failure.hint(format!("did you mean `dsr help {path}{meant}`?")),
                None => failure.hint("see `dsr help` and `dsr help topics`"),
            });
        };
        path.push_str(word);
        path.push(' ');
        command = below;
    }
    Ok(command.clone())
}
