use serde_json::{Value, json};

use super::*;

fn ids(texts: &[&str]) -> Vec<DistinctId> {
    let ids = texts.iter().map(|text| DistinctId::restore(text));
    ids.map(Option::unwrap).collect()
}

fn reply(number: usize, total: usize, results: &[Value]) -> Value {
    let results = results
        .iter()
        .map(|id| json!({ "$distinct_id": id, "$properties": {} }));
    json!({
        "page": number, "page_size": 2, "session_id": "s-1", "status": "ok", "total": total,
        "results": results.collect::<Vec<_>>(),
    })
}

fn answered(status: u16, body: &str) -> Exchange {
    Exchange::Answered(Answered {
        status,
        retry_after: Some("7".to_owned()),
        date: None,
        body: body.as_bytes().to_vec(),
    })
}

fn classify(status: u16, body: &str) -> QueryAnswer<ProfilePage> {
    classify_query(answered(status, body))
}

fn page(value: &Value) -> ProfilePage {
    page::read(value.to_string().as_bytes()).expect("a page")
}

#[test]
fn ids_are_texts_or_numbers_with_every_digit() {
    let body = r#"{"page":0,"page_size":1000,"session_id":"s","status":"ok","total":4,"results":[
        {"$distinct_id":"user-17","$properties":{"a":[1]}},{"$distinct_id":4},
        {"$distinct_id":12345678901234567890123},{"$distinct_id":1.50}]}"#;
    let QueryAnswer::Answered(page) = classify(200, body) else {
        panic!("it is a page");
    };
    let ids: Vec<&str> = page.profiles.iter().map(|one| one.id.as_str()).collect();
    assert_eq!(ids, ["user-17", "4", "12345678901234567890123", "1.50"]);
}

fn has_no_page(answer: &QueryAnswer<ProfilePage>) -> bool {
    matches!(
        answer,
        QueryAnswer::Unclear { .. } | QueryAnswer::Unusable { .. }
    )
}

#[test]
fn only_a_whole_answer_is_one_that_comes_again() {
    for (status, body, comes_again) in [
        (200, r#"{"status":"ok"}"#, true),
        (200, r#"{"status":"ok""#, false),
        (200, "<html>log in</html>", false),
        (302, "", true),
        (502, "{}", false),
    ] {
        let answer = classify(status, body);
        let is_unusable = matches!(answer, QueryAnswer::Unusable { .. });
        assert_eq!(is_unusable, comes_again, "{status} {body}");
    }
}

#[test]
fn what_is_not_a_whole_page_is_never_no_profile() {
    let whole = reply(0, 0, &[]);
    assert!(matches!(
        classify(200, &whole.to_string()),
        QueryAnswer::Answered(_)
    ));
    for missing in ["page", "page_size", "total", "status", "results"] {
        let mut less = whole.clone();
        less.as_object_mut().unwrap().remove(missing);
        let answer = classify(200, &less.to_string());
        assert!(has_no_page(&answer), "{missing}");
    }
    let text = whole.to_string();
    for body in [
        "",
        "null",
        "[]",
        "{}",
        "<html>200</html>",
        &text[..text.len() - 1],
        r#"{"status":"ok"}"#,
        r#"{"page":0,"page_size":2,"status":"ok","total":1,"results":[{}]}"#,
        r#"{"page":0,"page_size":0,"status":"ok","total":0,"results":[]}"#,
        r#"{"page":0,"page_size":2,"status":"partial","total":0,"results":[]}"#,
        r#"{"page":-1,"page_size":2,"status":"ok","total":0,"results":[]}"#,
    ] {
        let answer = classify(200, body);
        assert!(has_no_page(&answer), "{body}: {answer:?}");
    }
    for status in [201, 204, 301, 302, 500, 502] {
        let answer = classify(status, &text);
        assert!(has_no_page(&answer), "{status}");
    }
}

#[test]
fn errors_keep_their_class_and_quote_no_secret() {
    let error = r#"{"status":"error","error":"no such user-17 of top-secret"}"#;
    for status in [200, 400, 402] {
        let answer = classify(status, error);
        assert!(matches!(answer, QueryAnswer::Refused { .. }), "{answer:?}");
    }
    for status in [401, 403] {
        assert!(matches!(
            classify(status, error),
            QueryAnswer::NotAllowed { .. }
        ));
    }
    let QueryAnswer::Deferred { retry_after } = classify(429, "") else {
        panic!("429 is a deferral");
    };
    assert_eq!(retry_after, Some(Duration::from_secs(7)));
}

#[test]
fn a_page_with_an_error_is_an_error_whatever_its_status() {
    let mut page = reply(0, 0, &[]);
    for error in [
        json!("timed out"),
        json!({ "message": "partial" }),
        json!(1),
    ] {
        page["error"] = error;
        let answer = classify(200, &page.to_string());
        assert!(matches!(answer, QueryAnswer::Refused { .. }), "{answer:?}");
    }
    for none in [Value::Null, json!("")] {
        page["error"] = none;
        let answer = classify(200, &page.to_string());
        assert!(matches!(answer, QueryAnswer::Answered(_)), "{answer:?}");
    }
}

#[test]
fn pages_add_up_to_the_total() {
    let mut profiles = Profiles::of(ids(&["a", "b", "c", "4"]));
    assert!(!profiles.is_whole());
    let first = page(&reply(0, 3, &[json!("c"), json!(4)]));
    profiles.take(&first).unwrap();
    assert_eq!(profiles.course.next_page(), Some(("s-1", 1)));
    assert!(!profiles.is_whole());
    profiles.take(&page(&reply(1, 3, &[json!("a")]))).unwrap();
    assert!(profiles.is_whole());
    assert_eq!(profiles.into_answer().unwrap(), [true, false, true, true]);
}

#[test]
fn a_page_that_does_not_fit_is_an_error() {
    use PageFault::*;
    let first = || reply(0, 3, &[json!("c"), json!("a")]);
    let with = |key: &str, value: Value| {
        let mut changed = reply(1, 3, &[json!("b")]);
        changed[key] = value;
        changed
    };
    for (second, fault) in [
        (with("page", json!(0)), OtherPage),
        (with("total", json!(4)), OtherTotal),
        (with("total", json!(2)), OtherTotal),
        (with("page_size", json!(3)), OtherSize),
        (with("session_id", json!("s-2")), OtherSession),
        (with("results", json!([])), WrongCount),
        (reply(1, 3, &[json!("c")]), Twice),
    ] {
        let mut profiles = Profiles::of(ids(&["a", "b", "c"]));
        profiles.take(&page(&first())).unwrap();
        assert_eq!(profiles.take(&page(&second)), Err(fault), "{second}");
    }
    // A profile under another id is one of an alias, or of nobody who was asked for.
    let other = || {
        let mut profiles = Profiles::of(ids(&["a", "b", "c"]));
        profiles.take(&page(&first())).unwrap();
        profiles.take(&page(&reply(1, 3, &[json!("B")]))).unwrap();
        profiles
    };
    assert_eq!(other().into_answer(), Err(NotAsked));
    assert_eq!(other().into_found(), ["a", "c", "B"]);
    let mut few = Profiles::of(ids(&["a", "c"]));
    assert_eq!(few.take(&page(&first())), Err(NotAsked), "more than ids");
    let mut twice = Profiles::of(ids(&["a", "b", "c"]));
    let page_twice = page(&reply(0, 2, &[json!("B"), json!("B")]));
    assert_eq!(twice.take(&page_twice), Err(Twice));
    let mut profiles = Profiles::of(ids(&["a", "b", "c"]));
    let mut unnamed = first();
    unnamed["session_id"] = Value::Null;
    assert_eq!(profiles.take(&page(&unnamed)), Err(NoSession));
}

#[test]
fn an_account_is_accepted_only_in_so_many_words() {
    let of = |status, body| classify_account(answered(status, body));
    let accepted = AccountAnswer::Accepted;
    assert_eq!(of(200, r#"{"status":"ok","results":{}}"#), accepted);
    assert_eq!(of(429, ""), AccountAnswer::Deferred);
    for http_status in [401, 403] {
        let answer = of(http_status, r#"{"status":"error"}"#);
        assert_eq!(answer, AccountAnswer::NotAllowed { http_status });
    }
    for (status, body) in [
        (200, "<html>"),
        (200, r#"{"status":"error"}"#),
        (301, "{}"),
        (403, "<html>"),
        (500, "{}"),
    ] {
        let answer = of(status, body);
        assert!(matches!(answer, AccountAnswer::Unclear { .. }), "{status}");
    }
}
