use std::fs::OpenOptions;
use std::io;
use std::path::{Path, PathBuf};

use etcetera::{AppStrategy, AppStrategyArgs, HomeDirError, choose_app_strategy};

/// The folders of config, ledger and sandbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Home {
    config: PathBuf,
    data: PathBuf,
}

impl Home {
    /// `DSR_HOME` if given, or else the platform's own folders.
    pub fn locate(dsr_home: Option<&Path>) -> Result<Self, HomeDirError> {
        if let Some(folder) = dsr_home {
            let folder = std::path::absolute(folder).unwrap_or_else(|_| folder.to_owned());
            return Ok(Self {
                config: folder.clone(),
                data: folder,
            });
        }
        Ok(own_folders(&choose_app_strategy(AppStrategyArgs {
            app_name: "dsr".to_owned(),
            ..AppStrategyArgs::default()
        })?))
    }

    /// A home in these folders, which need not exist.
    pub fn in_folders(config: impl Into<PathBuf>, data: impl Into<PathBuf>) -> Self {
        Self {
            config: config.into(),
            data: data.into(),
        }
    }

    /// The sandbox's home inside this one, apart from real records.
    pub fn sandbox(&self) -> Self {
        let folder = self.data.join("sandbox");
        Self {
            config: folder.clone(),
            data: folder,
        }
    }

    pub fn config_file(&self) -> PathBuf {
        self.config.join("config.toml")
    }

    /// The folder of the ledger and other data.
    pub fn data(&self) -> &Path {
        &self.data
    }

    pub fn ledger(&self) -> PathBuf {
        self.data.join("ledger.db")
    }

    /// The folder of the sandbox server's state.
    pub fn sandbox_server(&self) -> PathBuf {
        self.data.join("server")
    }
}

#[cfg(not(windows))]
fn own_folders(strategy: &impl AppStrategy) -> Home {
    Home::in_folders(strategy.config_dir(), strategy.data_dir())
}

/// `%LOCALAPPDATA%\dsr`: the ledger belongs to one machine, and a roaming profile is copied to others.
#[cfg(windows)]
fn own_folders(strategy: &impl AppStrategy) -> Home {
    let cache = strategy.cache_dir();
    let folder = cache.parent().unwrap_or(&cache);
    Home::in_folders(folder, folder)
}

/// Creates a folder that only its owner can enter (0700), with its parents.
pub fn create_private_folder(folder: &Path) -> io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

/// How a file is opened that only its owner may read (0600), from its creation on.
pub fn private_file() -> OpenOptions {
    #[cfg_attr(not(unix), expect(unused_mut, reason = "the mode is for Unix"))]
    let mut options = OpenOptions::new();
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

/// PostgreSQL's own password file of this user, which need not exist.
pub fn home_passfile() -> Option<PathBuf> {
    let home = etcetera::home_dir().ok()?;
    #[cfg(not(windows))]
    return Some(home.join(".pgpass"));
    #[cfg(windows)]
    return Some(home.join("AppData/Roaming/postgresql/pgpass.conf"));
}

/// The folder of the user's own man pages.
pub fn own_man_folder() -> Result<PathBuf, HomeDirError> {
    let strategy = etcetera::choose_base_strategy()?;
    Ok(etcetera::BaseStrategy::data_dir(&strategy).join("man"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sandbox_has_files_of_its_own() {
        let folder = std::env::temp_dir();
        let home = Home::locate(Some(&folder)).unwrap();
        let sandbox = home.sandbox();
        assert_eq!(home.ledger(), folder.join("ledger.db"));
        assert_eq!(sandbox.ledger(), folder.join("sandbox/ledger.db"));
        let config = sandbox.config_file();
        assert_eq!(config, folder.join("sandbox/config.toml"));
    }
}
