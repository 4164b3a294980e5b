//! `dsr` submits, follows and proves GDPR and CCPA data-subject requests on Mixpanel.
//!
//! Imports run one way, down this list; `tests/house.rs` checks it. See ARCHITECTURE.md.

pub mod cli;
mod commands;
pub mod ui;
pub mod workflow;

pub mod mixpanel;

pub mod ledger;

pub mod intake;

pub mod packages;

pub mod plan_file;

pub mod report;

pub mod credentials;

pub mod config;

pub mod domain;

pub mod guide;

pub mod document;

pub mod sandbox;
