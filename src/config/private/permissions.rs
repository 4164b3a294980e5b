//! Who may read and change dsr's files, by their modes.

use std::fs::Metadata;
use std::sync::OnceLock;

/// The mode bits that a file of this user must not have.
#[cfg(unix)]
const FORBIDDEN_TO_OURS: u32 = 0o077;
/// The mode bits that a file of another owner must not have.
#[cfg(unix)]
const FORBIDDEN_TO_ANOTHERS: u32 = 0o027;
/// The mode bits that a file of the volume's group must not have.
#[cfg(unix)]
const FORBIDDEN_TO_THE_GROUPS: u32 = 0o007;

/// `DSR_FS_GROUP`, kept for the whole process like the umask.
static VOLUME_GROUP: OnceLock<Option<u32>> = OnceLock::new();

/// From now on this group may read and change dsr's files, and may own them.
///
/// Kubernetes gives each file of a volume to the pod's `fsGroup`, with mode 0660 or more. Only the
/// first call counts.
pub(crate) fn accept_volume_group(group: Option<u32>) {
    VOLUME_GROUP.get_or_init(|| group);
}

/// The group that the operator accepts beside the owner.
pub fn volume_group() -> Option<u32> {
    VOLUME_GROUP.get().copied().flatten()
}

/// Whether a file belongs to the group that the operator accepts.
#[cfg(unix)]
pub(super) fn is_of_volume_group(metadata: &Metadata) -> bool {
    Some(std::os::unix::fs::MetadataExt::gid(metadata)) == volume_group()
}

/// The group that could be a volume's: it may read and change this file or folder, as after a mount
/// by Kubernetes, and nobody beyond it may. `None` if the operator accepts it already.
#[cfg(unix)]
pub fn group_with_access(metadata: &Metadata) -> Option<u32> {
    use std::os::unix::fs::MetadataExt;
    let is_only_the_groups = metadata.mode() & 0o067 == 0o060;
    (is_only_the_groups && !is_of_volume_group(metadata)).then(|| metadata.gid())
}

#[cfg(not(unix))]
pub fn group_with_access(_: &Metadata) -> Option<u32> {
    None
}

/// Whether users other than the owner can read or change a file.
///
/// Our own file must be only ours. A file of another owner, such as root, may be readable through
/// its group: containers without root get their secrets that way. A file of the volume's group may
/// be readable and writable through that group.
#[cfg(unix)]
pub fn is_open_to_others(metadata: &Metadata) -> bool {
    use std::os::unix::fs::MetadataExt;
    let is_ours = metadata.uid() == rustix::process::geteuid().as_raw();
    let forbidden = match (is_of_volume_group(metadata), is_ours) {
        (true, _) => FORBIDDEN_TO_THE_GROUPS,
        (false, true) => FORBIDDEN_TO_OURS,
        (false, false) => FORBIDDEN_TO_ANOTHERS,
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
