//! `dsr guide`: what remains to be done after a deletion.

use std::collections::BTreeSet;

use crate::support::{Fake, Operator, Terminal, object_reply, status_reply};

const TOPICS: [&str; 8] = [
    "after-deletion",
    "copies",
    "retention",
    "opt-out",
    "opt-in",
    "opted-out-by-default",
    "ip-and-location",
    "default-properties",
];
const NOTE: &str = "`dsr guide after-deletion` lists what is left to do";
const SDKS: [&str; 6] = [
    "javascript",
    "ios",
    "swift",
    "android",
    "react-native",
    "server",
];

#[test]
fn each_sdk_has_its_version_source_and_calls() {
    let operator = Operator::new();
    for topic in &TOPICS[3..] {
        for sdk in SDKS {
            let outcome = operator.run(&["guide", topic, "--sdk", sdk, "--json"]);
            outcome.exits_with(0);
            let guide = outcome.json()["guide"].clone();
            assert_eq!(guide["topic"], *topic, "{outcome}");
            let entries = guide["entries"].as_array().unwrap();
            assert!(!entries.is_empty(), "{outcome}");
            for entry in entries {
                assert_eq!(
                    (&entry["topic"], &entry["sdk"]),
                    (&(*topic).into(), &sdk.into())
                );
                let source = entry["source"].as_str().unwrap();
                let version = entry["version"].as_str().unwrap();
                assert!(source.contains("github.com/mixpanel/"), "{outcome}");
                assert!(source.contains(version), "{outcome}");
                let calls = entry["calls"].as_str().unwrap_or_default();
                let notes = entry["notes"].as_array().unwrap();
                assert!(!calls.is_empty() || !notes.is_empty(), "{outcome}");
            }
        }
    }
}

#[test]
fn opting_out_is_told_in_the_words_of_each_sdk() {
    let operator = Operator::new();
    for (sdk, call) in [
        (
            "javascript",
            "mixpanel.opt_out_tracking({ delete_user: false });",
        ),
        ("ios", "[[Mixpanel sharedInstance] optOutTracking];"),
        ("swift", "Mixpanel.mainInstance().optOutTracking()"),
        ("android", "mixpanel.optOutTracking();"),
        ("react-native", "mixpanel.optOutTracking();"),
        ("server", "if may_track(user_id):"),
    ] {
        let outcome = operator.run(&["guide", "opt-out", "--sdk", sdk]);
        outcome.exits_with(0);
        let code = format!("  {call}\n");
        assert!(outcome.stdout.contains(&code), "{outcome}");
        let others = SDKS.iter().filter(|other| **other != sdk);
        for other in others {
            let head = format!("--sdk {other}:");
            assert!(!outcome.stdout.contains(&head), "{outcome}");
        }
    }
}

#[test]
fn without_an_sdk_all_are_told_of() {
    let operator = Operator::new();
    let outcome = operator.run(&["guide", "opt-in", "--json"]);
    let guide = outcome.json()["guide"].clone();
    let entries = guide["entries"].as_array().unwrap();
    let told: BTreeSet<&str> = entries
        .iter()
        .map(|entry| entry["sdk"].as_str().unwrap())
        .collect();
    assert_eq!(told, SDKS.into_iter().collect(), "{outcome}");
}

#[test]
fn without_a_topic_the_topics_are_listed() {
    let operator = Operator::new();
    operator.run(&["guide"]).exits_with(0);
    let listed = operator.run(&["guide", "--json"]).json();
    let listed = listed["topics"].as_array().unwrap();
    for (place, topic) in TOPICS.into_iter().enumerate() {
        assert_eq!(listed[place]["topic"], topic);
    }
    operator.run(&["guide", "--sdk", "ios"]).exits_with(2);
    operator.run(&["guide", "opt"]).exits_with(2);
    let outcome = operator.run(&["guide", "after-deletion", "--sdk", "ios"]);
    outcome.exits_with(2).says("same for every SDK");
    let outcome = operator.run(&["guide", "copies", "--sdk", "ios"]);
    outcome.exits_with(2).says("`copies` is the same");
}

#[test]
fn a_guide_needs_nothing_and_tells_nobody() {
    let fake = Fake::start();
    let operator = Operator::at(&fake)
        .without("DSR_TOKEN")
        .without("DSR_PROJECT_TOKEN");
    let before = operator.files().len();
    let outcome = operator.run(&["guide", "after-deletion"]);
    outcome.exits_with(0);
    assert!(outcome.stderr.is_empty(), "{outcome}");
    assert!(fake.calls().is_empty());
    assert_eq!(operator.files().len(), before, "it wrote a file");
}

#[test]
fn a_narrow_terminal_folds_the_text_and_leaves_code_and_addresses_whole() {
    let operator = Operator::new();
    for topic in TOPICS {
        let is_narrow = "until stty size | grep -q ' 60$'; do sleep 0.05; done";
        let mut terminal = Terminal::start(operator.command_after(is_narrow, &["guide", topic]));
        terminal.becomes_wide(60);
        let (status, shown) = terminal.ends();
        assert_eq!(status, 0, "{shown}");
        for line in shown.lines().filter(|line| !line.contains("https://")) {
            let width = line.trim_end().chars().count();
            assert!(width <= 60, "{topic}: {width}: {line}");
        }
    }
}

#[test]
fn the_copies_are_a_page_of_the_guide() {
    let outcome = Operator::new().run(&["guide", "copies"]);
    for text in [
        "dsr doctor --copies",
        "ERASE IN THIS ORDER",
        "7 to 360 days",
    ] {
        assert!(outcome.exits_with(0).stdout.contains(text), "{outcome}");
    }
    let page = Operator::new().run(&["guide", "copies", "--json"]);
    assert_eq!(page.exits_with(0).json()["help"]["topic"], "copies");
}

/// All deletions have succeeded when dsr first asks.
fn deleting() -> Fake {
    Fake::answering(|call| match call.is_post() {
        true => object_reply(&format!("task-{}", call.place)),
        false => status_reply("SUCCESS"),
    })
}

#[test]
fn a_deletion_tells_where_it_ends_when_it_is_sent_and_when_it_is_done() {
    let fake = deleting();
    let operator = Operator::at(&fake);
    let sent = operator.run(&["delete", "--gdpr", "--yes", "erased-person"]);
    sent.exits_with(0).says(NOTE);
    let id = operator.only_request()["id"].as_str().unwrap().to_owned();
    let open = operator.run(&["status", "--cached", &id]);
    assert!(!open.stderr.contains(NOTE), "it is not done yet\n{open}");
    let done = operator.run(&["status", "--refresh", &id]);
    done.exits_with(0).says(NOTE);
    let json = operator.run(&["status", "--cached", "--json", &id]);
    assert!(json.stderr.is_empty(), "{json}");
    let waited = operator.run(&["delete", "--gdpr", "--yes", "--wait", "erased-other"]);
    waited.exits_with(0).says(NOTE);
    for outcome in [sent, open, done, json, waited] {
        assert!(!outcome.stderr.contains("erased-"), "{outcome}");
    }
}

#[test]
fn an_export_has_no_such_note() {
    let fake = deleting();
    let operator = Operator::at(&fake);
    let outcome = operator.run(&["export", "--gdpr", "user-17", "--wait"]);
    let id = operator.only_request()["id"].as_str().unwrap().to_owned();
    let status = operator.run(&["status", "--cached", &id]);
    for outcome in [outcome, status] {
        assert!(!outcome.stderr.contains("after-deletion"), "{outcome}");
    }
}

#[test]
fn a_deletion_that_was_revoked_has_deleted_nothing() {
    let fake = Fake::answering(|call| match call.is_post() {
        true => object_reply(&format!("task-{}", call.place)),
        false => status_reply("REVOKED"),
    });
    let operator = Operator::at(&fake);
    operator.run(&["delete", "--gdpr", "--yes", "user-17"]);
    let id = operator.only_request()["id"].as_str().unwrap().to_owned();
    let outcome = operator.run(&["status", "--refresh", &id]);
    assert!(!outcome.stderr.contains(NOTE), "{outcome}");
}
