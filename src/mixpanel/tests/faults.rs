//! Faulty networks and servers: dsr sends nothing twice, follows no redirect, and stops reading.

use std::io::ErrorKind;
use std::net::TcpStream;
use std::sync::mpsc;
use std::time::Instant;

use super::*;

/// Serves each connection with `serve` on its own thread; returns the address.
pub(super) fn serving(serve: impl Fn(TcpStream) + Send + Sync + 'static) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let serve = Arc::new(serve);
    thread::spawn(move || {
        for stream in listener.incoming() {
            let (stream, serve) = (stream.unwrap(), Arc::clone(&serve));
            thread::spawn(move || serve(stream));
        }
    });
    address
}

/// Writes one byte now and then until the reader is gone.
fn drip(stream: &mut TcpStream) {
    while stream.write_all(b" ").is_ok() {
        thread::sleep(Duration::from_millis(50));
    }
}

fn deletion() -> Operation {
    Operation::Delete(Law::Gdpr)
}

#[tokio::test]
async fn an_answer_that_comes_byte_by_byte_is_ended_by_the_total_time() {
    for head in [
        "HTTP/1.1 201 X\r\nx-slow: ",
        "HTTP/1.1 201 X\r\ncontent-length: 5000\r\n\r\n{",
        "HTTP/1.1 201 X\r\n\r\n",
    ] {
        let address = serving(move |mut stream| {
            read_request(&mut stream);
            stream.write_all(head.as_bytes()).unwrap();
            drip(&mut stream);
        });
        let start = Instant::now();
        let answer = create(&client(address), deletion()).await;
        assert!(is_unclear(&answer), "{answer:?}");
        let took = start.elapsed();
        assert!(took >= Duration::from_millis(900), "{took:?}");
        assert!(took < Duration::from_secs(4), "{took:?}");
    }
}

#[tokio::test]
async fn an_endless_answer_is_not_read_beyond_the_cap() {
    for head in [
        "HTTP/1.1 201 X\r\n\r\n",
        "HTTP/1.1 201 X\r\ncontent-length: 99999999999\r\n\r\n",
        "HTTP/1.1 429 X\r\n\r\n",
    ] {
        let (sender, written) = mpsc::channel();
        let address = serving(move |mut stream| {
            read_request(&mut stream);
            stream.write_all(head.as_bytes()).unwrap();
            let megabyte = vec![b' '; 1024 * 1024];
            let mut count = 0;
            while count < 64 && stream.write_all(&megabyte).is_ok() {
                count += 1;
            }
            sender.send(count).unwrap();
        });
        let url = format!("http://{address}/api/app");
        let client = client_with(&url, Duration::from_secs(20));
        let answer = create(&client, deletion()).await;
        let limited = matches!(answer, CreateAnswer::Deferred { retry_after: None });
        let unknown = is_unclear(&answer);
        assert!(
            if head.contains("429") {
                limited
            } else {
                unknown
            },
            "{answer:?}"
        );
        // Bytes in socket buffers count as written.
        let wait = move || written.recv_timeout(Duration::from_secs(20));
        let megabytes = tokio::task::spawn_blocking(wait).await.unwrap().unwrap();
        assert!((8..32).contains(&megabytes), "{megabytes} MiB");
    }
}

#[tokio::test]
async fn a_connection_that_was_kept_open_is_not_used_again() {
    let (sender, seen) = mpsc::channel();
    let address = serving(move |mut stream| {
        let mut requests = 0;
        let body = r#"{"status":"ok","results":{"task_id":"t"}}"#;
        let length = body.len();
        loop {
            let mut byte = [0];
            if !matches!(stream.peek(&mut byte), Ok(1)) {
                break;
            }
            read_request(&mut stream);
            requests += 1;
            let head = "HTTP/1.1 201 X\r\nconnection: keep-alive\r\nkeep-alive: timeout=600\r\n";
            // A second request would find the connection dead.
            let text = format!("{head}content-length: {length}\r\n\r\n{body}");
            if requests > 1 || stream.write_all(text.as_bytes()).is_err() {
                break;
            }
        }
        sender.send(requests).unwrap();
    });
    let client = client(address);
    for _ in 0..3 {
        let answer = create(&client, deletion()).await;
        assert!(
            matches!(answer, CreateAnswer::Accepted { .. }),
            "{answer:?}"
        );
    }
    drop(client);
    // The connections close only while the runtime runs.
    tokio::time::sleep(Duration::from_millis(300)).await;
    let requests: Vec<i32> = seen.try_iter().collect();
    assert_eq!(requests, [1, 1, 1], "one call a connection");
}

#[tokio::test]
async fn a_connection_that_dies_with_the_request_is_not_replaced() {
    for at_once in [true, false] {
        let (sender, seen) = mpsc::channel();
        let address = serving(move |mut stream| {
            // Closing with unread bytes causes a reset.
            if at_once {
                stream.peek(&mut [0]).unwrap();
            } else {
                read_request(&mut stream);
            }
            sender.send(()).unwrap();
        });
        let answer = create(&client(address), deletion()).await;
        assert!(matches!(answer, CreateAnswer::Unknown { .. }), "{answer:?}");
        thread::sleep(Duration::from_millis(300));
        assert_eq!(seen.try_iter().count(), 1, "one connection, one POST");
    }
}

#[tokio::test]
async fn no_redirect_is_followed_by_any_call() {
    let elsewhere = TcpListener::bind("127.0.0.1:0").unwrap();
    elsewhere.set_nonblocking(true).unwrap();
    let there = elsewhere.local_addr().unwrap();
    let task = TaskId::new("t").unwrap();
    for status in [300, 301, 302, 303, 304, 307, 308] {
        for method in ["POST", "GET", "DELETE"] {
            let header = format!("location: http://{there}/api/app/x/\r\nrefresh: 0\r\n");
            let body = r#"{"status":"ok","results":{"task_id":"t","status":"SUCCESS"}}"#;
            let peer = Peer::start(vec![reply(status, &header, body)]);
            let client = client(peer.address);
            let says_nothing = match method {
                "POST" => matches!(
                    create(&client, deletion()).await,
                    CreateAnswer::Unknown { .. }
                ),
                "GET" => matches!(
                    client.get_deletion(&task, &|| None).await,
                    StatusAnswer::Unclear { .. }
                ),
                _ => matches!(
                    client.delete_deletion(&task).await,
                    CancelAnswer::Unclear { .. }
                ),
            };
            assert!(says_nothing, "{method} {status}");
            assert_eq!(peer.requests().len(), 1, "{method} {status}");
            let came = elsewhere.accept().map(|_| ()).unwrap_err().kind();
            assert_eq!(came, ErrorKind::WouldBlock, "{method} {status}");
        }
    }
}

#[tokio::test]
async fn a_handshake_that_stalls_or_fails_is_not_sent() {
    let stalled = serving(|stream| {
        thread::sleep(Duration::from_secs(5));
        drop(stream);
    });
    let no_tls = serving(|mut stream| {
        stream.peek(&mut [0]).unwrap();
        drop(stream.write_all(b"HTTP/1.1 400 plain http only\r\n\r\n"));
    });
    let closed = serving(drop);
    for address in [stalled, no_tls, closed] {
        let start = Instant::now();
        let answer = create(
            &client_at(&format!("https://{address}/api/app")),
            deletion(),
        )
        .await;
        assert!(matches!(answer, CreateAnswer::NotSent { .. }), "{answer:?}");
        let took = start.elapsed();
        assert!(
            took < Duration::from_millis(900),
            "the total time: {took:?}"
        );
    }
}

#[tokio::test]
async fn a_404_to_a_create_asks_about_the_region() {
    for body in [r#"{"status":"error","error":"no such project"}"#, "", "{}"] {
        match delete(reply(404, "", body)).await {
            CreateAnswer::Refused {
                http_status: 404,
                message,
            } => {
                assert!(message.as_str().contains("another region"), "{message}");
                assert_eq!(
                    message.as_str().contains("no such"),
                    body.contains("no such")
                );
            }
            other => panic!("{other:?}"),
        }
    }
    let other = delete(reply(400, "", r#"{"error":"no such project"}"#)).await;
    assert!(!format!("{other:?}").contains("region"), "{other:?}");
}
