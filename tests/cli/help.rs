//! `dsr help` and `dsr man`.

use crate::support::{Operator, Terminal};

const TOPICS: [&str; 5] = ["exit-status", "environment", "files", "json", "runbooks"];

#[test]
fn every_topic_is_listed_and_teaches_in_each_form() {
    let operator = Operator::new();
    for list in [&["help", "topics"][..], &["help"], &["--help"]] {
        let outcome = operator.run(list);
        outcome.exits_with(0);
        for topic in TOPICS {
            assert!(outcome.stdout.contains(&format!("  {topic} ")), "{outcome}");
        }
    }
    for topic in TOPICS {
        let outcome = operator.run(&["help", topic]);
        outcome.exits_with(0);
        assert!(outcome.stdout.lines().count() > 10, "{outcome}");
        assert!(outcome.stderr.is_empty(), "{outcome}");
        let json = operator.run(&["help", topic, "--json"]);
        let help = json.exits_with(0).json()["help"].clone();
        assert_eq!(help["topic"], topic, "{json}");
        assert!(help["text"].as_str().unwrap().len() > 300, "{json}");
        let page = operator.run(&["man", topic]);
        let title = format!(".TH DSR-{}", topic.to_uppercase());
        assert!(page.exits_with(0).stdout.contains(&title), "{page}");
    }
}

#[test]
fn a_topic_says_what_the_program_goes_by() {
    let operator = Operator::new();
    let entries = |topic: &str| {
        let outcome = operator.run(&["help", topic, "--json"]);
        outcome.exits_with(0).json()["help"]["entries"].clone()
    };
    assert_eq!(entries("exit-status")[6]["name"], "6");
    let variables = entries("environment").to_string();
    assert!(variables.contains("DSR_TOKEN_FILE"), "{variables}");
    // The files of this very operator.
    let home = operator.dsr_home();
    let ledger = home.join("ledger.db").display().to_string();
    assert_eq!(entries("files")[1]["name"], ledger);
    operator.run(&["delete", "--gdpr", "--yes", "a1", "--sandbox"]);
    let files = entries("files").as_array().unwrap().clone();
    let mut names = files.iter().filter_map(|file| file["name"].as_str());
    let sandbox = names.rfind(|name| name.ends_with("sandbox"));
    let sandbox = sandbox.unwrap();
    assert!(std::path::Path::new(sandbox).is_dir(), "{files:#?}");
}

#[test]
fn the_help_of_a_command_is_the_same_on_both_ways_to_it() {
    let operator = Operator::new();
    for command in [&["export"][..], &["auth", "login"], &["project"]] {
        let help = operator.run(&[&["help"], command].concat());
        let flag = operator.run(&[command, &["--help"]].concat());
        assert_eq!(help.exits_with(0).stdout, flag.exits_with(0).stdout);
        let json = operator.run(&[&["help", "--json"], command].concat());
        let help = json.exits_with(0).json()["help"].clone();
        let name = format!("dsr {}", command.join(" "));
        assert_eq!(help["command"], name, "{json}");
        assert_eq!(
            help["text"].as_str().unwrap().trim_end(),
            flag.stdout.trim_end()
        );
    }
}

#[test]
fn no_line_of_help_is_wider_than_the_screen() {
    let operator = Operator::new();
    for width in [60, 80] {
        for command in [
            &["help", "export"][..],
            &["help", "status"],
            &["help", "files"],
            &["--help"],
        ] {
            // Starts dsr only when the terminal has its width.
            let setup = format!("read go; stty cols {width}; \"$0\" {}", command.join(" "));
            let mut terminal = Terminal::start(operator.script(&setup, &[]));
            terminal.types("go");
            let (status, screen) = terminal.ends();
            assert_eq!(status, 0, "{screen}");
            for line in screen.lines() {
                // Paths and usages may be wider.
                let wide = console::measure_text_width(line);
                assert!(
                    wide <= width || line.contains("/tmp") || line.contains("Usage:"),
                    "{wide} of {width}: {line}"
                );
            }
            assert!(screen.lines().count() > 10, "{screen}");
        }
    }
}

#[test]
fn man_pages_are_written_for_their_owner_where_man_looks() {
    let operator = Operator::new();
    let outcome = operator.run(&["man", "--output", "share/man"]);
    let written = &outcome.exits_with(0).stdout;
    assert!(
        written.contains("share/man/man1/dsr-auth-login.1\n"),
        "{outcome}"
    );
    let page = operator.work().join("share/man/man1/dsr-auth-login.1");
    let page = std::fs::read_to_string(page).unwrap();
    assert_eq!(page, operator.run(&["man", "auth", "login"]).stdout);
    for section in [
        "NAME",
        "SYNOPSIS",
        "EXAMPLES",
        "EXIT STATUS",
        "ENVIRONMENT",
        "FILES",
        "SEE ALSO",
    ] {
        let quoted = format!(".SH \"{section}\"");
        let there = page.contains(&quoted) || page.contains(&format!(".SH {section}"));
        assert!(there, "{section}\n{page}");
    }
    let full = operator.run(&["man", "--output", "/dev/null/man"]);
    full.exits_with(74);
}

#[test]
fn installed_man_pages_are_where_man_looks_or_dsr_says_how() {
    let operator = with_program("manpath", "echo \"/usr/share/man:$HOME/.local/share/man\"");
    let outcome = operator.run(&["man", "--install"]);
    let folder = operator.work().join("../home/.local/share/man");
    let folder = folder.canonicalize().unwrap();
    let said = format!(
        "man pages in {}.\nRead them with `man dsr`.\n",
        folder.display()
    );
    assert!(outcome.exits_with(0).stdout.contains(&said), "{outcome}");
    let page = std::fs::read_to_string(folder.join("man1/dsr-auth-login.1")).unwrap();
    assert_eq!(page, operator.run(&["man", "auth", "login"]).stdout);

    let operator = with_program("manpath", "echo /usr/share/man");
    let data = operator.work();
    let operator = operator.with("XDG_DATA_HOME", data.to_str().unwrap());
    let outcome = operator.run(&["man", "--install"]);
    let line = format!("\n  export MANPATH={}/man:\"$MANPATH\"\n", data.display());
    assert!(outcome.exits_with(0).stdout.contains(&line), "{outcome}");
    let json = operator.run(&["man", "--install", "--json"]).json();
    assert_eq!(json["man"]["found"], false, "{json}");
    assert!(
        json["man"]["files"].as_array().unwrap().len() > 40,
        "{json}"
    );

    let operator = with_program("manpath", "exit 1");
    let json = operator.run(&["man", "--install", "--json"]).json();
    assert!(json["man"]["found"].is_null(), "{json}");
}

#[test]
fn on_a_terminal_man_shows_the_page_and_gets_no_token() {
    let operator = with_program(
        "man",
        "env; tail -n +3 \"$1\" | head -n 2; echo \"of ${1##*/}\"",
    );
    let operator = operator.with("DSR_TOKEN", "secret-of-the-shop");
    let terminal = Terminal::start(operator.command(&["man", "auth", "login"]));
    let (status, screen) = terminal.ends();
    assert_eq!(status, 0, "{screen}");
    assert!(screen.contains("of dsr-auth-login.1"), "{screen}");
    assert!(!screen.contains("secret-of-the-shop"), "{screen}");

    let operator = Operator::new().with("PATH", "/nowhere");
    let (status, screen) = Terminal::start(operator.command(&["man"])).ends();
    assert_eq!(status, 0, "{screen}");
    assert!(screen.contains("`dsr help` shows the same"), "{screen}");
    assert!(screen.contains(".TH DSR 1"), "{screen}");
}

fn with_program(name: &str, script: &str) -> Operator {
    let operator = Operator::new();
    let program = operator.private_file(name, format!("#!/bin/sh\n{script}\n"));
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o700);
    std::fs::set_permissions(&program, mode).expect("a file of ours can be changed");
    let path = format!("{}:/usr/bin:/bin", operator.work().display());
    operator.with("PATH", &path)
}

#[test]
fn each_page_of_the_guide_is_a_topic() {
    let operator = Operator::new();
    let list = operator.run(&["help", "topics"]).stdout;
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/guide");
    let mut pages = 0;
    for entry in std::fs::read_dir(folder).expect("the guide") {
        let path = entry.expect("a page").path();
        let name = path
            .file_stem()
            .and_then(|name| name.to_str())
            .expect("UTF-8");
        if path.extension().is_none_or(|end| end != "md") || name == "README" {
            continue;
        }
        let text = std::fs::read_to_string(&path).expect("a page");
        let title = text.lines().next().and_then(|line| line.strip_prefix("# "));
        let page = operator.run(&["help", name, "--json"]);
        let help = page.exits_with(0).json()["help"].clone();
        assert_eq!(help["title"].as_str(), title, "{name}");
        assert!(list.contains(name), "{name}: {list}");
        pages += 1;
    }
    assert!(pages > 15, "{pages}");
    let typo = operator.run(&["help", "find-id"]);
    typo.exits_with(2).says("`dsr help find-ids`");
}
