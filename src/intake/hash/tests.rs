use super::*;

const TWO_BLOCKS: &str = "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq";

fn hashing(with: HashWith) -> Hashing {
    Hashing::new(with, "", LetterCase::AsWritten).unwrap()
}

fn key(bytes: &[u8]) -> HashKey {
    HashKey::new(bytes.to_vec()).unwrap()
}

#[test]
fn sha256_gives_what_fips_180_4_says() {
    let hashing = hashing(HashWith::Sha256);
    for (value, hash) in [
        (
            "abc",
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
        ),
        (
            TWO_BLOCKS,
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1",
        ),
    ] {
        assert_eq!(hashing.hash(value), hash);
    }
}

#[test]
fn sha1_gives_what_fips_180_4_says() {
    let hashing = hashing(HashWith::Sha1);
    for (value, hash) in [
        ("abc", "a9993e364706816aba3e25717850c26c9cd0d89d"),
        (TWO_BLOCKS, "84983e441c3bd26ebaae4aa1f95129e5e54670f1"),
    ] {
        assert_eq!(hashing.hash(value), hash);
    }
}

#[test]
fn md5_gives_what_rfc_1321_says() {
    let hashing = hashing(HashWith::Md5);
    for (value, hash) in [
        ("a", "0cc175b9c0f1b6a831c399e269772661"),
        ("abc", "900150983cd24fb0d6963f7d28e17f72"),
        ("message digest", "f96b697d7cb7938d525a2f31aaf161d0"),
        (
            "abcdefghijklmnopqrstuvwxyz",
            "c3fcd3d76192e4007dfb496cca67e13b",
        ),
        (&"1234567890".repeat(8), "57edf4a22be3c955ac49da2e2107b67a"),
    ] {
        assert_eq!(hashing.hash(value), hash);
    }
}

/// Cases 1, 2, 6 and 7: the ones with text as data, including keys longer than a block.
#[test]
fn hmac_gives_what_rfc_4231_says() {
    let long = [0xaa; 131];
    for (key_bytes, value, hash) in [
        (
            &[0x0b; 20][..],
            "Hi There",
            "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7",
        ),
        (
            b"Jefe",
            "what do ya want for nothing?",
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
        ),
        (
            &long,
            "Test Using Larger Than Block-Size Key - Hash Key First",
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
        ),
        (
            &long,
            "This is a test using a larger than block-size key and a larger than block-size data. The key needs to be hashed before being used by the HMAC algorithm.",
            "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2",
        ),
    ] {
        let hashing = hashing(HashWith::key(&key(key_bytes)).unwrap());
        assert_eq!(hashing.hash(value), hash);
        assert_eq!(hashing.hash(value), hash, "the key is not used up");
    }
}

#[test]
fn a_prefix_stands_before_the_hash() {
    let hashing = Hashing::new(HashWith::Md5, "u_", LetterCase::AsWritten).unwrap();
    assert_eq!(hashing.hash("abc"), "u_900150983cd24fb0d6963f7d28e17f72");
}

#[test]
fn letters_are_lowered_on_request_only_and_by_unicodes_rules() {
    let lowered = Hashing::new(HashWith::Sha256, "", LetterCase::Lowered).unwrap();
    let as_written = hashing(HashWith::Sha256);
    assert_eq!(lowered.hash("ABC"), as_written.hash("abc"));
    assert_eq!(lowered.hash("ÜNÏ@X.TEST"), as_written.hash("ünï@x.test"));
    // JavaScript and Python lowercase a final capital sigma this way.
    assert_eq!(lowered.hash("ΟΔΟΣ"), as_written.hash("οδος"));
    assert_ne!(as_written.hash("ABC"), as_written.hash("abc"));
}

#[test]
fn a_prefix_that_no_id_can_have_is_refused() {
    let new = |prefix: &str| Hashing::new(HashWith::Sha256, prefix, LetterCase::AsWritten);
    for prefix in [" a", "\ta", "a\nb", "a\0", "\u{feff}a"] {
        assert_eq!(new(prefix).unwrap_err(), HashingError::BlankPrefix);
    }
    assert_eq!(new(&"x".repeat(192)).unwrap_err(), HashingError::LongPrefix);
    assert_eq!(new(&"x".repeat(191)).unwrap().hash("").len(), 255);
    assert!(new("a b_").is_ok());
}

fn doubts(hashing: &Hashing, value: &str) -> Vec<WarningKind> {
    let mut found = Vec::new();
    hashing.doubts(&ValueForm::of(value), &mut |kind| found.push(kind));
    found
}

#[test]
fn a_value_that_looks_hashed_is_warned_of() {
    let hash = |with| hashing(with).hash("a");
    let (sha256, sha1, md5) = (
        hash(HashWith::Sha256),
        hash(HashWith::Sha1),
        hash(HashWith::Md5),
    );
    let by_sha = hashing(HashWith::Sha256);
    assert_eq!(doubts(&by_sha, &sha256), [WarningKind::LooksHashed]);
    assert_eq!(
        doubts(&by_sha, &sha256.to_uppercase()),
        [WarningKind::LooksHashed]
    );
    assert_eq!(doubts(&by_sha, &sha1), [WarningKind::LooksHashed]);
    assert_eq!(doubts(&by_sha, &md5), [], "it may be a UUID without dashes");
    assert_eq!(
        doubts(&hashing(HashWith::Md5), &md5),
        [WarningKind::LooksHashed]
    );
    let prefixed = Hashing::new(HashWith::Sha256, "u_", LetterCase::AsWritten).unwrap();
    assert_eq!(
        doubts(&prefixed, &prefixed.hash("a")),
        [WarningKind::LooksHashed]
    );
    assert_eq!(doubts(&prefixed, "alice@example.test"), []);
}

#[test]
fn capitals_that_change_the_hash_are_warned_of() {
    let as_written = hashing(HashWith::Sha256);
    assert_eq!(
        doubts(&as_written, "Alice@x.test"),
        [WarningKind::HashedCapitals]
    );
    assert_eq!(
        doubts(&as_written, "Übel@x.test"),
        [WarningKind::HashedCapitals]
    );
    assert_eq!(doubts(&as_written, "User-17"), [], "an id, not an address");
    let lowered = Hashing::new(HashWith::Sha256, "", LetterCase::Lowered).unwrap();
    assert_eq!(doubts(&lowered, "Alice@x.test"), []);
    assert_eq!(doubts(&lowered, "übel@x.test"), []);
    assert_eq!(doubts(&lowered, "Übel@x.test"), [WarningKind::UnicodeCase]);
}

#[test]
fn a_mask_reveals_neither_person_nor_length() {
    for (value, masked) in [
        ("alice@example.com", "a***e@e***.com"),
        ("bob@mail.example.co.uk", "b***@m***.uk"),
        ("x@y.test", "***@y***.test"),
        ("jo@localhost", "j***@l***"),
        ("jo@x.Jane Doe", "j***@x***"),
        ("jo@x.secretive", "j***@x***"),
        ("jo@x.", "j***@x***"),
        ("ünïcøde@exämple.test", "ü***e@e***.test"),
        ("user-17", "u***"),
        ("user-000017", "u***7"),
        ("7", "***"),
        ("", "***"),
        ("a@b@c.test", "a***@c***.test"),
    ] {
        assert_eq!(mask(value), masked, "{value:?}");
    }
    assert_eq!(
        mask("alice@example.com"),
        mask("antoinette.e@enterprise.com")
    );
}

#[test]
fn the_first_value_is_the_example_and_its_hash_is_not_whole() {
    let hashing = Hashing::new(HashWith::Sha256, "u_", LetterCase::Lowered).unwrap();
    let mut hashed = hashing.describe();
    let place = |line| Place {
        label: "`ids.csv`",
        line: Some(line),
        element: None,
    };
    for (line, value) in [(2, "alice@example.com"), (3, "bob@example.com")] {
        hashed.show_first(place(line), value, &hashing.hash(value));
    }
    let example = hashed.example.unwrap();
    assert_eq!(example.line, Some(2));
    assert_eq!(example.value, "a***e@e***.com");
    assert_eq!(example.id, "u_ff8d…76");
}

#[test]
fn a_hashing_does_not_show_its_key() {
    let hashing = hashing(HashWith::key(&key(b"secret")).unwrap());
    assert_eq!(format!("{hashing:?}"), "Hashing(hmac-sha256)");
}
