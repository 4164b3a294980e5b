//! Renders the Markdown reference from the clap tree and the topics' pages.

use std::fmt::Write;

use clap::{Arg, Command};
use dsr::ui::{Example, HelpPart, examples_of};

const HEAD: &str = "\
# Reference

Made from the program itself: `dsr help COMMAND` and `dsr help TOPIC` say the same. The options that
every command takes are under [dsr](#dsr).

";

pub(crate) fn markdown() -> String {
    let mut tree = dsr::cli::tree();
    tree.build();
    let mut text = HEAD.to_owned();
    contents(&mut text, &tree);
    command(&mut text, &tree);
    for page in dsr::cli::pages() {
        // These are documents of their own.
        let told = match page.name {
            "json" => "[docs/schemas](schemas/README.md) has it.\n".to_owned(),
            "runbooks" => "The [guide](guide/README.md) has them.\n".to_owned(),
            _ => page.markdown(),
        };
        write!(text, "\n## {}\n\n{}.\n\n{told}", page.name, page.title).unwrap();
    }
    text
}

fn shown(command: &Command) -> impl Iterator<Item = &Command> {
    let below = command.get_subcommands();
    below.filter(|below| !below.is_hide_set())
}

fn name_of(command: &Command) -> &str {
    command.get_bin_name().unwrap_or("dsr")
}

fn link(name: &str) -> String {
    format!("[{name}](#{})", name.replace(' ', "-"))
}

fn contents(text: &mut String, tree: &Command) {
    text.push_str("| command | |\n|---|---|\n");
    let mut row = |command: &Command| {
        let about = command.get_about().map(ToString::to_string);
        let link = link(name_of(command));
        writeln!(text, "| {link} | {} |", about.unwrap_or_default()).unwrap();
    };
    for command in shown(tree) {
        row(command);
        shown(command).for_each(&mut row);
    }
    text.push_str("\n| topic | |\n|---|---|\n");
    for page in dsr::cli::pages() {
        writeln!(text, "| {} | {} |", link(page.name), page.title).unwrap();
    }
}

fn command(text: &mut String, command: &Command) {
    let is_root = name_of(command) == "dsr";
    writeln!(text, "\n## {}\n", name_of(command)).unwrap();
    let about = command.get_long_about().or_else(|| command.get_about());
    writeln!(text, "{}", about.unwrap()).unwrap();
    let usage = command.clone().render_usage().to_string();
    let usage = usage.trim_start_matches("Usage: ");
    writeln!(text, "\n```text\n{usage}\n```").unwrap();
    let arguments: Vec<&Arg> = command
        .get_arguments()
        .filter(|arg| !arg.is_hide_set())
        .filter(|arg| {
            is_root
                || !(arg.is_global_set() || ["help", "version"].contains(&arg.get_id().as_str()))
        })
        .collect();
    options(text, &arguments);
    examples(text, command);
    for below in shown(command) {
        self::command(text, below);
    }
}

/// Options without a heading first, then heading by heading.
fn options(text: &mut String, arguments: &[&Arg]) {
    let mut headings: Vec<Option<&str>> = vec![None];
    for argument in arguments {
        let heading = argument.get_help_heading();
        if !headings.contains(&heading) {
            headings.push(heading);
        }
    }
    for heading in headings {
        let mut under = arguments.iter();
        let mut under = under
            .by_ref()
            .filter(|arg| arg.get_help_heading() == heading)
            .peekable();
        if under.peek().is_none() {
            continue;
        }
        writeln!(text, "\n| {} | |\n|---|---|", heading.unwrap_or("Options")).unwrap();
        for argument in under {
            writeln!(text, "| `{}` | {} |", spelled(argument), told(argument)).unwrap();
        }
    }
}

/// `-q, --quiet`, `--region <REGION>`, `SOURCE...`
fn spelled(argument: &Arg) -> String {
    let mut text = argument.to_string();
    if let Some(short) = argument
        .get_short()
        .filter(|_| argument.get_long().is_some())
    {
        text = format!("-{short}, {text}");
    }
    text.replace('|', "\\|")
}

fn told(argument: &Arg) -> String {
    let help = argument.get_long_help().or_else(|| argument.get_help());
    let mut text = help.map(ToString::to_string).unwrap_or_default();
    let values = argument.get_possible_values();
    let takes_value = argument
        .get_num_args()
        .is_some_and(|range| range.takes_values());
    if takes_value && !values.is_empty() {
        let values = values.iter().map(|value| match value.get_help() {
            Some(help) => format!("`{}` ({help})", value.get_name()),
            None => format!("`{}`", value.get_name()),
        });
        let values: Vec<String> = values.collect();
        text.push_str(&format!(": {}", values.join(", ")));
    }
    let defaults = argument.get_default_values();
    if takes_value && !argument.is_hide_default_value_set() && !defaults.is_empty() {
        let defaults: Vec<_> = defaults
            .iter()
            .map(|value| value.to_string_lossy())
            .collect();
        text.push_str(&format!(" [default: {}]", defaults.join(", ")));
    }
    text.replace("\n\n", "<br>")
        .replace('\n', " ")
        .replace('|', "\\|")
}

fn examples(text: &mut String, command: &Command) {
    let mut lines = String::new();
    for part in examples_of(command) {
        let HelpPart::Examples(examples) = part else {
            continue;
        };
        for Example { line, meaning } in examples {
            if line.contains("dsr ") || line == "dsr" {
                let meaning = meaning.map(|meaning| format!("# {meaning}\n"));
                writeln!(lines, "{}{line}", meaning.unwrap_or_default()).unwrap();
            }
        }
    }
    writeln!(text, "\n```sh\n{lines}```").unwrap();
}
