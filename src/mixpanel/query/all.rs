//! The query of every profile of a project, with some properties of each.

use std::collections::HashSet;

use super::page::PageProfile;
use super::{PageCourse, PageFault, ProfilePage};
use crate::domain::IdHasher;

/// Every profile, as far as the pages show.
#[derive(Debug)]
pub struct AllProfiles {
    /// The names of the properties to ask for.
    properties: Vec<String>,
    course: PageCourse,
    hasher: IdHasher,
    /// The hash of each id: a profile on two pages shows that the pages may have shifted.
    seen: HashSet<u128>,
}

impl AllProfiles {
    /// Nothing is known yet of the profiles.
    pub fn of(properties: Vec<String>) -> Self {
        Self {
            properties,
            course: PageCourse::default(),
            hasher: IdHasher::random(),
            seen: HashSet::new(),
        }
    }

    pub(super) fn properties(&self) -> &[String] {
        &self.properties
    }

    pub(super) fn course(&self) -> &PageCourse {
        &self.course
    }

    /// Whether every page was read.
    pub fn is_whole(&self) -> bool {
        self.course.is_whole()
    }

    /// How many pages are left, as far as the pages show.
    pub fn pages_left(&self) -> usize {
        self.course.left()
    }

    /// Takes the next page, and returns its profiles. An id that can be none is empty. Two profiles
    /// of the page may have the same id.
    ///
    /// # Errors
    /// When the page does not fit the pages before, or has a profile of one of them.
    pub fn take(&mut self, mut page: ProfilePage) -> Result<Vec<PageProfile>, PageFault> {
        self.course.demand_next(&page)?;
        let mut hashes = HashSet::new();
        for profile in &mut page.profiles {
            if profile.is_fraction {
                profile.id.clear();
            }
            let hash = self.hasher.hash(profile.id.as_bytes());
            if profile.id.is_empty() {
                continue;
            }
            if self.seen.contains(&hash) {
                return Err(PageFault::OnTwoPages);
            }
            hashes.insert(hash);
        }
        self.seen.extend(hashes);
        self.course.add(&page)?;
        Ok(page.profiles)
    }
}
