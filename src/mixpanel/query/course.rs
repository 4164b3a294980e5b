//! The pages of one query, which must add up.

use super::{MOST_PAGES, PageFault, ProfilePage};

/// The pages of one query that were read so far.
#[derive(Debug, Default)]
pub(super) struct PageCourse {
    session: Option<String>,
    /// How many profiles there are on all pages, and how many at most on one; `None` before the
    /// first page.
    sizes: Option<(usize, usize)>,
    pages: usize,
    found: usize,
}

impl PageCourse {
    /// The session and number of the page to ask for; `None` for the first one.
    pub(super) fn next_page(&self) -> Option<(&str, usize)> {
        Some((self.session.as_deref()?, self.pages))
    }

    /// Whether every page was read.
    pub(super) fn is_whole(&self) -> bool {
        self.sizes.is_some_and(|(total, _)| self.found == total)
    }

    /// How many pages are left, as far as the pages show.
    pub(super) fn left(&self) -> usize {
        let left = |(total, size): (usize, usize)| (total - self.found).div_ceil(size);
        self.sizes.map_or(1, left)
    }

    /// # Errors
    /// When the page does not follow the pages before, or has fewer or more profiles than it says.
    pub(super) fn demand_next(&self, page: &ProfilePage) -> Result<(), PageFault> {
        if page.number != self.pages {
            return Err(PageFault::OtherPage);
        }
        match self.sizes {
            Some((total, _)) if total != page.total => return Err(PageFault::OtherTotal),
            Some((_, size)) if size != page.size => return Err(PageFault::OtherSize),
            Some(_) if page.session.is_some() && page.session != self.session => {
                return Err(PageFault::OtherSession);
            }
            Some(_) | None => {}
        }
        if page.total.div_ceil(page.size) > MOST_PAGES {
            return Err(PageFault::TooMany);
        }
        let left = page.total.checked_sub(self.found);
        match left.map(|left| left.min(page.size)) == Some(page.profiles.len()) {
            true => Ok(()),
            false => Err(PageFault::WrongCount),
        }
    }

    /// Adds a page that follows the pages before.
    ///
    /// # Errors
    /// When there are more pages and no session to ask for them.
    pub(super) fn add(&mut self, page: &ProfilePage) -> Result<(), PageFault> {
        if self.sizes.is_none() {
            self.session.clone_from(&page.session);
        }
        self.sizes = Some((page.total, page.size));
        self.pages += 1;
        self.found += page.profiles.len();
        match !self.is_whole() && self.session.is_none() {
            true => Err(PageFault::NoSession),
            false => Ok(()),
        }
    }
}
