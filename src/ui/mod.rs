//! Everything a person or a script sees: streams, JSON, tables, progress, questions.
//!
//! stdout has only the result; everything else goes to stderr. A terminal changes colors, progress
//! and questions, never content.

mod auth;
mod console;
mod doctor;
mod download;
mod drawing;
mod failures;
mod help;
mod import;
mod ledger;
mod people;
mod plan;
mod profiles;
mod project;
mod report;
mod request;
mod sandbox;
mod status;
mod talk;

pub use auth::accounts::AccountsView;
pub use auth::kept::{Change, KeptSecret, LoggedOut};
pub use auth::ledger_key::LedgerKeyView;
pub use auth::tokens::{TokenState, TokensView};
pub use console::{Color, Drawing, Input, OutputFormat, Talk, Ui};
pub use doctor::{Check, DoctorView, Level, ProjectCopies, Setting};
pub use download::{DownloadView, DownloadsView};
pub use drawing::paper::{Layout, Paper};
pub use drawing::words::{
    age, capital, day_count, duration, number, path_word, plural, printable, shell_word,
};
pub use failures::bug::guard;
pub use failures::failure::Failure;
pub use failures::print::PrintError;
pub use help::command::CommandView;
pub use help::completions::ScriptView;
pub use help::examples::{Example, HelpPart, examples_of, folded, for_the_screen};
pub use help::guide::{GuideView, TopicsView};
pub use help::man::{ManFilesView, ManInstalledView, Sheet};
pub use help::page::{Block, HelpPage, plain_words};
pub use import::ImportView;
pub use ledger::audit::{AuditHeadView, AuditLogView, AuditView};
pub use ledger::purge::{PurgeView, staying};
pub use ledger::{
    AcceptedView, BackupView, LedgerStatusView, MadeView, MoveCourse, MoveView, RolesView,
    interrupted_text,
};
pub use people::find::{FindView, Involvement, Sought};
pub use people::lookup::{LookupOrigin, LookupView};
pub use people::recollected::{RecollectedView, damage_text};
pub use people::sanitize::{SanitizeView, lines_text};
pub use people::suppressions::{ListCounts, ListFormat, ListWrittenView, SuppressionList};
pub use people::verify::{Verified, VerifyView};
pub use people::warnings::ListedPlaces;
pub use plan::file::{Checked, PlanFileView, WrittenView};
pub use plan::known::profiles_text;
pub use plan::view::{PlanView, hashing_text};
pub(crate) use profiles::deletion::Ends as DeletionEnds;
pub use profiles::deletion::{ProfileDeletionView, profiles_question};
pub use profiles::expiry::{ExpiryEnd, ExpiryOrigin, ExpiryView};
pub use project::{ProjectView, ProjectsView, SecretPlace};
pub use report::ReportView;
pub use request::delete::DatesShown;
pub use request::print::Delivery;
pub use request::shown::{Beside, Polling, Shown};
pub use sandbox::ServingView;
pub use status::watch::{Picture, Screen};
pub use talk::progress::{
    Phase, Progress, ResultLines, clocks_apart, reading, reporting, sanitizing, splitting,
    verifying,
};
pub use talk::question::{Confirmable, QuestionError};
