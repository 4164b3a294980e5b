//! What must hold for any bytes from outside: one function for each fuzz target.
//!
//! Uses only the public API. Nothing here may depend on time, chance or the machine, so that the
//! same bytes always show the same bug.

pub(crate) mod answers;
pub(crate) mod credentials;
pub(crate) mod ledger;
pub(crate) mod plan_file;
pub(crate) mod projects_file;
pub(crate) mod sandbox;
pub(crate) mod sources;
pub(crate) mod values;
pub(crate) mod words;

/// A property of any bytes; panics if it does not hold.
pub(crate) type Property = fn(&[u8]);

pub(crate) const TARGETS: [(&str, Property); 15] = [
    ("cancel_answer", answers::cancel),
    ("create_answer", answers::create),
    ("ledger_cells", ledger::cells),
    ("ledger_file", ledger::file),
    ("packed_source", sources::packed),
    ("payload", ledger::payload),
    ("plan_file", plan_file::open),
    ("projects_file", projects_file::load_and_edit),
    ("receipts", ledger::receipts),
    ("sandbox_body", sandbox::create),
    ("source", sources::plain),
    ("status_answer", answers::status),
    ("token", credentials::token),
    ("values", values::check),
    ("words", words::parse),
];
