use std::ffi::{OsStr, OsString};
use std::fmt;
use std::path::{Path, PathBuf};

use secrecy::SecretString;
use url::Url;

use crate::domain::looks_like_secret;

use super::private::accept_volume_group;

/// Each variable that dsr reads, with its meaning for `dsr help environment`.
pub const VARIABLES: [(&str, &str); 20] = [
    ("DSR_TOKEN_FILE", "file that holds the OAuth token"),
    ("DSR_TOKEN", "the OAuth token"),
    (
        "DSR_TOKEN_ISSUED",
        "day the token was made, as YYYY-MM-DD; it is valid for a year",
    ),
    (
        "DSR_SERVICE_ACCOUNT_FILE",
        "file that holds a service account, as USERNAME:SECRET",
    ),
    (
        "DSR_LEDGER_KEY_FILE",
        "file with the key for the ledger's hashed ids, instead of the keyring",
    ),
    (
        "DSR_LEDGER_URL",
        "ledger on a server, as postgres://USER@HOST/DATABASE, instead of a file",
    ),
    (
        "DSR_LEDGER_PASSWORD_FILE",
        "file with the password for that server",
    ),
    (
        "PGPASSFILE",
        "PostgreSQL's password file, instead of the one at home",
    ),
    ("DSR_PROJECT", "project to use"),
    (
        "DSR_PROJECT_TOKEN",
        "project token, for use without a config file",
    ),
    ("DSR_REGION", "us, eu or in, for use without a config file"),
    (
        "DSR_PROJECT_ID",
        "the project's number in Mixpanel's settings, for queries of profiles",
    ),
    (
        "DSR_PROJECT_SECRET_FILE",
        "file that holds the project's API secret, which opens locked exports",
    ),
    (
        "DSR_API_URL",
        "another base URL of the API: https, or http on loopback",
    ),
    (
        "DSR_CA_FILE",
        "extra certificate authorities to trust, in PEM",
    ),
    (
        "DSR_HOME",
        "one folder for config, ledger and sandbox, instead of the system's folders",
    ),
    (
        "DSR_FS_GROUP",
        "number of the group that may share dsr's files: a pod's `fsGroup` in Kubernetes",
    ),
    (
        "DSR_LOG",
        "diagnostics on stderr: error, warn, info, debug or trace",
    ),
    ("NO_COLOR", "no color, if set to anything"),
    ("TERM", "no color and no redrawing, if `dumb`"),
];

/// Variables of the https proxy, the first one first.
const PROXIES: [&str; 4] = ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"];

const NO_PROXY: [&str; 2] = ["NO_PROXY", "no_proxy"];

/// A proxy from the environment.
#[derive(Debug, Clone)]
pub struct Proxy {
    pub variable: &'static str,
    /// The variable's value, with a scheme. May hold a password.
    pub url: SecretString,
    /// Host and port without a password; `None` if unreadable.
    pub host: Option<String>,
}

/// The variables at the start of the process. An empty variable counts as unset.
#[derive(Default, Clone)]
pub struct Environment {
    pub token_file: Option<PathBuf>,
    pub token: Option<SecretString>,
    pub token_issued: Option<String>,
    pub service_account_file: Option<PathBuf>,
    pub ledger_key_file: Option<PathBuf>,
    /// Unparsed; may hold a password by mistake.
    pub ledger_url: Option<String>,
    pub ledger_password_file: Option<PathBuf>,
    pub passfile: Option<PathBuf>,
    pub project: Option<String>,
    pub project_token: Option<SecretString>,
    pub region: Option<String>,
    pub project_id: Option<String>,
    pub project_secret_file: Option<PathBuf>,
    pub api_url: Option<String>,
    pub ca_file: Option<PathBuf>,
    pub home: Option<PathBuf>,
    /// The group that a volume's files belong to.
    pub fs_group: Option<u32>,
    pub log: Option<String>,
    pub no_color: bool,
    /// The terminal can only show lines of text.
    pub dumb_terminal: bool,
    pub proxy: Option<Proxy>,
    /// Hosts to call without the proxy, unparsed.
    pub no_proxy: Option<String>,
}

/// An unreadable variable. Never holds its value.
#[derive(Debug, thiserror::Error)]
pub enum EnvironmentError {
    #[error("the variable `{name}` is not valid UTF-8")]
    NotText { name: &'static str },
    #[error("the variable `{name}` takes the path of a file, and its value looks like a secret")]
    Secret { name: &'static str },
    #[error("`DSR_FS_GROUP` takes the number of a group, such as 2000; nothing was sent")]
    NotAGroup,
}

impl Environment {
    /// Reads the process's own variables. From then on, `DSR_FS_GROUP` holds for all files.
    ///
    /// # Errors
    /// When a text variable is not UTF-8, or `DSR_FS_GROUP` is not a number.
    pub fn from_process() -> Result<Self, EnvironmentError> {
        #[expect(
            clippy::disallowed_methods,
            reason = "this is the one place where the environment is read"
        )]
        let found = Self::from_lookup(std::env::var_os)?;
        accept_volume_group(found.fs_group);
        Ok(found)
    }

    /// Reads variables through `lookup`.
    ///
    /// # Errors
    /// When a text variable is not UTF-8.
    pub fn from_lookup(
        lookup: impl Fn(&'static str) -> Option<OsString>,
    ) -> Result<Self, EnvironmentError> {
        let raw = |name| lookup(name).filter(|value| !value.is_empty());
        let text = |name| match raw(name).map(OsString::into_string) {
            None => Ok(None),
            Some(Ok(value)) => Ok(Some(value)),
            Some(Err(_)) => Err(EnvironmentError::NotText { name }),
        };
        // Its value would be shown as a path.
        let path = |name| match raw(name) {
            Some(value) if is_secret(&value) => Err(EnvironmentError::Secret { name }),
            value => Ok(value.map(PathBuf::from)),
        };
        Ok(Self {
            token_file: path("DSR_TOKEN_FILE")?,
            token: text("DSR_TOKEN")?.map(SecretString::from),
            token_issued: text("DSR_TOKEN_ISSUED")?,
            service_account_file: path("DSR_SERVICE_ACCOUNT_FILE")?,
            ledger_key_file: path("DSR_LEDGER_KEY_FILE")?,
            ledger_url: text("DSR_LEDGER_URL")?,
            ledger_password_file: path("DSR_LEDGER_PASSWORD_FILE")?,
            passfile: raw("PGPASSFILE").map(PathBuf::from),
            project: text("DSR_PROJECT")?,
            project_token: text("DSR_PROJECT_TOKEN")?.map(SecretString::from),
            region: text("DSR_REGION")?,
            project_id: text("DSR_PROJECT_ID")?,
            project_secret_file: path("DSR_PROJECT_SECRET_FILE")?,
            api_url: text("DSR_API_URL")?,
            ca_file: path("DSR_CA_FILE")?,
            home: raw("DSR_HOME").map(PathBuf::from),
            fs_group: text("DSR_FS_GROUP")?
                .map(|number| number.parse().map_err(|_| EnvironmentError::NotAGroup))
                .transpose()?,
            log: text("DSR_LOG")?,
            no_color: raw("NO_COLOR").is_some(),
            dumb_terminal: raw("TERM").is_some_and(|term| term == "dumb"),
            proxy: PROXIES.iter().find_map(|&variable| {
                let value = raw(variable)?;
                let value = value.to_string_lossy();
                let url = match value.contains("://") {
                    true => value.into_owned(),
                    false => format!("http://{value}"),
                };
                Some(Proxy {
                    variable,
                    host: host_of(&url),
                    url: SecretString::from(url),
                })
            }),
            no_proxy: text(NO_PROXY[0])?.or(text(NO_PROXY[1])?),
        })
    }
}

/// Whether the text looks like a secret and names no file.
fn is_secret(value: &OsStr) -> bool {
    let text = value.to_string_lossy();
    !text.contains(['/', '\\', '.']) && looks_like_secret(&text) && !Path::new(value).exists()
}

fn host_of(proxy: &str) -> Option<String> {
    let url = Url::parse(proxy).ok()?;
    let host = url.host_str()?;
    Some(match url.port() {
        Some(port) => format!("{host}:{port}"),
        None => host.to_owned(),
    })
}

impl fmt::Debug for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Environment(hidden)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_variable_counts_as_unset() {
        let env = Environment::from_lookup(|name| match name {
            "DSR_PROJECT" => Some("".into()),
            "DSR_REGION" => Some("eu".into()),
            _ => None,
        })
        .unwrap();
        assert_eq!(env.project, None);
        assert_eq!(env.region.as_deref(), Some("eu"));
    }

    #[test]
    fn each_variable_that_is_read_is_documented() {
        let asked = std::cell::RefCell::new(Vec::new());
        Environment::from_lookup(|name| {
            asked.borrow_mut().push(name);
            None
        })
        .unwrap();
        let documented = VARIABLES.iter().map(|(name, _)| *name);
        let mut documented: Vec<_> = documented.chain(PROXIES).chain(NO_PROXY).collect();
        let mut asked = asked.into_inner();
        documented.sort_unstable();
        asked.sort_unstable();
        assert_eq!(asked, documented);
    }

    #[test]
    fn a_secret_in_the_place_of_a_path_is_refused_and_not_shown() {
        let with = |name: &'static str, value: &str| {
            let value = OsString::from(value);
            Environment::from_lookup(move |asked| (asked == name).then(|| value.clone()))
        };
        for name in ["DSR_TOKEN_FILE", "DSR_LEDGER_KEY_FILE", "DSR_CA_FILE"] {
            let error = with(name, &"0a".repeat(32)).unwrap_err().to_string();
            assert!(error.contains(name) && !error.contains("0a0a"), "{error}");
            assert!(with(name, "keys/0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a").is_ok());
            assert!(with(name, "ledger.key").is_ok());
        }
    }

    #[test]
    fn the_password_of_a_proxy_is_not_shown() {
        let proxy = |value: &str| {
            let env = Environment::from_lookup(|name| match name {
                "https_proxy" => Some(value.into()),
                _ => None,
            });
            env.unwrap().proxy.unwrap()
        };
        let found = proxy("http://me:se-cret@proxy.test:3128/");
        assert!(!format!("{found:?}").contains("se-cret"));
        assert_eq!(found.variable, "https_proxy");
        assert_eq!(found.host.as_deref(), Some("proxy.test:3128"));
        assert_eq!(proxy("proxy.test:3128").host, found.host);
        assert_eq!(proxy("me:se-cret@").host, None);
    }
}
