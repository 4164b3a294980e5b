//! A page of help for people, for scripts and as Markdown. Knows no topic.

use serde_json::{Value, json};

use crate::ui::drawing::paper::{Layout, Paper};
use crate::ui::drawing::view::View;
use crate::ui::drawing::words::wrapped;

/// Width of a page without a terminal, in columns.
pub(crate) const READABLE: u16 = 80;
/// In characters. The meaning of a longer name goes below it.
const LONGEST_LABEL: usize = 26;

/// The text of a topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HelpPage {
    /// As it is typed after `dsr help`.
    pub name: &'static str,
    pub title: &'static str,
    pub blocks: Vec<Block>,
}

/// A part of a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Block {
    Heading(String),
    Paragraph(String),
    /// An item of a list.
    Item(String),
    /// Names, each with its meaning.
    Rows(Vec<(String, String)>),
    /// Never folded: people copy it.
    Code {
        /// The text after the opening fence in Markdown.
        info: String,
        text: String,
    },
}

impl Block {
    pub fn paragraph(text: impl Into<String>) -> Self {
        Self::Paragraph(text.into())
    }

    pub fn code(text: impl Into<String>) -> Self {
        Self::Code {
            info: "text".to_owned(),
            text: text.into(),
        }
    }

    /// Reads Markdown with headings, paragraphs, lists of one level, tables of two columns and
    /// fenced code.
    pub fn of_markdown(text: &str) -> Vec<Self> {
        let mut blocks: Vec<Self> = Vec::new();
        let mut is_open = false;
        let mut fence: Option<(String, String)> = None;
        for line in text.lines() {
            if let Some(info) = line.strip_prefix("```") {
                fence = match fence.take() {
                    Some((info, text)) => {
                        blocks.push(Self::Code { info, text });
                        None
                    }
                    None => Some((info.to_owned(), String::new())),
                };
                is_open = false;
            } else if let Some((_, code)) = &mut fence {
                code.push_str(line);
                code.push('\n');
            } else if line.is_empty() {
                is_open = false;
            } else if let Some((_, title)) = line
                .split_once(' ')
                .filter(|(marks, _)| !marks.is_empty() && marks.chars().all(|c| c == '#'))
            {
                blocks.push(Self::Heading(title.to_owned()));
                is_open = false;
            } else if let Some(row) = line.strip_prefix("| ") {
                let (name, meaning) = cells(row);
                match blocks.last_mut() {
                    Some(Self::Rows(rows)) => rows.push((name, meaning)),
                    _ => blocks.push(Self::Rows(Vec::new())),
                }
                is_open = false;
            } else if line.starts_with("|--") {
                is_open = false;
            } else if let Some(item) = line.strip_prefix("- ") {
                blocks.push(Self::Item(item.to_owned()));
                is_open = true;
            } else {
                match blocks.last_mut() {
                    Some(Self::Paragraph(text) | Self::Item(text)) if is_open => {
                        text.push(' ');
                        text.push_str(line.trim_start());
                    }
                    _ => blocks.push(Self::Paragraph(line.to_owned())),
                }
                is_open = true;
            }
        }
        blocks
    }

    fn human(&self, width: u16) -> String {
        let text = |text: &str, label: &str| wrapped(label, &plain_words(text), Some(width));
        match self {
            Self::Heading(title) => format!("{}\n", title.to_uppercase()),
            Self::Paragraph(words) => text(words, ""),
            Self::Item(words) => text(words, "- "),
            Self::Rows(rows) => rows_text(rows, width),
            Self::Code { text, .. } => indented(text),
        }
    }

    fn markdown(&self) -> String {
        match self {
            Self::Heading(title) => format!("### {title}\n"),
            Self::Paragraph(text) => format!("{text}\n"),
            Self::Item(text) => format!("- {text}\n"),
            Self::Rows(rows) => {
                let rows = rows.iter().map(|(name, meaning)| {
                    format!("| `{name}` | {} |\n", meaning.replace('|', "\\|"))
                });
                format!("| | |\n|---|---|\n{}", rows.collect::<String>())
            }
            Self::Code { info, text } => format!("```{info}\n{text}```\n"),
        }
    }
}

impl HelpPage {
    /// The page in Markdown, without its title.
    pub fn markdown(&self) -> String {
        joined(&self.blocks, Block::markdown)
    }
}

impl View for HelpPage {
    fn human(&self, paper: &Paper) -> String {
        let width = match paper.layout {
            Layout::Columns => paper.width.unwrap_or(READABLE),
            Layout::Plain => u16::MAX,
        };
        let title = wrapped("", self.title, Some(width));
        format!(
            "{title}\n{}",
            joined(&self.blocks, |block| block.human(width))
        )
    }

    fn json(&self) -> Value {
        let rows = self.blocks.iter().filter_map(|block| match block {
            Block::Rows(rows) => Some(rows),
            Block::Heading(_) | Block::Paragraph(_) | Block::Item(_) | Block::Code { .. } => None,
        });
        let entries = rows
            .flatten()
            .map(|(name, meaning)| json!({ "name": name, "meaning": meaning }));
        json!({ "help": {
            "topic": self.name,
            "title": self.title,
            "entries": entries.collect::<Vec<_>>(),
            "text": self.markdown(),
        } })
    }
}

fn cells(row: &str) -> (String, String) {
    let (name, meaning) = row.split_once(" | ").unwrap_or((row, ""));
    let meaning = meaning.trim_end_matches([' ', '|']);
    (name.replace('`', ""), plain_words(meaning))
}

/// Joins blocks with an empty line, except between the items of a list.
fn joined(blocks: &[Block], text_of: impl Fn(&Block) -> String) -> String {
    let mut text = String::new();
    for (place, block) in blocks.iter().enumerate() {
        let before = place.checked_sub(1).map(|place| &blocks[place]);
        let goes_on = matches!(
            (before, block),
            (None, _) | (Some(Block::Item(_)), Block::Item(_))
        );
        if !goes_on {
            text.push('\n');
        }
        text.push_str(&text_of(block));
    }
    text
}

/// Names in a column with their meanings beside them, or below long names.
fn rows_text(rows: &[(String, String)], width: u16) -> String {
    let longest = rows.iter().map(|(name, _)| name.chars().count());
    let longest = longest.max().unwrap_or(0);
    let is_narrow = longest > LONGEST_LABEL || longest > usize::from(width) / 3;
    let rows = rows.iter().map(|(name, meaning)| match is_narrow {
        true => format!("  {name}\n{}", wrapped("      ", meaning, Some(width))),
        false => wrapped(&format!("  {name:<longest$}  "), meaning, Some(width)),
    });
    rows.collect()
}

fn indented(code: &str) -> String {
    let lines = code.lines().map(|line| match line {
        "" => "\n".to_owned(),
        line => format!("    {line}\n"),
    });
    lines.collect()
}

/// Replaces `[words](address)` by its words: a repository address helps nobody on a screen. Leaves
/// out the marks of bold words.
pub fn plain_words(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('[') {
        shown.push_str(before);
        match after
            .split_once("](")
            .and_then(|(words, after)| Some((words, after.split_once(')')?.1)))
        {
            Some((words, after)) => {
                shown.push_str(words);
                rest = after;
            }
            None => {
                shown.push('[');
                rest = after;
            }
        }
    }
    shown.push_str(rest);
    shown.replace("**", "")
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "## In cron\n\nSay nothing, see [there](a.md),\nunless [x] changed:\n\n\
        ```sh run\ndsr status\n\ndsr find\n```\n\n- one\n  thing\n- two\n\n| a | b |\n|---|---|\n\
        | `dsr find`, `x` | [find](find.json), or not |\n";

    fn row(name: &str, meaning: &str) -> (String, String) {
        (name.to_owned(), meaning.to_owned())
    }

    #[test]
    fn markdown_is_read_as_its_parts() {
        let code = Block::Code {
            info: "sh run".to_owned(),
            text: "dsr status\n\ndsr find\n".to_owned(),
        };
        assert_eq!(
            Block::of_markdown(TEXT),
            [
                Block::Heading("In cron".to_owned()),
                Block::paragraph("Say nothing, see [there](a.md), unless [x] changed:"),
                code,
                Block::Item("one thing".to_owned()),
                Block::Item("two".to_owned()),
                Block::Rows(vec![row("dsr find, x", "find, or not")]),
            ]
        );
    }

    #[test]
    fn a_page_is_read_at_every_width() {
        let mut blocks = Block::of_markdown(TEXT);
        blocks.pop();
        blocks.push(Block::Rows(vec![
            row("0", "done"),
            row("75", "a longer story"),
        ]));
        let page = HelpPage {
            name: "cron",
            title: "How to live with cron",
            blocks,
        };
        let text = page.human(&Paper {
            width: Some(20),
            layout: Layout::Columns,
            program: "dsr",
        });
        let expected = "How to live with\ncron\n\nIN CRON\n\nSay nothing, see\nthere, unless [x]\n\
            changed:\n\n    dsr status\n\n    dsr find\n\n- one thing\n- two\n\n  0   done\n  75  a \
            longer story\n";
        assert_eq!(text, expected);
        let json = page.json();
        assert_eq!(json["help"]["entries"][1]["name"], "75");
        let text = json["help"]["text"].as_str().unwrap();
        assert_eq!(Block::of_markdown(text)[..5], page.blocks[..5]);
    }
}
