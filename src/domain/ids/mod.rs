//! What identifies a person: ids, their hashes and likenesses, batches of them, and how long they
//! are kept.

pub(super) mod batch;
pub(super) mod distinct_id;
pub(super) mod exclusion;
pub(super) mod form_map;
pub mod id_form;
pub(super) mod id_hash;
pub mod id_names;
pub(super) mod near_index;
pub(super) mod person_hash;
pub(super) mod retention;
