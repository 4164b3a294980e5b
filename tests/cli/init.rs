//! `dsr init`: by questions on a terminal, by options without one, and stopped half-way.

use std::fs;

use crate::support::{Fake, Keyring, OAUTH_TOKEN, Operator, Outcome, PROJECT_TOKEN, Terminal};

const BY_OPTIONS: [&str; 8] = [
    "init",
    "--with-token",
    "--project",
    "shop",
    "--region",
    "eu",
    "--project-token-file",
    "shop.token",
];

/// An operator without token and project, and with the file that `BY_OPTIONS` names.
fn newcomer(fake: &Fake) -> Operator {
    let operator = Operator::new().with("DSR_API_URL", &fake.url());
    operator.file("shop.token", format!("{PROJECT_TOKEN}\n"));
    operator
}

fn config(operator: &Operator) -> String {
    fs::read_to_string(operator.config_path()).unwrap_or_default()
}

/// Neither token is anywhere on the screen.
fn is_silent(outcome: &Outcome) {
    outcome.never_says(OAUTH_TOKEN).never_says(PROJECT_TOKEN);
    assert!(!outcome.stdout.contains(PROJECT_TOKEN), "{outcome}");
    assert!(!outcome.stdout.contains(OAUTH_TOKEN), "{outcome}");
}

#[test]
fn options_set_everything_up_and_the_same_command_again_changes_nothing() {
    let Some(keyring) = Keyring::start() else {
        return;
    };
    let fake = Fake::start();
    let operator = keyring.of(newcomer(&fake));
    let init = [&BY_OPTIONS[..], &["--issued", "2026-05-31"]].concat();
    let outcome = operator.run_with_input(&init, OAUTH_TOKEN);
    outcome.exits_with(0);
    is_silent(&outcome);
    assert!(
        keyring
            .look_up("mixpanel-oauth-token")
            .unwrap()
            .contains("2026-05-31")
    );
    assert!(config(&operator).contains("default_project = \"shop\""));
    assert!(fake.posts().is_empty(), "the check creates nothing");
    assert_eq!(fake.gets().len(), 1);

    let before = config(&operator);
    operator.run_with_input(&init, OAUTH_TOKEN).exits_with(0);
    operator.run(&["init", "--offline"]).exits_with(0);
    assert_eq!(config(&operator), before);
    operator.run(&["export", "--gdpr", "a1"]).exits_with(0);

    operator.file("app.token", "0123456789abcdef0123456789abcdef");
    let second = [
        "init",
        "--offline",
        "--default",
        "--project",
        "app",
        "--region",
        "us",
    ];
    let file = ["--project-token-file", "app.token"];
    operator.run(&[&second[..], &file].concat()).exits_with(0);
    assert!(config(&operator).contains("default_project = \"app\""));
    let back = ["init", "--offline", "--default", "--project", "shop"];
    operator.run(&back).exits_with(0);
    assert!(config(&operator).contains("default_project = \"shop\""));
}

#[test]
fn what_is_missing_is_named_at_once_and_nothing_is_saved() {
    let fake = Fake::start();
    let operator = newcomer(&fake).with("DSR_TOKEN", OAUTH_TOKEN);
    for (args, missing) in [
        (
            &["init"][..],
            "needs `--project`, `--region`, `--project-token-file`;",
        ),
        (
            &["init", "--project", "shop"],
            "needs `--region`, `--project-token-file`;",
        ),
        (
            &["init", "--project", "shop", "--region", "eu"],
            "needs `--project-token-file`;",
        ),
        (
            &["--json", "init", "--region", "eu"],
            "needs `--project`, `--project-token-file`;",
        ),
    ] {
        let outcome = operator.run(args);
        outcome.exits_with(2).says(missing).says("--skip project");
    }
    let two = ["init", "--project", "a", "--project", "b"];
    operator
        .run(&two)
        .exits_with(2)
        .says("one project at a time");
    assert!(!operator.config_path().exists());
    operator.run(&["init", "--skip", "project"]).exits_with(2);
    assert!(!operator.config_path().exists());
    fake.was_not_called();
}

#[test]
fn a_wrong_answer_in_an_option_saves_neither_token_nor_project() {
    let Some(keyring) = Keyring::start() else {
        return;
    };
    let fake = Fake::start();
    let operator = keyring.of(newcomer(&fake));
    operator
        .run(&["init", "--skip", "project"])
        .exits_with(2)
        .says("`--with-token`");
    operator.file("shop.token", "1234567");
    let outcome = operator.run_with_input(&BY_OPTIONS, OAUTH_TOKEN);
    outcome
        .exits_with(2)
        .says("numeric project id")
        .never_says("1234567");
    operator.file("shop.token", PROJECT_TOKEN);
    let future = [&BY_OPTIONS[..], &["--issued", "2999-01-01"]].concat();
    operator
        .run_with_input(&future, OAUTH_TOKEN)
        .exits_with(2)
        .says("future");
    let outcome = operator.run_with_input(&BY_OPTIONS, "two words");
    outcome.exits_with(2).never_says("two words");
    assert_eq!(keyring.look_up("mixpanel-oauth-token"), None);
    assert!(!operator.config_path().exists());

    operator
        .run_with_input(&BY_OPTIONS, OAUTH_TOKEN)
        .exits_with(0);
    let before = config(&operator);
    let moved = [&BY_OPTIONS[1..5], &["us"], &BY_OPTIONS[6..]].concat();
    let moved = [&["init"], &moved[..]].concat();
    let outcome = operator.run_with_input(&moved, "another-token-5c6d");
    outcome.exits_with(2).says("another region or token");
    assert_eq!(config(&operator), before);
    assert!(
        keyring
            .look_up("mixpanel-oauth-token")
            .unwrap()
            .contains(OAUTH_TOKEN)
    );
    assert_eq!(fake.calls().len(), 1, "only the check of what is set up");
}

#[test]
fn a_newcomer_answers_and_comes_back_later() {
    let Some(keyring) = Keyring::start() else {
        return;
    };
    let fake = Fake::start();
    let operator = keyring.of(newcomer(&fake));
    let mut terminal = Terminal::start(operator.command(&["init"]));
    terminal.sees("Data & Privacy");
    terminal.sees("Enter skips this step): ");
    terminal.types_hidden(OAUTH_TOKEN);
    for wrong in ["2026-02-30", "2999-01-01"] {
        terminal.sees("]: ");
        terminal.types(wrong);
    }
    terminal.sees("in the future");
    terminal.sees("]: ");
    terminal.types("2026-05-31");
    terminal.sees("in the keyring");
    terminal.sees("Enter skips this step): ");
    terminal.types("my shop");
    terminal.sees("Enter skips this step): ");
    terminal.types("shop");
    terminal.sees("us, eu or in): ");
    terminal.types("de");
    terminal.sees("us, eu or in): ");
    terminal.types("EU");
    terminal.sees("Enter adds no project): ");
    terminal.types_hidden("1234567");
    terminal.sees("numeric project id");
    terminal.sees("Enter adds no project): ");
    terminal.types_hidden(PROJECT_TOKEN);
    terminal.sees("[Y/n] ");
    assert!(
        fake.calls().is_empty(),
        "nobody was asked before this answer"
    );
    terminal.types("");
    terminal.sees("Rehearse");
    terminal.sees("[Y/n] ");
    terminal.types("perhaps");
    terminal.sees("[Y/n] ");
    terminal.types("n");
    let (status, screen) = terminal.ends();
    assert_eq!(status, 0, "{screen}");
    for secret in [OAUTH_TOKEN, PROJECT_TOKEN, "1234567"] {
        assert!(!screen.contains(secret), "{screen}");
    }
    assert!(
        keyring
            .look_up("mixpanel-oauth-token")
            .unwrap()
            .contains("2026-05-31")
    );
    assert_eq!((fake.gets().len(), fake.posts().len()), (1, 0));

    let before = config(&operator);
    let mut terminal = Terminal::start(operator.command(&["init", "--skip", "rehearsal"]));
    terminal.sees("valid until 2027-05-31");
    terminal.sees("Enter keeps the present one): ");
    terminal.types_hidden("");
    terminal.sees("`shop` (eu, the default)");
    terminal.sees("Enter adds none): ");
    terminal.types("shop");
    terminal.sees("is set up. To change it, edit");
    terminal.sees("Enter adds none): ");
    terminal.types("");
    terminal.sees("[Y/n] ");
    terminal.types("n");
    let (status, screen) = terminal.ends();
    assert_eq!(status, 0, "{screen}");
    assert_eq!(config(&operator), before);
    assert!(
        keyring
            .look_up("mixpanel-oauth-token")
            .unwrap()
            .contains(OAUTH_TOKEN)
    );
    assert_eq!(fake.calls().len(), 1, "`n` asks nobody");
}

#[test]
fn a_second_project_can_become_the_default() {
    let fake = Fake::start();
    let operator = Operator::at(&fake);
    let init = [
        "init",
        "--skip",
        "token",
        "--skip",
        "rehearsal",
        "--offline",
    ];
    let mut terminal = Terminal::start(operator.command(&init));
    terminal.sees("Enter adds none): ");
    terminal.types("app");
    terminal.sees("us, eu or in): ");
    terminal.types("in");
    terminal.sees("Enter adds no project): ");
    terminal.types_hidden("0123456789abcdef0123456789abcdef");
    for wrong in ["ap", "a b"] {
        terminal.sees("Default project [none]: ");
        terminal.types(wrong);
    }
    terminal.sees("Default project [none]: ");
    terminal.types("app");
    let (status, screen) = terminal.ends();
    assert_eq!(status, 0, "{screen}");
    assert!(config(&operator).contains("default_project = \"app\""));
    fake.was_not_called();
}

#[test]
fn a_stop_after_a_new_default_project_says_that_it_is_saved() {
    let fake = Fake::start();
    let operator = Operator::at(&fake);
    let add = ["project", "add", "app", "--region", "eu"];
    operator.run_with_input(&add, PROJECT_TOKEN).exits_with(0);
    let mut terminal = Terminal::start(operator.command(&["init", "--skip", "token"]));
    terminal.sees("Enter adds none): ");
    terminal.types("");
    terminal.sees("Default project [none]: ");
    terminal.types("app");
    terminal.sees("[Y/n] ");
    terminal.types_interrupt();
    let (status, screen) = terminal.ends();
    assert_eq!(status, 130, "{screen}");
    assert!(
        screen.contains("The default project is now `app`."),
        "{screen}"
    );
    assert!(config(&operator).contains("default_project = \"app\""));
}

#[test]
fn a_stop_at_any_question_leaves_a_clean_line_and_says_what_is_saved() {
    let Some(keyring) = Keyring::start() else {
        return;
    };
    let fake = Fake::start();
    // How many questions are answered first, and what is said then.
    for (answers, said) in [
        (0, "Nothing was saved."),
        (1, "Nothing was saved."),
        (2, "The token is saved. No project was saved."),
        (3, "The token is saved. No project was saved."),
        (4, "The token is saved. No project was saved."),
        (5, "The token and project `shop` are saved."),
    ] {
        for by_key in [Terminal::types_interrupt, Terminal::types_end] {
            let operator = keyring.of(newcomer(&fake));
            let mut terminal = Terminal::start(operator.command(&["init"]));
            let dialog = [
                ("present one): ", OAUTH_TOKEN),
                ("]: ", ""),
                ("this step): ", "shop"),
                ("us, eu or in): ", "eu"),
                ("adds no project): ", PROJECT_TOKEN),
                ("[Y/n] ", ""),
            ];
            for (place, (question, answer)) in dialog.into_iter().enumerate() {
                // Only the first of all runs has no token yet.
                let question = match (place, keyring.look_up("mixpanel-oauth-token")) {
                    (0, None) => "this step): ",
                    _ => question,
                };
                terminal.sees(question);
                let is_hidden = matches!(place, 0 | 4);
                if is_hidden {
                    terminal.stops_echoing();
                }
                if place == answers {
                    by_key(&mut terminal);
                    break;
                }
                terminal.types(answer);
            }
            terminal.sees(said);
            let status = terminal.end();
            assert_eq!(status, 130, "after {answers} answers");
            assert_eq!(operator.config_path().exists(), answers == 5);
        }
    }
    fake.was_not_called();
}

#[test]
fn without_a_keyring_the_dialog_names_the_way_on_and_goes_on() {
    let fake = Fake::start();
    let operator = newcomer(&fake);
    let mut terminal = Terminal::start(operator.command(&["init", "--offline"]));
    terminal.sees("DSR_TOKEN_FILE");
    terminal.sees("this step): ");
    terminal.types("");
    terminal.sees("[Y/n] ");
    terminal.types("n");
    let (status, screen) = terminal.ends();
    assert_eq!(status, 2, "{screen}");
    assert!(!operator.config_path().exists());
}

#[test]
fn the_rehearsal_is_the_sandboxs_and_a_program_gets_one_object() {
    let fake = Fake::start();
    let operator = Operator::at(&fake);
    let outcome = operator.run(&["init", "--offline", "--rehearse"]);
    outcome.exits_with(0);
    assert!(outcome.stdout.contains("project sandbox"), "{outcome}");
    assert!(!operator.dsr_home().join("ledger.db").exists());
    fake.was_not_called();

    let program = operator.run(&["init", "--offline", "--json"]);
    assert!(program.exits_with(0).json()["doctor"].is_object());
    let both = ["init", "--offline", "--json", "--rehearse"];
    operator.run(&both).exits_with(2).says("--rehearse");
    let rehearsed = operator.run(&["--sandbox", "init"]);
    rehearsed.exits_with(2).says("leave `--sandbox` out");
}
