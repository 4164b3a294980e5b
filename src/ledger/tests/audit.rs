//! The contents of the trail, and that every change to it or behind its back is found.

use serde_json::{Value, json};

use super::*;
use crate::ledger::audit::verify;
use crate::ledger::engine::Connection;

pub(super) fn check(ledger: &Ledger) -> Audit {
    verify(&ledger.conn, &[], &mut |_, _| {}).unwrap()
}

fn opening(user: &str) -> Opening {
    Opening {
        actor: Actor::new(user, "ops-1"),
        command: "dsr delete".to_owned(),
        now: noon(),
        ..Opening::default()
    }
}

fn open_by(user: &str, folder: &tempfile::TempDir) -> Ledger {
    let path = folder.path().join("ledger.db");
    Ledger::open_by(&opening(user), &path, Duration::from_secs(5)).unwrap()
}

pub(super) fn after(seconds: i64) -> chrono::DateTime<chrono::Utc> {
    noon() + TimeDelta::seconds(seconds)
}

fn send_at(ledger: &mut Ledger, job: &JobId, seconds: i64) {
    let claim = ledger.record_sending(job, Purpose::Submit, &lane(), after(seconds));
    assert!(matches!(claim, Ok(Claim::Send { .. })), "{claim:?}");
}

fn end_at(ledger: &mut Ledger, job: &JobId, outcome: &Outcome, seconds: i64) {
    let why = Some("a server's words about user-0");
    ledger
        .record_outcome(job, &lane(), outcome, why, after(seconds))
        .unwrap();
}

fn task(name: &str) -> Outcome {
    Outcome::Accepted(TaskId::new(name).unwrap())
}

/// A ledger with nearly every kind of event, and its one open request of five jobs.
pub(super) fn eventful(folder: &tempfile::TempDir) -> (Ledger, RequestId) {
    let mut ledger = open_by("anna", folder);
    let request = record(&mut ledger, &batches(4, 1), noon());
    let job = |number| nth(&request, number);
    for number in 1..=3 {
        send_at(&mut ledger, &job(number), 10 * i64::from(number));
        let outcome = match number {
            1 => task("task-1"),
            2 => Outcome::Unknown,
            _ => Outcome::Deferred(after(40)),
        };
        end_at(
            &mut ledger,
            &job(number),
            &outcome,
            10 * i64::from(number) + 1,
        );
    }
    let linked = Linked {
        batch: batches(3, 1)[2].clone(),
        to: LinkTo::Task(TaskId::new("task-x").unwrap()),
        reason: "linked".to_owned(),
    };
    ledger
        .record_linked(&job(3), std::slice::from_ref(&linked), after(50))
        .unwrap();
    ledger
        .record_check(&job(1), &TaskStatus::Success, after(60))
        .unwrap();
    ledger.record_abandoned(&job(2), after(70)).unwrap();
    let extension = Extension {
        at: after(80),
        day: "2026-11-22".parse().unwrap(),
        reason: "many requests, says user-0".to_owned(),
        due_before: "2026-12-21".parse().unwrap(),
        due_after: "2027-02-22".parse().unwrap(),
    };
    ledger.record_extension(&request, &extension).unwrap();
    let download = DownloadRecord {
        job: job(1),
        path: "/home/user-0/x.zip".into(),
        bytes: 17,
        sha256: "ab".repeat(32),
        fetched_at: after(90),
    };
    ledger.record_download(&download).unwrap();
    let wide = record(&mut ledger, &batches(5, 5), after(100));
    let limit = std::num::NonZeroUsize::new(2).unwrap();
    ledger
        .record_cut(&nth(&wide, 1), limit, after(110))
        .unwrap();
    ledger.record_withdrawn(&wide, after(120)).unwrap();
    let hasher = LedgerKey::restore([7; 32]);
    ledger.record_hashed(&hasher, after(130)).unwrap();
    ledger.record_digests_blank().unwrap();
    (ledger, request)
}

fn events(ledger: &Ledger, chosen: Chosen<'_>) -> Vec<String> {
    let entries = ledger.list_entries(chosen).unwrap().list;
    entries.into_iter().map(|entry| entry.event).collect()
}

#[test]
fn a_ledger_is_whole_as_it_is_written_and_says_who_did_what() {
    let folder = tempfile::tempdir().unwrap();
    let (mut ledger, request) = eventful(&folder);
    let audit = check(&ledger);
    assert_eq!(audit.findings, []);
    assert_eq!(audit.requests, 2);
    assert_eq!((audit.jobs, audit.started), (7, Some(noon())));
    let head = ledger.audit_head().unwrap();
    assert_eq!(audit.head.as_ref(), Some(&head));
    assert_eq!(head.count, audit.entries);
    let moves = ["job_moved"; 8];
    let expected = [
        &["request_recorded"][..],
        &moves,
        &[
            "job_abandoned",
            "request_extended",
            "export_fetched",
            "job_noted",
            "job_noted",
            "ids_hashed",
        ],
    ];
    assert_eq!(events(&ledger, Chosen::Of(&request)), expected.concat());
    let entries = ledger.list_entries(Chosen::Of(&request)).unwrap().list;
    let first = &entries[0];
    assert_eq!(
        (first.user.as_str(), first.host.as_str()),
        ("anna", "ops-1")
    );
    assert_eq!(first.command, "dsr delete");
    assert_eq!(first.version, env!("CARGO_PKG_VERSION"));
    let sequence = entries_before(&ledger) + 1;
    assert_eq!((first.sequence, first.at), (sequence, noon()));
    assert_eq!(first.details["jobs"], 4);
    assert_eq!(first.details["due"], "2026-12-21");
    let accepted = &entries[2].details;
    assert_eq!(accepted["task_id"], "task-1");
    assert_eq!(
        (&accepted["from"], &accepted["why"]),
        (&json!("sending"), &json!("answer"))
    );
    drop(ledger);
    ledger = open_by("bert", &folder);
    ledger.record_withdrawn(&request, after(200)).unwrap();
    let last = ledger.list_entries(Chosen::Last(1)).unwrap();
    assert_eq!(last.list[0].user, "bert");
    assert_eq!(
        (last.earlier, last.list[0].sequence),
        (head.count + 1, head.count + 2)
    );
    assert_eq!(check(&ledger).findings, []);
}

#[test]
fn the_trail_holds_no_ids_and_no_words_about_people() {
    let folder = tempfile::tempdir().unwrap();
    let (mut ledger, request) = eventful(&folder);
    ledger.record_withdrawn(&request, after(200)).unwrap();
    ledger
        .record_check(&nth(&request, 3), &TaskStatus::Success, after(210))
        .unwrap();
    ledger.record_digests_blank().unwrap();
    let mut statement = ledger
        .conn
        .prepare("SELECT * FROM audit ORDER BY seq")
        .unwrap();
    let columns = statement.column_names().len();
    let mut rows = statement.query([]).unwrap();
    let mut count = 0;
    while let Some(row) = rows.next().unwrap() {
        for column in 0..columns {
            let text = row.get_ref(column).unwrap();
            let text = text.as_str().unwrap_or_default();
            for canary in ["user-", "a server's words", "many requests", "/home"] {
                assert!(!text.contains(canary), "{text}");
            }
            count += 1;
        }
    }
    assert!(count > 200, "{count}");
    // The seal of a request's ids could be guessed only with its salt.
    let salts = "SELECT COUNT(*) FROM requests WHERE REPLACE(ids_salt, '0', '') <> ''";
    let salts: i64 = ledger.conn.query_row(salts, [], |row| row.get(0)).unwrap();
    assert_eq!(salts, 0, "only while something may still be sent of it");
}

#[test]
fn an_uncommitted_step_has_no_entry() {
    let folder = tempfile::tempdir().unwrap();
    let (mut ledger, record) = with_request(&folder);
    let before = ledger.audit_head().unwrap();
    let again = ledger.record_requests(
        [(request(), planned(&batches(4, 2)))],
        Again::Refuse,
        noon(),
    );
    assert_eq!(again.unwrap(), Recorded::There(record.id.clone()));
    let job = nth(&record.id, 1);
    end(&mut ledger, &job, &Outcome::Refused).unwrap_err();
    let failing = std::iter::once(Err(LedgerError::NoJob(job.clone())));
    let failed = ledger.record_requests([(request(), failing)], Again::Allow, noon());
    failed.unwrap_err();
    assert_eq!(ledger.audit_head().unwrap(), before);
    assert_eq!(check(&ledger).findings, []);
}

#[test]
fn a_purge_leaves_the_trail_and_what_is_purged_is_not_missed() {
    let folder = tempfile::tempdir().unwrap();
    let (mut ledger, request) = eventful(&folder);
    let next_day = Cutoff::parse("2026-11-23", "2029-11-22".parse().unwrap()).unwrap();
    let purged = ledger.record_purged(next_day, after(300)).unwrap().unwrap();
    ledger.compact().unwrap();
    let audit = check(&ledger);
    assert_eq!(audit.findings, []);
    assert_eq!(usize::try_from(audit.purged).unwrap(), purged.requests);
    let told = events(&ledger, Chosen::Last(3));
    assert_eq!(told.last().unwrap(), "records_purged");
    let beginning = ledger.list_audited(request.short()).unwrap();
    assert_eq!(beginning, [request]);
}

#[test]
fn two_ledgers_on_one_file_append_in_one_order() {
    let folder = tempfile::tempdir().unwrap();
    drop(open_by("nobody", &folder));
    let path = folder.path().join("ledger.db");
    std::thread::scope(|scope| {
        for user in ["anna", "bert"] {
            let path = path.clone();
            scope.spawn(move || {
                let patience = Duration::from_secs(30);
                let mut ledger = Ledger::open_by(&opening(user), &path, patience).unwrap();
                for _ in 0..20 {
                    record(&mut ledger, &batches(2, 1), noon());
                }
            });
        }
    });
    let ledger = open_by("nobody", &folder);
    let audit = check(&ledger);
    assert_eq!(audit.findings, []);
    let before = entries_before(&ledger);
    assert_eq!((audit.entries, audit.requests), (before + 40, 40));
    let entries = ledger.list_entries(Chosen::Last(40)).unwrap().list;
    let by = |user| entries.iter().filter(|entry| entry.user == user).count();
    assert_eq!((by("anna"), by("bert")), (20, 20));
}

pub(super) fn value(conn: &Connection, sql: &str) -> String {
    conn.query_row(sql, [], |row| row.get(0)).unwrap()
}

/// The hash of an entry as docs/design/audit-trail.md describes it, computed without the code under
/// test.
fn hash_of(conn: &Connection, seq: i64, before: &str) -> String {
    use sha2::{Digest, Sha256};
    let mut text = format!("dsr audit 1\n64:{before}\n");
    for column in [
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
    ] {
        let sql = format!(
            "SELECT COALESCE(octet_length(CAST({column} AS TEXT)) || ':' || {column}, '-')
             FROM audit WHERE seq = {seq}"
        );
        text += &value(conn, &sql);
        text.push('\n');
    }
    let hash = Sha256::digest(text);
    hash.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Computes the hashes from this entry on again, and the head, as anyone who can write the file
/// could.
fn reseal(conn: &Connection, first: i64) {
    let mut before = value(
        conn,
        &format!("SELECT hash FROM audit WHERE seq = {first} - 1"),
    );
    let last = value(conn, "SELECT CAST(MAX(seq) AS TEXT) FROM audit");
    for seq in first..=last.parse().unwrap() {
        before = hash_of(conn, seq, &before);
        let update = format!("UPDATE audit SET hash = '{before}' WHERE seq = {seq}");
        conn.execute_batch(&update).unwrap();
    }
    let update = format!("UPDATE audit_head SET count = {last}, hash = '{before}'");
    conn.execute_batch(&update).unwrap();
}

#[test]
fn a_rewritten_trail_is_found_by_a_saved_head() {
    let folder = tempfile::tempdir().unwrap();
    let (ledger, _) = eventful(&folder);
    let head = ledger.audit_head().unwrap();
    let anchor: Anchor = format!("{}:{}", head.count, head.hash).parse().unwrap();
    let anchored = |anchor: &Anchor| {
        let head = anchor.clone();
        verify(
            &ledger.conn,
            &[KeptHead {
                head,
                at: None,
                place: None,
            }],
            &mut |_, _| {},
        )
        .unwrap()
    };
    let whole = anchored(&anchor);
    assert_eq!(
        (whole.findings, whole.anchored),
        (vec![], vec![anchor.clone()])
    );
    ledger
        .conn
        .execute_batch("UPDATE audit SET actor_user = 'carl' WHERE seq = 4")
        .unwrap();
    reseal(&ledger.conn, 4);
    assert_eq!(check(&ledger).findings, [], "nothing in the file tells");
    let count = head.count;
    assert_eq!(
        anchored(&anchor).findings,
        [Finding::AnchorDiffers { count, place: None }]
    );
    ledger
        .conn
        .execute_batch(
            "DELETE FROM audit WHERE seq > 5; UPDATE audit_head SET count = 5,
             hash = (SELECT hash FROM audit WHERE seq = 5)",
        )
        .unwrap();
    let findings = anchored(&anchor).findings;
    assert!(
        findings.contains(&Finding::AnchorMissing { count }),
        "{findings:?}"
    );
    let short: Value = json!(findings.iter().map(Finding::kind).collect::<Vec<_>>());
    assert!(
        short.to_string().contains("job_differs"),
        "{short}: the records know better"
    );
}

#[test]
fn anchors_are_read_as_heads_are_written() {
    let hash = "0A".repeat(32);
    let anchor: Anchor = format!("17:{hash}").parse().unwrap();
    assert_eq!(anchor.to_string(), format!("17:{}", hash.to_lowercase()));
    for bad in [
        "",
        "17",
        "17:",
        "0:0a",
        &format!("x:{hash}"),
        &format!("0:{hash}"),
        &format!("17:{hash}0"),
    ] {
        assert_eq!(bad.parse::<Anchor>(), Err(AnchorError), "{bad}");
    }
}
