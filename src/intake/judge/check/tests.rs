use proptest::prelude::*;

use super::*;
use crate::domain::DistinctIdError;
use crate::intake::{HashWith, LetterCase};

struct Found {
    ids: Vec<Option<String>>,
    problems: String,
    warnings: Vec<(WarningKind, usize)>,
}

fn check_all<V: AsRef<[u8]>>(options: &CheckOptions, values: &[V]) -> Found {
    let mut checker = Checker::new(options);
    let mut ids = Vec::new();
    for (line, value) in (1..).zip(values) {
        let place = Place {
            label: "`x`",
            line: Some(line),
            element: None,
        };
        let id = checker.check(place, form(value.as_ref()));
        ids.push(id.map(Cow::into_owned));
    }
    let (problems, warnings) = checker.finish();
    Found {
        ids,
        problems: problems.to_string(),
        warnings: warnings.iter().map(|w| (w.kind, w.count)).collect(),
    }
}

fn form(value: &[u8]) -> Option<ValueForm<'_>> {
    std::str::from_utf8(value).ok().map(ValueForm::of)
}

fn kept(options: &CheckOptions, value: &str) -> Option<String> {
    check_all(options, &[value]).ids.remove(0)
}

fn with(outer_space: OuterSpace) -> CheckOptions {
    CheckOptions {
        outer_space,
        ..CheckOptions::default()
    }
}

fn allowing(values: &[&str]) -> CheckOptions {
    CheckOptions {
        allowed: values.iter().map(|value| (*value).to_owned()).collect(),
        ..CheckOptions::default()
    }
}

fn hashing(case: LetterCase) -> CheckOptions {
    CheckOptions {
        hashing: Some(Hashing::new(HashWith::Md5, "", case).unwrap()),
        ..CheckOptions::default()
    }
}

#[test]
fn problems_name_line_and_damage_and_never_the_value() {
    let values: [&[u8]; 9] = [
        b"fine",
        b"1.23E+12",
        b"#N/A",
        b"=A1",
        b"nan",
        b"secr\tet",
        b"\xff",
        "\u{feff}secret".as_bytes(),
        b" secret",
    ];
    let found = check_all(&CheckOptions::default(), &values);
    assert_eq!(found.ids[0].as_deref(), Some("fine"));
    assert!(found.ids[1..].iter().all(Option::is_none));
    for said in [
        "8 values are damaged",
        "line 2: the value is a number in scientific notation",
        "line 3: the value looks like a spreadsheet's error",
        "line 4: the value looks like a spreadsheet's formula",
        "line 5: the value looks like a placeholder for an empty value",
        "line 6: the value has a control character",
        "line 7: the id is not valid UTF-8",
        "line 8: the id begins or ends with an invisible character",
        "line 9: the id begins or ends with white space",
    ] {
        assert!(found.problems.contains(said), "{said}: {}", found.problems);
    }
    assert!(!found.problems.contains("secr"));
}

#[test]
fn outer_white_space_is_refused_dropped_or_kept() {
    let padded = ["\u{a0}ab\t", "\u{feff}ab\u{200b} "];
    for value in padded {
        assert_eq!(kept(&with(OuterSpace::Refuse), value), None);
        assert_eq!(kept(&with(OuterSpace::Trim), value).as_deref(), Some("ab"));
    }
    assert_eq!(kept(&with(OuterSpace::Keep), " a ").as_deref(), Some(" a "));
    let marked = kept(&with(OuterSpace::Keep), padded[1]);
    assert_eq!(marked.as_deref(), Some(padded[1]));
    let keep = check_all(&with(OuterSpace::Keep), &[" a", "b"]);
    assert_eq!(keep.warnings, [(WarningKind::OuterWhiteSpace, 1)]);
    let trim = check_all(&with(OuterSpace::Trim), &[" a", "b", "c "]);
    assert_eq!(trim.warnings, [(WarningKind::Trimmed, 2)]);
    for options in [with(OuterSpace::Trim), with(OuterSpace::Keep)] {
        assert_eq!(kept(&options, " null "), None, "it is nobody all the same");
        assert_eq!(kept(&options, "  "), None);
    }
}

#[test]
fn an_allowed_value_is_kept_byte_for_byte_and_no_other_is() {
    let odd = [
        "null",
        "1.23E+12",
        "#N/A",
        "=A1",
        " x ",
        "a\tb",
        "$device:a",
        "2024-05-31",
    ];
    let found = check_all(&allowing(&odd), &odd);
    let ids: Vec<_> = found.ids.iter().flatten().collect();
    assert_eq!(ids, odd.iter().collect::<Vec<_>>());
    assert_eq!(found.warnings, [], "the operator has looked at them");
    for other in ["NULL", "1.24E+12", "x ", "nul"] {
        assert_eq!(kept(&allowing(&odd), other), None, "{other:?}");
    }
    let trimmed = CheckOptions {
        outer_space: OuterSpace::Trim,
        ..allowing(&["null", " x "])
    };
    assert_eq!(kept(&trimmed, " null ").as_deref(), Some("null"));
    assert_eq!(kept(&trimmed, " x ").as_deref(), Some(" x "));
}

#[test]
fn allow_does_not_accept_an_impossible_id() {
    for value in ["", "a\nb", "a\0b"] {
        assert_eq!(kept(&allowing(&[value]), value), None, "{value:?}");
    }
}

#[test]
fn a_pattern_must_match_the_whole_id() {
    let expecting = |pattern: &str| CheckOptions {
        pattern: Some(Pattern::new(pattern).unwrap()),
        ..allowing(&["odd"])
    };
    let options = expecting(r"user-\d{2}|u");
    for (value, is_kept) in [
        ("user-17", true),
        ("u", true),
        ("user-173", false),
        ("xuser-17", false),
        ("user-1", false),
        ("odd", true),
    ] {
        assert_eq!(kept(&options, value).is_some(), is_kept, "{value}");
    }
    assert!(
        kept(&expecting("a|ab"), "ab").is_some(),
        "not the first way only"
    );
    assert!(kept(&expecting("(?m)^a$"), "a b").is_none());
    let found = check_all(&options, &["u", "v"]);
    assert!(found.problems.contains("line 2: the id does not match"));
    let odd = expecting("[a-z]+, .*|null| a");
    assert_eq!(
        kept(&odd, "a, b").as_deref(),
        Some("a, b"),
        "whatever the rule says"
    );
    assert_eq!(kept(&odd, "null"), None, "it would match many people");
    assert_eq!(
        kept(&odd, " a"),
        None,
        "white space is kept or dropped by its own flag"
    );
    for bad in ["(", "a)|(?:b", "*"] {
        assert!(Pattern::new(bad).is_err(), "{bad}");
    }
}

#[test]
fn hashing_judges_the_plain_value() {
    let options = hashing(LetterCase::AsWritten);
    let found = check_all(
        &options,
        &["abc", "null", " abc", "$device:a", "Alice@x.test"],
    );
    let md5_of_abc = "900150983cd24fb0d6963f7d28e17f72";
    assert_eq!(found.ids[0].as_deref(), Some(md5_of_abc));
    assert!(found.ids[1..4].iter().all(Option::is_none));
    assert!(
        found
            .problems
            .contains("line 4: Mixpanel knows an anonymous device id")
    );
    assert_eq!(found.warnings, [(WarningKind::HashedCapitals, 1)]);
    let trim = CheckOptions {
        outer_space: OuterSpace::Trim,
        ..options
    };
    assert_eq!(kept(&trim, " abc\u{a0}").as_deref(), Some(md5_of_abc));
    let lowered = hashing(LetterCase::Lowered);
    assert_eq!(kept(&lowered, "ABC").as_deref(), Some(md5_of_abc));
}

#[test]
fn a_checker_may_work_on_a_thread_of_its_own() {
    fn is_sendable<T: Send + 'static>() {}
    is_sendable::<Checker>();
}

fn tricky() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>(),
        "[0-9.,eE+\\-/: ]{1,12}",
        "[=#'\"$(\\[<][A-Za-z0-9:!?/.()\" ]{0,12}",
        "[A-Za-z0-9@._+ -]{1,40}",
        "\\PC{0,6}",
        "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}",
    ]
}

proptest! {
    #[test]
    fn any_id_is_passed_byte_for_byte_or_its_damage_is_named(value in tricky()) {
        let found = check_all(&CheckOptions::default(), &[&value]);
        match &found.ids[0] {
            Some(id) => {
                prop_assert_eq!(id, &value);
                prop_assert!(DistinctId::new(&value).is_ok(), "the type's promise");
                // A list of one id may look like a line number and an id.
                let is_numbered = found.problems.contains("grep");
                prop_assert!(is_numbered || found.problems.starts_with("0 values"));
            }
            None => prop_assert!(found.problems.contains("1 value is damaged\n  `x`, line 1: ")),
        }
    }

    #[test]
    fn any_bytes_are_passed_as_they_are_or_their_damage_is_named(value in prop::collection::vec(any::<u8>(), 0..40)) {
        let found = check_all(&CheckOptions::default(), &[&value]);
        match &found.ids[0] {
            Some(id) => prop_assert_eq!(id.as_bytes(), value.as_slice()),
            None => prop_assert!(found.problems.contains("line 1: ")),
        }
    }

    #[test]
    fn whatever_is_allowed_is_kept_unless_no_id_can_be_so(value in tricky()) {
        let id = kept(&allowing(&[&value]), &value);
        match DistinctId::judge(&value, Leniency::Named) {
            Ok(()) => prop_assert_eq!(id, Some(value)),
            Err(error) => {
                prop_assert_eq!(id, None);
                prop_assert!(!matches!(error, DistinctIdError::Forbidden | DistinctIdError::OuterWhiteSpace));
            }
        }
    }

    #[test]
    fn what_is_trimmed_has_no_blank_outside(value in "[ \\t\u{a0}\u{feff}\u{200b}]{0,3}[a-z ]{0,9}[ \\t\u{a0}\u{feff}\u{202c}]{0,3}") {
        if let Some(id) = kept(&with(OuterSpace::Trim), &value) {
            prop_assert!(value.contains(&id) && !id.starts_with(is_blank) && !id.ends_with(is_blank));
        }
    }
}

#[test]
#[ignore = "a measurement, which means something in a release build only"]
fn how_long_a_value_takes() {
    let options = |text: Option<&str>| CheckOptions {
        pattern: text.map(|text| Pattern::new(text).unwrap()),
        ..CheckOptions::default()
    };
    let uuid = |n: u64| {
        format!(
            "{:08x}-77aa-4c1e-9a4b-{:012x}",
            n * 2_654_435_761 % (1 << 32),
            n
        )
    };
    let email = |n: u64| format!("person.{n}@example{}.test", n % 97);
    let number = |n: u64| (4_000_000_000 + n * 7).to_string();
    let device = |n: u64| format!("$device:{:013x}-0e12ab-{n:06x}", n * 99_991);
    let name = |n: u64| format!("user-{n:07}");
    let kinds: [(&str, &dyn Fn(u64) -> String); 5] = [
        ("UUID", &uuid),
        ("e-mail", &email),
        ("number", &number),
        ("$device:", &device),
        ("user-n", &name),
    ];
    for (label, make) in kinds {
        let ids = (0..1_000_000).map(make).collect();
        println!("{label:<9} {:>6.1} ns", nanoseconds(&options(None), &ids));
    }
    let mixed = (0..1_000_000).map(|n| kinds[n as usize * 7 % 11 % 5].1(n));
    let mixed = mixed.collect();
    println!("mixed     {:>6.1} ns", nanoseconds(&options(None), &mixed));
    let pattern = options(Some(r"[a-z0-9@.$:-]+"));
    println!("pattern   {:>6.1} ns", nanoseconds(&pattern, &mixed));
    let key = crate::credentials::HashKey::new(vec![7; 32]).unwrap();
    for (label, with) in [
        ("sha256", HashWith::Sha256),
        ("sha1", HashWith::Sha1),
        ("md5", HashWith::Md5),
        ("hmac", HashWith::key(&key).unwrap()),
    ] {
        let hashing = Hashing::new(with, "", LetterCase::AsWritten).unwrap();
        let options = CheckOptions {
            hashing: Some(hashing),
            ..CheckOptions::default()
        };
        let plain = (0..1_000_000).map(email).collect();
        println!("{label:<9} {:>6.1} ns", nanoseconds(&options, &plain));
    }
}

/// CPU time of this thread in seconds, because the machine may do other work. Linux only.
fn time_on_processor() -> f64 {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    text.split(' ').next().unwrap().parse().unwrap()
}

struct Values {
    bytes: Vec<u8>,
    ends: Vec<usize>,
}

impl FromIterator<String> for Values {
    fn from_iter<I: IntoIterator<Item = String>>(values: I) -> Self {
        let (mut bytes, mut ends) = (Vec::new(), Vec::new());
        for value in values {
            bytes.extend_from_slice(value.as_bytes());
            ends.push(bytes.len());
        }
        Self { bytes, ends }
    }
}

/// The best of ten runs, because other work on the machine only adds time.
fn nanoseconds(options: &CheckOptions, values: &Values) -> f64 {
    let run = || {
        let mut checker = Checker::new(options);
        let start = time_on_processor();
        let mut bytes = 0;
        let mut begin = 0;
        for (line, end) in (1..).zip(&values.ends) {
            let value = &values.bytes[begin..*end];
            begin = *end;
            let place = Place {
                label: "`ids.csv`",
                line: Some(line),
                element: None,
            };
            bytes += checker.check(place, form(value)).map_or(0, |id| id.len());
        }
        assert!(bytes > 0);
        (time_on_processor() - start) / values.ends.len() as f64
    };
    (0..10).map(|_| run()).fold(f64::INFINITY, f64::min)
}
