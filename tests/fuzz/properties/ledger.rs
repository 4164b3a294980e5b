//! The ledger and its side files, as another program or a failing disk may leave them.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use dsr::domain::{
    Batch, DistinctId, IdLines, IdsKept, JobId, JobState, Lane, Law, Leniency, Operation,
    ProjectKey, ProjectName, Rate, Region, RequestId, TaskId,
};
use dsr::ledger::{
    Again, Chosen, Claim, JobRecord, Ledger, LedgerError, LedgerPlace, NewRequest, Opening,
    Outcome, Purpose, Recorded, Standing, Which,
};
use rusqlite::types::Value;
use rusqlite::{Connection, params};

/// The one request of these ledgers, and the sender of its jobs.
const REQUEST: &str = "qqqqqqqqqqqqqqqq";
const SENDER: &str = "s";
/// One job each: planned, sending, unknown, accepted.
const JOBS: usize = 4;
const IDS: [&str; 3] = ["user-17", "alice@example.test", "Ünï 7"];
/// The tables whose contents dsr writes.
const TABLES: [&str; 6] = [
    "requests", "jobs", "payloads", "attempts", "steps", "learned",
];

/// A receipt moves only the job it names, to the task it names. A file that is not a receipt stays
/// and stops nobody.
pub(crate) fn receipts(bytes: &[u8]) {
    let filled = filled();
    let bytes = &with_request(bytes, &filled.request);
    let home = Home::new(&filled.content);
    let folder = home.folder.path().join("receipts");
    std::fs::create_dir(&folder).expect("a folder");
    let file = folder.join(format!("{}.jsonl", filled.sender));
    write_private(&file, bytes);
    let mut ledger = home.open().expect("our own ledger");
    let before = jobs(&ledger, &filled.request).expect("our own jobs");
    let report = ledger.record_receipts(now()).expect("receipts can be read");
    let after = jobs(&ledger, &filled.request).expect("the jobs can still be read");
    assert_eq!(before.len(), after.len());
    let mut moved = 0;
    for (before, after) in before.iter().zip(&after) {
        if before.task == after.task {
            assert_eq!(before.state, after.state);
            continue;
        }
        moved += 1;
        assert_eq!(before.task, None, "a task is exchanged");
        assert!([JobState::Sending, JobState::Unknown].contains(&before.state));
        assert_eq!(after.state, JobState::Accepted);
        let task = after.task.as_ref().expect("a task");
        assert!(names(bytes, &before.id, task), "a task from nowhere");
    }
    assert_eq!(report.recorded, moved);
    let left = std::fs::read(&file).ok();
    match report.left.as_slice() {
        [] => assert_eq!(left, None, "a file that is done with stays"),
        _ => assert_eq!(left.as_deref(), Some(&bytes[..]), "what is left is changed"),
    }
    let again = ledger.record_receipts(now()).expect("receipts can be read");
    assert_eq!((again.recorded, again.left.len()), (0, report.left.len()));
    let interrupted = ledger.record_interrupted(now()).expect("our own ledger");
    let still = after.iter().filter(|job| job.state == JobState::Sending);
    assert_eq!(interrupted, still.count());
}

/// dsr refuses a ledger that others can read.
fn write_private(path: &Path, content: &[u8]) {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path).expect("a file");
    std::io::Write::write_all(&mut file, content).expect("room");
}

/// Whether a whole line names this task for this job.
fn names(bytes: &[u8], job: &JobId, task: &TaskId) -> bool {
    String::from_utf8_lossy(bytes).lines().any(|line| {
        let Ok(receipt) = serde_json::from_str::<serde_json::Value>(line) else {
            return false;
        };
        let field = |name: &str, place: usize| match &receipt {
            serde_json::Value::Array(fields) => fields.get(place).cloned(),
            fields => fields.get(name).cloned(),
        };
        let says = |value: Option<serde_json::Value>, text: &str| {
            value.and_then(|v| Some(v.as_str()?.trim() == text)) == Some(true)
        };
        says(field("request", 0), job.request.as_str())
            && field("job", 1) == Some(job.number.into())
            && says(field("task_id", 2), task.as_str())
    })
}

/// A file that is not a ledger is refused and left as it is; a damaged one is read or refused.
///
/// After a first byte of 0 the rest is the file. Otherwise the first byte cuts the ledger to so
/// many 64ths of its length, and each three bytes after it are a place and a byte to put there.
pub(crate) fn file(bytes: &[u8]) {
    let (mode, rest) = bytes.split_first().unwrap_or((&0, &[]));
    let content = match mode {
        0 => rest.to_owned(),
        cut => patched(*cut, rest),
    };
    let home = Home::new(&content);
    // SQLite reads a file of one byte as an empty database.
    let is_database = content.len() <= 1 || content.starts_with(b"SQLite format 3\0");
    match home.open() {
        Ok(mut ledger) => {
            assert!(is_database, "something else is taken for a ledger");
            assert!(version_of(&content) < 50, "of a dsr that is not there yet");
            use_all(&mut ledger);
        }
        Err(error) => {
            assert!(!error.to_string().is_empty());
            let left = std::fs::read(&home.ledger).expect("it is still there");
            assert!(is_database || left == content, "a foreign file is changed");
        }
    }
}

/// SQLite's `user_version`, which holds the ledger's version.
fn version_of(content: &[u8]) -> u32 {
    let bytes = content.get(60..64).unwrap_or(&[0; 4]);
    u32::from_be_bytes(bytes.try_into().expect("four bytes"))
}

fn patched(cut: u8, patches: &[u8]) -> Vec<u8> {
    let mut content = template().to_owned();
    for patch in patches.chunks_exact(3) {
        // Two bytes reach 64 KiB; the ledger is a little longer.
        let place = usize::from(u16::from_be_bytes([patch[0], patch[1]]));
        if let Some(byte) = content.get_mut(place) {
            *byte = patch[2];
        }
    }
    if cut < 64 {
        content.truncate(content.len() * usize::from(cut) / 64);
    }
    content
}

/// Whatever a cell holds, the ledger is read or refused, and no job gets other ids.
///
/// Each line is a table, a column, a type (`text`, `blob`, `int`, `null`) and the value.
pub(crate) fn cells(bytes: &[u8]) {
    let home = Home::new(template());
    let conn = Connection::open(&home.ledger).expect("our own ledger");
    let mut changed = false;
    for line in bytes.split(|byte| *byte == b'\n').take(16) {
        let mut words = line.splitn(4, |byte| *byte == b' ');
        let mut word = || String::from_utf8_lossy(words.next().unwrap_or_default()).into_owned();
        let (table, column, kind) = (word(), word(), word());
        let value = words.next().unwrap_or_default();
        let is_column = column.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
        if !TABLES.contains(&table.as_str()) || column.is_empty() || !is_column {
            continue;
        }
        let text = || String::from_utf8_lossy(value).into_owned();
        let value = match kind.as_str() {
            "text" => Value::Text(text()),
            "blob" => Value::Blob(value.to_owned()),
            "int" => Value::Integer(text().trim().parse().unwrap_or(0)),
            "null" => Value::Null,
            _ => continue,
        };
        // A value that the schema forbids changes nothing.
        let done = conn.execute(&format!("UPDATE {table} SET {column} = $1"), params![value]);
        changed |= done.is_ok() && table == "payloads";
    }
    drop(conn);
    let Ok(mut ledger) = home.open() else {
        return;
    };
    let found = use_all(&mut ledger);
    if !changed {
        let ours: Vec<&str> = IDS.to_vec();
        assert!(found.iter().all(|batch| texts(batch) == ours), "other ids");
    }
}

/// What is written is read back byte for byte; damage is an error and never gives other ids.
///
/// The first two bytes are a place in the packed ids and the change there; then one id a line. The
/// whole is also tried as packed ids, and packed as the ids.
pub(crate) fn payload(bytes: &[u8]) {
    let home = Home::new(template());
    let mut ledger = home.open().expect("our own ledger");
    let other = Connection::open(&home.ledger).expect("our own ledger");
    if let [place, change, lines @ ..] = bytes
        && let Ok(batch) = Batch::restore(ids(lines))
    {
        let job = store(&mut ledger, &batch);
        assert_eq!(ledger.find_batch(&job).expect("our own ids"), batch);
        let recorded = ledger.find_job(&job).expect("our own job");
        assert_eq!(recorded.ids, batch.count());
        damage(&other, &job, usize::from(*place), *change);
        let read = ledger.find_batch(&job).ok();
        assert!(read.is_none_or(|read| read == batch), "other ids");
    }
    let text = zstd::encode_all(bytes, 1).expect("memory");
    for packed in [bytes.to_owned(), text] {
        let text = unpack(&packed);
        let sql = "UPDATE payloads SET packed = $1";
        let done = other.execute(sql, params![packed]);
        done.expect("a column of this name");
        for job in jobs(&ledger, REQUEST).expect("our own jobs") {
            let batch = ledger.find_batch(&job.id).ok();
            check_texts(batch.as_ref(), text.as_deref());
        }
    }
}

fn ids(lines: &[u8]) -> Vec<DistinctId> {
    let mut ids = Vec::new();
    for line in String::from_utf8_lossy(lines).lines().take(64) {
        let id = DistinctId::new_with(line, Leniency::Named);
        ids.extend(id.ok().filter(|id| !ids.contains(id)));
    }
    ids
}

fn unpack(bytes: &[u8]) -> Option<String> {
    String::from_utf8(zstd::decode_all(bytes).ok()?).ok()
}

/// The ids that are read are exactly the lines of the text.
fn check_texts(batch: Option<&Batch>, text: Option<&str>) {
    let Some(batch) = batch else {
        return;
    };
    check_batch(batch);
    let text = text.expect("ids out of nothing");
    let joined = texts(batch).join("\n");
    assert_eq!(text.strip_suffix('\n').unwrap_or(text), joined);
}

fn check_batch(batch: &Batch) {
    let texts = texts(batch);
    let is_id = |id: &&str| !id.is_empty() && !id.contains(['\n', '\r', '\0']);
    assert!(!texts.is_empty() && texts.iter().all(is_id));
}

fn damage(conn: &Connection, job: &JobId, place: usize, change: u8) {
    let sql = "SELECT packed FROM payloads WHERE request = $1";
    let name = job.request.as_str();
    let packed = conn.query_row(sql, [name], |row| row.get(0));
    let mut packed: Vec<u8> = packed.expect("a row");
    let place = place % packed.len();
    packed[place] ^= change;
    let sql = "UPDATE payloads SET packed = $1 WHERE request = $2";
    conn.execute(sql, params![packed, name]).expect("a row");
}

fn store(ledger: &mut Ledger, batch: &Batch) -> JobId {
    let batches = std::iter::once(Ok(batch.into()));
    let request = record(ledger, batch.count(), batches);
    JobId { request, number: 1 }
}

fn record(
    ledger: &mut Ledger,
    ids: usize,
    batches: impl Iterator<Item = Result<IdLines, LedgerError>>,
) -> RequestId {
    let recorded = ledger.record_requests([(request(ids), batches)], Again::Allow, now());
    match recorded.expect("our own ledger") {
        Recorded::New(mut requests) => requests.remove(0),
        Recorded::There(_) | Recorded::Applied(_) => panic!("it may be there twice"),
    }
}

/// Reads everything that commands read; returns every readable batch.
fn use_all(ledger: &mut Ledger) -> Vec<Batch> {
    let mut batches = Vec::new();
    for request in ledger.list_requests(Which::All).unwrap_or_default() {
        // What is read of a request is consistent.
        assert!(request.count_jobs(|_| true) >= 1);
        request.state();
        for job in ledger
            .jobs(&request.id, Standing::Any)
            .map_while(Result::ok)
        {
            batches.extend(ledger.find_batch(&job.id).ok());
        }
        ledger.find_shared(std::slice::from_ref(&request.id)).ok();
        ledger.find_unsent(&request.id, 0).ok();
    }
    batches.iter().for_each(check_batch);
    for name in [REQUEST, "qqqq", "task-4"] {
        ledger.find_named(name).ok();
    }
    ledger.record_receipts(now()).ok();
    ledger.record_interrupted(now()).ok();
    ledger.list_requests(Which::Open).ok();
    ledger.audit_head().ok();
    ledger.list_entries(Chosen::Last(100)).ok();
    ledger.verify_audit(&[], &mut |_, _| {}).ok();
    batches
}

fn texts(batch: &Batch) -> Vec<&str> {
    batch.ids().iter().map(DistinctId::expose).collect()
}

fn jobs(ledger: &Ledger, request: &str) -> Result<Vec<JobRecord>, LedgerError> {
    let request = RequestId::restore(request.to_owned());
    ledger.jobs(&request, Standing::Any).collect()
}

/// A folder with a ledger of this content.
struct Home {
    folder: tempfile::TempDir,
    ledger: PathBuf,
}

impl Home {
    fn new(content: &[u8]) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let ledger = folder.path().join("ledger.db");
        write_private(&ledger, content);
        Self { folder, ledger }
    }

    /// Opens it although it was made elsewhere.
    fn open(&self) -> Result<Ledger, LedgerError> {
        Ledger::open_set_back(
            &Opening::default(),
            &LedgerPlace::File(self.ledger.clone()),
            Duration::from_millis(200),
        )
    }
}

/// A ledger with one request, the same bytes each time.
/// A ledger whose rows are as its trail sealed them.
struct Filled {
    content: Vec<u8>,
    request: String,
    sender: String,
}

fn filled() -> &'static Filled {
    static FILLED: OnceLock<Filled> = OnceLock::new();
    FILLED.get_or_init(|| {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("ledger.db");
        fill(&path);
        let conn = Connection::open(&path).expect("a ledger");
        let text = |sql: &str| conn.query_row(sql, [], |row| row.get(0)).expect("a row");
        let (request, sender) = (
            text("SELECT id FROM requests"),
            text("SELECT DISTINCT sender FROM attempts"),
        );
        conn.execute_batch("PRAGMA journal_mode = delete")
            .expect("a ledger");
        drop(conn);
        Filled {
            content: std::fs::read(&path).expect("a ledger"),
            request,
            sender,
        }
    })
}

/// The corpus names [`REQUEST`]; the ledger's has another name of the same length.
fn with_request(bytes: &[u8], request: &str) -> Vec<u8> {
    let mut bytes = bytes.to_owned();
    for place in 0..bytes.len().saturating_sub(REQUEST.len() - 1) {
        let name = &mut bytes[place..place + REQUEST.len()];
        if name == REQUEST.as_bytes() {
            name.copy_from_slice(request.as_bytes());
        }
    }
    bytes
}

fn template() -> &'static [u8] {
    static TEMPLATE: OnceLock<Vec<u8>> = OnceLock::new();
    TEMPLATE.get_or_init(|| {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("ledger.db");
        fill(&path);
        without_chance(&path);
        std::fs::read(&path).expect("a ledger")
    })
}

fn fill(path: &Path) {
    let mut ledger = Ledger::open(path, Duration::from_secs(1)).expect("a new ledger");
    let ids = IDS.map(|id| DistinctId::new(id).expect("an id"));
    let batch = Batch::restore(ids.to_vec()).expect("ids");
    let batches = vec![IdLines::from(&batch); JOBS];
    let request = record(&mut ledger, IDS.len(), batches.into_iter().map(Ok));
    let outcomes = [
        (2, None),
        (3, Some(Outcome::Unknown)),
        (4, TaskId::new("task-4").map(Outcome::Accepted)),
    ];
    for (number, outcome) in outcomes {
        let at = now() + TimeDelta::hours(number.into());
        let job = JobId {
            request: request.clone(),
            number,
        };
        let lane = Lane {
            project: key(),
            rate: Rate::default(),
        };
        let claim = ledger.record_sending(&job, Purpose::Submit, &lane, at);
        match claim.expect("a new ledger") {
            Claim::Send(claimed) => assert_eq!(claimed.attempt(), 1),
            other => panic!("not to be sent: {other:?}"),
        }
        if let Some(outcome) = outcome {
            let recorded = ledger.record_outcome(&job, &lane, &outcome, None, at);
            recorded.expect("a new ledger");
        }
    }
}

fn without_chance(path: &Path) {
    let conn = Connection::open(path).expect("a ledger");
    let mut script = "PRAGMA foreign_keys = off; PRAGMA journal_mode = delete;".to_owned();
    for table in ["jobs", "payloads", "attempts", "steps"] {
        script += &format!("UPDATE {table} SET request = '{REQUEST}';");
    }
    script += &format!("UPDATE requests SET id = '{REQUEST}';");
    script += &format!("UPDATE attempts SET sender = '{SENDER}';");
    script += &format!("UPDATE audit SET request = '{REQUEST}' WHERE request IS NOT NULL;");
    script += "UPDATE audit SET details = '{}', hash = 'x'; UPDATE audit_head SET hash = 'x';";
    script += "UPDATE requests SET ids_salt = 'x';";
    script += "UPDATE jobs SET subject_request_id = '3e0b7f52-0000-4000-8000-000000000000';";
    script += "PRAGMA page_size = 512; VACUUM;";
    conn.execute_batch(&script).expect("a ledger");
}

fn request(ids: usize) -> NewRequest {
    NewRequest {
        operation: Operation::Delete(Law::Gdpr),
        project: ProjectName::new("shop").expect("a name"),
        project_key: key(),
        region: Region::Eu,
        reference: Some("T-1".to_owned()),
        received: now().date_naive(),
        due: now().date_naive() + chrono::Days::new(30),
        confirm_by: None,
        source: "`ids.csv`".to_owned(),
        read: ids,
        unique: ids,
        excluded: 0,
        plan: None,
        ids_kept: IdsKept::default(),
    }
}

fn key() -> ProjectKey {
    ProjectKey::restore("k".to_owned())
}

fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(1_800_000_000, 0).expect("a time")
}
