//! A rehearsal: an import into the sandbox, whose state is there for the next command.

use super::{lines, the_import};
use crate::support::Operator;

#[test]
fn a_rehearsal_imports_and_says_so_the_second_time() {
    let operator = Operator::new();
    operator.file("events.jsonl", lines(2050));
    let import = ["--sandbox", "import", "--yes", "events.jsonl", "--json"];
    let first = operator.run(&import);
    first.exits_with(0);
    assert_eq!(the_import(&first)["imported"], 2050);
    assert_eq!(the_import(&operator.run(&import))["imported"], 2050);
}
