use anstyle::{AnsiColor, Style};
use comfy_table::{CellAlignment, ColumnConstraint, ContentArrangement, Table, Width, presets};

use crate::domain::JobState;

use super::Paper;

/// A column of a table.
#[derive(Debug, Clone, Copy)]
pub(super) enum Column {
    /// Never broken: what people copy, such as an id.
    Whole(&'static str),
    /// Broken into lines where the terminal is narrow.
    Text(&'static str),
    /// Set to the right.
    Number(&'static str),
}

/// Below this width a table whose cells have to be broken is harder to read than a list.
const NARROW: u16 = 72;

/// Draws rows under their headings. Where the terminal is too narrow, texts are broken between
/// words; where it is narrower still, each row becomes a list. Nothing is ever cut.
pub(super) fn draw(columns: &[Column], rows: &[Vec<String>], paper: &Paper) -> String {
    let whole = draw_table(columns, rows, None);
    let needed = whole.lines().map(visible_width).max().unwrap_or(0);
    let Some(width) = paper.width.filter(|width| needed > usize::from(*width)) else {
        return whole;
    };
    let broken = draw_table(columns, rows, Some(width));
    let fits = broken
        .lines()
        .all(|line| visible_width(line) <= usize::from(width));
    match fits && width >= NARROW {
        true => broken,
        false => draw_list(columns, rows),
    }
}

fn draw_table(columns: &[Column], rows: &[Vec<String>], width: Option<u16>) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    match width {
        Some(width) => {
            table.set_width(width);
            table.set_content_arrangement(ContentArrangement::Dynamic);
        }
        None => {
            table.set_content_arrangement(ContentArrangement::Disabled);
        }
    }
    let headings = columns.iter().map(|column| in_bold(column.heading()));
    table.set_header(headings.collect::<Vec<_>>());
    for row in rows {
        table.add_row(row);
    }
    for (place, kind) in columns.iter().enumerate() {
        if let Some(column) = table.column_mut(place) {
            column.set_padding((0, 2));
            if let Column::Number(_) = kind {
                column.set_cell_alignment(CellAlignment::Right);
            }
            column.set_constraint(match kind {
                Column::Number(_) | Column::Whole(_) => ColumnConstraint::ContentWidth,
                Column::Text(heading) => words_fit(heading, rows.iter().map(|row| &row[place])),
            });
        }
    }
    let lines = table.lines();
    lines.map(|line| format!("{}\n", line.trim_end())).collect()
}

/// Texts are broken between words only.
fn words_fit<'r>(heading: &str, cells: impl Iterator<Item = &'r String>) -> ColumnConstraint {
    let words = cells.flat_map(|cell| cell.split(' ')).chain([heading]);
    let longest = words.map(visible_width).max().unwrap_or(0);
    let width = u16::try_from(longest).unwrap_or(u16::MAX);
    ColumnConstraint::LowerBoundary(Width::Fixed(width.saturating_add(2)))
}

/// Each row as lines of heading and value, rows parted by a blank line.
fn draw_list(columns: &[Column], rows: &[Vec<String>]) -> String {
    let headings = columns.iter().map(|column| column.heading());
    let longest = headings.map(str::len).max().unwrap_or(0);
    let list = |row: &Vec<String>| {
        let lines = columns.iter().zip(row).map(|(column, value)| {
            let heading = column.heading();
            let space = " ".repeat(longest - heading.len());
            format!("{}{space}  {value}\n", in_bold(heading))
        });
        lines.collect::<String>()
    };
    rows.iter().map(list).collect::<Vec<_>>().join("\n")
}

fn in_bold(heading: &str) -> String {
    let bold = Style::new().bold();
    format!("{bold}{heading}{bold:#}")
}

/// How many columns a line takes on a terminal, colour not counted.
pub(super) fn visible_width(line: &str) -> usize {
    console::measure_text_width(line)
}

impl Column {
    fn heading(self) -> &'static str {
        match self {
            Self::Whole(heading) | Self::Text(heading) | Self::Number(heading) => heading,
        }
    }
}

/// The width of the terminal that stdout is.
pub(super) fn terminal_width() -> Option<u16> {
    Table::new().width()
}

/// A state in its colour, for a cell; the streams take colour out where it is not wanted.
pub(super) fn state_cell(state: JobState) -> String {
    let style = match state {
        JobState::Done => AnsiColor::Green.on_default(),
        JobState::Accepted | JobState::Running | JobState::Sending => AnsiColor::Cyan.on_default(),
        JobState::Deferred | JobState::Planned | JobState::Revoked => {
            AnsiColor::Yellow.on_default()
        }
        JobState::Unknown | JobState::Refused | JobState::Failed => {
            AnsiColor::Red.on_default().bold()
        }
    };
    format!("{style}{}{style:#}", state.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    const COLUMNS: [Column; 3] = [
        Column::Whole("TASK"),
        Column::Text("PROJECT"),
        Column::Number("IDS"),
    ];

    fn drawn(width: Option<u16>) -> String {
        let task = "3e0b7f52-77aa-4c1e-9d52-3f0c7d0c9a11".to_owned();
        let project = "a project with a long name that goes on and on".to_owned();
        let rows = [vec![task, project, "1,234".to_owned()]];
        let coloured = draw(&COLUMNS, &rows, &Paper { width });
        anstream::adapter::strip_str(&coloured).to_string()
    }

    #[test]
    fn without_a_terminal_nothing_is_broken() {
        assert_eq!(drawn(None).lines().count(), 2);
    }

    #[test]
    fn on_a_terminal_texts_are_broken_and_ids_are_not() {
        for width in [20, 60, 71, 72, 80, 200] {
            let text = drawn(Some(width));
            assert!(
                text.contains("3e0b7f52-77aa-4c1e-9d52-3f0c7d0c9a11"),
                "{text}"
            );
            assert!(text.contains("1,234"), "{text}");
            if width >= NARROW {
                let fits = text.lines().all(|line| line.len() <= usize::from(width));
                assert!(fits, "{width}:\n{text}");
            }
        }
        assert!(drawn(Some(60)).contains("PROJECT  a project with a long name"));
    }
}
