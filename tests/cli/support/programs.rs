//! Finds other programs that a test needs.

use std::path::Path;

/// The path of this program; without it, prints that the test skips. An error if `DSR_TEST_REQUIRE`
/// names it.
#[expect(clippy::print_stdout, reason = "a test that skips says so")]
pub(crate) fn find_program(name: &str) -> Option<String> {
    #[expect(
        clippy::disallowed_methods,
        reason = "the environment says whether the outside part is there"
    )]
    let required = std::env::var("DSR_TEST_REQUIRE").unwrap_or_default();
    let is_required = required.split(',').any(|part| part == name);
    let folders = ["/usr/bin", "/bin"].map(Path::new).into_iter();
    let found = folders
        .map(|folder| folder.join(name))
        .find(|path| path.is_file());
    assert!(found.is_some() || !is_required, "{name} is not installed");
    if found.is_none() {
        println!("SKIPPED: without {name} this is not tried");
    }
    found.map(|path| path.display().to_string())
}
