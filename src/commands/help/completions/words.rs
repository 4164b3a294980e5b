//! Prints the words that fit at the cursor: one a line, with its description after a tab.
//!
//! Prints no errors: the operator is typing. No word is a person's id: the shell completes sources.

use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};
use std::io::Write;
use std::sync::Arc;

use clap::{Arg, Command, ValueHint};
use clap_complete::engine::{self, ArgValueCompleter, CompletionCandidate};

use crate::commands::help::topics;
use crate::config::{Environment, Home, ProjectsFile};
use crate::ledger::{Candidate, Candidates, Fitting};
use crate::ui::printable;

/// The hidden first argument that shell scripts use.
pub(crate) const COMPLETE: &str = "__complete";

/// Let the shell complete: it knows about `~`, quotes and hidden files.
const FILES: &str = "//files";
const FOLDERS: &str = "//folders";

/// In characters. A ledger may have a hundred thousand tasks, so shorter words match none.
const TASK_CHARACTERS: usize = 3;

/// Writes the words that fit in the place of the last of `words`, which follow the program's name.
pub(crate) fn complete(tree: Command, words: &[OsString], out: &mut impl Write) {
    let place = Arc::new(TypingPlace::of(words, &tree));
    let mut tree = with_words(tree, &[], &place);
    let all = [OsString::from("dsr")]
        .into_iter()
        .chain(words.iter().cloned());
    let found = engine::complete(&mut tree, all.collect(), words.len(), None);
    let current = words.last().map(|word| word.to_string_lossy());
    let wants_flag = current.is_some_and(|word| word.starts_with('-'));
    let mut found = found.unwrap_or_default();
    // Offers flags where the word begins with `-`, or where nothing else fits.
    let is_flag =
        |found: &CompletionCandidate| found.get_value().to_string_lossy().starts_with('-');
    if wants_flag || !found.iter().all(is_flag) {
        found.retain(|candidate| is_flag(candidate) == wants_flag);
    }
    let mut text = String::new();
    for candidate in found {
        text.push_str(&line(&candidate));
    }
    // The shell may have gone away.
    drop(out.write_all(text.as_bytes()));
}

/// Drops a word with control characters: it would break the format.
fn line(candidate: &CompletionCandidate) -> String {
    let word = candidate.get_value().to_string_lossy();
    if word.contains(char::is_control) {
        return String::new();
    }
    let help = candidate.get_help().map(ToString::to_string);
    match help.as_deref().and_then(|help| help.lines().next()) {
        Some(help) => format!("{word}\t{}\n", printable(&help.replace('\t', " "))),
        None => format!("{word}\n"),
    }
}

/// What is known at the cursor; files are read on first use.
struct TypingPlace {
    home: Option<Home>,
    projects: Vec<String>,
    /// Subcommands and topics that can follow `dsr help` and `dsr man`.
    told_of: Vec<(String, String)>,
}

impl TypingPlace {
    fn of(words: &[OsString], tree: &Command) -> Self {
        let words: Vec<&str> = words.iter().filter_map(|word| word.to_str()).collect();
        let home = Environment::from_process().ok();
        let home = home.and_then(|environment| Home::locate(environment.home.as_deref()).ok());
        let home = match words.contains(&"--sandbox") {
            true => home.map(|home| home.sandbox()),
            false => home,
        };
        // The last word is still being typed.
        let whole = &words[..words.len().saturating_sub(1)];
        let behind = whole.windows(2).filter(|pair| pair[0] == "--project");
        let behind = behind.map(|pair| pair[1]);
        let joined = whole
            .iter()
            .filter_map(|word| word.strip_prefix("--project="));
        Self {
            home,
            projects: behind.chain(joined).map(str::to_owned).collect(),
            told_of: told_of(tree, whole),
        }
    }

    fn projects_file(&self) -> Option<ProjectsFile> {
        ProjectsFile::load(self.home.as_ref()?.config_file()).ok()
    }

    fn project_names(&self) -> Vec<CompletionCandidate> {
        let Some(file) = self.projects_file() else {
            return Vec::new();
        };
        let names = file.list().map(|(name, entry)| {
            let region = entry.region.map(|region| region.as_str().to_owned());
            CompletionCandidate::new(name).help(region.map(Into::into))
        });
        names.collect()
    }

    /// Only names in the config file: reading the keyring may ask for a password.
    fn token_names(&self) -> Vec<CompletionCandidate> {
        let Some(file) = self.projects_file() else {
            return Vec::new();
        };
        let named = file.list().filter_map(|(_, entry)| entry.auth.as_ref());
        let named = named.chain(file.default_auth()).map(ToString::to_string);
        let names: BTreeSet<String> = named.chain(["main".to_owned()]).collect();
        names.into_iter().map(CompletionCandidate::new).collect()
    }

    fn requests(&self, fitting: Fitting, tasks: Tasks, typed: &str) -> Vec<CompletionCandidate> {
        let ledger = self.home.as_ref().map(Home::ledger);
        let Some(ledger) = ledger.and_then(|path| Candidates::open(&path)) else {
            return Vec::new();
        };
        let mut found = ledger.requests(fitting, typed, &self.projects);
        if tasks == Tasks::Too && typed.chars().count() >= TASK_CHARACTERS {
            found.extend(ledger.tasks(typed));
        }
        found.into_iter().zip(0..).map(described).collect()
    }
}

/// Returns what can follow `dsr help auth` and the like.
fn told_of(tree: &Command, words: &[&str]) -> Vec<(String, String)> {
    let mut words = words.iter();
    if !words.any(|word| matches!(*word, "help" | "man")) {
        return Vec::new();
    }
    let mut command = tree;
    let mut titles: Vec<(&str, &str)> = topics::titles().collect();
    for word in words {
        let Some(below) = command.find_subcommand(word) else {
            return Vec::new();
        };
        command = below;
        titles.clear();
    }
    let below = command
        .get_subcommands()
        .filter(|below| !below.is_hide_set());
    let about = |below: &Command| {
        below
            .get_about()
            .map(ToString::to_string)
            .unwrap_or_default()
    };
    let below = below.map(|below| (below.get_name().to_owned(), about(below)));
    let titles = titles
        .into_iter()
        .map(|(name, title)| (name.to_owned(), title.to_owned()));
    below.chain(titles).collect()
}

/// Whether a task id may be typed in place of its request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Tasks {
    Too,
    Not,
}

/// Keeps the order in which they were found.
fn described((candidate, place): (Candidate, usize)) -> CompletionCandidate {
    let Candidate {
        name,
        kind,
        law,
        project,
        state,
        reference,
    } = candidate;
    let mut help = format!("{} {}, {project}, {state}", kind.as_str(), law.title());
    if let Some(reference) = reference {
        help.push_str(&format!(", {reference}"));
    }
    CompletionCandidate::new(name)
        .help(Some(help.into()))
        .display_order(Some(place))
}

/// Adds to each argument the words that fit there.
fn with_words(command: Command, above: &[&str], place: &Arc<TypingPlace>) -> Command {
    let name = command.get_name().to_owned();
    let names = [above, &[name.as_str()]].concat();
    command
        .mut_args(|arg| match completer(&names, &arg, place) {
            Some(completer) => arg.add(completer),
            None => arg,
        })
        .mut_subcommands(|below| with_words(below, &names, place))
}

/// Chooses by the argument's value name, so a new command needs no code here.
fn completer(names: &[&str], arg: &Arg, place: &Arc<TypingPlace>) -> Option<ArgValueCompleter> {
    let value = arg.get_value_names().and_then(|names| names.first());
    let value = value.map_or("", |name| name.as_str());
    let command = names.last().copied().unwrap_or_default();
    let above = names.len().checked_sub(2).map(|place| names[place]);
    let is_name = arg.get_id() == "name";
    let place = Arc::clone(place);
    Some(match (above, arg.get_id().as_str()) {
        (_, "project") => starting(move |_| place.project_names()),
        (Some("project"), "name") if command != "add" => starting(move |_| place.project_names()),
        (Some("project"), "auth") => starting(move |_| place.token_names()),
        (Some("auth"), "name") => starting(move |_| place.token_names()),
        _ if is_name && value.contains("REQUEST") => {
            let fitting = match command {
                "cancel" => Fitting::Cancel,
                "resume" => Fitting::Resume,
                "extend" => Fitting::Extend,
                "download" => Fitting::Download,
                _ => Fitting::Any,
            };
            let tasks = match value.contains("TASK_ID") {
                true => Tasks::Too,
                false => Tasks::Not,
            };
            starting(move |typed| place.requests(fitting, tasks, typed))
        }
        _ if value.contains("COMMAND") => starting(move |_| {
            let named = place.told_of.iter().zip(0..);
            let candidate = |((name, about), order): (&(String, String), usize)| {
                CompletionCandidate::new(name)
                    .help(Some(about.into()))
                    .display_order(Some(order))
            };
            named.map(candidate).collect()
        }),
        _ if value == "DIR" => paths(FOLDERS),
        _ if value == "SOURCE" || arg.get_value_hint() == ValueHint::AnyPath => paths(FILES),
        _ => return None,
    })
}

fn starting(
    words: impl Fn(&str) -> Vec<CompletionCandidate> + Send + Sync + 'static,
) -> ArgValueCompleter {
    ArgValueCompleter::new(move |typed: &OsStr| {
        let Some(typed) = typed.to_str() else {
            return Vec::new();
        };
        let mut words = words(typed);
        words.retain(|word| word.get_value().to_string_lossy().starts_with(typed));
        words
    })
}

fn paths(mark: &'static str) -> ArgValueCompleter {
    ArgValueCompleter::new(move |_: &OsStr| vec![CompletionCandidate::new(mark)])
}
