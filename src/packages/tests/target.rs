//! Where the packages go: what must not be there, and who may read them.

use super::*;
use crate::packages::Summary;

fn bench() -> Bench {
    let text = [
        event("anna", "x", 1),
        event("=bob", "y", 2),
        "broken".to_owned(),
    ]
    .join("\n");
    let members = [
        ("events.json", &*text),
        ("people.json", ""),
        ("summary.json", NO_NAMES),
    ];
    Bench::of_members(&members, &["anna", "=bob", "nobody"])
}

#[test]
fn what_is_at_the_target_is_neither_followed_nor_overwritten() {
    type Put = fn(&Path);
    let puts: &[Put] = &[
        |path| std::fs::create_dir(path).unwrap(),
        |path| std::fs::write(path, "mine").unwrap(),
        #[cfg(unix)]
        |path| std::os::unix::fs::symlink("/nowhere", path).unwrap(),
    ];
    for put in puts {
        let bench = bench();
        put(&bench.target());
        let error = bench.try_split().expect_err("no packages");
        assert!(
            matches!(error, SplitError::TargetExists { .. }),
            "{error:?}"
        );
        let left = std::fs::read_dir(bench.folder.path()).unwrap().count();
        assert_eq!(left, 2, "nothing but the archive and what was there");
    }
}

#[test]
fn a_missing_parent_is_an_error_that_names_the_target() {
    let bench = bench();
    let target = bench.folder.path().join("missing/packages");
    let order = ArchiveToSplit {
        archive: &bench.folder.path().join("export.zip"),
        password: None,
        people: &bench.people,
        elsewhere: &Vec::new,
        target: &target,
        draft: &bench.draft,
        about: &bench.about,
        form: PackageForm::Folders,
        limits: Limits::default(),
    };
    let error = split(&order, &mut |_| ControlFlow::Continue(())).expect_err("no packages");
    assert!(
        matches!(&error, SplitError::Write { path, .. } if *path == target),
        "{error:?}"
    );
}

/// Runs in its own process, where the umask can be zero.
#[cfg(unix)]
#[test]
fn only_the_owner_may_read_anything_even_without_a_umask() {
    use std::os::unix::fs::PermissionsExt;
    const INSIDE: &str =
        "packages::tests::target::only_the_owner_may_read_anything_even_without_a_umask";
    if std::env::args().any(|argument| argument == "--include-ignored") {
        for form in [PackageForm::Folders, PackageForm::Zips] {
            let bench = Bench { form, ..bench() };
            bench.split();
            let mut folders = vec![bench.target()];
            while let Some(folder) = folders.pop() {
                let mode = |path: &Path| path.metadata().unwrap().permissions().mode() & 0o777;
                assert_eq!(mode(&folder), 0o700, "{}", folder.display());
                for entry in std::fs::read_dir(&folder).unwrap() {
                    let path = entry.unwrap().path();
                    match path.is_dir() {
                        true => folders.push(path),
                        false => assert_eq!(mode(&path), 0o600, "{}", path.display()),
                    }
                }
            }
        }
        return;
    }
    let status = std::process::Command::new("sh")
        .args([
            "-c",
            "umask 000; exec \"$0\" --include-ignored --exact \"$1\"",
        ])
        .arg(std::env::current_exe().unwrap())
        .arg(INSIDE)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&status.stdout).into_owned();
    assert!(
        status.status.success() && said.contains("1 passed"),
        "{said}"
    );
}

#[test]
fn the_index_tells_the_operator_who_is_where_and_no_spreadsheet_a_formula() {
    let bench = bench();
    let report = bench.split();
    let bytes = |id: &str| -> u64 {
        let files = files_below(&bench.package(id));
        files.values().map(|content| content.len() as u64).sum()
    };
    let index = std::fs::read_to_string(bench.target().join("index.csv")).unwrap();
    let expected = format!(
        "folder,distinct_id,events,profiles,other_records,categories,bytes\n\
         {},anna,1,0,0,0,{}\n{},'=bob,1,0,0,0,{}\n{},nobody,0,0,0,0,{}\n",
        name_of("anna"),
        bytes("anna"),
        name_of("=bob"),
        bytes("=bob"),
        name_of("nobody"),
        bytes("nobody"),
    );
    assert_eq!(index, expected);
    assert_eq!(report.packages[2].name, name_of("nobody"));
}

#[test]
fn nothing_of_the_ids_is_in_a_file_name() {
    let bench = bench();
    bench.split();
    for path in files_below(&bench.target()).keys() {
        let path = path.strip_prefix(bench.folder.path()).unwrap();
        let text = path.to_string_lossy();
        assert!(!text.contains("anna") && !text.contains("bob"), "{text}");
    }
}

#[test]
fn zips_hold_what_folders_hold_and_are_the_same_each_time() {
    let folders = bench();
    folders.split();
    let zips = Bench {
        form: PackageForm::Zips,
        ..bench()
    };
    zips.split();
    let again = Bench {
        form: PackageForm::Zips,
        ..bench()
    };
    again.split();
    for id in ["anna", "=bob", "nobody"] {
        let name = format!("{}.zip", name_of(id));
        let bytes = std::fs::read(zips.target().join(&name)).unwrap();
        assert_eq!(bytes, std::fs::read(again.target().join(&name)).unwrap());
        let mut zip = zip::ZipArchive::new(Cursor::new(bytes)).unwrap();
        let files = files_below(&folders.package(id));
        assert_eq!(zip.len(), files.len());
        for (path, content) in files {
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            let mut member = zip.by_name(&format!("your-data/{name}")).unwrap();
            let mut packed = Vec::new();
            std::io::Read::read_to_end(&mut member, &mut packed).unwrap();
            assert_eq!(packed, content, "{name}");
        }
        assert!(!zips.package(id).exists());
    }
}

#[test]
fn progress_runs_over_the_bytes_and_then_over_the_packages() {
    use crate::packages::SplitProgress;
    let bench = bench();
    let order = ArchiveToSplit {
        archive: &bench.folder.path().join("export.zip"),
        password: None,
        people: &bench.people,
        elsewhere: &Vec::new,
        target: &bench.target(),
        draft: &bench.draft,
        about: &bench.about,
        form: PackageForm::Folders,
        limits: Limits::default(),
    };
    let mut seen = Vec::new();
    let mut see = |progress| {
        seen.push(progress);
        ControlFlow::Continue(())
    };
    split(&order, &mut see).unwrap();
    let Some(SplitProgress::Reading { done, of }) = seen
        .iter()
        .rfind(|progress| matches!(progress, SplitProgress::Reading { .. }))
    else {
        panic!("{seen:?}");
    };
    assert_eq!(done, of);
    assert_eq!(
        seen.last(),
        Some(&SplitProgress::Writing { done: 3, of: 3 })
    );
}

#[test]
fn who_ends_it_at_any_time_gets_nothing() {
    use crate::packages::SplitProgress;
    let ends: [fn(SplitProgress) -> bool; 2] = [
        |progress| matches!(progress, SplitProgress::Reading { .. }),
        |progress| matches!(progress, SplitProgress::Writing { done: 2, .. }),
    ];
    for is_end in ends {
        let bench = bench();
        let target = bench.target();
        let archive = bench.folder.path().join("export.zip");
        let order = bench.order(&archive, &target);
        let mut end = |progress| match is_end(progress) {
            true => ControlFlow::Break(()),
            false => ControlFlow::Continue(()),
        };
        let error = split(&order, &mut end).expect_err("no packages");
        assert!(matches!(error, SplitError::Interrupted), "{error:?}");
        assert_eq!(
            std::fs::read_dir(bench.folder.path()).unwrap().count(),
            1,
            "the archive alone"
        );
    }
}

#[test]
fn packages_are_known_again_by_archive_and_form() {
    let bench = bench();
    let target = bench.target();
    let archive = bench.folder.path().join("export.zip");
    fn find<'o>(order: &ArchiveToSplit<'o>) -> Option<(&'o Path, Summary)> {
        find_summary(order, &mut |_| ControlFlow::Continue(())).unwrap()
    }
    assert_eq!(find(&bench.order(&archive, &target)), None);
    let report = bench.split();
    let (place, found) = find(&bench.order(&archive, &target)).expect("the same order");
    assert_eq!((place, &found), (&*bench.draft, &report.summary));
    assert_eq!(
        (found.packages, found.without_data, found.records),
        (3, 1, 2)
    );
    assert_eq!(found.unassigned.total(), 1);
    assert_eq!(found.told_of_no_data(), 0, "a part is unclear");

    let order = bench.order(&archive, &target);
    let zips = ArchiveToSplit {
        form: PackageForm::Zips,
        ..order
    };
    assert_eq!(find(&zips), None);
    let mut another = about(b"another archive");
    another.task = bench.about.task.clone();
    let order = bench.order(&archive, &target);
    assert_eq!(
        find(&ArchiveToSplit {
            about: &another,
            ..order
        }),
        None
    );
    let text = std::fs::read_to_string(place.join("packages.json")).unwrap();
    assert!(!text.contains("anna") && !text.contains("bob"), "{text}");
}
