//! What a person reads, and what a program reads.

use super::*;
use crate::domain::Disclosure;

fn page(bench: &Bench, id: &str) -> String {
    bench.read(id, "index.html")
}

#[test]
fn a_manifest_says_what_there_is_and_where_it_came_from() {
    let events = [
        event("anna", "Sign In", 1_700_000_000),
        event("anna", "Search", 1_700_086_400),
        event("anna", "Search", 1_600_000_000),
        r#"{"event":"Odd","distinct_id":"anna"}"#.to_owned(),
        "broken".to_owned(),
        r#"{"event":"x"}"#.to_owned(),
        event("carl", "x", 1),
    ];
    let members = [
        ("a.jsonl", &*events.join("\n")),
        ("p.json", &profile("anna")),
    ];
    let mut bench = Bench::of_members(&members, &["anna"]);
    bench.about.sha256 = hex(&std::fs::read(bench.folder.path().join("export.zip")).unwrap());
    bench.split();
    let sha = |file: &str| hex(bench.read("anna", file).as_bytes());
    let length = |file: &str| bench.read("anna", file).len();
    let file =
        |name: &str| serde_json::json!({"name": name, "bytes": length(name), "sha256": sha(name)});
    let expected = serde_json::json!({
        "schema": 1,
        "distinct_id": "anna",
        "law": "gdpr",
        "disclosure": null,
        "project": "shop",
        "request": "q7tz0xmab2cd3ef4",
        "task": "3e0b7f52-1111-4222-8333-444455556666",
        "archive_sha256": bench.about.sha256,
        "fetched": "2026-11-20T08:00:00Z",
        "made": "2026-11-22T12:30:00Z",
        "time_zone": "UTC",
        "time_zone_is_assumed": true,
        "period": {
            "first_event": "2020-09-13T12:26:40Z",
            "last_event": "2023-11-15T22:13:20Z"
        },
        "records": {"events": 4, "profiles": 1, "others": 0},
        "events_by_name": [
            {"name": "Search", "count": 2},
            {"name": "Odd", "count": 1},
            {"name": "Sign In", "count": 1}
        ],
        "events_of_further_names": 0,
        "events_without_time": 1,
        "names": {
            "events": ["Search", "Odd", "Sign In"],
            "event_properties": ["distinct_id", "time"],
            "profile_properties": ["$city", "$distinct_id"]
        },
        "records_of_others_removed": 0,
        "not_understood": {
            "records_that_name_nobody": 1,
            "records_that_name_several": 0,
            "unreadable_pieces": 1,
            "unreadable_files": 0,
            "lists_of_several_people": 0,
            "records_maybe_under_another_id": 0,
            "records_of_other_people_only": 0,
            "missing_parts": 0
        },
        "files": [file("events.jsonl"), file("profile.json"), file("index.html")]
    });
    let text = bench.read("anna", "manifest.json");
    assert_eq!(text, format!("{expected:#}\n"));
}

#[test]
fn whoever_was_asked_for_and_has_nothing_gets_a_package_that_says_so() {
    let members = [
        ("events.json", &*event("anna", "x", 1)),
        ("people.json", ""),
        ("summary.json", NO_NAMES),
    ];
    let bench = Bench::of_members(&members, &["anna", "nobody"]);
    bench.split();
    assert!(page(&bench, "nobody").contains("Mixpanel delivered no data for this identifier."));
    assert!(!page(&bench, "anna").contains("Mixpanel delivered no data"));
    assert_eq!(bench.manifest("nobody")["period"], Value::Null);
}

#[test]
fn there_is_no_file_without_a_record_and_no_link_to_one() {
    let members = [("a.jsonl", &*event("anna", "x", 1)), ("p", &profile("bob"))];
    let bench = Bench::of_members(&members, &["anna", "bob", "nobody"]);
    bench.split();
    for (id, expected) in [
        ("anna", &["events.jsonl", "index.html", "manifest.json"][..]),
        ("bob", &["index.html", "manifest.json", "profile.json"]),
        ("nobody", &["index.html", "manifest.json"]),
    ] {
        let files = files_below(&bench.package(id));
        let names = files.keys().map(|path| path.file_name().unwrap());
        assert_eq!(names.collect::<Vec<_>>(), expected, "{id}");
        let page = page(&bench, id);
        for name in ["events.jsonl", "profile.json"] {
            assert_eq!(page.contains(name), expected.contains(&name), "{id} {name}");
        }
    }
    assert!(!page(&bench, "nobody").contains("for programs"));
}

#[test]
fn the_company_says_who_it_is_and_what_it_does_not_say_is_left_out() {
    let made = |company: Company, scope| {
        let mut bench = Bench::of_members(&[("a", &event("anna", "x", 1))], &["anna"]);
        bench.about.company = company;
        bench.about.scope = scope;
        bench.split();
        page(&bench, "anna")
    };
    let some = Company {
        name: "<b>Shop</b> & \u{202e}Co\nLindenstr. 1".to_owned(),
        contact: " ".to_owned(),
        officer: "dpo@shop.example".to_owned(),
        ..Company::default()
    };
    let gdpr = made(some.clone(), RetrievalScope::Gdpr);
    for text in [
        "&lt;b&gt;Shop&lt;/b&gt; &amp; <span class=\"hidden-char\">U+202E</span>Co\nLindenstr. 1",
        "<dt>Our data protection officer</dt><dd>dpo@shop.example</dd>",
    ] {
        assert!(gdpr.contains(text), "{text}");
    }
    assert!(!gdpr.contains("How to reach us") && !gdpr.contains("Where you can complain"));
    let ccpa = made(some, RetrievalScope::Ccpa(Disclosure::Data));
    assert!(ccpa.contains("Who we are") && !ccpa.contains("officer"));
    let silent = made(Company::default(), RetrievalScope::Gdpr);
    assert!(!silent.contains("What the company says") && !silent.contains("filled in"));
}

#[test]
fn a_page_of_a_rehearsal_says_that_its_data_is_invented() {
    let made = |sandbox| {
        let mut bench = Bench::of_members(&[("a", &event("anna", "x", 1))], &["anna"]);
        bench.about.sandbox = sandbox;
        bench.split();
        page(&bench, "anna")
    };
    let (rehearsal, real) = (made(true), made(false));
    let banner = rehearsal.find("A rehearsal.").unwrap();
    assert!(banner < rehearsal.find("<h1>").unwrap(), "at the top");
    assert!(rehearsal.contains("its data is invented"));
    assert!(!real.contains("rehearsal") && !real.contains("invented"));
}

#[test]
fn paper_has_the_details_of_each_event_and_nothing_to_click_on() {
    let bench = Bench::of_members(&[("a", &event("anna", "x", 1))], &["anna"]);
    bench.split();
    let page = page(&bench, "anna");
    let paper = page.split("@media print {").nth(1).unwrap();
    let paper = paper.split("</style>").next().unwrap();
    for rule in [
        ".events details::details-content { content-visibility: visible;",
        ".events summary { display: none; }",
        ".tools, .skip, .chart details { display: none; }",
    ] {
        assert!(paper.contains(rule), "{rule}");
    }
    assert!(!paper.contains(":not([open])"));
    assert!(page.contains("\"beforeprint\""), "for other browsers");
}

#[test]
fn no_package_holds_anything_of_another_person() {
    let text = [
        event("anna-secret", "Anna's event", 1),
        event("bob-secret", "Bob's event", 2),
        profile("bob-secret"),
        event("carl-secret", "Carl's event", 3),
        r#"{"event":"x","distinct_id":"anna-secret","properties":{"distinct_id":"dora-secret"}}"#
            .to_owned(),
        "broken of emil-secret".to_owned(),
    ];
    let members = [("of-anna-secret-and-bob-secret.jsonl", &*text.join("\n"))];
    let bench = Bench::of_members(&members, &["anna-secret", "bob-secret", "nobody"]);
    bench.split();
    for (own, others) in [
        ("anna-secret", &["bob", "carl", "dora", "emil"][..]),
        ("bob-secret", &["anna", "carl", "dora", "emil"]),
        ("nobody", &["anna", "bob", "carl", "dora", "emil"]),
    ] {
        for (path, content) in files_below(&bench.package(own)) {
            let content = String::from_utf8(content).unwrap().to_lowercase();
            for other in others {
                assert!(!content.contains(other), "{other} in {}", path.display());
            }
        }
    }
}

#[test]
fn no_value_gets_out_of_its_place_on_the_page() {
    let evil = "</script><script>alert(1)</script><img src=x onerror=alert(1)>\" onload=\"x' {{}}";
    let record = serde_json::json!({
        "event": evil,
        "properties": {"distinct_id": evil, evil: evil, "list": [evil], "time": 1_700_000_000},
    });
    let profile =
        serde_json::json!({"$distinct_id": evil, "$properties": {evil: evil, "$name": evil}});
    let mut bench = Bench::of_members(&[("a", &format!("{record}\n{profile}\n"))], &[evil]);
    bench.about.project = evil.to_owned();
    bench.split();
    let page = page(&bench, evil);
    assert!(!page.contains("<img") && !page.contains("<script>alert"));
    assert!(page.contains("&lt;/script&gt;&lt;script&gt;alert(1)"));
    assert_eq!(page.matches("<script>").count(), 1, "ours alone");
    assert_eq!(page.matches("</script>").count(), 1);
    assert!(!page.contains("\" onload=\""));
}

#[test]
fn the_page_loads_nothing_and_its_policy_fits_its_style_and_script() {
    let bench = Bench::of_members(
        &[("a.jsonl", &event("anna", "x", 1_700_000_000))],
        &["anna"],
    );
    bench.split();
    let page = page(&bench, "anna");
    for outside in [
        "http:", "https:", "src=", "@import", "url(", "<link", "<iframe", "style=\"",
    ] {
        assert!(!page.contains(outside), "{outside}");
    }
    let policy = page
        .split("Content-Security-Policy\" content=\"")
        .nth(1)
        .unwrap();
    let policy = policy.split('"').next().unwrap();
    assert!(policy.starts_with("default-src 'none'; "), "{policy}");
    for tag in ["style", "script"] {
        use base64::Engine;
        let inside = page.split(&format!("<{tag}>")).nth(1).unwrap();
        let inside = inside.split(&format!("</{tag}>")).next().unwrap();
        let digest = base64::engine::general_purpose::STANDARD.encode(Sha256::digest(inside));
        assert!(
            policy.contains(&format!("{tag}-src 'sha256-{digest}'")),
            "{tag}"
        );
    }
    assert!(page.contains("<html lang=\"en\">") && page.ends_with("</html>\n"));
}

#[test]
fn hidden_characters_and_reordering_are_shown() {
    let id = "anna\u{202e}txt.exe";
    let record = serde_json::json!({"event": "a\u{7}b", "distinct_id": id, "note": "x\u{2066}y"});
    let bench = Bench::of_members(&[("a", &record.to_string())], &[id]);
    bench.split();
    let page = page(&bench, id);
    for hidden in ['\u{202e}', '\u{7}', '\u{2066}'] {
        assert!(!page.contains(hidden));
        assert!(page.contains(&format!("U+{:04X}", u32::from(hidden))));
    }
}

#[test]
fn a_person_with_many_events_gets_the_newest_listed_and_is_told() {
    let lines: Vec<String> = (0..500)
        .map(|number| event("anna", &format!("event-{number}-"), 1_700_000_000 + number))
        .collect();
    let mut bench = Bench::of_members(&[("a.jsonl", &lines.join("\n"))], &["anna"]);
    bench.limits.rows = 20;
    bench.split();
    let page = page(&bench, "anna");
    assert_eq!(page.matches("<td class=\"time\">").count(), 20);
    let row = |number: usize| page.find(&format!("<th scope=\"row\">event-{number}-</th><td>"));
    assert!(row(499) < row(498) && row(480).is_some() && row(479).is_none());
    assert!(page.contains("These are the newest 20 of 500 events."));
    assert_eq!(bench.lines("anna", "events.jsonl").len(), 500);
}

#[test]
fn long_values_are_shortened_on_the_page_alone() {
    let long = "ä".repeat(5000);
    let record = serde_json::json!({"event": "x", "distinct_id": "anna", "note": long});
    let bench = Bench::of_members(&[("a", &record.to_string())], &["anna"]);
    bench.split();
    assert!(page(&bench, "anna").contains("the file has all 5,000 characters"));
    assert!(!page(&bench, "anna").contains(&long));
    assert!(bench.read("anna", "events.jsonl").contains(&long));
}

#[test]
fn events_are_read_back_right_from_a_file_that_is_read_in_places() {
    let note = "n".repeat(3000);
    let line = |number: i64| {
        format!(
            r#"{{"event":"e{number}","distinct_id":"anna","time":{number},"note":"{number}{note}"}}"#
        )
    };
    let lines: Vec<String> = (1..=2000).map(line).collect();
    let bench = Bench::of_members(&[("a.jsonl", &lines.join("\n"))], &["anna"]);
    bench.split();
    let page = page(&bench, "anna");
    for number in [2000, 1750, 1501] {
        let row = page
            .split(&format!("<th scope=\"row\">e{number}</th><td><details"))
            .nth(1)
            .unwrap();
        assert!(
            row.split("</tr>")
                .next()
                .unwrap()
                .contains(&format!("{number}nnn"))
        );
    }
}

#[test]
fn each_law_has_its_own_words() {
    let words = |scope| {
        let mut bench = Bench::of_members(&[("a", &event("anna", "x", 1))], &["anna"]);
        bench.about.scope = scope;
        bench.split();
        (page(&bench, "anna"), bench.manifest("anna"))
    };
    let (gdpr, manifest) = words(RetrievalScope::Gdpr);
    assert!(gdpr.contains("Article 15") && !gdpr.contains("CCPA"));
    assert_eq!(manifest["law"], "gdpr");
    let (ccpa, manifest) = words(RetrievalScope::Ccpa(Disclosure::Sources));
    assert!(ccpa.contains("categories of sources") && !ccpa.contains("Article 15"));
    assert_eq!(
        (&manifest["law"], &manifest["disclosure"]),
        (&"ccpa".into(), &"sources".into())
    );
    for page in [gdpr, ccpa] {
        assert!(page.contains("Your rights") && page.contains("not legal advice"));
    }
}

#[test]
fn several_profiles_are_one_list_and_all_shown() {
    let text = format!("{}\n{}\n", profile("anna"), profile("anna"));
    let bench = Bench::of_members(&[("a", &text)], &["anna"]);
    bench.split();
    let profiles: Value = serde_json::from_str(&bench.read("anna", "profile.json")).unwrap();
    assert_eq!(profiles.as_array().unwrap().len(), 2);
    assert!(page(&bench, "anna").contains("Profile 2"));
}

#[test]
fn values_are_shown_as_a_person_reads_them() {
    let profile = serde_json::json!({"$distinct_id": "anna", "$properties": {
        "tags": ["red", "blue"],
        "address": {"street": "Rua A 1", "$city": "Lisboa"},
        "nothing": [],
        "deep": {"list": [{"a": 1}]},
        "$last_seen": "2026-10-30T11:00:00",
        "newsletter": true,
    }});
    let bench = Bench::of_members(&[("a", &profile.to_string())], &["anna"]);
    bench.split();
    let page = page(&bench, "anna");
    for shown in [
        "<dd>red, blue</dd>",
        "<dd>street: Rua A 1, City: Lisboa</dd>",
        "<dd><em>empty</em></dd>",
        "<dd><code>{&quot;list&quot;:[{&quot;a&quot;:1}]}</code></dd>",
        "<dd>30 Oct 2026, 11:00:00</dd>",
        "<dd>yes</dd>",
    ] {
        assert!(page.contains(shown), "{shown}");
    }
}

#[test]
fn an_event_does_not_repeat_whose_it_is_but_says_whose_else_it_could_be() {
    let mut lines = vec![event("anna", "plain", 1)];
    lines.push(
        r#"{"event":"odd","distinct_id":"anna","$distinct_id":"\u0061nna","x":1}"#.to_owned(),
    );
    let bench = Bench::of_members(&[("a.jsonl", &lines.join("\n"))], &["anna"]);
    bench.split();
    let page = page(&bench, "anna");
    let events = page.split("id=\"events\"").nth(1).unwrap();
    let events = events.split("id=\"names\"").next().unwrap();
    assert_eq!(
        events.matches("Identifier").count(),
        1,
        "the one that is written otherwise"
    );
}

#[test]
fn a_page_does_not_say_whose_clock_it_is_where_nobody_said() {
    let record = r#"{"event":"x","distinct_id":"anna","time":1700000000,"$time":1700000000}"#;
    let bench = Bench::of_members(&[("a", record)], &["anna"]);
    bench.split();
    let unset = page(&bench, "anna");
    assert!(unset.contains("from 2023 or later") && unset.contains("project’s time zone"));
    assert!(!unset.contains("Time (UTC)") && !unset.contains("as Mixpanel recorded them"));

    let mut bench = Bench::of_members(&[("a", record)], &["anna"]);
    bench.about.zone = ProjectZone::parse("Europe/Berlin").unwrap();
    bench.split();
    let set = page(&bench, "anna");
    assert!(!set.contains("from 2023 or later"));
    // Only `time` is by the project's clock.
    assert!(set.contains("<dt>$time</dt><dd>1700000000</dd>"), "{set}");
}

#[test]
fn a_number_that_is_no_moment_is_shown_as_it_is() {
    for number in ["100000000000", "250000000000000", "99999999999", "-5"] {
        let record = format!(r#"{{"event":"x","distinct_id":"anna","time":{number}}}"#);
        let bench = Bench::of_members(&[("a", &record)], &["anna"]);
        bench.split();
        assert!(
            page(&bench, "anna").contains("<em>no time</em>"),
            "{number}"
        );
    }
}

#[test]
fn the_page_says_that_values_were_removed_and_not_what_the_project_is_called_here() {
    let record = r#"{"event":"x","distinct_id":"anna","with":{"distinct_id":"bob"}}"#;
    let profile = r#"{"$distinct_id":"anna","$properties":{"a":1}}"#;
    let bench = Bench::of_members(&[("a", record), ("p", profile)], &["anna", "bob"]);
    bench.split();
    let removed = page(&bench, "anna");
    let less = "with the values Mixpanel delivered, less what was removed (JSON)";
    assert!(removed.contains(&format!("Every event, one a line, {less}")));
    assert!(removed.contains("Your profile, with the values Mixpanel delivered (JSON)"));
    assert!(!removed.contains("“shop”") && !removed.contains(": shop"));
    let whole = page(&bench, "bob");
    assert!(!whole.contains("less what was removed"));
}

#[test]
fn an_event_without_a_name_is_called_so_everywhere() {
    for name in ["\"\"", "null"] {
        let record = format!(r#"{{"event":{name},"distinct_id":"anna","time":1700000000}}"#);
        let bench = Bench::of_members(&[("a", &record)], &["anna"]);
        bench.split();
        let page = page(&bench, "anna");
        let shown = "<th scope=\"row\"><em>without a name</em></th>";
        assert_eq!(page.matches(shown).count(), 2, "{name}");
        assert!(
            page.contains("<option value=\"0\">without a name</option>"),
            "{name}"
        );
        assert!(
            !page.contains("&quot;&quot;") && !page.contains(">null<"),
            "{name}"
        );
    }
}
