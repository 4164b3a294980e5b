//! HTTP/1.1 by hand, as far as the fake needs it: reads one call, writes at most one reply.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

#[derive(Debug, Clone)]
pub(crate) struct Call {
    pub(crate) arrived: Instant,
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) query: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Value,
    /// How many calls with the same method came before.
    pub(crate) place: usize,
}

impl Call {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let found = self
            .headers
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }

    pub(crate) fn is_post(&self) -> bool {
        self.method == "POST"
    }

    /// The ids of a create, of a query's form, of imported events, or of deleted
    /// profiles.
    pub(crate) fn ids(&self) -> Vec<String> {
        if let Some(events) = self.body.as_array() {
            let of_event = |record: &Value| record["properties"]["distinct_id"].clone();
            let id = |record: &Value| {
                let id = record.get("$distinct_id").cloned();
                Some(id.unwrap_or_else(|| of_event(record)).as_str()?.to_owned())
            };
            return events.iter().filter_map(id).collect();
        }
        if let Some(form) = self.body.as_str() {
            let mut fields = url::form_urlencoded::parse(form.as_bytes());
            let ids = fields.find(|(name, _)| name == "distinct_ids");
            let (_, ids) = ids.expect("a query names ids");
            return serde_json::from_str(&ids).expect("the ids are a JSON array");
        }
        let ids = self.body["distinct_ids"].as_array();
        let ids = ids.expect("a create has a list of distinct_ids");
        let text = |id: &Value| id.as_str().expect("a distinct_id is a string").to_owned();
        ids.iter().map(text).collect()
    }

    /// The last segment of the path of a status call.
    pub(crate) fn task(&self) -> &str {
        let mut segments = self.path.trim_end_matches('/').rsplit('/');
        segments.next().unwrap_or_default()
    }
}

/// What the fake does once it has read a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Reply {
    Full {
        status: u16,
        headers: Vec<(&'static str, String)>,
        body: String,
    },
    /// The head of a longer reply and a part of its body, then the end of the connection.
    Half { status: u16, body: String },
    /// Exactly these bytes, then the end of the connection.
    Raw(Vec<u8>),
    /// Never answers; the connection stays open.
    Hang,
    /// Ends the connection in good order, without an answer.
    Close,
    /// Resets the connection (RST), without an answer.
    Reset,
    /// Replies after this time.
    After(Duration, Box<Reply>),
}

impl Reply {
    pub(crate) fn json(status: u16, body: &Value) -> Self {
        Self::text(status, "application/json", &body.to_string())
    }

    pub(crate) fn text(status: u16, content_type: &str, body: &str) -> Self {
        Self::Full {
            status,
            headers: vec![("Content-Type", content_type.to_owned())],
            body: body.to_owned(),
        }
    }

    /// A head without its last line end, and a body, both unchanged.
    pub(crate) fn raw(head: &str, body: &[u8]) -> Self {
        let head = format!("{head}Connection: close\r\n\r\n");
        Self::Raw([head.as_bytes(), body].concat())
    }

    pub(crate) fn error(status: u16, text: &str) -> Self {
        Self::json(status, &json!({ "status": "error", "error": text }))
    }

    pub(crate) fn of_status(self, status: u16) -> Self {
        match self {
            Self::Full { headers, body, .. } => Self::Full {
                status,
                headers,
                body,
            },
            other => other,
        }
    }

    pub(crate) fn with(self, name: &'static str, value: &str) -> Self {
        match self {
            Self::Full {
                status,
                mut headers,
                body,
            } => {
                headers.push((name, value.to_owned()));
                Self::Full {
                    status,
                    headers,
                    body,
                }
            }
            other => other,
        }
    }
}

/// The documented reply to a create, in OpenAPI's shape.
pub(crate) fn object_reply(task: &str) -> Reply {
    Reply::json(
        201,
        &json!({ "status": "ok", "results": { "task_id": task } }),
    )
}

pub(crate) fn status_reply(status: &str) -> Reply {
    Reply::json(
        200,
        &json!({ "status": "ok", "results": { "status": status, "result": "", "distinct_ids": [] } }),
    )
}

/// Reads one call, except its last byte: closing the connection then resets it.
pub(super) fn read_call(stream: &mut TcpStream, arrived: Instant) -> Option<Call> {
    let head = read_head(stream)?;
    let body = read_body(stream, &head)?;
    parse(&String::from_utf8_lossy(&head), &body, arrived)
}

/// Reads up to the body. Leaves the last byte in the socket if no body follows.
pub(super) fn read_head(stream: &mut TcpStream) -> Option<Vec<u8>> {
    let mut head = Vec::new();
    let mut byte = [0_u8; 1];
    while !head.ends_with(b"\r\n\r\n") {
        if head.ends_with(b"\r\n\r") && length_of(&head) == 0 {
            head.push(peek(stream)?);
            break;
        }
        stream.read_exact(&mut byte).ok()?;
        head.push(byte[0]);
    }
    Some(head)
}

/// Reads the body that belongs to a head, except its last byte.
pub(super) fn read_body(stream: &mut TcpStream, head: &[u8]) -> Option<Vec<u8>> {
    let length = length_of(head);
    let mut body = vec![0_u8; length.saturating_sub(1)];
    stream.read_exact(&mut body).ok()?;
    if length > 0 {
        body.push(peek(stream)?);
    }
    Some(body)
}

fn peek(stream: &TcpStream) -> Option<u8> {
    let mut last = [0_u8; 1];
    match stream.peek(&mut last) {
        Ok(1) => Some(last[0]),
        _ => None,
    }
}

pub(super) fn length_of(head: &[u8]) -> usize {
    let text = String::from_utf8_lossy(head).to_ascii_lowercase();
    assert!(
        !text.contains("\r\ntransfer-encoding:"),
        "the fake reads no chunked calls"
    );
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix("content-length:"));
    line.map_or(0, |value| {
        value.trim().parse().expect("a length is a number")
    })
}

fn parse(head: &str, body: &[u8], arrived: Instant) -> Option<Call> {
    let mut lines = head.lines();
    let mut words = lines.next()?.split(' ');
    let (method, target) = (words.next()?.to_owned(), words.next()?);
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let headers = lines.filter_map(|line| line.split_once(':'));
    let headers = headers.map(|(name, value)| (name.to_owned(), value.trim().to_owned()));
    let headers: Vec<_> = headers.collect();
    let is_packed = headers
        .iter()
        .any(|(name, value)| name.eq_ignore_ascii_case("content-encoding") && value == "gzip");
    let mut unpacked = Vec::new();
    let body = match is_packed {
        true => {
            let mut packed = flate2::read::GzDecoder::new(body);
            packed.read_to_end(&mut unpacked).ok()?;
            &unpacked[..]
        }
        false => body,
    };
    Some(Call {
        arrived,
        method,
        path: path.to_owned(),
        query: query.to_owned(),
        headers,
        body: match body {
            [] => Value::Null,
            body => serde_json::from_slice(body)
                .unwrap_or_else(|_| String::from_utf8_lossy(body).into()),
        },
        place: 0,
    })
}

/// Does what `reply` says; `is_over` says when the fake ends.
pub(super) fn answer(mut stream: TcpStream, reply: Reply, is_over: &dyn Fn() -> bool) {
    match reply {
        Reply::Full {
            status,
            headers,
            body,
        } => {
            take_last(&mut stream);
            let mut head = format!("HTTP/1.1 {status} Whatever\r\nConnection: close\r\n");
            for (name, value) in headers {
                head.push_str(&format!("{name}: {value}\r\n"));
            }
            if status != 204 {
                head.push_str(&format!("Content-Length: {}\r\n", body.len()));
            }
            send(&mut stream, format!("{head}\r\n{body}").as_bytes());
        }
        Reply::Half { status, body } => {
            take_last(&mut stream);
            let length = body.len() + 64;
            let head = format!(
                "HTTP/1.1 {status} Whatever\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n"
            );
            send(&mut stream, format!("{head}{body}").as_bytes());
        }
        Reply::Raw(bytes) => {
            take_last(&mut stream);
            send(&mut stream, &bytes);
        }
        Reply::Hang => {
            while !is_over() {
                std::thread::sleep(Duration::from_millis(20));
            }
        }
        Reply::Close => take_last(&mut stream),
        Reply::Reset => drop(stream),
        Reply::After(wait, reply) => {
            std::thread::sleep(wait);
            answer(stream, *reply, is_over);
        }
    }
}

pub(super) fn take_last(stream: &mut TcpStream) {
    let mut last = [0_u8; 1];
    match stream.read_exact(&mut last) {
        Ok(()) => {}
        Err(error) => assert_ne!(error.kind(), ErrorKind::InvalidInput),
    }
}

/// A killed client reads no reply.
fn send(stream: &mut TcpStream, bytes: &[u8]) {
    drop(stream.write_all(bytes));
    drop(stream.flush());
}
