//! The same events in several sources are read once, and repeats are counted.

use std::ops::ControlFlow;

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::{Run, SanitizeError, SplitProgress, event, lines_of, zip_of};
use crate::domain::to_hex;

fn some_events() -> Vec<Value> {
    (0..5).map(|n| event("a", "anna", n, json!({}))).collect()
}

#[test]
fn a_source_that_is_named_twice_is_read_once() {
    let run = Run::keeping(&[]);
    let file = run.file("folder/a.jsonl", lines_of(&some_events()));
    let folder = run.folder.path().join("folder");
    let indirect = folder.join("../folder/a.jsonl");
    for sources in [
        vec![file.clone(), file.clone()],
        vec![file.clone(), indirect],
        vec![folder.clone(), folder.clone()],
        vec![folder.clone(), file.clone()],
        vec![file, folder],
    ] {
        let found = run.try_read(&sources).unwrap();
        assert_eq!((found.lines.len(), found.review.copies), (5, 1));
        assert_eq!(found.review.repeats, 0);
    }
}

#[test]
fn packages_beside_their_archive_are_not_read_again() {
    let run = Run::keeping(&[]);
    let events = serde_json::to_string(&some_events()).unwrap();
    let archive = zip_of(&[("events.json", &events)]);
    let packages = |of: &[u8]| {
        let sha256 = to_hex(&Sha256::digest(of));
        json!({ "archive_sha256": sha256 }).to_string()
    };
    for folder in ["x-1-packages", "x-1-zips-packages"] {
        let own = packages(&archive);
        run.file(&format!("fetched/{folder}/packages.json"), own);
        run.file(&format!("fetched/{folder}/unassigned/unclear.jsonl"), "{}");
        let lines = lines_of(&some_events());
        run.file(&format!("fetched/{folder}/p/events.jsonl"), lines);
    }
    let fetched = run.folder.path().join("fetched");
    let read = || run.try_read(std::slice::from_ref(&fetched)).unwrap();
    // Without the archive, one form of the packages is read.
    let found = read();
    assert_eq!((found.lines.len(), found.review.copies), (5, 1));
    assert_eq!(found.review.left_out.held_back, 1);
    run.file("fetched/x-1.zip", &archive);
    let found = read();
    assert_eq!((found.lines.len(), found.review.copies), (5, 2));
    assert_eq!(found.review.left_out.held_back, 0);
    // Packages of another archive are no copies.
    run.file("fetched/y-1-packages/packages.json", packages(b"other"));
    let other = lines_of(&[event("a", "bob", 9, json!({}))]);
    run.file("fetched/y-1-packages/p/events.jsonl", other);
    let found = read();
    assert_eq!((found.lines.len(), found.review.copies), (6, 2));
}

#[test]
fn repeats_are_written_and_counted_apart() {
    let run = Run::keeping(&[]);
    let events = [some_events(), some_events(), some_events()].concat();
    let found = run.read_events(&events);
    let review = &found.review;
    assert_eq!((review.read, review.written, review.repeats), (15, 15, 10));
    let days: Vec<(u64, u64)> = review
        .days()
        .map(|(_, _, before, after)| (before, after))
        .collect();
    assert_eq!(days, [(15, 5)], "Mixpanel will count five");
}

#[test]
fn a_source_that_changes_between_the_readings_is_refused() {
    let at = |id: &str, number| event("a", id, number, json!({}));
    let before = [at("anna", 0), at("bob", 1)];
    for (after, is_the_same) in [
        (vec![at("anna", 0), at("bob", 1)], true),
        (vec![at("anna", 0), at("carl", 1)], false),
        (vec![at("anna", 0)], false),
    ] {
        let run = Run::keeping(&[]);
        let source = run.file("export.jsonl", lines_of(&before));
        let found = run.try_read_watched(std::slice::from_ref(&source), &mut |progress| {
            // The first reading has seen the end.
            if let SplitProgress::Reading { done, of } = progress
                && done * 2 == of
            {
                run.file("export.jsonl", lines_of(&after));
            }
            ControlFlow::Continue(())
        });
        match found {
            Ok(_) => assert!(is_the_same, "{after:?}"),
            Err(error) => assert!(matches!(error, SanitizeError::Changed) && !is_the_same),
        }
    }
}
