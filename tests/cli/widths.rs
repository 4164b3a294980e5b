//! The important screens at 60, 80 and 160 columns, in color, and with `--plain`.

use std::collections::BTreeSet;

use crate::support::{Fake, Operator, Terminal, object_reply, status_reply};

const TASK: &str = "3e0b7f52-77aa-4c1e-9a4b-0000000000a1";
const SECOND: &str = "3e0b7f52-77aa-4c1e-9a4b-0000000000a2";
const ESCAPE: char = '\u{1b}';

/// One open request that Mixpanel knows nothing of, and one that has failed.
fn operator_with_two(fake: &Fake) -> Operator {
    let operator = Operator::at(fake).with("TERM", "xterm");
    let delete = ["delete", "--ccpa", "--yes", "--id", "a1", "--id", "a2"];
    operator.run(&delete).exits_with(0);
    operator.change_ledger(
        "UPDATE jobs SET state = 'failed', mixpanel_status = 'FAILURE', next_check = NULL",
    );
    operator.run(&["export", "--ccpa", "a3"]).exits_with(0);
    operator
        .change_ledger("UPDATE jobs SET mixpanel_status = 'NOT_FOUND' WHERE state = 'accepted'");
    operator
}

/// What a stream shows on a terminal of this width, without color. `redirect` removes the other
/// stream.
fn shown(operator: &Operator, width: u16, redirect: &str, args: &[&str]) -> String {
    let is_wide = format!("until stty size | grep -q ' {width}$'; do sleep 0.05; done");
    let script = format!("{is_wide}; exec \"$0\" \"$@\" {redirect}");
    let mut terminal = Terminal::start(operator.script(&script, args));
    terminal.becomes_wide(width);
    let (_, screen) = terminal.ends();
    let text = screen.replace("\r\n", "\n");
    let mut plain = String::new();
    for (place, part) in text.split(ESCAPE).enumerate() {
        plain.push_str(match (place, part.split_once('m')) {
            (0, _) | (_, None) => part,
            (_, Some((_, rest))) => rest,
        });
    }
    // Request ids are random.
    for request in operator.requests() {
        let id = request["id"].as_str().expect("an id");
        let kind = &request["kind"].as_str().expect("a kind")[..1];
        let name = format!("{kind}{}", "0".repeat(15));
        plain = plain.replace(id, &name).replace(&id[..8], &name[..8]);
    }
    plain
}

fn result(operator: &Operator, width: u16, args: &[&str]) -> String {
    shown(operator, width, "2>/dev/null", args)
}

fn table(text: &str) -> &str {
    text.split("\n\n").next().unwrap_or_default()
}

#[test]
fn a_list_of_requests_is_a_table_at_every_width() {
    let fake = Fake::start();
    let operator = operator_with_two(&fake);
    let args = ["status", "--all", "--cached"];
    let wide = "\
REQUEST   STATE     DUE       KIND         PROJECT  IDS  ENDED  MIXPANEL   CHECKED
e0000000  accepted  45d left  export CCPA  shop       1    0/1  NOT_FOUND  never
d0000000  failed    -         delete CCPA  shop       2    1/1  -          -";
    let text = result(&operator, 160, &args);
    assert_eq!(table(&text), wide, "{text}");
    let eighty = "\
REQUEST   STATE     DUE       KIND         PROJECT  IDS  ENDED  CHECKED
e0000000  accepted  45d left  export CCPA  shop       1    0/1  never
    mixpanel: NOT_FOUND
d0000000  failed    -         delete CCPA  shop       2    1/1  -";
    let text = result(&operator, 80, &args);
    assert_eq!(table(&text), eighty, "{text}");
    let sixty = "\
REQUEST   STATE     DUE       KIND         PROJECT  IDS
e0000000  accepted  45d left  export CCPA  shop       1
    ended: 0/1; mixpanel: NOT_FOUND; checked: never
d0000000  failed    -         delete CCPA  shop       2
    ended: 1/1";
    let text = result(&operator, 60, &args);
    assert_eq!(table(&text), sixty, "{text}");
    let piped = operator.run(&args).stdout;
    assert_eq!(table(&piped).lines().count(), 3, "{piped}");
}

#[test]
fn a_request_keeps_its_task_whole_at_every_width() {
    let fake = Fake::start();
    let operator = operator_with_two(&fake);
    let requests = operator.requests();
    let id = requests[0]["id"].as_str().unwrap();
    let jobs = |width| {
        let text = result(&operator, width, &["status", id, "--cached"]);
        let begin = text.find("JOB").expect("a table of jobs");
        text[begin..].to_owned()
    };
    let wide = format!(
        "JOB  IDS  STATE     TASK{}MIXPANEL\n  1    1  accepted  {SECOND}  NOT_FOUND\n",
        " ".repeat(34)
    );
    assert!(jobs(160).starts_with(&wide), "{}", jobs(160));
    let narrow = format!("\n  1    1  accepted  {SECOND}\n    mixpanel: NOT_FOUND\n");
    assert!(jobs(60).contains(&narrow), "{}", jobs(60));
    for width in [60, 80, 160] {
        let text = jobs(width);
        let reason = text.find("Job 1: Mixpanel knows no such task");
        assert!(reason.is_some(), "what is wrong stands below:\n{text}");
    }
}

#[test]
fn no_screen_is_wider_than_its_terminal() {
    let fake = Fake::start();
    let operator = operator_with_two(&fake);
    operator.file("ids.csv", "distinct_id\na1\na2\nb9\n");
    let delete = [
        "delete",
        "--gdpr",
        "--dry-run",
        "ids.csv",
        "--ref",
        "T-4711",
    ];
    for width in [60, 80, 160] {
        for args in [
            &["status", "--all", "--cached"][..],
            &delete,
            &["find", "ids.csv"],
            &["auth", "status"],
            &["project", "show"],
            &["guide", "after-deletion"],
            &["status", "nothing-like-it"],
            &["export", "--gdpr", "no-such-file.csv"],
            &["purge", "--older-than", "1month"],
        ] {
            // A progress bar that comes and goes is not a line.
            let said = shown(&operator, width, "2>&1 >/dev/null", args);
            let said = said.lines().filter(|line| !line.contains("Reading"));
            let said: String = said.map(|line| format!("{line}\n")).collect();
            let text = result(&operator, width, args) + &said;
            assert!(!text.is_empty(), "{args:?}");
            for line in text.lines() {
                let fits = line.chars().count() <= usize::from(width);
                assert!(fits, "{width}, {args:?}: {line:?}\n{text}");
            }
        }
    }
}

#[test]
fn how_far_the_reading_is_fits_into_one_line_of_any_terminal() {
    let operator = operator_with_two(&Fake::start());
    let ids: String = (0..30_000).map(|n| format!("user-{n}\n")).collect();
    operator.file("ids.csv", format!("distinct_id\n{ids}"));
    let delete = ["delete", "--gdpr", "--dry-run", "ids.csv"];
    for width in [40, 80, 160] {
        let said = shown(&operator, width, "2>&1 >/dev/null", &delete);
        let bars = said.split(['\r', '\n', ESCAPE]);
        // The rest of a terminal sequence ends with its first letter.
        let bars = bars.map(|bar| match bar.split_once('K') {
            Some(("[2", bar)) => bar,
            Some(_) | None => bar,
        });
        let bars: Vec<&str> = bars.filter(|bar| bar.contains("Reading")).collect();
        for bar in &bars {
            let fits = bar.chars().count() <= usize::from(width);
            assert!(fits, "{width}: {bar:?}");
        }
        let says = |bar: &&str| bar.contains(" values (") && bar.contains(" left, ");
        assert!(width < 80 || bars.iter().any(says), "{said:?}");
        assert!(!bars.is_empty(), "{said:?}");
    }
}

#[test]
fn what_is_said_on_stderr_is_folded_between_words_and_never_in_a_command() {
    let operator = operator_with_two(&Fake::start());
    let said = shown(&operator, 60, "2>&1 >/dev/null", &["status", "nothing"]);
    assert_eq!(
        said,
        "Error: there is no request, task or reference `nothing`\n\
         Hint: list all requests with `dsr status --all --cached`\n"
    );
    let said = shown(&operator, 50, "2>&1 >/dev/null", &["status", "nothing"]);
    let folded = "Hint: list all requests with\n  `dsr status --all --cached`\n";
    assert!(said.ends_with(folded), "{said}");
}

#[test]
fn no_colour_is_used_that_some_background_swallows() {
    let fake = Fake::start();
    let operator = operator_with_two(&fake);
    let mut codes = BTreeSet::new();
    for args in [
        &["status", "--all", "--cached"][..],
        &["doctor", "--offline"],
        &["status", "nothing"],
        &["find", "a1"],
    ] {
        let outcome = operator.run(&[args, &["--color", "always"]].concat());
        for text in [&outcome.stdout, &outcome.stderr] {
            for part in text.split("\u{1b}[").skip(1) {
                codes.extend(part.split('m').next().map(str::to_owned));
            }
            assert!(
                !text.contains("\u{1b}[1m\u{1b}[32m"),
                "bright green on white"
            );
        }
    }
    // Reset, bold, red, green and magenta.
    let readable = ["0", "1", "31", "32", "35"].map(str::to_owned);
    let readable = BTreeSet::from(readable);
    let others: Vec<_> = codes.difference(&readable).collect();
    assert!(others.is_empty(), "{others:?}");
    assert!(codes.contains("31") && codes.contains("1"), "{codes:?}");
}

#[test]
fn plain_is_a_fact_a_line_with_records_apart() {
    let fake = Fake::start();
    let operator = operator_with_two(&fake);
    let text = result(&operator, 60, &["status", "--all", "--cached", "--plain"]);
    let records = "\
Request: e0000000
State: accepted
Due: 45d left
Kind: export CCPA
Project: shop
Ids: 1
Ended: 0/1
Mixpanel: NOT_FOUND
Checked: never

Request: d0000000
State: failed
Kind: delete CCPA
Project: shop
Ids: 2
Ended: 1/1
";
    assert!(text.starts_with(records), "{text}");
    operator.file("ids.csv", "distinct_id\na1\nb9\n");
    let requests = operator.requests();
    let id = requests[0]["id"].as_str().unwrap();
    for args in [
        &["status", id, "--cached"][..],
        &["delete", "--gdpr", "--dry-run", "ids.csv"],
        &["auth", "status"],
        &["project", "show"],
        &["doctor", "--offline"],
    ] {
        let outcome = operator.run(&[args, &["--plain", "--color", "always"]].concat());
        for line in outcome.stdout.lines().filter(|line| !line.is_empty()) {
            let is_sentence = line.ends_with('.') || line == "Settings";
            assert!(
                line.contains(": ") || is_sentence,
                "{args:?}: {line:?}\n{outcome}"
            );
            assert!(!line.starts_with(' ') && !line.contains('→'), "{line:?}");
        }
        assert!(!outcome.stdout.contains(ESCAPE), "{outcome}");
    }
    let json = operator
        .run(&["status", "--all", "--cached", "--json"])
        .stdout;
    let both = operator.run(&["status", "--all", "--cached", "--json", "--plain"]);
    assert_eq!(both.stdout, json, "JSON is plain already");
}

#[test]
fn where_nothing_may_be_drawn_a_watch_is_lines_of_text() {
    for (term, flags) in [("xterm", &["--plain"][..]), ("dumb", &[])] {
        let fake = Fake::answering(|call| match (call.is_post(), call.place) {
            (true, _) => object_reply(TASK),
            (false, 0) => status_reply("STARTED"),
            (false, _) => status_reply("SUCCESS"),
        });
        let operator = Operator::at(&fake).with("TERM", term);
        let delete = ["delete", "--gdpr", "--yes", "user-17"];
        operator.run(&delete).exits_with(0);
        let args = [&["status", "--watch"], flags].concat();
        let (status, screen) = Terminal::start(operator.command(&args)).ends();
        assert_eq!(status, 0, "{screen}");
        assert!(!screen.contains(ESCAPE), "{term}: {screen:?}");
        let change = screen.lines().find(|line| line.starts_with("Job "));
        let change = change.unwrap_or_else(|| panic!("no line of a change:\n{screen}"));
        assert!(
            change.ends_with("(STARTED)") || change.ends_with("(SUCCESS)"),
            "{change}"
        );
        assert!(screen.contains("All jobs are done"), "{screen}");
        let wide = Terminal::start(operator.command(&["status", "--all", "--cached"]));
        let is_table = wide.ends().1.contains("REQUEST");
        assert!(is_table, "{term}: tables need no cursor");
    }
}
