//! Splits random archives in the shapes that Mixpanel documents, and counts on both sides.
//!
//! The archives and the expected result are made without any code of `src/packages`. Each record
//! has its own mark, which must turn up exactly once, with its owner or in `unassigned/`.
//!
//! `cargo test --test archives -- --ignored --nocapture` runs a thousand archives.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]
#![expect(clippy::print_stdout, reason = "the figures")]

mod chance;
mod counting;
mod packing;
mod people;
mod writing;

use std::ops::ControlFlow;
use std::path::Path;

use dsr::domain::{Disclosure, DistinctId, ProjectZone, RequestId, RetrievalScope, TaskId};
use dsr::packages::{ArchiveToSplit, Limits, PackageForm, Provenance, Review, split};
use sha2::{Digest, Sha256};

use chance::Chance;
use counting::{Found, look_through};
use people::{World, make_world};

#[derive(Debug, Default)]
struct Figures {
    archives: usize,
    people: usize,
    records: usize,
    of_people_asked_for: usize,
    of_others: usize,
    of_nobody: usize,
    taken_out: usize,
    names_listed: usize,
}

#[test]
fn every_record_of_sixty_random_archives_is_with_its_owner_and_nowhere_else() {
    check(0..60);
}

#[test]
#[ignore = "takes minutes: a thousand archives"]
fn every_record_of_a_thousand_random_archives_is_with_its_owner_and_nowhere_else() {
    check(0..1000);
}

fn check(seeds: std::ops::Range<u64>) {
    let mut figures = Figures::default();
    for seed in seeds {
        let world = make_world(&mut Chance::new(seed));
        let archive = packing::pack(&world, &mut Chance::new(!seed));
        check_one(seed, &world, &archive, &mut figures);
    }
    println!("{figures:#?}");
}

fn check_one(seed: u64, world: &World, archive: &[u8], figures: &mut Figures) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("export.zip");
    std::fs::write(&path, archive).unwrap();
    let (target, draft) = (folder.path().join("packages"), folder.path().join("draft"));
    let people: Vec<DistinctId> = world.asked.iter().map(|id| distinct_id(id)).collect();
    let about = about(world.scope, &path);
    let order = ArchiveToSplit {
        archive: &path,
        password: None,
        people: &people,
        elsewhere: &Vec::new,
        target: &target,
        draft: &draft,
        about: &about,
        form: PackageForm::Folders,
        limits: Limits::default(),
    };
    let report = split(&order, &mut |_| ControlFlow::Continue(())).unwrap();
    let is_draft = !target.exists();
    assert_eq!(is_draft, draft.exists(), "one of the two");
    let found = look_through(if is_draft { &draft } else { &target }, &world.asked);
    compare(seed, world, &found, figures);

    let is_unclear = world.is_unclear();
    assert_eq!(is_draft, is_unclear, "seed {seed}: {:?}", report.unassigned);
    for id in &world.asked {
        let says_none = found.pages[id].contains("delivered no data");
        let has_some = world
            .records
            .iter()
            .any(|record| record.owner.as_ref() == Some(id));
        let may_say_so = !has_some && !is_unclear && world.scope != categories();
        assert_eq!(says_none, may_say_so, "seed {seed}");
    }
}

fn compare(seed: u64, world: &World, found: &Found, figures: &mut Figures) {
    for record in &world.records {
        let places = found.places_of(&record.mark);
        let owner = record.owner.as_ref().filter(|id| world.asked.contains(id));
        let right = owner.map_or_else(|| vec![None], |id| vec![Some(id.clone())]);
        assert_eq!(places, right, "seed {seed}: {record:?}");
        match (&record.owner, owner) {
            (_, Some(_)) => figures.of_people_asked_for += 1,
            (Some(_), None) => figures.of_others += 1,
            (None, None) => figures.of_nobody += 1,
        }
        figures.taken_out += usize::from(record.is_inside);
    }
    assert_eq!(found.marks(), world.records.len(), "seed {seed}");
    for (id, page) in &found.pages {
        for name in &world.listed_names {
            let shown = page.contains(name);
            let belongs = world.scope == categories() && world.asked.len() == 1;
            assert_eq!(shown, belongs, "seed {seed}: {name} on the page of {id:?}");
            figures.names_listed += usize::from(shown);
        }
    }
    figures.archives += 1;
    figures.people += world.asked.len();
    figures.records += world.records.len();
}

fn categories() -> RetrievalScope {
    RetrievalScope::Ccpa(Disclosure::Categories)
}

fn distinct_id(id: &str) -> DistinctId {
    DistinctId::new(id)
        .or_else(|_| DistinctId::restore(id).ok_or(()))
        .unwrap()
}

fn about(scope: RetrievalScope, archive: &Path) -> Provenance {
    let digest = Sha256::digest(std::fs::read(archive).unwrap());
    let time = "2026-11-22T12:30:00Z".parse().unwrap();
    Provenance {
        scope,
        project: "shop".to_owned(),
        request: RequestId::restore("q7tz0xmab2cd3ef4".to_owned()),
        task: TaskId::new("task-1").unwrap(),
        fetched: time,
        made: time,
        sha256: digest.iter().map(|byte| format!("{byte:02x}")).collect(),
        zone: ProjectZone::default(),
        review: Review::Open,
        company: dsr::config::Company::default(),
        sandbox: false,
    }
}
