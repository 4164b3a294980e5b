//! Keeps what one dsr left in its home, for the many tests that begin there.

use std::fs::{DirBuilder, OpenOptions};
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::PathBuf;

use super::Operator;

pub(crate) struct Kept(Vec<(PathBuf, Vec<u8>)>);

impl Operator {
    pub(crate) fn keeps(&self) -> Kept {
        let files = self.files().into_iter();
        let files = files.filter(|(path, _)| *path != self.config_path());
        let files = files.filter_map(|(path, bytes)| {
            let name = path.strip_prefix(self.dsr_home()).ok()?;
            Some((name.to_owned(), bytes))
        });
        Kept(files.collect())
    }

    /// Puts the kept files into this home, with the modes that dsr gives them.
    pub(crate) fn begins_with(&self, kept: &Kept) {
        for (name, bytes) in &kept.0 {
            let path = self.dsr_home().join(name);
            let folder = path.parent().expect("a file is in a folder");
            let made = DirBuilder::new().recursive(true).mode(0o700).create(folder);
            made.expect("a folder can be made");
            let mut new = OpenOptions::new();
            let file = new.write(true).create(true).truncate(true).mode(0o600);
            let mut file = file.open(path).expect("a file can be made");
            file.write_all(bytes).expect("a file can be written");
        }
    }
}
