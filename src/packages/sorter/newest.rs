/// The position of one event in `events.jsonl`; ordered by time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct EventSpot {
    /// In seconds by the project's clock; `i64::MIN` if unreadable.
    pub(crate) time: i64,
    pub(crate) start: u64,
    /// In bytes, without the line end.
    pub(crate) length: u32,
}

/// The newest events of one person, up to the number that a page lists.
///
/// Collects up to twice as many before it drops any: a heap would cost more than reading the
/// events.
#[derive(Debug)]
pub(crate) struct Newest {
    spots: Vec<EventSpot>,
    most: usize,
    /// Events before this one are not among the newest.
    floor: Option<EventSpot>,
}

impl Newest {
    pub(crate) fn new(most: usize) -> Self {
        Self {
            spots: Vec::new(),
            most,
            floor: None,
        }
    }

    pub(crate) fn add(&mut self, spot: EventSpot) {
        if self.most == 0 || self.floor.is_some_and(|floor| spot < floor) {
            return;
        }
        if self.spots.len() == self.most * 2 {
            let (_, oldest, _) = self
                .spots
                .select_nth_unstable_by(self.most - 1, |a, b| b.cmp(a));
            self.floor = Some(*oldest);
            self.spots.truncate(self.most);
        }
        self.spots.push(spot);
    }

    pub(crate) fn into_sorted(mut self) -> Vec<EventSpot> {
        self.spots.sort_unstable_by(|a, b| b.cmp(a));
        self.spots.truncate(self.most);
        self.spots
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spot(time: i64, start: u64) -> EventSpot {
        EventSpot {
            time,
            start,
            length: 1,
        }
    }

    #[test]
    fn the_newest_are_kept_and_come_first() {
        let upwards: Vec<i64> = (0..100).collect();
        let downwards: Vec<i64> = upwards.iter().rev().copied().collect();
        let mixed: Vec<i64> = upwards.iter().map(|number| number * 37 % 100).collect();
        for times in [upwards, downwards, mixed] {
            let mut newest = Newest::new(3);
            for (start, time) in times.iter().enumerate() {
                newest.add(spot(*time, start as u64));
                assert!(newest.spots.len() <= 6);
            }
            let kept: Vec<i64> = newest.into_sorted().iter().map(|spot| spot.time).collect();
            assert_eq!(kept, [99, 98, 97], "{times:?}");
        }
        let mut at_once = Newest::new(3);
        for start in (0..100).rev() {
            at_once.add(spot(5, start));
        }
        at_once.add(spot(5, 1000));
        let kept = at_once.into_sorted();
        let starts: Vec<u64> = kept.iter().map(|spot| spot.start).collect();
        assert_eq!(starts, [1000, 99, 98], "of one second the last ones");
        let mut few = Newest::new(3);
        few.add(spot(1, 0));
        few.add(spot(2, 1));
        assert_eq!(few.into_sorted().len(), 2);
    }

    #[test]
    fn none_are_kept_where_none_are_listed() {
        let mut newest = Newest::new(0);
        newest.add(spot(1, 0));
        assert!(newest.into_sorted().is_empty());
    }
}
