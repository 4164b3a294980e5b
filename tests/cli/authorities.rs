//! dsr trusts the certificates of the system and of `DSR_CA_FILE`, and no others.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::thread;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

use crate::support::{Fake, Operator, states};

/// Certificates for 127.0.0.1, good for a hundred years, which no system trusts.
fn data(name: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/tls");
    folder.join(name).display().to_string()
}

fn server_config() -> Arc<ServerConfig> {
    let chain = CertificateDer::pem_file_iter(data("server.pem")).expect("a file");
    let chain = chain.collect::<Result<_, _>>().expect("a certificate");
    let key = PrivateKeyDer::try_from(std::fs::read(data("server.key.der")).expect("a file"))
        .expect("a key");
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(chain, key);
    Arc::new(config.expect("key and certificate belong together"))
}

fn with_tls(fake: &Fake) -> String {
    let config = server_config();
    let listener = TcpListener::bind("127.0.0.1:0").expect("loopback has a free port");
    let address = listener.local_addr().expect("it is bound");
    let behind = fake.origin().replace("http://", "");
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let connection = ServerConnection::new(Arc::clone(&config)).expect("a configuration");
            let tls = StreamOwned::new(connection, stream);
            let behind = behind.clone();
            // A client that does not trust the certificate hangs up.
            thread::spawn(move || drop(relay(tls, &behind)));
        }
    });
    format!("https://{address}/api/app")
}

fn relay(mut tls: StreamOwned<ServerConnection, TcpStream>, behind: &str) -> std::io::Result<()> {
    let mut call = Vec::new();
    let mut bytes = [0; 4096];
    while !is_whole(&call) {
        let count = tls.read(&mut bytes)?;
        call.extend_from_slice(&bytes[..count]);
    }
    let mut fake = TcpStream::connect(behind)?;
    fake.write_all(&call)?;
    let mut answer = Vec::new();
    fake.read_to_end(&mut answer)?;
    tls.write_all(&answer)?;
    tls.conn.send_close_notify();
    tls.flush()
}

fn is_whole(call: &[u8]) -> bool {
    let text = String::from_utf8_lossy(call).to_lowercase();
    let Some((head, body)) = text.split_once("\r\n\r\n") else {
        return false;
    };
    let length = head.split("content-length: ").nth(1);
    let length = length.and_then(|rest| rest.lines().next()?.parse().ok());
    body.len() >= length.unwrap_or(0)
}

#[test]
fn an_authority_is_believed_only_if_the_operator_names_it() {
    let fake = Fake::start();
    let url = with_tls(&fake);
    let mut operator = Operator::at(&fake).with("DSR_API_URL", &url);
    let send = ["delete", "--gdpr", "--yes", "a1"];
    let outcome = operator.run(&send);
    outcome
        .exits_with(75)
        .says("unknown authority")
        .says("DSR_CA_FILE");
    assert_eq!(states(&operator.only_request()), ["planned"]);
    fake.was_not_called();
    operator.set("DSR_CA_FILE", &data("ca.pem"));
    operator.run(&["resume"]).exits_with(0);
    operator.run(&["status"]).exits_with(0);
    assert_eq!(fake.posted_ids(), ["a1"]);
    assert_eq!(fake.gets().len(), 1);
    let doctor = operator.run(&["doctor", "--json"]);
    assert!(doctor.stdout.contains(r#""name":"ca_file""#), "{doctor}");
}

#[test]
fn a_file_without_certificates_is_said_before_anything_is_sent() {
    let fake = Fake::start();
    let mut operator = Operator::at(&fake);
    operator.file("empty.pem", "");
    let damaged = "-----BEGIN CERTIFICATE-----\nnot base64!\n-----END CERTIFICATE-----\n";
    operator.file("damaged.pem", damaged);
    let key = data("server.key.der");
    for path in ["empty.pem", "damaged.pem", "missing.pem", &key] {
        operator.set("DSR_CA_FILE", path);
        let outcome = operator.run(&["delete", "--gdpr", "--yes", "a1"]);
        outcome.exits_with(2).says("DSR_CA_FILE").says(path);
    }
    fake.was_not_called();
}

#[test]
fn the_proxy_that_calls_take_is_named_and_its_password_is_not() {
    let fake = Fake::start();
    let operator = Operator::at(&fake)
        .without("DSR_API_URL")
        .with("HTTPS_PROXY", "http://me:pass-WORD-9@127.0.0.1:9")
        .with("NO_PROXY", "intra.test");
    let outcome = operator.run(&["delete", "--gdpr", "--yes", "a1", "-v", "--max-wait", "0s"]);
    outcome
        .exits_with(75)
        .says("proxy")
        .says("127.0.0.1:9")
        .says("HTTPS_PROXY");
    outcome.never_says("pass-WORD-9");
    let doctor = operator.run(&["doctor"]);
    for said in ["127.0.0.1:9", "(HTTPS_PROXY)", "no_proxy", "intra.test"] {
        assert!(doctor.stdout.contains(said), "{said}\n{doctor}");
    }
    doctor.never_says("pass-WORD-9");
    // Calls to loopback use no proxy, and dsr mentions none.
    let operator = operator.with("DSR_API_URL", &fake.url());
    let outcome = operator.run(&["resume", "-v"]);
    outcome.never_says("through a proxy");
}

#[test]
fn a_proxy_that_cannot_be_used_is_an_error_and_never_gone_around() {
    let fake = Fake::start();
    let mut operator = Operator::at(&fake).with("DSR_API_URL", "https://api.invalid/api/app");
    for url in [
        "ftp://me:pass-WORD-9@127.0.0.1:9",
        "socks://127.0.0.1:9",
        "http://",
        "http://127.0.0.1:99999",
        "://x",
        "me:pass-WORD-9@",
    ] {
        for variable in ["HTTPS_PROXY", "ALL_PROXY"] {
            operator = operator.without("HTTPS_PROXY");
            operator.set(variable, url);
            let outcome = operator.run(&["delete", "--gdpr", "--yes", "a1", "--json"]);
            outcome.exits_with(2).never_says("pass-WORD-9");
            let failure = outcome.failure();
            let message = failure["message"].as_str().unwrap();
            assert!(message.contains(variable), "{url}\n{outcome}");
            let hint = failure["hint"].as_str().unwrap();
            assert!(hint.contains("nothing was sent"), "{outcome}");
            operator = operator.without(variable);
        }
    }
    // Calls to loopback use no proxy.
    operator.set("DSR_API_URL", &fake.url());
    operator.set("HTTPS_PROXY", "ftp://127.0.0.1:9");
    operator
        .run(&["delete", "--gdpr", "--yes", "a1"])
        .exits_with(0);
}

/// A SOCKS proxy that reaches nothing. Returns what it was asked to connect to.
fn socks_proxy() -> (String, std::sync::mpsc::Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("loopback has a free port");
    let url = format!("socks5h://{}", listener.local_addr().expect("it is bound"));
    let (asked, hears) = std::sync::mpsc::channel();
    thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let mut bytes = [0; 512];
            // SOCKS: the login methods first, then the host name to connect to.
            let (Ok(_), Ok(())) = (stream.read(&mut bytes), stream.write_all(&[5, 0])) else {
                continue;
            };
            let Ok(count) = stream.read(&mut bytes) else {
                continue;
            };
            drop(asked.send(String::from_utf8_lossy(&bytes[..count]).into_owned()));
            drop(stream.write_all(&[5, 4, 0, 1, 0, 0, 0, 0, 0, 0]));
        }
    });
    (url, hears)
}

#[test]
fn calls_go_through_a_socks_proxy_or_nowhere() {
    let (proxy, hears) = socks_proxy();
    let operator = Operator::at(&Fake::start())
        .with("DSR_API_URL", "https://api.invalid/api/app")
        .with("HTTPS_PROXY", &proxy);
    let running = operator.start(&["delete", "--gdpr", "--yes", "a1", "--max-wait", "0s"]);
    let asked = hears.recv_timeout(std::time::Duration::from_secs(20));
    let asked = asked.expect("the proxy is asked");
    assert!(asked.contains("api.invalid"), "{asked}");
    running.signal("INT");
    running.end().did_not_panic();
    assert_eq!(states(&operator.only_request()), ["planned"]);
}

/// Something that listens where a PostgreSQL should, and answers the request for TLS so. After an `S`
/// it shakes hands. Returns its port, and what each client sent after that request and could be read.
fn ledger_peer(answer: &'static [u8]) -> (u16, std::sync::mpsc::Receiver<Vec<u8>>) {
    let config = server_config();
    let listener = TcpListener::bind("127.0.0.1:0").expect("loopback has a free port");
    let port = listener.local_addr().expect("it is bound").port();
    let (heard, hears) = std::sync::mpsc::channel();
    thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let mut request = [0; 8];
            let asked = stream.read_exact(&mut request);
            asked.expect("a client asks for TLS first");
            stream.write_all(answer).expect("a client waits for it");
            let mut said = vec![0; 4096];
            let read = if answer == b"S" {
                let connection =
                    ServerConnection::new(Arc::clone(&config)).expect("a configuration");
                StreamOwned::new(connection, stream).read(&mut said)
            } else {
                stream.read(&mut said)
            };
            said.truncate(read.unwrap_or(0));
            drop(heard.send(said));
        }
    });
    (port, hears)
}

#[test]
fn a_ledger_server_that_is_not_trusted_hears_nothing_and_the_hint_names_what_mends_it() {
    let fake = Fake::start();
    let mut operator = Operator::at(&fake);
    let ca = data("ca.pem");
    let by_ca = Some(ca.as_str());
    for (host, answer, authority, hint) in [
        (
            "127.0.0.1",
            &b"S"[..],
            None,
            "authority's certificate, in PEM",
        ),
        ("localhost", b"S", by_ca, "as its certificate does"),
        ("127.0.0.1", b"N", by_ca, "switch on `ssl`"),
        (
            "127.0.0.1",
            b"HTTP/1.1 400 Bad Request",
            by_ca,
            "the host and the port",
        ),
    ] {
        let (port, hears) = ledger_peer(answer);
        operator.set(
            "DSR_LEDGER_URL",
            &format!("postgres://anna@{host}:{port}/dsr"),
        );
        operator = match authority {
            Some(file) => operator.with("DSR_CA_FILE", file),
            None => operator.without("DSR_CA_FILE"),
        };
        let outcome = operator.run(&["delete", "--gdpr", "--yes", "a1"]);
        outcome.exits_with(2).says("nothing was sent").says(hint);
        assert_eq!(hears.recv().expect("it was asked"), b"", "{outcome}");
    }
    // A server with the right certificate hears who asks.
    let (port, hears) = ledger_peer(b"S");
    operator.set(
        "DSR_LEDGER_URL",
        &format!("postgres://anna@127.0.0.1:{port}/dsr"),
    );
    operator
        .run(&["delete", "--gdpr", "--yes", "a1"])
        .exits_with(11);
    let said = hears.recv().expect("it was asked");
    assert!(said.windows(4).any(|word| word == b"anna"));
    fake.was_not_called();
}
