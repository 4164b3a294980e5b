//! Turns each module's errors into what the operator sees: status, word for scripts, hint.
//!
//! Each error has one exhaustive match without a wildcard.

mod archives;
mod dates;
mod ingestion;
mod intake;
mod ledger;
mod people;
mod plans;
mod private;
mod queries;
mod sources;

use std::borrow::Cow;
use std::io;
use std::path::Path;

use crate::config::{EnvironmentError, ProjectsFileError, ResolveError};
use crate::credentials::{CredentialError, HashKeyError, KeyringError, TokenError, TokenOrigin};
use crate::domain::{ExitStatus, TokenName};
use crate::intake::HashingError;
use crate::mixpanel::ClientError;
use crate::sandbox::SandboxError;
use crate::ui::{Failure, PrintError, QuestionError, path_word};
use crate::workflow::{NotReady, ReceiptState, WorkflowError};

pub(crate) use archives::{new_id_key_failure, sanitize_failure, split_failure};
pub(crate) use intake::{hold_failure, lookup_failure, values_failure};
pub(crate) use ledger::{COPY_IN_THE_WAY, no_ledger, no_sealing_key};
pub(crate) use people::{OTHER_KEY, ledger_key_hint};
pub(crate) use plans::no_key_for_plans;
pub(crate) use private::on_a_volume;
pub(crate) use queries::{
    NO_EXPIRY, NO_LOOKUP, NO_PREFLIGHT, NOT_VERIFIED, export_failure, profiles_failure,
    query_failure,
};
pub(crate) use sources::source_failure;

/// How to give dsr a token without a keyring.
const WITHOUT_KEYRING: &str = "put the token in a file that only you can read; set DSR_TOKEN_FILE to that file, and DSR_TOKEN_ISSUED to the day the token was made";

/// How to unlock a keyring without a desktop.
const UNLOCK: &str = match cfg!(target_os = "macos") {
    true => "`security unlock-keychain`",
    false => {
        "`gnome-keyring-daemon --replace --unlock`, which reads its password from standard input"
    }
};

impl From<EnvironmentError> for Failure {
    fn from(error: EnvironmentError) -> Self {
        Self::from_error(ExitStatus::Usage, "usage", &error)
    }
}

impl From<ProjectsFileError> for Failure {
    fn from(error: ProjectsFileError) -> Self {
        let (status, kind, hint) = match &error {
            ProjectsFileError::Read { .. } | ProjectsFileError::Write { .. } => (
                ExitStatus::LocalIo,
                "local_io",
                "check the folder's owner and free space",
            ),
            ProjectsFileError::Malformed { similar, .. } => {
                let hint = match similar {
                    Some(_) => meant(*similar, "see every setting in `dsr help files`"),
                    None => "correct that line; `dsr help files` shows every setting".to_owned(),
                };
                return Self::from_error(ExitStatus::Usage, "config", &error).hint(hint);
            }
            ProjectsFileError::Utf16 { .. } => (
                ExitStatus::Usage,
                "config",
                "save it as UTF-8, such as with `iconv -f UTF-16 -t UTF-8`",
            ),
            ProjectsFileError::NotAFile { .. } => (
                ExitStatus::Usage,
                "config",
                "nothing was read; move it away",
            ),
            ProjectsFileError::Exists(_) => (
                ExitStatus::Usage,
                "usage",
                "see it with `dsr project show`, or remove it first with `dsr project remove`",
            ),
            ProjectsFileError::Missing { name, similar } => {
                let list = match name.as_str() {
                    "sandbox" => {
                        "the sandbox's own project has no settings to change: add one with `dsr --sandbox project add shop --region us`"
                    }
                    _ => "list the projects with `dsr project list`",
                };
                return Self::from_error(ExitStatus::Usage, "usage", &error)
                    .hint(meant(similar.as_deref(), list));
            }
        };
        Self::from_error(status, kind, &error).hint(hint)
    }
}

/// Hint for an unknown name: the similar one, or the command that lists them.
fn meant(similar: Option<&str>, list: &str) -> String {
    match similar {
        Some(similar) => format!("did you mean `{similar}`? Or {list}"),
        None => list.to_owned(),
    }
}

impl From<ResolveError> for Failure {
    fn from(error: ResolveError) -> Self {
        let hint = match &error {
            ResolveError::NoProject => {
                "add one with `dsr project add NAME --region us|eu|in`, or try `dsr --sandbox`"
            }
            ResolveError::NotChosen { .. } => {
                "add `--project NAME`, or make one the default with `dsr project use NAME`"
            }
            ResolveError::UnknownProject { similar, .. } => {
                let list =
                    "list the projects with `dsr project list`, or add it with `dsr project add`";
                return Self::from_error(ExitStatus::Usage, "project", &error)
                    .hint(meant(similar.as_deref(), list));
            }
            ResolveError::SecretName => {
                "nothing was sent; `--project`, DSR_PROJECT and `default_project` take a name such as `shop`; the project token belongs in `token` in the config file"
            }
            ResolveError::BadName { .. } => "use letters, digits, `-`, `_` and `.`",
            ResolveError::NamedTwice { .. } => "name each project once",
            ResolveError::TokenConflict { .. } => {
                "nothing was sent; unset DSR_PROJECT_TOKEN to use the token in the config file, or name another project with `--project`"
            }
            ResolveError::RegionConflict { .. } => {
                "unset DSR_REGION to use the region in the config file"
            }
            ResolveError::IdConflict { .. } => {
                "nothing was sent; unset DSR_PROJECT_ID to use the number in the config file, or name another project with `--project`"
            }
            ResolveError::BadId => {
                "set DSR_PROJECT_ID to the number in Mixpanel's project settings"
            }
            ResolveError::NoToken { .. } => "add `token` to the project in the config file",
            ResolveError::BadToken { .. } | ResolveError::ProjectIdAsToken { .. } => {
                "copy the project token (32 hex digits) from Mixpanel's project settings"
            }
            ResolveError::NoRegion { .. } => {
                "set `region` in the config file, or DSR_REGION, to us, eu or in"
            }
            ResolveError::BadRegion => "set DSR_REGION to us, eu or in",
            ResolveError::BadApiUrl(_) => "use https, or http to a loopback address",
            ResolveError::BadLimits { .. }
            | ResolveError::BadCallbacks { .. }
            | ResolveError::BadTimeZone { .. } => "correct the project in the config file",
        };
        Self::from_error(ExitStatus::Usage, "project", &error).hint(hint)
    }
}

impl From<CredentialError> for Failure {
    fn from(error: CredentialError) -> Self {
        let (kind, hint): (_, Cow<'static, str>) = match &error {
            CredentialError::NoToken => ("no_token", "run `dsr auth login`".into()),
            CredentialError::NoNamedToken { name } => {
                let command = login_command(Some(name));
                let hint = format!("run `{command}`; `dsr auth status` lists the tokens");
                ("no_token", hint.into())
            }
            CredentialError::Keyring(error) => ("no_token", keyring_hint(error, WITHOUT_KEYRING)),
            CredentialError::TokenFile { path, source } => match source.kind() {
                io::ErrorKind::IsADirectory => {
                    let file = quoted(&path.join("FILE"));
                    let hint = format!("name the file in it: `DSR_TOKEN_FILE={file}`");
                    ("no_token", hint.into())
                }
                _ => ("no_token", "check DSR_TOKEN_FILE".into()),
            },
            CredentialError::OpenTokenFile { path } => {
                let path = quoted(path);
                let hint = format!(
                    "run `chmod 600 {path}`; if a container mounts it, give the secret mode 0400"
                );
                ("no_token", hint.into())
            }
            CredentialError::TwoTokens => ("no_token", "unset one of them".into()),
            CredentialError::BadIssued => ("no_token", "correct DSR_TOKEN_ISSUED".into()),
            CredentialError::BadToken {
                source: TokenError::Quoted,
                ..
            } => ("no_token", "remove the quotes around it".into()),
            CredentialError::BadToken { .. } => ("no_token", "copy it again from Mixpanel".into()),
            CredentialError::Expired { origin, name, .. } => {
                ("token_expired", renewal(*origin, name.as_ref()).into())
            }
        };
        Self::from_error(ExitStatus::Auth, kind, &error).hint(hint)
    }
}

impl From<KeyringError> for Failure {
    fn from(error: KeyringError) -> Self {
        let hint = keyring_hint(&error, WITHOUT_KEYRING);
        Self::from_error(ExitStatus::Auth, "keyring", &error).hint(hint)
    }
}

/// What to do if the keyring cannot be used; `without` says how dsr does without it.
fn keyring_hint(error: &KeyringError, without: &'static str) -> Cow<'static, str> {
    match error {
        KeyringError::Absent | KeyringError::Refused { .. } => without.into(),
        KeyringError::Timeout => format!(
            "if a window asks for its password, answer there and run this again; otherwise {without}"
        )
        .into(),
        KeyringError::NoService => {
            format!("start one, such as gnome-keyring, KWallet or KeePassXC; or {without}")
                .into()
        }
        KeyringError::Locked => {
            format!("unlock it: log in to the desktop, or run {UNLOCK}; or {without}").into()
        }
        KeyringError::Denied => "run this again, and allow dsr to use the keyring".into(),
        KeyringError::NoCollection => {
            format!("log in to the desktop once, which makes one; or {without}").into()
        }
        KeyringError::Damaged => "run `dsr auth login` again".into(),
    }
}

/// How to replace a token, by where the token is kept.
pub(crate) fn renewal(origin: TokenOrigin, name: Option<&TokenName>) -> String {
    let kept = match origin {
        TokenOrigin::Environment => {
            "put it into DSR_TOKEN, and its day into DSR_TOKEN_ISSUED".to_owned()
        }
        TokenOrigin::TokenFile => {
            "put it into the file that DSR_TOKEN_FILE names, and its day into DSR_TOKEN_ISSUED"
                .to_owned()
        }
        TokenOrigin::Keyring | TokenOrigin::Sandbox => format!("run `{}`", login_command(name)),
    };
    format!("make a new one in Mixpanel (Profile & Preferences → Data & Privacy), then {kept}")
}

pub(crate) fn login_command(name: Option<&TokenName>) -> String {
    match name {
        Some(name) if !name.is_main() => format!("dsr auth login --name {name}"),
        Some(_) | None => "dsr auth login".to_owned(),
    }
}

impl From<HashKeyError> for Failure {
    fn from(error: HashKeyError) -> Self {
        let hint = match &error {
            HashKeyError::Open { path } => format!("run `chmod 600 {}`", quoted(path)),
            HashKeyError::Read { .. } | HashKeyError::Empty { .. } | HashKeyError::TooLong { .. } => {
                "nothing was sent; check that it is the right file".to_owned()
            }
            HashKeyError::NoKey | HashKeyError::Keyring(_) => {
                "name a file that holds it with `--hash-key-file`, or keep it with `dsr auth hash-key`"
                    .to_owned()
            }
            HashKeyError::NothingGiven => {
                "pipe it in, for example from a password manager".to_owned()
            }
        };
        Self::from_error(ExitStatus::Usage, "hash_key", &error).hint(hint)
    }
}

pub(crate) fn quoted(path: &Path) -> String {
    path_word(&path.display().to_string())
}

impl From<HashingError> for Failure {
    fn from(error: HashingError) -> Self {
        let hint = match &error {
            HashingError::LongPrefix | HashingError::BlankPrefix => "correct `--hash-prefix`",
            HashingError::Key => "give another key",
        };
        Self::from_error(ExitStatus::Usage, "usage", &error).hint(hint)
    }
}

impl From<WorkflowError> for Failure {
    fn from(error: WorkflowError) -> Self {
        match error {
            WorkflowError::Ledger(error) => error.into(),
            WorkflowError::Ids(error) => error.into(),
            WorkflowError::NotRecorded { ref receipt, .. } => {
                let hint = match receipt {
                    ReceiptState::Kept => {
                        "nothing more was sent; a receipt is kept, and the next dsr records it: `dsr status`"
                    }
                    ReceiptState::Lost => {
                        "write the task id down; nothing more was sent; see `dsr status`"
                    }
                };
                Self::from_error(ExitStatus::Unknown, "not_recorded", &error).hint(hint)
            }
        }
    }
}

impl From<NotReady> for Failure {
    fn from(error: NotReady) -> Self {
        Self::from_error(ExitStatus::Usage, "confirmation", &error)
    }
}

impl From<ClientError> for Failure {
    fn from(error: ClientError) -> Self {
        match &error {
            ClientError::Setup { .. } => Self::from_error(ExitStatus::LocalIo, "local_io", &error),
            ClientError::Authorities { .. } => Self::from_error(ExitStatus::Usage, "usage", &error)
                .hint("nothing was sent; correct DSR_CA_FILE"),
            ClientError::Proxy { variable, .. } => {
                Self::from_error(ExitStatus::Usage, "usage", &error).hint(format!(
                    "nothing was sent; correct {variable}, or unset it to call without a proxy"
                ))
            }
        }
    }
}

impl From<SandboxError> for Failure {
    fn from(error: SandboxError) -> Self {
        Self::from_error(ExitStatus::LocalIo, "sandbox", &error)
    }
}

impl From<QuestionError> for Failure {
    fn from(error: QuestionError) -> Self {
        let kind = "confirmation";
        match &error {
            QuestionError::NoTerminal { .. } => Self::from_error(ExitStatus::Usage, kind, &error),
            QuestionError::NotConfirmed { .. } => Self::from_error(ExitStatus::Usage, kind, &error)
                .hint("to try again, run the same command"),
            QuestionError::NothingGiven => Self::from_error(ExitStatus::Usage, "usage", &error)
                .hint("pipe it in, for example from a password manager"),
            QuestionError::Left { .. } => {
                Self::from_error(ExitStatus::Interrupted, "interrupted", &error)
                    .hint("to go on, run the same command")
            }
            QuestionError::Read(_) => Self::from_error(ExitStatus::LocalIo, "local_io", &error),
        }
    }
}

impl From<PrintError> for Failure {
    fn from(error: PrintError) -> Self {
        match error {
            PrintError::Io(error) => local_io(&error),
            PrintError::Ledger(error) => error.into(),
        }
    }
}

/// stdout or a local file cannot be written.
pub(crate) fn local_io(error: &io::Error) -> Failure {
    Failure::from_error(ExitStatus::LocalIo, "local_io", error)
}

/// A file is where the output should go.
pub(crate) fn in_the_way(path: &Path, hint: &str) -> Failure {
    let message = format!(
        "`{}` already exists; dsr did not overwrite it",
        path.display()
    );
    Failure::new(ExitStatus::Usage, "exists", message).hint(hint)
}

pub(crate) fn usage(message: impl Into<String>) -> Failure {
    Failure::new(ExitStatus::Usage, "usage", message)
}
