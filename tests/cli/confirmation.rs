//! Before anything is erased: the typed count, `--yes`, and secrets that the terminal does not
//! show.

use crate::support::{Fake, OAUTH_TOKEN, Operator, PROJECT_TOKEN, Terminal, csv_of, people};

fn operator_at_a_terminal(fake: &Fake) -> Operator {
    let operator = Operator::at(fake).with("TERM", "xterm");
    operator.file("ids.csv", csv_of(&people(1234), Some(20)));
    operator
}

fn delete_and_type(operator: &Operator, answer: &str) -> (i32, String) {
    let mut terminal = Terminal::start(operator.command(&["delete", "--gdpr", "ids.csv"]));
    terminal.sees("confirm");
    terminal.types(answer);
    terminal.ends()
}

#[test]
fn without_a_terminal_and_without_yes_nothing_is_sent() {
    let fake = Fake::start();
    let operator = operator_at_a_terminal(&fake);
    let outcome = operator.run_with_input(&["delete", "--gdpr", "ids.csv"], "1234\n");
    outcome.exits_with(2).says("--yes");
    let outcome = operator.run(&["delete", "--gdpr", "ids.csv", "--json"]);
    assert_eq!(outcome.exits_with(2).failure()["kind"], "confirmation");
    fake.was_not_called();
    assert!(operator.requests().is_empty());
}

#[test]
fn the_right_count_sends() {
    let fake = Fake::start();
    for answer in ["1234", "1,234", " 1234 "] {
        let before = fake.posts().len();
        let (status, screen) = delete_and_type(&operator_at_a_terminal(&fake), answer);
        assert_eq!(status, 0, "`{answer}`\n{screen}");
        assert_eq!(fake.posts().len() - before, 3, "`{answer}`");
        for word in ["1,234", "shop", "us", "GDPR", "3 deletions"] {
            assert!(
                screen.contains(word),
                "the question does not say `{word}`\n{screen}"
            );
        }
    }
}

#[test]
fn any_other_answer_sends_nothing() {
    let fake = Fake::start();
    for answer in [
        "1235",
        "",
        "y",
        "yes",
        "1296",
        "12341",
        "-1234",
        "1234 1234",
        "0",
    ] {
        let operator = operator_at_a_terminal(&fake);
        let (status, screen) = delete_and_type(&operator, answer);
        assert_eq!(status, 2, "`{answer}`\n{screen}");
        assert!(operator.requests().is_empty());
    }
    fake.was_not_called();
}

#[test]
fn the_end_of_the_input_is_no_confirmation() {
    let fake = Fake::start();
    let operator = operator_at_a_terminal(&fake);
    let mut terminal = Terminal::start(operator.command(&["delete", "--gdpr", "ids.csv"]));
    terminal.sees("confirm");
    terminal.types_end();
    let (status, screen) = terminal.ends();
    assert_eq!(status, 2, "{screen}");
    fake.was_not_called();
}

/// A shell would run the lines of a paste that come after the answer.
#[test]
fn the_rest_of_a_paste_is_not_left_to_the_shell() {
    let fake = Fake::start();
    let operator = operator_at_a_terminal(&fake);
    let shell = "\"$0\" \"$@\"; stty -icanon min 0 time 5; echo \"left: [$(dd bs=99 count=1 2>/dev/null)]\"";
    for (args, question) in [
        (&["delete", "--gdpr", "ids.csv"][..], "confirm"),
        (&["auth", "login"], "token"),
    ] {
        let mut terminal = Terminal::start(operator.script(shell, args));
        terminal.sees(question);
        terminal.types("no\nsecond line\nthird");
        let (_, screen) = terminal.ends();
        assert!(screen.contains("left: []"), "{args:?}\n{screen}");
    }
    fake.was_not_called();
}

#[test]
fn no_input_never_asks_even_on_a_terminal() {
    let fake = Fake::start();
    let operator = operator_at_a_terminal(&fake);
    let command = operator.command(&["delete", "--gdpr", "ids.csv", "--no-input"]);
    let (status, screen) = Terminal::start(command).ends();
    assert_eq!(status, 2, "{screen}");
    assert!(screen.contains("--yes"), "{screen}");
    fake.was_not_called();
}

#[test]
fn an_export_and_a_yes_ask_nothing() {
    let fake = Fake::start();
    let operator = operator_at_a_terminal(&fake);
    for args in [
        &["export", "--gdpr", "ids.csv"][..],
        &["delete", "--gdpr", "--yes", "ids.csv"],
    ] {
        let (status, screen) = Terminal::start(operator.command(args)).ends();
        assert_eq!(status, 0, "{screen}");
    }
    assert_eq!(fake.posts().len(), 4);
}

#[test]
fn the_question_for_several_projects_names_each() {
    let fake = Fake::start();
    let operator = operator_at_a_terminal(&fake);
    let text = std::fs::read_to_string(operator.config_path()).unwrap();
    operator.write_config(&format!(
        "{text}[projects.app]\ntoken = \"00000000000000000000000000000abc\"\nregion = \"eu\"\nrate = 1000\n"
    ));
    let args = [
        "delete",
        "--gdpr",
        "ids.csv",
        "--project",
        "shop",
        "--project",
        "app",
    ];
    let mut terminal = Terminal::start(operator.command(&args));
    terminal.sees("confirm");
    terminal.types("no");
    let (status, screen) = terminal.ends();
    assert_eq!(status, 2);
    assert!(
        screen.contains("shop") && screen.contains("app (eu)"),
        "{screen}"
    );
    fake.was_not_called();
}

#[test]
fn a_file_that_changes_after_the_question_changes_nothing() {
    let fake = Fake::start();
    let operator = operator_at_a_terminal(&fake);
    operator.file("few.csv", "distinct_id\na1\na2\n");
    let mut terminal = Terminal::start(operator.command(&["delete", "--gdpr", "few.csv"]));
    terminal.sees("confirm");
    operator.file("few.csv", "distinct_id\nb1\nb2\nb3\n");
    terminal.types("2");
    assert_eq!(terminal.ends().0, 0);
    assert_eq!(fake.posted_ids(), ["a1", "a2"]);
}

/// The tests' terminals do not echo by default.
const ECHO: &str = "stty echo";

#[test]
fn a_project_token_is_typed_unseen() {
    let operator = Operator::new().with("TERM", "xterm");
    let args = ["project", "add", "shop", "--region", "eu"];
    let mut terminal = Terminal::start(operator.command_after(ECHO, &args));
    terminal.sees("oken");
    terminal.types_hidden(PROJECT_TOKEN);
    let (status, screen) = terminal.ends();
    assert_eq!(status, 0, "{screen}");
    assert!(!screen.contains(PROJECT_TOKEN), "{screen}");
    let text = std::fs::read_to_string(operator.config_path()).unwrap();
    assert!(text.contains(PROJECT_TOKEN));
}

#[test]
fn an_oauth_token_is_typed_unseen() {
    let operator = Operator::new().with("TERM", "xterm");
    let mut terminal = Terminal::start(operator.command_after(ECHO, &["auth", "login"]));
    terminal.sees("oken");
    terminal.types_hidden(OAUTH_TOKEN);
    let (status, screen) = terminal.ends();
    assert_eq!(status, 4, "there is no keyring here\n{screen}");
    assert!(!screen.contains(OAUTH_TOKEN), "{screen}");
    assert!(screen.contains("DSR_TOKEN_FILE"), "{screen}");
}

#[test]
fn ctrl_d_behind_the_count_confirms_nothing() {
    let fake = Fake::start();
    let operator = operator_at_a_terminal(&fake);
    let mut terminal = Terminal::start(operator.command(&["delete", "--gdpr", "ids.csv"]));
    terminal.sees("confirm (1,234): ");
    terminal.types_keys(b"1234\x04\x04");
    let (status, screen) = terminal.ends();
    assert_eq!(status, 2, "{screen}");
    assert!(screen.contains("Nothing was sent."), "{screen}");
    fake.was_not_called();
}
