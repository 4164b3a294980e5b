//! Documents that cannot lie: what is generated is up to date, every example parses, every
//! command block of every page is run, and no link leads nowhere.

#![expect(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a test that cannot go on fails, and hears of it whether it is to write"
)]

mod blocks;
mod commands;
mod examples;
mod generated;
mod pages;
mod reference;
mod scene;
mod shell;
#[path = "../cli/support/mod.rs"]
#[expect(
    dead_code,
    unused_imports,
    reason = "what stands under the tests of the program"
)]
mod support;
