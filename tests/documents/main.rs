//! Keeps documents true: generated files are up to date, every example parses, every command block
//! runs, and every link leads somewhere.

#![cfg(unix)]
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
mod recipes;
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
