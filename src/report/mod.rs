//! Evidence: facts of one request, or of all that were received in a period, as a page, a table or
//! JSON.
//!
//! Pure: facts in, text out, written part by part so that a hundred thousand rows take no memory. It
//! knows neither ledger nor HTTP, and never guesses: what dsr cannot know is said in `words`.

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
    Asked, AuditFact, DownloadFact, ExtensionFact, FetchFact, GroupFact, JobFacts, Made,
    PackagesFact, PeriodFacts, RequestFacts, RowFacts, SetBackFact,
};
pub use figures::Figures;
pub use page::{period_page, request_page};
pub use shown::{JobsShown, RowsShown};
pub use table::{period_table, request_table};
pub use words::{period_limits, request_limits, right};
