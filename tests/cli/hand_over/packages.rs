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
    assert_eq!(the_download(again.exits_with(2))["result"], "fetched");
    move_away(&old);
    let made = follow(&exports, &again);
    let found = the_download(made.exits_with(0))["packages"].clone();
    assert_eq!(
        (&found["result"], &found["form"]),
        (&"split".into(), &"zips".into())
    );
    assert_eq!(exports.store.calls().len(), 2, "not fetched a third time");
}
