//! `job/`: members about the whole job, kept once and unchanged for the operator.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};

use crate::packages::SplitError;
use crate::packages::archive::documented::{JobMember, RecordedNames};
use crate::packages::staging::{create_file, make_folder};

const FOLDER: &str = "job";

/// The names in the lists of an archive, for all its people together.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct JobLists {
    pub(crate) count: u64,
    pub(crate) names: BTreeMap<JobMember, Vec<String>>,
    /// Whether a list or the summary names an event, or something of a profile.
    pub(crate) name_events: bool,
    pub(crate) name_profiles: bool,
}

pub(crate) struct JobWriter {
    folder: PathBuf,
    lists: JobLists,
    files: u64,
}

impl JobWriter {
    pub(crate) fn new(root: &Path) -> Self {
        Self {
            folder: root.join(FOLDER),
            lists: JobLists::default(),
            files: 0,
        }
    }

    /// Keeps a member; returns its path for the report.
    pub(crate) fn add(
        &mut self,
        member: JobMember,
        facts: RecordedNames,
        text: &[u8],
    ) -> Result<String, SplitError> {
        if self.files == 0 {
            make_folder(&self.folder)?;
        }
        self.files += 1;
        let mut name = member.file_name().to_owned();
        if self.folder.join(&name).exists() {
            // An inner archive has a member of the same name.
            name = format!("{}-{name}", self.files);
        }
        let path = self.folder.join(&name);
        let mut file = create_file(&path)?;
        file.write_all(text).map_err(SplitError::write(&path))?;
        self.lists.name_events |= facts.name_events;
        self.lists.name_profiles |= facts.name_profiles;
        if member != JobMember::Summary {
            self.lists.count += 1;
            let names = self.lists.names.entry(member).or_default();
            for name in facts.names {
                if !names.contains(&name) {
                    names.push(name);
                }
            }
        }
        Ok(format!("{FOLDER}/{name}"))
    }

    pub(crate) fn into_lists(self) -> JobLists {
        self.lists
    }
}
