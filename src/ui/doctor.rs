//! Shows the doctor's checks: problems first, each with the command that fixes it.

use std::collections::BTreeSet;

use serde::{Serialize, Serializer};
use serde_json::{Value, json};

use crate::domain::{CopyName, ExitStatus, ProjectName};
use crate::mixpanel::{CopyKind, CopyState, ListedCopy, Words};
use crate::ui::drawing::paper::{Layout, Paper};
use crate::ui::drawing::tone::Tone;
use crate::ui::drawing::view::View;
use crate::ui::drawing::words::{plural, printable, shell_word};
use crate::ui::failures::failure::Failure;

/// How a check came out; the order is worst first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// Something will not work.
    Problem,
    /// Works, but needs attention.
    Warning,
    #[serde(rename = "ok")]
    Fine,
    /// Not checked.
    Skipped,
}

/// One thing that was checked.
#[derive(Debug, Clone, Serialize)]
pub struct Check {
    /// What was checked: a stable word for scripts, such as `token`.
    #[serde(rename = "check")]
    pub what: &'static str,
    pub subject: Option<String>,
    pub level: Level,
    pub message: String,
    /// What to do, with the command to run.
    pub fix: Option<String>,
    /// The exit status of a problem.
    #[serde(rename = "exit_status", serialize_with = "code")]
    pub status: ExitStatus,
}

fn code<S: Serializer>(status: &ExitStatus, serializer: S) -> Result<S::Ok, S::Error> {
    status.code().serialize(serializer)
}

impl Check {
    pub fn fine(what: &'static str, message: impl Into<String>) -> Self {
        Self {
            what,
            subject: None,
            level: Level::Fine,
            message: message.into(),
            fix: None,
            status: ExitStatus::Done,
        }
    }

    pub fn skipped(what: &'static str, message: impl Into<String>) -> Self {
        Self {
            level: Level::Skipped,
            ..Self::fine(what, message)
        }
    }

    pub fn warning(what: &'static str, message: impl Into<String>, fix: impl Into<String>) -> Self {
        Self {
            level: Level::Warning,
            fix: Some(fix.into()),
            ..Self::fine(what, message)
        }
    }

    pub fn problem(
        what: &'static str,
        status: ExitStatus,
        message: impl Into<String>,
        fix: impl Into<String>,
    ) -> Self {
        Self {
            level: Level::Problem,
            status,
            ..Self::warning(what, message, fix)
        }
    }

    /// The failure that a command would end with.
    pub fn of_failure(what: &'static str, failure: &Failure) -> Self {
        let causes = failure.causes.iter().map(|cause| format!(": {cause}"));
        let message = failure.message.clone() + &causes.collect::<String>();
        Self {
            fix: failure.hint.clone(),
            ..Self::problem(what, failure.status, message, "")
        }
    }

    /// Names which one of several it is about.
    #[must_use]
    pub fn of(mut self, subject: impl Into<String>) -> Self {
        self.subject = Some(subject.into());
        self
    }
}

/// A setting's value, and where it came from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Setting {
    /// Its name in the config file, or a similar word.
    pub name: &'static str,
    pub project: Option<String>,
    pub value: String,
    /// `flag`, `config_file`, `region`, `default`, or the name of a variable.
    pub from: &'static str,
}

/// Where else a project's data is, as far as Mixpanel lists it. `None` is a list that dsr could not
/// read.
#[derive(Debug)]
pub struct ProjectCopies {
    project: ProjectName,
    pub pipelines: Option<Vec<ListedCopy>>,
    pub warehouse_imports: Option<Vec<ListedCopy>>,
    /// No known list may lack a copy that Mixpanel lists.
    pub is_complete: bool,
}

impl ProjectCopies {
    /// Nobody was asked yet.
    pub fn unknown(project: &ProjectName) -> Self {
        Self {
            project: project.clone(),
            pipelines: None,
            warehouse_imports: None,
            is_complete: true,
        }
    }

    fn object(&self) -> Value {
        let list = |copies: &Option<Vec<ListedCopy>>| {
            let copies = copies.as_ref()?.iter().map(|copy| {
                json!({
                    "name": copy.name.as_str(),
                    "state": copy.state.as_str(),
                    "about": copy.about.iter().map(Words::as_str).collect::<Vec<_>>(),
                    "to_do": to_do(copy),
                })
            });
            Some(copies.collect::<Vec<_>>())
        };
        let is_known = self.pipelines.is_some() && self.warehouse_imports.is_some();
        json!({
            "project": self.project.as_str(),
            "complete": self.is_complete && is_known,
            "pipelines": list(&self.pipelines),
            "warehouse_imports": list(&self.warehouse_imports),
        })
    }

    /// The command that records the copies that Mixpanel runs, and how many of them it cannot name.
    fn command(&self, paper: &Paper) -> String {
        let lists = [&self.pipelines, &self.warehouse_imports];
        let copies = lists.into_iter().flatten().flatten();
        let running = copies.filter(|copy| copy.state != CopyState::Deleted);
        let names: Vec<_> = running.map(|copy| CopyName::new(&name_of(copy))).collect();
        let unnamed = names.iter().filter(|name| name.is_err()).count();
        let named: BTreeSet<CopyName> = names.into_iter().flatten().collect();
        let flags: String = named
            .iter()
            .map(|name| format!(" --copy {}", shell_word(name.as_str())))
            .collect();
        let own = match unnamed {
            0 => String::new(),
            _ => format!(
                " {} a name that `--copy` does not take: choose a name for each, such as `--copy bucket`.",
                plural(unnamed, "copy has", "copies have")
            ),
        };
        match (flags.is_empty(), own.is_empty()) {
            (true, true) => String::new(),
            (true, false) => paper.wrapped("", own.trim_start()),
            (false, _) => paper.wrapped(
                "",
                &format!("When all of them are dealt with: `dsr answered REQUEST{flags}`.{own}"),
            ),
        }
    }

    /// A checklist; empty if Mixpanel lists no copy, or nothing is known.
    fn text(&self, paper: &Paper) -> String {
        let lists = [&self.pipelines, &self.warehouse_imports];
        let mut facts = paper.facts(2, 1);
        let (tick, arrow) = match paper.layout {
            Layout::Columns => ("-", "→ "),
            Layout::Plain => ("Copy", ""),
        };
        for copy in lists.into_iter().flatten().flatten() {
            let state = match copy.state {
                CopyState::Unknown => None,
                known => Some(known.as_str()),
            };
            let about = copy.about.iter().map(Words::as_str);
            let about: Vec<&str> = state.into_iter().chain(about).collect();
            let text = format!("{}: {}", name_of(copy), about.join(", "));
            facts.add(tick, &printable(text.trim_end_matches(": ")));
            facts.add_below("To do", &format!("{arrow}{}", to_do(copy)));
        }
        match facts.into_text() {
            text if text.is_empty() => text,
            text => format!(
                "\nCopies of the data of {}\n{text}{}",
                self.project,
                self.command(paper)
            ),
        }
    }
}

/// How the doctor, and the command that it prints, name a copy.
fn name_of(copy: &ListedCopy) -> String {
    let kind = match copy.kind {
        CopyKind::Pipeline => "pipeline",
        CopyKind::WarehouseImport => "warehouse",
    };
    format!("{kind} {}", copy.name)
}

fn to_do(copy: &ListedCopy) -> &'static str {
    match (copy.kind, copy.state) {
        (_, CopyState::Deleted) => "nothing: Mixpanel no longer runs it",
        (CopyKind::Pipeline, _) => {
            "erase the people at its destination, too: a deletion at Mixpanel does not reach it"
        }
        (CopyKind::WarehouseImport, _) if is_in_mode(copy, "one_time") => {
            "erase the people in the warehouse, too: somebody may start this import again"
        }
        (CopyKind::WarehouseImport, CopyState::Paused) => {
            "erase the people in the warehouse before anybody resumes the import"
        }
        (CopyKind::WarehouseImport, _) if is_in_mode(copy, "mirror_mode") => {
            "erase the rows in the warehouse first: the import then also removes them in Mixpanel"
        }
        (CopyKind::WarehouseImport, CopyState::Active | CopyState::Unknown) => {
            "erase the people in the warehouse first: the next import can bring them back"
        }
    }
}

fn is_in_mode(copy: &ListedCopy, mode: &str) -> bool {
    let mode = format!("mode: {mode}");
    copy.about.iter().any(|word| word.as_str() == mode)
}

/// Everything the doctor checked.
pub struct DoctorView<'a> {
    pub checks: &'a [Check],
    pub settings: &'a [Setting],
    /// Only if they were asked for.
    pub copies: Option<&'a [ProjectCopies]>,
}

const BEYOND_THE_LISTS: &str = "Mixpanel lists no cohort sync and no exported file, and may lack pipelines made in its pages: `dsr guide copies`.";

/// The width of `Problem`.
const WIDTH: usize = 7;

impl View for DoctorView<'_> {
    fn human(&self, paper: &Paper) -> String {
        let mut text = String::new();
        let (wrong, fine): (Vec<&Check>, Vec<&Check>) = self
            .checks
            .iter()
            .partition(|check| check.level < Level::Fine);
        // In plain layout a check takes several lines, so a blank line follows each.
        let apart = match paper.layout {
            Layout::Columns => "",
            Layout::Plain => "\n",
        };
        for check in &wrong {
            text.push_str(&lines_of(check, paper));
            text.push_str(apart);
        }
        if !wrong.is_empty() && apart.is_empty() {
            text.push('\n');
        }
        text.push_str(&self.summary());
        for check in &fine {
            text.push_str(&lines_of(check, paper));
        }
        if let Some(copies) = self.copies {
            text.extend(copies.iter().map(|copies| copies.text(paper)));
            text.push('\n');
            text.push_str(&paper.wrapped("", BEYOND_THE_LISTS));
        }
        text.push_str("\nSettings\n");
        text.push_str(&self.settings_text(paper));
        text
    }

    fn json(&self) -> Value {
        let worst = self.checks.iter().map(|check| check.level).min();
        let mut doctor = json!({
            "level": worst.unwrap_or(Level::Fine),
            "checks": self.checks,
            "settings": self.settings,
        });
        if let Some(copies) = self.copies {
            doctor["copies"] = copies.iter().map(ProjectCopies::object).collect();
        }
        json!({ "doctor": doctor })
    }
}

impl DoctorView<'_> {
    /// Never folds a line: people copy paths and addresses.
    fn settings_text(&self, paper: &Paper) -> String {
        let name = |setting: &Setting| match &setting.project {
            Some(project) => format!("{project} {}", setting.name),
            None => setting.name.to_owned(),
        };
        let names: Vec<String> = self.settings.iter().map(name).collect();
        let longest = names.iter().map(String::len).max().unwrap_or(0);
        let wide = Paper {
            width: None,
            ..*paper
        };
        let mut facts = wide.facts(2, longest);
        for (name, setting) in names.iter().zip(self.settings) {
            let value = printable(&setting.value);
            let from = match setting.from {
                "config_file" => "config file",
                other => other,
            };
            facts.add(name, &format!("{value}  ({from})"));
        }
        facts.into_text()
    }

    fn summary(&self) -> String {
        let count = |level| {
            let checks = self.checks.iter();
            checks.filter(|check| check.level == level).count()
        };
        let (problems, warnings) = (count(Level::Problem), count(Level::Warning));
        let fine = plural(count(Level::Fine), "check is", "checks are");
        let mut wrong = Vec::new();
        if problems > 0 {
            wrong.push(plural(problems, "problem", "problems"));
        }
        if warnings > 0 {
            wrong.push(plural(warnings, "warning", "warnings"));
        }
        let skipped = match count(Level::Skipped) {
            0 => String::new(),
            skipped => format!(" {} skipped.", plural(skipped, "check", "checks")),
        };
        match wrong.is_empty() {
            true => format!("Nothing is wrong: {fine} fine.{skipped}\n"),
            false => format!("{}; {fine} fine.{skipped}\n", wrong.join(", ")),
        }
    }
}

fn lines_of(check: &Check, paper: &Paper) -> String {
    let (heading, tone) = match check.level {
        Level::Problem => ("Problem", Tone::Bad),
        Level::Warning => ("Warning", Tone::Attention),
        Level::Fine => ("ok", Tone::Good),
        Level::Skipped => ("skipped", Tone::Attention),
    };
    let subject = check.subject.as_ref();
    let subject = subject.map_or_else(String::new, |subject| format!(" {subject}"));
    let message = printable(&format!("{}{subject}: {}", check.what, check.message));
    let mut facts = paper.facts(0, WIDTH);
    facts.add(heading, &message);
    let arrow = match paper.layout {
        Layout::Columns => "→ ",
        Layout::Plain => "",
    };
    if let Some(fix) = &check.fix {
        facts.add_below("Fix", &format!("{arrow}{}", printable(fix)));
    }
    // Color would count as width, so the label is colored after the layout.
    facts.into_text().replacen(heading, &tone.paint(heading), 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn findings_fit_the_terminal_and_commands_stay_whole() {
        let check = Check::problem(
            "token",
            ExitStatus::Auth,
            "Mixpanel turned the token in the keyring away on a day long ago, and since then again",
            "make a new one in Mixpanel, then run `dsr auth login --name a-name-that-is-long-enough`",
        )
        .of("acme");
        let paper = Paper {
            width: Some(60),
            layout: Layout::Columns,
            program: "dsr",
        };
        let text = lines_of(&check, &paper);
        let text = anstream::adapter::strip_str(&text).to_string();
        let lines: Vec<&str> = text.lines().collect();
        assert!(lines.len() >= 3, "{text}");
        assert!(lines[..lines.len() - 1].iter().all(|line| line.len() <= 60));
        assert!(
            lines[lines.len() - 1].ends_with("`dsr auth login --name a-name-that-is-long-enough`")
        );
        assert!(lines[1].starts_with("         "), "{text}");
        let width = None;
        let piped = lines_of(&check, &Paper { width, ..paper });
        assert_eq!(piped.lines().count(), 2);
        let layout = Layout::Plain;
        let plain = lines_of(
            &check,
            &Paper {
                width,
                layout,
                ..paper
            },
        );
        assert!(plain.contains("\nFix: make a new one"), "{plain}");
    }
}
