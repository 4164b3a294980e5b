//! The query of profiles: which of some ids have one. Reads strictly: an answer that may lack a
//! profile is an error, and never "no profile".

pub mod client;
mod copies;
pub mod export;
mod page;

use std::collections::HashMap;
use std::time::Duration;

use crate::domain::DistinctId;

use super::classify::{Answered, Exchange};
use super::wire::ReplyDocument;
use super::words::{Confidential, Words};
pub use copies::{CopiesAnswer, CopyKind, CopyState, ListedCopy};
pub use page::ProfilePage;

/// The most ids to ask about at once: the profiles of one page (OpenAPI description, `page_size`).
pub const MOST_ASKED: usize = 1000;

/// What an answer to a query means.
#[derive(Debug)]
pub enum QueryAnswer<T> {
    Answered(T),
    /// No connection was made.
    NotSent {
        reason: Words,
    },
    /// 429: the hour's queries, which others use too, or too many at once.
    Deferred {
        retry_after: Option<Duration>,
    },
    /// 401 or 403.
    NotAllowed {
        http_status: u16,
    },
    Refused {
        http_status: u16,
        message: Words,
    },
    /// The answer cannot be relied on.
    Unclear {
        reason: Words,
    },
}

/// What an answer about the account itself means.
#[derive(Debug, PartialEq, Eq)]
pub enum AccountAnswer {
    Accepted,
    Deferred,
    /// 401 or 403.
    NotAllowed {
        http_status: u16,
    },
    Unclear {
        reason: Words,
    },
}

/// Some ids, and which of them have a profile, as far as the pages show.
#[derive(Debug)]
pub struct Profiles {
    asked: Vec<DistinctId>,
    places: HashMap<String, usize>,
    has_profile: Vec<bool>,
    found: usize,
    /// Of the pages read so far.
    course: Option<PageCourse>,
}

#[derive(Debug)]
struct PageCourse {
    session: Option<String>,
    total: usize,
    page_size: usize,
    pages: usize,
}

/// Why a page cannot be relied on. Quotes nothing of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PageFault {
    #[error("the answer has another page than was asked for")]
    OtherPage,
    #[error("the number of profiles changed between two pages")]
    OtherTotal,
    #[error("the size of the pages changed between two pages")]
    OtherSize,
    #[error("another query's pages came")]
    OtherSession,
    #[error("the answer has fewer or more profiles than it says")]
    WrongCount,
    #[error("the answer has a profile twice")]
    Twice,
    #[error(
        "the answer has a profile under an id that was not asked for, as if an id were another one's alias"
    )]
    NotAsked,
    #[error("there are more pages, and the answer names no session for them")]
    NoSession,
}

impl Profiles {
    /// Nothing is known yet of these ids.
    pub fn of(asked: Vec<DistinctId>) -> Self {
        let places = asked.iter().zip(0..);
        Self {
            places: places.map(|(id, n)| (id.expose().to_owned(), n)).collect(),
            has_profile: vec![false; asked.len()],
            asked,
            found: 0,
            course: None,
        }
    }

    fn asked(&self) -> impl Iterator<Item = &DistinctId> {
        self.asked.iter()
    }

    /// The session and number of the page to ask for; `None` for the first one.
    fn next_page(&self) -> Option<(&str, usize)> {
        let course = self.course.as_ref()?;
        Some((course.session.as_deref()?, course.pages))
    }

    /// Whether every page was read.
    pub fn is_whole(&self) -> bool {
        let course = self.course.as_ref();
        course.is_some_and(|course| self.found == course.total)
    }

    /// Whether each id has a profile, in their order. Only if [`Self::is_whole`].
    pub fn into_answer(self) -> Vec<bool> {
        self.has_profile
    }

    /// Takes the next page.
    ///
    /// # Errors
    /// When the page does not fit the question or the pages before: a profile could be missing.
    pub fn take(&mut self, page: &ProfilePage) -> Result<(), PageFault> {
        let pages = self.course.as_ref().map_or(0, |course| course.pages);
        if page.number != pages {
            return Err(PageFault::OtherPage);
        }
        let mut session = page.session.clone();
        if let Some(course) = &self.course {
            match (course.total == page.total, course.page_size == page.size) {
                (false, _) => return Err(PageFault::OtherTotal),
                (_, false) => return Err(PageFault::OtherSize),
                (true, true) => {}
            }
            if session.is_some() && session != course.session {
                return Err(PageFault::OtherSession);
            }
            session.clone_from(&course.session);
        }
        let left = page.total.checked_sub(self.found);
        if left.map(|left| left.min(page.size)) != Some(page.ids.len()) {
            return Err(PageFault::WrongCount);
        }
        for id in &page.ids {
            let place = self.places.get(id).ok_or(PageFault::NotAsked)?;
            if std::mem::replace(&mut self.has_profile[*place], true) {
                return Err(PageFault::Twice);
            }
        }
        self.found += page.ids.len();
        if self.found < page.total && session.is_none() {
            return Err(PageFault::NoSession);
        }
        self.course = Some(PageCourse {
            session,
            total: page.total,
            page_size: page.size,
            pages: pages + 1,
        });
        Ok(())
    }
}

pub(super) fn classify_query(
    exchange: Exchange,
    confidential: &Confidential<'_>,
) -> QueryAnswer<ProfilePage> {
    let answered = match exchange {
        Exchange::NotSent { reason } => return QueryAnswer::NotSent { reason },
        Exchange::Lost { reason, .. } => return QueryAnswer::Unclear { reason },
        Exchange::Answered(answered) => answered,
    };
    let http_status = answered.status;
    let unclear = |what| QueryAnswer::Unclear {
        reason: Words::on_status(what, http_status),
    };
    match http_status {
        429 => QueryAnswer::Deferred {
            retry_after: answered.wait(),
        },
        _ if answered.looks_like_html() => unclear(super::classify::WEB_PAGE),
        200 => match page::read(&answered.body) {
            Some(page) => QueryAnswer::Answered(page),
            None if says_error(&answered) => QueryAnswer::Refused {
                http_status,
                message: message_of(&answered, confidential),
            },
            None => unclear("Mixpanel's answer is not a page of profiles"),
        },
        401 | 403 => QueryAnswer::NotAllowed { http_status },
        400..=499 => QueryAnswer::Refused {
            http_status,
            message: message_of(&answered, confidential),
        },
        _ => unclear("Mixpanel's answer is not a page of profiles"),
    }
}

fn says_error(answered: &Answered) -> bool {
    let document = ReplyDocument::parse(&answered.body);
    document.is_some_and(|document| document.says_error() || document.names_error())
}

fn message_of(answered: &Answered, confidential: &Confidential<'_>) -> Words {
    let document = ReplyDocument::parse(&answered.body);
    confidential.words(&answered.said(document.as_ref()))
}

fn classify_account(exchange: Exchange) -> AccountAnswer {
    let answered = match exchange {
        Exchange::NotSent { reason } | Exchange::Lost { reason, .. } => {
            return AccountAnswer::Unclear { reason };
        }
        Exchange::Answered(answered) => answered,
    };
    let document = ReplyDocument::parse(&answered.body);
    match answered.status {
        429 => AccountAnswer::Deferred,
        http_status @ (401 | 403) if !answered.looks_like_html() => {
            AccountAnswer::NotAllowed { http_status }
        }
        200 if document.is_some_and(|document| !document.says_error()) => AccountAnswer::Accepted,
        status => AccountAnswer::Unclear {
            reason: Words::on_status("Mixpanel's answer does not name the account", status),
        },
    }
}

#[cfg(test)]
mod tests;
