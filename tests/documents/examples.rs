//! Every command's help ends in examples, and all of them exist.

use clap::Command;
use dsr::ui::{HelpPart, examples_of};

use crate::shell;

#[track_caller]
pub(crate) fn parses(arguments: &[String], place: &str) {
    let line = std::iter::once("dsr".to_owned()).chain(arguments.iter().cloned());
    if let Err(error) = dsr::cli::tree().try_get_matches_from(line) {
        use clap::error::ErrorKind::{DisplayHelp, DisplayVersion};
        let is_answer = matches!(error.kind(), DisplayHelp | DisplayVersion);
        assert!(is_answer, "{place}: dsr {}\n{error}", arguments.join(" "));
    }
}

fn check(command: &Command, count: &mut usize) {
    let name = command.get_bin_name().unwrap_or("dsr");
    let mut own = 0;
    for part in examples_of(command) {
        let HelpPart::Examples(examples) = part else {
            continue;
        };
        for example in examples {
            let calls = shell::calls(&example.line);
            for call in &calls {
                parses(call, name);
            }
            let words: Vec<&str> = name.split(' ').skip(1).collect();
            let is_own =
                |call: &Vec<String>| words.iter().all(|word| call.iter().any(|own| own == word));
            own += usize::from(calls.iter().any(is_own));
            let wide = example
                .meaning
                .as_ref()
                .map_or(0, |meaning| meaning.chars().count());
            assert!(
                wide <= 70,
                "{name}: too long to stand on one line: {}",
                example.line
            );
        }
    }
    assert!(own > 0, "`{name} --help` has no example of it");
    *count += 1;
    for below in command.get_subcommands() {
        check(below, count);
    }
}

#[test]
fn the_help_of_every_command_has_examples_that_parse() {
    let mut tree = dsr::cli::tree();
    tree.build();
    let mut count = 0;
    check(&tree, &mut count);
    assert!(count >= 30, "{count} commands");
}
