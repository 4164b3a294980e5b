//! How many queries of a project are answered at once, by this server.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Mixpanel's limit for a project.
pub(crate) const AT_ONCE: usize = 5;

#[derive(Debug, Default)]
pub(crate) struct Turns(Mutex<HashMap<String, Arc<Semaphore>>>);

impl Turns {
    /// A turn for as long as it is held, or `None` if the project already has all of its turns.
    pub(crate) fn take(&self, project: &str) -> Option<OwnedSemaphorePermit> {
        let mut turns = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let new = || Arc::new(Semaphore::new(AT_ONCE));
        let turns = turns.entry(project.to_owned()).or_insert_with(new);
        Arc::clone(turns).try_acquire_owned().ok()
    }
}
