use std::path::Path;

use indexmap::IndexSet;
use proptest::prelude::*;

use super::spool::SpoolWriter;
use super::*;

const LABEL: &str = "`ids.csv`";

fn at(line: u64) -> Place<'static> {
    Place::on_line(LABEL, line)
}

/// Takes in ids like `intake::read`, with these limits for the search and for memory.
fn gather(
    excluded: &[String],
    asked: &[String],
    look_from: usize,
    in_memory: usize,
) -> (Counts, UniqueIds, Warnings) {
    let folder = tempfile::tempdir().unwrap();
    let mut spool = SpoolWriter::new(&folder.path().join("new"), in_memory);
    let mut gathering = Gathering::new(IdHasher::random());
    gathering.first_look = look_from;
    gathering.next_look = look_from;
    gathering.start_source(&"`hold.csv`".into());
    for (line, id) in (2..).zip(excluded) {
        gathering.take(at(line), id, None).unwrap();
        gathering.relieve();
    }
    gathering.end_excluded();
    gathering.start_source(&LABEL.into());
    for (line, id) in (2..).zip(asked) {
        gathering.take(at(line), id, None).unwrap();
        spool.put(id).unwrap();
        gathering.relieve();
    }
    let mut warnings = Warnings::default();
    let (counts, order) = gathering.finish(&mut warnings);
    let spool = spool.finish().unwrap();
    (
        counts,
        UniqueIds::new(spool, order, counts.unique),
        warnings,
    )
}

fn batches(ids: &UniqueIds, limit: usize) -> Vec<Vec<String>> {
    let batches = ids.batches(NonZeroUsize::new(limit).unwrap());
    let texts = |batch: IdLines| batch.ids().map(str::to_owned).collect();
    batches.map(|batch| texts(batch.unwrap())).collect()
}

fn numbers(numbers: impl IntoIterator<Item = usize>) -> Vec<String> {
    numbers.into_iter().map(|n| format!("user-{n}")).collect()
}

proptest! {
    #[test]
    fn each_id_is_in_exactly_one_batch_in_first_order_and_no_excluded_one_is(
        excluded in prop::collection::vec(0usize..60, 0..40),
        asked in prop::collection::vec(0usize..100, 1..300),
        look_from in 1usize..400,
        in_memory in 0usize..4000,
        limit in 1usize..120,
    ) {
        let (excluded, asked) = (numbers(excluded), numbers(asked));
        let (counts, ids, _) = gather(&excluded, &asked, look_from, in_memory);
        let spared = |id: &&String| excluded.contains(id);
        let all: IndexSet<&String> = asked.iter().collect();
        let wanted: Vec<_> = all.iter().copied().filter(|id| !spared(id)).cloned().collect();
        prop_assert_eq!(counts.read, asked.len());
        prop_assert_eq!(counts.unique, wanted.len());
        prop_assert_eq!(counts.excluded, all.len() - wanted.len());
        prop_assert_eq!(counts.duplicates(), asked.len() - all.len());
        prop_assert_eq!(ids.count(), wanted.len());
        for _ in 0..2 {
            let batches = batches(&ids, limit);
            prop_assert_eq!(batches.len(), wanted.len().div_ceil(limit));
            prop_assert!(batches.iter().all(|batch| (1..=limit).contains(&batch.len())));
            prop_assert_eq!(batches.concat(), wanted.clone());
        }
    }
}

#[test]
fn two_readings_by_turns_do_not_disturb_each_other() {
    let asked = numbers(0..50_000);
    let (_, ids, _) = gather(&[], &asked, usize::MAX, 1000);
    let limit = NonZeroUsize::new(7).unwrap();
    let mut other = ids.batches(limit);
    drop(other.next());
    for batch in ids.batches(limit) {
        let next = other.next().and_then(Result::ok);
        assert_ne!(Some(batch.unwrap()), next);
    }
    assert_eq!(batches(&ids, 7).concat(), asked);
}

#[test]
fn hashes_that_agree_in_nearly_all_bits_are_told_apart() {
    // All hashes share one part and one slot, and differ only in their last bits.
    let mut part = Bucket::default();
    let base = 0x1234_5678_9abc_def0_u128 << 64;
    for sequence in 0..3000 {
        let hash = base | u128::from(sequence % 2000);
        assert_eq!(part_of(hash), part_of(base));
        part.push(HashEntry { hash, sequence });
    }
    let mut marks = Marks::default();
    marks.grow(3000);
    part.settle(&mut HashTable::default(), &marks, 0);
    assert_eq!(part.len(), 2000);
    assert_eq!((marks.count(0, 2000), marks.count(2000, 3000)), (0, 1000));
    part.settle(&mut HashTable::default(), &marks, 0);
    assert_eq!(part.len(), 2000, "a second look finds nothing more");
}

#[test]
fn memory_follows_the_unique_ids_and_not_the_repeated_ones() {
    let mut gathering = Gathering::new(IdHasher::random());
    gathering.end_excluded();
    gathering.first_look = 2000;
    gathering.next_look = 2000;
    let mut most = 0;
    for round in 0..25 {
        for id in numbers(0..20_000) {
            gathering.take(at(2), &id, None).unwrap();
            gathering.relieve();
            most = most.max(gathering.entries);
        }
        assert!(most < 20_000 * 8 / 5, "{most} entries in round {round}");
    }
    let mut warnings = Warnings::default();
    let (counts, _) = gathering.finish(&mut warnings);
    assert_eq!((counts.read, counts.unique), (500_000, 20_000));
}

fn lines_warned_of(excluded: &[&str], asked: &[&str]) -> Vec<(String, Option<u64>)> {
    let texts = |ids: &[&str]| ids.iter().map(|id| (*id).to_owned()).collect::<Vec<_>>();
    let (_, _, warnings) = gather(&texts(excluded), &texts(asked), usize::MAX, 1000);
    let all: Vec<_> = warnings.iter().collect();
    assert!(all.len() <= 1, "{all:?}");
    assert!(!format!("{warnings:?}").contains("x.test"), "a value");
    let mut places = Vec::new();
    for warning in all {
        assert_eq!(warning.kind, WarningKind::CaseVariant);
        assert_eq!(warning.not_listed(), 0);
        places.extend(
            warning
                .places()
                .map(|(label, line)| (label.to_owned(), line)),
        );
    }
    places
}

#[test]
fn addresses_that_differ_in_case_are_kept_apart_and_warned_of() {
    let here = |lines: &[u64]| -> Vec<_> {
        lines
            .iter()
            .map(|line| (LABEL.to_owned(), Some(*line)))
            .collect()
    };
    let cases: [(&[&str], &[u64]); 6] = [
        (&["a@x.test", "A@x.test"], &[3]),
        (&["A@x.test", "b@x.test", "a@X.test", "b@x.test"], &[2, 4]),
        (&["Ü@x.test", "ü@x.test"], &[2]),
        // An exact repeat is only a duplicate.
        (&["A@x.test", "A@x.test"], &[]),
        (&["A@x.test", "b@x.test"], &[]),
        // Ids other than addresses are made by machines, so their case is no typing error.
        (&["User-A", "user-a"], &[]),
    ];
    for (asked, lines) in cases {
        assert_eq!(lines_warned_of(&[], asked), here(lines), "{asked:?}");
        let texts: Vec<String> = asked.iter().map(|id| (*id).to_owned()).collect();
        let distinct: IndexSet<&String> = texts.iter().collect();
        let (counts, ..) = gather(&[], &texts, usize::MAX, 0);
        assert_eq!(counts.unique, distinct.len(), "{asked:?}");
    }
}

#[test]
fn an_address_that_is_excluded_is_not_warned_of() {
    // `near` compares it with the requested ids, and stops.
    assert_eq!(lines_warned_of(&["x", "A@x.test"], &["a@x.test"]), []);
    assert_eq!(lines_warned_of(&["A@x.test"], &["A@x.test", "b"]), []);
    assert_eq!(lines_warned_of(&["A@x.test", "a@x.test"], &["b"]), []);
}

#[test]
fn ids_that_cannot_be_read_back_are_an_error_and_end_the_batches() {
    let mut spool = SpoolWriter::new(Path::new("/nowhere"), 1000);
    spool.put("a").unwrap();
    let order = Selection {
        left_out: Marks::default(),
        first: 0,
        end: 3,
    };
    let mut marked = order;
    marked.left_out.grow(3);
    let ids = UniqueIds::new(spool.finish().unwrap(), marked, 3);
    let mut batches = ids.batches(NonZeroUsize::new(2).unwrap());
    assert!(matches!(batches.next(), Some(Err(IntakeError::Spool(_)))));
    assert!(batches.next().is_none());
}
