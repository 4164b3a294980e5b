use super::*;

fn events(count: usize) -> Vec<OutgoingEvent<'static>> {
    let event = |number| OutgoingEvent {
        json: b"{}",
        id: DistinctId::new(&format!("person-number-{number}")).unwrap(),
        insert_id: format!("insert-{number}"),
    };
    (0..count).map(event).collect()
}

fn answer(status: u16, body: &str) -> ImportAnswer {
    let events = events(3);
    let exchange = Exchange::Answered(Answered {
        status,
        retry_after: Some("7".to_owned()),
        date: None,
        body: body.as_bytes().to_vec(),
    });
    classify_import(exchange, &events)
}

fn partly(failed: &str, taken: &str) -> ImportAnswer {
    answer(
        400,
        &format!(r#"{{"code":400,"status":"Bad Request","failed_records":[{failed}]{taken}}}"#),
    )
}

#[test]
fn a_200_counts_only_with_the_right_number() {
    let taken = ImportAnswer::Taken { refused: vec![] };
    let ok = r#"{"code":200,"num_records_imported":3,"status":"OK"}"#;
    assert_eq!(answer(200, ok), taken);
    let miscounted = ImportAnswer::Miscounted {
        taken: 2,
        expected: 3,
    };
    assert_eq!(answer(200, &ok.replace('3', "2")), miscounted);
    for odd in [
        "",
        "{}",
        "[]",
        "1",
        "<html>",
        r#"{"status":"OK"}"#,
        r#"{"code":200,"num_records_imported":"3"}"#,
        r#"{"code":200,"num_records_imported":-3}"#,
        r#"{"code":400,"num_records_imported":3}"#,
        r#"{"code":200,"num_records_imported":3,"failed_records":[{"index":0}]}"#,
        r#"{"code":200,"num_records_imported":3"#,
        r#"{"code":200,"num_records_imported":3,"status":"error"}"#,
        r#"{"code":200,"num_records_imported":3,"status":"Error","error":"quota"}"#,
        r#"{"code":200,"num_records_imported":3,"status":"OK","error":"quota"}"#,
        r#"{"code":200,"num_records_imported":3,"status":0}"#,
    ] {
        let found = answer(200, odd);
        assert!(
            matches!(found, ImportAnswer::Unclear { .. }),
            "{odd}: {found:?}"
        );
    }
}

#[test]
fn a_400_that_adds_up_names_the_refused_events() {
    let two = r#"{"index":2,"$insert_id":"insert-2","field":"properties.time","message":"wrong"},
         {"index":0,"insert_id":"insert-0","field":"properties.x","message":"of person-number-0"}"#;
    for taken in ["", r#","num_records_imported":1"#] {
        let ImportAnswer::Taken { refused } = partly(two, taken) else {
            panic!("{taken}");
        };
        let fields: Vec<_> = refused.iter().map(|one| one.record.field).collect();
        assert_eq!(fields, [RefusedField::Other, RefusedField::Time]);
        let message = refused[0].message.to_string();
        assert!(!message.contains("person-number"), "{message}");
        assert!(!refused[1].message.as_str().contains("wrong"));
    }
    let mailed = r#"{"index":1,"message":"a@b.test is odd"}"#;
    let ImportAnswer::Taken { refused } = partly(mailed, "") else {
        panic!();
    };
    assert!(!refused[0].message.as_str().contains('@'));
}

#[test]
fn a_400_that_refuses_all_and_took_some_is_not_trusted() {
    for taken in [1, 2, 3] {
        for body in [
            format!(r#"{{"code":400,"failed_records":[],"num_records_imported":{taken}}}"#),
            format!(r#"{{"code":400,"error":"no","num_records_imported":{taken}}}"#),
        ] {
            let found = answer(400, &body);
            assert!(
                matches!(found, ImportAnswer::Unclear { .. }),
                "{body}: {found:?}"
            );
        }
    }
}

#[test]
fn a_400_that_does_not_add_up_is_not_trusted() {
    for odd in [
        r#"{"index":3}"#,
        r#"{"index":1},{"index":1}"#,
        r#"{"index":1,"insert_id":"insert-2"}"#,
        r#"{"index":-1}"#,
        r#"{"index":0.5}"#,
        r#"{"insert_id":"insert-0"}"#,
        r#"7"#,
    ] {
        let found = partly(odd, "");
        assert!(
            matches!(found, ImportAnswer::Unclear { .. }),
            "{odd}: {found:?}"
        );
    }
    let found = partly(r#"{"index":1}"#, r#","num_records_imported":3"#);
    let miscounted = ImportAnswer::Miscounted {
        taken: 3,
        expected: 2,
    };
    assert_eq!(found, miscounted);
}

#[test]
fn every_other_status_has_one_meaning() {
    let wait = Some(Duration::from_secs(7));
    for status in [500, 502, 503, 504, 408] {
        let found = answer(status, "<html>");
        assert!(
            matches!(found, ImportAnswer::Lost { retry_after, .. } if retry_after == wait),
            "{status}: {found:?}"
        );
    }
    let found = answer(429, "{}");
    assert!(matches!(found, ImportAnswer::NotTaken { retry_after, .. } if retry_after == wait));
    for http_status in [401, 403] {
        let error = r#"{"code":401,"error":"Invalid credentials"}"#;
        let expected = ImportAnswer::NotAllowed { http_status };
        assert_eq!(answer(http_status, error), expected);
    }
    for body in ["", "<html>413 Request Entity Too Large</html>"] {
        assert_eq!(answer(413, body), ImportAnswer::TooLarge);
    }
    for status in [301, 302, 307, 308, 204, 201] {
        let found = answer(status, "{}");
        assert!(
            matches!(found, ImportAnswer::Unclear { .. }),
            "{status}: {found:?}"
        );
    }
    for (status, body) in [
        (
            400,
            r#"{"code":400,"error":"bad token the-secret-of-the-account"}"#,
        ),
        (404, "{}"),
        (400, r#"{"code":400,"failed_records":[]}"#),
    ] {
        let ImportAnswer::Refused { message, .. } = answer(status, body) else {
            panic!("{body}");
        };
        assert!(!message.as_str().contains("the-secret"), "{message}");
    }
    let page = answer(404, "<!doctype html>");
    assert!(matches!(page, ImportAnswer::Unclear { .. }));
}
