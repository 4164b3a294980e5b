//! Runs the properties that `cargo test` checks for the corpus on what a fuzzer makes up.

#[path = "../../tests/fuzz/properties/mod.rs"]
mod properties;

/// Checks the property of the fuzz target of this name.
///
/// # Panics
/// Where it does not hold, and where there is no such target.
pub fn check(target: &str, bytes: &[u8]) {
    let mut targets = properties::TARGETS.iter();
    let found = targets.find(|(name, _)| *name == target);
    let (_, property) = found.expect("a target of this name");
    property(bytes);
}
