//! The query of profiles: which of some ids have one, or all of them. Reads strictly: an answer that may lack a
//! profile is an error, and never "no profile".

mod all;
pub mod client;
mod copies;
mod course;
pub mod export;
mod holders;
mod page;

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use serde::de::IgnoredAny;

use crate::domain::DistinctId;

use super::classify::{Answered, Exchange, WEB_PAGE};
use super::wire::ReplyDocument;
use super::words::Words;
pub use all::AllProfiles;
pub use copies::{CopiesAnswer, CopyKind, CopyState, ListedCopy};
use course::PageCourse;
pub use holders::{COMPARISONS, EXPRESSION_BYTES, Holder, Holders, can_be_asked, comparison};
pub use page::ProfilePage;

/// The most ids to ask about at once: the profiles of one page (OpenAPI description, `page_size`).
pub const MOST_ASKED: usize = 1000;

/// The most pages of one query: ten million profiles at Mixpanel's size of pages.
const MOST_PAGES: usize = 10_000;

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
    /// Its words may have a part of a value or an id, so they are not kept.
    Refused {
        http_status: u16,
    },
    /// The answer cannot be relied on.
    Unclear {
        reason: Words,
    },
    /// The same for a whole answer that the same query would bring again, such as a redirect.
    Unusable {
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
    /// The profiles under ids that were not asked for.
    others: HashSet<String>,
    course: PageCourse,
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
    #[error("a profile is on two pages, as if the pages had shifted")]
    OnTwoPages,
    #[error(
        "the answer has a profile under an id that was not asked for, as if an id were another one's alias"
    )]
    NotAsked,
    #[error("the answer speaks of more pages than dsr asks for")]
    TooMany,
    #[error("there are more pages, and the answer names no session for them")]
    NoSession,
    #[error("a profile of the answer lacks the property, or has it twice")]
    NoProperty,
    #[error("the properties of a profile in the answer cannot be read, or one is there twice")]
    NoProperties,
    #[error("the answer has a profile that has none of the values asked for")]
    NotAHolder,
}

impl PageFault {
    /// Whether the same query would bring the fault again. The others come from profiles that change
    /// between two pages.
    pub fn comes_again(self) -> bool {
        matches!(
            self,
            Self::TooMany | Self::NoSession | Self::NoProperty | Self::NoProperties
        )
    }
}

impl Profiles {
    /// Nothing is known yet of these ids.
    pub fn of(asked: Vec<DistinctId>) -> Self {
        let places = asked.iter().zip(0..);
        Self {
            places: places.map(|(id, n)| (id.expose().to_owned(), n)).collect(),
            has_profile: vec![false; asked.len()],
            others: HashSet::new(),
            asked,
            course: PageCourse::default(),
        }
    }

    /// Whether every page was read.
    pub fn is_whole(&self) -> bool {
        self.course.is_whole()
    }

    /// Whether each id has a profile, in their order. Only if [`Self::is_whole`].
    ///
    /// # Errors
    /// When a profile has an id that was not asked for: one of the ids may be its alias.
    pub fn into_answer(self) -> Result<Vec<bool>, PageFault> {
        match self.others.is_empty() {
            true => Ok(self.has_profile),
            false => Err(PageFault::NotAsked),
        }
    }

    /// The ids of all profiles, also of those that were not asked for. Only if [`Self::is_whole`].
    pub fn into_found(self) -> Vec<String> {
        let asked = self.asked.iter().zip(self.has_profile);
        let found = asked.filter(|(_, has_profile)| *has_profile);
        let found = found.map(|(id, _)| id.expose().to_owned());
        found.chain(self.others).collect()
    }

    /// Takes the next page.
    ///
    /// # Errors
    /// When the page does not fit the question or the pages before: a profile could be missing.
    pub fn take(&mut self, page: &ProfilePage) -> Result<(), PageFault> {
        self.course.demand_next(page)?;
        if page.total > self.asked.len() {
            return Err(PageFault::NotAsked);
        }
        for profile in &page.profiles {
            let is_known = match self.places.get(&profile.id) {
                Some(place) => std::mem::replace(&mut self.has_profile[*place], true),
                None => !self.others.insert(profile.id.clone()),
            };
            if is_known {
                return Err(PageFault::Twice);
            }
        }
        self.course.add(page)
    }
}

const NO_PAGE: &str = "Mixpanel's answer is not a page of profiles";

pub(super) fn classify_query(exchange: Exchange) -> QueryAnswer<ProfilePage> {
    match exchange {
        Exchange::Answered(answered) if answered.status == 200 => {
            match page::read(&answered.body) {
                Some(page) => QueryAnswer::Answered(page),
                None => unusable(&answered, NO_PAGE),
            }
        }
        other => refused(other, NO_PAGE),
    }
}

/// The meaning of a 200 that does not have what was asked for.
fn unusable<T>(answered: &Answered, lacks: &'static str) -> QueryAnswer<T> {
    let http_status = answered.status;
    let reason = |what| Words::on_status(what, http_status);
    match answered.looks_like_html() {
        true => QueryAnswer::Unclear {
            reason: reason(WEB_PAGE),
        },
        false if says_error(answered) => QueryAnswer::Refused { http_status },
        // It may be cut off.
        false if serde_json::from_slice::<IgnoredAny>(&answered.body).is_err() => {
            QueryAnswer::Unclear {
                reason: reason(lacks),
            }
        }
        false => QueryAnswer::Unusable {
            reason: reason(lacks),
        },
    }
}

/// The meaning of an exchange without a 200.
fn refused<T>(exchange: Exchange, lacks: &'static str) -> QueryAnswer<T> {
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
        _ if answered.looks_like_html() => unclear(WEB_PAGE),
        401 | 403 => QueryAnswer::NotAllowed { http_status },
        400..=499 => QueryAnswer::Refused { http_status },
        300..=399 => QueryAnswer::Unusable {
            reason: Words::on_status("a redirect came, which dsr does not follow", http_status),
        },
        _ => unclear(lacks),
    }
}

fn says_error(answered: &Answered) -> bool {
    let document = ReplyDocument::parse(&answered.body);
    document.is_some_and(|document| document.says_error() || document.names_error())
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
