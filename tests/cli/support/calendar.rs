//! Gives dsr another day by a library that changes its clock; dsr has no switch for it.

use std::env::consts::ARCH;
use std::path::{Path, PathBuf};

use super::Operator;

/// Whether a test can have other days; prints if not. An error if `DSR_TEST_REQUIRE` names
/// `calendar`.
#[expect(clippy::print_stdout, reason = "a test that skips says so")]
pub(crate) fn has_calendar() -> bool {
    #[expect(
        clippy::disallowed_methods,
        reason = "the environment says whether the outside part is there"
    )]
    let required = std::env::var("DSR_TEST_REQUIRE").unwrap_or_default();
    let is_required = required.split(',').any(|part| part == "calendar");
    let is_there = library().is_some();
    assert!(is_there || !is_required, "libfaketime is not installed");
    if !is_there {
        println!("SKIPPED: without libfaketime there is no other day than today");
    }
    is_there
}

impl Operator {
    /// From now on, programs believe that it is noon of this day in UTC.
    pub(crate) fn lives_on(&mut self, day: &str) {
        let library = library().expect("the test has asked for a calendar");
        self.set("LD_PRELOAD", &library.display().to_string());
        self.set("FAKETIME", &format!("@{day} 12:00:00"));
        self.set("TZ", "UTC0");
        // Waiting takes its real time.
        self.set("FAKETIME_DONT_FAKE_MONOTONIC", "1");
    }
}

/// Where Debian and others install it.
fn library() -> Option<PathBuf> {
    let of_debian = format!("/usr/lib/{ARCH}-linux-gnu");
    let folders = [of_debian.as_str(), "/usr/lib64", "/usr/lib"].map(Path::new);
    let mut libraries = folders
        .map(|folder| folder.join("faketime/libfaketime.so.1"))
        .into_iter();
    libraries.find(|library| library.is_file())
}
