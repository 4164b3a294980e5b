//! Fetches finished exports, checks them on disk and splits them.

pub(super) mod archive;
pub(super) mod download;
pub(super) mod fetched;
pub(super) mod split;
