//! Hostile archives through `dsr download --split`: nothing is written outside the folder.

use std::fs;
use std::io::{Cursor, Write};
use std::path::{Path, PathBuf};

use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use crate::support::{Exports, Outcome, handing_out, package_of, the_download};

fn options() -> SimpleFileOptions {
    SimpleFileOptions::default()
}

fn zip_of(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in members {
        zip.start_file(*name, options()).expect("a member");
        zip.write_all(bytes).expect("its bytes");
    }
    zip.finish().expect("a zip").into_inner()
}

const EVENT: &[u8] = br#"{"event":"seen","properties":{"distinct_id":"anna","time":1770000000}}"#;

fn all_below(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() && !path.is_symlink() {
            found.extend(all_below(&path));
        }
        found.push(path);
    }
    found.sort();
    found
}

/// Fetches `archive`, splits it, and checks that the split changed no file anywhere.
#[track_caller]
fn is_refused(archive: Vec<u8>, status: i32, says: &str) -> Outcome {
    let exports = Exports::of(&["anna"], move |_| handing_out(&archive, ""));
    exports.download(&[]).exits_with(0);
    let root = exports.operator.work();
    let root = root.parent().expect("the folder of the operator");
    // The ledger's side files come and go with each command.
    let files = || -> Vec<PathBuf> {
        let all = all_below(root).into_iter();
        all.filter(|path| {
            path.is_dir()
                || !path.starts_with(exports.operator.dsr_home())
                || path.starts_with(exports.folder())
        })
        .collect()
    };
    let before = files();
    let outcome = exports.download(&["--split", "--json"]);
    outcome.exits_with(status).did_not_panic();
    let message = outcome.failure()["message"]
        .as_str()
        .expect("a text")
        .to_owned();
    assert!(message.contains(says), "`{says}`\n{outcome}");
    assert!(outcome.failure()["hint"].is_string(), "{outcome}");
    assert_eq!(the_download(&outcome)["packages"]["result"], "not_split");
    assert_eq!(files(), before, "nothing is made, inside or outside");
    outcome
}

#[test]
fn names_that_lead_elsewhere_are_refused() {
    for (name, says) in [
        ("../outside.jsonl", "leads out"),
        ("a/../../outside.jsonl", "leads out"),
        ("/tmp/outside.jsonl", "absolute path"),
        ("C:/outside.jsonl", "drive letter"),
        ("a\\..\\outside.jsonl", "backslash"),
    ] {
        // Written under a name of the same length first: the zip library would correct the hostile
        // one.
        let plain = "x".repeat(name.len());
        let bytes = zip_of(&[(&plain, EVENT)]);
        let archive = replaced(bytes, plain.as_bytes(), name.as_bytes());
        is_refused(archive, 5, says);
    }
}

fn replaced(mut bytes: Vec<u8>, from: &[u8], to: &[u8]) -> Vec<u8> {
    let places: Vec<usize> = (0..=bytes.len() - from.len())
        .filter(|at| bytes[*at..].starts_with(from))
        .collect();
    assert_eq!(
        places.len(),
        2,
        "in front of the member and in the directory"
    );
    for at in places {
        bytes[at..at + from.len()].copy_from_slice(to);
    }
    bytes
}

#[test]
fn links_are_refused() {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    zip.add_symlink("events.jsonl", "/etc/passwd", options())
        .unwrap();
    is_refused(zip.finish().unwrap().into_inner(), 5, "symbolic link");
}

#[test]
fn a_bomb_is_refused_whatever_it_says_of_itself() {
    // 80 MB of one byte pack to 80 kB.
    let bomb = zip_of(&[("events.jsonl", &vec![b' '; 80 << 20])]);
    assert!(bomb.len() < 200_000, "it is one");
    is_refused(bomb.clone(), 5, "far more than its size");
    // The same bomb with a directory that claims 1 kB.
    let size = (80_u32 << 20).to_le_bytes();
    let places: Vec<usize> = (0..bomb.len() - 4)
        .filter(|at| bomb[*at..*at + 4] == size)
        .collect();
    let mut liar = bomb;
    for at in places {
        liar[at..at + 4].copy_from_slice(&1024_u32.to_le_bytes());
    }
    is_refused(liar, 5, "");
}

#[test]
fn a_hundred_thousand_members_are_refused() {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    let stored = options().compression_method(zip::CompressionMethod::Stored);
    for number in 0..100_000 {
        zip.start_file(number.to_string(), stored).unwrap();
    }
    is_refused(zip.finish().unwrap().into_inner(), 5, "too many members");
}

#[test]
fn damage_is_found_and_said() {
    let lines: Vec<u8> = [EVENT, b"\n"].concat().repeat(1000);
    let mut archive = zip_of(&[("events.jsonl", &lines)]);
    let middle = archive.len() / 2;
    archive[middle] ^= 0xff;
    let outcome = is_refused(archive, 5, "damaged");
    let hint = outcome.failure()["hint"].as_str().unwrap().to_owned();
    assert!(hint.contains("--again"), "{hint}");
}

#[test]
fn an_archive_that_is_cut_off_is_not_even_kept() {
    let lines: Vec<u8> = [EVENT, b"\n"].concat().repeat(100_000);
    let archive = zip_of(&[("a.jsonl", &lines), ("b.jsonl", &lines)]);
    let cut = archive[..archive.len() / 2].to_vec();
    let exports = Exports::of(&["anna"], move |_| handing_out(&cut, ""));
    let outcome = exports.download(&["--split", "--json"]);
    outcome.exits_with(75);
    assert_eq!(the_download(&outcome)["result"], "not_an_archive");
    assert!(exports.names().is_empty());
    // The directory is intact, but not where the end of the archive says.
    let mut hollow = archive;
    hollow.drain(10..200);
    let exports = Exports::of(&["anna"], move |_| handing_out(&hollow, ""));
    let outcome = exports.download(&["--split", "--json"]);
    outcome.exits_with(75);
    assert_eq!(the_download(&outcome)["result"], "not_an_archive");
    assert!(exports.names().is_empty());
}

#[test]
fn what_has_the_name_of_the_packages_is_neither_followed_nor_overwritten() {
    let archive = zip_of(&[("events.jsonl", EVENT)]);
    let exports = Exports::of(&["anna"], move |_| handing_out(&archive, ""));
    let fetched = exports.download(&["--json"]);
    let path = PathBuf::from(the_download(&fetched)["path"].as_str().unwrap());
    let target = path.with_file_name(format!(
        "{}-packages",
        path.file_stem().unwrap().to_str().unwrap()
    ));
    let elsewhere = exports.operator.work().join("elsewhere");
    fs::create_dir(&elsewhere).unwrap();
    std::os::unix::fs::symlink(&elsewhere, &target).unwrap();
    let outcome = exports.download(&["--split"]);
    outcome.exits_with(2).says("already exists");
    assert_eq!(fs::read_dir(&elsewhere).unwrap().count(), 0);
    fs::remove_file(&target).unwrap();
    fs::write(&target, "mine").unwrap();
    exports.download(&["--split"]).exits_with(2);
    assert_eq!(fs::read_to_string(&target).unwrap(), "mine");
    fs::remove_file(&target).unwrap();
    exports.download(&["--split"]).exits_with(0);
    assert!(target.join(package_of("anna")).is_dir());
}
