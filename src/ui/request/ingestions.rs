//! Shows imports and deletions of profiles beside the requests. Names no event and no id.

use serde_json::{Value, json};

use crate::domain::{BatchState, IngestionKind};
use crate::ledger::IngestionRecord;
use crate::ui::drawing::json::time;
use crate::ui::drawing::paper::Paper;
use crate::ui::drawing::table::{Column, draw};
use crate::ui::drawing::words::{number, printable};

/// Empty if there are none.
pub(super) fn ingestions_text(ingestions: &[IngestionRecord], paper: &Paper) -> String {
    use Column::{Number, Text};
    if ingestions.is_empty() {
        return String::new();
    }
    let columns = [
        Text("ID"),
        Text("STATE"),
        Text("BEGUN"),
        Text("KIND"),
        Text("PROJECT"),
        Text("SOURCE"),
        Number("RECORDS"),
        Number("TAKEN"),
    ];
    let folds = ["SOURCE", "PROJECT", "TAKEN", "RECORDS"];
    let rows = ingestions.iter().map(|one| {
        vec![
            one.id.short().to_owned(),
            state(one).to_owned(),
            one.created.format("%Y-%m-%d").to_string(),
            match one.asked.kind {
                IngestionKind::Import => "import".to_owned(),
                IngestionKind::ProfileDeletion => "profiles".to_owned(),
            },
            one.asked.project.to_string(),
            printable(&one.asked.source),
            number(one.records),
            number(one.taken()),
        ]
    });
    let table = draw(&columns, &folds, &rows.collect::<Vec<_>>(), paper);
    format!("\nImports and deletions of profiles:\n{table}")
}

pub(super) fn ingestions_json(ingestions: &[IngestionRecord]) -> Value {
    let shown = ingestions.iter().map(|one| {
        let mut batches = json!({ "total": one.batches.len() });
        for state in BatchState::ALL {
            batches[state.as_str()] = one.count_in(state).into();
        }
        json!({
            "id": one.id.as_str(),
            "kind": one.asked.kind.as_str(),
            "state": state(one),
            "project": one.asked.project.as_str(),
            "source": one.asked.source,
            "created": time(one.created),
            "by": one.by,
            "records": one.records,
            "taken": one.taken(),
            "refused": one.refused().len() + one.failed(),
            "batches": batches,
        })
    });
    shown.collect()
}

fn state(ingestion: &IngestionRecord) -> &'static str {
    match ingestion.is_done() {
        true => "done",
        false => "open",
    }
}
