//! Compares dsr with a model: random commands, a fake of Mixpanel that knows the truth, kills,
//! clocks that jump, and ledgers that are set back.
//!
//! `DSR_MODEL_SEEDS` is the number of seeds (200), `DSR_MODEL_FIRST` the first of them (1), and
//! `DSR_MODEL_THREADS` how many run at once. With `DSR_MODEL_LIE=1` the fake leaves accepted tasks
//! out of the truth, and with `DSR_MODEL_LIE=2` it reports wrong ends: with both the test must
//! fail.
#![cfg(target_os = "linux")]

mod api;
mod check;
mod check_end;
mod check_rest;
mod fake;
mod rng;
mod run;
mod steps;
mod steps_ledger;
mod truth;
mod weather;
mod world;

use std::collections::BTreeMap;
use std::io::Write;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

pub(crate) static POSTS: AtomicUsize = AtomicUsize::new(0);

/// Something that dsr said or did that is not true or not documented.
pub(crate) struct Violation {
    pub(crate) kind: String,
    pub(crate) seed: u64,
    pub(crate) step: usize,
    pub(crate) said: String,
    pub(crate) truth: String,
    pub(crate) history: String,
}

#[expect(
    clippy::disallowed_methods,
    reason = "settings of this test, read in one place"
)]
pub(crate) fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name)
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(default)
}

/// The day 30 days ago in UTC, as YYYY-MM-DD.
pub(crate) fn day_a_month_ago() -> String {
    let seconds = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .expect("after 1970")
        .as_secs();
    let days = i64::try_from(seconds / 86_400).expect("fits") + 719_468 - 30;
    let era = days.div_euclid(146_097);
    let of_era = days.rem_euclid(146_097);
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let (month, carry) = if month < 10 {
        (month + 3, 0)
    } else {
        (month - 9, 1)
    };
    format!("{:04}-{month:02}-{day:02}", year + era * 400 + carry)
}

#[test]
fn what_dsr_says_is_true() {
    let (first, seeds) = (
        setting("DSR_MODEL_FIRST", 1),
        setting("DSR_MODEL_SEEDS", 200),
    );
    let threads = setting("DSR_MODEL_THREADS", 24);
    let (next, found) = (AtomicU64::new(first), Mutex::new(Vec::<Violation>::new()));
    let began = Instant::now();
    std::thread::scope(|scope| {
        for _ in 0..threads.min(seeds) {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= first + seeds {
                        return;
                    }
                    let violations = world::World::new(seed).live();
                    found.lock().expect("no panic").extend(violations);
                }
            });
        }
    });
    let found = found.into_inner().expect("no panic");
    let mut kinds = BTreeMap::<&str, Vec<&Violation>>::new();
    for violation in &found {
        kinds.entry(&violation.kind).or_default().push(violation);
    }
    let mut told = String::new();
    for (kind, violations) in &kinds {
        let mut seeds: Vec<u64> = violations.iter().map(|violation| violation.seed).collect();
        seeds.dedup();
        told.push_str(&format!(
            "\n### {kind}: {} times, seeds {seeds:?}\n",
            violations.len()
        ));
        let shown = usize::try_from(setting("DSR_MODEL_SHOW", 1)).expect("fits");
        for one in violations.iter().take(shown) {
            told.push_str(&format!(
                "seed {}, step {}\n    dsr said: {}\n    the truth: {}\n{}\n",
                one.seed, one.step, one.said, one.truth, one.history
            ));
        }
    }
    if !run::has_faketime() {
        told.push_str("\nlibfaketime is not installed: the clock did not jump\n");
    }
    let sum = format!(
        "{seeds} seeds from {first}: {} commands, {} signals, {} POSTs, {} s, {} violations of {} kinds",
        run::COMMANDS.load(Ordering::Relaxed),
        run::KILLS.load(Ordering::Relaxed),
        POSTS.load(Ordering::Relaxed),
        began.elapsed().as_secs(),
        found.len(),
        kinds.len()
    );
    drop(writeln!(std::io::stderr(), "{told}\n{sum}"));
    assert!(found.is_empty(), "{sum}");
}
