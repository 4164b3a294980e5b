//! Failures of fetching, opening and splitting exports.

use crate::credentials::{HashKeyError, LedgerKeyError, ProjectSecretError};
use crate::domain::{ExitStatus, ProjectName};
use crate::ledger::LedgerError;
use crate::packages::{NameListError, SanitizeError, SplitError};
use crate::ui::Failure;
use crate::workflow::{DownloadError, NewFileError, SplitTrouble};

use super::{in_the_way, quoted};

impl From<DownloadError> for Failure {
    fn from(error: DownloadError) -> Self {
        let hint = match error {
            DownloadError::Ledger(error) => return error.into(),
            DownloadError::Folder { .. } => {
                "no partial file was kept; free space or name another folder with `--to`"
            }
        };
        Self::from_error(ExitStatus::LocalIo, "local_io", &error).hint(hint)
    }
}

impl From<NewFileError> for Failure {
    fn from(error: NewFileError) -> Self {
        let hint = match error {
            NewFileError::Exists { path } => {
                let hint = "nothing was written; name another file with `--output`";
                return in_the_way(&path, hint);
            }
            NewFileError::Folder { .. } => "check the disk, and copy the file to another one",
            NewFileError::Write { .. } => {
                "no partial file was kept; free space or name another file with `--output`"
            }
        };
        Self::from_error(ExitStatus::LocalIo, "local_io", &error).hint(hint)
    }
}

/// `short` is the request. `command` returns the command that splits this archive, with more flags.
pub(crate) fn split_failure(
    trouble: &SplitTrouble,
    project: &ProjectName,
    short: &str,
    command: &dyn Fn(&[&str]) -> String,
) -> Failure {
    let input = |hint: String| (ExitStatus::Input, "archive", hint);
    let again = format!("move it away and fetch it again: {}", command(&["--again"]));
    let keep_secret = format!(
        "give dsr the project's API secret (from Mixpanel's project settings): `dsr project secret {project}`"
    );
    let (status, kind, hint) = match trouble {
        SplitTrouble::NoIds { .. } => (
            ExitStatus::Input,
            "no_ids",
            format!(
                "name the file they came from: {}",
                command(&["--ids FILE"])
            ),
        ),
        SplitTrouble::NoExport { .. } => (
            ExitStatus::Input,
            "no_export",
            format!("see which request has it: `dsr status {short}`"),
        ),
        SplitTrouble::Ledger(LedgerError::Locked) => (
            ExitStatus::Locked,
            "locked",
            format!("when the other dsr has ended, run {}", command(&[])),
        ),
        SplitTrouble::Ledger(_) => (
            ExitStatus::LocalIo,
            "local_io",
            format!("name the file the ids came from: `dsr download {short} --split --ids FILE`"),
        ),
        SplitTrouble::Secret(error) => (ExitStatus::Auth, "api_secret", secret_hint(error).into()),
        SplitTrouble::Packages(error) => match error {
            SplitError::PasswordNeeded | SplitError::WrongPassword => {
                (ExitStatus::Auth, "api_secret", keep_secret)
            }
            SplitError::DamagedOrWrongPassword { .. } => (
                ExitStatus::Auth,
                "api_secret",
                format!("{keep_secret}; if that is right, {again}"),
            ),
            SplitError::Open { .. } => (
                ExitStatus::LocalIo,
                "local_io",
                format!("put it back, or fetch it again: {}", command(&["--again"])),
            ),
            SplitError::Changed | SplitError::NotZip(_) | SplitError::Damaged { .. } => {
                input(again)
            }
            SplitError::Unsafe(_) | SplitError::Unsupported { .. } => input(
                "ask Mixpanel's support whether the archive is genuine"
                    .to_owned(),
            ),
            SplitError::Compression { .. } => input(
                "unpack it with another program, such as `7z x ARCHIVE`; dsr made no packages of it"
                    .to_owned(),
            ),
            SplitError::Nobody => input("check that it is the right file".to_owned()),
            SplitError::TargetExists { path } => {
                let hint = format!(
                    "the folder has other packages, or dsr did not make it: move it away, then run {}",
                    command(&[])
                );
                return in_the_way(path, &hint);
            }
            SplitError::NotAsMade {
                reviewed, damage, ..
            } => {
                let flags: &[&str] = if *reviewed { &["--checked"] } else { &[] };
                let added = match damage.added.is_empty() {
                    true => "",
                    false => " (files that dsr did not make can also be moved out of it)",
                };
                let hint = format!(
                    "do not hand over any of these packages; move the folder away{added}, then make them again: {}",
                    command(flags)
                );
                (ExitStatus::LocalIo, "local_io", hint)
            }
            SplitError::MadeOtherwise { .. } => {
                let hint = format!(
                    "move the folder away, then make them anew: {}",
                    command(&[])
                );
                (ExitStatus::Usage, "exists", hint)
            }
            SplitError::Write { .. } => (
                ExitStatus::LocalIo,
                "local_io",
                "no package was kept; free space or correct the permissions".to_owned(),
            ),
            SplitError::Interrupted => (
                ExitStatus::Interrupted,
                "interrupted",
                "no package was kept; run the same command again".to_owned(),
            ),
        },
    };
    Failure::from_error(status, kind, trouble).hint(hint)
}

impl From<NameListError> for Failure {
    fn from(error: NameListError) -> Self {
        let (status, kind, hint) = match &error {
            NameListError::Read { .. } => (
                ExitStatus::Input,
                "bad_input",
                "nothing was read; write a text file with one name a line",
            ),
            NameListError::NotText { .. } | NameListError::TooLong { .. } => (
                ExitStatus::Input,
                "bad_input",
                "nothing was read; correct the line",
            ),
            NameListError::NeverKept { .. } => (
                ExitStatus::Input,
                "bad_input",
                "nothing was read; remove the line",
            ),
        };
        Self::from_error(status, kind, &error).hint(hint)
    }
}

/// `project` has the API secret of a locked archive.
pub(crate) fn sanitize_failure(error: &SanitizeError, project: &ProjectName) -> Failure {
    let input = |hint: &str| (ExitStatus::Input, "bad_input", hint.to_owned());
    let (status, kind, hint) = match error {
        SanitizeError::NoEvents => input("name an archive of `dsr download`, or a raw export"),
        SanitizeError::Table => {
            input("export the people again with `--gdpr`, and name that archive")
        }
        SanitizeError::TooManyIds => {
            input("export the people whom you make anonymous, and name that archive")
        }
        SanitizeError::Changed => input("run the same command again"),
        SanitizeError::Source(error) => source_of_events_failure(error, project),
    };
    Failure::from_error(status, kind, error).hint(format!("nothing was written; {hint}"))
}

fn source_of_events_failure(
    error: &SplitError,
    project: &ProjectName,
) -> (ExitStatus, &'static str, String) {
    let archive = |hint: &str| (ExitStatus::Input, "archive", hint.to_owned());
    match error {
        SplitError::PasswordNeeded
        | SplitError::WrongPassword
        | SplitError::DamagedOrWrongPassword { .. } => (
            ExitStatus::Auth,
            "api_secret",
            format!("give dsr the project's API secret: `dsr project secret {project}`"),
        ),
        SplitError::Open { .. } => (
            ExitStatus::Input,
            "bad_input",
            "check the path and the file".to_owned(),
        ),
        SplitError::Compression { .. } => {
            archive("unpack it with another program, and name the folder")
        }
        SplitError::Write { .. } => (
            ExitStatus::LocalIo,
            "local_io",
            "free space or name another file with `--output`".to_owned(),
        ),
        SplitError::Changed
        | SplitError::NotZip(_)
        | SplitError::Damaged { .. }
        | SplitError::Unsafe(_)
        | SplitError::Unsupported { .. }
        | SplitError::Nobody
        | SplitError::TargetExists { .. }
        | SplitError::NotAsMade { .. }
        | SplitError::MadeOtherwise { .. } => {
            archive("fetch the archive again with `dsr download --again`")
        }
        SplitError::Interrupted => (
            ExitStatus::Interrupted,
            "interrupted",
            "run the same command again".to_owned(),
        ),
    }
}

/// A failure of the file with the key of new ids.
pub(crate) fn new_id_key_failure(error: &LedgerKeyError) -> Failure {
    let (message, hint) = match error {
        LedgerKeyError::Read { path, .. } => (
            format!("cannot read the key `{}`", path.display()),
            "name another file with `--key`".to_owned(),
        ),
        LedgerKeyError::Open { path } => (
            format!(
                "other users can read or change the key `{}`",
                path.display()
            ),
            format!("run `chmod 600 {}`", quoted(path)),
        ),
        LedgerKeyError::Malformed { path } => (
            format!(
                "`{}` is not a key that dsr made (64 hex digits)",
                path.display()
            ),
            "name another file with `--key`".to_owned(),
        ),
        LedgerKeyError::Write { path, .. } => (
            format!("cannot write the key `{}`", path.display()),
            "free space or name another file with `--key`".to_owned(),
        ),
        LedgerKeyError::Keyring(_) | LedgerKeyError::Gone | LedgerKeyError::Lock(_) => (
            "the key of the new ids cannot be used".to_owned(),
            "name another file with `--key`".to_owned(),
        ),
    };
    let mut failure = Failure::from_error(ExitStatus::LocalIo, "local_io", error);
    failure.message = message;
    failure.hint(format!("nothing was written; {hint}"))
}

fn secret_hint(error: &ProjectSecretError) -> &'static str {
    match error {
        ProjectSecretError::File(HashKeyError::Open { .. }) => "run `chmod 600` on it",
        ProjectSecretError::File(_) | ProjectSecretError::NotText => {
            "check DSR_PROJECT_SECRET_FILE"
        }
        ProjectSecretError::Keyring(_) => {
            "set DSR_PROJECT_SECRET_FILE to a file that holds the project's API secret"
        }
    }
}

impl From<ProjectSecretError> for Failure {
    fn from(error: ProjectSecretError) -> Self {
        let hint = secret_hint(&error);
        Self::from_error(ExitStatus::Auth, "api_secret", &error).hint(hint)
    }
}
