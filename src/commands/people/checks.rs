//! Flags for checking the values of sources, and for making ids of them.

use std::path::PathBuf;

use clap::ValueEnum;

use crate::commands::failures::usage;
use crate::credentials::HashKey;
use crate::intake::{
    CheckOptions, HashWith, Hashing, Intake, IntakeError, LetterCase, OuterSpace, Pattern,
};
use crate::ui::{Failure, ListedPlaces, Ui};

/// Which values are accepted, and which warnings are listed.
#[derive(clap::Args, Debug)]
pub(crate) struct CheckArgs {
    /// Accept exactly this value as an id, whatever it looks like; may be given several times
    #[arg(
        long,
        help_heading = "Checks",
        value_name = "ID",
        allow_hyphen_values = true
    )]
    allow: Vec<String>,
    /// Remove white space around ids instead of refusing the ids
    #[arg(long, help_heading = "Checks", conflicts_with = "keep_whitespace")]
    trim: bool,
    /// Keep white space around ids, if Mixpanel's ids have it
    #[arg(long, help_heading = "Checks")]
    keep_whitespace: bool,
    /// Accept only values that match this regular expression from start to end, such as
    /// `user-\d{6}`
    #[arg(long, help_heading = "Checks", value_name = "REGEX", value_parser = parse_pattern)]
    expect_pattern: Option<Pattern>,
    /// List every line that has a warning
    #[arg(long, help_heading = "Checks")]
    show_warnings: bool,
    #[command(flatten)]
    hashing: HashArgs,
}

/// For products whose distinct_ids are hashes of what the source lists.
#[derive(clap::Args, Debug)]
struct HashArgs {
    /// Hash each value, and send the hash in lower-case hex instead
    #[arg(long, help_heading = "Hashing", value_name = "FUNCTION")]
    hash: Option<HashFunction>,
    /// The key of HMAC: a file that only its owner can read [default: the key in the keyring]
    ///
    /// A final line break is not part of the key. All other bytes are. To keep a key in the
    /// keyring, see `dsr auth hash-key`.
    #[arg(long, help_heading = "Hashing", value_name = "PATH", requires = "hash")]
    hash_key_file: Option<PathBuf>,
    /// Put this before the hex digits
    #[arg(
        long,
        help_heading = "Hashing",
        value_name = "TEXT",
        requires = "hash",
        default_value = "",
        hide_default_value = true,
        allow_hyphen_values = true
    )]
    hash_prefix: String,
    /// Lower-case each value first, by Unicode's rules, as JavaScript's toLowerCase does
    #[arg(long, help_heading = "Hashing", requires = "hash")]
    hash_lowercase: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum HashFunction {
    Sha256,
    Sha1,
    Md5,
    /// With a key
    HmacSha256,
}

fn parse_pattern(text: &str) -> Result<Pattern, String> {
    Pattern::new(text)
}

impl CheckArgs {
    /// Fails if the hash key is not available, or flags contradict each other.
    pub(crate) fn options(&self) -> Result<CheckOptions, Failure> {
        Ok(CheckOptions {
            askable: None,
            allowed: self.allow.iter().cloned().collect(),
            outer_space: match (self.trim, self.keep_whitespace) {
                (true, _) => OuterSpace::Trim,
                (false, true) => OuterSpace::Keep,
                (false, false) => OuterSpace::Refuse,
            },
            pattern: self.expect_pattern.clone(),
            hashing: self.hashing.hashing()?,
        })
    }

    /// Reports suspicious values, even if the reading failed.
    pub(crate) fn tell(&self, ui: &Ui, read: &Result<Intake, IntakeError>) {
        let warnings = match read {
            Ok(intake) => &intake.warnings,
            Err(IntakeError::Damaged { warnings, .. }) => warnings,
            Err(_) => return,
        };
        let listed = match self.show_warnings {
            true => ListedPlaces::All,
            false => ListedPlaces::First,
        };
        ui.warn_of_ids(warnings, listed);
    }
}

impl HashArgs {
    fn hashing(&self) -> Result<Option<Hashing>, Failure> {
        let Some(function) = self.hash else {
            return Ok(None);
        };
        if self.hash_key_file.is_some() && function != HashFunction::HmacSha256 {
            return Err(usage("`--hash-key-file` is for `--hash hmac-sha256` only")
                .hint("leave it out, or use `--hash hmac-sha256`"));
        }
        let with = match function {
            HashFunction::Sha256 => HashWith::Sha256,
            HashFunction::Sha1 => HashWith::Sha1,
            HashFunction::Md5 => HashWith::Md5,
            HashFunction::HmacSha256 => {
                HashWith::key(&HashKey::find(self.hash_key_file.as_deref())?)?
            }
        };
        let case = match self.hash_lowercase {
            true => LetterCase::Lowered,
            false => LetterCase::AsWritten,
        };
        let hashing = Hashing::new(with, &*self.hash_prefix, case);
        Ok(Some(hashing?))
    }
}
