//! The three places where Mixpanel keeps data.

use serde::{Deserialize, Serialize};

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

impl Region {
    pub const ALL: [Self; 3] = [Self::Us, Self::Eu, Self::In];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Us => "us",
            Self::Eu => "eu",
            Self::In => "in",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|region| region.as_str() == text)
    }
}
