//! Values of a source, checked one by one: a line of options, then a value on each line.

use std::collections::HashSet;
use std::num::NonZeroUsize;

use dsr::domain::IdLines;
use dsr::intake::{
    CheckOptions, HashWith, Hashing, Intake, IntakeError, Keep, LetterCase, OuterSpace,
    ReadOptions, Source, read,
};

/// The ids are the values byte for byte, each once, or there are none. No message holds a value.
pub(crate) fn check(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let (options, values) = text.split_once('\n').unwrap_or(("", &text));
    let values: Vec<&str> = values.split('\n').collect();
    let sources: Vec<Source> = values.iter().map(|v| Source::Id((*v).to_owned())).collect();
    let outer_space = match options {
        _ if options.contains('t') => OuterSpace::Trim,
        _ if options.contains('k') => OuterSpace::Keep,
        _ => OuterSpace::Refuse,
    };
    let named = values.first().filter(|_| options.contains('a'));
    let hashing = options.contains('h').then(|| {
        let case = LetterCase::Lowered;
        Hashing::new(HashWith::Sha256, "u_", case).expect("a prefix")
    });
    let is_hashed = hashing.is_some();
    let options = ReadOptions {
        check: CheckOptions {
            askable: None,
            allowed: named.into_iter().map(|v| (*v).to_owned()).collect(),
            outer_space,
            pattern: None,
            hashing,
        },
        ..ReadOptions::default()
    };
    let folder = tempfile::tempdir().expect("a folder");
    let keep = Keep::Ids(folder.path());
    match read(&sources, &[], &options, keep, &mut |_| {}) {
        Ok(intake) => {
            let ids = all_ids(&intake);
            assert_eq!(intake.counts.read, values.len());
            assert_eq!(intake.counts.unique, ids.len());
            for id in &ids {
                assert!(!id.is_empty() && !id.contains(['\n', '\r', '\0']));
                if is_hashed {
                    let digits = id.strip_prefix("u_").expect("the prefix");
                    assert!(digits.len() == 64 && digits.bytes().all(|b| b.is_ascii_hexdigit()));
                } else if outer_space != OuterSpace::Keep && named != Some(&id.as_str()) {
                    assert_eq!(id.trim(), *id, "white space around an id");
                }
            }
            if !is_hashed {
                check_order(&ids, &values, outer_space);
            }
            let texts = intake.warnings.iter();
            let texts = texts.map(|warning| warning.kind.text(warning.count));
            texts.for_each(|text| check_silence(&text, &values));
        }
        Err(error) => {
            assert!(matches!(error, IntakeError::Damaged { .. }), "{error:?}");
            check_silence(&error.to_string(), &values);
        }
    }
}

fn all_ids(intake: &Intake) -> Vec<String> {
    let ids = intake.ids.as_ref().expect("the ids were asked for");
    let batches = ids.batches(NonZeroUsize::MAX);
    let batches = batches.map(|batch| batch.expect("what was kept of the ids"));
    let batches: Vec<IdLines> = batches.collect();
    let texts = batches.iter().flat_map(IdLines::ids);
    texts.map(str::to_owned).collect()
}

/// Each value has its id, in order, and no other id appears.
fn check_order(ids: &[String], values: &[&str], outer_space: OuterSpace) {
    let mut seen = HashSet::new();
    let wanted: Vec<&str> = values.iter().copied().filter(|v| seen.insert(*v)).collect();
    match outer_space {
        OuterSpace::Refuse | OuterSpace::Keep => assert_eq!(ids, wanted),
        OuterSpace::Trim => {
            let is_part = |id: &String| values.iter().any(|value| value.contains(id.as_str()));
            assert!(ids.iter().all(is_part), "an id from nowhere");
        }
    }
}

/// No message holds what looks like a person's address.
fn check_silence(message: &str, values: &[&str]) {
    for value in values.iter().filter(|v| v.len() >= 12 && v.contains('@')) {
        assert!(!message.contains(value), "a value leaks");
    }
}
