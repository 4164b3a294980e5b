use std::io;
use std::path::{Path, PathBuf};

use zip::result::ZipError;

/// Why no package was made. Nothing is left at the target.
#[derive(Debug, thiserror::Error)]
pub enum SplitError {
    #[error("there are no ids to package")]
    Nobody,
    #[error("cannot read the archive `{}`", path.display())]
    Open { path: PathBuf, source: io::Error },
    #[error("the archive is not the one that was fetched: it has another SHA-256")]
    Changed,
    #[error("the archive is not a zip file, or its end is missing")]
    NotZip(#[source] ZipError),
    #[error("the archive is not safe to open: {0}")]
    Unsafe(Danger),
    #[error("the archive is encrypted, and no password was given")]
    PasswordNeeded,
    #[error("the password does not open the archive")]
    WrongPassword,
    #[error("member {member} of the archive is damaged, or the password is wrong")]
    DamagedOrWrongPassword { member: usize, source: io::Error },
    #[error("member {member} of the archive is damaged")]
    Damaged { member: usize, source: io::Error },
    #[error("member {member} of the archive is packed with {method}, which dsr does not unpack")]
    Compression { member: usize, method: &'static str },
    #[error("member {member} of the archive is packed in a way that dsr does not support")]
    Unsupported { member: usize, source: ZipError },
    #[error("`{}` already exists; dsr did not overwrite it", path.display())]
    TargetExists { path: PathBuf },
    #[error("the packages in `{}` have changed since dsr made them: {}", path.display(), harm(damage))]
    NotAsMade {
        path: PathBuf,
        damage: PackageDamage,
        /// The operator had checked the unassigned data and released the packages.
        reviewed: bool,
    },
    #[error("the packages in `{}` were made {how}", path.display())]
    MadeOtherwise { path: PathBuf, how: &'static str },
    #[error("cannot write `{}`", path.display())]
    Write { path: PathBuf, source: io::Error },
    #[error("interrupted")]
    Interrupted,
}

/// Signs of an archive that nobody packs by mistake, or that would fill the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Danger {
    #[error("a member's name leads out of the folder (`..`)")]
    Traversal,
    #[error("a member's name is an absolute path")]
    AbsolutePath,
    #[error("a member's name begins with a drive letter")]
    DriveLetter,
    #[error("a member's name holds a backslash")]
    Backslash,
    #[error("a member's name holds a NUL")]
    Nul,
    #[error("a member's name cannot be read")]
    UnreadableName,
    #[error("a member is a symbolic link")]
    SymbolicLink,
    #[error("a member is not a plain file")]
    SpecialFile,
    #[error("two members have one name")]
    DuplicateNames,
    #[error("members share the same bytes")]
    Overlap,
    #[error("it holds bytes that belong to no member")]
    Unaccounted,
    #[error("it has too many members")]
    TooManyMembers,
    #[error("it would unpack to too many bytes")]
    TooLarge,
    #[error("it would unpack to far more than its size")]
    TooDense,
}

/// How packages differ from what was made, by paths from their folder, with `/`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PackageDamage {
    pub missing: Vec<String>,
    pub changed: Vec<String>,
    /// Files that dsr did not make.
    pub added: Vec<String>,
}

impl PackageDamage {
    pub(crate) fn is_none(&self) -> bool {
        self.missing.is_empty() && self.changed.is_empty() && self.added.is_empty()
    }
}

const MOST_NAMES: usize = 3;

/// `2 missing (5f1d…/index.html, 77ab….zip), 1 changed (index.csv)`
fn harm(damage: &PackageDamage) -> String {
    let part = |names: &[String], what: &str| {
        let shown = names[..names.len().min(MOST_NAMES)].join(", ");
        let more = match names.len() > MOST_NAMES {
            true => ", …",
            false => "",
        };
        (!names.is_empty()).then(|| format!("{} {what} ({shown}{more})", names.len()))
    };
    let parts = [
        part(&damage.missing, "missing"),
        part(&damage.changed, "changed"),
        part(&damage.added, "not made by dsr"),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

impl SplitError {
    /// For `map_err`: names the file that could not be written.
    pub(super) fn write(path: &Path) -> impl FnOnce(io::Error) -> Self + use<> {
        let path = path.to_path_buf();
        move |source| Self::Write { path, source }
    }
}
