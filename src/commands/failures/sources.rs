//! Failures of a word that cannot be a source.

use std::path::Path;

use crate::domain::ExitStatus;
use crate::intake::SourceError;
use crate::ui::Failure;

use super::quoted;

/// Explains why a word is not a source. `command` is the command that was typed.
pub(crate) fn source_failure(error: &SourceError, command: &str) -> Failure {
    let hint = match error {
        SourceError::LooksLikePath { path } => {
            format!("check the name; if it really is an id: `--id '{path}'`")
        }
        SourceError::Unexpanded { pattern } => {
            format!("check the folder and the pattern; if it really is an id: `--id '{pattern}'`")
        }
        SourceError::Link { .. } => "name the file itself".to_owned(),
        SourceError::WithoutExtension { path, .. } => {
            let path = quoted(Path::new(path));
            format!("name the file: `{command} {path}`; if it really is an id, use `--id`")
        }
        SourceError::Separated { .. } => {
            "name each file separately, and each id with `--id`; put a list of ids into a file"
                .to_owned()
        }
        SourceError::Quoted { .. } => {
            "type it without quotes, or with straight quotes; if the quote is part of an id, use `--id`"
                .to_owned()
        }
        SourceError::NotAlone { .. } => {
            "correct the name of the file, or write each id as `--id ID`".to_owned()
        }
        SourceError::StdinTwice => "name `-` once".to_owned(),
        SourceError::PipeTwice { .. } => "name it once".to_owned(),
    };
    let hint = match command.contains(" lookup") {
        true => hint
            .replace("an id", "a value")
            .replace("each id", "each value"),
        false => hint,
    };
    let mut failure = Failure::from_error(ExitStatus::Usage, "usage", error);
    let reads_only = [" find", " lookup", " suppressions"];
    if !reads_only.iter().any(|name| command.contains(name)) {
        failure.message.push_str("; nothing was sent");
    }
    failure.hint(hint)
}

impl From<SourceError> for Failure {
    fn from(error: SourceError) -> Self {
        source_failure(&error, "dsr")
    }
}
