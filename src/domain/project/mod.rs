//! A Mixpanel project: its names, region, limits and time zone.

pub(super) mod api_url;
pub(super) mod limits;
pub(super) mod names;
pub(super) mod region;
pub(super) mod time_zone;
pub(super) mod token_name;
