//! What bar charts have in common.

/// At least two pixels of `height` for every part that is not empty.
pub fn bar_height(count: u64, most: u64, height: u32) -> u32 {
    let share = count as f64 / most.max(1) as f64 * f64::from(height);
    match count {
        0 => 0,
        _ => share.round().max(2.0) as u32,
    }
}

pub fn percent(share: f64) -> String {
    format!("{share:.3}%")
}
