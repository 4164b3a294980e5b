//! `dsr status --watch`: a redrawn picture on a terminal, lines of JSON elsewhere.

use std::thread::sleep;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::support::{
    Fake, Operator, Reply, Running, Terminal, object_reply, states, status_reply, usual,
};

/// Begins each picture; from the second on, the cursor goes back first.
const BEGIN: &str = "\u{1b}[?2026h";
const BACK: &str = "\u{1b}[?2026h\r\u{1b}[";

fn saying(statuses: &'static [&'static str]) -> Fake {
    Fake::answering(move |call| match call.is_post() {
        true => object_reply(&format!("task-{}", call.place)),
        false => status_reply(statuses[call.place.min(statuses.len() - 1)]),
    })
}

fn operator_with_a_deletion(fake: &Fake) -> Operator {
    let operator = Operator::at(fake).with("TERM", "xterm");
    let args = ["delete", "--gdpr", "--yes", "user-17"];
    operator.run(&args).exits_with(0);
    operator
}

fn wait_for(what: &str, is_so: impl Fn() -> bool) {
    let start = Instant::now();
    while !is_so() {
        assert!(start.elapsed() < Duration::from_secs(30), "{what}");
        sleep(Duration::from_millis(10));
    }
}

#[test]
fn without_a_terminal_each_change_is_a_line_and_the_last_one_is_all_of_it() {
    for flags in [&["status", "--watch"][..], &["status", "--watch", "--json"]] {
        let fake = saying(&["PENDING", "STARTED", "SUCCESS"]);
        let operator = operator_with_a_deletion(&fake);
        let outcome = operator.run(flags);
        let mut lines = outcome.exits_with(0).json_lines();
        let last = lines.pop().unwrap();
        assert_eq!(states(&last["requests"][0]), ["done"], "{outcome}");
        let told: Vec<&str> = lines
            .iter()
            .map(|line| line["job"]["state"].as_str().unwrap())
            .collect();
        // Two changes within a second may be one line.
        assert_eq!(told.last(), Some(&"done"), "{outcome}");
        assert!(told.contains(&"running"), "{outcome}");
        assert!(
            lines
                .iter()
                .all(|line| line["request_id"] == last["requests"][0]["id"])
        );
        assert_eq!(fake.gets().len(), 3);
    }
}

#[test]
fn what_another_process_finds_out_is_told_too() {
    let fake = saying(&["PENDING"]);
    let operator = operator_with_a_deletion(&fake);
    operator.change_ledger("UPDATE jobs SET submitted_at = '2026-01-02T03:04:05.000Z'");
    operator.run(&["status"]).exits_with(0);
    let watch = operator.start(&["status", "--watch"]);
    sleep(Duration::from_millis(1500));
    let done = "UPDATE jobs SET state = 'done', mixpanel_status = 'SUCCESS', next_check = NULL";
    operator.change_ledger(done);
    let outcome = watch.end();
    let lines = outcome.exits_with(0).json_lines();
    assert_eq!(lines.len(), 2, "{outcome}");
    assert_eq!(lines[0]["job"]["state"], "done");
    assert_eq!(fake.gets().len(), 1, "nothing was due");
}

#[test]
fn only_what_is_due_is_asked_however_fast_the_pace() {
    let fake = saying(&["PENDING"]);
    let operator = operator_with_a_deletion(&fake);
    let outcome = operator.run(&["status", "--watch", "--timeout", "4s"]);
    outcome.exits_with(8).says("dsr status");
    let gets = fake.gets().len();
    assert!(
        (2..=5).contains(&gets),
        "{gets} questions in four seconds, a second apart"
    );
}

#[test]
fn a_watch_ends_with_what_became_of_the_jobs() {
    for (statuses, status) in [(&["PENDING", "FAILURE"][..], 7), (&["NOT_FOUND"], 7)] {
        let fake = saying(statuses);
        let operator = operator_with_a_deletion(&fake);
        operator.run(&["status", "--watch"]).exits_with(status);
    }
    let fake = Fake::answering(|call| match call.is_post() {
        true => usual(call),
        false => Reply::error(401, "expired"),
    });
    let operator = operator_with_a_deletion(&fake);
    let outcome = operator.run(&["status", "--watch"]);
    outcome.exits_with(4).says("put it into DSR_TOKEN");
    assert_eq!(fake.gets().len(), 1);
}

#[test]
fn a_watch_survives_a_network_that_fails_and_does_not_hammer_it() {
    let fake = Fake::answering(|call| match call.is_post() {
        true => usual(call),
        false => Reply::Reset,
    });
    let operator = Operator::at(&fake);
    operator.with_open_jobs(20);
    let outcome = operator.run(&["status", "--watch", "--timeout", "6s"]);
    outcome.exits_with(8);
    let gets = fake.gets().len();
    assert!(
        (1..=3).contains(&gets),
        "{gets} questions about 20 jobs\n{outcome}"
    );
    assert_eq!(states(&operator.only_request()), ["accepted"; 20]);
}

#[test]
fn a_watch_waits_for_what_is_still_being_sent() {
    let fake = Fake::answering(|call| match call.is_post() {
        true if call.place == 1 => Reply::After(Duration::from_secs(3), Box::new(usual(call))),
        true => usual(call),
        false => status_reply("SUCCESS"),
    });
    let operator = Operator::at_with(&fake, "rate = 1000\ndelete_batch = 1");
    let args = ["delete", "--gdpr", "--yes", "--id", "a1", "--id", "a2"];
    let sending = operator.start(&args);
    fake.wait_for_posts(2);
    let watch = operator.start(&["status", "--watch"]);
    sending.end().exits_with(0);
    let outcome = watch.end();
    let lines = outcome.exits_with(0).json_lines();
    let last = lines.last().unwrap();
    assert_eq!(states(&last["requests"][0]), ["done", "done"], "{outcome}");
}

#[test]
fn a_terminal_sees_a_picture_that_moves_in_its_place() {
    let fake = saying(&["PENDING", "PENDING", "STARTED", "STARTED", "SUCCESS"]);
    let operator = operator_with_a_deletion(&fake);
    let mut terminal = Terminal::start(operator.command(&["status", "--watch"]));
    terminal.sees("accepted");
    terminal.sees("Ctrl-C to stop watching");
    terminal.sees(BACK);
    terminal.sees("running");
    let (status, screen) = terminal.ends();
    assert_eq!(status, 0, "{screen}");
    assert!(screen.contains("All jobs are done"), "{screen}");
    assert!(
        !screen.contains("\u{1b}[2J"),
        "a screen that is cleared flickers"
    );
    let pictures: Vec<&str> = screen.split(BEGIN).skip(1).collect();
    assert!(pictures.len() > 2, "{screen}");
    for pair in pictures.windows(2) {
        // No line of these is as wide as the terminal.
        let rows = pair[0]
            .split("\u{1b}[J")
            .next()
            .unwrap()
            .matches('\n')
            .count();
        let back = format!("\r\u{1b}[{rows}A");
        assert!(
            pair[1].starts_with(&back),
            "{rows} rows back: {:?}",
            pair[1]
        );
    }
    let last = screen.rsplit("\u{1b}[J").next().unwrap();
    assert!(last.contains("done") && !last.contains("Ctrl-C"), "{last}");
}

/// How many rows the cursor goes back before a picture, and how many the picture takes.
fn rows_of(picture: &str) -> (usize, usize) {
    let back = picture.strip_prefix("\r\u{1b}[");
    let back = back.and_then(|rest| rest.split('A').next()?.parse().ok());
    let drawn = picture.split("\u{1b}[J").next().unwrap_or_default();
    (back.unwrap_or(0), drawn.matches('\n').count())
}

#[test]
fn whoever_presses_enter_does_not_shift_the_picture() {
    let fake = saying(&["PENDING"]);
    let operator = operator_with_a_deletion(&fake);
    let mut terminal = Terminal::start(operator.command(&["status", "--watch"]));
    let next_picture = |terminal: &mut Terminal| {
        let seen = terminal.reads_to("\u{1b}[?2026l");
        rows_of(seen.rsplit(BEGIN).next().unwrap_or_default())
    };
    let (_, mut before) = next_picture(&mut terminal);
    terminal.types("");
    terminal.types("hello");
    let mut typed = 0;
    // A busy machine may draw some pictures before it hands over what was typed.
    for _ in 0..20 {
        let (back, rows) = next_picture(&mut terminal);
        typed += back - before;
        before = rows;
        if typed >= 2 {
            break;
        }
    }
    assert_eq!(typed, 2, "rows that were typed");
    terminal.types_interrupt();
    let (status, screen) = terminal.ends();
    assert_eq!(status, 130, "{screen}");
}

#[test]
fn ctrl_c_ends_the_watch_and_leaves_the_last_picture() {
    let fake = saying(&["STARTED"]);
    let operator = operator_with_a_deletion(&fake);
    let mut terminal = Terminal::start(operator.command(&["status", "--watch"]));
    terminal.sees("running");
    terminal.types_interrupt();
    let (status, screen) = terminal.ends();
    assert_eq!(status, 130, "{screen}");
    let last = screen.rsplit("\u{1b}[?2026h").next().unwrap();
    assert!(last.contains("running"), "{last}");
    let below = last.rsplit("\u{1b}[?2026l").next().unwrap();
    assert_eq!(below.trim(), "", "the picture is the last thing said");

    let watch = operator.start(&["status", "--watch", "--json"]);
    let gets = fake.gets().len();
    operator.make_due();
    wait_for("it asks", || fake.gets().len() > gets);
    watch.signal("TERM");
    let outcome = watch.end();
    outcome.exits_with(143);
    let last: Value = outcome.json_lines().pop().unwrap();
    assert_eq!(states(&last["requests"][0]), ["running"]);
}

#[test]
fn a_picture_fits_the_terminal_whatever_its_size() {
    let fake = saying(&["PENDING"]);
    let operator = Operator::at(&fake)
        .with("TERM", "xterm")
        .with("NO_COLOR", "1");
    for _ in 0..40 {
        operator
            .run(&["export", "--gdpr", "--new", "a1"])
            .exits_with(0);
    }
    for columns in [60, 80, 160] {
        let is_wide = format!("until stty size | grep -q ' {columns}$'; do sleep 0.05; done");
        let mut terminal =
            Terminal::start(operator.command_after(&is_wide, &["status", "--watch"]));
        terminal.becomes_wide(columns);
        terminal.sees("Ctrl-C to stop watching");
        terminal.sees(BACK);
        terminal.becomes_wide(columns / 2);
        terminal.sees("Ctrl-C to stop watching");
        terminal.types_interrupt();
        let (status, screen) = terminal.ends();
        assert_eq!(status, 130, "{screen}");
        let first = screen.split("\u{1b}[?2026l").next().unwrap();
        let picture = first.split("\u{1b}[?2026h").nth(1).unwrap();
        assert!(picture.contains("more lines"), "{picture}");
        // The last row is the cursor's own.
        let mut rows = 0;
        for line in picture.lines() {
            let shown = line.replace("\u{1b}[K", "").replace("\u{1b}[J", "");
            assert!(!shown.contains('\u{1b}'), "no colour is wanted: {shown:?}");
            let width = shown.trim_end_matches('\r').chars().count();
            let is_prose = shown.contains("Ctrl-C");
            assert!(is_prose || width <= usize::from(columns), "{shown:?}");
            rows += width.div_ceil(usize::from(columns)).max(1);
        }
        assert!(rows <= 24, "{rows} rows:\n{picture}");
    }
}

#[test]
fn trouble_is_said_in_the_picture() {
    let fake = Fake::answering(|call| match call.is_post() {
        true => usual(call),
        false => Reply::error(429, "API is limited to 1 req/s").with("Retry-After", "900"),
    });
    let operator = operator_with_a_deletion(&fake);
    let mut terminal = Terminal::start(operator.command(&["status", "--watch"]));
    terminal.sees("rate limit");
    terminal.sees("again in");
    terminal.types_interrupt();
    let (status, screen) = terminal.ends();
    assert_eq!(status, 130, "{screen}");
    assert_eq!(fake.gets().len(), 1);
}

#[test]
fn a_wait_that_is_limited_ends_in_time_even_if_nobody_answers() {
    let fake = Fake::answering(|call| match call.is_post() {
        true => usual(call),
        false => Reply::After(Duration::from_secs(300), Box::new(status_reply("SUCCESS"))),
    });
    let operator = Operator::at(&fake);
    let args = ["export", "--gdpr", "a1", "--wait", "--timeout", "2s"];
    let outcome = Running::start(operator.command(&args), "").end();
    outcome.exits_with(8).says("dsr status");
    assert!(outcome.took < Duration::from_secs(15), "{outcome}");
}

#[test]
fn whoever_stops_a_watch_in_a_script_reads_that_the_jobs_continue() {
    let fake = saying(&["PENDING"]);
    let operator = operator_with_a_deletion(&fake);
    let watch = operator.start(&["status", "--watch"]);
    sleep(Duration::from_millis(1500));
    watch.signal("TERM");
    let outcome = watch.end();
    outcome
        .exits_with(143)
        .says("stopped watching; the jobs continue")
        .never_says("sent");
}
