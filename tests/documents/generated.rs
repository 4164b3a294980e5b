//! Generated files are what the program makes today.
//!
//! `DSR_UPDATE=1 cargo test --test documents generated` makes all of them again.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::reference;

/// Contents by path in the repository.
type Files = BTreeMap<PathBuf, String>;

/// A folder that holds only generated files.
const COMPLETIONS: &str = "completions";

fn made() -> Files {
    let mut files = Files::new();
    for (shell, file) in [
        ("bash", "dsr.bash"),
        ("zsh", "_dsr"),
        ("fish", "dsr.fish"),
        ("powershell", "_dsr.ps1"),
    ] {
        let path = Path::new(COMPLETIONS).join(file);
        files.insert(path, dsr(&["completions", shell]));
    }
    files.insert("docs/reference.md".into(), reference::markdown());
    files
}

#[test]
fn generated_files_are_up_to_date() {
    let files = made();
    assert_eq!(files.len(), 5, "{:?}", files.keys());
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let kept = fs::read_dir(root.join(COMPLETIONS)).unwrap();
    let kept = kept.map(|entry| Path::new(COMPLETIONS).join(entry.unwrap().file_name()));
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

#[test]
fn no_man_page_and_no_help_page_shows_the_marks_of_markdown() {
    let folder = tempfile::tempdir().unwrap();
    let pages = dsr(&["man", "--output", folder.path().to_str().unwrap()]);
    assert!(pages.lines().count() > 50, "{pages}");
    for section in ["man1", "man7"] {
        for page in fs::read_dir(folder.path().join(section)).unwrap() {
            let page = page.unwrap().path();
            let text = fs::read_to_string(&page).unwrap();
            assert!(!text.contains("**"), "{page:?}");
        }
    }
    assert!(!dsr(&["help", "runbooks"]).contains("**"));
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
