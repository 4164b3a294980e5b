//! `dsr` submits, follows and proves GDPR and CCPA data-subject requests on Mixpanel.
pub mod config;
pub mod credentials;
pub mod domain;
pub mod intake;
pub mod ledger;
pub mod mixpanel;
pub mod sandbox;
pub mod ui;
pub mod workflow;
