//! Runs commands as another account.

use std::process::Command;

/// A script that runs a command under this account's name. The kernel still runs it as the tests'
/// account, so that it may read the tests' files. A user namespace does not work: dsr accepts no
/// name from one.
pub(crate) fn as_account(account: u32, command: &str) -> String {
    let names = format!(
        r"sed -e '/^[^:]*:[^:]*:0:/d' -e 's/^\([^:]*:[^:]*\):{account}:/\1:0:/' /etc/passwd"
    );
    format!(
        r#"names=$(mktemp) && {names} > "$names" && export names account={account} &&
           exec unshare --mount /bin/sh -c '
               mount --bind "$names" /etc/passwd && rm -f "$names" && unset names account &&
               exec {command}' "$0" "$@""#
    )
}

/// Whether a test can run dsr as another account; prints if not. An error if `DSR_TEST_REQUIRE`
/// names `accounts`.
#[expect(clippy::print_stdout, reason = "a test that skips says so")]
pub(crate) fn has_accounts() -> bool {
    #[expect(
        clippy::disallowed_methods,
        reason = "the environment says whether the outside part is there"
    )]
    let required = std::env::var("DSR_TEST_REQUIRE").unwrap_or_default();
    let is_required = required.split(',').any(|part| part == "accounts");
    let tried = Command::new("/bin/sh")
        .args(["-c", &as_account(2, "id -un"), "sh"])
        .output();
    let can = tried.is_ok_and(|tried| tried.stdout == b"bin\n");
    assert!(can || !is_required, "nobody can be another account here");
    if !can {
        println!("SKIPPED: nobody can be another account here");
    }
    can
}
