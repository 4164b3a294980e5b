//! Failures of reading and writing the ledger.

use std::io;
use std::path::Path;

use crate::credentials::LedgerKeyError;
use crate::domain::ExitStatus;
use crate::ledger::{LedgerError, MoveRefusal, TlsFault};
use crate::ui::Failure;

use super::in_the_way;
use super::people::{OTHER_KEY, ledger_key_hint};

/// Hint where a file is in the way of a copy of the ledger.
pub(crate) const COPY_IN_THE_WAY: &str = "no backup was made; choose a new name";
const NOT_COPIED: &str =
    "no backup was made; name a new file in an existing folder with free space";

impl From<LedgerError> for Failure {
    fn from(error: LedgerError) -> Self {
        let (status, kind, hint) = match &error {
            LedgerError::NotPrivate(error) => return error.into(),
            LedgerError::Locked => (
                ExitStatus::Locked,
                "locked",
                "when the other dsr has ended, run the same command again, or wait longer with `--lock-timeout 5m`",
            ),
            LedgerError::Open { .. }
            | LedgerError::Disk(_)
            | LedgerError::Seen(_)
            | LedgerError::Sender(_)
            | LedgerError::Receipt(_) => (
                ExitStatus::LocalIo,
                "local_io",
                "nothing more was sent; free space, correct the permissions or raise `ulimit -f`, then run `dsr status`",
            ),
            LedgerError::Damaged(_) => (
                ExitStatus::LocalIo,
                "local_io",
                "nothing more was sent; keep this file, and follow “Restore a ledger” in `dsr help runbooks`",
            ),
            LedgerError::Unreadable { .. } => (
                ExitStatus::LocalIo,
                "local_io",
                "nothing more was sent; run `dsr doctor`, which checks the whole ledger",
            ),
            LedgerError::SetBack(_) => (
                ExitStatus::LocalIo,
                "ledger_set_back",
                "nothing was sent and nothing was changed; restore the newest ledger, or run `dsr ledger accept`",
            ),
            LedgerError::Moved(_) => {
                return Self::from_error(ExitStatus::LocalIo, "ledger_moved", &error).hint(
                    "nothing was sent and nothing was changed; set `ledger` in the config file, or DSR_LEDGER_URL, to that address, with this host's own login. If that server is lost for ever: “Look after a shared ledger” in `dsr help runbooks`",
                );
            }
            LedgerError::MoveUnfinished { to, .. } => {
                return Self::from_error(ExitStatus::LocalIo, "move_unfinished", &error).hint(format!(
                    "nothing was sent; run `dsr ledger move` with DSR_LEDGER_URL=`{to}`: it completes the move, or takes it back"
                ));
            }
            LedgerError::ServerCopy => (
                ExitStatus::LocalIo,
                "ledger_copy",
                "nothing was sent and nothing was changed; restore the server from its own copies: see “Look after a shared ledger” in `dsr help runbooks`",
            ),
            LedgerError::NotMoved(refusal) => {
                let (status, hint) = not_moved(refusal);
                return Self::from_error(status, "not_moved", refusal).hint(hint);
            }
            LedgerError::MoveStopped(_) => (
                ExitStatus::Temporary,
                "move_stopped",
                "nothing was sent; run `dsr ledger move` again: it completes the move or starts anew",
            ),
            LedgerError::Backup { path, source }
                if source.kind() == io::ErrorKind::AlreadyExists =>
            {
                return in_the_way(path, COPY_IN_THE_WAY);
            }
            LedgerError::Backup { .. } => (ExitStatus::LocalIo, "local_io", NOT_COPIED),
            LedgerError::Trail(_)
            | LedgerError::OtherIds(_)
            | LedgerError::OtherRequest(_)
            | LedgerError::Gone(_) => (
                ExitStatus::LocalIo,
                "audit",
                "nothing was sent and nothing was changed; see what is wrong with `dsr audit verify`",
            ),
            LedgerError::OtherJob { .. } => (
                ExitStatus::LocalIo,
                "audit",
                "nothing more was sent; see everything that is wrong with `dsr audit verify`",
            ),
            LedgerError::Sealed(_) => (
                ExitStatus::LocalIo,
                "local_io",
                "ask the ledger on the server; the copy is there to prove what was done",
            ),
            LedgerError::IdsHashed(_) => (
                ExitStatus::Usage,
                "ids_hashed",
                "use the source the ids came from; `dsr find` shows whether a person was among them",
            ),
            LedgerError::NotHashed(_) => (
                ExitStatus::Usage,
                "ledger_key",
                "nothing was removed; `dsr status` hashes the ids, or says why it cannot",
            ),
            LedgerError::Overtaken(_) => (
                ExitStatus::Temporary,
                "temporary",
                "see its state with `dsr status`",
            ),
            LedgerError::OtherBatch(_) => (
                ExitStatus::Temporary,
                "temporary",
                "when the other dsr has ended, run the same command again",
            ),
            LedgerError::NoKey(cause) => {
                return Self::from_error(ExitStatus::Usage, "ledger_key", &error)
                    .hint(no_sealing_key(cause));
            }
            LedgerError::OtherKey { .. } => (ExitStatus::Usage, "ledger_key", OTHER_KEY),
            LedgerError::Newer { .. } => (
                ExitStatus::LocalIo,
                "newer_ledger",
                "use the dsr that wrote it, or a newer one",
            ),
            LedgerError::Unreachable(_) => (
                ExitStatus::Locked,
                "ledger_unreachable",
                "when the server answers again, run the same command again: dsr starts nothing twice",
            ),
            LedgerError::NotAllowed(_) => (
                ExitStatus::Usage,
                "ledger_server",
                "nothing was sent; to record or send, use the role of an operator. An auditor can run `dsr status --cached`, `dsr report` and `dsr audit verify`",
            ),
            LedgerError::ReadOnly(_) => (
                ExitStatus::Usage,
                "ledger_server",
                "nothing was sent; the server or this login only reads: use the primary server, and a login without `default_transaction_read_only`",
            ),
            LedgerError::NoDatabase(_) => (
                ExitStatus::Usage,
                "ledger_server",
                "nothing was sent; correct the database in the URL, or make it with `CREATE DATABASE` and then run `dsr ledger init`",
            ),
            LedgerError::Dropped(_) => (
                ExitStatus::LocalIo,
                "no_ledger",
                "nothing more was sent; restore the newest copy of the database, then run `dsr ledger accept`",
            ),
            LedgerError::Unfit(_) => (
                ExitStatus::Usage,
                "ledger_server",
                "nothing was sent; the URL must name the primary server itself, PostgreSQL 13 or later, and a database in UTF8",
            ),
            LedgerError::NoRole(_) => (
                ExitStatus::Usage,
                "ledger_server",
                "nothing was sent; its owner gives this user the role `dsr_operator` or `dsr_auditor`",
            ),
            LedgerError::Login(_)
            | LedgerError::OtherPassword { .. }
            | LedgerError::Password(_) => (
                ExitStatus::Usage,
                "ledger_server",
                "nothing was sent; put the password into `~/.pgpass`, under the URL's host and port, or into a file that DSR_LEDGER_PASSWORD_FILE names; close it with `chmod 600`",
            ),
            LedgerError::Untrusted(error) => (
                ExitStatus::Usage,
                "ledger_server",
                trusted_by(error.tls_fault()),
            ),
            LedgerError::Authorities { .. } => (
                ExitStatus::Usage,
                "ledger_server",
                trusted_by(TlsFault::Authority),
            ),
            LedgerError::Migrated(_) => (
                ExitStatus::LocalIo,
                "newer_ledger",
                "nothing more was sent; use the dsr that changed it, or a newer one",
            ),
            LedgerError::NotMade(_) => (
                ExitStatus::LocalIo,
                "no_ledger",
                "nothing was sent; check the URL, or make a ledger there with `dsr ledger init`",
            ),
            LedgerError::Older { .. } => (
                ExitStatus::LocalIo,
                "older_ledger",
                "nothing was sent; when no older dsr uses it any more, its owner runs `dsr ledger migrate`",
            ),
            LedgerError::IllegalStep { .. }
            | LedgerError::NoJob(_)
            | LedgerError::Packing(_)
            | LedgerError::Statement(_) => (
                ExitStatus::Bug,
                "bug",
                "please report this; `dsr status` shows what is recorded",
            ),
        };
        Self::from_error(status, kind, &error).hint(hint)
    }
}

/// All hosts need the same key, so a key that another host has must not be made again.
pub(crate) fn no_sealing_key(error: &LedgerKeyError) -> String {
    match error {
        LedgerKeyError::Gone | LedgerKeyError::Keyring(_) => "nothing more was sent; get the key file from a host that has it, then set DSR_LEDGER_KEY_FILE or run `dsr auth ledger-key --from FILE`; the first host makes it with `dsr auth ledger-key --to FILE`".to_owned(),
        LedgerKeyError::Read { .. }
        | LedgerKeyError::Open { .. }
        | LedgerKeyError::Malformed { .. }
        | LedgerKeyError::Write { .. }
        | LedgerKeyError::Lock(_) => ledger_key_hint(error),
    }
}

/// What makes the server trusted.
fn trusted_by(fault: TlsFault) -> &'static str {
    match fault {
        TlsFault::Authority => {
            "nothing was sent; name the file of your own authority's certificate, in PEM, with DSR_CA_FILE"
        }
        TlsFault::Name => {
            "nothing was sent; name the server in the URL as its certificate does, or give it a certificate with that name"
        }
        TlsFault::Time => {
            "nothing was sent; renew the server's certificate, or correct this machine's clock"
        }
        TlsFault::Certificate => {
            "nothing was sent; give the server a certificate of its own, which that authority signs"
        }
        TlsFault::NotOffered => {
            "nothing was sent; switch on `ssl` in the server's configuration, or on this machine add `?sslmode=disable` to the URL"
        }
        TlsFault::Handshake => {
            "nothing was sent; check the host and the port in the URL, and the server's log"
        }
    }
}

fn not_moved(refusal: &MoveRefusal) -> (ExitStatus, &'static str) {
    match refusal {
        MoveRefusal::Sending { .. } => (
            ExitStatus::Usage,
            "nothing was moved; when that dsr has ended, run `dsr ledger move` again",
        ),
        MoveRefusal::Receipts(_) => (
            ExitStatus::LocalIo,
            "nothing was moved; the warnings name the receipts: settle those jobs, then run `dsr ledger move` again",
        ),
        MoveRefusal::Damaged(_) | MoveRefusal::Trail(_) => (
            ExitStatus::LocalIo,
            "nothing was moved; restore the newest copy of the file, then run `dsr ledger move` again",
        ),
        MoveRefusal::InUse { .. } => (
            ExitStatus::Usage,
            "nothing was moved; make a new database, set `ledger` to it, and run `dsr ledger init`",
        ),
        MoveRefusal::MovedBefore => (
            ExitStatus::LocalIo,
            "nothing was moved; this file is an older copy: use the ledger on that server, or restore its newest backup there",
        ),
    }
}

/// Nothing was ever recorded here, so an answer could only be wrong.
pub(crate) fn no_ledger(path: &Path) -> Failure {
    let message = format!(
        "there is no ledger at `{}`: nothing has been recorded here",
        path.display()
    );
    Failure::new(ExitStatus::LocalIo, "no_ledger", message)
        .hint("check DSR_HOME and its volume; the first request makes a ledger")
}
