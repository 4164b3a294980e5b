//! A gate between one dsr and the fake. Passes calls on byte by byte, and holds one of them at a
//! certain point, so that dsr can be killed there. Answers nothing itself.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use super::fake::{Fake, lock};
use super::wire;

const PATIENCE: Duration = Duration::from_secs(40);

/// How far a call gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Hold {
    /// Nobody accepts the connection: dsr waits for it.
    Unconnected,
    /// The connection is accepted, and nothing is read.
    Unread,
    PartRead,
    /// All is read, and the fake gets nothing of it.
    Read,
    /// The fake has answered, and the gate returns nothing of the answer.
    Decided,
    Head,
    Half,
    /// The gate returns all of it, and dsr has read it.
    Answered,
}

#[derive(Default)]
struct Progress {
    held: bool,
    released: bool,
    over: bool,
}

type Shared = Arc<(Mutex<Progress>, Condvar)>;

/// The gate; it closes when dropped.
pub(crate) struct Gate {
    address: SocketAddr,
    hold: Hold,
    shared: Shared,
}

impl Gate {
    /// A gate before `fake` that holds call number `place`.
    pub(crate) fn before(fake: &Fake, place: usize, hold: Hold) -> Self {
        let listener = listen();
        let address = listener
            .local_addr()
            .expect("a bound socket has an address");
        let shared = Shared::default();
        let (kept, fake) = (Arc::clone(&shared), fake.address());
        thread::spawn(move || serve(&listener, fake, place, hold, &kept));
        Self {
            address,
            hold,
            shared,
        }
    }

    /// The value for `DSR_API_URL`.
    pub(crate) fn url(&self) -> String {
        format!("http://{}/api/app", self.address)
    }

    pub(crate) fn wait_until_held(&self) {
        let start = Instant::now();
        while !self.is_held() {
            assert!(
                start.elapsed() < PATIENCE,
                "no call came to {:?}",
                self.hold
            );
            thread::sleep(Duration::from_millis(20));
        }
    }

    /// Returns the answer after all, if the call is held as [`Hold::Decided`].
    pub(crate) fn lets_go(&self) {
        lock(&self.shared.0).released = true;
        self.shared.1.notify_all();
    }

    fn is_held(&self) -> bool {
        match self.hold {
            Hold::Unconnected => is_wanted(self.address),
            _ => lock(&self.shared.0).held,
        }
    }
}

impl Drop for Gate {
    fn drop(&mut self) {
        lock(&self.shared.0).over = true;
        self.shared.1.notify_all();
        // Wakes the thread that waits for the next connection.
        drop(TcpStream::connect_timeout(
            &self.address,
            Duration::from_millis(20),
        ));
    }
}

/// A listener with room for one waiting connection. The kernel answers no further ones, as if their
/// packets were lost.
fn listen() -> TcpListener {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_io()
        .build()
        .expect("a runtime can be made");
    let _inside = runtime.enter();
    let socket = tokio::net::TcpSocket::new_v4().expect("a socket can be made");
    socket
        .bind(SocketAddr::from(([127, 0, 0, 1], 0)))
        .expect("loopback has a free port");
    let listener = socket.listen(0).expect("a bound socket can listen");
    let listener = listener.into_std().expect("it is registered once");
    listener
        .set_nonblocking(false)
        .expect("a listener can be made to block");
    listener
}

/// Whether somebody waits for a connection to `address` that nobody answers.
fn is_wanted(address: SocketAddr) -> bool {
    let port = format!(":{:04X}", address.port());
    let sockets = std::fs::read_to_string("/proc/net/tcp").expect("Linux tells its sockets");
    // Local address, remote address, state; 02 is SYN_SENT.
    let wanted = |line: &str| {
        let mut fields = line.split_whitespace().skip(2);
        fields.next().is_some_and(|remote| remote.ends_with(&port)) && fields.next() == Some("02")
    };
    sockets.lines().any(wanted)
}

fn serve(listener: &TcpListener, fake: SocketAddr, held: usize, hold: Hold, shared: &Shared) {
    let address = listener.local_addr();
    let address = address.expect("a bound socket has an address");
    let fill = || TcpStream::connect(address).expect("one connection may wait");
    let mut filler = None;
    for place in 0.. {
        if place == held && hold == Hold::Unconnected {
            let _kept = filler.take().unwrap_or_else(fill);
            wait_for_end(shared);
            return;
        }
        let Ok((client, _)) = listener.accept() else {
            return;
        };
        if lock(&shared.0).over {
            return;
        }
        if place + 1 == held && hold == Hold::Unconnected {
            // Before this call is answered: the next one may follow at once.
            filler = Some(fill());
        }
        let point = (place == held).then_some(hold);
        pass(client, fake, point, shared);
    }
}

/// Passes one call on and its answer back, up to the point where it is held.
fn pass(mut client: TcpStream, fake: SocketAddr, point: Option<Hold>, shared: &Shared) {
    if point == Some(Hold::Unread) {
        return stay(shared);
    }
    let Some(mut call) = wire::read_head(&mut client) else {
        return;
    };
    if point == Some(Hold::PartRead) {
        let mut half = vec![0; wire::length_of(&call) / 2];
        drop(client.read_exact(&mut half));
        return stay(shared);
    }
    let Some(body) = wire::read_body(&mut client, &call) else {
        return;
    };
    call.extend(body);
    if point == Some(Hold::Read) {
        return stay(shared);
    }
    let mut answer = Vec::new();
    let mut server = TcpStream::connect(fake).expect("the fake listens");
    server.write_all(&call).expect("the fake reads");
    let outcome = server.read_to_end(&mut answer);
    if point == Some(Hold::Decided) {
        stay(shared);
        if lock(&shared.0).over {
            return;
        }
    }
    if outcome.is_err() {
        // The gate left the call's last byte unread, so this is a reset, as it was at the fake.
        drop(client);
        if point == Some(Hold::Answered) {
            stay(shared);
        }
        return;
    }
    wire::take_last(&mut client);
    let length = match point {
        Some(Hold::Head) => head_length(&answer),
        Some(Hold::Half) => (head_length(&answer) + answer.len()) / 2,
        _ => answer.len(),
    };
    // A killed client reads no reply.
    drop(client.write_all(&answer[..length]));
    if length < answer.len() {
        return stay(shared);
    }
    drop(client.shutdown(Shutdown::Write));
    if point == Some(Hold::Answered) {
        drop(client.read_to_end(&mut Vec::new()));
        stay(shared);
    }
}

fn head_length(answer: &[u8]) -> usize {
    let end = answer.windows(4).position(|window| window == b"\r\n\r\n");
    end.expect("an answer has a head") + 4
}

/// Reports that the call is at its point, and holds it there.
fn stay(shared: &Shared) {
    lock(&shared.0).held = true;
    wait_for_end(shared);
}

fn wait_for_end(shared: &Shared) {
    let mut progress = lock(&shared.0);
    while !progress.over && !progress.released {
        let waited = shared.1.wait(progress);
        progress = waited.unwrap_or_else(|poisoned| poisoned.into_inner());
    }
}
