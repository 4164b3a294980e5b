//! The texts of a report: rights, states, rules, and what dsr cannot know.
//!
//! Sources: GDPR Art. 12, 15, 17, 20; California Civil Code §§1798.105 and 1798.110; 11 CCR
//! §7101(a), (b) and (d), §7102(a)(1), as effective since 29 March 2023.

use crate::domain::{Disclosure, JobState, Law, Operation, RetrievalScope};

pub(super) const NOT_ADVICE: &str =
    "Dates and figures follow the rules they name and are not legal advice.";

pub(super) const LOG_RULE: &str = "11 CCR §7101(b): a log includes “the date of request, nature of request, manner in which the request was made, the date of the business’s response, the nature of the response, and the basis for the denial of the request if the request is denied in whole or in part”.";

pub(super) const FIGURES_RULE: &str = "11 CCR §7102(a)(1) asks a business that “buys, receives for the business’s commercial purposes, sells, shares, or otherwise makes available for commercial purposes the personal information of 10,000,000 or more consumers in a calendar year” for the number of requests to delete and to know that it “received, complied with in whole or in part, and denied”, and for “the median or mean number of days within which the business substantively responded”. The figures for the GDPR are counted in the same way; no rule requires them.";

/// Who may see a record of requests.
pub(super) const SHARING_RULE: &str = "11 CCR §7101(d): “Information maintained for record-keeping purposes shall not be shared with any third party except as necessary to comply with a legal obligation.”";

/// The limits of every report of a period.
const PERIOD_LIMITS: &[&str] = &[
    "A request here is one command of an operator, and may serve many people. The report counts ids as well; one person may have several ids.",
    "“Answered” is the day of the answer that the operator recorded. Without a recorded day, dsr does not know whether the person was answered.",
    "A deletion is “carried out” when Mixpanel reports it done. An export is “carried out” when dsr has fetched it.",
    "This report leaves out requests that the company itself turned down. They do not count as “not carried out”.",
    "dsr does not know how a request was made, such as by form, letter or call. The reference leads to that record.",
    "Days are calendar days in the operator’s time zone. Times are in UTC.",
];

const DELETION_LIMITS: &[&str] = &[
    "“Done” is what Mixpanel reports about its task. dsr cannot look into Mixpanel’s storage.",
    "The day of the answer comes from the operator. dsr cannot check it.",
];

const EXPORT_LIMITS: &[&str] = &[
    "A finished export counts as carried out when dsr has fetched it. The day of the answer comes from the operator. dsr cannot check it.",
    "Mixpanel decides what is in the archive. It has no data from the company’s other systems.",
];

const CCPA_EXPORT_LIMITS: &[&str] = &[
    "A finished export counts as carried out when dsr has fetched it. The day of the answer comes from the operator. dsr cannot check it.",
    "Mixpanel decides what is in the archive. Under the CCPA it delivers the last 12 months. The archive has no data from the company’s other systems.",
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
        JobState::Accepted => "accepted by Mixpanel, not started yet",
        JobState::Running => "started by Mixpanel",
        JobState::Done => "Mixpanel reports success",
        JobState::Refused => "refused by Mixpanel; nothing was created",
        JobState::Deferred => "not sent yet, because of Mixpanel’s rate limit",
        JobState::Unknown => "may have been sent; the outcome is unknown",
        JobState::Failed => "Mixpanel reports that it failed",
        JobState::Revoked => "cancelled",
    }
}

/// The meaning of the state of a job that the operator gave up on, if it is unknown.
pub(super) fn last_state_meaning(state: JobState) -> &'static str {
    match state {
        JobState::Unknown => {
            "may have been sent; the outcome is unknown, and the operator abandoned it"
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
        JobState::Running => "running",
        JobState::Done => "done",
        JobState::Refused => "refused",
        JobState::Deferred => "deferred",
        JobState::Unknown => "outcome unknown",
        JobState::Failed => "failed",
        JobState::Revoked => "cancelled",
    }
}

/// What happened when a job reached a state.
pub(super) fn step(to: JobState) -> &'static str {
    match to {
        JobState::Planned => "Not sent; ready to be sent again",
        JobState::Sending => "Sending to Mixpanel began",
        JobState::Accepted => "Mixpanel accepted it",
        JobState::Running => "Mixpanel started it",
        JobState::Done => "Mixpanel reported that it is done",
        JobState::Refused => "Mixpanel refused it",
        JobState::Deferred => "Deferred by Mixpanel’s rate limit",
        JobState::Unknown => "Outcome unknown",
        JobState::Failed => "Mixpanel reported that it failed",
        JobState::Revoked => "It was cancelled",
    }
}

pub(super) const AFTER_DELETION: [&str; 4] = [
    "Copies stay. The deletion does not reach earlier exports to a warehouse, a bucket or a file.",
    "If collection goes on, new events of the person are stored under the same id.",
    "Mixpanel keeps session replays for 30 days, on some plans for 7 to 360. Its documentation says only for websites that deletion requests reach them.",
    "A person may have other ids, such as anonymous device ids from before a login. The deletion reaches the listed ids and the ids that the project has merged with them.",
];

/// A cancellation that came too late.
pub(super) const CANCELLED_TOO_LATE: &str = "Tried to cancel it; Mixpanel finished it";

pub(super) fn deed(event: &str) -> &str {
    match event {
        "request_recorded" => "Recorded the request",
        "job_cut" => "Divided a job that was too large",
        "job_abandoned" => "Abandoned a job whose outcome is unknown",
        "send_again_asked" => "Asked to send it again",
        "cancellation_asked" => "Requested its cancellation",
        "request_extended" => "Extended the time to answer",
        "answer_recorded" => "Recorded the answer to the person",
        "export_fetched" => "Fetched an export",
        "packages_made" => "Made packages of an export",
        "set_back_accepted" => "Accepted an older copy of the ledger",
        "set_back_reviewed" => "Reviewed what the older copy lacks",
        "profiles_asked" => "About to ask Mixpanel which people have a profile",
        "values_asked" => "About to ask Mixpanel for the profiles of values",
        "events_asked" => "About to ask Mixpanel for the events of some days",
        "erasure_checked" => "Checked whether the people are gone",
        "copies_recorded" => "Recorded which copies were dealt with",
        "all_profiles_asked" => "About to ask Mixpanel for all profiles",
        "profiles_selected" => "Selected profiles by a retention window",
        "ingestion_recorded" => "Recorded what goes to Mixpanel",
        "batch_moved" => "A batch of it changed",
        "batch_cut" => "Split a batch that was too large",
        "ids_resealed" => "Keyed the digest of the ids, for a server",
        "ledger_moved" => "Moved the ledger to a server",
        "ids_hashed" => "Replaced the ids by keyed hashes",
        other => other,
    }
}
