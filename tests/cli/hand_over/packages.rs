use super::*;

#[test]
fn packages_that_are_not_all_there_as_they_were_made_are_not_vouched_for() {
    type Harm = fn(&Path);
    let in_folders: &[Harm] = &[
        |folder| fs::remove_dir_all(folder.join(package_of("anna"))).unwrap(),
        |folder| fs::remove_file(folder.join(package_of("anna")).join("index.html")).unwrap(),
        |folder| fs::remove_file(folder.join(package_of("anna")).join("manifest.json")).unwrap(),
        |folder| {
            let path = folder.join(package_of("anna")).join("events.jsonl");
            let text = fs::read_to_string(&path).unwrap() + "{\"event\":\"more\"}\n";
            fs::write(&path, text).unwrap();
        },
        |folder| {
            // Consistent in itself, but not what was made.
            let path = folder.join(package_of("anna")).join("manifest.json");
            let text = fs::read_to_string(&path).unwrap();
            fs::write(&path, text + "\n").unwrap();
        },
    ];
    let in_zips: &[Harm] = &[
        |folder| fs::remove_file(folder.join(package_of("anna") + ".zip")).unwrap(),
        |folder| fs::write(folder.join(package_of("anna") + ".zip"), "mine").unwrap(),
        |folder| {
            let of = |id: &str| folder.join(package_of(id) + ".zip");
            fs::copy(of("bob"), of("anna")).map(drop).unwrap();
        },
        |folder| {
            // Readers that go from the beginning unpack another person's.
            let of = |id: &str| folder.join(package_of(id) + ".zip");
            let both = [fs::read(of("bob")).unwrap(), fs::read(of("anna")).unwrap()];
            fs::write(of("anna"), both.concat()).unwrap();
        },
        |folder| {
            let zip = folder.join(package_of("anna") + ".zip");
            fs::write(&zip, [&fs::read(&zip).unwrap()[..], b"x"].concat()).unwrap();
        },
        |folder| {
            // The time in the local header.
            let zip = folder.join(package_of("anna") + ".zip");
            let mut bytes = fs::read(&zip).unwrap();
            bytes[10] ^= 1;
            fs::write(&zip, bytes).unwrap();
        },
    ];
    let exports = exports(archive());
    let request = request_of(&exports);
    for (flags, harms) in [
        (&["--split", "--json"][..], in_folders),
        (&["--split", "--zip", "--json"], in_zips),
    ] {
        let args = [&[&*request], flags].concat();
        for (place, harm) in harms.iter().enumerate() {
            let folder = packages_of(exports.download(&args).exits_with(0));
            harm(&folder);
            let said = exports.download(&args);
            said.exits_with(74).never_says("already_split");
            said.says(&package_of("anna"))
                .never_says("anna")
                .says(&folder.display().to_string());
            assert_eq!(the_download(&said)["packages"]["result"], "not_split");
            // The command in the hint makes whole packages.
            move_away(&folder);
            let made = follow(&exports, &said);
            let found = the_download(made.exits_with(0))["packages"].clone();
            assert_eq!(found["result"], "split", "{place}");
            fs::remove_dir_all(folder.with_extension("moved")).unwrap();
            fs::remove_dir_all(packages_of(&made)).unwrap();
        }
    }
}

#[test]
fn packages_of_another_request_are_in_the_way() {
    let exports = exports(archive());
    let first = request_of(&exports);
    let split = exports.download(&[&first, "--split", "--json"]);
    let made = packages_of(split.exits_with(0));
    let again = ["export", "--gdpr", "--id", "anna", "--id", "bob", "--json"];
    let second = exports.operator.run(&again);
    let second = second.exits_with(0).request()["id"].clone();
    let second = second.as_str().unwrap();
    exports.operator.run(&["status"]).exits_with(0);
    let fetched = exports.download(&[second, "--json"]);
    let target = path_of(fetched.exits_with(0)).display().to_string();
    let target = PathBuf::from(target.replace(".zip", "-packages"));
    fs::rename(&made, &target).unwrap();
    let said = exports.download(&[second, "--split", "--json"]);
    assert_eq!(said.exits_with(2).failure()["kind"], "exists");
    move_away(&target);
    follow(&exports, &said).exits_with(0);
}

#[test]
fn one_that_splits_into_folders_and_one_into_zips_at_once_both_get_theirs() {
    let exports = exports(archive());
    let request = request_of(&exports);
    exports.download(&[&request]).exits_with(0);
    let folder = exports.folder().display().to_string();
    let args = ["download", &request, "--to", &folder, "--split", "--json"];
    let zips = [&args[..], &["--zip"]].concat();
    let runs = [exports.operator.start(&args), exports.operator.start(&zips)];
    let places = runs.map(|run| packages_of(run.end().exits_with(0)));
    assert_ne!(places[0], places[1]);
}

#[test]
fn an_archive_that_differs_from_before_is_split_once_its_old_packages_are_moved() {
    let (first, second) = (
        archive(),
        archive_of(&[(
            "events.jsonl",
            &[event("anna", "z"), event("bob", "z")].join("\n"),
        )]),
    );
    let exports = Exports::of(&["anna", "bob"], move |call| match call.place {
        0 => handing_out(&first, ""),
        _ => handing_out(&second, ""),
    });
    let request = request_of(&exports);
    let split = exports.download(&[&request, "--split", "--zip", "--json"]);
    let old = packages_of(split.exits_with(0));
    fs::remove_file(path_of(&split)).unwrap();
    let again = exports.download(&[&request, "--again", "--split", "--zip", "--json"]);
    let found = the_download(again.exits_with(2));
    assert_eq!(found["result"], "fetched");
    let before = the_download(&split)["sha256"].clone();
    assert_ne!(found["sha256"], before);
    assert_eq!(found["replaces_sha256"], before, "{again}");
    let warnings = again.json_lines()[0]["warnings"].clone();
    let kinds = warnings.as_array().unwrap().iter();
    assert!(kinds.clone().any(|one| one["kind"] == "other_archive"));
    move_away(&old);
    let made = follow(&exports, &again);
    let found = the_download(made.exits_with(0))["packages"].clone();
    assert_eq!(
        (&found["result"], &found["form"]),
        (&"split".into(), &"zips".into())
    );
    assert_eq!(exports.store.calls().len(), 2, "not fetched a third time");
}

/// The index says whose each package is, and a stray file could be sent with a package.
#[test]
fn every_file_beside_the_packages_and_every_stray_one_counts() {
    type Harm = fn(&Path);
    let harms: &[(Harm, &str)] = &[
        (
            |folder| fs::write(folder.join("index.csv"), "mine").unwrap(),
            "1 changed (index.csv)",
        ),
        (
            |folder| fs::remove_file(folder.join("index.csv")).unwrap(),
            "1 missing (index.csv)",
        ),
        (
            |folder| fs::remove_file(folder.join("packages.json")).unwrap(),
            "1 missing (packages.json)",
        ),
        (
            |folder| fs::remove_dir_all(folder.join("unassigned")).unwrap(),
            "1 missing (unassigned/report.json)",
        ),
        (
            |folder| {
                let of = |id: &str| folder.join(package_of(id));
                let (from, to) = (of("bob").join("events.jsonl"), of("anna"));
                fs::copy(from, to.join("events (1).jsonl")).unwrap();
            },
            "/events (1).jsonl)",
        ),
        (
            |folder| {
                fs::create_dir(folder.join("0000")).unwrap();
                fs::write(folder.join("0000/index.html"), "mine").unwrap();
            },
            "1 not made by dsr (0000/index.html)",
        ),
        (
            |folder| {
                // All checksums in the folder agree, but the ledger knows another one.
                let path = folder.join(package_of("anna")).join("events.jsonl");
                let old = sha256(&fs::read(&path).unwrap());
                fs::write(&path, "mine").unwrap();
                let list = folder.join("packages.json");
                let text = fs::read_to_string(&list).unwrap();
                assert!(text.contains(&old));
                fs::write(&list, text.replace(&old, &sha256(b"mine"))).unwrap();
            },
            "1 changed (packages.json)",
        ),
    ];
    let exports = exports(archive());
    let request = request_of(&exports);
    let args = [&*request, "--split", "--json"];
    for (harm, words) in harms {
        let folder = packages_of(exports.download(&args).exits_with(0));
        harm(&folder);
        for args in [&args[..], &args[1..]] {
            let said = exports.download(args);
            said.exits_with(74).says(words).never_says("anna");
        }
        let said = exports.download(&args);
        move_away(&folder);
        let made = follow(&exports, &said);
        let made = packages_of(made.exits_with(0));
        fs::remove_dir_all(folder.with_extension("moved")).unwrap();
        fs::remove_dir_all(made).unwrap();
    }
}

fn sha256(bytes: &[u8]) -> String {
    use sha2::Digest;
    let digest = sha2::Sha256::digest(bytes);
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A dsr that died before it could record its packages has no entry of them.
#[test]
fn packages_that_the_ledger_does_not_know_yet_are_recorded_when_they_are_found() {
    let exports = exports(archive());
    exports.download(&["--split"]).exits_with(0);
    let count = "SELECT CAST(COUNT(*) AS TEXT) FROM audit WHERE event = 'packages_made'";
    exports
        .operator
        .change_trail("UPDATE audit SET event = 'unheard_of' WHERE event = 'packages_made'");
    assert_eq!(exports.operator.ledger_texts(count), ["0"]);
    for _ in 0..2 {
        exports.download(&["--split"]).exits_with(0);
        assert_eq!(exports.operator.ledger_texts(count), ["1"]);
    }
}

#[test]
fn packages_made_with_another_setting_say_which() {
    let exports = exports(archive());
    let request = request_of(&exports);
    let args = [&*request, "--split", "--json"];
    let folder = packages_of(exports.download(&args).exits_with(0));
    let config = exports.operator.dsr_home().join("config.toml");
    let before = fs::read_to_string(&config).unwrap();
    for (with, words) in [
        (
            format!("{before}\ntime_zone = \"Europe/Berlin\"\n"),
            "another `time_zone`",
        ),
        (
            format!("{before}\n[company]\nname = \"Shop\"\n"),
            "another `[company]` table",
        ),
    ] {
        fs::write(&config, with).unwrap();
        let said = exports.download(&args);
        assert_eq!(said.exits_with(2).failure()["kind"], "exists");
        said.says(words).says(&folder.display().to_string());
    }
}
