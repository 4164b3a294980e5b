//! Documents that cannot lie: what is generated is up to date, and every example parses.

#![expect(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a test that cannot go on fails, and hears of it whether it is to write"
)]

mod examples;
mod generated;
mod reference;
mod shell;
