//! Turns a file, a pipe or a device into lines of UTF-8, in bounded memory.

pub(super) mod lines;
pub(super) mod meter;
pub(super) mod open;
pub(super) mod text;
pub(super) mod unpack;
