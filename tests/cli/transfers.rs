//! Transfers that break off between `dsr download` and the store, on the wire.

use std::fs;
use std::io::{Cursor, Write};

use crate::support::{Call, Exports, Reply, Running, handing_out, the_download};

const TAG: &str = "ETag: \"one\"\r\n";

/// A real zip of some 40 kB of incompressible data.
fn archive() -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    let options =
        zip::write::SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
    zip.start_file("events.jsonl", options).expect("a member");
    for number in 0..1000 {
        let line =
            format!("{{\"event\":\"e{number}\",\"properties\":{{\"distinct_id\":\"a1\"}}}}\n");
        zip.write_all(line.as_bytes()).expect("its bytes");
    }
    zip.finish().expect("a zip").into_inner()
}

/// The head of the whole archive, and only `at` bytes of it.
fn broken_off(at: usize, headers: &str) -> Reply {
    let archive = archive();
    let head = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: application/zip\r\nContent-Length: {}\r\n{headers}",
        archive.len()
    );
    Reply::raw(&head, &archive[..at])
}

/// A part with this range in its head and these bytes.
fn part(range: &str, headers: &str, bytes: &[u8]) -> Reply {
    let head = format!(
        "HTTP/1.1 206 Partial Content\r\nContent-Type: application/zip\r\nContent-Range: {range}\r\nContent-Length: {}\r\n{headers}",
        bytes.len()
    );
    Reply::raw(&head, bytes)
}

/// The part from `from` on, as a correct store answers.
fn rest(from: usize) -> Reply {
    let archive = archive();
    let range = format!("bytes {from}-{}/{}", archive.len() - 1, archive.len());
    part(&range, TAG, &archive[from..])
}

/// Fetches, and checks that the whole archive is in the folder, once and alone.
fn fetch_whole(script: impl Fn(&Call) -> Reply + Send + Sync + 'static) -> Exports {
    let exports = Exports::from(script);
    let outcome = exports.download(&["--json"]);
    outcome.exits_with(0);
    let found = the_download(&outcome);
    let kept = fs::read(found["path"].as_str().expect("a path")).expect("a file");
    assert!(kept == archive(), "other bytes were kept\n{outcome}");
    assert_eq!(exports.names().len(), 1);
    exports
}

fn range(call: &Call) -> (Option<&str>, Option<&str>) {
    (call.header("Range"), call.header("If-Range"))
}

#[test]
fn what_broke_off_is_taken_up_at_its_place_and_only_of_the_same_content() {
    let exports = fetch_whole(|call| match call.place {
        0 => broken_off(10_000, TAG),
        1 => {
            let Reply::Raw(whole) = rest(10_000) else {
                panic!()
            };
            let body = whole.len() - (archive().len() - 10_000);
            Reply::Raw(whole[..body + 5_000].to_vec())
        }
        _ => rest(15_000),
    });
    let calls = exports.store.calls();
    assert_eq!(calls.len(), 3);
    assert_eq!(range(&calls[0]), (None, None));
    assert_eq!(range(&calls[1]), (Some("bytes=10000-"), Some("\"one\"")));
    assert_eq!(range(&calls[2]), (Some("bytes=15000-"), Some("\"one\"")));
    for call in &calls {
        assert_eq!(call.header("Accept-Encoding"), Some("identity"));
        assert_eq!(call.header("Authorization"), None);
    }
}

#[test]
fn a_store_that_hands_out_all_of_it_again_is_read_from_the_beginning() {
    // Other content has another tag and comes as 200, whatever was asked for.
    for tag in [TAG, "ETag: \"two\"\r\n", ""] {
        let exports = fetch_whole(move |call| match call.place {
            0 => {
                let Reply::Raw(bytes) = broken_off(10_000, TAG) else {
                    panic!()
                };
                // The content before the change.
                let at = bytes.len() - 10_000;
                Reply::Raw([&bytes[..at], &[b'x'; 10_000]].concat())
            }
            _ => handing_out(&archive(), tag),
        });
        let calls = exports.store.calls();
        assert_eq!(calls.len(), 2);
        assert_eq!(range(&calls[1]), (Some("bytes=10000-"), Some("\"one\"")));
    }
}

#[test]
fn a_part_that_does_not_fit_is_never_put_behind_what_is_there() {
    let length = archive().len();
    let end = length - 1;
    let wrong = [
        // Wrong start, wrong length, wrong end, or no range.
        part(
            &format!("bytes 9000-{end}/{length}"),
            TAG,
            &archive()[9_000..],
        ),
        part(
            &format!("bytes 10000-{end}/{}", length + 1),
            TAG,
            &archive()[10_000..],
        ),
        part(
            &format!("bytes 10000-10099/{length}"),
            TAG,
            &archive()[10_000..10_100],
        ),
        part("bytes */1", TAG, &archive()[10_000..]),
        // Of other content, although this one's was asked for.
        part(
            &format!("bytes 10000-{end}/{length}"),
            "ETag: \"two\"\r\n",
            &archive()[10_000..],
        ),
        Reply::text(416, "text/plain", "no such range"),
    ];
    for wrong in wrong {
        let exports = fetch_whole(move |call| match call.place {
            0 => broken_off(10_000, TAG),
            1 => wrong.clone(),
            _ => handing_out(&archive(), TAG),
        });
        let calls = exports.store.calls();
        assert_eq!(calls.len(), 3);
        assert_eq!(range(&calls[1]).0, Some("bytes=10000-"));
        assert_eq!(range(&calls[2]), (None, None), "from the beginning");
    }
}

#[test]
fn without_a_tag_that_names_the_very_bytes_nothing_is_taken_up_in_the_middle() {
    for tag in ["", "ETag: W/\"one\"\r\n"] {
        let exports = fetch_whole(move |call| match call.place {
            0 => broken_off(10_000, tag),
            _ => handing_out(&archive(), tag),
        });
        let calls = exports.store.calls();
        assert_eq!(range(&calls[1]), (None, None), "{tag}");
    }
}

#[test]
fn a_transfer_that_gets_further_each_time_is_not_given_up() {
    let step = archive().len() / 8;
    let exports = fetch_whole(move |call| {
        let Some(range) = call.header("Range") else {
            return broken_off(step, TAG);
        };
        let from: usize = range[6..range.len() - 1].parse().unwrap();
        let Reply::Raw(bytes) = rest(from) else {
            panic!()
        };
        let head = bytes.len() - (archive().len() - from);
        Reply::Raw(bytes[..bytes.len().min(head + step)].to_vec())
    });
    assert_eq!(exports.store.calls().len(), 9);
}

#[test]
fn a_link_that_expires_in_the_middle_is_replaced_by_a_fresh_one_once() {
    let expired = Reply::text(403, "application/xml", "<Error/>");
    let once = expired.clone();
    let exports = fetch_whole(move |call| match call.place {
        0 => broken_off(10_000, TAG),
        1 => once.clone(),
        _ => handing_out(&archive(), TAG),
    });
    let calls = exports.store.calls();
    assert_eq!(calls.len(), 3);
    assert_eq!(range(&calls[2]), (None, None), "another link, another file");
    let always = Exports::from(move |_| expired.clone());
    let asked = always.api.gets().len();
    always.download(&[]).exits_with(7);
    assert_eq!(always.api.gets().len(), asked + 2);
    assert_eq!(always.store.calls().len(), 2);
}

#[test]
fn a_disk_that_is_full_is_a_local_failure_and_leaves_nothing() {
    let exports = Exports::from(|_| handing_out(&archive(), TAG));
    let folder = exports.folder().display().to_string();
    let args = ["download", "--json", "--to", &folder];
    // Limits files to 20 kB; the ledger's are larger already and are not rewritten whole.
    let command = exports.operator.command_after("ulimit -f 40", &args);
    let outcome = Running::start(command, "").end();
    outcome.exits_with(74).did_not_panic();
    assert_eq!(outcome.failure()["kind"], "local_io");
    assert!(exports.names().is_empty(), "{outcome}");
    let recorded = exports
        .operator
        .ledger_texts("SELECT sha256 FROM downloads");
    assert!(recorded.is_empty());

    exports.download(&[]).exits_with(0);
    assert_eq!(exports.names().len(), 1);
}
