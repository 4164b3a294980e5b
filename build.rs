//! Records what was built, for `dsr --version --verbose`: the commit, the target and the profile.

#![expect(
    clippy::disallowed_methods,
    reason = "cargo passes variables to a build script"
)]

use std::env;
use std::path::Path;
use std::process::Command;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rustc-env=DSR_BUILT_FOR={}", variable("TARGET"));
    println!("cargo::rustc-env=DSR_BUILT_AS={}", profile());
    // In the dev profile each commit would otherwise build everything anew.
    let commit = match variable("PROFILE").as_str() {
        "debug" => "not recorded in a debug build".to_owned(),
        _ => commit().unwrap_or_else(|| "unknown".to_owned()),
    };
    println!("cargo::rustc-env=DSR_BUILT_FROM={commit}");
}

fn variable(name: &str) -> String {
    env::var(name).unwrap_or_else(|_| "unknown".to_owned())
}

/// The profile's own name. cargo names only the one it inherits from, except in the path of
/// `OUT_DIR`: `…/dist/build/dsr-0123/out`.
fn profile() -> String {
    let out = variable("OUT_DIR");
    let name = Path::new(&out).ancestors().nth(3).and_then(Path::file_name);
    name.map_or_else(
        || variable("PROFILE"),
        |name| name.to_string_lossy().into_owned(),
    )
}

/// The commit of this folder, with `+changes` if files differ from it. `None` without git, and in a
/// folder that only lies in another repository.
fn commit() -> Option<String> {
    let here = Path::new(&variable("CARGO_MANIFEST_DIR"))
        .canonicalize()
        .ok()?;
    let top = git(&["rev-parse", "--show-toplevel"])?;
    if Path::new(&top).canonicalize().ok()? != here {
        return None;
    }
    for path in ["src", "Cargo.toml", "Cargo.lock"] {
        println!("cargo::rerun-if-changed={path}");
    }
    // The log of HEAD grows with each commit and each checkout.
    let log = git(&["rev-parse", "--git-path", "logs/HEAD"])?;
    println!("cargo::rerun-if-changed={log}");
    let commit = git(&["rev-parse", "HEAD"])?;
    let changes = git(&["status", "--porcelain", "--untracked-files=no"])?;
    Some(if changes.is_empty() {
        commit
    } else {
        commit + "+changes"
    })
}

fn git(args: &[&str]) -> Option<String> {
    let output = Command::new("git").args(args).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| text.trim().to_owned())
}
