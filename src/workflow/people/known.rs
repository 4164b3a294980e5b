//! The people to verify whose ids are known, and who of them has a profile.

use std::collections::HashMap;
use std::path::Path;

use crate::domain::{DistinctId, PersonHash, PersonHasher, ProjectId};
use crate::intake::{IntakeError, Restoring};
use crate::mixpanel::QueryClient;

use super::profiles::{PreflightError, find_profiles};
use super::queries::Queries;

/// Ids of people, each once.
pub struct KnownIds {
    hasher: PersonHasher,
    ids: Restoring,
    /// In the order of the ids.
    order: Vec<PersonHash>,
    /// Everyone, as if they had a profile.
    people: HashMap<PersonHash, bool>,
}

impl KnownIds {
    /// Nobody yet. Ids that do not fit into memory go to an unnamed file in `folder`.
    pub fn new(hasher: PersonHasher, folder: &Path) -> Self {
        Self {
            hasher,
            ids: Restoring::new(folder),
            order: Vec::new(),
            people: HashMap::new(),
        }
    }

    /// Takes an id if `is_meant` accepts its person. Returns whether it does.
    ///
    /// # Errors
    /// When the disk is full, or there are more than `u32::MAX` ids.
    pub fn put(
        &mut self,
        id: &str,
        is_meant: impl FnOnce(&PersonHash) -> bool,
    ) -> Result<bool, IntakeError> {
        let hash = self.hasher.hash(id);
        if self.people.contains_key(&hash) {
            return Ok(true);
        }
        // No person has a text that cannot be an id.
        if DistinctId::restore(id).is_none() || !is_meant(&hash) {
            return Ok(false);
        }
        self.ids.put(id)?;
        self.order.push(hash);
        self.people.insert(hash, true);
        Ok(true)
    }

    pub fn count(&self) -> usize {
        self.order.len()
    }

    /// Asks Mixpanel which of them have a profile.
    ///
    /// # Errors
    /// See [`find_profiles`]. Nothing is known then.
    pub async fn find_profiles(
        self,
        queries: &mut Queries<'_>,
        (client, project): (&QueryClient, ProjectId),
    ) -> Result<HashMap<PersonHash, bool>, PreflightError> {
        let mut people = self.people;
        let ids = self.ids.finish_numbered().map_err(PreflightError::Ids)?;
        let found = find_profiles(queries, (client, project), &ids).await?;
        for place in &found.without {
            let number = place.line.unwrap_or_default() as usize;
            // Numbers count from 1.
            let hash = number
                .checked_sub(1)
                .and_then(|place| self.order.get(place));
            let hash = hash.expect("each place is the number of an id");
            people.insert(*hash, false);
        }
        Ok(people)
    }
}
