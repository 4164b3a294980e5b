//! The program as its operator meets it, checked from outside against its contract.
//!
//! Each test runs the built binary in a sealed environment against an independent fake of
//! Mixpanel's API, and asserts also what must not happen. Nothing here knows dsr's own types.

mod support;

mod aborts;
mod again;
mod answers;
mod apart;
mod auth;
mod authorities;
mod cancel;
mod clocks;
mod confirmation;
mod conflicts;
mod countdowns;
mod crash;
mod cron;
mod deadlines;
mod doctor;
mod download;
mod exclude;
mod extend;
mod find;
mod formats;
mod guarded;
mod guide;
mod hashing;
mod hostile;
mod intake;
mod intake_formats;
mod intake_sources;
mod interrupted;
mod keyrings;
mod killed;
mod large;
mod leaks;
mod ledger;
mod links;
mod lint;
mod locked;
mod measure;
mod minimisation;
mod network;
mod output;
mod pace;
mod polling;
mod projects;
mod properties;
mod purge;
mod receipts;
mod recovery;
mod sandbox;
mod schedules;
mod screen;
mod secret;
mod secrets;
mod settling;
mod split;
mod status;
mod storage;
mod submission;
mod tokens;
mod transfers;
mod waiting;
mod watch;
