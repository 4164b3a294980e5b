//! Files that are made from the program are what it makes today.
//!
//! `DSR_UPDATE=1 cargo test --test documents generated` makes all of them anew.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::reference;

/// By the path in the repository.
type Files = BTreeMap<PathBuf, String>;

/// Everything the program makes, and the folders that hold nothing else.
fn made() -> (Files, [&'static str; 3]) {
    let mut files = Files::new();
    for (shell, file) in [
        ("bash", "dsr.bash"),
        ("zsh", "_dsr"),
        ("fish", "dsr.fish"),
        ("powershell", "_dsr.ps1"),
    ] {
        let path = Path::new("completions").join(file);
        files.insert(path, dsr(&["completions", shell]));
    }
    let folder = tempfile::tempdir().unwrap();
    let written = dsr(&["man", "--output", folder.path().to_str().unwrap()]);
    for file in written.lines() {
        let name = Path::new(file).strip_prefix(folder.path()).unwrap();
        let page = fs::read_to_string(file).unwrap();
        files.insert(Path::new("docs/man").join(name), page);
    }
    files.insert("docs/reference.md".into(), reference::markdown());
    (files, ["completions", "docs/man/man1", "docs/man/man7"])
}

#[test]
fn generated_files_are_up_to_date() {
    let (files, folders) = made();
    assert!(files.len() >= 40, "{:?}", files.keys());
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let kept = folders.iter().flat_map(|folder| {
        let entries = fs::read_dir(root.join(folder)).into_iter().flatten();
        entries.map(|entry| Path::new(folder).join(entry.unwrap().file_name()))
    });
    let left_over: Vec<PathBuf> = kept.filter(|file| !files.contains_key(file)).collect();
    let differs = |(path, text): &(&PathBuf, &String)| {
        fs::read_to_string(root.join(path)).ok().as_ref() != Some(text)
    };
    let outdated: Vec<_> = files.iter().filter(differs).collect();
    if std::env::var_os("DSR_UPDATE").is_some() {
        for (path, text) in &outdated {
            let path = root.join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        for path in left_over {
            fs::remove_file(root.join(path)).unwrap();
        }
        return;
    }
    let outdated: Vec<_> = outdated.into_iter().map(|(path, _)| path).collect();
    assert!(
        outdated.is_empty() && left_over.is_empty(),
        "out of date: {outdated:?}, not made any more: {left_over:?}\n\
         run DSR_UPDATE=1 cargo test --test documents generated"
    );
}

fn dsr(args: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_dsr"))
        .env_clear()
        .env("HOME", "/nowhere")
        .args(args)
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    assert!(output.stderr.is_empty(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}
