//! A raw export: it may take longer than a call, and must not be silent or drip for that long.

use std::time::Instant;

use super::faults::serving;
use super::*;
use crate::credentials::{AccountOrigin, ServiceAccount};

const PATIENCE: Duration = Duration::from_millis(600);
const LINE: &str = "{\"event\":\"e\"}\n";

fn query_client(address: SocketAddr) -> QueryClient {
    let api_url = ApiUrl::parse(&format!("http://{address}/api/app")).unwrap();
    let timeouts = Timeouts {
        connect: Duration::from_millis(500),
        total: PATIENCE,
    };
    let named = (
        ProjectName::new("acme").unwrap(),
        ProjectToken::new(PROJECT_TOKEN).unwrap(),
    );
    let account = ServiceAccount::new("u", "account-canary", AccountOrigin::AccountFile).unwrap();
    QueryClient::new(named, api_url, account, timeouts, &Route::default()).unwrap()
}

/// All bytes of an export that comes as `lines` with a pause before each, then silence.
async fn export(
    lines: usize,
    pause: Duration,
    line: &str,
    ends: &'static str,
) -> Result<Vec<u8>, String> {
    let line = line.to_owned();
    let address = serving(move |mut stream| {
        read_request(&mut stream);
        let head = "HTTP/1.1 200 X\r\ntransfer-encoding: chunked\r\n\r\n";
        drop(stream.write_all(head.as_bytes()));
        for _ in 0..lines {
            thread::sleep(pause);
            let chunk = format!("{:x}\r\n{line}\r\n", line.len());
            drop(stream.write_all(chunk.as_bytes()));
        }
        drop(stream.write_all(ends.as_bytes()));
        thread::sleep(PATIENCE * 3);
    });
    let client = query_client(address);
    let day = "2026-11-22".parse().unwrap();
    let window = ExportWindow { from: day, to: day };
    let answer = client.raw_event_export(ProjectId::new(1).unwrap(), window);
    let mut stream = match answer.await {
        QueryAnswer::Answered(stream) => stream,
        QueryAnswer::Unclear { reason } => return Err(reason.to_string()),
        other => panic!("{other:?}"),
    };
    let mut all = Vec::new();
    loop {
        match client.next_of(&mut stream).await {
            Ok(Some(bytes)) => all.extend(bytes),
            Ok(None) => return Ok(all),
            Err(reason) => return Err(reason.to_string()),
        }
    }
}

#[tokio::test]
async fn an_export_may_be_slow_and_may_not_be_silent() {
    let slow = export(4, PATIENCE / 2, &LINE.repeat(200), "0\r\n\r\n").await;
    assert_eq!(slow.unwrap(), LINE.repeat(800).as_bytes());
    for lines in [0, 1, 1000] {
        let start = Instant::now();
        let silent = export(lines, Duration::ZERO, LINE, "").await.unwrap_err();
        assert!(silent.contains("broke off"), "{silent}");
        assert!(start.elapsed() < PATIENCE * 3, "{:?}", start.elapsed());
    }
}

#[tokio::test]
async fn an_export_that_drips_is_not_waited_for_without_end() {
    let start = Instant::now();
    let dripping = export(400, PATIENCE / 20, "\n", "0\r\n\r\n").await;
    assert!(dripping.unwrap_err().contains("too slowly"));
    assert!(start.elapsed() < PATIENCE * 7, "{:?}", start.elapsed());
}
