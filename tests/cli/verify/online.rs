//! `dsr verify` asks Mixpanel for events and profiles.

use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::Days;
use serde_json::json;

use super::mixpanel::{Mixpanel, PEOPLE, SECRET, USER, entries, gzip, online, packed, text};
use super::{LONG_AGO, event, lines, people, soon, today};
use crate::support::{Gate, Hold, Reply, at_once, shows};

#[test]
fn everyone_is_judged_by_one_export_that_names_nobody() {
    let mixpanel = Mixpanel::start();
    let operator = mixpanel.operator("");
    let id = mixpanel.erases(&operator, &PEOPLE);
    let strangers = [event("stranger", LONG_AGO), event("stranger", soon())];
    let with = |more| [&strangers[..], more].concat();
    let some = with(&[event("17", soon()), event("done@x.test", LONG_AGO)]);
    for (events, expected, status) in [
        (&strangers[..], [3, 0, 0, 0, 0, 0], 0),
        (&some, [1, 1, 0, 1, 0, 0], 1),
    ] {
        for reply in [text(events), packed(&gzip(&lines(events)))] {
            mixpanel.has_events(reply);
            let outcome = online(&operator, &[&id, "--json", "--exit-status"]);
            let found = outcome.exits_with(status).json();
            assert_eq!(people(&found), expected, "{found}");
            let profiles = json!({ "with": 0, "without": 0, "not_asked": 3, "found_before": null });
            assert_eq!(found["profiles"], profiles);
            let today = today();
            let window = json!({ "from": today - Days::new(8), "to": today });
            assert_eq!(found["window"], window);
        }
    }
    let call = mixpanel.exports().remove(0);
    assert_eq!(
        (call.method.as_str(), call.path.as_str()),
        ("GET", "/api/2.0/export")
    );
    let today = today();
    let query = format!(
        "project_id=4242&from_date={}&to_date={today}",
        today - Days::new(8)
    );
    assert_eq!(call.query, query);
    let basic = format!("Basic {}", STANDARD.encode(format!("{USER}:{SECRET}")));
    assert_eq!(call.header("authorization"), Some(basic.as_str()));
    assert_eq!(call.header("accept-encoding"), Some("gzip"));
    assert_eq!(mixpanel.asked(), [""; 0], "no id is known");
    assert_eq!(mixpanel.exports().len(), 4);
    assert_eq!(entries(&operator, "events_asked"), 4);
    let order = operator.ledger_texts(
        "SELECT event FROM audit WHERE event IN ('events_asked', 'erasure_checked') ORDER BY seq",
    );
    assert_eq!(order[..2], ["events_asked", "erasure_checked"]);
    operator.run(&["audit", "verify"]).exits_with(0);
    let screen = online(&operator, &[&id]);
    let said = format!("that Mixpanel has from {} to {today}", today - Days::new(8));
    assert!(shows(&screen.stdout, &said), "{screen}");
    assert!(
        shows(&screen.stdout, "Profiles were not checked."),
        "{screen}"
    );
    let days = ["--from", "2026-01-02", "--to", "2026-01-03"];
    online(&operator, &[&[id.as_str()], &days[..]].concat()).exits_with(0);
    let last = mixpanel.exports().pop().expect("a call").query;
    assert!(
        last.ends_with("from_date=2026-01-02&to_date=2026-01-03"),
        "{last}"
    );
}

#[test]
fn an_answer_that_may_lack_events_calls_nobody_absent() {
    let mixpanel = Mixpanel::start();
    let operator = mixpanel.operator("");
    let id = mixpanel.erases(&operator, &PEOPLE);
    let good = lines(&[event("stranger", LONG_AGO), event("stranger", soon())]);
    let cut = good.trim_end();
    let plain = |body: &str| Reply::text(200, "text/plain", body);
    let doubtful = [
        plain(""),
        packed(&gzip("")),
        plain(cut),
        packed(&gzip(cut)),
        plain(&format!("{good}terminated early\n")),
        plain(&format!("{good}{{\"error\":\"canary\"}}\n")),
        // Nothing tells where it ends.
        Reply::raw("HTTP/1.1 200 OK\r\n", good.as_bytes()),
    ];
    for reply in doubtful {
        mixpanel.has_events(reply.clone());
        let outcome = online(&operator, &[&id, "--json", "--exit-status"]);
        let found = outcome.exits_with(5).json();
        assert_eq!(people(&found), [0, 0, 0, 0, 3, 0], "{reply:?}");
        assert_eq!(found["warnings"][0]["kind"], "damaged_lines", "{found}");
    }
    let checked = entries(&operator, "erasure_checked");
    let whole = gzip(&good);
    let raw = |head: &str, body: &[u8]| Reply::raw(&format!("HTTP/1.1 200 OK\r\n{head}"), body);
    let chunk =
        |size: usize, bytes: &[u8]| [format!("{size:x}\r\n").as_bytes(), bytes, b"\r\n"].concat();
    let elsewhere = Reply::text(302, "text/plain", "").with("Location", "http://127.0.0.1:1/");
    let refusal = json!({ "error": format!("canary {SECRET} {}", PEOPLE[0]) });
    for (reply, status) in [
        (raw("Content-Length: 9999\r\n", good.as_bytes()), 75),
        (
            raw(
                "Transfer-Encoding: chunked\r\n",
                &chunk(good.len(), good.as_bytes()),
            ),
            75,
        ),
        (
            raw(
                "Transfer-Encoding: chunked\r\n",
                &chunk(9999, good.as_bytes()),
            ),
            75,
        ),
        (packed(&whole[..whole.len() - 8]), 75),
        (packed(&whole[..whole.len() / 2]), 75),
        (packed(&[&whole[..], b"rest"].concat()), 75),
        (
            raw("Content-Encoding: br\r\nContent-Length: 2\r\n", b"{}"),
            75,
        ),
        (plain("<html>canary</html>\n"), 75),
        (Reply::text(502, "text/html", "<html>canary</html>\n"), 75),
        (plain("no events\n[1]\n").of_status(503), 75),
        (elsewhere, 75),
        (Reply::Close, 75),
        (Reply::json(401, &refusal), 4),
        (Reply::json(403, &refusal), 4),
        (Reply::json(200, &refusal), 3),
        (Reply::json(400, &refusal), 3),
        (Reply::error(429, "slow down").with("Retry-After", "90"), 75),
    ] {
        let known = mixpanel.exports().len();
        mixpanel.has_events(reply.clone());
        // Otherwise a 429 would hold the next query.
        operator.change_ledger("DELETE FROM pace");
        let outcome = online(&operator, &[&id, "--json", "--max-wait", "0s"]);
        outcome.exits_with(status);
        assert_eq!(outcome.stdout, "", "{reply:?}");
        let hint = outcome.failure()["hint"].to_string();
        assert!(hint.contains("nothing was checked"), "{reply:?}: {outcome}");
        assert_eq!(mixpanel.exports().len(), known + 1, "{reply:?}");
    }
    assert_eq!(entries(&operator, "erasure_checked"), checked);
    operator.run(&["audit", "verify"]).exits_with(0);
}

#[test]
fn only_the_profiles_of_the_requests_people_are_asked_for() {
    let mixpanel = Mixpanel::start();
    let operator = mixpanel.operator("");
    let id = mixpanel.erases(&operator, &PEOPLE);
    mixpanel.has_profiles(&["17", "other@x.test"]);
    mixpanel.has_events(text(&[event("done@x.test", soon()), event("s", LONG_AGO)]));
    operator.file("ids.csv", "id\nother@x.test\n17\ndone@x.test\n17\n");
    let args = [&id, "--ids", "ids.csv", "--json", "--exit-status"];
    let outcome = online(&operator, &args);
    let found = outcome.exits_with(1).json();
    assert_eq!(people(&found), [1, 0, 1, 1, 0, 0], "{found}");
    let profiles = json!({ "with": 1, "without": 1, "not_asked": 1, "found_before": null });
    assert_eq!(found["profiles"], profiles);
    assert_eq!(found["warnings"][0]["kind"], "other_people");
    let mut asked = mixpanel.asked();
    asked.sort();
    assert_eq!(asked, ["17", "done@x.test"], "nobody else is asked about");
    assert_eq!(entries(&operator, "profiles_asked"), 1);
    let results = found["found"].as_array().expect("people");
    let by_profile = results.iter().find(|person| person["profile"] == true);
    assert_eq!(by_profile.expect("a person")["events"], json!(null));
    // The report and the trail tell, too.
    let report = operator
        .run(&["report", &id, "--json"])
        .exits_with(0)
        .json();
    let check = &report["report"]["evidence"]["request"]["erasure_check"];
    let counts = ["present", "with_profile", "without_profile"].map(|key| check[key].clone());
    assert_eq!(counts, [json!(1), json!(1), json!(1)]);
    let page = operator.run(&["report", &id]).exits_with(0).stdout.clone();
    assert!(
        page.contains("1 person had one, 1 had none, 1 was not asked about"),
        "{page}"
    );
    // A damaged list asks for nothing. A deletion refuses white space around an id, too.
    let calls = mixpanel.fake.calls().len();
    for list in ["id\n17\n done@x.test\n", "id\n17 \n other@x.test\n"] {
        operator.file("padded.csv", list);
        let outcome = online(&operator, &[&id, "--ids", "padded.csv"]);
        outcome
            .exits_with(5)
            .says("white space")
            .says("nothing was checked");
    }
    operator.file("bad.csv", "id\n17\n\0\n");
    online(&operator, &[&id, "--ids", "bad.csv"]).exits_with(5);
    assert_eq!(mixpanel.fake.calls().len(), calls);
    // An answer that does not fit is no "no".
    mixpanel.has_profiles(&["alias-canary"]);
    let outcome = online(&operator, &[&id, "--ids", "ids.csv"]);
    outcome.exits_with(75).says("nothing was checked");
    assert_eq!(entries(&operator, "erasure_checked"), 1);
    assert_eq!(mixpanel.exports().len(), 1);
}

#[test]
fn an_id_that_the_deletion_accepted_is_asked_for_whatever_it_looks_like() {
    let mixpanel = Mixpanel::start();
    let operator = mixpanel.operator("");
    operator.file("odd.csv", "id\n1.5e3\n17\n");
    let args = [
        "delete", "--gdpr", "--yes", "--allow", "1.5e3", "odd.csv", "--json",
    ];
    let id = operator.run(&args).exits_with(0).request()["id"].clone();
    operator.run(&["status", "--refresh"]).exits_with(0);
    mixpanel.has_events(text(&[event("s", LONG_AGO), event("s", soon())]));
    mixpanel.has_profiles(&["1.5e3"]);
    let args = [id.as_str().expect("an id"), "--ids", "odd.csv", "--json"];
    let found = online(&operator, &args).exits_with(0).json();
    assert_eq!(people(&found), [1, 0, 1, 0, 0, 0], "{found}");
}

#[test]
fn nothing_is_asked_without_account_number_time_or_anybody_to_verify() {
    let mixpanel = Mixpanel::start();
    let operator = mixpanel.operator("queries_per_hour = 1");
    let id = mixpanel.erases(&operator, &PEOPLE);
    let calls = || mixpanel.exports().len() + mixpanel.asked().len();
    let tomorrow = (today() + Days::new(1)).to_string();
    for (args, said) in [
        (
            &["--from", "2026-02-02", "--to", "2026-02-01"][..],
            "`--from` is after `--to`",
        ),
        (&["--to", "2999-01-01"], "`--to` is in the future"),
        (&["--from", "2999-01-01"], "`--from` is in the future"),
        (&["--from", tomorrow.as_str()], "`--from` is in the future"),
        (&["--to", "2020-01-01"], "`--to` is before the first day"),
    ] {
        let outcome = online(&operator, &[&[id.as_str()], args].concat());
        outcome.exits_with(2).says(said);
    }
    let days = online(&operator, &["--since", "0d"]);
    days.exits_with(2).says("at least one day");
    // Two queries do not fit into the hour.
    operator.file("ids.csv", "id\n17\n");
    let outcome = online(&operator, &[&id, "--ids", "ids.csv"]);
    outcome.exits_with(75).says("the last query");
    assert_eq!(calls(), 0);
    mixpanel.has_events(text(&[event("s", LONG_AGO)]));
    online(&operator, &[&id]).exits_with(0);
    online(&operator, &[&id])
        .exits_with(75)
        .says("may leave only at");
    assert_eq!(calls(), 1);
    let sent = ["delete", "--gdpr", "--yes", "--id", "new@x.test", "--json"];
    let sent = operator.run(&sent).request()["id"].clone();
    let outcome = online(&operator, &[sent.as_str().expect("an id")]);
    outcome.exits_with(8).says("has not reported any job");
    // It will never be done.
    operator.change_ledger("UPDATE jobs SET state = 'failed' WHERE state <> 'done'");
    let outcome = online(&operator, &[sent.as_str().expect("an id")]);
    outcome.exits_with(7).says("it erased nobody");
    let operator = operator.without("DSR_SERVICE_ACCOUNT_FILE");
    online(&operator, &[&id]).exits_with(4);
    assert_eq!(calls(), 1);
}

#[test]
fn an_interrupted_check_records_no_result() {
    at_once(
        [("INT", 130), ("TERM", 143), ("KILL", 0)],
        |(name, status)| {
            let mixpanel = Mixpanel::start();
            let operator = mixpanel.operator("");
            let id = mixpanel.erases(&operator, &PEOPLE);
            mixpanel.has_events(Reply::Hang);
            let running = operator.start(&["verify", &id]);
            let start = Instant::now();
            while mixpanel.exports().is_empty() {
                assert!(
                    start.elapsed() < Duration::from_secs(30),
                    "nothing was asked"
                );
                std::thread::sleep(Duration::from_millis(20));
            }
            running.signal(name);
            let outcome = running.end();
            if status != 0 {
                outcome.exits_with(status).says("nothing was checked");
            }
            assert_eq!(entries(&operator, "events_asked"), 1, "{name}");
            assert_eq!(entries(&operator, "erasure_checked"), 0, "{name}");
            operator.run(&["audit", "verify"]).exits_with(0);
        },
    );
}

#[test]
fn an_export_that_still_streams_keeps_its_place() {
    let mixpanel = Mixpanel::start();
    let mut operator = mixpanel.operator("");
    let id = mixpanel.erases(&operator, &PEOPLE);
    let strangers = [event("s", LONG_AGO), event("s", soon())];
    mixpanel.has_events(text(&strangers));
    let url = operator.variable("DSR_API_URL").expect("the fake's");
    let mut streams = Vec::new();
    for _ in 0..3 {
        let gate = Gate::before(&mixpanel.fake, 0, Hold::Half);
        operator.set("DSR_API_URL", &gate.url());
        let running = operator.start(&["verify", &id]);
        gate.wait_until_held();
        streams.push((gate, running));
    }
    operator.set("DSR_API_URL", &url);
    std::thread::sleep(Duration::from_secs(1));
    let no_place = || {
        let outcome = online(&operator, &[&id, "--max-wait", "0s"]);
        outcome.exits_with(75).says("queries under way");
    };
    no_place();
    // However long they take.
    operator.change_ledger("DELETE FROM pace");
    no_place();
    assert_eq!(mixpanel.exports().len(), 3);
    let (gate, running) = streams.remove(0);
    drop(gate);
    running.end().exits_with(75);
    online(&operator, &[&id, "--max-wait", "0s"]).exits_with(0);
    for (_, running) in streams {
        running.kill();
    }
}
