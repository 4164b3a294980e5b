//! Puts clap's errors in our words: one table from its kinds to ours.
//!
//! Repeats what was typed only if it is close to a word of ours, looks like an option, or is a
//! date. Anything else may be a token or an id in the wrong place, and the screen may be a log
//! file.

use std::ffi::OsString;

use chrono::NaiveDate;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Arg, ArgAction, Command, Error};

use crate::domain::{ExitStatus, is_close};
use crate::ui::{Failure, HelpPart, examples_of};

use super::misread;

/// What an option expects, by the name of its value.
const VALUES: [(&str, &str); 4] = [
    ("DATE", "a date such as `2026-11-29`"),
    ("DURATION", "a duration such as `30s`, `15m` or `2h`"),
    ("N", "a whole number"),
    ("YEAR", "a year such as `2026`"),
];

/// Other tools' names for our options.
const HABITS: [(&str, &str); 4] = [
    ("-y", "yes"),
    ("--force", "yes"),
    ("--confirm", "yes"),
    ("-n", "dry-run"),
];

/// Other words for our commands.
const OTHER_COMMANDS: [(&str, &str); 4] = [
    ("erase", "delete"),
    ("forget", "delete"),
    ("access", "export"),
    ("list", "status"),
];

/// Why an option has no default, by the first option of the group that needs one.
const REASONS: [(&str, &str); 1] = [(
    "--gdpr",
    "the law decides what Mixpanel does, so there is no default",
)];

/// Options that need another argument, and which.
const DEPENDENT: [(&str, &str); 11] = [
    ("--checked", "--split"),
    ("--zip", "--split"),
    ("--ids", "--split"),
    ("--checked", "REQUEST"),
    ("--ids", "REQUEST"),
    ("--again", "REQUEST"),
    ("--task", "REQUEST"),
    ("--send-again", "REQUEST"),
    ("--abandon", "REQUEST"),
    ("--show-ids", "REQUEST"),
    ("--with-ids", "REQUEST"),
];

struct Typed<'t> {
    /// Such as `dsr project add`.
    path: String,
    command: &'t Command,
    options: Vec<String>,
    words: Vec<String>,
}

struct UsageFinding {
    message: String,
    hint: String,
}

/// Explains an error of clap's. `tree` must be built.
pub(super) fn failure(error: &Error, tree: &Command, args: &[OsString]) -> Failure {
    let typed = Typed::of(tree, args);
    let mut words = typed.words.iter();
    // A typographic dash always means an option, whatever clap makes of it.
    let dash = words.find_map(|word| misread::dash(word, typed.command));
    let finding = dash.map(|(message, hint)| UsageFinding { message, hint });
    let UsageFinding { message, hint } = finding.unwrap_or_else(|| match error.kind() {
        ErrorKind::UnknownArgument => typed.unknown_argument(error),
        ErrorKind::InvalidSubcommand => typed.unknown_command(error),
        ErrorKind::MissingRequiredArgument => typed.missing(error),
        ErrorKind::ArgumentConflict => typed.conflict(error),
        ErrorKind::InvalidValue => typed.not_among(error),
        ErrorKind::ValueValidation => typed.bad_value(error),
        ErrorKind::TooManyValues | ErrorKind::TooFewValues | ErrorKind::WrongNumberOfValues => {
            typed.miscounted(error)
        }
        ErrorKind::MissingSubcommand | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            typed.found("no command is given".to_owned())
        }
        ErrorKind::InvalidUtf8 => typed.found("an argument is not valid UTF-8".to_owned()),
        // clap adds kinds, and has kinds that dsr does not use.
        _ => typed.found("dsr cannot read this command line".to_owned()),
    });
    let message = format!("{message}; nothing was done");
    Failure::new(ExitStatus::Usage, "usage", message).hint(hint)
}

impl<'t> Typed<'t> {
    fn of(tree: &'t Command, args: &[OsString]) -> Self {
        let mut typed = Self {
            path: tree.get_name().to_owned(),
            command: tree,
            options: Vec::new(),
            words: Vec::new(),
        };
        let mut words = args.iter().skip(1).map(|word| word.to_string_lossy());
        while let Some(word) = words.next() {
            typed.words.push(word.clone().into_owned());
            if word.starts_with('-') {
                let takes_value = typed.arg(&word).is_some_and(|arg| {
                    !word.contains('=')
                        && matches!(arg.get_action(), ArgAction::Set | ArgAction::Append)
                });
                typed.options.push(word.into_owned());
                if takes_value {
                    words.next();
                }
            } else if let Some(command) = typed.command.find_subcommand(&*word) {
                typed.path = format!("{} {}", typed.path, command.get_name());
                typed.command = command;
            }
        }
        typed
    }

    /// Finds the option that a text begins with, such as `--received <DATE>`.
    fn arg(&self, shown: &str) -> Option<&'t Arg> {
        let word = shown.split([' ', '=']).next().unwrap_or(shown);
        let long = word.strip_prefix("--")?;
        let mut args = self.command.get_arguments();
        args.find(|arg| arg.get_long() == Some(long))
    }

    fn help(&self) -> String {
        let listed = match self.command.has_subcommands() {
            true => "commands",
            false => "options",
        };
        format!("`{} --help` lists the {listed}", self.path)
    }

    fn found(&self, message: String) -> UsageFinding {
        UsageFinding {
            message,
            hint: self.help(),
        }
    }

    fn meant(&self, message: String, meant: Option<String>) -> UsageFinding {
        let mut found = self.found(message);
        if let Some(meant) = meant {
            found.hint = format!("did you mean `{meant}`? {}", found.hint);
        }
        found
    }

    fn unknown_argument(&self, error: &Error) -> UsageFinding {
        let path = &self.path;
        let Some(word) = text(error, ContextKind::InvalidArg) else {
            return self.found(format!("`{path}` cannot take all of these arguments"));
        };
        if !word.starts_with('-') {
            return self.found(format!("`{path}` takes no further argument"));
        }
        let habit = HABITS.iter().find(|(other, _)| *other == word);
        let habit = habit.map(|(_, ours)| format!("--{ours}"));
        let habit = habit.filter(|ours| self.arg(ours).is_some());
        let similar = text(error, ContextKind::SuggestedArg).map(str::to_owned);
        let meant = habit.or(similar);
        let message = match meant.is_some() || is_option(word) {
            true if is_plain(word) => format!("`{path}` has no option `{word}`"),
            _ => format!("`{path}` has no such option"),
        };
        self.meant(message, meant)
    }

    fn unknown_command(&self, error: &Error) -> UsageFinding {
        let word = text(error, ContextKind::InvalidSubcommand).unwrap_or_default();
        let other = OTHER_COMMANDS.iter().find(|(other, _)| *other == word);
        let other = other.map(|(_, ours)| (*ours).to_owned());
        let other = other.filter(|ours| self.command.find_subcommand(ours).is_some());
        let similar = other.or(most_similar(error, ContextKind::SuggestedSubcommand));
        let message = match &similar {
            Some(_) if is_plain(word) => format!("there is no command `{} {word}`", self.path),
            _ => "there is no such command".to_owned(),
        };
        let meant = similar.map(|similar| format!("{} {similar}", self.path));
        self.meant(message, meant)
    }

    fn missing(&self, error: &Error) -> UsageFinding {
        let all = list(error, ContextKind::InvalidArg);
        let needed: Vec<Vec<String>> = all.iter().map(|shown| alternatives(shown)).collect();
        let mut reasons = REASONS.iter();
        let reason = reasons.find(|(option, _)| needed.iter().flatten().any(|one| one == option));
        let reason = reason.map_or_else(String::new, |(_, reason)| format!(": {reason}"));
        let texts: Vec<String> = needed.iter().map(|one| either(one)).collect();
        let mut message = format!("`{}` needs {}{reason}", self.path, texts.join(", and "));
        if let [one] = needed.as_slice()
            && let Some((option, beside)) = self.dependent(one)
        {
            let beside = match beside {
                "REQUEST" => "a request".to_owned(),
                option => format!("`{option}`"),
            };
            message = format!("`{option}` needs {beside}");
        }
        let mut found = self.found(message);
        if let Some(example) = self.example(&needed) {
            found.hint = format!("for example `{example}`; {}", found.hint);
        }
        found
    }

    /// Finds an option that was typed and needs `needed` beside it.
    fn dependent(&self, needed: &[String]) -> Option<(&'static str, &'static str)> {
        let is_typed = |option: &str| self.options.iter().any(|typed| name_of(typed) == option);
        let is_needed = |word: &str| needed.iter().any(|one| one.split(' ').next() == Some(word));
        let mut all = DEPENDENT.iter().copied();
        all.find(|(option, beside)| is_typed(option) && is_needed(beside))
    }

    /// Returns the command's first example with what is needed and most of the typed options.
    fn example(&self, needed: &[Vec<String>]) -> Option<String> {
        let parts = examples_of(self.command).into_iter();
        let examples = parts.flat_map(|part| match part {
            HelpPart::Examples(examples) => examples,
            HelpPart::Prose(_) => Vec::new(),
        });
        let rated = examples.filter_map(|example| {
            let has = |option: &str| example.line.split_whitespace().any(|word| word == option);
            let is_there = |one: &String| !one.starts_with('-') || has(name_of(one));
            let fits = needed.iter().all(|either| either.iter().any(is_there));
            let missed = self.options.iter().filter(|option| !has(option)).count();
            fits.then_some((missed, example.line.clone()))
        });
        let best = rated.min_by_key(|(missed, _)| *missed);
        best.map(|(_, line)| line)
    }

    fn conflict(&self, error: &Error) -> UsageFinding {
        let this = text(error, ContextKind::InvalidArg).map(|shown| either(&alternatives(shown)));
        let this = this.unwrap_or_else(|| "an option".to_owned());
        let others = list(error, ContextKind::PriorArg).into_iter();
        let others: Vec<String> = others.map(|shown| either(&alternatives(&shown))).collect();
        if others.is_empty() || others.contains(&this) {
            let name = name_of(this.trim_matches('`'));
            let message = format!("`{name}` is given twice");
            let hint = "give it once".to_owned();
            return UsageFinding { message, hint };
        }
        UsageFinding {
            message: format!("{this} and {} cannot be used together", others.join(", ")),
            hint: format!("leave one of them out; {}", self.help()),
        }
    }

    /// Reports a value that is missing, or is not one of the allowed values.
    fn not_among(&self, error: &Error) -> UsageFinding {
        let shown = text(error, ContextKind::InvalidArg).unwrap_or_default();
        let name = name_of(shown);
        let values = list(error, ContextKind::ValidValue);
        let takes = match values.is_empty() {
            true => self.takes(shown),
            false => Some(either(&values)),
        };
        let is_missing = text(error, ContextKind::InvalidValue).is_none_or(str::is_empty);
        let message = match (is_missing, takes) {
            (true, Some(takes)) => format!("`{name}` needs a value: {takes}"),
            (true, None) => format!("`{name}` needs a value"),
            (false, Some(takes)) => format!("`{name}` takes {takes}"),
            (false, None) => format!("the value of `{name}` cannot be used"),
        };
        let typed = text(error, ContextKind::InvalidValue).unwrap_or_default();
        let similar = most_similar(error, ContextKind::SuggestedValue);
        // clap also suggests words that are far off.
        let similar = similar.filter(|one| is_close(typed, one));
        self.meant(message, similar)
    }

    fn bad_value(&self, error: &Error) -> UsageFinding {
        let shown = text(error, ContextKind::InvalidArg).unwrap_or_default();
        let name = name_of(shown);
        let value = text(error, ContextKind::InvalidValue).unwrap_or_default();
        // A regular expression's error draws the place first; its last line has the reason.
        let source = std::error::Error::source(error).map(ToString::to_string);
        let reason = source.as_deref().and_then(|text| text.lines().last());
        let reason = reason.map(|text| text.trim_start_matches("error: "));
        let mut message = match (self.takes(shown), reason) {
            (Some(takes), _) => format!("`{name}` takes {takes}"),
            (None, Some(reason)) => format!("the value of `{name}` cannot be used: {reason}"),
            (None, None) => format!("the value of `{name}` cannot be used"),
        };
        if !is_date_like(value) {
            return self.found(message);
        }
        message.push_str(&format!(", not `{value}`"));
        self.meant(
            message,
            iso_date(value).map(|date| format!("{name} {date}")),
        )
    }

    fn miscounted(&self, error: &Error) -> UsageFinding {
        let shown = text(error, ContextKind::InvalidArg).unwrap_or_default();
        let name = name_of(shown);
        let takes_value = shown.contains('<');
        self.found(match takes_value {
            true => format!("`{name}` takes a different number of values"),
            false => format!("`{name}` takes no value"),
        })
    }

    fn takes(&self, shown: &str) -> Option<String> {
        let names = self.arg(shown)?.get_value_names()?;
        let known = VALUES
            .iter()
            .find(|(name, _)| names.iter().any(|n| n == name));
        known.map(|(_, takes)| (*takes).to_owned())
    }
}

/// Returns `--received` for `--received <DATE>`.
fn name_of(shown: &str) -> &str {
    match shown.starts_with("--") {
        true => shown.split([' ', '=']).next().unwrap_or(shown),
        false => shown.trim_start_matches('<').trim_end_matches('>'),
    }
}

/// Returns the choices in `<SOURCE|--file <PATH>|--id <ID>>`.
fn alternatives(shown: &str) -> Vec<String> {
    let inner = match shown
        .strip_prefix('<')
        .and_then(|rest| rest.strip_suffix('>'))
    {
        Some(inner) => inner,
        None => shown,
    };
    // `<REQUEST | TASK_ID>` is the name of one argument.
    let one_by_one: Vec<String> = match inner.contains(" | ") {
        true => vec![inner.to_owned()],
        false => inner.split('|').map(str::to_owned).collect(),
    };
    let plain = one_by_one.iter().map(|one| one.replace(['<', '>'], ""));
    plain.collect()
}

fn either(all: &[String]) -> String {
    let quoted: Vec<String> = all.iter().map(|one| format!("`{one}`")).collect();
    match quoted.as_slice() {
        [] => String::new(),
        [one] => one.clone(),
        [most @ .., last] => format!("{} or {last}", most.join(", ")),
    }
}

fn text(error: &Error, kind: ContextKind) -> Option<&str> {
    match error.get(kind)? {
        ContextValue::String(text) => Some(text),
        _ => None,
    }
}

fn list(error: &Error, kind: ContextKind) -> Vec<String> {
    match error.get(kind) {
        Some(ContextValue::Strings(all)) => all.clone(),
        Some(ContextValue::String(one)) => vec![one.clone()],
        _ => Vec::new(),
    }
}

/// clap lists suggestions with the most similar last.
fn most_similar(error: &Error, kind: ContextKind) -> Option<String> {
    list(error, kind).pop()
}

/// Whether a word consists of the characters that our own words use.
fn is_plain(word: &str) -> bool {
    let is_ours = |c: char| c.is_ascii_lowercase() || c == '-';
    word.len() <= 24 && word.chars().all(is_ours)
}

/// clap gives an option as `--word`, or as one letter: `-annemiller` comes as `-a`.
fn is_option(word: &str) -> bool {
    word.starts_with("--") || word.len() == 2
}

/// Whether a text can only be a date: `29.11.2026`, `2026/11/9`.
fn is_date_like(text: &str) -> bool {
    let parts: Vec<&str> = text.split(['.', '/', '-']).collect();
    let is_part = |part: &&str| {
        matches!(part.len(), 1 | 2 | 4) && part.bytes().all(|byte| byte.is_ascii_digit())
    };
    parts.len() == 3 && parts.iter().all(is_part)
}

/// Returns the date if a text can mean only one: `3/4/2026` is in March or in April.
fn iso_date(text: &str) -> Option<NaiveDate> {
    let parts = text.split(['.', '/', '-']);
    let parts: Vec<u32> = parts.map(|part| part.parse().ok()).collect::<Option<_>>()?;
    let date = |year: u32, month, day| {
        let year = i32::try_from(year).ok().filter(|year| *year >= 1000)?;
        NaiveDate::from_ymd_opt(year, month, day)
    };
    let &[one, two, three] = parts.as_slice() else {
        return None;
    };
    let readings = match text.contains('.') {
        true => vec![date(three, two, one)],
        false => vec![
            date(one, two, three),
            date(three, two, one),
            date(three, one, two),
        ],
    };
    let mut readings: Vec<NaiveDate> = readings.into_iter().flatten().collect();
    readings.dedup();
    match readings.as_slice() {
        [only] => Some(*only),
        _ => None,
    }
}
