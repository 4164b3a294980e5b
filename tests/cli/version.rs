//! What `dsr --version` says of the build, and what the build script records.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use crate::support::{Fake, Operator};

#[test]
fn the_version_is_one_line_and_with_verbose_the_build_follows() {
    let operator = Operator::at(&Fake::start());
    let first = concat!("dsr ", env!("CARGO_PKG_VERSION"), "\n");
    for args in [&["--version"][..], &["-V"]] {
        assert_eq!(operator.run(args).exits_with(0).stdout, first);
    }
    for args in [
        &["--version", "--verbose"][..],
        &["-V", "-v"],
        &["-vV"],
        &["--verbose", "--version"],
    ] {
        let outcome = operator.run(args);
        let text = &outcome.exits_with(0).stdout;
        let names: Vec<&str> = text
            .lines()
            .skip(1)
            .filter_map(|line| Some(line.split_once(": ")?.0))
            .collect();
        assert!(text.starts_with(first), "{outcome}");
        assert_eq!(names, ["commit", "target", "profile", "ledger"]);
        assert!(
            text.contains("SQLite 3.") && text.contains("PostgreSQL"),
            "{outcome}"
        );
    }
}

/// The build script, built by itself.
fn build_script() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let script = folder.path().join("build-script");
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("build.rs");
    let built = Command::new("rustc")
        .args(["--edition", "2024", "-o"])
        .args([&script, &source])
        .status();
    assert!(built.expect("rustc is there").success());
    (folder, script)
}

fn git(folder: &Path, args: &[&str]) -> String {
    let output = Command::new("git")
        .env_clear()
        .env("PATH", "/usr/bin:/bin")
        .current_dir(folder)
        .args(["-c", "user.name=a", "-c", "user.email=a@b.test"])
        .args(args)
        .output()
        .expect("git is there");
    assert!(output.status.success(), "{output:?}");
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

#[test]
fn a_release_names_its_commit_and_a_build_without_git_says_that_it_does_not_know() {
    let (_kept, script) = build_script();
    let root = tempfile::tempdir().expect("a temporary folder can be made");
    let records = |folder: &Path, profile: &str, path: &str| {
        let output = Command::new(&script)
            .env_clear()
            .envs([("PATH", path), ("TARGET", "x86-test"), ("PROFILE", profile)])
            .env("CARGO_MANIFEST_DIR", folder)
            .env("OUT_DIR", "/t/dist/build/dsr-01/out")
            .current_dir(folder)
            .output()
            .expect("it runs");
        assert!(output.status.success(), "{output:?}");
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(text.contains("DSR_BUILT_FOR=x86-test\n"), "{text}");
        assert!(text.contains("DSR_BUILT_AS=dist\n"), "{text}");
        let from = text
            .lines()
            .find_map(|line| line.split_once("DSR_BUILT_FROM="));
        from.expect("a commit").1.to_owned()
    };
    let usual = "/usr/bin:/bin";
    assert_eq!(records(root.path(), "release", usual), "unknown");
    git(root.path(), &["init", "-q"]);
    assert_eq!(records(root.path(), "release", usual), "unknown");
    fs::write(root.path().join("Cargo.toml"), "[package]\n").unwrap();
    git(root.path(), &["add", "."]);
    git(root.path(), &["commit", "-q", "-m", "first"]);
    let head = git(root.path(), &["rev-parse", "HEAD"]);
    assert_eq!(records(root.path(), "release", usual), head);
    assert_eq!(records(root.path(), "release", "/nowhere"), "unknown");
    assert!(!records(root.path(), "debug", usual).contains(&head));
    let inner = root.path().join("vendor");
    fs::create_dir(&inner).unwrap();
    assert_eq!(records(&inner, "release", usual), "unknown");
    fs::write(root.path().join("Cargo.toml"), "[package]\n#\n").unwrap();
    assert_eq!(
        records(root.path(), "release", usual),
        format!("{head}+changes")
    );
}
