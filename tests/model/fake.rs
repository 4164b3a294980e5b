//! The model's own fake of Mixpanel's GDPR API, on loopback. It knows the truth, and answers as the
//! weather is.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread;
use std::time::Duration;

use crate::rng::Rng;
use crate::truth::Truth;
use crate::weather::Weather;

pub(crate) struct Inside {
    pub(crate) truth: Truth,
    pub(crate) weather: Weather,
    pub(crate) rng: Rng,
}

pub(crate) struct Fake {
    pub(crate) port: u16,
    inside: Mutex<Inside>,
    end: AtomicBool,
}

#[derive(Clone, Debug)]
pub(crate) enum Reply {
    Whole(u16, Vec<(&'static str, String)>, String),
    Cut(u16, String),
    Dropped,
    Never,
}

pub(crate) struct Call {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) run: String,
    pub(crate) body: String,
}

impl Fake {
    pub(crate) fn start(weather: Weather, rng: Rng) -> Arc<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port on loopback");
        let port = listener.local_addr().expect("an address").port();
        let inside = Mutex::new(Inside {
            truth: Truth::new(),
            weather,
            rng,
        });
        let fake = Arc::new(Self {
            port,
            inside,
            end: AtomicBool::new(false),
        });
        let serving = Arc::clone(&fake);
        thread::spawn(move || {
            for stream in listener.incoming() {
                if serving.end.load(Ordering::Relaxed) {
                    return;
                }
                let Ok(stream) = stream else { continue };
                let fake = Arc::clone(&serving);
                thread::spawn(move || fake.connection(stream));
            }
        });
        fake
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, Inside> {
        self.inside.lock().expect("no thread of the fake panicked")
    }

    pub(crate) fn stop(&self) {
        self.end.store(true, Ordering::Relaxed);
        drop(TcpStream::connect(("127.0.0.1", self.port)));
    }

    fn connection(&self, mut stream: TcpStream) {
        drop(stream.set_nodelay(true));
        drop(stream.set_read_timeout(Some(Duration::from_secs(20))));
        let mut held = Vec::new();
        while let Some(call) = read_call(&mut stream, &mut held) {
            let (reply, delay) = {
                let mut inside = self.lock();
                let now = inside.truth.now();
                inside.truth.calls.push(now);
                inside.answer(&call)
            };
            thread::sleep(Duration::from_millis(delay));
            let (status, heads, body, whole) = match reply {
                Reply::Whole(status, heads, body) => (status, heads, body, true),
                Reply::Cut(status, body) => (status, Vec::new(), body, false),
                Reply::Dropped => {
                    drop(stream.shutdown(Shutdown::Both));
                    return;
                }
                Reply::Never => {
                    // Until the other side is gone.
                    drop(stream.set_read_timeout(Some(Duration::from_secs(30))));
                    drop(stream.read(&mut [0; 64]));
                    return;
                }
            };
            let mut text = format!("HTTP/1.1 {status} X\r\ncontent-length: {}\r\n", body.len());
            for (name, value) in heads {
                text.push_str(&format!("{name}: {value}\r\n"));
            }
            text.push_str("\r\n");
            let sent = if whole {
                body.as_str()
            } else {
                &body[..body.len() / 2]
            };
            text.push_str(sent);
            if matches!(status, 401 | 403) {
                let mut inside = self.lock();
                let now = inside.truth.now();
                inside
                    .truth
                    .turned_away
                    .push((call.run.clone(), now, call.method.clone()));
            }
            if stream.write_all(text.as_bytes()).is_err() || !whole {
                drop(stream.shutdown(Shutdown::Both));
                return;
            }
        }
    }
}

fn read_call(stream: &mut TcpStream, held: &mut Vec<u8>) -> Option<Call> {
    let mut buffer = [0_u8; 8192];
    let head_end = loop {
        if let Some(at) = held.windows(4).position(|four| four == b"\r\n\r\n") {
            break at;
        }
        match stream.read(&mut buffer) {
            Ok(0) | Err(_) => return None,
            Ok(read) => held.extend_from_slice(&buffer[..read]),
        }
    };
    let head = String::from_utf8_lossy(&held[..head_end]).into_owned();
    let value = |name: &str| {
        head.lines().skip(1).find_map(|line| {
            let (key, value) = line.split_once(':')?;
            key.eq_ignore_ascii_case(name)
                .then(|| value.trim().to_owned())
        })
    };
    let length: usize = value("content-length")
        .and_then(|text| text.parse().ok())
        .unwrap_or(0);
    while held.len() < head_end + 4 + length {
        match stream.read(&mut buffer) {
            Ok(0) | Err(_) => return None,
            Ok(read) => held.extend_from_slice(&buffer[..read]),
        }
    }
    let body = String::from_utf8_lossy(&held[head_end + 4..head_end + 4 + length]).into_owned();
    let mut words = head.split_whitespace();
    let method = words.next()?.to_owned();
    let path = words.next()?.to_owned();
    let run = value("authorization")
        .unwrap_or_default()
        .replace("Bearer ", "");
    held.drain(..head_end + 4 + length);
    Some(Call {
        method,
        path,
        run,
        body,
    })
}
