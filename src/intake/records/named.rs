//! Chooses one of several fields with nearly the same name.

use super::Naming;

/// The one with the exact name, or else the only one with a displayed name. Fails if two compete.
pub(crate) fn exactly_one<T>(all: impl Iterator<Item = (Naming, T)>) -> Result<Option<T>, Naming> {
    let mut best: Option<(Naming, T)> = None;
    let mut competes = None;
    for (naming, one) in all {
        match best.as_ref().map(|(known, _)| known.cmp(&naming)) {
            Some(std::cmp::Ordering::Greater) => {}
            Some(std::cmp::Ordering::Equal) => competes = Some(naming),
            Some(std::cmp::Ordering::Less) | None => {
                best = Some((naming, one));
                competes = None;
            }
        }
    }
    match competes {
        Some(naming) => Err(naming),
        None => Ok(best.map(|(_, one)| one)),
    }
}
