use std::fs::Metadata;

/// The bits of a mode that a file of our own must not have.
#[cfg(unix)]
const FORBIDDEN_TO_OURS: u32 = 0o077;
/// And those that a file of another owner must not have.
#[cfg(unix)]
const FORBIDDEN_TO_ANOTHERS: u32 = 0o027;

/// Whether others can read or change what only its owner should.
///
/// A file of our own is for us alone. One that somebody else owns, such as root, can be ours to
/// read through its group only: so secrets are mounted into containers that do not run as root.
#[cfg(unix)]
pub fn is_open_to_others(metadata: &Metadata) -> bool {
    use std::os::unix::fs::MetadataExt;
    let forbidden = match metadata.uid() == rustix::process::geteuid().as_raw() {
        true => FORBIDDEN_TO_OURS,
        false => FORBIDDEN_TO_ANOTHERS,
    };
    metadata.mode() & forbidden != 0
}

/// Elsewhere the permissions that a file inherits from the user's folder are the system's own.
#[cfg(not(unix))]
pub fn is_open_to_others(_: &Metadata) -> bool {
    false
}

/// From here on whatever this process makes is for its owner alone, in whatever library it is made.
///
/// Files that have no name are made for all by the crate that makes them, and SQLite's own are made
/// by its own mode.
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
