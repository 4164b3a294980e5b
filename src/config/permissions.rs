use std::fs::Metadata;

/// The mode bits that a file of this user must not have.
#[cfg(unix)]
const FORBIDDEN_TO_OURS: u32 = 0o077;
/// The mode bits that a file of another owner must not have.
#[cfg(unix)]
const FORBIDDEN_TO_ANOTHERS: u32 = 0o027;

/// Whether users other than the owner can read or change a file.
///
/// Our own file must be only ours. A file of another owner, such as root, may be readable through
/// its group: containers without root get their secrets that way.
#[cfg(unix)]
pub fn is_open_to_others(metadata: &Metadata) -> bool {
    use std::os::unix::fs::MetadataExt;
    let forbidden = match metadata.uid() == rustix::process::geteuid().as_raw() {
        true => FORBIDDEN_TO_OURS,
        false => FORBIDDEN_TO_ANOTHERS,
    };
    metadata.mode() & forbidden != 0
}

/// Elsewhere files inherit the permissions of the user's folder, which are the system's concern.
#[cfg(not(unix))]
pub fn is_open_to_others(_: &Metadata) -> bool {
    false
}

/// From now on all files of this process are private to its owner, in every library.
///
/// A crate makes its unnamed files readable by all, and SQLite uses its own mode.
pub fn keep_files_private() {
    #[cfg(unix)]
    rustix::process::umask(rustix::fs::Mode::RWXG | rustix::fs::Mode::RWXO);
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn a_group_may_read_only_what_another_owner_has_given_it() {
        for (mode, ours, another) in [
            (0o600, false, false),
            (0o440, true, false),
            (0o640, true, false),
            (0o660, true, true),
            (0o444, true, true),
            (0o602, true, true),
        ] {
            assert_eq!(mode & FORBIDDEN_TO_OURS != 0, ours, "{mode:o}");
            assert_eq!(mode & FORBIDDEN_TO_ANOTHERS != 0, another, "{mode:o}");
        }
    }
}
