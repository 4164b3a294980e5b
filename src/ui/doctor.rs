//! Shows the doctor's checks: problems first, each with the command that fixes it.

use serde::{Serialize, Serializer};
use serde_json::{Value, json};

use crate::domain::ExitStatus;
use crate::ui::drawing::paper::{Layout, Paper};
use crate::ui::drawing::tone::Tone;
use crate::ui::drawing::view::View;
use crate::ui::drawing::words::{plural, printable};
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

/// Everything the doctor checked.
pub struct DoctorView<'a> {
    pub checks: &'a [Check],
    pub settings: &'a [Setting],
}

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
        text.push_str("\nSettings\n");
        text.push_str(&self.settings_text(paper));
        text
    }

    fn json(&self) -> Value {
        let worst = self.checks.iter().map(|check| check.level).min();
        json!({ "doctor": {
            "level": worst.unwrap_or(Level::Fine),
            "checks": self.checks,
            "settings": self.settings,
        }})
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
