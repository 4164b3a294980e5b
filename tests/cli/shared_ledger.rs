//! Two hosts with one ledger on a server: two homes, one database, one Mixpanel.

use std::sync::{Arc, Mutex, PoisonError};
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::support::{
    Database, Fake, Fault, Model, Operator, Reply, csv_of, object_reply, people, same_people,
    states, usual,
};

/// A host of the ledger in `database`.
fn host(database: &Arc<Database>, fake: &Fake) -> Operator {
    let mut host = Operator::at_with(fake, "rate = 1000\ndelete_batch = 2");
    host.uses(database);
    host
}

pub(crate) fn hosts(fake: &Fake) -> Option<(Arc<Database>, Operator, Operator)> {
    let database = Arc::new(Database::with_ledger_or_skip()?);
    let (one, two) = (host(&database, fake), host(&database, fake));
    Some((database, one, two))
}

pub(crate) fn wait_for(database: &Database, query: &str, answer: &str) {
    let start = Instant::now();
    while database.ask(query) != answer {
        assert!(start.elapsed() < Duration::from_secs(60), "{query}");
        sleep(Duration::from_millis(20));
    }
}

/// Makes a login with this role of the guide's script.
pub(crate) fn login(database: &Database, role: &str) -> String {
    // Roles are the server's, so that two tests could make one at once.
    static ONE: Mutex<()> = Mutex::new(());
    let _one = ONE.lock().unwrap_or_else(PoisonError::into_inner);
    let script = Operator::new().run(&["ledger", "roles"]);
    database.script(&script.exits_with(0).stdout);
    let user = database.ask("SELECT current_database()") + "_" + role;
    database.ask(&format!("CREATE ROLE {user} LOGIN IN ROLE {role}"));
    user
}

#[test]
fn a_second_host_sees_and_continues_what_the_first_recorded() {
    let limited = Reply::error(429, "busy").with("Retry-After", "1");
    let fake = Fake::answering_post(1, limited);
    let Some((_, one, two)) = hosts(&fake) else {
        return;
    };
    let ids = people(6);
    one.file("ids.csv", csv_of(&ids, None));
    let delete = ["delete", "--gdpr", "--yes", "--max-wait", "0s", "ids.csv"];
    one.run(&delete).exits_with(75);
    assert_eq!(one.requests(), two.requests());
    assert_eq!(fake.posts().len(), 2);
    two.run(&["resume"]).exits_with(0);
    assert_eq!(
        fake.posts().len(),
        4,
        "the job that was turned away, and the third"
    );
    let mut sent = fake.posted_ids();
    sent.sort();
    sent.dedup();
    same_people(&sent, &ids);
    assert_eq!(one.requests(), two.requests());
    assert_eq!(states(&one.only_request()), ["accepted"; 3]);
    one.run(&["audit", "verify"]).exits_with(0);
    two.run(&["audit", "verify"]).exits_with(0);
    let again = one.run(&["resume"]);
    again.exits_with(0);
    assert_eq!(fake.posts().len(), 4);
}

#[test]
fn what_waits_for_a_vanished_host_names_no_living_one() {
    let fake = Fake::answering_post(0, Reply::Hang);
    let Some((_database, one, two)) = hosts(&fake) else {
        return;
    };
    let running = one.start(&["delete", "--gdpr", "--yes", "a1"]);
    fake.wait_for_posts(1);
    running.kill();
    let waits = two.run(&["delete", "--gdpr", "--yes", "--id", "a1", "--id", "a2"]);
    let waits = waits.exits_with(75).says("is gone").says(" UTC");
    waits.never_says("another dsr is sending");
    let sent = fake.posted_ids();
    assert_eq!(sent.iter().filter(|id| *id == "a1").count(), 1);
}

#[test]
fn a_job_of_a_killed_host_waits_for_the_lease_and_on_its_own_host_it_is_unknown_at_once() {
    let fake = Fake::answering(|call| match call.is_post() {
        true => Reply::Hang,
        false => usual(call),
    });
    let Some((database, one, two)) = hosts(&fake) else {
        return;
    };
    let delete = ["delete", "--gdpr", "--yes", "a1"];
    let running = one.start(&delete);
    fake.wait_for_posts(1);
    running.kill();
    assert_eq!(states(&two.only_request()), ["sending"]);
    two.run(&["resume"]);
    assert_eq!(fake.posts().len(), 1, "nobody knows yet that it is dead");
    assert_eq!(states(&one.only_request()), ["unknown"]);
    assert_eq!(states(&two.only_request()), ["unknown"]);

    database.ask("UPDATE dsr.sharing SET fence_ms = 8000, lease_ms = 12000");
    let started = Instant::now();
    let running = one.start(&["delete", "--gdpr", "--yes", "a2"]);
    fake.wait_for_posts(2);
    let sending = || {
        let all = two.requests();
        let all = all.iter().flat_map(states);
        all.filter(|state| state == "sending").count()
    };
    running.signal("STOP");
    sleep(Duration::from_millis(12_500));
    assert_eq!(
        sending(),
        1,
        "its session lives after {:?}",
        started.elapsed()
    );
    running.kill();
    let session = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'
         AND database = (SELECT oid FROM pg_database WHERE datname = current_database())";
    wait_for(&database, session, "0");
    assert_eq!(sending(), 0, "the lease is over");
    assert_eq!(fake.posts().len(), 2);
}

#[test]
fn a_post_behind_its_fence_is_not_sent_and_its_job_is_planned_again() {
    let fake = Fake::start();
    let Some((database, one, _two)) = hosts(&fake) else {
        return;
    };
    // The first claim takes longer than the fence lets a POST leave.
    database.ask(
        "UPDATE dsr.sharing SET fence_ms = 2000;
         CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql SET search_path = dsr AS $$
             BEGIN IF (SELECT COUNT(*) FROM attempts) = 0 THEN PERFORM pg_sleep(3); END IF;
             RETURN NEW; END $$;
         CREATE TRIGGER slow BEFORE INSERT ON dsr.attempts
             FOR EACH ROW EXECUTE FUNCTION slow()",
    );
    one.run(&["delete", "--gdpr", "--yes", "--max-wait", "0s", "a1"]);
    let steps = "SELECT from_state || ' ' || to_state FROM steps ORDER BY step";
    let first = one.ledger_texts(steps);
    assert_eq!(first[..2], ["planned sending", "sending planned"]);
    one.run(&["resume"]).exits_with(0);
    assert_eq!(states(&one.only_request()), ["accepted"]);
    assert_eq!(fake.posts().len(), 1, "only the second attempt was sent");
}

#[test]
fn a_lost_server_before_the_record_ends_with_11_and_after_it_with_75() {
    let limited = Reply::error(429, "busy").with("Retry-After", "4");
    let fake = Fake::answering_post(1, limited);
    let Some((database, one, two)) = hosts(&fake) else {
        return;
    };
    let ids = people(6);
    one.file("ids.csv", csv_of(&ids, None));
    let delete = ["delete", "--gdpr", "--yes", "ids.csv"];
    let goes = || {
        database.ask_server("ALTER DATABASE {} ALLOW_CONNECTIONS false");
        database.ask_server(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{}'",
        );
    };
    let comes_back = || database.ask_server("ALTER DATABASE {} ALLOW_CONNECTIONS true");
    goes();
    one.run(&delete).exits_with(11);
    comes_back();
    fake.was_not_called();
    assert!(one.requests().is_empty(), "nothing is recorded");

    let running = one.start(&delete);
    fake.wait_for_posts(2);
    let deferred = "SELECT count(*) FROM dsr.jobs WHERE state = 'deferred'";
    wait_for(&database, deferred, "1");
    goes();
    running.end().exits_with(75);
    comes_back();
    assert_eq!(fake.posts().len(), 2);
    two.run(&["resume"]).exits_with(0);
    assert_eq!(fake.posts().len(), 4);
    assert_eq!(states(&one.only_request()), ["accepted"; 3]);
}

#[test]
fn an_operators_role_does_everything_and_cannot_change_the_trail() {
    let results = serde_json::json!({ "status": "SUCCESS", "distinct_ids": [] });
    let done = Reply::json(
        200,
        &serde_json::json!({ "status": "ok", "results": results }),
    );
    let fake = Fake::answering(move |call| match call.method.as_str() {
        "GET" => done.clone(),
        _ => usual(call),
    });
    let Some((database, mut one, _two)) = hosts(&fake) else {
        return;
    };
    let anna = login(&database, "dsr_operator");
    one.set("DSR_LEDGER_URL", &database.url_as(&anna));
    let work: [&[&str]; 9] = [
        &["export", "--gdpr", "a1"],
        &["delete", "--gdpr", "--yes", "a1"],
        &["status"],
        &["status", "--refresh"],
        &["find", "--id", "a1"],
        &["suppressions", "export"],
        &["purge", "--older-than", "3years", "--yes"],
        &["ledger", "status"],
        &["audit", "verify"],
    ];
    for args in work {
        one.run(args).exits_with(0);
    }
    assert_eq!(fake.posts().len(), 2);
    for change in [
        "UPDATE dsr.audit SET command = 'x'",
        "DELETE FROM dsr.audit",
        "TRUNCATE dsr.audit",
        "DELETE FROM dsr.audit_head",
        "UPDATE dsr.ledger_schema SET version = 1",
        "UPDATE dsr.sharing SET fence_ms = 1",
        "DROP TABLE dsr.audit",
    ] {
        let said = database.refuses(&anna, change);
        assert!(
            said.contains("permission denied") || said.contains("must be owner"),
            "{said}"
        );
    }
}

#[test]
fn an_auditors_role_reads_without_a_key_and_cannot_write() {
    let fake = Fake::start();
    let Some((database, one, mut two)) = hosts(&fake) else {
        return;
    };
    one.run(&["delete", "--gdpr", "--yes", "a1"]).exits_with(0);
    let auditor = login(&database, "dsr_auditor");
    two.set("DSR_LEDGER_URL", &database.url_as(&auditor));
    two.unset("DSR_LEDGER_KEY_FILE");
    let entries = database.ask("SELECT count(*) FROM dsr.audit");
    let period = ["report", "--from", "2020-01-01", "--to", "2020-12-31"];
    for args in [
        &["status", "--cached"][..],
        &period,
        &["audit", "verify"],
        &["audit", "log"],
    ] {
        two.run(args).exits_with(0);
    }
    let refused = two.run(&["delete", "--gdpr", "--yes", "a2"]);
    assert_ne!(refused.status, Some(0), "{refused}");
    assert_eq!(fake.posts().len(), 1);
    for change in [
        "DELETE FROM dsr.jobs",
        "UPDATE dsr.audit_head SET count = 0",
        "INSERT INTO dsr.learned VALUES ('x', 'x', 1, 1, 'x')",
    ] {
        let said = database.refuses(&auditor, change);
        assert!(said.contains("permission denied"), "{said}");
    }
    assert_eq!(database.ask("SELECT count(*) FROM dsr.audit"), entries);
}

#[test]
fn a_host_without_the_ledgers_key_sends_nothing() {
    let fake = Fake::answering_post(0, Reply::error(401, "no"));
    let Some((database, one, mut two)) = hosts(&fake) else {
        return;
    };
    one.run(&["delete", "--gdpr", "--yes", "a1"]).exits_with(4);
    let entries = database.ask("SELECT count(*) FROM dsr.audit");
    let other = two.private_file("other.key", "ab".repeat(32));
    for key in [None, Some(other)] {
        match key {
            None => two.unset("DSR_LEDGER_KEY_FILE"),
            Some(other) => two.set("DSR_LEDGER_KEY_FILE", &other),
        }
        for args in [&["resume"][..], &["delete", "--gdpr", "--yes", "a2"]] {
            let refused = two.run(args);
            assert_ne!(refused.status, Some(0), "{refused}");
            refused.says("key").never_says("a2");
        }
        assert_eq!(fake.posts().len(), 1);
        assert_eq!(database.ask("SELECT count(*) FROM dsr.audit"), entries);
    }
}

#[test]
fn a_host_without_the_ledgers_key_asks_mixpanel_nothing() {
    let fake = Fake::start();
    let Some((_database, one, mut two)) = hosts(&fake) else {
        return;
    };
    one.run(&["delete", "--gdpr", "--yes", "a1"]).exits_with(0);
    let id = one.only_request()["id"].as_str().expect("an id").to_owned();
    let other = two.private_file("other.key", "ab".repeat(32));
    for key in [None, Some(other)] {
        match key {
            None => two.unset("DSR_LEDGER_KEY_FILE"),
            Some(other) => two.set("DSR_LEDGER_KEY_FILE", &other),
        }
        for args in [&["status", "--refresh"][..], &["cancel", "--yes", &id]] {
            let refused = two.run(args);
            assert_ne!(refused.status, Some(0), "{refused}");
            refused.says("key");
            assert_eq!(fake.calls().len(), 1, "{args:?}: only the deletion");
        }
        two.run(&["status", "--cached"]).exits_with(0);
        // A wrong key is a matter of the settings (2); 74 says that the trail differs.
        let verified = match two.variable("DSR_LEDGER_KEY_FILE") {
            None => 0,
            Some(_) => 2,
        };
        two.run(&["audit", "verify"]).exits_with(verified);
    }
}

#[test]
fn a_new_ledger_in_the_place_of_a_lost_one_lacks_everything_before() {
    let fake = Fake::start();
    let Some((database, one, _two)) = hosts(&fake) else {
        return;
    };
    one.run(&["delete", "--gdpr", "--yes", "a1"]).exits_with(0);
    let kept = one.run(&["audit", "head"]).exits_with(0).stdout.clone();
    database.ask("DROP SCHEMA dsr CASCADE");
    one.run(&["ledger", "init"]).exits_with(0);
    one.run(&["delete", "--gdpr", "--yes", "a2"]).exits_with(74);
    one.run(&["ledger", "accept", "--yes"]).exits_with(0);
    let status = one
        .run(&["ledger", "status", "--json"])
        .exits_with(0)
        .json();
    let lost = &status["ledger"]["set_backs_accepted"][0];
    assert_eq!(lost["since"], serde_json::Value::Null, "{status}");
    let entries: u64 = kept.split(':').next().unwrap().parse().expect("a number");
    assert_eq!(lost["entries"], entries, "{status}");
    one.run(&["delete", "--gdpr", "--yes", "a2"]).exits_with(0);
    assert_eq!(fake.posted_ids(), ["a1", "a2"]);
}

#[test]
fn a_second_address_that_is_not_used_is_named() {
    let fake = Fake::start();
    let Some((_database, mut one, _two)) = hosts(&fake) else {
        return;
    };
    let used = one.variable("DSR_LEDGER_URL").expect("it is set");
    let config = std::fs::read_to_string(one.config_path()).expect("there is a config file");
    let other = "postgres://anna@db.example:5432/other";
    one.write_config(&format!("ledger = \"{other}\"\n{config}"));
    for args in [&["doctor"][..], &["ledger", "status"]] {
        let told = one.run(args);
        let text = format!("{}{}", told.stdout, told.stderr);
        let named = [other.trim_start_matches("postgres://anna@"), "ignores"];
        assert!(named.iter().all(|named| text.contains(named)), "{told}");
    }
    let told = one
        .run(&["ledger", "status", "--json"])
        .exits_with(0)
        .json();
    assert_eq!(told["warnings"][0]["kind"], "unused_url");
    // The owner's login for the same database is no other ledger.
    one.write_config(&format!("ledger = \"{used}\"\n{config}"));
    one.set("DSR_LEDGER_URL", &used);
    one.run(&["ledger", "status"]).never_says("ignores");
}

#[test]
fn a_wait_names_the_host_that_holds_the_ledger() {
    let fake = Fake::start();
    let Some((database, one, two)) = hosts(&fake) else {
        return;
    };
    // In a copy of the database the tables have the same numbers.
    let copy = Database::with_ledger().expect("there is a server");
    let _elsewhere = copy.hold("SELECT * FROM dsr.audit_head FOR UPDATE");
    // The first host stops within its transaction.
    database.ask(
        "CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql SET search_path = dsr AS $$
             BEGIN PERFORM pg_sleep(8); RETURN NEW; END $$;
         CREATE TRIGGER slow BEFORE INSERT ON dsr.requests
             FOR EACH ROW EXECUTE FUNCTION slow()",
    );
    let running = one.start(&["delete", "--gdpr", "--yes", "a1"]);
    wait_for(
        &database,
        "SELECT count(*) FROM pg_stat_activity
         WHERE wait_event = 'PgSleep' AND datname = current_database()",
        "1",
    );
    let holder = format!("process {} on ", running.id());
    let waits = two.run(&["delete", "--gdpr", "--yes", "a2", "--lock-timeout", "3s"]);
    waits
        .exits_with(11)
        .says(&format!("it is held by {holder}"))
        .says(", dsr delete")
        .says(&format!("when {holder}"));
    running.end().exits_with(0);
    assert_eq!(fake.posts().len(), 1);
}

#[test]
fn another_format_is_refused_and_a_running_dsr_stops_at_its_next_write() {
    let slow = Reply::After(Duration::from_secs(2), Box::new(object_reply("task-0")));
    let fake = Fake::answering_post(0, slow);
    let Some((database, one, two)) = hosts(&fake) else {
        return;
    };
    let changes = |by: &str| {
        database.ask(&format!(
            "UPDATE dsr.ledger_schema SET version = version {by}"
        ));
    };
    for (there, back, hint) in [
        ("- 1", "+ 1", "dsr ledger migrate"),
        ("+ 1", "- 1", "newer"),
    ] {
        changes(there);
        for args in [
            &["status", "--cached"][..],
            &["delete", "--gdpr", "--yes", "a1"],
            &["ledger", "init"],
        ] {
            let refused = two.run(args);
            assert_ne!(refused.status, Some(0), "{refused}");
            refused.says(hint);
        }
        changes(back);
    }
    fake.was_not_called();

    let ids = people(6);
    one.file("ids.csv", csv_of(&ids, None));
    let running = one.start(&["delete", "--gdpr", "--yes", "ids.csv"]);
    fake.wait_for_posts(1);
    let before = database.ask("SELECT count(*) FROM dsr.audit");
    changes("+ 1");
    let stopped = running.end();
    assert_ne!(stopped.status, Some(0), "{stopped}");
    assert_eq!(database.ask("SELECT count(*) FROM dsr.audit"), before);
    assert_eq!(fake.posts().len(), 1, "nothing more is sent");
    changes("- 1");
    // The answer was in a receipt.
    assert_eq!(
        states(&one.only_request()),
        ["accepted", "planned", "planned"]
    );
    two.run(&["resume"]).exits_with(0);
    same_people(&fake.posted_ids(), &ids);
}

/// The repeated POST is answered with a conflict, and dsr asks about the task that it names.
#[test]
fn the_questions_after_a_repeated_post_wait_for_the_interval_and_not_for_an_answer_they_have() {
    let model = Model::striking(0, Fault::Lost);
    let Some(database) = Database::with_ledger_or_skip() else {
        return;
    };
    let mut one = Operator::at(&model.fake);
    one.uses(&Arc::new(database));
    one.run(&["delete", "--gdpr", "--yes", "a1"]).exits_with(0);
    let calls = model.fake.calls();
    let methods: Vec<&str> = calls.iter().map(|call| call.method.as_str()).collect();
    assert_eq!(methods, ["POST", "POST", "GET"]);
    let gap = calls[2].arrived - calls[1].arrived;
    assert!(gap < Duration::from_secs(4), "{gap:?}");
}
