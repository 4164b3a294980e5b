//! `dsr --version --verbose`: what this binary was built from, one fact a line.

use std::ffi::OsString;
use std::io::{self, Write};

use crate::ledger;

/// Whether the words ask for more than the version: `--verbose`, `-v`, or a `v` among short options
/// such as `-Vv`.
pub(super) fn is_verbose(args: &[OsString]) -> bool {
    let mut words = args.iter().filter_map(|arg| arg.to_str());
    words.any(|word| match word.strip_prefix('-') {
        Some(options) if !options.starts_with('-') => options.contains('v'),
        _ => word == "--verbose",
    })
}

/// Prints the line that `--version` prints, then the build.
pub(super) fn print(version: &str) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    write!(
        stdout,
        "{version}commit: {}\ntarget: {}\nprofile: {}\nledger: {}\n",
        env!("DSR_BUILT_FROM"),
        env!("DSR_BUILT_FOR"),
        env!("DSR_BUILT_AS"),
        ledger::engines(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling_of_verbose_counts_and_no_other_option_does() {
        let ask = |words: &[&str]| {
            let words: Vec<OsString> = words.iter().map(OsString::from).collect();
            is_verbose(&words)
        };
        for words in [
            &["-V", "-v"][..],
            &["-vV"],
            &["-Vv"],
            &["--version", "--verbose"],
        ] {
            assert!(ask(words), "{words:?}");
        }
        for words in [
            &["-V"][..],
            &["--version"],
            &["-V", "--no-input"],
            &["-V", "v"],
        ] {
            assert!(!ask(words), "{words:?}");
        }
    }
}
