//! Finds words that clap accepts and the operator did not mean: options without dashes, or with the
//! dashes of a word processor. Read as a source, each would be an id.

use clap::{ArgMatches, Command};

use crate::domain::{ExitStatus, most_like};
use crate::ui::Failure;

/// Checks each word that is neither an option nor the value of one. Fails on the first that may be
/// an option. `tree` has parsed them.
pub(super) fn check(tree: &Command, matches: &ArgMatches) -> Result<(), Failure> {
    let (mut command, mut matches) = (tree, matches);
    while let Some((name, below)) = matches.subcommand() {
        let Some(found) = command.find_subcommand(name) else {
            break;
        };
        (command, matches) = (found, below);
    }
    for positional in command.get_positionals() {
        let id = positional.get_id().as_str();
        for word in matches.get_raw(id).into_iter().flatten() {
            let word = word.to_string_lossy();
            let misread = dash(&word, command);
            let misread = misread.or_else(|| bare_option(id, &word, command));
            if let Some((message, hint)) = misread {
                let message = format!("{message}; nothing was done");
                return Err(Failure::new(ExitStatus::Usage, "usage", message).hint(hint));
            }
        }
    }
    Ok(())
}

/// Returns message and hint for a word that begins with a typographic dash, as phones, chats and
/// word processors write `-` and `--`. The message does not repeat the word: it may be an id.
pub(super) fn dash(word: &str, command: &Command) -> Option<(String, String)> {
    let is_dash = |c: &char| {
        matches!(
            c,
            '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{fe58}' | '\u{fe63}' | '\u{ff0d}'
        )
    };
    let first = word.trim_start_matches('-').chars().next();
    let first = first.filter(is_dash)?;
    let code = u32::from(first);
    let message =
        format!("a word begins with a typographic dash (U+{code:04X}); options begin with `-`");
    let bare = word.trim_start_matches(|c| is_dash(&c) || c == '-');
    let name = bare.split('=').next().unwrap_or(bare);
    let meant = most_like(
        name,
        command.get_arguments().filter_map(|arg| arg.get_long()),
    );
    let has_ids = command
        .get_arguments()
        .any(|arg| arg.get_long() == Some("id"));
    let hint = match (meant, has_ids) {
        (Some(meant), _) => format!("type `--{meant}`, with two hyphens"),
        (None, true) => "type the dash of the keyboard; if the word is an id: `--id ID`".to_owned(),
        (None, false) => "type the dash of the keyboard".to_owned(),
    };
    Some((message, hint))
}

fn bare_option(id: &str, word: &str, command: &Command) -> Option<(String, String)> {
    let mut options = command.get_arguments().filter_map(|arg| arg.get_long());
    let is_option = id == "source" && options.any(|long| long == word);
    let is_file = || std::path::Path::new(word).exists();
    (is_option && !is_file()).then(|| {
        (
            format!("`{word}` is an option, not a file"),
            format!("type `--{word}`, with its dashes; if it really is an id: `--id {word}`"),
        )
    })
}
