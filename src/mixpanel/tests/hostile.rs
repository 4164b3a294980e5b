//! Hostile answers: each ends in bounded time and memory, with an unknown outcome.

use std::time::Instant;

use super::faults::serving;
use super::*;

/// The result of a create whose answer is `head` followed by endless repeats of `part`.
async fn after(head: &'static str, part: &'static [u8]) -> (CreateAnswer, Duration) {
    let address = serving(move |mut stream| {
        read_request(&mut stream);
        let mut open = stream.write_all(head.as_bytes()).is_ok();
        while open {
            open = stream.write_all(part).is_ok();
        }
    });
    let url = format!("http://{address}/api/app");
    let client = client_with(&url, Duration::from_secs(2));
    let start = Instant::now();
    let answer = create(&client, Operation::Delete(Law::Gdpr)).await;
    (answer, start.elapsed())
}

#[tokio::test]
async fn headers_and_bodies_without_end_are_ended() {
    for (head, part) in [
        ("HTTP/1.1 201 X\r\nx-long: ", &[b'a'; 4096][..]),
        ("HTTP/1.1 201 X\r\n", b"x-many: one\r\n"),
        ("", b"HTTP/1.1 100 Continue\r\n\r\n"),
        ("", b"HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\n"),
        ("HTTP/1.1 201 ", b"X"),
        ("", b"\r\n"),
        ("", b"\0\xff\xfe"),
        (
            "HTTP/1.1 201 X\r\ntransfer-encoding: chunked\r\n\r\n",
            b"1;x=y\r\n \r\n",
        ),
        (
            "HTTP/1.1 201 X\r\ntransfer-encoding: chunked\r\n\r\n1;",
            b"extension",
        ),
    ] {
        let (answer, took) = after(head, part).await;
        let shown = String::from_utf8_lossy(part);
        assert!(is_unclear(&answer), "{head}{shown}: {answer:?}");
        // dsr checks the time every 128 reads: slow without optimization, or on a busy machine.
        assert!(took < Duration::from_secs(120), "{head}{shown}: {took:?}");
    }
}

#[tokio::test]
async fn contradictory_lengths_and_odd_headers_prove_nothing() {
    let body = r#"{"status":"ok","results":{"task_id":"t"}}"#;
    let many = "x-a: b\r\n".repeat(5000);
    for (headers, is_clear) in [
        ("content-length: 9999\r\n", false),
        ("content-length: 41\r\ncontent-length: 40\r\n", false),
        ("content-length: -1\r\n", false),
        ("content-length: 99999999999999999999999\r\n", false),
        ("content-length: 3\r\n", false),
        (many.as_str(), false),
        ("bad header: x\r\n", false),
        // Unread headers may hold bytes that are not text.
        ("x-odd: \u{fc}\u{80}\r\n", true),
        ("retry-after: \u{fc}\r\ndate: never\r\n", true),
    ] {
        let peer = Peer::start(vec![Act::Reply(format!(
            "HTTP/1.1 201 X\r\n{headers}connection: close\r\n\r\n{body}"
        ))]);
        let answer = create(&client(peer.address), Operation::Delete(Law::Gdpr)).await;
        let accepted = matches!(answer, CreateAnswer::Accepted { .. });
        let unknown = is_unclear(&answer);
        let shown: String = headers.chars().take(60).collect();
        assert!(
            if is_clear { accepted } else { unknown },
            "{shown}: {answer:?}"
        );
        assert_eq!(peer.requests().len(), 1);
    }
}

#[tokio::test]
async fn packed_answers_are_not_asked_for_and_a_bomb_is_not_unpacked_beyond_the_cap() {
    let mut packed = packed_bomb();
    let length = packed.len();
    let head =
        format!("HTTP/1.1 201 X\r\ncontent-encoding: gzip\r\ncontent-length: {length}\r\n\r\n");
    let mut bytes = head.into_bytes();
    bytes.append(&mut packed);
    let (sender, asked) = std::sync::mpsc::channel();
    let address = serving(move |mut stream| {
        sender.send(read_request(&mut stream)).unwrap();
        drop(stream.write_all(&bytes));
    });
    let url = format!("http://{address}/api/app");
    let client = client_with(&url, Duration::from_secs(20));
    let answer = create(&client, Operation::Delete(Law::Gdpr)).await;
    let CreateAnswer::AcceptedUnread { reason } = answer else {
        panic!("{answer:?}");
    };
    assert!(reason.as_str().contains("longer than"), "{reason}");
    let request = asked.recv().unwrap().to_lowercase();
    assert!(
        request.contains("accept-encoding: identity\r\n"),
        "{request}"
    );
    assert!(!request.contains("gzip"), "{request}");
}

/// 64 MiB of nothing in some 64 KiB.
fn packed_bomb() -> Vec<u8> {
    let script = "head -c 67108864 /dev/zero | gzip -9";
    let made = std::process::Command::new("/bin/sh")
        .args(["-c", script])
        .output();
    made.unwrap().stdout
}
