//! Ctrl-C and SIGTERM at every moment: the status, how soon dsr ends, and what it leaves.

use std::time::{Duration, Instant};

use rusqlite::Connection;

use crate::support::{
    Database, Fake, Operator, Reply, Running, Terminal, object_reply, signal, states, usual,
};

const SIGNALS: [(&str, i32); 2] = [("INT", 130), ("TERM", 143)];
const SOON: Duration = Duration::from_secs(5);

/// Keeps everybody else from writing the ledger until this is dropped.
fn hold(operator: &Operator) -> Connection {
    let path = operator.dsr_home().join("ledger.db");
    let ledger = Connection::open(path).expect("the ledger can be opened");
    let held = ledger.execute_batch("BEGIN IMMEDIATE");
    held.expect("the ledger can be locked");
    ledger
}

/// Sends the signal, and checks that the process ends soon with this status.
#[track_caller]
fn ends_soon(running: Running, name: &str, status: i32) {
    running.signal(name);
    let start = Instant::now();
    running.end().exits_with(status).did_not_panic();
    assert!(start.elapsed() < SOON, "after {:?}", start.elapsed());
}

fn at_a_terminal(fake: &Fake) -> Operator {
    Operator::at(fake)
        .with("TERM", "xterm")
        .with("NO_COLOR", "1")
}

#[test]
fn an_interrupted_question_records_and_sends_nothing() {
    let fake = Fake::start();
    let operator = at_a_terminal(&fake);
    for (name, status) in SIGNALS {
        let mut terminal = Terminal::start(operator.command(&["delete", "--gdpr", "a1"]));
        terminal.sees("Type the number");
        match name {
            "INT" => terminal.types_interrupt(),
            _ => terminal.signal(name),
        }
        let (ended, screen) = terminal.ends();
        assert_eq!(ended, status);
        assert!(
            screen.ends_with("\r\nStopped. Nothing was sent.\r\n"),
            "{screen:?}"
        );
    }
    assert_eq!(operator.requests().len(), 0);
    fake.was_not_called();
}

#[test]
fn a_signal_between_the_confirmation_and_the_record_says_that_nothing_was_sent() {
    let Some(database) = Database::new() else {
        return;
    };
    let fake = Fake::start();
    let operator = at_a_terminal(&fake)
        .with_ledger_key()
        .with("DSR_LEDGER_URL", &database.url);
    operator.run(&["ledger", "init"]).exits_with(0);
    for (name, status) in SIGNALS {
        let mut terminal = Terminal::start(operator.command(&["delete", "--gdpr", "a1"]));
        terminal.sees("Type the number");
        // Each opening takes long from now on.
        database.ask(
            "ALTER TABLE dsr.sharing RENAME TO quick;
             CREATE VIEW dsr.sharing AS SELECT quick.* FROM dsr.quick, pg_sleep(4)",
        );
        terminal.types("1");
        std::thread::sleep(Duration::from_millis(1000));
        match name {
            "INT" => terminal.types_interrupt(),
            _ => terminal.signal(name),
        }
        let (ended, screen) = terminal.ends();
        database.ask("DROP VIEW dsr.sharing; ALTER TABLE dsr.quick RENAME TO sharing");
        assert_eq!(ended, status);
        assert!(
            screen.ends_with("\r\nStopped. Nothing was sent.\r\n"),
            "{screen:?}"
        );
    }
    fake.was_not_called();
}

/// Prints its process id before it becomes dsr, and the terminal's state after dsr. The tests'
/// terminals do not echo by default.
const TELLING: &str = r#"stty echo; /bin/sh -c 'echo "process $$."; exec "$0" "$@"' "$0" "$@"
    echo "status $?."; stty -a; echo "the end""#;

#[test]
fn an_interrupted_secret_leaves_the_terminal_as_it_was() {
    let fake = Fake::start();
    let operator = at_a_terminal(&fake);
    let before = std::fs::read(operator.config_path()).unwrap();
    let questions: [(&[&str], &str); 2] = [
        (&["auth", "login"], "OAuth token"),
        (&["project", "add", "app", "--region", "eu"], "roject token"),
    ];
    for (args, prompt) in questions {
        for (name, status) in SIGNALS {
            let mut terminal = Terminal::start(operator.script(TELLING, args));
            terminal.sees("process ");
            let process = terminal.reads_to(".");
            terminal.sees(prompt);
            terminal.stops_echoing();
            match name {
                "INT" => terminal.types_interrupt(),
                _ => signal(&process, name),
            }
            terminal.sees("status ");
            assert_eq!(terminal.reads_to("."), status.to_string(), "{args:?}");
            let settings = terminal.reads_to("the end");
            for setting in [" echo ", " icanon ", "isig "] {
                assert!(settings.contains(setting), "{args:?}: {settings}");
            }
        }
    }
    assert_eq!(std::fs::read(operator.config_path()).unwrap(), before);
}

#[test]
fn a_signal_while_the_source_is_read_ends_it_at_once() {
    let fake = Fake::start();
    let operator = Operator::at(&fake);
    let pipe = operator.work().join("ids.csv");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status();
    assert!(made.unwrap().success());
    for (name, status) in SIGNALS {
        let running = operator.start(&["export", "--gdpr", "ids.csv"]);
        std::thread::sleep(Duration::from_millis(500));
        ends_soon(running, name, status);
    }
    assert_eq!(operator.requests().len(), 0);
    fake.was_not_called();
}

#[test]
fn a_signal_while_the_ledger_is_waited_for_ends_it_at_once() {
    let fake = Fake::start();
    let operator = Operator::at(&fake);
    operator.run(&["export", "--gdpr", "a1"]).exits_with(0);
    let _held = hold(&operator);
    for (name, status) in SIGNALS {
        let running = operator.start(&["export", "--gdpr", "a2"]);
        std::thread::sleep(Duration::from_millis(700));
        ends_soon(running, name, status);
    }
    assert_eq!(fake.posts().len(), 1);
}

#[test]
fn a_second_signal_ends_also_what_waits_for_the_ledger_with_an_answer_in_hand() {
    let slow = Reply::After(Duration::from_millis(500), Box::new(object_reply("t-1")));
    let fake = Fake::answering_post(0, slow);
    let operator = Operator::at(&fake);
    let running = operator.start(&["delete", "--gdpr", "--yes", "a1"]);
    fake.wait_for_posts(1);
    let held = hold(&operator);
    std::thread::sleep(Duration::from_millis(1000));
    running.signal("TERM");
    std::thread::sleep(Duration::from_millis(300));
    ends_soon(running, "INT", 130);
    drop(held);
    // The answer's receipt was written before the wait.
    assert_eq!(states(&operator.only_request()), ["accepted"]);
}

#[test]
fn a_signal_ends_a_question_to_mixpanel_that_is_not_answered() {
    let fake = Fake::answering(|call| match call.is_post() {
        true => usual(call),
        false => Reply::Hang,
    });
    let operator = Operator::at(&fake);
    operator.run(&["export", "--gdpr", "a1"]).exits_with(0);
    let asks = |count: usize| {
        let start = Instant::now();
        while fake.gets().len() < count && start.elapsed() < Duration::from_secs(30) {
            std::thread::sleep(Duration::from_millis(5));
        }
    };
    for (place, args) in [&["status"][..], &["export", "--gdpr", "a2", "--wait"]]
        .into_iter()
        .enumerate()
    {
        let running = operator.start(args);
        asks(place + 1);
        running.signal("INT");
        let start = Instant::now();
        running.end().exits_with(130).did_not_panic();
        let took = start.elapsed();
        assert!(took < Duration::from_secs(15), "{args:?}: {took:?}");
    }
    assert_eq!(fake.gets().len(), 2, "no new call");
    for request in operator.requests() {
        assert_eq!(states(&request), ["accepted"]);
    }
}

#[test]
fn a_signal_ends_the_wait_that_mixpanel_asked_for() {
    for (name, status) in SIGNALS {
        let limited = Reply::error(429, "slow down").with("Retry-After", "100");
        let fake = Fake::answering_post(0, limited);
        let operator = Operator::at(&fake);
        let running = operator.start(&["delete", "--gdpr", "--yes", "a1"]);
        fake.wait_for_posts(1);
        std::thread::sleep(Duration::from_millis(700));
        ends_soon(running, name, status);
        assert_eq!(states(&operator.only_request()), ["deferred"]);
        assert_eq!(fake.posts().len(), 1);
    }
}
