//! An independent fake of Mixpanel's GDPR API on loopback: records every call, answers by script.

use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread;
use std::time::{Duration, Instant};

use super::wire::{self, Call, Reply, object_reply, status_reply};

const PATIENCE: Duration = Duration::from_secs(40);

/// A loopback address at which nobody listens.
pub(crate) const NOWHERE: &str = "http://127.0.0.1:1/api/app";

type Script = Box<dyn Fn(&Call) -> Reply + Send + Sync>;

/// What the fake checks before it asks the script.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rules {
    None,
    /// Answers calls of any kind above this rate with 429, by their arrival.
    PerSecond(u32),
}

struct Shared {
    calls: Mutex<Vec<Call>>,
    limited: Mutex<usize>,
    last: Mutex<Option<Instant>>,
    rules: Rules,
    script: Script,
    over: AtomicBool,
}

/// The fake; it ends when dropped.
pub(crate) struct Fake {
    address: SocketAddr,
    shared: Arc<Shared>,
}

/// The usual answers: 201 with a new task, PENDING, 204.
pub(crate) fn usual(call: &Call) -> Reply {
    match call.method.as_str() {
        "POST" => object_reply(&task_of(call.place)),
        "DELETE" => Reply::text(204, "application/json", ""),
        _ => status_reply("PENDING"),
    }
}

/// The task of the usual reply to the POST with this number.
fn task_of(place: usize) -> String {
    format!("3e0b7f52-77aa-4c1e-9a4b-{:012x}", place + 0xa1)
}

impl Fake {
    pub(crate) fn start() -> Self {
        Self::answering(usual)
    }

    pub(crate) fn answering(script: impl Fn(&Call) -> Reply + Send + Sync + 'static) -> Self {
        Self::with(Rules::None, script)
    }

    pub(crate) fn answering_post(place: usize, reply: Reply) -> Self {
        Self::answering(move |call| match call.is_post() && call.place == place {
            true => reply.clone(),
            false => usual(call),
        })
    }

    pub(crate) fn answering_posts(reply: Reply) -> Self {
        Self::answering(move |call| match call.is_post() {
            true => reply.clone(),
            false => usual(call),
        })
    }

    pub(crate) fn with(
        rules: Rules,
        script: impl Fn(&Call) -> Reply + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("loopback has a free port");
        let address = listener
            .local_addr()
            .expect("a bound socket has an address");
        let shared = Arc::new(Shared {
            calls: Mutex::default(),
            limited: Mutex::default(),
            last: Mutex::default(),
            rules,
            script: Box::new(script),
            over: AtomicBool::new(false),
        });
        let served = Arc::clone(&shared);
        thread::spawn(move || serve(&listener, &served));
        Self { address, shared }
    }

    /// The value for `DSR_API_URL`.
    pub(crate) fn url(&self) -> String {
        format!("http://{}/api/app", self.address)
    }

    pub(crate) fn origin(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(crate) fn calls(&self) -> Vec<Call> {
        lock(&self.shared.calls).clone()
    }

    pub(crate) fn posts(&self) -> Vec<Call> {
        let calls = self.calls().into_iter();
        calls.filter(Call::is_post).collect()
    }

    pub(crate) fn gets(&self) -> Vec<Call> {
        let calls = self.calls().into_iter();
        calls.filter(|call| call.method == "GET").collect()
    }

    pub(crate) fn limited(&self) -> usize {
        *lock(&self.shared.limited)
    }

    /// Every id of every POST, repeated ids included.
    pub(crate) fn posted_ids(&self) -> Vec<String> {
        self.posts().iter().flat_map(Call::ids).collect()
    }

    pub(crate) fn wait_for_posts(&self, count: usize) {
        let start = Instant::now();
        while self.posts().len() < count {
            assert!(start.elapsed() < PATIENCE, "no {count} POSTs came");
            thread::sleep(Duration::from_millis(5));
        }
    }

    /// The shortest time between two calls of any kind, by arrival.
    pub(crate) fn shortest_gap(&self) -> Duration {
        let mut arrivals: Vec<Instant> = self.calls().iter().map(|call| call.arrived).collect();
        arrivals.sort();
        let gaps = arrivals.windows(2).map(|pair| pair[1] - pair[0]);
        gaps.min().expect("there were at least two calls")
    }

    #[track_caller]
    pub(crate) fn was_not_called(&self) {
        let calls = self.calls();
        assert!(calls.is_empty(), "no call was to be made: {calls:#?}");
    }
}

impl Drop for Fake {
    fn drop(&mut self) {
        self.shared.over.store(true, Ordering::SeqCst);
        // Wakes the thread that waits for the next connection.
        drop(TcpStream::connect(self.address));
    }
}

fn serve(listener: &TcpListener, shared: &Arc<Shared>) {
    while let Ok((mut stream, _)) = listener.accept() {
        if shared.over.load(Ordering::SeqCst) {
            return;
        }
        let arrived = Instant::now();
        let shared = Arc::clone(shared);
        thread::spawn(move || {
            if let Some(call) = wire::read_call(&mut stream, arrived) {
                let reply = shared.take(call);
                wire::answer(stream, reply, &|| shared.over.load(Ordering::SeqCst));
            }
        });
    }
}

impl Shared {
    fn take(&self, mut call: Call) -> Reply {
        {
            let mut calls = lock(&self.calls);
            call.place = calls.iter().filter(|c| c.method == call.method).count();
            calls.push(call.clone());
        }
        if let Rules::PerSecond(rate) = self.rules
            && self.is_too_soon(call.arrived, rate)
        {
            *lock(&self.limited) += 1;
            return Reply::error(429, "API is limited to 1 req/s");
        }
        (self.script)(&call)
    }

    fn is_too_soon(&self, arrived: Instant, rate: u32) -> bool {
        let interval = Duration::from_secs(1) / rate;
        let mut last = lock(&self.last);
        let too_soon = last.is_some_and(|last| arrived.saturating_duration_since(last) < interval);
        if !too_soon {
            *last = Some(arrived);
        }
        too_soon
    }
}

/// A failed test thread must not make the others fail.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex
        .lock()
        .unwrap_or_else(|poisoned| poisoned.into_inner())
}
