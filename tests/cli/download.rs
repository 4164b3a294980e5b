//! `dsr download`: an archive is fetched whole or not at all, and the store gets no token.

use std::fs;
use std::io::{Cursor, Write};
use std::path::PathBuf;

use crate::support::{Call, Exports, Fake, Operator, Reply, Terminal, the_download};

/// The smallest file that counts as a zip: its first bytes, something, the end of its directory.
fn archive() -> String {
    let end = format!("PK\u{5}\u{6}{}", "\0".repeat(18));
    format!("PK\u{3}\u{4}{}{end}", "x".repeat(5000))
}

fn real_archive() -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    let options = zip::write::SimpleFileOptions::default();
    zip.start_file("events.json", options).expect("a member");
    zip.write_all(b"{}").expect("its bytes");
    zip.finish().expect("a zip").into_inner()
}

fn handing_out() -> Reply {
    Reply::text(200, "application/zip", &archive())
}

fn scene(script: impl Fn(&Call) -> Reply + Send + Sync + 'static) -> Exports {
    Exports::from(script)
}

fn scene_with(
    path: &str,
    status: &'static str,
    script: impl Fn(&Call) -> Reply + Send + Sync + 'static,
) -> Exports {
    Exports::with(&["a1"], path, status, "rate = 1000", script)
}

#[test]
fn a_finished_export_is_fetched_once_and_nothing_of_ours_goes_to_the_store() {
    let scene = scene(|_| handing_out());
    let outcome = scene.download(&["--json"]);
    outcome.exits_with(0).never_says("signature");
    let found = the_download(&outcome);
    assert_eq!(found["result"], "fetched");
    assert_eq!(found["bytes"], archive().len());
    let path = PathBuf::from(found["path"].as_str().unwrap());
    assert_eq!(fs::read(&path).unwrap(), archive().into_bytes());
    assert_eq!(scene.names().len(), 1, "no part is left");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode =
            |path: &std::path::Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&path), 0o600);
        assert_eq!(mode(path.parent().unwrap()), 0o700);
    }
    let call = &scene.store.calls()[0];
    assert_eq!(call.method, "GET");
    for name in ["Authorization", "Cookie", "Referer"] {
        assert_eq!(call.header(name), None);
    }
    let sums = scene.operator.ledger_texts("SELECT sha256 FROM downloads");
    assert_eq!(sums, [found["sha256"].as_str().unwrap()]);

    let asked = scene.api.gets().len();
    let again = scene.download(&["--json"]);
    again.exits_with(0);
    assert_eq!(the_download(&again)["result"], "already_fetched");
    assert_eq!(scene.store.calls().len(), 1);
    assert_eq!(scene.api.gets().len(), asked);
}

#[test]
fn an_expired_link_is_replaced_by_a_fresh_one_once() {
    let scene = scene(|call| match call.place {
        0 => Reply::text(403, "application/xml", "<Error/>"),
        _ => handing_out(),
    });
    let asked = scene.api.gets().len();
    scene.download(&[]).exits_with(0);
    assert_eq!(scene.api.gets().len(), asked + 2, "a link for each try");
    assert_eq!(scene.store.calls().len(), 2);
}

#[test]
fn a_link_that_never_works_is_said_and_leaves_nothing() {
    let scene = scene(|_| Reply::text(403, "application/xml", "<Error/>"));
    let outcome = scene.download(&[]);
    outcome.exits_with(7).never_says("signature");
    assert_eq!(scene.store.calls().len(), 2);
    assert!(scene.names().is_empty());
}

#[test]
fn what_is_no_link_is_said_and_not_tried_again() {
    for link in [
        "mixpanel.test/export.zip",
        "pending",
        "ftp://x.test/export.zip",
    ] {
        let scene = Exports::with(&["a1"], link, "SUCCESS", "rate = 1000", |_| Reply::Reset);
        let asked = scene.api.gets().len();
        let outcome = scene.download(&["--json"]);
        outcome
            .exits_with(7)
            .never_says(link)
            .never_says("try again");
        let found = the_download(&outcome);
        assert_eq!(found["result"], "no_link");
        let reason = found["reason"].as_str().unwrap();
        assert!(reason.contains("Mixpanel gave no usable link"), "{outcome}");
        let hint = outcome.failure()["hint"].as_str().unwrap().to_owned();
        assert!(hint.contains("dsr export"), "{hint}");
        assert_eq!(scene.api.gets().len(), asked + 1, "asked once");
        assert!(scene.names().is_empty());
    }
}

#[test]
fn what_is_no_archive_leaves_nothing() {
    let replies = [
        Reply::text(200, "text/html", "<html>Sign in</html>"),
        Reply::text(200, "application/zip", "<html>Sign in</html>"),
        Reply::text(200, "application/zip", "PK\u{3}\u{4} and no end"),
    ];
    // The end record is 22 bytes long, and the directory is before it.
    let cut = [1, 10, 18, 21, 22, 40].map(|bytes| {
        let whole = real_archive();
        crate::support::handing_out(&whole[..whole.len() - bytes], "")
    });
    for reply in replies.into_iter().chain(cut) {
        let scene = scene(move |_| reply.clone());
        let outcome = scene.download(&["--json"]);
        outcome.exits_with(75);
        assert_eq!(the_download(&outcome)["result"], "not_an_archive");
        assert!(scene.names().is_empty(), "{outcome}");
        let recorded = scene.operator.ledger_texts("SELECT sha256 FROM downloads");
        assert!(recorded.is_empty());
    }
}

#[test]
fn a_transfer_that_breaks_off_begins_anew_and_ends_whole() {
    let scene = scene(|call| match call.place {
        0 => Reply::Half {
            status: 200,
            body: archive()[..100].to_owned(),
        },
        1 => Reply::Reset,
        _ => handing_out(),
    });
    let outcome = scene.download(&["--json"]);
    outcome.exits_with(0);
    let path = the_download(&outcome)["path"].clone();
    let kept = fs::read(path.as_str().unwrap()).unwrap();
    assert_eq!(kept, archive().into_bytes());
}

#[test]
fn a_transfer_that_always_breaks_off_is_given_up_and_leaves_nothing() {
    let scene = scene(|_| Reply::Reset);
    let outcome = scene.download(&[]);
    outcome.exits_with(75).says("dsr download");
    assert_eq!(scene.store.calls().len(), 5);
    assert!(scene.names().is_empty());
}

#[test]
fn redirects_of_the_store_are_followed_three_times_and_only_where_a_link_may_lead() {
    let to_itself = |call: &Call, hops: usize| {
        let hop = call.path.strip_prefix("/hop-");
        let hop: usize = hop.map_or(0, |hop| hop.parse().expect("a number"));
        let next = format!("/hop-{}", hop + 1);
        match hop < hops {
            true => Reply::text(302, "text/plain", "").with("Location", &next),
            false => handing_out(),
        }
    };
    let three = scene(move |call| to_itself(call, 3));
    three.download(&[]).exits_with(0);
    let four = scene(move |call| to_itself(call, 4));
    four.download(&[]).exits_with(7);
    assert!(four.names().is_empty());
    let away = Reply::text(302, "text/plain", "").with("Location", "http://192.0.2.1/x.zip");
    let away = scene(move |_| away.clone());
    away.download(&[]).exits_with(7);
    let elsewhere = scene_with("http://192.0.2.1/x.zip", "SUCCESS", |_| handing_out());
    elsewhere.download(&[]).exits_with(7);
    elsewhere.store.was_not_called();
}

#[test]
fn what_is_there_already_is_neither_followed_nor_overwritten() {
    let scene = scene(|_| handing_out());
    let id = scene.operator.only_request()["jobs"][0]["id"].clone();
    let folder = scene.folder();
    fs::create_dir(&folder).unwrap();
    let target = folder.join(format!("{}.zip", id.as_str().unwrap()));
    let secret = scene.operator.dsr_home().join("mine");
    fs::write(&secret, "mine").unwrap();
    #[cfg(unix)]
    std::os::unix::fs::symlink(&secret, &target).unwrap();
    #[cfg(not(unix))]
    fs::write(&target, "mine").unwrap();
    let outcome = scene.download(&[]);
    outcome
        .exits_with(2)
        .says("did not overwrite it")
        .says("--to");
    assert_eq!(fs::read_to_string(&secret).unwrap(), "mine");
    scene.store.was_not_called();
}

#[test]
fn what_is_not_finished_and_what_is_no_export_is_said() {
    let scene = scene_with("/export.zip", "STARTED", |_| handing_out());
    let name = scene.operator.only_request()["id"].clone();
    let name = name.as_str().unwrap();
    let outcome = scene.download(&[name]);
    outcome.exits_with(8).says("dsr status");
    scene.store.was_not_called();

    let fake = Fake::start();
    let operator = Operator::at(&fake);
    operator
        .run(&["delete", "--gdpr", "--yes", "a1"])
        .exits_with(0);
    let name = operator.only_request()["id"].clone();
    let outcome = operator.run(&["download", name.as_str().unwrap()]);
    outcome.exits_with(2).says("deletion");
}

#[test]
fn a_rehearsal_fetches_what_the_sandbox_has_made() {
    let operator = Operator::new();
    operator
        .run(&["--sandbox", "export", "--gdpr", "user-17", "--wait"])
        .exits_with(0);
    let folder = operator.dsr_home().join("exports");
    let to = [
        "--sandbox",
        "download",
        "--json",
        "--to",
        folder.to_str().unwrap(),
    ];
    let outcome = operator.run(&to);
    outcome.exits_with(0);
    let path = the_download(&outcome)["path"].clone();
    let file = fs::File::open(path.as_str().unwrap()).unwrap();
    assert!(!zip::ZipArchive::new(file).unwrap().is_empty());
}

#[test]
fn a_terminal_sees_one_bar_that_counts_bytes() {
    let mut scene = scene(|_| {
        // Long enough for the bar to be drawn.
        std::thread::sleep(std::time::Duration::from_secs(1));
        handing_out()
    });
    scene.operator.set("TERM", "xterm");
    let download = scene.operator.command(&["download", "--to", "here"]);
    let (status, screen) = Terminal::start(download).ends();
    assert_eq!(status, 0, "{screen}");
    assert!(screen.contains("Fetching"), "{screen}");
    assert!(!screen.contains("Asking"), "two bars at once: {screen}");
    assert!(!screen.contains("0/0"), "{screen}");
}

#[test]
fn an_export_that_is_waited_for_can_be_fetched_as_soon_as_it_is_done() {
    let operator = Operator::new();
    // `--download` waits for the export.
    let export = ["--sandbox", "export", "--gdpr", "user-17"];
    let flags = ["--download", "exports", "--json"];
    let outcome = operator.run(&[&export[..], &flags].concat());
    outcome.exits_with(0);
    let lines = outcome.json_lines();
    let [.., downloads, last] = lines.as_slice() else {
        panic!("two lines at least\n{outcome}")
    };
    assert!(last["request"].is_object(), "the full one comes last");
    assert_eq!(last["request"]["unfetched"], serde_json::Value::Null);
    let found = &downloads["downloads"][0];
    assert_eq!(found["result"], "fetched");
    let path = PathBuf::from(found["path"].as_str().unwrap());
    assert_eq!(path.parent().unwrap(), operator.work().join("exports"));
    assert!(path.is_file());

    let delete = ["delete", "--gdpr", "user-18", "--wait", "--download", "x"];
    operator.run(&delete).exits_with(2).says("--download");
}

#[test]
fn what_cannot_be_fetched_after_the_wait_is_said_after_the_request_is_shown() {
    let scene = scene(|_| Reply::text(403, "application/xml", "<Error/>"));
    let wait = [
        "export",
        "--gdpr",
        "b1",
        "--wait",
        "--download",
        "x",
        "--json",
    ];
    let outcome = scene.operator.run(&wait);
    outcome.exits_with(7);
    assert_eq!(outcome.failure()["kind"], "no_link");
    let lines = outcome.json_lines();
    let state = &lines.last().unwrap()["request"]["state"];
    assert_eq!(state, "done", "{outcome}");

    // A file in the way of the folder is a local failure; the request is still shown.
    scene.operator.file("taken", "");
    let wait = ["export", "--gdpr", "c1", "--wait", "--download", "taken"];
    let outcome = scene.operator.run(&wait);
    outcome.exits_with(74);
    assert!(outcome.stdout.contains("SUCCESS"), "{outcome}");
}
