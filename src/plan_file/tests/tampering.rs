//! Any change to a file is refused: by its digest without the key, and completely with it.

use sha2::{Digest, Sha256};

use super::*;

/// Every `STEP`th byte is changed, each in another bit.
const STEP: usize = 5;

/// A plan of two people with one approval, as text.
fn approved() -> (tempfile::TempDir, std::path::PathBuf, String) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.plan");
    write_ids(&path, &users(2));
    let digest = *PlanFile::open(&path).unwrap().digest();
    let moment = moment("2026-11-23T10:00:00.123Z");
    PlanFile::approve(&path, &digest, &actor("ben"), &key(7), moment).unwrap();
    let text = std::fs::read_to_string(&path).unwrap();
    (folder, path, text)
}

/// All checks before anything is sent.
fn use_it(path: &Path) -> Result<Vec<String>, PlanFileError> {
    let plan = PlanFile::open(path)?;
    plan.check_approvals(&key(7))?;
    read_all(&plan, &key(7))
}

fn with_right_digest(text: &str) -> Option<String> {
    let start = text.find("{\"digest\":\"")?;
    let digest = PlanDigest::new(Sha256::digest(&text[..start]).into());
    let rest = text.get(start + 11 + 64..)?;
    Some(format!("{}{{\"digest\":\"{digest}{rest}", &text[..start]))
}

#[test]
fn a_byte_that_is_flipped_is_noticed() {
    let (_folder, path, text) = approved();
    assert_eq!(use_it(&path).unwrap(), users(2));
    let (mut tried, mut noticed_by_anybody) = (0, 0);
    for place in (0..text.len()).step_by(STEP) {
        let mut bytes = text.clone().into_bytes();
        bytes[place] ^= 1 << (place % 7);
        std::fs::write(&path, &bytes).unwrap();
        tried += 1;
        noticed_by_anybody += usize::from(PlanFile::open(&path).is_err());
        assert!(use_it(&path).is_err(), "byte {place} of {}", text.len());
    }
    // Without the key, only changes to names, times and codes of the approval go unnoticed.
    let approval = text.lines().last().unwrap().len();
    let others = (text.len() - approval) / STEP;
    assert!(
        noticed_by_anybody > others,
        "{noticed_by_anybody} of {tried}"
    );
}

#[test]
fn a_byte_that_is_flipped_is_noticed_where_the_digest_is_made_right_again() {
    let (_folder, path, text) = approved();
    let bare = text.rsplit_once("{\"approval\"").unwrap().0;
    std::fs::write(&path, bare).unwrap();
    assert_eq!(use_it(&path).unwrap(), users(2), "not approved, and whole");
    let end = bare.find("{\"digest\"").unwrap();
    for place in (0..end).step_by(STEP) {
        let mut bytes = bare.as_bytes().to_vec();
        bytes[place] ^= 1 << (place % 7);
        let Ok(changed) = String::from_utf8(bytes) else {
            continue;
        };
        let Some(changed) = with_right_digest(&changed) else {
            continue;
        };
        std::fs::write(&path, changed).unwrap();
        assert!(use_it(&path).is_err(), "byte {place} of {end}");
    }
}

#[test]
fn what_is_cut_off_is_refused_wherever_it_ends() {
    let (_folder, path, text) = approved();
    let whole_without_approval = text.rfind("{\"approval\"").unwrap();
    let ends = text
        .match_indices('\n')
        .flat_map(|(end, _)| [end, end + 1, end + 2]);
    let lengths = (0..text.len()).step_by(STEP).chain(ends);
    for length in lengths.filter(|length| *length < text.len()) {
        std::fs::write(&path, &text[..length]).unwrap();
        let is_refused = PlanFile::open(&path).is_err();
        assert_eq!(is_refused, length != whole_without_approval, "{length}");
    }
}

#[test]
fn lines_cannot_be_left_out_doubled_or_moved() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.plan");
    let ids: Vec<String> = (0..6_000)
        .map(|_| uuid::Uuid::new_v4().to_string())
        .collect();
    write_ids(&path, &ids);
    let text = std::fs::read_to_string(&path).unwrap();
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    let first = lines.iter().position(|line| line.starts_with('"')).unwrap();
    assert!(lines.len() - first > 3, "several chunks");
    let mut changed = Vec::new();
    for place in first..lines.len() - 1 {
        let mut one = lines.clone();
        one.remove(place);
        changed.push(one);
        let mut two = lines.clone();
        two.insert(place, lines[place]);
        changed.push(two);
        let mut swapped = lines.clone();
        swapped.swap(place, place - 1);
        changed.push(swapped);
    }
    for lines in changed {
        let text = lines.concat();
        for text in [Some(text.clone()), with_right_digest(&text)] {
            std::fs::write(&path, text.unwrap()).unwrap();
            assert!(use_it(&path).is_err());
        }
    }
}

#[test]
fn the_sealed_part_of_another_plan_does_not_fit() {
    let folder = tempfile::tempdir().unwrap();
    let (one, other) = (folder.path().join("1"), folder.path().join("2"));
    write_ids(&one, &users(2));
    write_ids(
        &other,
        &["user-0@x.test".to_owned(), "victim@x.test".to_owned()],
    );
    let [one_text, other_text] = [&one, &other].map(|path| std::fs::read_to_string(path).unwrap());
    let place = |text: &str| text.find("\n\"").unwrap() + 1;
    let mixed = format!(
        "{}{}",
        &one_text[..place(&one_text)],
        &other_text[place(&other_text)..]
    );
    std::fs::write(&one, with_right_digest(&mixed).unwrap()).unwrap();
    let error = use_it(&one).unwrap_err();
    assert!(matches!(error, PlanFileError::Damaged { .. }), "{error}");
}

#[test]
fn extra_lines_in_a_plan_are_refused() {
    let (_folder, path, text) = approved();
    let approval = text.lines().last().unwrap();
    for changed in [
        format!("{text}\n"),
        format!("{text}{{}}\n"),
        format!("{text}x"),
        format!("{text}\"AAAA\"\n"),
        format!("\n{text}"),
        text.replace('\n', "\r\n"),
        text.replace("\"user\":\"ben\"", "\"user\":\"b\\u0065n\""),
        text.replace("\"user\":\"ben\"", "\"user\": \"ben\""),
        text.replace("{\"approval\"", "\n{\"approval\""),
        format!("{text}{approval}"),
        format!("{text}{}", format!("{approval}\n").repeat(200)),
    ] {
        std::fs::write(&path, &changed).unwrap();
        assert!(PlanFile::open(&path).is_err(), "{}", changed.len());
    }
}

#[test]
fn the_readable_part_says_each_thing_once_and_nothing_unknown() {
    let (_folder, path, text) = approved();
    for (from, to) in [
        ("  \"ref\": \"T-1\",\n", ""),
        (
            "  \"ref\": \"T-1\",\n",
            "  \"ref\": \"T-1\",\n  \"ref\": \"T-1\",\n",
        ),
        (
            "  \"ref\": \"T-1\",\n",
            "  \"ref\": \"T-1\",\n  \"more\": 1,\n",
        ),
        ("\"disclosure\": null", "\"disclosure\": \"data\""),
        ("\"unique\": 2", "\"unique\": 3"),
        ("\"unique\": 2", "\"unique\": 0"),
        ("\"jobs\": 1", "\"jobs\": 2"),
        ("\"batch\": 500", "\"batch\": 0"),
        ("\"rate\": 1.0", "\"rate\": 0.0"),
        ("\"rate\": 1.0", "\"rate\": 1e300"),
        ("2026-12-21", "-9999-12-21"),
        ("2026-12-21", "+99999-12-21"),
        ("\"user\": \"anna\"", "\"user\": \" anna\""),
        ("\"user\": \"anna\"", "\"user\": \"an\\u001bna\""),
        ("\"name\": \"shop\"", "\"name\": \"sh op\""),
    ] {
        assert!(text.contains(from), "{from}");
        let changed = text.replacen(from, to, 1);
        std::fs::write(&path, with_right_digest(&changed).unwrap()).unwrap();
        let error = PlanFile::open(&path).unwrap_err();
        assert!(
            matches!(error, PlanFileError::Damaged { .. }),
            "{to}: {error}"
        );
    }
}
