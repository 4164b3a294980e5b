//! Lays out the examples under a command's help.

use console::measure_text_width;

use crate::ui::drawing::terminal::{Stream, width_of};
use crate::ui::drawing::words::wrapped;

use super::page::READABLE;

const INDENT: &str = "  ";
const BELOW: &str = "      ";

/// Prose or examples under a command's help.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HelpPart {
    Prose(String),
    Examples(Vec<Example>),
}

/// A command line, and what it does if that is not obvious.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Example {
    /// May have several lines, each but the last ending in `\`.
    pub line: String,
    pub meaning: Option<String>,
}

/// Returns the parts under the long help of a command.
pub fn examples_of(command: &clap::Command) -> Vec<HelpPart> {
    let long = command.get_after_long_help();
    let text = long.or_else(|| command.get_after_help());
    parts_of(&text.map(ToString::to_string).unwrap_or_default())
}

/// Reads the text under a command's help. Indented lines are examples, with their meaning after two
/// or more spaces; other lines are prose.
fn parts_of(text: &str) -> Vec<HelpPart> {
    let mut parts: Vec<HelpPart> = Vec::new();
    for line in text.lines() {
        let Some(example) = line.strip_prefix(INDENT) else {
            parts.push(HelpPart::Prose(line.to_owned()));
            continue;
        };
        let goes_on = |example: &Example| example.line.ends_with('\\');
        match parts.last_mut() {
            Some(HelpPart::Examples(examples)) => match examples.last_mut() {
                Some(last) if goes_on(last) => {
                    last.line.push('\n');
                    last.line.push_str(example);
                }
                _ => examples.push(example_of(example)),
            },
            _ => parts.push(HelpPart::Examples(vec![example_of(example)])),
        }
    }
    parts
}

fn example_of(line: &str) -> Example {
    match line.split_once("  ") {
        Some((line, meaning)) => Example {
            line: line.to_owned(),
            meaning: Some(meaning.trim().to_owned()),
        },
        None => Example {
            line: line.to_owned(),
            meaning: None,
        },
    }
}

/// Lays out the examples of a command and its subcommands for the terminal on stdout.
pub fn for_the_screen(command: clap::Command) -> clap::Command {
    let width = width_of(Stream::Stdout).unwrap_or(READABLE);
    lay_out(command, usize::from(width)).term_width(usize::from(width))
}

fn lay_out(mut command: clap::Command, width: usize) -> clap::Command {
    let laid_out = |text: &clap::builder::StyledStr| {
        let parts = parts_of(&text.to_string());
        let parts = parts.iter().map(|part| part.text(width));
        parts.collect::<String>().trim_end().to_owned()
    };
    if let Some(text) = command.get_after_help().map(laid_out) {
        command = command.after_help(text);
    }
    if let Some(text) = command.get_after_long_help().map(laid_out) {
        command = command.after_long_help(text);
    }
    command.mut_subcommands(|below| lay_out(below, width))
}

impl HelpPart {
    /// Puts meanings beside the lines if all fit, or else below each line.
    fn text(&self, width: usize) -> String {
        let examples = match self {
            Self::Prose(text) => return format!("{text}\n"),
            Self::Examples(examples) => examples,
        };
        let explained = examples.iter().filter(|example| example.meaning.is_some());
        let column = explained.map(|example| measure_text_width(&example.line));
        let column = column.max().unwrap_or(0) + INDENT.len();
        let fits = |example: &Example| {
            let meaning = example.meaning.as_deref().map(measure_text_width);
            meaning.is_none_or(|meaning| INDENT.len() + column + meaning <= width)
        };
        let beside = examples.iter().all(fits);
        let lines = examples.iter().map(|example| match &example.meaning {
            Some(meaning) if beside => {
                format!("{INDENT}{:<column$}{meaning}\n", example.line)
            }
            meaning => {
                let meaning = meaning.as_deref().map(|meaning| {
                    let width = u16::try_from(width).ok();
                    wrapped(BELOW, meaning, width)
                });
                format!(
                    "{}{}",
                    folded(&example.line, width),
                    meaning.unwrap_or_default()
                )
            }
        });
        lines.collect()
    }
}

/// Continues a long line as a shell reads it, before an option or a pipe.
pub fn folded(example: &str, width: usize) -> String {
    let mut text = String::new();
    for line in example.lines() {
        text.push_str(INDENT);
        let mut used = INDENT.len();
        for (place, part) in breakable(line).into_iter().enumerate() {
            let length = measure_text_width(part);
            if place > 0 && used + 1 + length + 2 > width {
                text.push_str(&format!(" \\\n{BELOW}"));
                used = BELOW.len();
            } else if place > 0 {
                text.push(' ');
                used += 1;
            }
            text.push_str(part);
            used += length;
        }
        text.push('\n');
    }
    text
}

/// Cuts a line before each option, pipe and `dsr`.
fn breakable(line: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut from = 0;
    for (place, _) in line.match_indices(' ') {
        let rest = &line[place + 1..];
        let may_end = ["--", "| ", "dsr "]
            .iter()
            .any(|next| rest.starts_with(next));
        if place > from && may_end {
            parts.push(&line[from..place]);
            from = place + 1;
        }
    }
    parts.push(&line[from..]);
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "Examples:\n  dsr status          all open requests\n  dsr status q7  one\n  \
        dsr export --gdpr --project shop ids.csv\n\nMore: dsr help json";

    fn shown(width: usize) -> String {
        let parts = parts_of(TEXT);
        parts.iter().map(|part| part.text(width)).collect()
    }

    #[test]
    fn an_example_is_split_from_its_meaning() {
        let parts = parts_of(TEXT);
        let HelpPart::Examples(examples) = &parts[1] else {
            panic!("{parts:?}");
        };
        assert_eq!(examples[1].line, "dsr status q7");
        assert_eq!(examples[1].meaning.as_deref(), Some("one"));
        assert_eq!(examples[2].meaning, None);
        assert_eq!(parts.len(), 4);
        let longer = parts_of("  A=1 \\\n    dsr status\n  dsr find x");
        let HelpPart::Examples(examples) = &longer[0] else {
            panic!("{longer:?}");
        };
        assert_eq!(examples[0].line, "A=1 \\\n  dsr status");
        assert_eq!(examples.len(), 2);
    }

    #[test]
    fn meanings_are_beside_all_examples_or_below_all() {
        let wide = "Examples:\n  dsr status     all open requests\n  dsr status q7  one\n  \
            dsr export --gdpr --project shop ids.csv\n\nMore: dsr help json\n";
        assert_eq!(shown(80), wide);
        let narrow = "Examples:\n  dsr status\n      all open requests\n  dsr status q7\n      one\n  \
            dsr export --gdpr \\\n      --project shop ids.csv\n\nMore: dsr help json\n";
        assert_eq!(shown(30), narrow);
    }
}
