use super::*;

fn cutoff() -> Cutoff {
    Cutoff::parse("2024-11-22", "2026-11-22".parse().unwrap()).unwrap()
}

fn at(text: &str) -> chrono::DateTime<chrono::Utc> {
    text.parse().unwrap()
}

fn closed(ledger: &mut Ledger, time: &str) -> RequestId {
    let id = record(ledger, &batches(3, 3), at("2024-01-01T00:00:00Z"));
    ledger.record_withdrawn(&id, at(time)).unwrap();
    id
}

fn rows(ledger: &Ledger, table: &str, column: &str, request: &RequestId) -> i64 {
    let sql = format!("SELECT COUNT(*) FROM {table} WHERE {column} = $1");
    let count = ledger
        .conn
        .query_row(&sql, [request.as_str()], |row| row.get(0));
    count.unwrap()
}

#[test]
fn only_requests_closed_before_the_day_go() {
    let folder = tempfile::tempdir().unwrap();
    let mut ledger = open(&folder);
    let old = closed(&mut ledger, "2024-11-21T23:59:59.999Z");
    let oldest = closed(&mut ledger, "2024-03-01T00:00:00Z");
    let young = closed(&mut ledger, "2024-11-22T00:00:00Z");
    let still_open = record(&mut ledger, &batches(3, 3), at("2020-01-01T00:00:00Z"));
    let expected = Closed {
        requests: 2,
        ids: 8,
        first: at("2024-03-01T00:00:00Z"),
        last: at("2024-11-21T23:59:59.999Z"),
    };
    assert_eq!(ledger.find_closed(cutoff()).unwrap(), Some(expected));
    let purged = ledger.record_purged(cutoff(), noon()).unwrap();
    assert_eq!(purged, Some(expected));
    ledger.compact().unwrap();
    let left = ledger.list_requests(Which::All).unwrap();
    let left: Vec<_> = left.into_iter().map(|request| request.id).collect();
    assert_eq!(left.len(), 2);
    assert!(left.contains(&young) && left.contains(&still_open));
    for id in [&old, &oldest] {
        assert_eq!(rows(&ledger, "jobs", "request", id), 0);
    }
    let purges = ledger.list_purges().unwrap();
    assert_eq!(purges.len(), 1);
    assert_eq!(purges[0].closed, expected);
    assert_eq!(
        (purges[0].at, purges[0].closed_before),
        (noon(), cutoff().moment())
    );
    assert_eq!(ledger.record_purged(cutoff(), noon()).unwrap(), None);
    assert_eq!(ledger.list_purges().unwrap().len(), 1);
}

#[test]
fn the_last_event_of_a_request_closes_it() {
    let folder = tempfile::tempdir().unwrap();
    let mut ledger = open(&folder);
    let id = closed(&mut ledger, "2024-03-01T00:00:00Z");
    let touched = [
        "UPDATE jobs SET checked_at = '2025-01-01T00:00:00.000Z'",
        "UPDATE jobs SET checked_at = NULL, abandoned_at = '2025-01-01T00:00:00.000Z'",
    ];
    for sql in touched {
        ledger.conn.execute(sql, []).unwrap();
        assert_eq!(ledger.find_closed(cutoff()).unwrap(), None, "{sql}");
    }
    let sql = "UPDATE jobs SET abandoned_at = NULL";
    ledger.conn.execute(sql, []).unwrap();
    seal(&mut ledger, "1 = 1");
    let download = DownloadRecord {
        job: nth(&id, 1),
        path: "/x/e.zip".into(),
        bytes: 1,
        sha256: "0".repeat(64),
        fetched_at: at("2025-01-01T00:00:00Z"),
    };
    ledger.record_download(&download).unwrap();
    assert_eq!(ledger.find_closed(cutoff()).unwrap(), None);
}

#[test]
fn no_table_keeps_a_row_of_a_request_that_is_gone() {
    let folder = tempfile::tempdir().unwrap();
    let mut ledger = open(&folder);
    let id = closed(&mut ledger, "2024-03-01T00:00:00Z");
    ledger
        .record_hashed(&LedgerKey::restore([7; 32]), noon())
        .unwrap();
    let mut columns: Vec<(String, String)> = Vec::new();
    // The trail stays, and has nothing of people.
    for table in ledger
        .conn
        .list_tables()
        .into_iter()
        .filter(|t| t != "audit")
    {
        let names = ledger
            .conn
            .prepare(&format!("SELECT * FROM {table}"))
            .unwrap()
            .column_names();
        let of_request = names
            .into_iter()
            .filter(|n| ["request", "id"].contains(&n.as_str()));
        columns.extend(of_request.map(|name| (table.clone(), name)));
    }
    assert!(columns.len() > 6);
    ledger.record_purged(cutoff(), noon()).unwrap().unwrap();
    for (table, column) in columns {
        assert_eq!(rows(&ledger, &table, &column, &id), 0, "{table}");
    }
}
