//! How views are drawn: paper, tables, tones, words.

pub(super) mod json;
pub(super) mod paper;
pub(super) mod table;
pub(super) mod terminal;
pub(super) mod tone;
pub(super) mod view;
pub(super) mod words;
