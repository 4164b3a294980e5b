//! Which tests run on both engines, and what they do with a ledger on either of them.

use std::panic::Location;
use std::path::{Path, PathBuf};

use chacha20poly1305::aead::{Aead, Payload};
use chacha20poly1305::{KeyInit, XChaCha20Poly1305, XNonce};
use hkdf::Hkdf;
use rusqlite::types::Value as Cell;
use rusqlite::{Connection, OpenFlags};
use serde_json::Value;
use sha2::Sha256;

use super::database::{Database, find_server, ledger_identity, ledger_key};
use super::operator::write_privately;
use super::running::Mortal;
use super::{Operator, Outcome, trail_faults, untold_jobs};

/// The modules whose operators have their ledger on the server, if `DSR_TEST_POSTGRES` names one.
const ON_BOTH: &[&str] = &[
    "aborts",
    "again",
    "audit",
    "called_off",
    "conflicts",
    "crash",
    "doubt",
    "find",
    "heads",
    "import",
    "killed",
    "lost_time",
    "minimisation",
    "pace",
    "preflight",
    "profiles",
    "purge",
    "races",
    "receipts",
    "recovery",
    "schedules",
    "set_back",
    "settling",
    "stays",
    "suppressions",
    "tampered",
    "waiting",
];

/// A database with a ledger for an operator that a test of both engines makes.
pub(super) fn database_for(caller: &Location<'_>) -> Option<Database> {
    let module = caller.file().strip_prefix("tests/cli/")?;
    let module = module.split(['/', '.']).next()?;
    let is_on_both = ON_BOTH.contains(&module);
    is_on_both.then(Database::with_ledger).flatten()
}

/// Whether a test of both engines is about the file of a ledger, and there is none; prints why.
#[expect(clippy::print_stdout, reason = "a test that skips says so")]
pub(crate) fn skips_on_postgres(why: &str) -> bool {
    let skips = is_on_postgres();
    if skips {
        println!("SKIPPED on PostgreSQL: {why}");
    }
    skips
}

pub(crate) fn is_on_postgres() -> bool {
    find_server().is_some()
}

/// All cases; on PostgreSQL, where each takes longer, at most `few` of them, spread over all.
pub(crate) fn few_on_postgres<T>(cases: Vec<T>, few: usize) -> Vec<T> {
    let every = if is_on_postgres() {
        cases.len().div_ceil(few)
    } else {
        1
    };
    cases.into_iter().step_by(every).collect()
}

/// Keeps everybody else from writing the ledger until it is dropped.
#[expect(dead_code, reason = "what is held is not used")]
pub(crate) enum Held {
    File(Connection),
    Server(Mortal),
}

/// A ledger as it was at one moment.
pub(crate) enum LedgerCopy {
    File(Vec<u8>),
    Server(Database),
}

impl Operator {
    pub(crate) fn is_on_server(&self) -> bool {
        self.database.is_some()
    }

    pub(crate) fn has_ledger(&self) -> bool {
        self.database.is_some() || self.dsr_home().join("ledger.db").exists()
    }

    /// A file that dsr keeps beside its ledger.
    pub(crate) fn beside_ledger(&self, name: &str) -> PathBuf {
        let database = self.database.as_ref();
        let folder = database.map(|_| Path::new("shared").join(ledger_identity()));
        self.dsr_home().join(folder.unwrap_or_default()).join(name)
    }

    /// Runs the doctor, which asks the ledger's server and, only with one, Mixpanel.
    #[track_caller]
    pub(crate) fn doctor(&self) -> Outcome {
        match self.is_on_server() {
            true => self.run(&["doctor"]),
            false => self.run(&["doctor", "--offline"]),
        }
    }

    /// The ledger as it is now: its file, or a copy in memory of what the server has.
    pub(super) fn open_ledger(&self) -> rusqlite::Result<Connection> {
        match &self.database {
            None => {
                let path = self.dsr_home().join("ledger.db");
                Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY)
            }
            Some(database) => fetched(database),
        }
    }

    pub(crate) fn trail_faults(&self) -> Vec<String> {
        // A test may have damaged or replaced the ledger.
        let ledger = self.open_ledger();
        ledger.map_or(Vec::new(), |ledger| trail_faults(&ledger))
    }

    pub(crate) fn untold_jobs(&self) -> Vec<String> {
        untold_jobs(&self.open_ledger().expect("the ledger can be opened"))
    }

    pub(crate) fn holds_the_ledger(&self) -> Held {
        let Some(database) = &self.database else {
            let path = self.dsr_home().join("ledger.db");
            let ledger = Connection::open(path).expect("the ledger can be opened");
            let held = ledger.execute_batch("BEGIN IMMEDIATE");
            held.expect("the ledger can be locked");
            return Held::File(ledger);
        };
        Held::Server(database.hold("SELECT FROM dsr.audit_head FOR UPDATE"))
    }

    /// Copies the ledger as an operator without dsr would, when nobody has it open.
    pub(crate) fn copies_ledger(&self) -> LedgerCopy {
        match &self.database {
            Some(database) => LedgerCopy::Server(database.copy()),
            None => LedgerCopy::File(self.ledger_bytes()),
        }
    }

    pub(crate) fn puts_back(&self, copy: &LedgerCopy) {
        match (copy, &self.database) {
            (LedgerCopy::Server(copy), Some(database)) => database.becomes(copy),
            (LedgerCopy::File(bytes), None) => {
                let path = self.dsr_home().join("ledger.db");
                for beside in ["db-wal", "db-shm"] {
                    drop(std::fs::remove_file(path.with_extension(beside)));
                }
                write_privately(&path, bytes);
            }
            _ => panic!("the copy is of another engine"),
        }
    }

    /// All that the ledger's file holds, or the tables of a server.
    pub(crate) fn ledger_bytes(&self) -> Vec<u8> {
        let Some(database) = &self.database else {
            let path = self.dsr_home().join("ledger.db");
            return std::fs::read(path).expect("there is a ledger");
        };
        let mut bytes = Vec::new();
        for row in database.script(TABLES).lines() {
            let row: Value = serde_json::from_str(row).expect("JSON");
            for value in row["row"].as_object().iter().flat_map(|row| row.values()) {
                match cell(value) {
                    Cell::Blob(blob) => bytes.extend(blob),
                    _ => bytes.extend(value.to_string().bytes()),
                }
                bytes.push(b'\n');
            }
        }
        bytes
    }

    /// The packed ids of a job, as the ledger should have them.
    pub(super) fn unsealed(&self, job: &str, stored: Vec<u8>) -> Vec<u8> {
        match self.database {
            None => stored,
            Some(_) => unsealed(job, &stored),
        }
    }
}

/// Opens the seal by docs/design/engines.md, without dsr's code.
fn unsealed(job: &str, stored: &[u8]) -> Vec<u8> {
    let text = String::from_utf8_lossy(ledger_key());
    let digits = text.trim();
    let byte = |place: usize| u8::from_str_radix(&digits[place..place + 2], 16);
    let key: Vec<u8> = (0..digits.len())
        .step_by(2)
        .map(|place| byte(place).expect("hex"))
        .collect();
    let mut derived = [0; 32];
    let made = Hkdf::<Sha256>::new(None, &key).expand(b"dsr ledger: ids of jobs", &mut derived);
    made.expect("HKDF gives 32 bytes");
    let (nonce, sealed) = stored.split_first_chunk::<24>().expect("a nonce");
    let payload = Payload {
        msg: sealed,
        aad: job.as_bytes(),
    };
    let cipher = XChaCha20Poly1305::new(&derived.into());
    let opened = cipher.decrypt(&XNonce::from(*nonce), payload);
    let mut packed = opened.expect("sealed for this job");
    let end = packed.iter().rposition(|byte| *byte == 1);
    packed.truncate(end.expect("a padding"));
    packed
}

/// All tables of the server's ledger in one view: a line of JSON for each table and each row.
const TABLES: &str = r"
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT json_build_object('table', table_name,
                         'columns', json_agg(column_name ORDER BY ordinal_position))
    FROM information_schema.columns WHERE table_schema = 'dsr' GROUP BY table_name;
SELECT format('SELECT json_build_object(''table'', %L, ''row'', row_to_json(t)) FROM dsr.%I t',
              tablename, tablename)
    FROM pg_tables WHERE schemaname = 'dsr' \gexec
";

fn fetched(database: &Database) -> rusqlite::Result<Connection> {
    let ledger = Connection::open_in_memory()?;
    let tables = database.script(TABLES);
    ledger.execute_batch("BEGIN")?;
    for line in tables.lines() {
        let line: Value = serde_json::from_str(line).expect("JSON");
        let table = line["table"].as_str().expect("a name");
        if let Some(columns) = line["columns"].as_array() {
            let columns: Vec<_> = columns.iter().map(Value::to_string).collect();
            let columns = columns.join(", ");
            ledger.execute_batch(&format!("CREATE TABLE {table} ({columns})"))?;
        } else if let Some(row) = line["row"].as_object() {
            let cells: Vec<Cell> = row.values().map(cell).collect();
            let places = vec!["?"; cells.len()].join(", ");
            let insert = format!("INSERT INTO {table} VALUES ({places})");
            let mut insert = ledger.prepare_cached(&insert)?;
            insert.execute(rusqlite::params_from_iter(cells))?;
        }
    }
    ledger.execute_batch("COMMIT")?;
    Ok(ledger)
}

fn cell(value: &Value) -> Cell {
    match value {
        Value::Null => Cell::Null,
        Value::Number(number) => Cell::Integer(number.as_i64().expect("a whole number")),
        Value::String(text) => match text.strip_prefix("\\x") {
            Some(digits) => {
                let byte = |place| u8::from_str_radix(&digits[place..place + 2], 16).expect("hex");
                Cell::Blob((0..digits.len()).step_by(2).map(byte).collect())
            }
            None => Cell::Text(text.clone()),
        },
        other => panic!("no column has {other}"),
    }
}
