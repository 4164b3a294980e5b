//! The ids of the profiles that a rule selects.
//!
//! Memory holds 8 bytes for each profile and 20 for each selected one, not the ids.

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use super::dated::DatedProfile;
use crate::domain::IdHasher;
use crate::intake::judge::check::{CheckOptions, Checker};
use crate::intake::judge::form::ValueForm;
use crate::intake::problem::IntakeError;
use crate::intake::unique::partition::beginning_of;
use crate::intake::unique::spool::{IN_MEMORY, SpoolWriter};
use crate::intake::unique::{Gathering, UniqueIds};
use crate::intake::warning::{WarningKind, Warnings};

/// How many ids are read at once when repeated ones must go.
const AT_ONCE: NonZeroUsize = NonZeroUsize::new(4096).expect("not zero");

/// Notes every profile, and keeps the ids of the selected ones.
pub struct ProfileSelection {
    folder: PathBuf,
    hasher: IdHasher,
    /// The first 64 bits of the hash of each profile's id. A collision would only keep a profile.
    noted: Vec<u64>,
    checker: Checker,
    gathering: Gathering,
    spool: SpoolWriter,
}

/// What was selected.
#[derive(Debug)]
pub struct SelectedProfiles {
    /// In the order of the profiles.
    pub ids: Rc<UniqueIds>,
    /// How many selected ids dsr left out, because several profiles have the id.
    pub repeated: usize,
    /// Of the selected ids, as far as they concern profiles.
    pub warnings: Warnings,
}

impl ProfileSelection {
    /// Ids that do not fit into memory go to an unnamed file in `folder`.
    pub fn new(folder: &Path) -> Self {
        let hasher = IdHasher::random();
        Self {
            folder: folder.to_owned(),
            noted: Vec::new(),
            checker: Checker::new(&CheckOptions::default()),
            gathering: gathering(&hasher),
            spool: SpoolWriter::new(folder, IN_MEMORY),
            hasher,
        }
    }

    /// Every profile must be noted, selected or not: two profiles of one id contradict each other.
    pub fn note(&mut self, profile: &DatedProfile<'_>) {
        let hash = self.hasher.hash(profile.id.as_bytes());
        self.noted.push(beginning_of(hash));
    }

    /// Selects a noted profile. Returns whether its id is usable: `dsr delete` would accept it.
    ///
    /// # Errors
    /// When the disk is full.
    pub fn select(&mut self, profile: &DatedProfile<'_>) -> Result<bool, IntakeError> {
        let form = Some(ValueForm::of(profile.id));
        let Some(id) = self.checker.check(profile.place, form) else {
            return Ok(false);
        };
        self.gathering.take(profile.place, &id, None)?;
        self.spool.put(&id).map_err(IntakeError::Spool)?;
        Ok(true)
    }

    /// The selected ids, without those of several profiles.
    ///
    /// # Errors
    /// When the disk is full.
    pub fn finish(self) -> Result<SelectedProfiles, IntakeError> {
        let mut noted = self.noted;
        noted.sort_unstable();
        let mut repeated: Vec<u64> = noted
            .windows(2)
            .filter_map(|pair| (pair[0] == pair[1]).then_some(pair[0]))
            .collect();
        repeated.dedup();
        drop(noted);
        let (_, mut warnings) = self.checker.finish();
        let ids = unique(self.gathering, self.spool, &mut warnings)?;
        // It concerns all data of a person; here only profiles go.
        warnings.remove(WarningKind::Device);
        if repeated.is_empty() {
            return Ok(SelectedProfiles {
                ids,
                repeated: 0,
                warnings,
            });
        }
        let (mut kept, mut left_out) = (gathering(&self.hasher), 0);
        let mut spool = SpoolWriter::new(&self.folder, IN_MEMORY);
        for batch in ids.batches(AT_ONCE) {
            for id in batch?.ids() {
                let hash = self.hasher.hash(id.as_bytes());
                if repeated.binary_search(&beginning_of(hash)).is_ok() {
                    left_out += 1;
                    continue;
                }
                let place = crate::intake::Place::nowhere_in("");
                kept.take(place, id, Some(hash))?;
                spool.put(id).map_err(IntakeError::Spool)?;
            }
        }
        Ok(SelectedProfiles {
            ids: unique(kept, spool, &mut Warnings::default())?,
            repeated: left_out,
            warnings,
        })
    }
}

fn gathering(hasher: &IdHasher) -> Gathering {
    let mut gathering = Gathering::new(hasher.clone());
    gathering.end_excluded();
    gathering
}

fn unique(
    gathering: Gathering,
    spool: SpoolWriter,
    warnings: &mut Warnings,
) -> Result<Rc<UniqueIds>, IntakeError> {
    let (counts, order) = gathering.finish(warnings);
    let spool = spool.finish().map_err(IntakeError::Spool)?;
    Ok(Rc::new(UniqueIds::new(spool, order, counts.unique)))
}
