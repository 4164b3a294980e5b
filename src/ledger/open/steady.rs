//! A clock that nobody can set. It measures waits, even across processes.

use std::sync::{Arc, LazyLock, Mutex};
use std::time::Instant;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::ledger::engine::Connection;

/// Tells how much time has passed since another process looked.
#[derive(Debug, Clone, Default)]
pub struct SteadyClock(ClockSource);

#[derive(Debug, Clone, Default)]
enum ClockSource {
    /// No steady clock; the wall clock must do.
    #[default]
    None,
    Machine,
    #[cfg(test)]
    Set(std::sync::Arc<std::sync::atomic::AtomicI64>),
}

/// A moment, comparable only within its era.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SteadyMoment {
    /// One boot of the machine, or one process if the system does not number boots.
    pub(crate) era: &'static str,
    pub(crate) micros: i64,
}

impl SteadyMoment {
    /// By the clock of the ledger's server, which all hosts share.
    pub(crate) fn of_server(micros: i64) -> Self {
        let era = "server";
        Self { era, micros }
    }
}

/// The clock of the ledger's server. With a shared ledger all hosts go by it, since their own
/// clocks differ.
#[derive(Debug, Clone, Default)]
pub struct ServerClock(Arc<Mutex<Option<ClockReading>>>);

#[derive(Debug, Clone, Copy)]
struct ClockReading {
    server: i64,
    here: SteadyMoment,
}

impl ServerClock {
    /// The server's time; `None` unless a ledger on a server is open.
    pub fn now(&self) -> Option<DateTime<Utc>> {
        let read = (*self.0.lock().ok()?)?;
        let passed = of_the_machine().micros.saturating_sub(read.here.micros);
        DateTime::from_timestamp_micros(read.server.saturating_add(passed))
    }

    /// Takes over the time that the connection has read last.
    pub(crate) fn follow(&self, conn: &Connection) {
        if let (Some(server), Ok(mut reading)) = (conn.clock(), self.0.lock()) {
            let here = of_the_machine();
            *reading = Some(ClockReading { server, here });
        }
    }
}

impl SteadyClock {
    pub fn of_this_machine() -> Self {
        Self(ClockSource::Machine)
    }

    pub(crate) fn now(&self) -> Option<SteadyMoment> {
        match &self.0 {
            ClockSource::None => None,
            ClockSource::Machine => Some(of_the_machine()),
            #[cfg(test)]
            ClockSource::Set(micros) => Some(SteadyMoment {
                era: "test",
                micros: micros.load(std::sync::atomic::Ordering::Relaxed),
            }),
        }
    }

    #[cfg(test)]
    pub(crate) fn set_by(micros: &std::sync::Arc<std::sync::atomic::AtomicI64>) -> Self {
        Self(ClockSource::Set(std::sync::Arc::clone(micros)))
    }
}

/// If the system names the boot, all processes share one era.
#[cfg(target_os = "linux")]
fn of_the_machine() -> SteadyMoment {
    static BOOT: LazyLock<Option<String>> = LazyLock::new(|| {
        let id = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
        Some(id.trim().to_owned()).filter(|id| !id.is_empty())
    });
    match BOOT.as_deref() {
        Some(era) => {
            // This clock also counts while the machine sleeps.
            let now = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
            let seconds = now.tv_sec.saturating_mul(1_000_000);
            let micros = seconds.saturating_add(now.tv_nsec / 1000);
            SteadyMoment { era, micros }
        }
        None => of_this_process(),
    }
}

#[cfg(not(target_os = "linux"))]
fn of_the_machine() -> SteadyMoment {
    of_this_process()
}

fn of_this_process() -> SteadyMoment {
    static START: LazyLock<(String, Instant)> =
        LazyLock::new(|| (Uuid::new_v4().to_string(), Instant::now()));
    let (era, start) = &*START;
    SteadyMoment {
        era,
        micros: i64::try_from(start.elapsed().as_micros()).unwrap_or(i64::MAX),
    }
}
