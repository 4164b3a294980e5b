//! Completion: the shells' scripts, and the words that the scripts ask for.

mod words;

use clap_complete::Shell;

use crate::commands::context::Context;
use crate::commands::failures::local_io;
use crate::domain::ExitStatus;
use crate::ui::{Failure, ScriptView};

pub(crate) use words::{COMPLETE, complete};

/// Print the completion script of a shell
///
/// In bash, zsh and fish, the script also completes projects, tokens and sources. It completes
/// requests by the beginning of their ids, newest first, and only requests that the command can
/// use. It completes tasks from the third character. It reads the config file and the ledger, and
/// changes nothing.
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  dsr completions bash > ~/.local/share/bash-completion/completions/dsr
  dsr completions zsh > ~/.zfunc/_dsr       # a folder in fpath
  dsr completions fish > ~/.config/fish/completions/dsr.fish
  dsr completions powershell >> $PROFILE")]
pub(crate) struct CompletionsArgs {
    /// The shell
    shell: Shell,
}

pub(crate) fn run(
    ctx: &Context,
    args: CompletionsArgs,
    tree: clap::Command,
) -> Result<ExitStatus, Failure> {
    let script = match args.shell {
        Shell::Bash => include_str!("bash.sh").to_owned(),
        Shell::Zsh => include_str!("zsh.sh").to_owned(),
        Shell::Fish => include_str!("fish.fish").to_owned(),
        other => fixed(other, tree),
    };
    let shell = args.shell.to_string();
    let view = ScriptView { shell, script };
    ctx.ui.print(&view).map_err(|error| local_io(&error))?;
    Ok(ExitStatus::Done)
}

/// Returns a script that knows commands and flags, and does not call dsr for words.
fn fixed(shell: Shell, mut tree: clap::Command) -> String {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut tree, "dsr", &mut script);
    String::from_utf8_lossy(&script).into_owned()
}
