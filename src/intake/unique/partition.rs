//! Sorts hashes into parts by their first bits, so that the table that finds equal hashes fits into
//! a core's cache.

use std::sync::atomic::{AtomicU64, Ordering};

pub(crate) const PARTS: usize = 512;
const PART_BITS: u32 = PARTS.ilog2();
/// Entries are stored in pieces of this size: a doubling vector would need half as much memory
/// again.
const PIECE: usize = 512;

/// The hash of a value, and its number in the order of the sources.
#[derive(Debug, Clone, Copy)]
// 20 bytes instead of 32. Fields are only copied, never borrowed.
#[repr(C, packed(4))]
pub(crate) struct HashEntry {
    pub(crate) hash: u128,
    pub(crate) sequence: u32,
}

pub(crate) fn part_of(hash: u128) -> usize {
    (hash >> (u128::BITS - PART_BITS)) as usize
}

/// One bit per value; several threads may set bits at once.
#[derive(Debug, Default)]
pub(crate) struct Marks(Vec<AtomicU64>);

impl Marks {
    pub(crate) fn grow(&mut self, count: u32) {
        let words = count.div_ceil(u64::BITS) as usize;
        if words > self.0.len() {
            self.0.resize_with(words, AtomicU64::default);
        }
    }

    pub(crate) fn set(&self, sequence: u32) {
        let bit = 1 << (sequence % u64::BITS);
        self.0[(sequence / u64::BITS) as usize].fetch_or(bit, Ordering::Relaxed);
    }

    pub(crate) fn is_set(&self, sequence: u32) -> bool {
        let bit = 1 << (sequence % u64::BITS);
        self.0[(sequence / u64::BITS) as usize].load(Ordering::Relaxed) & bit != 0
    }

    /// How many of the values in `start..end` are marked.
    pub(crate) fn count(&self, start: u32, end: u32) -> usize {
        self.count_below(end) - self.count_below(start)
    }

    fn count_below(&self, end: u32) -> usize {
        let (words, bits) = (end / u64::BITS, end % u64::BITS);
        let (whole, rest) = self.0.split_at(words as usize);
        let ones = |word: &AtomicU64| word.load(Ordering::Relaxed);
        let whole: usize = whole
            .iter()
            .map(|word| ones(word).count_ones() as usize)
            .sum();
        let last = rest.first().map_or(0, ones) & ((1 << bits) - 1);
        whole + last.count_ones() as usize
    }
}

#[derive(Debug, Default)]
pub(crate) struct Bucket {
    full: Vec<Vec<HashEntry>>,
    last: Vec<HashEntry>,
}

impl Bucket {
    pub(crate) fn push(&mut self, entry: HashEntry) {
        if self.last.len() == self.last.capacity() {
            let next = Vec::with_capacity(PIECE);
            let full = std::mem::replace(&mut self.last, next);
            if !full.is_empty() {
                self.full.push(full);
            }
        }
        self.last.push(entry);
    }

    pub(crate) fn len(&self) -> usize {
        self.full.len() * PIECE + self.last.len()
    }

    fn get(&self, place: usize) -> HashEntry {
        match self.full.get(place / PIECE) {
            Some(piece) => piece[place % PIECE],
            None => self.last[place % PIECE],
        }
    }

    fn put(&mut self, place: usize, entry: HashEntry) {
        match self.full.get_mut(place / PIECE) {
            Some(piece) => piece[place % PIECE] = entry,
            None => self.last[place % PIECE] = entry,
        }
    }

    fn truncate(&mut self, len: usize) {
        if len < self.full.len() * PIECE {
            self.full.truncate(len / PIECE + 1);
            self.last = self.full.pop().unwrap_or_default();
        }
        self.last.truncate(len - self.full.len() * PIECE);
    }

    /// Keeps the first entry of each hash and marks the later ones.
    ///
    /// Values below `boundary` are excluded. The first of them is kept too, and is marked when a
    /// value from `boundary` on equals it.
    pub(crate) fn settle(&mut self, table: &mut HashTable, marks: &Marks, boundary: u32) {
        table.clear(self.len());
        let mut kept = 0;
        for place in 0..self.len() {
            let entry = self.get(place);
            match table.find_or_insert(entry.hash, kept, |place| self.get(place).hash) {
                None => {
                    self.put(kept, entry);
                    kept += 1;
                }
                Some(first) if entry.sequence >= boundary => {
                    marks.set(entry.sequence);
                    let first = self.get(first).sequence;
                    if first < boundary {
                        marks.set(first);
                    }
                }
                Some(_) => {}
            }
        }
        self.truncate(kept);
    }

    /// The entry whose hash begins with `beginning`. `table` must come from this part's `settle`.
    pub(crate) fn find(&self, table: &HashTable, beginning: u64) -> Option<HashEntry> {
        let hash = u128::from(beginning) << 64;
        let found = table.find(hash, |place| {
            beginning_of(self.get(place).hash) == beginning
        });
        found.ok().map(|place| self.get(place))
    }
}

pub(crate) fn beginning_of(hash: u128) -> u64 {
    (hash >> 64) as u64
}

/// An open hash table of positions, keyed by the bits after those that choose the part.
#[derive(Debug, Default)]
pub(crate) struct HashTable {
    /// The position + 1; 0 is free.
    slots: Vec<u32>,
}

impl HashTable {
    fn clear(&mut self, entries: usize) {
        self.slots.clear();
        // At most half full, so that a free slot is near.
        self.slots.resize((entries * 2).next_power_of_two(), 0);
    }

    /// The position of an equal hash. If there is none, inserts `place` and returns `None`.
    fn find_or_insert(
        &mut self,
        hash: u128,
        place: usize,
        hash_at: impl Fn(usize) -> u128,
    ) -> Option<usize> {
        match self.find(hash, |place| hash_at(place) == hash) {
            Ok(found) => Some(found),
            Err(free) => {
                self.slots[free] = place as u32 + 1;
                None
            }
        }
    }

    /// The position, or the free slot for it.
    #[inline]
    fn find(&self, hash: u128, is_it: impl Fn(usize) -> bool) -> Result<usize, usize> {
        let mut slot = (beginning_of(hash << PART_BITS) >> 32) as usize & (self.slots.len() - 1);
        loop {
            match self.slots[slot] {
                0 => return Err(slot),
                taken if is_it(taken as usize - 1) => return Ok(taken as usize - 1),
                _ => slot = (slot + 1) & (self.slots.len() - 1),
            }
        }
    }
}
