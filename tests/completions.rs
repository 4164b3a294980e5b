//! The completion scripts in `completions/` are what `dsr completions SHELL` prints.

use std::path::Path;
use std::process::Command;

#[test]
fn the_completions_in_the_repository_are_up_to_date() {
    for (shell, file) in [
        ("bash", "dsr.bash"),
        ("zsh", "_dsr"),
        ("fish", "dsr.fish"),
        ("powershell", "_dsr.ps1"),
    ] {
        let output = Command::new(env!("CARGO_BIN_EXE_dsr"))
            .args(["completions", shell])
            .output()
            .unwrap();
        assert!(output.status.success(), "{output:?}");
        assert!(output.stderr.is_empty(), "{output:?}");
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("completions");
        let kept = std::fs::read(path.join(file)).unwrap_or_default();
        assert!(
            kept == output.stdout,
            "completions/{file} is out of date: cargo run -- completions {shell} > completions/{file}"
        );
    }
}
