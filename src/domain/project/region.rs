//! The three regions where Mixpanel keeps data.

use serde::{Deserialize, Serialize};

use crate::domain::words;

/// Where a project's data lives; decides the host of every call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Region {
    /// United States (mixpanel.com)
    Us,
    /// European Union (eu.mixpanel.com)
    Eu,
    /// India (in.mixpanel.com)
    In,
}

words!(Region {
    Us => "us",
    Eu => "eu",
    In => "in",
});
