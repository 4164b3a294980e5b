use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// Where one event stands in `events.jsonl`; ordered by its time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Spot {
    /// In Unix seconds; the earliest of all where it could not be read.
    pub(super) time: i64,
    pub(super) start: u64,
    /// Without the line end.
    pub(super) length: u32,
}

/// The newest events of one person, at most as many as a page lists.
#[derive(Debug, Default)]
pub(super) struct Newest {
    heap: BinaryHeap<Reverse<Spot>>,
}

impl Newest {
    pub(super) fn add(&mut self, spot: Spot, most: usize) {
        if self.heap.len() < most {
            self.heap.push(Reverse(spot));
        } else if let Some(mut oldest) = self.heap.peek_mut()
            && oldest.0 < spot
        {
            *oldest = Reverse(spot);
        }
    }

    /// The newest first.
    pub(super) fn into_sorted(self) -> Vec<Spot> {
        let spots = self.heap.into_sorted_vec();
        spots.into_iter().map(|spot| spot.0).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spot(time: i64, start: u64) -> Spot {
        Spot {
            time,
            start,
            length: 1,
        }
    }

    #[test]
    fn the_newest_are_kept_and_come_first() {
        let mut newest = Newest::default();
        for (start, time) in [3, 9, 1, 7, 5].into_iter().enumerate() {
            newest.add(spot(time, start as u64), 3);
        }
        let times: Vec<i64> = newest.into_sorted().iter().map(|spot| spot.time).collect();
        assert_eq!(times, [9, 7, 5]);
    }

    #[test]
    fn none_are_kept_where_none_are_listed() {
        let mut newest = Newest::default();
        newest.add(spot(1, 0), 0);
        assert!(newest.into_sorted().is_empty());
    }
}
