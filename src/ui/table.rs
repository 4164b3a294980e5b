use anstyle::{AnsiColor, Style};
use comfy_table::{
    Cell, CellAlignment, ColumnConstraint, ContentArrangement, Table, Width, presets,
};

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

/// Draws rows under their headings. Without a terminal nothing is ever broken or cut.
pub(super) fn draw(columns: &[Column], rows: Vec<Vec<String>>, paper: &Paper) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    match paper.width {
        Some(width) => {
            table.set_width(width);
            table.set_content_arrangement(ContentArrangement::Dynamic);
        }
        None => {
            table.set_content_arrangement(ContentArrangement::Disabled);
        }
    }
    let bold = Style::new().bold();
    let headings = columns.iter().map(|column| column.heading());
    table.set_header(headings.map(|heading| Cell::new(format!("{bold}{heading}{bold:#}"))));
    for row in rows {
        table.add_row(row);
    }
    for (place, kind) in columns.iter().enumerate() {
        if let Some(column) = table.column_mut(place) {
            column.set_padding((0, 2));
            match kind {
                Column::Whole(_) => {
                    column.set_constraint(ColumnConstraint::ContentWidth);
                }
                Column::Number(_) => {
                    column.set_cell_alignment(CellAlignment::Right);
                    column.set_constraint(ColumnConstraint::ContentWidth);
                }
                Column::Text(_) => {
                    column.set_constraint(ColumnConstraint::LowerBoundary(Width::Fixed(8)));
                }
            }
        }
    }
    let mut text = String::new();
    for line in table.lines() {
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
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
