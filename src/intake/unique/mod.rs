//! Keeps each id once, in first order, without the excluded ids.
//!
//! Memory holds 20 bytes per unique id, not the ids. Ids with equal 128-bit hashes under a random
//! key count as equal, see [`IdHasher`].

pub(super) mod partition;
pub(super) mod restoring;
pub(super) mod spool;

use std::collections::HashSet;
use std::io;
use std::iter;
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex};
use std::thread;

use crate::domain::{IdHasher, IdLines};

use super::place::{At, Place};
use super::problem::IntakeError;
use super::warning::{WarningKind, Warnings};
use partition::{Bucket, HashEntry, HashTable, Marks, PARTS, beginning_of, part_of};
use spool::{Spool, SpoolLines};

/// With fewer entries, an early search for duplicates gains nothing.
const FIRST_LOOK: usize = 1_000_000;
/// A thread is worth its start only for this many entries.
const ENTRIES_A_THREAD: usize = 100_000;

/// How many ids there are of each kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Values read, including repeated ones.
    pub read: usize,
    /// Requested ids without the excluded ones, each counted once.
    pub unique: usize,
    /// Requested ids that are excluded, each counted once.
    pub excluded: usize,
}

impl Counts {
    /// How many values repeat an earlier one.
    pub fn duplicates(self) -> usize {
        self.read - self.unique - self.excluded
    }
}

/// Takes the excluded values first, then the requested ones.
#[derive(Debug)]
pub(crate) struct Gathering {
    hasher: IdHasher,
    parts: Vec<Bucket>,
    marks: Marks,
    table: HashTable,
    /// The number of entries in all parts, and the number that triggers the next search.
    entries: usize,
    next_look: usize,
    /// The least number that triggers a search.
    first_look: usize,
    sequence: u32,
    /// The number of the first requested value; `u32::MAX` while there is none.
    boundary: u32,
    addresses: Vec<Address>,
    /// The number of each source's first value, and the source's label.
    labels: Vec<(u32, Arc<str>)>,
}

/// An e-mail address with capital letters, for comparison with the others.
#[derive(Debug, Clone, Copy)]
struct Address {
    /// The first 64 bits of the hash of its lower-case form. A collision would only cause a false
    /// warning.
    lower: u64,
    sequence: u32,
    /// 0 for none, or for a line above `u32::MAX`.
    line: u32,
}

impl Gathering {
    pub(crate) fn new(hasher: IdHasher) -> Self {
        Self {
            hasher,
            parts: iter::repeat_with(Bucket::default).take(PARTS).collect(),
            marks: Marks::default(),
            table: HashTable::default(),
            entries: 0,
            next_look: FIRST_LOOK,
            first_look: FIRST_LOOK,
            sequence: 0,
            boundary: u32::MAX,
            addresses: Vec::new(),
            labels: Vec::new(),
        }
    }

    pub(crate) fn start_source(&mut self, label: &Arc<str>) {
        if self.labels.last().is_none_or(|(_, last)| last != label) {
            self.labels.push((self.sequence, Arc::clone(label)));
        }
    }

    /// Ends the excluded values; all values from now on are requested.
    pub(crate) fn end_excluded(&mut self) {
        self.boundary = self.sequence;
    }

    pub(crate) fn taken(&self) -> usize {
        self.sequence as usize
    }

    /// Adds an id. Computes the hash if none is given. Fails when there are more than `u32::MAX`
    /// values.
    pub(crate) fn take(
        &mut self,
        place: Place<'_>,
        id: &str,
        hash: Option<u128>,
    ) -> Result<(), IntakeError> {
        let hash = hash.unwrap_or_else(|| self.hasher.hash(id.as_bytes()));
        let sequence = self.sequence;
        self.parts[part_of(hash)].push(HashEntry { hash, sequence });
        self.entries += 1;
        let Some(next) = sequence.checked_add(1) else {
            return Err(IntakeError::TooMany);
        };
        self.sequence = next;
        // `near` compares the excluded ids.
        if self.boundary <= sequence
            && let Some(lower) = lower_case_address(id)
        {
            self.addresses.push(Address {
                lower: beginning_of(self.hasher.hash(lower.as_bytes())),
                sequence,
                line: place
                    .line
                    .and_then(|line| line.try_into().ok())
                    .unwrap_or(0),
            });
        }
        Ok(())
    }

    /// Drops repeated entries, so that memory grows only with the unique ids. Call it now and then.
    pub(crate) fn relieve(&mut self) {
        if self.entries < self.next_look {
            return;
        }
        self.marks.grow(self.sequence);
        // Hashes are evenly spread, so a few parts are a fair sample.
        let (few, others) = self.parts.split_at_mut(PARTS / 32);
        for part in &mut *few {
            part.settle(&mut self.table, &self.marks, self.boundary);
        }
        let unique = 32 * few.iter().map(Bucket::len).sum::<usize>();
        if self.entries > unique + unique / 4 {
            for part in others {
                part.settle(&mut self.table, &self.marks, self.boundary);
            }
        }
        self.entries = self.parts.iter().map(Bucket::len).sum();
        self.next_look = self.first_look.max(self.entries + self.entries / 4);
    }

    /// Counts the repeated ids, and warns about addresses that differ only in case.
    pub(crate) fn finish(mut self, warnings: &mut Warnings) -> (Counts, Selection) {
        self.marks.grow(self.sequence);
        self.addresses
            .sort_unstable_by_key(|address| (address.lower, address.sequence));
        let (marks, boundary, addresses) = (&self.marks, self.boundary, &self.addresses);
        let lower_ones = Mutex::new(Vec::new());
        for_each_part(&mut self.parts, self.entries, |number, part, table| {
            part.settle(table, marks, boundary);
            let of_part = |address: &Address| part_of(u128::from(address.lower) << 64);
            let start = addresses.partition_point(|address| of_part(address) < number);
            let its = addresses[start..]
                .iter()
                .take_while(|address| of_part(address) == number);
            let found = its.filter_map(|address| part.find(table, address.lower));
            let found: Vec<HashEntry> = found.collect();
            // A poisoned lock means that another thread has panicked; the scope will panic too.
            if let Ok(mut lower_ones) = lower_ones.lock() {
                lower_ones.extend(found);
            }
        });
        let lower_ones = lower_ones.into_inner().unwrap_or_default();
        self.warn_of_case(&lower_ones, warnings);
        let left_out = self.marks.count(self.boundary, self.sequence);
        let read = (self.sequence - self.boundary) as usize;
        let counts = Counts {
            read,
            unique: read - left_out,
            excluded: self.marks.count(0, self.boundary),
        };
        let order = Selection {
            left_out: self.marks,
            first: self.boundary,
            end: self.sequence,
        };
        (counts, order)
    }

    /// `lower_ones` are the ids that equal the lower-case form of an address with capitals.
    fn warn_of_case(&mut self, lower_ones: &[HashEntry], warnings: &mut Warnings) {
        let lower_ones = lower_ones.iter().map(|entry| beginning_of(entry.hash));
        let lower_ones: HashSet<u64> = lower_ones.collect();
        // A marked address repeats another one byte for byte, or is excluded.
        let addresses = &mut self.addresses;
        addresses.retain(|address| !self.marks.is_set(address.sequence));
        let mut variants = Vec::new();
        for same in addresses.chunk_by(|a, b| a.lower == b.lower) {
            if same.len() > 1 || lower_ones.contains(&same[0].lower) {
                variants.extend_from_slice(same);
            }
        }
        variants.sort_unstable_by_key(|address| address.sequence);
        for Address { sequence, line, .. } in variants {
            let source = self.labels.partition_point(|(first, _)| *first <= sequence);
            let label = source
                .checked_sub(1)
                .map_or("", |place| &*self.labels[place].1);
            let mut place = Place::nowhere_in(label);
            place.line = (line > 0).then_some(u64::from(line));
            warnings.note(WarningKind::CaseVariant, place);
        }
    }
}

/// The lower-case form of an e-mail address that has capital letters.
fn lower_case_address(id: &str) -> Option<String> {
    // Without an early exit the compiler can vectorize the loop; most ids end here.
    let may_change = |found, byte: u8| found | byte.is_ascii_uppercase() | !byte.is_ascii();
    if !id.bytes().fold(false, may_change) || !id.contains('@') {
        return None;
    }
    let lower = id.to_lowercase();
    (lower != id).then_some(lower)
}

fn for_each_part(
    parts: &mut [Bucket],
    entries: usize,
    work: impl Fn(usize, &mut Bucket, &mut HashTable) + Sync,
) {
    let cores = thread::available_parallelism().map_or(1, NonZeroUsize::get);
    let threads = cores.min(entries / ENTRIES_A_THREAD + 1);
    thread::scope(|scope| {
        let share = parts.len().div_ceil(threads);
        let mut shares = parts.chunks_mut(share).zip((0..).step_by(share));
        let own = shares.next();
        let work = &work;
        let each = move |(share, first): (&mut [Bucket], usize)| {
            let mut table = HashTable::default();
            for (part, number) in share.iter_mut().zip(first..) {
                work(number, part, &mut table);
            }
        };
        for share in shares {
            scope.spawn(move || each(share));
        }
        own.map(each);
    });
}

#[derive(Debug)]
pub(crate) struct Selection {
    left_out: Marks,
    first: u32,
    end: u32,
}

/// Unique ids in first order; they can be read several times.
#[derive(Debug)]
pub struct UniqueIds {
    spool: Spool,
    order: Selection,
    count: usize,
    /// Of each requested value, in order; empty unless they were to be kept.
    places: Vec<At<Arc<str>>>,
}

impl UniqueIds {
    pub(crate) fn new(spool: Spool, order: Selection, count: usize) -> Self {
        Self {
            spool,
            order,
            count,
            places: Vec::new(),
        }
    }

    pub(crate) fn with_places(self, places: Vec<At<Arc<str>>>) -> Self {
        Self { places, ..self }
    }

    /// The place of each id, in order; nothing unless places were to be kept.
    pub fn places(&self) -> impl Iterator<Item = &At<Arc<str>>> {
        let places = (self.order.first..).zip(&self.places);
        let places = places.filter(|(value, _)| !self.order.left_out.is_set(*value));
        places.map(|(_, place)| place)
    }

    pub fn count(&self) -> usize {
        self.count
    }

    /// Cuts the ids into batches of at most `limit`, in order.
    ///
    /// A batch is an error if the kept ids cannot be read; no batch follows an error.
    pub fn batches(&self, limit: NonZeroUsize) -> Batches<'_> {
        Batches {
            lines: self.spool.lines(),
            order: &self.order,
            next: self.order.first,
            left: self.count,
            limit: limit.get(),
        }
    }
}

/// Iterates over unique ids, one batch at a time.
pub struct Batches<'u> {
    lines: SpoolLines<'u>,
    order: &'u Selection,
    next: u32,
    left: usize,
    limit: usize,
}

impl Batches<'_> {
    fn read(&mut self, count: usize) -> io::Result<IdLines> {
        let mut lines = Vec::new();
        for _ in 0..count {
            while self.next < self.order.end && self.order.left_out.is_set(self.next) {
                self.lines.skip()?;
                self.next += 1;
            }
            self.lines.append_to(&mut lines)?;
            self.next += 1;
        }
        let lines = String::from_utf8(lines).map_err(|_| io::ErrorKind::InvalidData)?;
        IdLines::new(lines).map_err(|_| io::ErrorKind::UnexpectedEof.into())
    }
}

impl Iterator for Batches<'_> {
    type Item = Result<IdLines, IntakeError>;

    fn next(&mut self) -> Option<Self::Item> {
        let count = self.left.min(self.limit);
        if count == 0 {
            return None;
        }
        let batch = self.read(count);
        self.left = if batch.is_ok() { self.left - count } else { 0 };
        Some(batch.map_err(IntakeError::Spool))
    }
}

#[cfg(test)]
mod tests;
