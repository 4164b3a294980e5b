//! Draws every table.

use console::{Alignment, measure_text_width, pad_str};

use crate::domain::JobState;

use super::paper::{Layout, Paper};
use super::tone::Tone;

#[derive(Debug, Clone, Copy)]
pub(crate) enum Column {
    Text(&'static str),
    /// Aligned to the right.
    Number(&'static str),
}

const GAP: &str = "  ";

/// Draws rows under their headings. On a narrow terminal the columns of `folds` move below their
/// row, in this order; if that is not enough, each row becomes a list. Nothing is cut: people copy
/// ids. A column of `folds` is left out if no row has a value in it.
pub(crate) fn draw(
    columns: &[Column],
    folds: &[&str],
    rows: &[Vec<String>],
    paper: &Paper,
) -> String {
    if paper.layout == Layout::Plain {
        return draw_list(columns, rows, paper);
    }
    let says_nothing = |place: usize, column: &Column| {
        folds.contains(&column.heading()) && rows.iter().all(|row| is_nothing(&row[place]))
    };
    let said = columns.iter().enumerate();
    let said = said.filter(|(place, column)| !says_nothing(*place, column));
    let (places, columns): (Vec<usize>, Vec<Column>) = said.unzip();
    let rows = rows
        .iter()
        .map(|row| places.iter().map(|place| row[*place].clone()).collect());
    let (columns, rows) = (columns.as_slice(), &rows.collect::<Vec<Vec<String>>>()[..]);
    let room = paper.width.map_or(usize::MAX, usize::from);
    for folded in 0..=folds.len() {
        let folds = &folds[..folded];
        let is_folded = |column: &Column| folds.contains(&column.heading());
        let kept = |(_, column): &(usize, &Column)| !is_folded(column);
        let kept: Vec<(usize, &Column)> = columns.iter().enumerate().filter(kept).collect();
        let widths: Vec<usize> = kept.iter().map(|one| width_of(one, rows)).collect();
        let needed = widths.iter().sum::<usize>() + GAP.len() * (widths.len() - 1);
        if needed <= room {
            return draw_table(columns, &kept, &widths, rows, paper);
        }
    }
    draw_list(columns, rows, paper)
}

fn width_of((place, column): &(usize, &Column), rows: &[Vec<String>]) -> usize {
    let cells = rows.iter().map(|row| measure_text_width(&row[*place]));
    cells.max().unwrap_or(0).max(column.heading().len())
}

fn draw_table(
    columns: &[Column],
    kept: &[(usize, &Column)],
    widths: &[usize],
    rows: &[Vec<String>],
    paper: &Paper,
) -> String {
    let line = |cells: &[&str]| {
        let cells = kept.iter().zip(widths).zip(cells);
        let cells = cells.map(|(((_, column), width), cell)| {
            let side = match column {
                Column::Text(_) => Alignment::Left,
                Column::Number(_) => Alignment::Right,
            };
            pad_str(cell, *width, side, None)
        });
        let cells: Vec<_> = cells.collect();
        format!("{}\n", cells.join(GAP).trim_end())
    };
    let headings: Vec<String> = kept
        .iter()
        .map(|(_, column)| Tone::Strong.paint(column.heading()))
        .collect();
    let headings: Vec<&str> = headings.iter().map(String::as_str).collect();
    let mut text = line(&headings);
    for row in rows {
        let cells: Vec<&str> = kept.iter().map(|(place, _)| row[*place].as_str()).collect();
        text.push_str(&line(&cells));
        let is_below = |place: usize| !kept.iter().any(|(kept, _)| *kept == place);
        let below = columns
            .iter()
            .enumerate()
            .filter(|(place, _)| is_below(*place));
        let below = below.filter(|(place, _)| !is_nothing(&row[*place]));
        let below = below
            .map(|(place, column)| format!("{}: {}", column.heading().to_lowercase(), row[place]));
        let below: Vec<String> = below.collect();
        if !below.is_empty() {
            text.push_str(&paper.wrapped("    ", &below.join("; ")));
        }
    }
    text
}

/// A dash stands for no value.
fn is_nothing(cell: &str) -> bool {
    cell.is_empty() || cell == "-"
}

/// Draws each row as lines of heading and value, with a blank line between rows.
fn draw_list(columns: &[Column], rows: &[Vec<String>], paper: &Paper) -> String {
    let headings = columns.iter().map(|column| column.heading());
    let longest = headings.map(str::len).max().unwrap_or(0);
    let list = |row: &Vec<String>| {
        let mut facts = paper.facts(0, longest);
        for (column, value) in columns.iter().zip(row) {
            // A screen reader need not read out what is missing.
            if paper.layout == Layout::Columns || !is_nothing(value) {
                facts.add(&column.label(paper.layout), value);
            }
        }
        facts.into_text()
    };
    rows.iter().map(list).collect::<Vec<_>>().join("\n")
}

impl Column {
    fn heading(&self) -> &'static str {
        match self {
            Self::Text(heading) | Self::Number(heading) => heading,
        }
    }

    /// In a list: `USED BY`. In plain layout: `Used by`, since some voices spell capitals.
    fn label(&self, layout: Layout) -> String {
        let heading = self.heading();
        match layout {
            Layout::Columns => heading.to_owned(),
            Layout::Plain => {
                let (first, rest) = heading.split_at(1);
                format!("{first}{}", rest.to_lowercase())
            }
        }
    }
}

pub(crate) fn state_cell(state: JobState) -> String {
    let text = state.as_str();
    match state {
        JobState::Done => Tone::Good.paint(text),
        JobState::Accepted | JobState::Running | JobState::Sending => text.to_owned(),
        JobState::Deferred | JobState::Planned | JobState::Revoked => Tone::Attention.paint(text),
        JobState::Unknown | JobState::Refused | JobState::Failed => Tone::Bad.paint(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const COLUMNS: [Column; 4] = [
        Column::Text("TASK"),
        Column::Text("PROJECT"),
        Column::Number("IDS"),
        Column::Text("CHECKED"),
    ];
    const TASK: &str = "3e0b7f52-77aa-4c1e-9d52-3f0c7d0c9a11";
    const PROJECT: &str = "a-project-with-a-name";

    fn drawn(width: Option<u16>, layout: Layout) -> String {
        let row =
            |ids: &str, checked: &str| [TASK, PROJECT, ids, checked].map(str::to_owned).to_vec();
        let rows = [row("1,234", "3m"), row("7", "-")];
        let coloured = draw(
            &COLUMNS,
            &["CHECKED", "PROJECT"],
            &rows,
            &Paper {
                width,
                layout,
                program: "dsr",
            },
        );
        anstream::adapter::strip_str(&coloured).to_string()
    }

    #[test]
    fn without_a_terminal_each_row_is_a_line() {
        let text = drawn(None, Layout::Columns);
        assert_eq!(text.lines().count(), 3, "{text}");
        assert!(
            text.lines().nth(2).unwrap().ends_with("      7  -"),
            "{text}"
        );
    }

    #[test]
    fn a_foldable_column_without_any_value_is_left_out() {
        let rows = [vec![TASK, "-", "7", "-"], vec![TASK, "-", "8", ""]];
        let rows = rows.map(|row| row.into_iter().map(str::to_owned).collect());
        let paper = Paper {
            width: None,
            layout: Layout::Columns,
            program: "dsr",
        };
        let text = draw(&COLUMNS, &["CHECKED"], &rows, &paper);
        let text = anstream::adapter::strip_str(&text).to_string();
        let gap = " ".repeat(32);
        let wanted =
            format!("TASK{gap}  PROJECT  IDS\n{TASK}  -          7\n{TASK}  -          8\n");
        assert_eq!(text, wanted);
    }

    #[test]
    fn where_it_is_narrow_the_least_important_columns_go_below_their_row() {
        let text = drawn(Some(74), Layout::Columns);
        assert_eq!(
            text,
            format!(
                "TASK{gap}  PROJECT{fill}    IDS\n\
                 {TASK}  {PROJECT}  1,234\n    checked: 3m\n\
                 {TASK}  {PROJECT}      7\n",
                gap = " ".repeat(32),
                fill = " ".repeat(14),
            )
        );
        let text = drawn(Some(50), Layout::Columns);
        let below = format!("\n    project: {PROJECT}; checked: 3m\n");
        assert!(text.contains(&below), "{text}");
    }

    #[test]
    fn no_line_is_wider_than_the_terminal_and_nothing_is_lost() {
        for width in 40..=100 {
            let text = drawn(Some(width), Layout::Columns);
            for value in [TASK, PROJECT, "1,234", "3m"] {
                assert!(text.contains(value), "{width}:\n{text}");
            }
            let mut lines = text.lines();
            let fits = lines.all(|line| line.len() <= usize::from(width) || line.contains(TASK));
            assert!(fits, "{width}:\n{text}");
        }
        assert!(drawn(Some(42), Layout::Columns).starts_with("TASK     3e0b"));
    }

    #[test]
    fn plain_rows_are_a_fact_a_line() {
        assert_eq!(
            drawn(None, Layout::Plain),
            format!(
                "Task: {TASK}\nProject: {PROJECT}\nIds: 1,234\nChecked: 3m\n\n\
                 Task: {TASK}\nProject: {PROJECT}\nIds: 7\n"
            )
        );
    }
}
