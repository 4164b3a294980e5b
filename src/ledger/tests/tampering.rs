//! Someone who can write the file changes something: verification names the place.

use super::audit::{after, check, eventful, value};
use super::*;
use crate::ledger::audit::verify;
use crate::ledger::engine::Connection;

struct Dice(u64);

impl Dice {
    fn roll(&mut self, below: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % below
    }

    /// Changes one byte to another character of its kind.
    fn bend(&mut self, text: &str) -> String {
        if text.is_empty() {
            return "x".to_owned();
        }
        let place = self.roll(text.len());
        let digits = text.bytes().all(|byte| byte.is_ascii_digit());
        let alphabet = match digits {
            true => "0123456789",
            false => "abcdefghijklmnopqrstuvwxyzABCDEF0123456789:-_.,\"{} ",
        };
        let mut bytes = text.as_bytes().to_vec();
        while bytes == text.as_bytes() {
            bytes[place] = alphabet.as_bytes()[self.roll(alphabet.len())];
        }
        String::from_utf8(bytes).unwrap()
    }
}

const COLUMNS: [&str; 11] = [
    "seq",
    "at",
    "actor_user",
    "actor_host",
    "command",
    "version",
    "event",
    "request",
    "job",
    "details",
    "hash",
];

/// Makes room after an entry by renumbering later ones.
fn shift(after: i64, by: i64) -> String {
    format!(
        "UPDATE audit SET seq = -(seq + {by}) WHERE seq > {after};
         UPDATE audit SET seq = -seq WHERE seq < 0;"
    )
}

fn copy(from: i64, to: i64) -> String {
    let columns = COLUMNS[1..].join(", ");
    format!(
        "INSERT INTO audit (seq, {columns}) SELECT {to}, {columns} FROM audit WHERE seq = {from};"
    )
}

/// A change to the trail, and the entries of which verification must name one.
struct Tampering {
    what: String,
    sql: String,
    entries: Vec<i64>,
}

fn tampering(dice: &mut Dice, conn: &Connection, last: i64) -> Tampering {
    let mut entry = || 1 + dice.roll(usize::try_from(last).unwrap()) as i64;
    let (seq, other) = (entry(), entry());
    let grow = "UPDATE audit_head SET count = count + 1;";
    let made = |what: String, sql: String, entries: &[i64]| Tampering {
        what,
        sql,
        entries: entries.to_vec(),
    };
    match dice.roll(10) {
        0..4 => {
            let column = COLUMNS[dice.roll(COLUMNS.len())];
            let old =
                format!("SELECT COALESCE(CAST({column} AS TEXT), '') FROM audit WHERE seq = {seq}");
            let old = value(conn, &old);
            let new = match column == "job" && old.is_empty() && conn.is_typed() {
                true => "1".to_owned(),
                false => dice.bend(&old).replace('\'', "''"),
            };
            // Two entries cannot have one number, so the other is deleted.
            let room = match column {
                "seq" => format!("DELETE FROM audit WHERE seq = CAST('{new}' AS INTEGER);"),
                _ => String::new(),
            };
            let sql = format!("{room} UPDATE audit SET {column} = '{new}' WHERE seq = {seq};");
            made(format!("a byte of `{column}` of {seq}: {new}"), sql, &[seq])
        }
        4 => {
            let column = ["count", "hash"][dice.roll(2)];
            let old = value(
                conn,
                &format!("SELECT CAST({column} AS TEXT) FROM audit_head"),
            );
            let new = dice.bend(&old).replace('\'', "''");
            let sql = format!("UPDATE audit_head SET {column} = '{new}';");
            let named: i64 = match column {
                "count" => new.parse().unwrap(),
                _ => last,
            };
            let named = named.min(last);
            made(
                format!("a byte of the head's {column}"),
                sql,
                &[named, named + 1],
            )
        }
        5 => {
            let sql = format!("DELETE FROM audit WHERE seq = {seq};");
            made(format!("{seq} removed"), sql, &[seq])
        }
        6 => {
            let sql = format!("DELETE FROM audit WHERE seq = {seq};")
                + &shift(seq, -1)
                + "UPDATE audit_head SET count = count - 1;";
            made(
                format!("{seq} removed, the others closed up"),
                sql,
                &[seq, seq - 1],
            )
        }
        7 => {
            let (low, high) = (seq.min(other), seq.max(other) + i64::from(seq == other));
            let sql = format!(
                "UPDATE audit SET seq = -seq WHERE seq IN ({low}, {high});
                 UPDATE audit SET seq = {high} WHERE seq = -{low};
                 UPDATE audit SET seq = {low} WHERE seq = -{high};"
            );
            made(format!("{low} and {high} swapped"), sql, &[low])
        }
        8 => {
            let sql = shift(other, 1) + &copy(seq + i64::from(seq > other), other + 1) + grow;
            made(
                format!("{seq} doubled behind {other}"),
                sql,
                &[other + 1, other + 2],
            )
        }
        _ => {
            let sql = shift(other, 1)
                + &copy(other, other + 1)
                + &format!("UPDATE audit SET actor_user = 'eve' WHERE seq = {other} + 1;")
                + grow;
            made(format!("one inserted behind {other}"), sql, &[other + 1])
        }
    }
}

#[test]
fn each_of_a_thousand_tamperings_is_found_at_its_place() {
    let folder = tempfile::tempdir().unwrap();
    let (ledger, _) = eventful(&folder);
    let conn = &ledger.conn;
    let last = i64::try_from(ledger.audit_head().unwrap().count).unwrap();
    assert!(last > 20, "{last}");
    let mut dice = Dice(20_261_122);
    for number in 0..1000 {
        let Tampering { what, sql, entries } = tampering(&mut dice, conn, last);
        conn.execute_batch("BEGIN").unwrap();
        conn.execute_batch(&sql).unwrap();
        let audit = verify(conn, &[], &mut |_, _| {}).unwrap();
        let glance = crate::ledger::audit::look(conn).unwrap();
        conn.execute_batch("ROLLBACK").unwrap();
        let named: Vec<i64> = audit.findings.iter().filter_map(Finding::entry).collect();
        let is_named = entries.iter().any(|entry| named.contains(entry));
        assert!(is_named, "{number}: {what}: {:?}", audit.findings);
        assert!(glance.finding.is_some(), "{number}: {what}: a glance");
    }
    assert_eq!(check(&ledger).findings, []);
}

#[test]
fn one_change_gives_one_finding() {
    let folder = tempfile::tempdir().unwrap();
    let (ledger, _) = eventful(&folder);
    let last = ledger.audit_head().unwrap().count;
    let digit = |hash: &str| if hash.starts_with('0') { '1' } else { '0' };
    let of = |seq: u64| {
        value(
            &ledger.conn,
            &format!("SELECT hash FROM audit WHERE seq = {seq}"),
        )
    };
    let bend = |seq: u64| {
        let first = digit(&of(seq));
        format!("UPDATE audit SET hash = '{first}' || substr(hash, 2) WHERE seq = {seq}")
    };
    let first = digit(&of(last));
    let cases = [
        (
            "UPDATE audit SET at = '' WHERE seq = 5".to_owned(),
            Finding::Changed { entry: 5 },
        ),
        (bend(5), Finding::HashChanged { entry: 5 }),
        (bend(last), Finding::HashChanged { entry: last }),
        (
            ledger.conn.make_unreadable("actor_user", 5),
            Finding::Unreadable { entry: 5 },
        ),
        (
            "DELETE FROM audit WHERE event = 'ids_hashed' AND seq < 20; DELETE FROM audit
                 WHERE seq = 5"
                .to_owned(),
            Finding::Missing { first: 5, last: 5 },
        ),
        ("DELETE FROM audit_head".to_owned(), Finding::NoHead),
        (
            format!("UPDATE audit_head SET hash = '{first}' || substr(hash, 2)"),
            Finding::HeadDiffers { entry: last },
        ),
        (
            copy(5, i64::try_from(last).unwrap() + 1),
            Finding::PastHead {
                first: last + 1,
                last: last + 1,
            },
        ),
        (copy(5, 0), Finding::OutOfOrder { entry: 0 }),
    ];
    for (sql, expected) in cases {
        ledger.conn.execute_batch("BEGIN").unwrap();
        ledger.conn.execute_batch(&sql).unwrap();
        let audit = check(&ledger);
        ledger.conn.execute_batch("ROLLBACK").unwrap();
        let chain = audit
            .findings
            .iter()
            .filter(|finding| finding.entry().is_some() || **finding == Finding::NoHead);
        assert_eq!(chain.collect::<Vec<_>>(), [&expected], "{sql}");
    }
}

#[test]
fn removing_the_last_entries_is_found() {
    let folder = tempfile::tempdir().unwrap();
    let (ledger, _) = eventful(&folder);
    let last = ledger.audit_head().unwrap().count;
    let sql = format!("DELETE FROM audit WHERE seq > {last} - 3");
    ledger.conn.execute_batch(&sql).unwrap();
    let first = last - 2;
    assert!(
        check(&ledger)
            .findings
            .contains(&Finding::Missing { first, last })
    );
    let error = ledger.audit_head().unwrap_err();
    assert!(matches!(error, LedgerError::Trail(_)), "{error}");
}

#[test]
fn nothing_is_appended_to_a_trail_without_its_head() {
    let folder = tempfile::tempdir().unwrap();
    let (mut ledger, request) = eventful(&folder);
    let refused = |ledger: &mut Ledger, sql: &str| {
        ledger.conn.execute_batch(sql).unwrap();
        let before = value(&ledger.conn, "SELECT CAST(COUNT(*) AS TEXT) FROM audit");
        let error = ledger.record_withdrawn(&request, after(500)).unwrap_err();
        assert!(matches!(error, LedgerError::Trail(_)), "{error}");
        assert_eq!(
            value(&ledger.conn, "SELECT CAST(COUNT(*) AS TEXT) FROM audit"),
            before
        );
        assert_eq!(state(ledger, &nth(&request, 4)), JobState::Planned);
    };
    refused(&mut ledger, "UPDATE audit_head SET count = count - 1");
    refused(&mut ledger, "DELETE FROM audit_head");
}

#[test]
fn a_row_changed_without_an_entry_is_found() {
    let folder = tempfile::tempdir().unwrap();
    let (ledger, request) = eventful(&folder);
    let of = |number| Finding::JobDiffers {
        job: nth(&request, number),
        what: String::new(),
    };
    let asked = Finding::RequestDiffers {
        request: request.clone(),
        what: String::new(),
    };
    let gone = Finding::RequestMissing {
        request: request.clone(),
    };
    let unknown = Finding::UnknownRequests { found: 1 };
    let job = |number: u32| format!("WHERE request = '{request}' AND number = {number}");
    let cases = [
        (
            format!("UPDATE jobs SET state = 'running' {}", job(1)),
            of(1),
        ),
        (format!("UPDATE jobs SET state = 'done' {}", job(4)), of(4)),
        (
            format!("UPDATE jobs SET task_id = 'task-2' {}", job(1)),
            of(1),
        ),
        (format!("UPDATE jobs SET task_id = x'00' {}", job(1)), of(1)),
        (format!("UPDATE jobs SET attempts = 2 {}", job(2)), of(2)),
        (format!("UPDATE jobs SET ids_count = 2 {}", job(1)), of(1)),
        (format!("UPDATE jobs SET linked = 0 {}", job(3)), of(3)),
        (
            format!("UPDATE jobs SET abandoned_at = NULL {}", job(2)),
            of(2),
        ),
        (
            format!("UPDATE downloads SET sha256 = 'x' {}", job(1)),
            of(1),
        ),
        (
            format!(
                "INSERT INTO downloads VALUES
                 ('{request}', 4, '', 1, '', '2027-01-01', '2027-01-01')"
            ),
            of(4),
        ),
        (format!("DELETE FROM jobs {}", job(4)), asked.clone()),
        (
            format!("UPDATE jobs SET ids_count = 7 {}", job(4)),
            asked.clone(),
        ),
        (
            "UPDATE requests SET due = '2027-02-23'".to_owned(),
            asked.clone(),
        ),
        (
            "UPDATE requests SET project_key = 'x'".to_owned(),
            asked.clone(),
        ),
        (
            "UPDATE requests SET reference = NULL".to_owned(),
            asked.clone(),
        ),
        (
            "UPDATE requests SET ids_unique = 9".to_owned(),
            asked.clone(),
        ),
        (
            "UPDATE requests SET ids_digest = 'x'".to_owned(),
            asked.clone(),
        ),
        (
            "UPDATE requests SET ids_salt = ''".to_owned(),
            asked.clone(),
        ),
        (format!("DELETE FROM requests WHERE id = '{request}'"), gone),
        (
            "INSERT INTO requests (id, kind, law, project, project_key, region, received, due,
                 created, source, ids_read, ids_unique)
             VALUES ('zzz', 'delete', 'gdpr', 'p', 'k', 'us', '', '', '', '', 1, 1)"
                .to_owned(),
            unknown,
        ),
    ];
    ledger.conn.allow_orphans();
    for (sql, expected) in cases {
        ledger.conn.execute_batch("BEGIN").unwrap();
        ledger.conn.execute_batch(&sql).unwrap();
        let audit = check(&ledger);
        ledger.conn.execute_batch("ROLLBACK").unwrap();
        let place = |finding: &Finding| match finding {
            Finding::JobDiffers { job, .. } => job.to_string(),
            Finding::RequestDiffers { request, .. } => request.to_string(),
            other => other.to_string(),
        };
        let found: Vec<String> = audit.findings.iter().map(place).collect();
        assert!(
            found.contains(&place(&expected)),
            "{sql}: {:?}",
            audit.findings
        );
    }
    assert_eq!(check(&ledger).findings, []);
}

/// Otherwise other people would be erased than asked for.
#[test]
fn replaced_ids_are_found_while_they_can_be_sent() {
    let folder = tempfile::tempdir().unwrap();
    let mut ledger = open(&folder);
    let request = record(&mut ledger, &batches(4, 2), noon());
    assert_eq!(check(&ledger).findings, []);
    let strangers = batches(6, 2)[2].clone();
    crate::ledger::jobs::payload::write(&ledger.conn, &nth(&request, 1), &strangers).unwrap();
    let what = "its ids are different".to_owned();
    assert_eq!(
        check(&ledger).findings,
        [Finding::RequestDiffers { request, what }]
    );
}

#[test]
fn no_more_than_a_hundred_findings_are_listed_and_the_others_counted() {
    let folder = tempfile::tempdir().unwrap();
    let mut ledger = open(&folder);
    for _ in 0..130 {
        record(&mut ledger, &batches(1, 1), noon());
    }
    ledger
        .conn
        .execute_batch("UPDATE audit SET at = 'x' WHERE request IS NOT NULL")
        .unwrap();
    let audit = check(&ledger);
    assert_eq!((audit.findings.len(), audit.more), (100, 30));
}
