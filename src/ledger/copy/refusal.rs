/// Why a ledger does not move.
#[derive(Debug, thiserror::Error)]
pub enum MoveRefusal {
    #[error("another dsr is sending ({command} in process {process})")]
    Sending { command: String, process: u32 },
    #[error("the ledger cannot take all receipts of accepted jobs ({0} left)")]
    Receipts(usize),
    #[error("the ledger in the file is damaged: {0}")]
    Damaged(String),
    #[error("the audit trail of the file is damaged: {0}")]
    Trail(String),
    #[error("the ledger at `{to}` is in use: its audit trail has {entries} entries")]
    InUse { to: String, entries: u64 },
    #[error("this host has seen a ledger on a server that continues this file")]
    MovedBefore,
}
