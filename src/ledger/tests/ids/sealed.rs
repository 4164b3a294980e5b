//! On a server no id is readable without the ledger key; a file needs no key at all.

use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;

use super::*;
use crate::credentials::LedgerKeyError;
use crate::ledger::engine::Connection;

/// In every id that must not be found. Letters that zstd leaves as they are in a short text.
const CANARY: &str = "Kq7zXw2v";
/// In what the ledger keeps readable, so that the search is known to find something.
const READABLE: &str = "Ticket-Rj4bN8sd";

fn with_key(folder: &tempfile::TempDir, key: KeySource) -> Ledger {
    let opening = Opening {
        key,
        ..Opening::default()
    };
    let path = folder.path().join("ledger.db");
    Ledger::open_by(&opening, &path, Duration::from_secs(5)).unwrap()
}

fn key_of(byte: u8) -> KeySource {
    KeySource::new(move || Ok(LedgerKey::restore([byte; LedgerKey::BYTES])))
}

fn no_key() -> KeySource {
    KeySource::new(|| Err(LedgerKeyError::Gone))
}

fn batch(ids: &[String]) -> Batch {
    let ids = ids.iter().map(|id| DistinctId::new(id).unwrap());
    Batch::restore(ids.collect()).unwrap()
}

fn finish(ledger: &mut Ledger, job: &JobId, task: &str) {
    assert!(matches!(send(ledger, job), Claim::Send { .. }));
    let accepted = Outcome::Accepted(TaskId::new(task).unwrap());
    end(ledger, job, &accepted).unwrap();
    ledger.conn.execute("DELETE FROM pace", []).unwrap();
    ledger
        .record_check(job, &TaskStatus::Success, noon())
        .unwrap();
}

/// The text as it may stand in a file: as it is, in hex, or within a longer base64 text.
fn forms(text: &str) -> Vec<String> {
    let mut forms = vec![text.to_owned(), to_hex(text.as_bytes())];
    forms.push(forms[1].to_uppercase());
    for before in 0..3 {
        let encoded = STANDARD_NO_PAD.encode([&vec![0; before], text.as_bytes()].concat());
        // The first and last letters also depend on the bytes beside the text.
        let start = (before * 8).div_ceil(6);
        let end = (before + text.len()) * 8 / 6;
        forms.push(encoded[start..end].to_owned());
    }
    forms
}

/// The files of the server's data folder, its log, and a dump, in which one of the texts stands.
fn find_on_server(conn: &Connection, texts: &[String]) -> Vec<String> {
    let ask = |sql: &str| crate::ledger::tests::audit::value(conn, sql);
    // Pages in memory go to the files, as at any later moment.
    conn.execute_batch("CHECKPOINT").unwrap();
    let data = ask("SELECT current_setting('data_directory')");
    let dump = tempfile::tempdir().unwrap();
    let file = dump.path().join("dump.sql");
    let major = ask("SELECT (current_setting('server_version_num')::int / 10000)::text");
    let dumped = Command::new(format!("/usr/lib/postgresql/{major}/bin/pg_dump"))
        .args([
            "-h",
            &ask("SELECT current_setting('unix_socket_directories')"),
        ])
        .args(["-p", &ask("SELECT current_setting('port')")])
        .args(["-U", &ask("SELECT current_user::text")])
        .args(["-n", &ask("SELECT current_schema()::text"), "-f"])
        .arg(&file)
        .arg(ask("SELECT current_database()::text"))
        .status();
    assert!(dumped.unwrap().success());
    let mut grep = Command::new("grep");
    grep.env("LC_ALL", "C").args(["-rlaF"]);
    for form in texts.iter().flat_map(|text| forms(text)) {
        grep.args(["-e", &form]);
    }
    grep.args(["--", &data, &format!("{data}/../log")])
        .arg(&file);
    let output = grep.output().unwrap();
    // Other tests' files may vanish meanwhile.
    let files = String::from_utf8(output.stdout).unwrap();
    files.lines().map(str::to_owned).collect()
}

/// A request of each kind of id, in each state that keeps or loses ids.
fn live(folder: &tempfile::TempDir) -> (Ledger, Vec<String>) {
    let mut ledger = open(folder);
    if ledger.conn.lazy_seal().is_some() {
        // A server may be set to log each statement with its parameters.
        ledger
            .conn
            .execute_batch("SET log_statement = 'all'")
            .unwrap();
    }
    let (uuid, number) = ("c7d94e1b-55aa-4f0c-9e3d-7b1f2a6c8d90", "7340918265550173");
    let shapes = [
        CANARY.to_owned(),
        format!("{CANARY}@example.test"),
        format!("Jürgen-{CANARY}"),
        format!("{CANARY}{}", "y".repeat(MAX_ID_BYTES - CANARY.len())),
        uuid.to_owned(),
        number.to_owned(),
    ];
    let ask_at = |ledger: &mut Ledger, batches: &[Batch], at| {
        let asked = NewRequest {
            reference: Some(READABLE.to_owned()),
            ..request()
        };
        let asked = [(asked, planned(batches))];
        match ledger.record_requests(asked, Again::Allow, at).unwrap() {
            Recorded::New(mut ids) => ids.remove(0),
            there => panic!("{there:?}"),
        }
    };
    let ask = |ledger: &mut Ledger, batches: &[Batch]| ask_at(ledger, batches, noon());
    let single: Vec<Batch> = shapes
        .iter()
        .map(|id| batch(std::slice::from_ref(id)))
        .collect();
    let many: Vec<String> = (0..500).map(|n| format!("{CANARY}-{n}")).collect();
    let (gone, kept) = (ask(&mut ledger, &single), ask(&mut ledger, &single));
    let wide = ask(&mut ledger, &[batch(&many), batch(&many[..3])]);
    let limit = std::num::NonZeroUsize::new(200).unwrap();
    ledger.record_cut(&nth(&wide, 1), limit, noon()).unwrap();
    for number in 1..=6 {
        finish(&mut ledger, &nth(&gone, number), &format!("t-{number}"));
    }
    finish(&mut ledger, &nth(&kept, 1), "t-7");
    let old = "2024-01-02T00:00:00Z".parse().unwrap();
    let purged = ask_at(&mut ledger, &single, old);
    ledger.record_withdrawn(&purged, old).unwrap();
    let key = LedgerKey::restore([7; LedgerKey::BYTES]);
    let swept = ledger.record_hashed(&key, noon()).unwrap();
    assert_eq!(swept.jobs, 13);
    ledger.record_digests_blank().unwrap();
    let mut people = WantedPeople::new(Some(&key));
    people.add(&shapes[1]).unwrap();
    assert_eq!(ledger.find_people(&people).unwrap().len(), 3);
    let one = ask(&mut ledger, &single[..1]);
    ledger.demand_recorded_ids(&one).unwrap();
    let cutoff = Cutoff::parse("2024-11-22", "2026-11-22".parse().unwrap()).unwrap();
    let purged = ledger.record_purged(cutoff, noon()).unwrap();
    assert_eq!(purged.unwrap().requests, 1);
    assert_eq!(ledger.find_batch(&nth(&kept, 2)).unwrap(), single[1]);
    let mut digest = IdsDigest::default();
    digest.add(&shapes[0]);
    // Anybody can compute this one from a guess.
    let digest = digest.to_string();
    (
        ledger,
        vec![
            CANARY.to_owned(),
            uuid.to_owned(),
            number.to_owned(),
            digest,
        ],
    )
}

#[test]
fn no_id_is_readable_in_a_servers_files_log_or_dump() {
    let folder = tempfile::tempdir().unwrap();
    let (ledger, secret) = live(&folder);
    if ledger.conn.lazy_seal().is_none() {
        return;
    }
    let found = find_on_server(&ledger.conn, &[READABLE.to_owned()]);
    for place in ["/base/", "/pg_wal/", "/data/../log", "dump.sql"] {
        let is_found = found.iter().any(|file| file.contains(place));
        assert!(is_found, "the search itself finds nothing in {place}");
    }
    assert_eq!(find_on_server(&ledger.conn, &secret), [""; 0]);
}

#[test]
fn ids_in_another_jobs_place_are_damaged_and_not_sent() {
    let folder = tempfile::tempdir().unwrap();
    let (mut ledger, record) = with_request(&folder);
    if ledger.conn.lazy_seal().is_none() {
        return;
    }
    let swap = "UPDATE payloads SET packed =
        (SELECT packed FROM payloads AS other WHERE other.number = 3 - payloads.number)";
    assert_eq!(ledger.conn.execute(swap, []).unwrap(), 2);
    for job in [nth(&record.id, 1), nth(&record.id, 2)] {
        let error = ledger.find_batch(&job).unwrap_err();
        assert!(matches!(error, LedgerError::Unreadable { .. }), "{error:?}");
        let claim = ledger.record_sending(&job, Purpose::Submit, &lane(), noon());
        assert!(matches!(claim, Err(LedgerError::Unreadable { .. })));
        assert_eq!(state(&ledger, &job), JobState::Planned);
    }
}

#[test]
fn changed_ids_are_damaged_wherever_they_are_changed() {
    let folder = tempfile::tempdir().unwrap();
    let (ledger, record) = with_request(&folder);
    if ledger.conn.lazy_seal().is_none() {
        return;
    }
    let sql = "SELECT packed FROM payloads WHERE number = 1";
    let packed: Vec<u8> = ledger.conn.query_row(sql, [], |row| row.get(0)).unwrap();
    for place in [0, 23, 24, packed.len() / 2, packed.len() - 1] {
        let mut changed = packed.clone();
        changed[place] ^= 1;
        let sql = "UPDATE payloads SET packed = $1 WHERE number = 1";
        ledger.conn.execute(sql, [changed]).unwrap();
        let error = ledger.find_batch(&nth(&record.id, 1)).unwrap_err();
        assert!(
            matches!(error, LedgerError::Unreadable { .. }),
            "{place}: {error:?}"
        );
    }
}

#[test]
fn without_the_ledgers_own_key_nothing_is_recorded_or_sent() {
    let folder = tempfile::tempdir().unwrap();
    let (own, record) = with_request(&folder);
    if own.conn.lazy_seal().is_none() {
        return;
    }
    let head = own.audit_head().unwrap();
    let is_other = |error: &LedgerError| matches!(error, LedgerError::OtherKey { .. });
    let is_none = |error: &LedgerError| matches!(error, LedgerError::NoKey(_));
    type IsWanted<'f> = &'f dyn Fn(&LedgerError) -> bool;
    let cases: [(KeySource, IsWanted<'_>); 2] = [(key_of(8), &is_other), (no_key(), &is_none)];
    for (key, expected) in cases {
        let mut ledger = with_key(&folder, key);
        let job = nth(&record.id, 1);
        let new =
            ledger.record_requests([(request(), planned(&batches(9, 3)))], Again::Allow, noon());
        assert!(expected(&new.unwrap_err()));
        let claim = ledger.record_sending(&job, Purpose::Submit, &lane(), noon());
        assert!(expected(&claim.unwrap_err()));
        assert!(expected(&ledger.find_batch(&job).unwrap_err()));
        let checked = ledger.demand_recorded_ids(&record.id);
        assert!(expected(&checked.unwrap_err()));
        assert_eq!(state(&ledger, &job), JobState::Planned);
        assert_eq!(ledger.find_job(&job).unwrap().attempts, 0);
        assert_eq!(ledger.audit_head().unwrap(), head);
    }
    assert_eq!(own.find_batch(&nth(&record.id, 1)).unwrap().count(), 2);
}

#[test]
fn a_new_ledger_on_a_server_keeps_the_key_of_its_first_request() {
    let folder = tempfile::tempdir().unwrap();
    let mut first = with_key(&folder, key_of(1));
    if first.conn.lazy_seal().is_none() {
        return;
    }
    let mut second = with_key(&folder, key_of(2));
    let failing = std::iter::once(Err(LedgerError::Locked));
    let failed = first.record_requests([(request(), failing)], Again::Allow, noon());
    failed.unwrap_err();
    // A key is recorded together with what it seals.
    assert_eq!(first.find_people_key().unwrap(), None);
    record(&mut second, &batches(2, 2), noon());
    let key = LedgerKey::restore([2; LedgerKey::BYTES]);
    assert_eq!(first.find_people_key().unwrap(), Some(key.fingerprint()));
    let refused =
        first.record_requests([(request(), planned(&batches(2, 2)))], Again::Allow, noon());
    assert!(matches!(refused, Err(LedgerError::OtherKey { .. })));
    assert_eq!(check(&second).findings, []);
}

#[test]
fn the_key_is_asked_for_once_and_only_for_ids() {
    let folder = tempfile::tempdir().unwrap();
    let (own, record) = with_request(&folder);
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    let key = KeySource::new(move || {
        count.fetch_add(1, Ordering::Relaxed);
        Ok(LedgerKey::restore([7; LedgerKey::BYTES]))
    });
    let mut ledger = with_key(&folder, key);
    let job = nth(&record.id, 1);
    ledger.list_requests(Which::All).unwrap();
    ledger.find_job(&job).unwrap();
    ledger.record_interrupted(noon()).unwrap();
    ledger.record_digests_blank().unwrap();
    ledger.record_clean().unwrap();
    ledger.list_entries(Chosen::Last(9)).unwrap();
    assert_eq!(asked.load(Ordering::Relaxed), 0);
    super::super::record(&mut ledger, &batches(9, 3), noon());
    ledger.find_batch(&job).unwrap();
    ledger.find_batch(&nth(&record.id, 2)).unwrap();
    assert!(matches!(send(&mut ledger, &job), Claim::Send { .. }));
    assert_eq!(check(&ledger).findings, []);
    // A file's ids are not sealed, and nobody needs a key to send them.
    let expected = usize::from(own.conn.lazy_seal().is_some());
    assert_eq!(asked.load(Ordering::Relaxed), expected);
}
