//! Whether a test can be somebody else.

use std::process::Command;

/// Whether dsr can be run as another account than the one that runs the tests. If not, says so; where
/// `DSR_TEST_REQUIRE` names `accounts`, that is an error.
#[expect(clippy::print_stdout, reason = "a test that skips says so")]
pub(crate) fn has_accounts() -> bool {
    #[expect(
        clippy::disallowed_methods,
        reason = "the environment says whether the outside part is there"
    )]
    let required = std::env::var("DSR_TEST_REQUIRE").unwrap_or_default();
    let is_required = required.split(',').any(|part| part == "accounts");
    let tried = Command::new("unshare")
        .args(["--user", "--map-user=2", "--map-group=2", "true"])
        .status();
    let can = tried.is_ok_and(|status| status.success());
    assert!(can || !is_required, "nobody can be another account here");
    if !can {
        println!("SKIPPED: nobody can be another account here");
    }
    can
}
