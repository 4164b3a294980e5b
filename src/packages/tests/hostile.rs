//! Archives that nobody packs by mistake, and archives damaged in transit.

use zip::unstable::write::FileOptionsExt;
use zip::{AesMode, CompressionMethod};

use super::*;
use crate::packages::Danger;

const SECRET: &str = "0123456789abcdef0123456789abcdef";

fn members() -> [(&'static str, String); 2] {
    let events = [event("anna", "x", 1), event("bob", "y", 2)];
    let profiles = [profile("anna"), profile("bob")];
    [
        ("events.jsonl", events.join("\n")),
        ("profiles.json", format!("[{}]", profiles.join(","))),
    ]
}

fn locked(options: SimpleFileOptions) -> Vec<u8> {
    let members = members();
    let members: Vec<_> = members
        .iter()
        .map(|(name, text)| (*name, &**text))
        .collect();
    zip_with(options, &members)
}

fn zip_crypto() -> Vec<u8> {
    locked(
        options()
            .with_deprecated_encryption(SECRET.as_bytes())
            .unwrap(),
    )
}

fn with_password(archive: &[u8], password: Option<&str>) -> Bench {
    Bench {
        password: password.map(SecretString::from),
        ..Bench::new(archive, &["anna", "bob"])
    }
}

fn aes() -> [Vec<u8>; 2] {
    [AesMode::Aes128, AesMode::Aes256]
        .map(|mode| locked(options().with_aes_encryption(mode, SECRET)))
}

/// Replaces `old` with `new` everywhere; both must have the same length.
fn patched(archive: &[u8], old: &[u8], new: &[u8]) -> Vec<u8> {
    assert_eq!(old.len(), new.len());
    let mut archive = archive.to_vec();
    let places: Vec<usize> = (0..=archive.len() - old.len())
        .filter(|place| archive[*place..].starts_with(old))
        .collect();
    assert!(!places.is_empty(), "nothing to patch");
    for place in places {
        archive[place..place + new.len()].copy_from_slice(new);
    }
    archive
}

fn danger(archive: &[u8]) -> Danger {
    match Bench::new(archive, &["anna"]).fails() {
        SplitError::Unsafe(danger) => danger,
        other => panic!("{other:?}"),
    }
}

#[test]
fn each_kind_of_lock_opens_with_the_api_secret() {
    let plain = locked(options());
    let [aes128, aes256] = aes();
    for archive in [plain, zip_crypto(), aes128, aes256] {
        let bench = with_password(&archive, Some(SECRET));
        let report = bench.split();
        for package in &report.packages {
            assert_eq!((package.events, package.profiles), (1, 1));
        }
        assert_eq!(bench.lines("anna", "events.jsonl"), [event("anna", "x", 1)]);
    }
}

#[test]
fn a_locked_archive_without_a_password_says_so() {
    let [aes128, aes256] = aes();
    for archive in [zip_crypto(), aes128, aes256] {
        let error = with_password(&archive, None).fails();
        assert!(matches!(error, SplitError::PasswordNeeded), "{error:?}");
    }
}

#[test]
fn a_wrong_password_makes_nothing() {
    let [aes128, aes256] = aes();
    for archive in [aes128, aes256] {
        let error = with_password(&archive, Some("wrong")).fails();
        assert!(matches!(error, SplitError::WrongPassword), "{error:?}");
    }
    // One wrong password in 256 passes ZipCrypto's check; then only the content shows it.
    let archive = zip_crypto();
    let mut late = 0;
    for number in 0..300 {
        match with_password(&archive, Some(&format!("wrong {number}"))).fails() {
            SplitError::WrongPassword => {}
            SplitError::DamagedOrWrongPassword { .. } => late += 1,
            other => panic!("{other:?}"),
        }
    }
    assert!(late < 30, "{late}");
}

#[test]
fn names_that_lead_elsewhere_are_refused_by_kind() {
    for (name, expected) in [
        ("../../x", Danger::Traversal),
        ("a/../../x", Danger::Traversal),
        ("a/..", Danger::Traversal),
        ("/etc/x", Danger::AbsolutePath),
        ("C:x", Danger::DriveLetter),
        ("c:/x", Danger::DriveLetter),
        ("a\\..\\x", Danger::Backslash),
        ("\\\\server\\x", Danger::Backslash),
        ("a\0b", Danger::Nul),
    ] {
        // Zip writers refuse some of these names, so a harmless one of the same length is patched.
        let harmless = "q".repeat(name.len());
        let archive = zip_of(&[("good.jsonl", &event("anna", "x", 1)), (&harmless, "x")]);
        let archive = patched(&archive, harmless.as_bytes(), name.as_bytes());
        assert_eq!(danger(&archive), expected, "{name:?}");
    }
    let harmless = zip_of(&[("a..b/...x", &event("anna", "x", 1))]);
    Bench::new(&harmless, &["anna"]).split();
}

/// The crate writes Unix modes only on Unix; dsr reads them everywhere.
#[cfg(unix)]
#[test]
fn links_and_devices_are_refused() {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    zip.add_symlink("events.jsonl", "/etc/passwd", options())
        .unwrap();
    assert_eq!(
        danger(&zip.finish().unwrap().into_inner()),
        Danger::SymbolicLink
    );

    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    zip.start_file("pipe", options().unix_permissions(0o600))
        .unwrap();
    let archive = zip.finish().unwrap().into_inner();
    // The Unix mode in the central directory, changed from a plain file to a named pipe.
    let plain = (0o100_600_u32 << 16).to_le_bytes();
    let pipe = (0o010_600_u32 << 16).to_le_bytes();
    assert_eq!(
        danger(&patched(&archive, &plain, &pipe)),
        Danger::SpecialFile
    );
}

#[test]
fn two_members_of_one_name_are_refused() {
    let archive = zip_of(&[("events.jsonl", "x"), ("eventz.jsonl", "y")]);
    let archive = patched(&archive, b"eventz.jsonl", b"events.jsonl");
    assert_eq!(danger(&archive), Danger::DuplicateNames);
}

#[test]
fn members_that_share_their_bytes_are_refused() {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    zip.start_file("a", options()).unwrap();
    zip.write_all(event("anna", "x", 1).as_bytes()).unwrap();
    zip.shallow_copy_file("a", "b").unwrap();
    assert_eq!(danger(&zip.finish().unwrap().into_inner()), Danger::Overlap);
}

/// 200 MB of zeros in 200 kB.
fn bomb() -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    zip.start_file("events.jsonl", options()).unwrap();
    let block = vec![b'\n'; 1 << 20];
    for _ in 0..200 {
        zip.write_all(&block).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

#[test]
fn a_bomb_is_refused_before_it_is_unpacked() {
    let archive = bomb();
    assert!(archive.len() < 500_000);
    let before = std::time::Instant::now();
    assert_eq!(danger(&archive), Danger::TooDense);
    assert!(before.elapsed().as_secs() < 5);

    let mut bench = Bench::new(&archive, &["anna"]);
    bench.limits.ratio = u64::MAX;
    bench.limits.bytes = 100 << 20;
    assert!(matches!(
        bench.fails(),
        SplitError::Unsafe(Danger::TooLarge)
    ));
}

#[test]
fn a_bomb_that_lies_about_its_size_is_caught_while_it_is_unpacked() {
    let archive = bomb();
    let real = (200_u32 << 20).to_le_bytes();
    let archive = patched(&archive, &real, &1000_u32.to_le_bytes());
    let error = Bench::new(&archive, &["anna"]).fails();
    assert!(
        matches!(error, SplitError::Damaged { .. } | SplitError::Unsafe(_)),
        "{error:?}"
    );
}

#[test]
fn little_text_that_packs_well_is_no_bomb() {
    let text = format!("{}\n", event("anna", "x", 1)).repeat(100_000);
    let archive = zip_of(&[("events.jsonl", &text)]);
    assert!(text.len() > archive.len() * 20);
    let mut bench = Bench::new(&archive, &["anna"]);
    bench.limits.ratio = 10;
    assert_eq!(bench.split().packages[0].events, 100_000);
}

#[test]
fn a_hundred_thousand_members_are_refused_cheaply() {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    let stored = options().compression_method(CompressionMethod::Stored);
    for number in 0..100_000 {
        zip.start_file(number.to_string(), stored).unwrap();
    }
    let archive = zip.finish().unwrap().into_inner();
    let before = std::time::Instant::now();
    assert_eq!(danger(&archive), Danger::TooManyMembers);
    assert!(before.elapsed().as_secs() < 20);

    // Not even an overlong directory is read to its end.
    let mut bench = Bench::new(&archive, &["anna"]);
    bench.limits.members = 10;
    let error = bench.fails();
    assert!(
        matches!(error, SplitError::Unsafe(Danger::TooManyMembers)),
        "{error:?}"
    );
}

#[test]
fn an_archive_that_is_cut_off_anywhere_makes_nothing() {
    for archive in [locked(options()), zip_crypto()] {
        for length in (0..archive.len()).step_by(3) {
            let bench = with_password(&archive[..length], Some(SECRET));
            let error = bench.fails();
            assert!(
                matches!(error, SplitError::NotZip(_)),
                "{length}: {error:?}"
            );
        }
    }
}

#[test]
fn a_changed_byte_of_content_makes_nothing() {
    let text = (0..200).map(|number| event("anna", "x", number) + "\n");
    let text: String = text.collect();
    let archive = zip_of(&[("events.jsonl", &text)]);
    let content = 42..archive.len() - 100;
    for place in content.step_by(7) {
        let mut archive = archive.clone();
        archive[place] ^= 0x20;
        let error = Bench::new(&archive, &["anna"]).fails();
        assert!(
            matches!(error, SplitError::Damaged { .. }),
            "{place}: {error:?}"
        );
    }
}

#[test]
fn a_wrong_check_sum_makes_nothing() {
    let stored = options().compression_method(CompressionMethod::Stored);
    let archive = zip_with(stored, &[("events.jsonl", &event("anna", "x", 1))]);
    let archive = patched(&archive, b"\"anna\"", b"\"anno\"");
    let error = Bench::new(&archive, &["anna"]).fails();
    assert!(
        matches!(error, SplitError::Damaged { member: 1, .. }),
        "{error:?}"
    );
}

#[test]
fn what_is_no_zip_is_refused() {
    for content in ["", "<!doctype html><title>Sign in</title>", "PK\x03\x04"] {
        let error = Bench::new(content.as_bytes(), &["anna"]).fails();
        assert!(matches!(error, SplitError::NotZip(_)), "{error:?}");
    }
}

#[test]
fn an_archive_other_than_the_one_that_was_fetched_is_refused() {
    let mut bench = Bench::of_members(&[("a", &event("anna", "x", 1))], &["anna"]);
    bench.about.sha256 = hex(b"another");
    assert!(matches!(bench.fails(), SplitError::Changed));
}

#[test]
fn no_error_names_a_person() {
    let archive = zip_of(&[("anna.jsonl", &event("anna", "x", 1))]);
    let broken = patched(&archive, b"anna.jsonl", b"../a.jsonl");
    let error = Bench::new(&broken, &["anna"]).fails();
    assert!(
        !format!("{error} {error:?}").contains("a.jsonl"),
        "{error:?}"
    );
}

fn streamed(members: &[(&str, &str)]) -> Vec<u8> {
    let mut zip = ZipWriter::new_stream(Vec::new());
    for (name, content) in members {
        zip.start_file(*name, options()).unwrap();
        zip.write_all(content.as_bytes()).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

/// Removes the second member from the directory, but keeps its bytes.
fn unlisted(archive: &[u8]) -> Vec<u8> {
    let entries: Vec<usize> = (0..archive.len())
        .filter(|place| archive[*place..].starts_with(b"PK\x01\x02"))
        .collect();
    let end = archive.windows(4).rposition(|part| part == b"PK\x05\x06");
    let (second, end) = (entries[1], end.unwrap());
    let mut left = [&archive[..second], &archive[end..]].concat();
    let size = (second - entries[0]) as u32;
    for place in [8, 10] {
        left[second + place..second + place + 2].copy_from_slice(&1_u16.to_le_bytes());
    }
    left[second + 12..second + 16].copy_from_slice(&size.to_le_bytes());
    left
}

#[test]
fn bytes_that_no_member_accounts_for_are_refused() {
    let first = zip_of(&[("events.json", &event("anna", "x", 1))]);
    let second = zip_of(&[("events.json", &event("anna", "y", 2))]);
    let two = zip_of(&[
        ("a.json", &event("anna", "x", 1)),
        ("b.json", &event("anna", "y", 2)),
    ]);
    for (what, archive) in [
        ("two", [&first[..], &second].concat()),
        ("before", [b"junk", &first[..]].concat()),
        ("behind", [&first[..], b"junk"].concat()),
        ("unlisted", unlisted(&two)),
    ] {
        let error = Bench::new(&archive, &["anna"]).fails();
        let is_named = matches!(error, SplitError::Unsafe(_) | SplitError::NotZip(_));
        assert!(is_named, "{what}: {error:?}");
    }
}

#[test]
fn a_comment_a_stream_and_long_offsets_account_for_their_bytes() {
    let events = event("anna", "x", 1);
    let members = [("events.json", &*events), ("people.json", "")];
    let mut commented = ZipWriter::new(Cursor::new(Vec::new()));
    commented.set_comment("made by a program").unwrap();
    commented.start_file("events.json", options()).unwrap();
    commented.write_all(events.as_bytes()).unwrap();
    for archive in [
        commented.finish().unwrap().into_inner(),
        streamed(&members),
        zip_with(options().large_file(true), &members),
        zip_with(options().with_alignment(64), &members),
    ] {
        assert_eq!(
            Bench::new(&archive, &["anna"]).split().packages[0].events,
            1
        );
    }
}

#[test]
fn an_archive_inside_with_bytes_of_no_member_is_kept_whole() {
    let inner = [
        zip_of(&[("a.json", &event("anna", "x", 1))]),
        b"junk".to_vec(),
    ]
    .concat();
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    zip.start_file("inner.zip", options()).unwrap();
    zip.write_all(&inner).unwrap();
    let report = Bench::new(&zip.finish().unwrap().into_inner(), &["anna"]).split();
    assert_eq!((report.unassigned.members, report.summary.records), (1, 0));
}
