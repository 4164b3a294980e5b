//! `dsr download --split`: each person's data in that person's package, whatever the archive is.

use std::collections::BTreeMap;
use std::fs;
use std::io::{Cursor, Write};
use std::path::{Path, PathBuf};

use serde_json::Value;
use zip::ZipWriter;
use zip::unstable::write::FileOptionsExt;
use zip::write::{FileOptions, SimpleFileOptions};

use crate::support::{
    Exports, Operator, Outcome, Reply, handing_out, package_of, signal, the_download,
};

mod doubt;
mod listed;
mod pages;

const SECRET: &str = "apiSECRET5d0c7a";

fn event(id: &str, name: &str) -> String {
    format!(r#"{{"event":"{name}","properties":{{"distinct_id":"{id}","time":1770000000}}}}"#)
}

fn zip_of(options: FileOptions<'_, '_, ()>, members: &[(&str, &str)]) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, text) in members {
        zip.start_file(*name, options).expect("a member");
        zip.write_all(text.as_bytes()).expect("its bytes");
    }
    zip.finish().expect("a zip").into_inner()
}

fn plain(members: &[(&str, &str)]) -> Vec<u8> {
    zip_of(SimpleFileOptions::default(), members)
}

/// The documented members of an export of these events.
fn members(events: &str) -> [(&str, &str); 3] {
    let summary = r#"{"event_names":{},"event_column_names":{},"profile_column_names":{}}"#;
    [
        ("events.json", events),
        ("people.json", ""),
        ("summary.json", summary),
    ]
}

fn whole(events: &str) -> Vec<u8> {
    plain(&members(events))
}

/// Two people's events, and one of somebody else.
fn events() -> String {
    let lines = [
        event("anna", "seen by anna"),
        event("bob", "seen by bob"),
        event("carl", "seen by carl"),
        event("anna", "again anna"),
    ];
    lines.join("\n")
}

fn exports(archive: Vec<u8>) -> Exports {
    Exports::of(&["anna", "bob", "nora"], move |_| handing_out(&archive, ""))
}

fn packages(outcome: &Outcome) -> Value {
    the_download(outcome)["packages"].clone()
}

/// The folder of the packages in the result of a run with `--json`.
fn folder_of(outcome: &Outcome) -> PathBuf {
    let packages = packages(outcome);
    PathBuf::from(packages["path"].as_str().expect("a path"))
}

fn files(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        match path.is_dir() {
            true => found.extend(files(&path)),
            false => {
                found.insert(path.clone(), fs::read(&path).expect("a file"));
            }
        }
    }
    found
}

fn contains(bytes: &[u8], text: &str) -> bool {
    bytes
        .windows(text.len())
        .any(|window| window == text.as_bytes())
}

#[test]
fn each_person_gets_a_package_with_nothing_of_another_person() {
    let exports = exports(whole(&events()));
    let outcome = exports.download(&["--split", "--json"]);
    outcome.exits_with(0);
    for id in ["anna", "bob", "nora", "carl"] {
        outcome.never_says(id);
    }
    let found = packages(&outcome);
    assert_eq!(found["result"], "split");
    assert_eq!((&found["count"], &found["records"]), (&3.into(), &3.into()));
    assert_eq!(
        (&found["without_data"], &found["unassigned"]),
        (&1.into(), &1.into())
    );
    let archive = PathBuf::from(the_download(&outcome)["path"].as_str().unwrap());
    let folder = folder_of(&outcome);
    assert_eq!(folder.parent(), archive.parent(), "beside the archive");

    let of = |id: &str| files(&folder.join(package_of(id)));
    for (id, others) in [("anna", ["bob", "carl"]), ("bob", ["anna", "carl"])] {
        let package = of(id);
        for name in ["index.html", "events.jsonl", "manifest.json"] {
            assert!(
                package.contains_key(&folder.join(package_of(id)).join(name)),
                "{name}"
            );
        }
        for (path, bytes) in &package {
            for other in others {
                assert!(!contains(bytes, other), "{other} in {}", path.display());
            }
        }
    }
    let lines = |id: &str| fs::read_to_string(folder.join(package_of(id)).join("events.jsonl"));
    assert_eq!(lines("anna").unwrap().lines().count(), 2);
    assert_eq!(lines("bob").unwrap(), event("bob", "seen by bob") + "\n");
    assert!(lines("nora").is_err(), "there is nothing");
    let left = fs::read_to_string(folder.join("unassigned/not-asked-for.jsonl")).unwrap();
    assert_eq!(left, event("carl", "seen by carl") + "\n");
    #[cfg(unix)]
    for path in files(&folder).keys() {
        use std::os::unix::fs::PermissionsExt;
        let mode = |path: &Path| path.metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(path), mode(path.parent().unwrap())), (0o600, 0o700));
    }
}

#[test]
fn what_is_split_already_is_not_split_again_and_needs_no_network_and_no_token() {
    let exports = exports(whole(&events()));
    // One command fetches, a later one splits.
    exports.download(&[]).exits_with(0);
    let calls = (exports.api.calls().len(), exports.store.calls().len());
    let Exports {
        operator,
        api,
        store,
    } = exports;
    let operator = operator.without("DSR_TOKEN");
    let first = operator.run(&["download", "--split", "--json"]);
    first.exits_with(0);
    assert_eq!(packages(&first)["result"], "split");
    let before = files(&folder_of(&first));

    let again = operator.run(&["download", "--split", "--json"]);
    again.exits_with(0);
    assert_eq!(packages(&again)["result"], "already_split");
    assert_eq!(packages(&again)["records"], 3);
    assert_eq!(files(&folder_of(&again)), before, "not a byte is changed");
    assert_eq!((api.calls().len(), store.calls().len()), calls);
}

#[test]
fn packages_in_the_other_form_get_a_folder_of_their_own_and_are_made_once() {
    let exports = exports(whole(&events()));
    let folders = exports.download(&["--split", "--json"]);
    let before = files(&folder_of(folders.exits_with(0)));
    let zips = exports.download(&["--split", "--zip", "--json"]);
    assert_eq!(packages(zips.exits_with(0))["result"], "split");
    let name = folder_of(&zips).display().to_string();
    assert!(name.ends_with("-1-zips-packages"), "{name}");
    let zip = folder_of(&zips).join(format!("{}.zip", package_of("anna")));
    assert!(zip.exists(), "{zips}");
    let made = files(&folder_of(&zips));

    for (args, folder, bytes) in [
        (&["--split", "--json"][..], folder_of(&folders), &before),
        (&["--split", "--zip", "--json"], folder_of(&zips), &made),
    ] {
        let again = exports.download(args);
        assert_eq!(packages(again.exits_with(0))["result"], "already_split");
        assert_eq!(folder_of(&again), folder);
        assert_eq!(files(&folder), *bytes, "not a byte is changed");
    }
    let parent = folder_of(&zips);
    let beside = fs::read_dir(parent.parent().unwrap()).unwrap().count();
    assert_eq!(beside, 3, "the archive and both forms");
    assert_eq!(exports.store.calls().len(), 1, "fetched once");
}

#[test]
fn what_is_no_package_of_this_archive_is_in_the_way() {
    let exports = exports(whole(&events()));
    let fetched = exports.download(&["--json"]);
    let archive = the_download(&fetched)["path"].clone();
    let archive = archive.as_str().unwrap();
    let target = archive.replace(".zip", "-packages");
    fs::create_dir(&target).unwrap();
    fs::write(Path::new(&target).join("mine"), "mine").unwrap();
    let zips = exports.download(&["--split", "--zip", "--json"]);
    assert_eq!(zips.exits_with(2).failure()["kind"], "exists");
    assert_eq!(files(Path::new(&target)).len(), 1);
}

#[test]
fn a_package_can_be_a_zip() {
    let exports = exports(whole(&events()));
    let outcome = exports.download(&["--split", "--zip", "--json"]);
    outcome.exits_with(0);
    assert_eq!(packages(&outcome)["form"], "zips");
    let path = folder_of(&outcome).join(format!("{}.zip", package_of("anna")));
    let mut zip = zip::ZipArchive::new(fs::File::open(path).unwrap()).unwrap();
    let text = std::io::read_to_string(zip.by_name("your-data/events.jsonl").unwrap()).unwrap();
    assert_eq!(text.lines().count(), 2);
}

#[test]
fn the_projects_secret_opens_what_is_locked() {
    let zip_crypto = SimpleFileOptions::default()
        .with_deprecated_encryption(SECRET.as_bytes())
        .unwrap();
    let aes = SimpleFileOptions::default().with_aes_encryption(zip::AesMode::Aes256, SECRET);
    for options in [zip_crypto, aes] {
        let mut exports = exports(zip_of(options, &members(&events())));
        let none = exports.download(&["--split", "--json"]);
        none.exits_with(4);
        let failure = none.failure();
        assert_eq!(failure["kind"], "api_secret");
        assert!(
            failure["hint"]
                .as_str()
                .unwrap()
                .contains("DSR_PROJECT_SECRET_FILE"),
            "{none}"
        );
        assert_eq!(
            the_download(&none)["result"],
            "fetched",
            "that much was done"
        );
        assert_eq!(packages(&none)["result"], "not_split");
        assert_eq!(exports.names().len(), 1, "the archive alone");

        let path = exports.operator.private_file("secret", "another secret\n");
        exports.operator.set("DSR_PROJECT_SECRET_FILE", &path);
        let wrong = exports.download(&["--split"]);
        wrong.exits_with(4).says("dsr project secret shop");
        assert_eq!(exports.names().len(), 1, "the archive alone");

        fs::write(&path, format!("{SECRET}\n")).unwrap();
        let opened = exports.download(&["--split", "--json"]);
        opened.exits_with(0);
        assert_eq!(packages(&opened)["records"], 3);
        assert_eq!(exports.store.calls().len(), 1, "fetched once for all three");
        for outcome in [&none, &wrong, &opened] {
            outcome.never_says(SECRET).never_says("another secret");
        }
        for (path, bytes) in exports.operator.files() {
            assert!(!contains(&bytes, SECRET), "{}", path.display());
        }
        fs::remove_file(&path).unwrap();
        fs::remove_dir_all(folder_of(&opened)).unwrap();
        let missing = exports.download(&["--split"]);
        missing.exits_with(4).says("DSR_PROJECT_SECRET_FILE");
    }
}

#[test]
fn an_archive_that_is_gone_or_another_one_is_fetched_again_on_the_operators_word() {
    let exports = exports(whole(&events()));
    let fetched = exports.download(&["--json"]);
    let found = the_download(&fetched);
    let name = found["request_id"].as_str().unwrap();
    let path = PathBuf::from(found["path"].as_str().unwrap());

    let mut changed = fs::read(&path).unwrap();
    changed.extend(b" ");
    fs::write(&path, changed).unwrap();
    let outcome = exports.download(&["--split"]);
    outcome.exits_with(74).says("--again");
    fs::remove_file(&path).unwrap();
    let outcome = exports.download(&[name, "--split"]);
    outcome.exits_with(74).says("--again");
    assert!(exports.names().is_empty());
    assert_eq!(exports.store.calls().len(), 1);

    let again = exports.download(&[name, "--again", "--split", "--json"]);
    again.exits_with(0);
    assert_eq!(the_download(&again)["result"], "fetched");
    assert_eq!(exports.store.calls().len(), 2);
    // dsr neither fetches nor overwrites an unchanged archive, even with `--again`.
    let there = exports.download(&[name, "--again", "--json"]);
    assert_eq!(
        the_download(there.exits_with(0))["result"],
        "already_fetched"
    );
    fs::write(&path, "mine").unwrap();
    exports
        .download(&[name, "--again"])
        .exits_with(2)
        .says("did not overwrite");
    assert_eq!(exports.store.calls().len(), 2);
}

/// "Fetched before" is about the file as it is now.
#[test]
fn an_archive_that_is_not_as_it_was_fetched_is_said_to_be_so_and_the_packages_stay() {
    let exports = exports(whole(&events()));
    let split = exports.download(&["--split", "--json"]);
    let found = the_download(split.exits_with(0));
    let path = PathBuf::from(found["path"].as_str().unwrap());
    let packages = files(&folder_of(&split));
    let bytes = fs::read(&path).unwrap();
    let mut same_length = bytes.clone();
    same_length[40] ^= 1;

    let request = exports.operator.only_request()["id"].clone();
    let name = request.as_str().expect("an id");

    for (now, result, word) in [
        (None, "gone", "the file is gone"),
        (Some(same_length), "changed", "the file has changed"),
        (
            Some([&bytes[..], b"x"].concat()),
            "changed",
            "the file has changed",
        ),
    ] {
        match &now {
            Some(bytes) => fs::write(&path, bytes).unwrap(),
            None => fs::remove_file(&path).unwrap(),
        }
        for flags in [&[][..], &["--split"]] {
            let said = exports.download(&[&[name], flags].concat());
            said.exits_with(74).says("--again");
            let words = said.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
            assert!(words.contains(word), "{said}");
            assert_eq!(words.contains("split before"), !flags.is_empty(), "{said}");
            let json = exports.download(&[&[name, "--json"], flags].concat());
            assert_eq!(the_download(json.exits_with(74))["result"], result);
            assert_eq!(json.failure()["kind"], "local_io");
            // Without a name, a missing archive may have been handed over and removed.
            let status = if result == "gone" { 0 } else { 74 };
            let all = exports.download(&[flags, &["--json"]].concat());
            assert_eq!(the_download(all.exits_with(status))["result"], result);
        }
        assert_eq!(files(&folder_of(&split)), packages, "not a byte is changed");
    }
    fs::write(&path, &bytes).unwrap();
    let back = exports.download(&["--split", "--json"]);
    assert_eq!(
        the_download(back.exits_with(0))["result"],
        "already_fetched"
    );
    assert_eq!(exports.store.calls().len(), 1, "nothing is fetched unasked");
}

#[test]
fn every_job_is_split_and_one_that_cannot_be_keeps_no_other_from_it() {
    let good = whole(&events());
    let exports = Exports::with(
        &["anna", "bob"],
        "/export.zip",
        "SUCCESS",
        "rate = 1000\nexport_batch = 1",
        move |call| match call.place {
            0 => handing_out(&plain(&[("../up", "x")]), ""),
            _ => handing_out(&good, ""),
        },
    );
    let outcome = exports.download(&["--split", "--json"]);
    outcome.exits_with(5);
    let downloads = outcome.json_lines()[0]["downloads"].clone();
    assert_eq!(downloads[0]["packages"]["result"], "not_split");
    assert_eq!(downloads[1]["packages"]["result"], "split");
    assert_eq!(downloads[1]["packages"]["count"], 1, "of this job's people");
    assert_eq!(downloads[1]["packages"]["unassigned"], 3);
}

#[test]
fn who_interrupts_it_is_left_with_the_archive_alone() {
    let line = event("anna", "seen") + "\n";
    let many = line.repeat(400_000);
    let exports = exports(whole(&many));
    exports.download(&[]).exits_with(0);
    let running = exports.operator.start(&["download", "--split"]);
    let folder = exports.folder();
    // The run has begun when its folder is there.
    let begun = std::time::Instant::now();
    while fs::read_dir(&folder).unwrap().count() < 2 {
        assert!(begun.elapsed().as_secs() < 30, "it never begins");
        std::thread::sleep(std::time::Duration::from_millis(2));
    }
    signal(&running.id().to_string(), "INT");
    let outcome = running.end();
    outcome.exits_with(130).says("interrupted");
    assert_eq!(exports.names().len(), 1, "{outcome}");
}

#[test]
fn a_disk_that_is_full_leaves_no_package() {
    let line = event("anna", "seen") + "\n";
    let exports = exports(whole(&line.repeat(40_000)));
    exports.download(&[]).exits_with(0);
    let setup = "ulimit -f 1000";
    let args = ["download", "--split", "--json"];
    let command = exports.operator.command_after(setup, &args);
    let outcome = crate::support::Running::start(command, "").end();
    outcome.exits_with(74);
    assert_eq!(outcome.failure()["kind"], "local_io");
    assert_eq!(exports.names().len(), 1, "{outcome}");
}

#[test]
fn another_compression_than_deflate_is_named() {
    let deflated = SimpleFileOptions::default();
    for (method, name) in [
        (9, "Deflate64"),
        (12, "BZIP2"),
        (14, "LZMA"),
        (93, "Zstandard"),
        (98, "PPMd"),
        (77, "another compression"),
    ] {
        let mut archive = zip_of(deflated, &[("events.json", &events())]);
        // The method is in the member's own header and in the archive's directory.
        for (signature, offset) in [(b"PK\x03\x04", 8), (b"PK\x01\x02", 10)] {
            let found = archive.windows(4).position(|part| part == signature);
            archive[found.expect("a head") + offset] = method;
        }
        let exports = exports(archive);
        let outcome = exports.download(&["--split"]);
        outcome.exits_with(5).says(name).says("7z x");
    }
}

/// A report needs only the ledger: the trail has what was made.
#[test]
fn the_report_says_what_was_made_also_when_the_packages_are_gone() {
    let exports = exports(whole(&events()));
    let split = exports.download(&["--split", "--json"]);
    let report = || {
        let outcome = exports.operator.run(&["report", "--json"]);
        let id = outcome.json()["report"]["evidence"]["requests"][0]["id"].clone();
        let id = id.as_str().expect("an id").to_owned();
        let outcome = exports.operator.run(&["report", &id, "--json"]);
        outcome.exits_with(0).json()["report"].clone()
    };
    let before = report();
    let made = &before["evidence"]["jobs"][0]["download"]["packages"];
    for (key, value) in [("packages", 3), ("without_data", 1), ("records", 3)] {
        assert_eq!(made[key], value, "{key}: {made}");
    }
    fs::remove_dir_all(folder_of(&split)).expect("they can go");
    assert_eq!(report()["digest"], before["digest"]);
}
