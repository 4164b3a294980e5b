//! The client against scripted peers on loopback: the bytes on the wire, and the meaning of
//! answers.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use super::*;
use crate::credentials::{OauthToken, TokenOrigin};
use crate::domain::*;

mod faults;
mod hostile;
mod streams;

const PROJECT_TOKEN: &str = "0123456789abcdef0123456789abcdef";
const OAUTH: &str = "oauth-canary";

#[derive(Clone)]
enum Act {
    Reply(String),
    ReplyAndCut(String),
    Reset,
    Hang,
}

struct Peer {
    address: SocketAddr,
    requests: Arc<Mutex<Vec<String>>>,
}

impl Peer {
    /// Serves one connection for each act, then none.
    fn start(acts: Vec<Act>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let requests = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&requests);
        thread::spawn(move || {
            for act in acts {
                let (mut stream, _) = listener.accept().unwrap();
                seen.lock().unwrap().push(read_request(&mut stream));
                match act {
                    Act::Reply(text) | Act::ReplyAndCut(text) => {
                        stream.write_all(text.as_bytes()).unwrap();
                        let _ = stream.shutdown(Shutdown::Both);
                    }
                    Act::Reset => drop(stream),
                    Act::Hang => thread::sleep(Duration::from_secs(5)),
                }
            }
        });
        Self { address, requests }
    }

    fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }
}

fn read_request(stream: &mut std::net::TcpStream) -> String {
    let mut text = Vec::new();
    let mut byte = [0];
    while !text.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut byte).unwrap();
        text.push(byte[0]);
    }
    let head = String::from_utf8_lossy(&text).to_lowercase();
    let length = head.split("content-length: ").nth(1).map_or(0, |rest| {
        rest.split("\r\n").next().unwrap().parse().unwrap()
    });
    let mut body = vec![0; length];
    stream.read_exact(&mut body).unwrap();
    text.extend(body);
    String::from_utf8(text).unwrap()
}

fn reply(status: u16, headers: &str, body: &str) -> Act {
    let length = body.len();
    Act::Reply(format!(
        "HTTP/1.1 {status} X\r\ncontent-length: {length}\r\n{headers}\r\n{body}"
    ))
}

fn client(address: SocketAddr) -> Client {
    client_at(&format!("http://{address}/api/app"))
}

fn client_at(url: &str) -> Client {
    client_with(url, Duration::from_secs(1))
}

fn client_with(url: &str, total: Duration) -> Client {
    let api_url = ApiUrl::parse(url).unwrap();
    let project = Project {
        name: ProjectName::new("acme").unwrap(),
        token: ProjectToken::new(PROJECT_TOKEN).unwrap(),
        region: Region::Us,
        api_url: api_url.clone(),
        limits: BatchLimits::default(),
        rate: Rate::default(),
        id: None,
        queries: HourlyQueries::default(),
        callbacks: Vec::new(),
        holidays: Vec::new(),
        zone: ProjectZone::default(),
        auth: None,
        ids_kept: IdsKept::default(),
    };
    let token = OauthToken::new(OAUTH, None, TokenOrigin::Environment).unwrap();
    let timeouts = Timeouts {
        connect: Duration::from_millis(500),
        total,
    };
    Client::new(project, api_url, &token, timeouts, &Route::default()).unwrap()
}

fn batch() -> Batch {
    let ids = ["user-17", "$device:ü"].map(|id| DistinctId::new(id).unwrap());
    Batch::restore(ids.to_vec()).unwrap()
}

async fn delete(act: Act) -> CreateAnswer {
    let peer = Peer::start(vec![act]);
    let answer = create(&client(peer.address), Operation::Delete(Law::Gdpr)).await;
    assert_eq!(peer.requests().len(), 1, "one POST, never a second");
    answer
}

async fn create(client: &Client, operation: Operation) -> CreateAnswer {
    let subject = SubjectRequestId::random();
    client.create(operation, &batch(), subject, || true).await
}

#[tokio::test]
async fn a_deletion_goes_out_as_documented() {
    let ok = reply(201, "", r#"{"status":"ok","results":{"task_id":"t-1"}}"#);
    let peer = Peer::start(vec![ok]);
    let answer = create(&client(peer.address), Operation::Delete(Law::Gdpr)).await;
    assert!(matches!(answer, CreateAnswer::Accepted { task } if task.as_str() == "t-1"));
    let sent = peer.requests().remove(0);
    let (head, body) = sent.split_once("\r\n\r\n").unwrap();
    let first = format!("POST /api/app/data-deletions/v3.0/?token={PROJECT_TOKEN} HTTP/1.1");
    assert_eq!(head.lines().next(), Some(first.as_str()));
    assert!(
        head.to_lowercase()
            .contains("authorization: bearer oauth-canary")
    );
    assert!(
        head.to_lowercase()
            .contains("content-type: application/json")
    );
    let body: serde_json::Value = serde_json::from_str(body).unwrap();
    let wanted =
        serde_json::json!({"distinct_ids": ["user-17", "$device:ü"], "compliance_type": "GDPR"});
    assert_eq!(body, wanted);
}

#[tokio::test]
async fn a_ccpa_export_names_its_disclosure() {
    let ok = reply(
        201,
        "",
        r#"{"status":"ok","results":[{"tracking_id":1600000000000000001}]}"#,
    );
    let peer = Peer::start(vec![ok]);
    let operation = Operation::Export(RetrievalScope::Ccpa(Disclosure::Sources));
    let answer = create(&client(peer.address), operation).await;
    assert!(
        matches!(answer, CreateAnswer::Accepted { task } if task.as_str() == "1600000000000000001")
    );
    let sent = peer.requests().remove(0);
    assert!(sent.starts_with("POST /api/app/data-retrievals/v3.0/?token="));
    let body: serde_json::Value =
        serde_json::from_str(sent.split("\r\n\r\n").nth(1).unwrap()).unwrap();
    assert_eq!(body["compliance_type"], "CCPA");
    assert_eq!(body["disclosure_type"], "Sources");
}

#[tokio::test]
async fn callbacks_are_sent_where_the_project_has_them() {
    let ok = reply(201, "", r#"{"results":{"task_id":"t"}}"#);
    let peer = Peer::start(vec![ok]);
    let mut client = client(peer.address);
    client.project_mut().callbacks = vec!["https://cb.test/x".to_owned()];
    let subject = SubjectRequestId::random();
    client
        .create(Operation::Delete(Law::Ccpa), &batch(), subject, || true)
        .await;
    let sent = peer.requests().remove(0);
    let body: serde_json::Value =
        serde_json::from_str(sent.split("\r\n\r\n").nth(1).unwrap()).unwrap();
    assert_eq!(body["subject_request_id"], subject.to_string());
    assert_eq!(
        body["status_callback_urls"],
        serde_json::json!(["https://cb.test/x"])
    );
}

#[tokio::test]
async fn what_may_have_been_carried_out_is_unknown() {
    let redirect = "location: http://127.0.0.1:1/elsewhere\r\n";
    let acts = [
        Act::Reset,
        Act::Hang,
        reply(201, "", r#"{"status":"error","results":{"task_id":"t"}}"#),
        reply(200, "", "<html>sign in</html>"),
        reply(301, redirect, ""),
        reply(302, redirect, ""),
        reply(307, redirect, ""),
        reply(308, redirect, ""),
        reply(408, "", "{}"),
        reply(500, "", r#"{"status":"error","error":"x"}"#),
        reply(502, "", "<html></html>"),
        reply(503, "retry-after: 5\r\n", ""),
        reply(403, "", "<html>blocked by a proxy</html>"),
        reply(404, "", " <!doctype html>"),
        Act::ReplyAndCut("HTTP/1.1 400 X\r\ncontent-length: 500\r\n\r\n{".to_owned()),
        Act::Reply("not http at all\r\n\r\n".to_owned()),
    ];
    for (place, act) in acts.into_iter().enumerate() {
        let answer = delete(act).await;
        assert!(
            matches!(answer, CreateAnswer::Unknown { .. }),
            "{place}: {answer:?}"
        );
    }
}

#[tokio::test]
async fn a_2xx_without_a_readable_task_was_accepted() {
    let several = r#"{"status":"ok","results":[{"task_id":"t"},{"task_id":"u"}]}"#;
    let acts = [
        Act::ReplyAndCut(
            "HTTP/1.1 201 X\r\ncontent-length: 500\r\n\r\n{\"status\":\"ok\"".to_owned(),
        ),
        reply(201, "", ""),
        reply(200, "", r#"{"status":"ok","results":{}}"#),
        reply(201, "", several),
    ];
    for (place, act) in acts.into_iter().enumerate() {
        let answer = delete(act).await;
        let unread = matches!(answer, CreateAnswer::AcceptedUnread { .. });
        assert!(unread, "{place}: {answer:?}");
    }
}

#[tokio::test]
async fn a_complete_answer_that_says_no_is_a_refusal() {
    for (status, body) in [
        (400, r#"{"status":"error","error":"bad compliance_type"}"#),
        (404, r#"{"status":"error","error":"not here"}"#),
        (422, "plain words"),
        (409, r#"{"status":"error","error":"busy"}"#),
        (200, r#"{"status":"error","error":"no"}"#),
    ] {
        let answer = delete(reply(status, "", body)).await;
        assert!(
            matches!(answer, CreateAnswer::Refused { http_status, .. } if http_status == status),
            "{status}: {answer:?}"
        );
    }
    for status in [401, 403] {
        let answer = delete(reply(status, "", r#"{"status":"error","error":"no"}"#)).await;
        assert!(
            matches!(answer, CreateAnswer::NotAllowed { .. }),
            "{answer:?}"
        );
    }
}

#[tokio::test]
async fn a_batch_that_is_too_large_is_told_apart() {
    for (status, body) in [
        (413, ""),
        (
            400,
            r#"{"status":"error","error":"Too many distinct_ids: at most 285"}"#,
        ),
        (400, r#"{"error":"distinct_ids exceeds maximum"}"#),
    ] {
        let answer = delete(reply(status, "", body)).await;
        assert!(
            matches!(answer, CreateAnswer::TooLarge { .. }),
            "{answer:?}"
        );
    }
}

#[tokio::test]
async fn a_429_is_deferred_whatever_its_body() {
    let seconds = |answer| match answer {
        CreateAnswer::Deferred { retry_after } => retry_after.map(|wait| wait.as_secs()),
        other => panic!("{other:?}"),
    };
    assert_eq!(seconds(delete(reply(429, "", "<html>")).await), None);
    assert_eq!(
        seconds(delete(reply(429, "retry-after: 7\r\n", "{}")).await),
        Some(7)
    );
    assert_eq!(
        seconds(delete(reply(429, "retry-after: -7\r\n", "{}")).await),
        None
    );
    let cut = Act::ReplyAndCut("HTTP/1.1 429 X\r\ncontent-length: 500\r\n\r\n{".to_owned());
    assert_eq!(seconds(delete(cut).await), None);
}

#[tokio::test]
async fn a_conflict_names_the_tasks_it_conflicts_with() {
    let body = r#"{"status":"error","error":{"conflicting_distinct_ids":["user-17"],"conflicting_task_ids":["t-9"],"error":"busy"}}"#;
    match delete(reply(409, "", body)).await {
        CreateAnswer::Conflict { tasks, ids } => {
            assert_eq!((tasks.len(), ids.len()), (1, 1));
            assert_eq!(tasks[0].as_str(), "t-9");
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_refused_connection_is_not_sent() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let answer = create(&client(address), Operation::Delete(Law::Gdpr)).await;
    assert!(matches!(answer, CreateAnswer::NotSent { .. }), "{answer:?}");
    assert!(!format!("{answer:?}").contains(PROJECT_TOKEN));
}

#[tokio::test]
async fn no_message_holds_a_token_or_an_id() {
    let body = format!(r#"{{"error":"bad: ?token={PROJECT_TOKEN} for user-17 \u001b[31m"}}"#);
    for act in [
        reply(400, "", &body),
        reply(404, "", &body),
        Act::Reset,
        Act::Hang,
        reply(301, "location: http://127.0.0.1:1/\r\n", ""),
    ] {
        let shown = format!("{:?}", delete(act).await);
        assert!(!shown.contains(PROJECT_TOKEN), "{shown}");
        assert!(!shown.contains(OAUTH), "{shown}");
        assert!(!shown.contains("user-17"), "{shown}");
        assert!(!shown.contains('\u{1b}'), "{shown}");
    }
}

/// It is unknown whether a task was made, or which.
fn is_unclear(answer: &CreateAnswer) -> bool {
    matches!(
        answer,
        CreateAnswer::Unknown { .. } | CreateAnswer::AcceptedUnread { .. }
    )
}

#[tokio::test]
async fn a_reply_over_the_cap_is_not_read_to_its_end() {
    let endless = format!("HTTP/1.1 201 X\r\n\r\n{}", " ".repeat(9 * 1024 * 1024));
    let peer = Peer::start(vec![Act::Reply(endless)]);
    let answer = create(&client(peer.address), Operation::Delete(Law::Gdpr)).await;
    assert!(is_unclear(&answer), "{answer:?}");
}

#[tokio::test]
async fn a_status_is_read_and_a_missing_task_told_apart() {
    let task = TaskId::new("a/b").unwrap();
    let ask = async |act| {
        let peer = Peer::start(vec![act]);
        let answer = client(peer.address).get_deletion(&task, &|| None).await;
        (answer, peer.requests().remove(0))
    };
    let (answer, sent) = ask(reply(
        200,
        "",
        r#"{"status":"ok","results":{"status":"STARTED"}}"#,
    ))
    .await;
    assert!(
        matches!(
            answer,
            StatusAnswer::Known(TaskAnswer {
                status: TaskStatus::Started,
                ..
            })
        ),
        "{answer:?}"
    );
    let first = format!("GET /api/app/data-deletions/v3.0/a%2Fb/?token={PROJECT_TOKEN} HTTP/1.1");
    assert_eq!(sent.lines().next(), Some(first.as_str()));
    let (answer, _) = ask(reply(404, "", r#"{"status":"error"}"#)).await;
    assert!(matches!(answer, StatusAnswer::NotFound), "{answer:?}");
    for act in [
        reply(404, "", "<html>"),
        reply(500, "", ""),
        reply(200, "", "{}"),
        reply(200, "", "<html>"),
        Act::Reset,
    ] {
        let (answer, _) = ask(act).await;
        assert!(matches!(answer, StatusAnswer::Unclear { .. }), "{answer:?}");
    }
    let (answer, _) = ask(reply(401, "", "{}")).await;
    assert!(
        matches!(answer, StatusAnswer::NotAllowed { .. }),
        "{answer:?}"
    );
}

#[tokio::test]
async fn a_cancelled_deletion_is_told_from_a_started_one() {
    let task = TaskId::new("t").unwrap();
    let cancel = async |act| {
        let peer = Peer::start(vec![act]);
        let answer = client(peer.address).delete_deletion(&task).await;
        assert!(peer.requests()[0].starts_with("DELETE /api/app/data-deletions/v3.0/t/?token="));
        answer
    };
    assert!(matches!(
        cancel(reply(204, "", "")).await,
        CancelAnswer::Cancelled
    ));
    assert!(matches!(
        cancel(reply(405, "", "{}")).await,
        CancelAnswer::AlreadyStarted
    ));
    assert!(matches!(
        cancel(reply(404, "", "{}")).await,
        CancelAnswer::NotFound
    ));
    assert!(matches!(
        cancel(reply(200, "", "{}")).await,
        CancelAnswer::Unclear { .. }
    ));
    assert!(matches!(
        cancel(Act::Reset).await,
        CancelAnswer::Unclear { .. }
    ));
}

#[tokio::test]
async fn the_servers_time_is_that_of_the_last_answer() {
    let noon = "date: Sun, 22 Nov 2026 12:00:00 GMT\r\n";
    let peer = Peer::start(vec![
        reply(429, noon, ""),
        Act::Reset,
        reply(200, "date: noon\r\n", "{}"),
    ]);
    let client = client(peer.address);
    let task = TaskId::new("t").unwrap();
    client.get_deletion(&task, &|| None).await;
    let told = client.server_time().unwrap();
    assert_eq!(told.to_rfc3339(), "2026-11-22T12:00:00+00:00");
    client.get_deletion(&task, &|| None).await;
    assert_eq!(client.server_time(), None, "no answer");
    client.get_deletion(&task, &|| None).await;
    assert_eq!(client.server_time(), None, "no date");
}
