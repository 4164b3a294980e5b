//! `dsr ledger move`: everything goes to the server once, wherever dsr is killed, and the file is
//! not used again. `dsr ledger backup` brings it back into a file.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::minimisation::with_key;
use crate::support::{
    Chance, Database, Fake, Operator, Outcome, Reply, csv_of, in_turns, object_reply, people,
    same_people, status_reply,
};

impl Database {
    pub(crate) fn entries(&self) -> String {
        self.ask("SELECT count(*) FROM dsr.audit")
    }

    /// Has the server do this when it commits the move.
    pub(crate) fn at_commit(&self, statement: &str) {
        self.ask(&format!(
            "CREATE FUNCTION dsr.last() RETURNS trigger LANGUAGE plpgsql
                 AS $$ BEGIN {statement}; RETURN NULL; END $$;
             CREATE CONSTRAINT TRIGGER last AFTER INSERT ON dsr.audit
                 DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
                 WHEN (NEW.event = 'ledger_moved') EXECUTE FUNCTION dsr.last()"
        ));
    }

    pub(crate) fn forgets_commit(&self) {
        self.ask("DROP FUNCTION dsr.last() CASCADE");
    }
}

/// A database with a ledger that has only its first entry, for an operator whose ledger is a file.
pub(crate) fn with_ledger(operator: &mut Operator) -> Option<Database> {
    let database = Database::new()?;
    let file = operator.variable("DSR_LEDGER_URL");
    assert_eq!(file, None, "the operator still uses the file");
    operator.set("DSR_LEDGER_URL", &database.url);
    operator.run(&["ledger", "init"]).exits_with(0);
    Some(database)
}

pub(crate) fn move_it(operator: &Operator) -> Outcome {
    operator.run(&["ledger", "move", "--yes", "--json"])
}

pub(crate) fn on_file<T>(operator: &mut Operator, look: impl FnOnce(&Operator) -> T) -> T {
    let url = operator.variable("DSR_LEDGER_URL").expect("it is set");
    operator.unset("DSR_LEDGER_URL");
    let found = look(operator);
    operator.set("DSR_LEDGER_URL", &url);
    found
}

/// What `status` says, without what changes with the time.
pub(crate) fn status(operator: &Operator) -> Vec<Value> {
    operator.requests()
}

/// A done deletion whose ids are hashed, an accepted export, and a deletion of these people that
/// was killed after some jobs.
fn in_several_states(fake: &Fake, people: &[String]) -> Operator {
    let operator = with_key(fake, "rate = 20\ndelete_batch = 1");
    operator
        .run(&["delete", "--gdpr", "--yes", "gone-1"])
        .exits_with(0);
    operator.run(&["status", "--refresh"]).exits_with(0);
    operator.run(&["export", "--gdpr", "held-1"]).exits_with(0);
    operator.file("ids.csv", csv_of(people, None));
    let running = operator.start(&["delete", "--gdpr", "--yes", "ids.csv"]);
    fake.wait_for_posts(4);
    running.kill();
    operator.run(&["status", "--cached"]).exits_with(0);
    operator
}

/// The task of the first POST is done, the others wait.
fn with_one_done() -> Fake {
    Fake::answering(|call| match call.is_post() {
        true => object_reply(&format!("task-{}", call.place)),
        false if call.task() == "task-0" => status_reply("SUCCESS"),
        false => status_reply("PENDING"),
    })
}

#[test]
fn a_ledger_moves_with_everything_and_goes_on_at_the_server() {
    let fake = with_one_done();
    let ids = people(12);
    let mut operator = in_several_states(&fake, &ids);
    let before = status(&operator);
    let file_head = operator.run(&["audit", "head"]).stdout.clone();
    let Some(database) = with_ledger(&mut operator) else {
        return;
    };
    let planned = operator.run(&["ledger", "move", "--dry-run", "--json"]);
    assert_eq!(planned.exits_with(0).json()["moved"]["moved"], "planned");
    assert_eq!(database.entries(), "1", "a dry run changes nothing");
    on_file(&mut operator, |operator| {
        assert_eq!(status(operator), before)
    });

    let posts = fake.posts().len();
    let moved = move_it(&operator).exits_with(0).json().clone();
    assert!(moved["warnings"].is_null(), "{moved}");
    let moved = moved["moved"].clone();
    assert_eq!(
        (&moved["moved"], &moved["requests"]),
        (&"now".into(), &3.into())
    );
    assert_eq!(status(&operator), before);
    operator.file("heads", &file_head);
    operator
        .run(&["audit", "verify", "--head", "heads"])
        .exits_with(0);
    let found = operator.run(&["find", "--id", "gone-1", "--id", "held-1", "--id", &ids[11]]);
    assert!(!found.exits_with(0).stdout.contains("Not found"), "{found}");
    assert_eq!(fake.posts().len(), posts, "nothing was sent");

    operator.run(&["resume"]).exits_with(0);
    let mut expected = ids.clone();
    expected.extend(["gone-1", "held-1"].map(str::to_owned));
    let mut sent = fake.posted_ids();
    // A job that was under way at the kill is sent again only after Mixpanel was asked about it.
    sent.sort();
    sent.dedup();
    same_people(&sent, &expected);
    let refused = on_file(&mut operator, |operator| {
        operator.run(&["status", "--cached"])
    });
    refused
        .exits_with(74)
        .says("has moved to")
        .says("DSR_LEDGER_URL")
        .says("own login");
    let dry = operator.run(&["ledger", "move", "--dry-run", "--json"]);
    for again in [dry, move_it(&operator)] {
        assert_eq!(again.exits_with(0).json()["moved"]["moved"], "before");
    }
}

#[test]
fn the_old_file_is_refused_for_everything() {
    let fake = Fake::start();
    let mut operator = with_key(&fake, "rate = 1000");
    operator.run(&["export", "--gdpr", "a1"]).exits_with(0);
    let path = operator.dsr_home().join("ledger.db");
    let copy = fs::read(&path).expect("it is there");
    let Some(_database) = with_ledger(&mut operator) else {
        return;
    };
    move_it(&operator).exits_with(0);
    // Older versions refuse a format that they do not know.
    let format = operator.ledger_rows("PRAGMA user_version", |row| row.get::<_, i64>(0))[0];
    assert!(format > 1_000_000);
    let bytes = fs::read(&path).expect("it is there");
    on_file(&mut operator, |operator| {
        for args in [
            &["status"][..],
            &["export", "--gdpr", "a2"],
            &["resume"],
            &["find", "--id", "a1"],
            &["audit", "verify"],
            &["ledger", "backup", "copy.db"],
            &["ledger", "accept", "--yes"],
        ] {
            let refused = operator.run(args);
            refused.exits_with(74).says("has moved to `postgres://");
        }
        assert!(fs::read(&path).expect("it is there") == bytes);
        // Not even a copy of the file from before the move is used.
        fs::write(&path, &copy).expect("it can be written");
        let refused = operator.run(&["export", "--gdpr", "a2"]);
        refused.exits_with(74).says("older copy");
    });
    let refused = move_it(&operator);
    refused.exits_with(74).says("older copy");
    assert_eq!(fake.posts().len(), 1);
}

#[test]
fn a_move_that_the_server_does_not_commit_is_made_again() {
    let fake = Fake::start();
    let mut operator = with_key(&fake, "rate = 1000");
    operator.run(&["export", "--gdpr", "a1"]).exits_with(0);
    let before = status(&operator);
    let Some(database) = with_ledger(&mut operator) else {
        return;
    };
    database.at_commit("RAISE EXCEPTION 'no'");
    move_it(&operator).exits_with(75).says("dsr ledger move");
    assert_eq!(database.entries(), "1");
    let refused = on_file(&mut operator, |operator| {
        operator.run(&["export", "--gdpr", "a2"])
    });
    refused.exits_with(74).says("not known to be complete");
    let dry = operator.run(&["ledger", "move", "--dry-run", "--json"]);
    assert_eq!(dry.exits_with(0).json()["moved"]["moved"], "interrupted");
    database.forgets_commit();
    move_it(&operator).exits_with(0);
    assert_eq!(status(&operator), before);
    operator.run(&["audit", "verify"]).exits_with(0);
    assert_eq!(fake.posts().len(), 1);
}

#[test]
fn a_move_whose_dsr_was_killed_while_the_server_committed_is_found_complete() {
    let fake = Fake::start();
    let mut operator = with_key(&fake, "rate = 1000");
    operator.run(&["export", "--gdpr", "a1"]).exits_with(0);
    let before = status(&operator);
    let Some(database) = with_ledger(&mut operator) else {
        return;
    };
    database.at_commit("PERFORM pg_sleep(3)");
    let running = operator.start(&["ledger", "move", "--yes"]);
    let sleeping = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep'
         AND datname = current_database()";
    let started = Instant::now();
    while database.ask(sleeping) != "1" {
        assert!(started.elapsed() < Duration::from_secs(60), "no commit");
        thread::sleep(Duration::from_millis(20));
    }
    running.kill();
    let refused = on_file(&mut operator, |operator| {
        operator.run(&["export", "--gdpr", "a2"])
    });
    refused.exits_with(74).says("not known to be complete");
    let settled = move_it(&operator);
    assert_eq!(settled.exits_with(0).json()["moved"]["moved"], "before");
    assert_eq!(status(&operator), before);
    let moves = "SELECT count(*) FROM dsr.audit WHERE event = 'ledger_moved'";
    assert_eq!(database.ask(moves), "1");
}

/// Kills the move of a ledger with 200 unsent jobs at 20 moments.
#[test]
fn a_move_that_is_killed_at_any_moment_leaves_one_ledger() {
    let fake = Fake::answering_posts(Reply::error(429, "slow"));
    let first = with_key(&fake, "rate = 1000\ndelete_batch = 1");
    first.file("ids.csv", csv_of(&people(200), None));
    let delete = ["delete", "--gdpr", "--yes", "--max-wait", "0s", "ids.csv"];
    first.run(&delete).exits_with(75);
    let posts = fake.posts().len();
    let copied = || {
        let mut operator = with_key(&fake, "rate = 1000\ndelete_batch = 1");
        for file in ["ledger.db", "seen-head"] {
            fs::copy(first.dsr_home().join(file), operator.dsr_home().join(file)).expect("a copy");
        }
        let database = with_ledger(&mut operator)?;
        Some((operator, database))
    };
    let Some((operator, _database)) = copied() else {
        return;
    };
    let whole = move_it(&operator).exits_with(0).took;
    let mut chance = Chance::new(2026);
    let moments: Vec<_> = (0..20).map(|_| chance.part_of(whole)).collect();
    in_turns(&moments, 2, |moment| {
        let (mut operator, database) = copied().expect("there is a server");
        let running = operator.start(&["ledger", "move", "--yes"]);
        thread::sleep(*moment);
        running.kill();
        let jobs = "SELECT count(*) FROM dsr.jobs";
        let is_there = database.ask(jobs) != "0";
        let seen = on_file(&mut operator, |operator| {
            operator.run(&["status", "--cached"])
        });
        let is_here = seen.status == Some(0);
        assert!(!(is_here && is_there), "two ledgers\n{seen}");
        move_it(&operator).exits_with(0);
        assert_eq!(database.ask(jobs), "200");
        assert_eq!(database.ask("SELECT count(*) FROM dsr.payloads"), "200");
        let moves = "SELECT count(*) FROM dsr.audit WHERE event = 'ledger_moved'";
        assert_eq!(database.ask(moves), "1");
        operator.run(&["audit", "verify"]).exits_with(0);
    });
    assert_eq!(fake.posts().len(), posts, "nothing was sent");
}

#[test]
fn a_ledger_does_not_move_into_one_that_is_in_use() {
    let fake = Fake::start();
    let mut operator = with_key(&fake, "rate = 1000");
    operator.run(&["export", "--gdpr", "a1"]).exits_with(0);
    let Some(database) = with_ledger(&mut operator) else {
        return;
    };
    move_it(&operator).exits_with(0);
    let entries = database.entries();
    let mut second = with_key(&fake, "rate = 1000");
    second.run(&["export", "--gdpr", "b1"]).exits_with(0);
    let before = status(&second);
    second.set("DSR_LEDGER_URL", &database.url);
    for args in [
        &["ledger", "move", "--yes"][..],
        &["ledger", "move", "--dry-run"],
    ] {
        let refused = second.run(args);
        refused
            .exits_with(2)
            .says("is in use")
            .says("dsr ledger init");
    }
    assert_eq!(database.entries(), entries);
    on_file(&mut second, |second| assert_eq!(status(second), before));
    assert_eq!(fake.posts().len(), 2);
}

#[test]
fn a_ledger_that_is_not_ready_does_not_move() {
    let fake = Fake::start();
    let mut operator = with_key(&fake, "rate = 2\nexport_batch = 1");
    let file = operator.run(&["ledger", "move", "--yes"]);
    file.exits_with(2).says("set `ledger");
    operator.run(&["export", "--gdpr", "a1"]).exits_with(0);
    let Some(database) = with_ledger(&mut operator) else {
        return;
    };
    let unchanged = |operator: &mut Operator, refused: &Outcome| {
        assert_eq!(database.entries(), "1", "{refused}");
        on_file(operator, |operator| operator.run(&["status", "--cached"])).exits_with(0);
    };
    let key = operator.variable("DSR_LEDGER_KEY_FILE").expect("a key");
    operator.set("DSR_LEDGER_KEY_FILE", "/nowhere/key");
    let refused = move_it(&operator);
    refused.exits_with(2).says("ledger key");
    unchanged(&mut operator, &refused);
    operator.set("DSR_LEDGER_KEY_FILE", &key);
    let refused = operator.run(&["ledger", "move"]);
    refused.exits_with(2).says("add `--yes`");
    unchanged(&mut operator, &refused);

    operator.file("ids.csv", csv_of(&people(20), None));
    let sending = on_file(&mut operator, |operator| {
        operator.start(&["export", "--gdpr", "ids.csv"])
    });
    fake.wait_for_posts(3);
    let refused = move_it(&operator);
    refused.exits_with(2).says("is sending (dsr export");
    assert_eq!(database.entries(), "1", "{refused}");
    sending.kill();

    operator.change_trail("UPDATE audit SET details = '{}' WHERE seq = 2");
    let refused = move_it(&operator);
    refused.exits_with(74).says("trail of the file is damaged");
    unchanged(&mut operator, &refused);
    fs::write(
        operator.dsr_home().join("seen-head"),
        format!("99:{}\n", "0".repeat(64)),
    )
    .expect("it can be written");
    let refused = move_it(&operator);
    refused.exits_with(74).says("older copy");
    assert_eq!(database.entries(), "1", "{refused}");
}

/// The server was restored from a backup of before the move.
#[test]
fn a_ledger_that_the_server_has_lost_does_not_move_again() {
    let fake = Fake::start();
    let mut operator = with_key(&fake, "rate = 1000");
    operator.run(&["export", "--gdpr", "a1"]).exits_with(0);
    let Some(database) = with_ledger(&mut operator) else {
        return;
    };
    move_it(&operator).exits_with(0);
    database.ask("DROP SCHEMA dsr CASCADE");
    operator.run(&["ledger", "init"]).exits_with(0);
    move_it(&operator).exits_with(74).says("older copy");
    assert_eq!(database.entries(), "1");
}

#[test]
fn a_servers_ledger_is_copied_into_a_file() {
    let fake = with_one_done();
    let mut operator = in_several_states(&fake, &people(6));
    let Some(_database) = with_ledger(&mut operator) else {
        return;
    };
    move_it(&operator).exits_with(0);
    let made = operator.run(&["ledger", "backup", "copy.db", "--json"]);
    let head = made.exits_with(0).json()["backup"]["head"].clone();
    let path = operator.work().join("copy.db");
    let mode = fs::metadata(&path)
        .expect("it is there")
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
    let names = fs::read_dir(operator.work()).expect("a folder").count();
    operator.run(&["ledger", "backup", "copy.db"]).exits_with(2);
    operator
        .run(&["ledger", "backup", "nowhere/copy.db"])
        .exits_with(74);
    assert_eq!(
        fs::read_dir(operator.work()).expect("a folder").count(),
        names
    );

    let key = operator.variable("DSR_LEDGER_KEY_FILE").expect("a key");
    let other = Operator::at(&fake).with("DSR_LEDGER_KEY_FILE", &key);
    fs::copy(&path, other.dsr_home().join("ledger.db")).expect("a copy");
    assert_eq!(status(&other), status(&operator));
    other.run(&["audit", "verify"]).exits_with(0);
    let found = other.run(&["audit", "head"]).exits_with(0).stdout.clone();
    assert!(found.starts_with(head.as_str().expect("a head")), "{found}");
    let posts = fake.posts().len();
    other
        .run(&["resume"])
        .exits_with(74)
        .says("copy of a ledger on a server");
    let accepted = other.run(&["ledger", "accept", "--yes"]);
    accepted.exits_with(74).says("only for reading");
    other
        .run(&["delete", "--gdpr", "--yes", "b9"])
        .exits_with(74);
    other.run(&["report"]).exits_with(0);
    let again = other.run(&["ledger", "backup", "again.db"]);
    again.exits_with(0);
    let third = Operator::at(&fake).with("DSR_LEDGER_KEY_FILE", &key);
    let path = other.work().join("again.db");
    fs::copy(path, third.dsr_home().join("ledger.db")).expect("a copy");
    third.run(&["ledger", "accept", "--yes"]).exits_with(74);
    assert_eq!(fake.posts().len(), posts);
    // The ids of open jobs are sealed: without the key nobody can be said not to be among them.
    let open = operator.kept_ids().into_values().flatten().next();
    let find = ["find", "--exit-status", "--id", &open.expect("an open job")];
    other.run(&find).exits_with(0);
    other
        .run(&["find", "--exit-status", "--id", "b9"])
        .exits_with(1);
    other
        .without("DSR_LEDGER_KEY_FILE")
        .run(&find)
        .exits_with(2);
}
