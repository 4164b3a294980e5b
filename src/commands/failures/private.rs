//! Failures of files that others can read, or that are not what dsr expects.

use crate::config::NotPrivate;
use crate::domain::ExitStatus;
use crate::ui::Failure;

use super::quoted;

/// The way on for a Kubernetes volume, whose files the kubelet opens to a group at each mount.
pub(crate) fn on_a_volume(group: Option<u32>) -> String {
    group.map_or(String::new(), |group| {
        format!("; in a pod whose `fsGroup` is {group}, set `DSR_FS_GROUP={group}`")
    })
}

impl From<&NotPrivate> for Failure {
    fn from(error: &NotPrivate) -> Self {
        let hint = match error {
            NotPrivate::OpenFile { path, group } => {
                format!("run `chmod 600 {}`{}", quoted(path), on_a_volume(*group))
            }
            NotPrivate::OpenFolder { path, group } => {
                format!("run `chmod 700 {}`{}", quoted(path), on_a_volume(*group))
            }
            NotPrivate::Foreign { group, .. } => format!(
                "run dsr as that user, or set DSR_HOME to a folder of your own{}",
                on_a_volume(*group)
            ),
            NotPrivate::Link { .. } => {
                "remove it if it is not yours; to keep the ledger elsewhere, set DSR_HOME"
                    .to_owned()
            }
            NotPrivate::SecondName { path } => {
                let path = quoted(path);
                format!("run `cp -p {path} {path}.own && mv {path}.own {path}`")
            }
            NotPrivate::WrongKind { .. } => "move it away".to_owned(),
            NotPrivate::Unreadable { .. } => "correct the permissions".to_owned(),
        };
        Self::from_error(ExitStatus::LocalIo, "not_private", error)
            .hint(format!("nothing was sent; {hint}"))
    }
}
