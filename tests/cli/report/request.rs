//! The report of one request.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use serde_json::{Value, json};

use super::markup::is_sound;
use super::{done, evidence, files_here, quick, shows, table};
use crate::minimisation::with_key;
use crate::support::{
    Exports, Fake, Operator, Outcome, Reply, Terminal, handing_out, object_reply,
};

const CANARY: &str = "canary-7f3e";

fn the_id(operator: &Operator) -> String {
    operator.only_request()["id"]
        .as_str()
        .expect("an id")
        .to_owned()
}

/// Three ids in two jobs, one of which Mixpanel refuses.
fn half_refused() -> (Fake, Operator) {
    let fake = Fake::answering(|call| match (call.is_post(), call.place) {
        (true, 1) => Reply::error(400, "=no <b>such</b> thing"),
        (true, place) => object_reply(&format!("t-{place}")),
        (false, _) => done(),
    });
    let operator = with_key(&fake, "rate = 1000\ndelete_batch = 2");
    let ids = [1, 2, 3].map(|n| format!("{CANARY}-{n}")).join("\n");
    let args = [
        "delete", "--ccpa", "--yes", "-", "--format", "text", "--ref", "=1+1|x",
    ];
    operator.run_with_input(&args, &ids).exits_with(3);
    (fake, operator)
}

fn report(operator: &Operator, args: &[&str]) -> Outcome {
    operator.run(&[&["report", &the_id(operator)], args].concat())
}

#[test]
fn a_report_says_what_the_wire_and_the_ledger_had() {
    let (fake, operator) = half_refused();
    operator.run(&["status", "--refresh"]).exits_with(0);
    let calls = fake.calls().len();
    let evidence = evidence(&report(&operator, &["--json"]));
    assert_eq!(fake.calls().len(), calls, "nobody is asked");
    let request = &evidence["request"];
    assert_eq!(
        request["right"],
        "Cal. Civ. Code §1798.105: right to delete"
    );
    assert_eq!(request["answer"]["nature"], "part");
    assert_eq!(request["answer"]["timing"], "no_answer");
    assert_eq!(request["answer"]["days"], Value::Null);
    let ids = &request["ids"];
    assert_eq!(
        (&ids["carried_out"], &ids["refused"]),
        (&json!(2), &json!(1))
    );
    assert_eq!(request["setbacks"][0]["ids"], 1);
    let jobs = evidence["jobs"].as_array().expect("jobs");
    let sent: Vec<usize> = fake.posts().iter().map(|post| post.ids().len()).collect();
    let told: Vec<u64> = jobs
        .iter()
        .map(|job| job["ids"].as_u64().expect("ids"))
        .collect();
    assert_eq!(
        told,
        sent.iter().map(|count| *count as u64).collect::<Vec<_>>()
    );
    assert_eq!(jobs[0]["task_id"], "t-0");
    assert_eq!(jobs[0]["mixpanel_status"], "SUCCESS");
    assert_eq!(jobs[1]["task_id"], Value::Null);
    let states = |job: &Value| -> Vec<String> {
        let steps = job["steps"].as_array().expect("steps").iter();
        steps
            .map(|step| step["to"].as_str().expect("a state").to_owned())
            .collect()
    };
    assert_eq!(states(&jobs[0]), ["sending", "accepted", "done"]);
    assert_eq!(states(&jobs[1]), ["sending", "refused"]);
    assert_eq!(jobs[1]["attempts"][0]["outcome"], "refused");
    let at = operator.ledger_texts("SELECT at FROM steps WHERE number = 1 ORDER BY step");
    let told: Vec<&str> = jobs[0]["steps"]
        .as_array()
        .expect("steps")
        .iter()
        .map(|step| step["at"].as_str().expect("a time"))
        .collect();
    assert_eq!(told, at);
    let by = jobs[0]["steps"][0]["by"]
        .as_str()
        .expect("the trail has it");
    assert!(by.contains('@'), "{by}");
    assert_eq!(jobs[0]["steps"][0]["command"], "dsr delete");
    assert_eq!(jobs[0]["kept_ids"], "hashed");
    assert_eq!(request["deeds"][0]["event"], "request_recorded");

    let page = report(&operator, &[]).exits_with(0).stdout.clone();
    is_sound(&page);
    for text in [
        "t-0",
        "Carried out in part",
        "§1798.105",
        "=no &lt;b&gt;such&lt;/b&gt; thing",
        "Copies stay.",
        "=1+1|x",
        "A request to delete the data of 3 ids was received on ",
        "2 of 3 ids: carried out.",
        "No answer is recorded. The last day to answer is ",
        "Prepared by ",
        "Sending to Mixpanel began",
        "Mixpanel accepted it",
        "Mixpanel refused it",
    ] {
        assert!(page.contains(text), "{text}");
    }
    for word in [
        "Became",
        "→",
        "dsr audit",
        "dsr guide",
        "dsr report",
        "your",
    ] {
        assert!(!page.contains(word), "`{word}` is not for a regulator");
    }
    let lines = report(&operator, &["--format", "csv"])
        .exits_with(0)
        .stdout
        .clone();
    let lines = table(&lines);
    assert_eq!(lines.len(), 2);
    assert_eq!(lines[0]["task_id"], "t-0");
    assert_eq!(lines[1]["state"], "refused");
    assert_eq!(lines[0]["ref"], "'=1+1|x", "it is no formula");
}

#[test]
fn two_reports_of_the_same_facts_have_one_digest_and_one_of_others_another() {
    let (_fake, operator) = half_refused();
    let digest = || report(&operator, &["--json"]).json()["report"]["digest"].clone();
    let before = digest();
    assert_eq!(before, digest());
    // Another request adds entries to the trail.
    let id = the_id(&operator);
    operator
        .run(&["export", "--gdpr", "somebody"])
        .exits_with(0);
    let again = operator.run(&["report", &id, "--json"]);
    assert_eq!(again.json()["report"]["digest"], before);
    operator.change_ledger("UPDATE jobs SET task_id = 't-9' WHERE task_id = 't-0'");
    let changed = operator.run(&["report", &id, "--json"]);
    assert_ne!(changed.json()["report"]["digest"], before);
}

#[test]
fn what_nobody_knows_is_never_shown_as_done() {
    let fake = Fake::answering(|call| match call.is_post() {
        true => Reply::error(502, "bad gateway"),
        false => done(),
    });
    let operator = Operator::at(&fake);
    operator.run(&["export", "--gdpr", "a1"]).exits_with(6);
    let open = evidence(&report(&operator, &["--json"]));
    assert_eq!(open["request"]["answer"]["nature"], "open");
    assert_eq!(open["request"]["ids"]["unsettled"], 1);
    operator.run(&["resume", &the_id(&operator), "--abandon"]);
    let outcome = report(&operator, &["--json"]);
    let given_up = evidence(&outcome);
    assert_eq!(given_up["request"]["answer"]["nature"], "unknown");
    assert_eq!(given_up["request"]["answer"]["days"], Value::Null);
    assert_eq!(given_up["request"]["ids"]["carried_out"], 0);
    assert_eq!(given_up["jobs"][0]["state"], "unknown");
    let page = report(&operator, &[]).exits_with(0).stdout.clone();
    is_sound(&page);
    assert!(
        page.contains("does not prove that it was carried out"),
        "{page}"
    );
    for word in ["Carried out", "badge good", ">done<"] {
        assert!(!page.contains(word), "{word}");
    }
}

#[test]
fn no_id_is_in_any_report_unless_it_is_asked_for() {
    let fake = Fake::answering(|call| match call.is_post() {
        true => object_reply("t-1"),
        false => Reply::json(
            200,
            &json!({ "status": "ok", "results": { "status": "PENDING" } }),
        ),
    });
    let operator = Operator::at(&fake);
    operator
        .run(&[
            "delete", "--gdpr", "--yes", "--id", CANARY, "--id", "=cmd", "--allow", "=cmd",
        ])
        .exits_with(0);
    for format in ["html", "csv", "json"] {
        let one = report(&operator, &["--format", format, "-vvv"]);
        one.exits_with(0).never_says(CANARY);
        let all = operator.run(&["report", "--format", format, "-vvv"]);
        all.exits_with(0).never_says(CANARY);
        let with_ids = report(&operator, &["--format", format, "--with-ids"]);
        with_ids.exits_with(0).says("keep it out of tickets");
        assert!(with_ids.stdout.contains(CANARY), "{with_ids}");
        let name = format!("ids.{format}");
        report(&operator, &["--output", &name, "--with-ids"])
            .exits_with(0)
            .never_says(CANARY);
        let path = operator.work().join(&name);
        assert_eq!(
            fs::metadata(&path).unwrap().permissions().mode() & 0o777,
            0o600
        );
        let text = fs::read_to_string(path).unwrap();
        let warned = match format {
            "html" => text.find("This file holds personal data"),
            "csv" => text.find("PERSONAL DATA"),
            _ => text.find("\"personal_data\":true"),
        };
        assert!(
            warned.unwrap() < text.find(CANARY).unwrap(),
            "it says so at its top"
        );
    }
    let lines = report(&operator, &["--format", "csv", "--with-ids"]);
    let lines = table(&lines.stdout);
    let ids: Vec<&Value> = lines
        .iter()
        .map(|line| &line["PERSONAL DATA: distinct_id"])
        .collect();
    assert_eq!(ids, [&json!(CANARY), &json!("'=cmd")]);
    operator.run(&["report", "--with-ids"]).exits_with(2);
}

#[test]
fn ids_that_have_given_way_to_hashes_are_counted_only() {
    let fake = quick();
    let operator = with_key(&fake, "rate = 1000");
    operator
        .run(&["delete", "--gdpr", "--yes", CANARY])
        .exits_with(0);
    operator.run(&["status", "--refresh"]).exits_with(0);
    for format in ["html", "csv", "json"] {
        let outcome = report(&operator, &["--format", format, "--with-ids"]);
        outcome.exits_with(0).never_says(CANARY);
        if format == "html" {
            shows(&outcome, &["no longer has the ids of 1 job"]);
            assert!(!outcome.stdout.contains("holds personal data"), "{outcome}");
        }
    }
}

#[test]
fn an_export_is_carried_out_when_it_is_fetched_for_the_first_time() {
    let archive = [b"PK\x03\x04".as_slice(), b"PK\x05\x06", &[0; 18]].concat();
    let exports = Exports::of(&["a1", "a2"], move |_| handing_out(&archive, ""));
    let operator = &exports.operator;
    let finished = evidence(&report(operator, &["--json"]));
    assert_eq!(finished["request"]["answer"]["nature"], "open");
    assert_eq!(finished["request"]["ids"]["not_fetched"], 2);
    exports.download(&[]).exits_with(0);
    let fetched = evidence(&report(operator, &["--json"]));
    assert_eq!(fetched["request"]["answer"]["nature"], "whole");
    let download = &fetched["jobs"][0]["download"];
    assert_eq!(
        download["sha256"],
        operator.ledger_texts("SELECT sha256 FROM downloads")[0]
    );
    assert_eq!(download["packages"], Value::Null);

    let path = operator
        .ledger_texts("SELECT path FROM downloads")
        .remove(0);
    fs::remove_file(path).unwrap();
    let id = the_id(operator);
    exports.download(&[&id, "--again"]).exits_with(0);
    let again = evidence(&report(operator, &["--json"]));
    let first = &fetched["jobs"][0]["download"]["fetched_at"];
    assert_eq!(again["jobs"][0]["download"]["first_fetched_at"], *first);
    assert_ne!(again["jobs"][0]["download"]["fetched_at"], *first);
    assert_eq!(again["request"]["fetching"]["last_fetched_at"], *first);
    is_sound(&report(operator, &[]).stdout);
}

#[test]
fn a_file_is_of_the_kind_its_name_says_and_takes_nobodys_place() {
    let (_fake, operator) = half_refused();
    for (name, begins) in [
        ("r.html", "<!DOCTYPE"),
        ("r.CSV", "request,job,"),
        ("r.json", "{\"schema\":1,"),
        ("r", "<!DOCTYPE"),
    ] {
        let outcome = report(&operator, &["--output", name]);
        outcome.exits_with(0);
        assert!(outcome.stdout.contains(name), "{outcome}");
        let path = operator.work().join(name);
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.starts_with(begins), "{name}: {text}");
        assert_eq!(
            fs::metadata(&path).unwrap().permissions().mode() & 0o777,
            0o600
        );
        let again = report(&operator, &["--output", name]);
        again.exits_with(2).says("already exists").says("--output");
        assert_eq!(fs::read_to_string(&path).unwrap(), text);
    }
    std::os::unix::fs::symlink("nowhere", operator.work().join("link.html")).unwrap();
    report(&operator, &["--output", "link.html"]).exits_with(2);
    report(&operator, &["--output", "no/such/folder.html"]).exits_with(74);
    assert_eq!(
        files_here(&operator),
        ["link.html", "r", "r.CSV", "r.html", "r.json"]
    );

    let both = report(&operator, &["--output", "both.html", "--json"]);
    let object = both.exits_with(0).json();
    let page = fs::read(operator.work().join("both.html")).unwrap();
    assert_eq!(object["file"]["bytes"], page.len());
    assert_eq!(object["report"]["type"], "request");
    let text = String::from_utf8(page).unwrap();
    assert!(
        text.contains(object["report"]["digest"].as_str().unwrap()),
        "both say the same"
    );
    report(&operator, &["--json", "--format", "csv"]).exits_with(2);
}

#[test]
fn a_pdf_is_refused_before_anything_is_written() {
    let (_fake, operator) = half_refused();
    for name in ["r.pdf", "r.PDF"] {
        report(&operator, &["--output", name])
            .exits_with(2)
            .says("dsr does not write PDF")
            .says(".html");
        report(&operator, &["--output", name, "--format", "html"]).exits_with(2);
    }
    assert!(files_here(&operator).is_empty());
}

#[test]
fn on_a_screen_a_page_goes_to_a_file_that_is_told_of() {
    let (_fake, operator) = half_refused();
    let id = the_id(&operator);
    let terminal = Terminal::start(operator.command(&["report", &id]));
    let (status, screen) = terminal.ends();
    assert_eq!(status, 0, "{screen}");
    let name = format!("dsr-report-{}.html", &id[..8]);
    assert!(screen.contains(&name), "{screen}");
    assert!(!screen.contains("<html"), "{screen}");
    assert_eq!(files_here(&operator), [name]);
}

#[test]
fn who_there_is_no_request_of_is_told_so() {
    let fake = Fake::start();
    let operator = Operator::at(&fake);
    operator
        .run(&["export", "--gdpr", "--id", "user-17"])
        .exits_with(0);
    operator
        .run(&["report", "q7tz0xma"])
        .exits_with(2)
        .says("there is no request");
    operator
        .run(&["report", "q7tz0xma", "--from", "2026-01-01"])
        .exits_with(2);
    operator
        .run(&["report", "--from", "2026-02-30"])
        .exits_with(2);
    operator
        .run(&["report", "--from", "2026-02-02", "--to", "2026-02-01"])
        .exits_with(2)
        .says("after");
}
