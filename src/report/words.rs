//! The texts of a report: rights, states, rules, and what dsr cannot know.
//!
//! Sources: GDPR Art. 12, 15, 17, 20; California Civil Code §§1798.105 and 1798.110; 11 CCR
//! §7101(a), (b) and (d), §7102(a)(1), as effective since 29 March 2023.

use crate::domain::{Disclosure, JobState, Law, Operation, RetrievalScope};

pub(super) const NOT_ADVICE: &str =
    "Dates and figures follow the rules they name and are not legal advice.";

pub(super) const LOG_RULE: &str = "11 CCR §7101(b): a log includes “the date of request, nature of request, manner in which the request was made, the date of the business’s response, the nature of the response, and the basis for the denial of the request if the request is denied in whole or in part”.";

pub(super) const FIGURES_RULE: &str = "11 CCR §7102(a)(1) asks a business that “buys, receives for the business’s commercial purposes, sells, shares, or otherwise makes available for commercial purposes the personal information of 10,000,000 or more consumers in a calendar year” for the number of requests to delete and to know that it “received, complied with in whole or in part, and denied”, and for “the median or mean number of days within which the business substantively responded”. The figures for the GDPR are counted in the same way; no rule asks for them.";

/// Who may see a record of requests.
pub(super) const SHARING_RULE: &str = "11 CCR §7101(d): “Information maintained for record-keeping purposes shall not be shared with any third party except as necessary to comply with a legal obligation.”";

/// The limits of every report of a period.
const PERIOD_LIMITS: &[&str] = &[
    "A request here is one command that an operator gave: it may carry out the wishes of many people. Ids are counted beside requests; a person may have several.",
    "“Answered” is the day on which, by the operator’s word, the person was told. Where no day is recorded, the person may have been told or not.",
    "“Carried out” is Mixpanel’s word for a deletion. An export is carried out when dsr has fetched it.",
    "Requests that the company turned down itself are not in this report, and not among those “not carried out”.",
    "How a request was made (a form, a letter, a call) is not known here: the reference leads to it.",
    "Days are the operator’s calendar days, as they were recorded. Times are in UTC.",
];

const DELETION_LIMITS: &[&str] = &[
    "“Done” is Mixpanel’s own word for its task. dsr has not looked into Mixpanel’s storage.",
    "When the person was told is the operator’s word.",
];

const EXPORT_LIMITS: &[&str] = &[
    "A finished export counts as carried out when dsr has fetched it. When it was handed to the person is the operator’s word.",
    "What is in the archive is Mixpanel’s to say. Other systems of the company are not in it.",
];

const CCPA_EXPORT_LIMITS: &[&str] = &[
    "A finished export counts as carried out when dsr has fetched it. When it was handed to the person is the operator’s word.",
    "What is in the archive is Mixpanel’s to say: under the CCPA it delivers the last 12 months. Other systems of the company are not in it.",
];

/// What dsr cannot know about the requests of a period.
pub fn period_limits() -> &'static [&'static str] {
    PERIOD_LIMITS
}

/// What dsr cannot know about a request.
pub fn request_limits(operation: Operation) -> &'static [&'static str] {
    match operation {
        Operation::Delete(_) => DELETION_LIMITS,
        Operation::Export(RetrievalScope::Gdpr) => EXPORT_LIMITS,
        Operation::Export(RetrievalScope::Ccpa(_)) => CCPA_EXPORT_LIMITS,
    }
}

/// The legal right behind a request.
pub fn right(operation: Operation) -> &'static str {
    match operation {
        Operation::Delete(Law::Gdpr) => "GDPR Art. 17: right to erasure",
        Operation::Delete(Law::Ccpa) => "Cal. Civ. Code §1798.105: right to delete",
        Operation::Export(RetrievalScope::Gdpr) => {
            "GDPR Art. 15: right of access; Art. 20: data portability"
        }
        Operation::Export(RetrievalScope::Ccpa(Disclosure::Data)) => {
            "Cal. Civ. Code §1798.110(a)(5): right to know the specific pieces of personal information"
        }
        Operation::Export(RetrievalScope::Ccpa(Disclosure::Categories)) => {
            "Cal. Civ. Code §1798.110(a)(1): right to know the categories of personal information"
        }
        Operation::Export(RetrievalScope::Ccpa(Disclosure::Sources)) => {
            "Cal. Civ. Code §1798.110(a)(2): right to know the categories of sources"
        }
    }
}

/// What a job's state means, for readers who do not use dsr.
pub(super) fn state_meaning(state: JobState) -> &'static str {
    match state {
        JobState::Planned => "not sent yet",
        JobState::Sending => "being sent",
        JobState::Accepted => "Mixpanel has taken it and not begun",
        JobState::Running => "Mixpanel has begun",
        JobState::Done => "Mixpanel reports success",
        JobState::Refused => "Mixpanel said no; nothing was created",
        JobState::Deferred => "kept out by Mixpanel’s rate limit; not sent yet",
        JobState::Unknown => "sent, or may have been; what became of it is not known",
        JobState::Failed => "Mixpanel reports that it failed",
        JobState::Revoked => "cancelled",
    }
}

/// The meaning of the state of a job that the operator gave up on, if it is unknown.
pub(super) fn last_state_meaning(state: JobState) -> &'static str {
    match state {
        JobState::Unknown => {
            "sent, or may have been; nobody knows what became of it, and the operator gave up"
        }
        state => state_meaning(state),
    }
}

/// A job's state, for readers who do not use dsr.
pub(super) fn state(state: JobState) -> &'static str {
    match state {
        JobState::Planned => "not sent yet",
        JobState::Sending => "being sent",
        JobState::Accepted => "accepted",
        JobState::Running => "in progress",
        JobState::Done => "done",
        JobState::Refused => "refused",
        JobState::Deferred => "put off",
        JobState::Unknown => "outcome unknown",
        JobState::Failed => "failed",
        JobState::Revoked => "cancelled",
    }
}

/// What happened when a job reached a state.
pub(super) fn step(to: JobState) -> &'static str {
    match to {
        JobState::Planned => "Not sent; waits to be sent again",
        JobState::Sending => "Sending to Mixpanel began",
        JobState::Accepted => "Mixpanel accepted it",
        JobState::Running => "Mixpanel began to work on it",
        JobState::Done => "Mixpanel reported that it is done",
        JobState::Refused => "Mixpanel refused it",
        JobState::Deferred => "Put off by Mixpanel’s rate limit",
        JobState::Unknown => "The outcome was not known",
        JobState::Failed => "Mixpanel reported that it failed",
        JobState::Revoked => "It was cancelled",
    }
}

pub(super) const AFTER_DELETION: [&str; 4] = [
    "Copies stay. What was exported before, to a warehouse, a bucket or a file, is not reached.",
    "New events of the same person make new data under the same id, unless their collection has stopped.",
    "Mixpanel keeps session replays for 30 days. Its documentation does not say whether a deletion reaches them.",
    "A person may have other ids, such as those of devices before a login. The deletion reaches the listed ids, and those that the project has merged with them.",
];

pub(super) fn deed(event: &str) -> &str {
    match event {
        "request_recorded" => "Recorded the request",
        "job_cut" => "Divided a job that was too large",
        "job_abandoned" => "Gave up on a job of unknown outcome",
        "send_again_asked" => "Asked for it to be sent again",
        "cancellation_asked" => "Asked for it to be cancelled",
        "request_extended" => "Extended the time to answer",
        "answer_recorded" => "Recorded the answer to the person",
        "export_fetched" => "Fetched an export",
        "packages_made" => "Made packages of an export",
        "set_back_accepted" => "Went on with an older copy of the record",
        "set_back_reviewed" => "Looked up what the older copy lacks",
        "ids_hashed" => "Replaced the ids by keyed hashes",
        other => other,
    }
}
