use super::*;

fn decide(element: &str, column: Option<&str>) -> Result<KeyPath, Undecided> {
    let options = ReadOptions {
        column: column.map(str::to_owned),
        ..ReadOptions::default()
    };
    KeyPath::decide(element.as_bytes(), &options)
}

fn decided(element: &str, column: Option<&str>) -> KeyPath {
    decide(element, column).unwrap()
}

fn unclear(element: &str, column: Option<&str>) -> String {
    match decide(element, column) {
        Err(Undecided::Unclear(error)) => error.to_string(),
        other => panic!("{other:?}"),
    }
}

fn values(shape: &KeyPath, element: &str) -> Vec<JsonResult<String>> {
    let mut all = Vec::new();
    shape.each_id(element.as_bytes(), &mut |_, id| {
        all.push(id.map(Cow::into_owned))
    });
    all
}

fn value(shape: &KeyPath, element: &str) -> JsonResult<String> {
    values(shape, element).remove(0)
}

#[test]
fn the_key_of_ids_is_recognised_or_asked_for() {
    let key = |name: &str| KeyPath::of([name]);
    let nested = |outer: &str, inner: &str| KeyPath::of([outer, inner]);
    for (element, column, shape) in [
        (r#"{"$distinct_id":"a"}"#, None, key("$distinct_id")),
        (r#"{"id":"a"}"#, None, key("id")),
        (r#"{"x":1,"Distinct ID":"a"}"#, None, key("Distinct ID")),
        (r#"{"x":1,"distinct_id":1}"#, Some("x"), key("x")),
        (r#"{"Who":1}"#, Some("who"), key("Who")),
        (r#"{"a.b":1,"a":{"b":2}}"#, Some("a.b"), key("a.b")),
        (r#"{"a":{"b":2}}"#, Some("a.b"), nested("a", "b")),
        (
            r#"{"event":"e","properties":{"distinct_id":"a","$user_id":"b"}}"#,
            None,
            nested("properties", "distinct_id"),
        ),
        (
            r#"{"$distinct_id":"a","properties":{"distinct_id":"b"}}"#,
            None,
            key("$distinct_id"),
        ),
        (r#" "a" "#, None, KeyPath::of([])),
    ] {
        assert_eq!(decided(element, column), shape, "{element}");
    }
}

#[test]
fn an_unclear_key_is_refused() {
    assert!(unclear(r#"{"id":1,"x":2}"#, None).contains("no known key"));
    assert!(unclear(r#"{"properties":{"x":1}}"#, None).contains("no known key"));
    assert!(unclear(r#"{"properties":"distinct_id"}"#, None).contains("no known key"));
    assert!(unclear(r#"{"user_id":1,"userId":2}"#, None).contains("`user_id`, `userId`"));
    assert!(unclear(r#"{"x":1}"#, Some("y")).contains("no key `y`"));
    assert!(unclear(r#""a""#, Some("y")).contains("no key `y`"));
}

#[test]
fn a_text_is_unescaped_and_a_whole_number_kept_digit_for_digit() {
    for (element, id) in [
        (r#""a""#, "a"),
        (r#""""#, ""),
        (r#""a\"\\\u00e9\ud83d\ude00""#, "a\"\\é😀"),
        (
            "123456789012345678901234567890",
            "123456789012345678901234567890",
        ),
        ("-7", "-7"),
    ] {
        assert_eq!(
            value(&KeyPath::of([]), element).as_deref(),
            Ok(id),
            "{element}"
        );
    }
}

#[test]
fn any_other_value_is_an_error() {
    let shape = KeyPath::of(["k"]);
    let not_an_id = |found: &JsonResult<String>| matches!(found, Err(Damage::NotAnId(_)));
    for id in ["null", "true", "false", "1.0", "1e3", "-1E3", "[]", "{}"] {
        let element = format!(r#"{{"k":{id}}}"#);
        assert!(not_an_id(&value(&shape, &element)), "{id}");
    }
    for (element, damage) in [
        (r#"{"x":1}"#, Damage::NoKey),
        (r#""a""#, Damage::Mixed),
        (r#"{"k":"a","k":"a"}"#, Damage::RepeatedKey),
        (r#"{"k":"a""#, Damage::UnfinishedJson),
        (r#"{"k":"\ud800"}"#, Damage::BadEscape),
    ] {
        assert_eq!(value(&shape, element), Err(damage), "{element}");
    }
    for broken in [
        "a",
        r#"{"k":a}"#,
        r#"{"k":"a"} x"#,
        r#"{"k":"\q"}"#,
        "{\"k\":\"\t\"}",
    ] {
        let found = value(&shape, broken);
        assert!(matches!(found, Err(Damage::BrokenJson { .. })), "{broken}");
    }
    assert_eq!(value(&KeyPath::of([]), "{}"), Err(Damage::Mixed));
    for broken in ["01", "- 1", "\"a"] {
        assert!(value(&KeyPath::of([]), broken).is_err(), "{broken}");
    }
}

#[test]
fn records_are_found_in_a_page_a_body_and_a_message() {
    let ids = |element: &str| -> Vec<String> {
        let found = values(&decided(element, None), element);
        found.into_iter().map(Result::unwrap).collect()
    };
    assert_eq!(
        ids(r#"{"page":0,"results":[{"$distinct_id":"a"},{"$distinct_id":"b"}]}"#),
        ["a", "b"]
    );
    assert_eq!(
        ids(r#"{"distinct_ids":["a",7],"compliance_type":"GDPR"}"#),
        ["a", "7"]
    );
    assert_eq!(
        ids(r#"{"type":"RECORD","record":{"distinct_id":"a"}}"#),
        ["a"]
    );
    assert_eq!(
        ids(r#"{"data":{"user_id":"a"},"meta":{"user_id":"b"}}"#),
        ["a"]
    );
    for nothing in [r#"{"results":[]}"#, r#"{"type":"STATE","value":{}}"#] {
        let decided = decide(nothing, None);
        assert!(matches!(decided, Err(Undecided::SaysNothing)), "{nothing}");
    }
    let page = decided(r#"{"results":[{"distinct_id":"a"}]}"#, None);
    let mixed = values(&page, r#"{"results":[{"x":"a"},{"distinct_id":"b"},"c"]}"#);
    let found = [Err(Damage::NoKey), Ok("b".to_owned()), Err(Damage::Mixed)];
    assert_eq!(mixed, found);
    let two = unclear(r#"{"data":[{"id":"a"}],"users":[{"id":"b"}]}"#, None);
    assert!(two.contains("several keys"));
    let singular = values(
        &decided(r#"{"distinct_id":"a"}"#, None),
        r#"{"distinct_id":["a"]}"#,
    );
    assert_eq!(singular, [Err(Damage::NotAnId("a list"))]);
}
