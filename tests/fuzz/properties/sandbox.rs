//! What programs on this machine may send to the sandbox: a first byte `d` for a deletion, then the
//! body of a create.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};

use dsr::sandbox::{OAUTH_TOKEN, Settings, project_token, start};
use serde_json::Value;

/// Only a body with ids creates a task, with exactly these ids. No body makes the server fail.
pub(crate) fn create(bytes: &[u8]) {
    let (kind, body) = bytes.split_first().unwrap_or((&b'd', &[]));
    let collection = match kind {
        b'd' => "data-deletions",
        _ => "data-retrievals",
    };
    let folder = tempfile::tempdir().expect("a folder");
    let mut settings = Settings::new(folder.path().to_owned());
    settings.rate = f64::INFINITY;
    let running = start(settings).expect("a sandbox");
    let ask = |method: &str, task: &str, body: &[u8]| {
        let path = format!("/api/app/{collection}/v3.0/{task}");
        exchange(running.address(), method, &path, body)
    };
    let (status, reply) = ask("POST", "", body);
    let asked: Option<Value> = serde_json::from_slice(body).ok();
    let ids = asked.as_ref().and_then(|asked| asked.get("distinct_ids"));
    match status {
        201 => {
            let ids = ids.and_then(Value::as_array).expect("ids were named");
            assert!(!ids.is_empty() && ids.iter().all(Value::is_string));
            let task = task_of(&reply).expect("a task is named");
            let (status, reply) = ask("GET", &format!("{task}/"), b"");
            assert_eq!(status, 200);
            let kept = reply["results"]["distinct_ids"].as_array();
            assert_eq!(kept, Some(ids), "other ids");
        }
        400 | 413 => assert_eq!(reply["status"], "error"),
        _ => panic!("{status}"),
    }
}

fn task_of(reply: &Value) -> Option<&str> {
    let results = &reply["results"];
    let task = results.get("task_id").or(results[0].get("tracking_id"));
    task.and_then(Value::as_str)
}

fn exchange(address: SocketAddr, method: &str, path: &str, body: &[u8]) -> (u16, Value) {
    let mut stream = TcpStream::connect(address).expect("the sandbox listens");
    let token = project_token("shop");
    let head = format!(
        "{method} {path}?token={token} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\
         Authorization: Bearer {OAUTH_TOKEN}\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    stream
        .write_all(head.as_bytes())
        .expect("the sandbox reads");
    stream.write_all(body).expect("the sandbox reads");
    let mut reply = Vec::new();
    stream.read_to_end(&mut reply).expect("the sandbox answers");
    let text = String::from_utf8(reply).expect("an answer is text");
    let (head, body) = text.split_once("\r\n\r\n").expect("an answer has a head");
    let status = head
        .split(' ')
        .nth(1)
        .and_then(|status| status.parse().ok());
    let body = serde_json::from_str(body).expect("an answer is JSON");
    (status.expect("an answer has a status"), body)
}
