use clap_complete::Shell;
use serde_json::{Value, json};

use crate::domain::ExitStatus;
use crate::ui::{Failure, Paper, View};

use super::context::Context;
use super::failures::local_io;

/// Print the completion script of a shell
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  dsr completions bash > ~/.local/share/bash-completion/completions/dsr
  dsr completions zsh > ~/.zfunc/_dsr
  dsr completions fish > ~/.config/fish/completions/dsr.fish
  dsr completions powershell >> $PROFILE")]
pub(crate) struct CompletionsArgs {
    /// Which shell
    shell: Shell,
}

pub(super) fn run(
    ctx: &Context,
    args: CompletionsArgs,
    mut tree: clap::Command,
) -> Result<ExitStatus, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut tree, "dsr", &mut script);
    let view = ScriptView {
        shell: args.shell,
        script: String::from_utf8_lossy(&script).into_owned(),
    };
    ctx.ui.print(&view).map_err(|error| local_io(&error))?;
    Ok(ExitStatus::Done)
}

struct ScriptView {
    shell: Shell,
    script: String,
}

impl View for ScriptView {
    fn human(&self, _: &Paper) -> String {
        self.script.clone()
    }

    fn json(&self) -> Value {
        let shell = self.shell.to_string();
        json!({ "completions": { "shell": shell, "script": self.script } })
    }
}
