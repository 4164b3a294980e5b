//! The layout of a result: columns of some width, or one fact a line.

use super::words::{spelled, wrapped};

/// How results are laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layout {
    /// Tables, and facts with their labels in a column.
    Columns,
    /// `Name: value`, a fact a line, for screen readers and for programs that read lines.
    Plain,
}

/// The width and layout to draw for.
#[derive(Debug, Clone, Copy)]
pub struct Paper {
    /// Of the terminal, in columns; `None` without one. Plain lines are never folded.
    pub width: Option<u16>,
    pub layout: Layout,
    /// How commands begin: in a rehearsal with `--sandbox`.
    pub program: &'static str,
}

/// Facts one below the other, each with its label.
pub(crate) struct FactList<'p> {
    paper: &'p Paper,
    indent: usize,
    /// Of the labels.
    width: usize,
    text: String,
}

impl Paper {
    /// A text after its label, with its commands as the operator must type them, folded.
    pub(crate) fn wrapped(&self, label: &str, text: &str) -> String {
        wrapped(label, &spelled(text, self.program), self.width)
    }

    /// Starts facts whose labels have `width` columns, `indent` columns from the edge.
    pub(crate) fn facts(&self, indent: usize, width: usize) -> FactList<'_> {
        FactList {
            paper: self,
            indent,
            width,
            text: String::new(),
        }
    }
}

impl FactList<'_> {
    pub(crate) fn add(&mut self, label: &str, text: &str) {
        self.line(label, label, text);
    }

    /// Adds a fact that explains the one before: in columns it has no label.
    pub(crate) fn add_below(&mut self, label: &str, text: &str) {
        self.line("", label, text);
    }

    fn line(&mut self, in_columns: &str, plain: &str, text: &str) {
        let label = match self.paper.layout {
            Layout::Columns => format!(
                "{:indent$}{in_columns:<width$}  ",
                "",
                indent = self.indent,
                width = self.width
            ),
            Layout::Plain => format!("{plain}: "),
        };
        self.text.push_str(&self.paper.wrapped(&label, text));
    }

    pub(crate) fn into_text(self) -> String {
        self.text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fact_is_a_line_or_a_label_in_a_column() {
        let drawn = |layout, width| {
            let paper = Paper {
                width,
                layout,
                program: "dsr",
            };
            let mut facts = paper.facts(2, 5);
            facts.add("Due", "tomorrow at noon");
            facts.add_below("Rule", "that of the house");
            facts.into_text()
        };
        assert_eq!(
            drawn(Layout::Columns, Some(22)),
            "  Due    tomorrow at\n         noon\n         that of the\n         house\n"
        );
        assert_eq!(
            drawn(Layout::Plain, None),
            "Due: tomorrow at noon\nRule: that of the house\n"
        );
    }

    #[test]
    fn a_command_of_a_rehearsal_is_measured_as_it_is_shown() {
        let paper = Paper {
            width: Some(30),
            layout: Layout::Columns,
            program: "dsr --sandbox",
        };
        let mut facts = paper.facts(0, 4);
        facts.add("Next", "then run `dsr status`, and look");
        let text = facts.into_text();
        let shown = "Next  then run\n      `dsr --sandbox status`,\n      and look\n";
        assert_eq!(text, shown);
        assert_eq!(
            paper.wrapped("", "run `dsr --sandbox find`"),
            "run `dsr --sandbox find`\n"
        );
    }
}
