//! Evidence of one request or of a period, as a page, a table or JSON.
//!
//! Pure: facts in, text out, part by part, so that a hundred thousand rows need no memory. Knows
//! neither ledger nor HTTP, and never guesses: `words` says what dsr cannot know.

mod answer;
mod evidence;
mod facts;
mod figures;
mod page;
mod shown;
mod table;
mod words;

pub use answer::{Answer, IdCounts, Nature, Timing, Told};
pub use evidence::{
    About, Digest, PersonalData, ReportDocument, evidence_digest, period_digest, period_document,
    request_document,
};
pub use facts::{
    Asked, AuditFact, DownloadFact, ExtensionFact, FetchFact, GroupFact, ImportFact, JobFacts,
    Made, PackagesFact, PeriodFacts, ProfileDeletionFact, RequestFacts, RowFacts, SetBackFact,
};
pub use figures::Figures;
pub use page::{period_page, request_page};
pub use shown::{JobsShown, RowsShown};
pub use table::{period_table, request_table};
pub use words::{period_limits, request_limits, right};
