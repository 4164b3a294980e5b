//! Each id once, in first order, and without those that are excluded.
//!
//! Memory holds 20 bytes for each unique id and not the ids themselves: ids of one 128-bit hash
//! under a random key are taken for equal, see [`IdHasher`].

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

use super::place::Place;
use super::problem::IntakeError;
use super::warning::{WarningKind, Warnings};
use partition::{Bucket, HashEntry, HashTable, Marks, PARTS, beginning_of, part_of};
use spool::{Spool, SpoolLines};

/// Below so many entries nothing is gained by looking for repeated ones before the end.
const FIRST_LOOK: usize = 1_000_000;
/// Work for less than this is not worth a thread.
const ENTRIES_A_THREAD: usize = 100_000;

/// How many ids there are of each kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Values read, repeated ones included.
    pub read: usize,
    /// Ids that are asked for, each counted once.
    pub unique: usize,
    /// Ids that were read and are excluded, each counted once.
    pub excluded: usize,
}

impl Counts {
    /// Values that came before.
    pub fn duplicates(self) -> usize {
        self.read - self.unique - self.excluded
    }
}

/// Takes values in their order: first those that are excluded, then those that are asked for.
#[derive(Debug)]
pub(crate) struct Gathering {
    hasher: IdHasher,
    parts: Vec<Bucket>,
    marks: Marks,
    table: HashTable,
    /// How many entries there are in all parts, and at how many the next look is taken.
    entries: usize,
    next_look: usize,
    /// No look is taken below.
    first_look: usize,
    /// The number of the next value.
    sequence: u32,
    /// The first value that is asked for; the highest number while there is none.
    boundary: u32,
    /// E-mail addresses with capital letters.
    addresses: Vec<Address>,
    /// The first value of each source.
    labels: Vec<(u32, Arc<str>)>,
}

/// An e-mail address with capital letters, to be compared with the others.
#[derive(Debug, Clone, Copy)]
struct Address {
    /// The first bits of the hash of its lower-case form. Equal ones are warned of and no more, so
    /// that 64 are enough.
    lower: u64,
    sequence: u32,
    /// 0 for none, or for one beyond what fits.
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

    /// Says which source the next values are from.
    pub(crate) fn start_source(&mut self, label: &Arc<str>) {
        if self.labels.last().is_none_or(|(_, last)| last != label) {
            self.labels.push((self.sequence, Arc::clone(label)));
        }
    }

    /// From now on values are asked for; those before are excluded.
    pub(crate) fn end_excluded(&mut self) {
        self.boundary = self.sequence;
    }

    /// How many values were taken so far.
    pub(crate) fn taken(&self) -> usize {
        self.sequence as usize
    }

    /// Takes an id, and its hash where that is known.
    ///
    /// # Errors
    /// When there are more than can be numbered.
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
        // Those that are excluded are compared with the others by `near`.
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

    /// Keeps memory in proportion to the unique ids, however often each is repeated. To be called
    /// now and then.
    pub(crate) fn relieve(&mut self) {
        if self.entries < self.next_look {
            return;
        }
        self.marks.grow(self.sequence);
        // Hashes are spread evenly: a few parts tell of all.
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

    /// Finds what comes more than once; warns of addresses that differ in case only.
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
            // A poisoned lock means that another thread has panicked, and so will the scope.
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

    /// `lower_ones` are the ids that are the lower-case form of an address with capital letters.
    fn warn_of_case(&mut self, lower_ones: &[HashEntry], warnings: &mut Warnings) {
        let lower_ones = lower_ones.iter().map(|entry| beginning_of(entry.hash));
        let lower_ones: HashSet<u64> = lower_ones.collect();
        // What is marked was left out, or left something out: it stands elsewhere byte for byte.
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

/// The lower-case form of an e-mail address that is not in lower case.
fn lower_case_address(id: &str) -> Option<String> {
    // Without a way out of the loop it runs over many bytes at once; most ids end here.
    let may_change = |found, byte: u8| found | byte.is_ascii_uppercase() | !byte.is_ascii();
    if !id.bytes().fold(false, may_change) || !id.contains('@') {
        return None;
    }
    let lower = id.to_lowercase();
    (lower != id).then_some(lower)
}

/// Shares the parts out among the machine's cores.
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

/// Which of the values in a spool are wanted.
#[derive(Debug)]
pub(crate) struct Selection {
    left_out: Marks,
    first: u32,
    end: u32,
}

/// Unique ids in their first order, as often as they are asked for.
#[derive(Debug)]
pub struct UniqueIds {
    spool: Spool,
    order: Selection,
    count: usize,
}

impl UniqueIds {
    pub(crate) fn new(spool: Spool, order: Selection, count: usize) -> Self {
        Self {
            spool,
            order,
            count,
        }
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.count
    }

    /// Cuts them into batches of at most `limit`, in their order; each id goes into exactly one.
    ///
    /// A batch is an error if what was kept of the ids cannot be read; nothing comes after it.
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

/// Goes through unique ids, one batch at a time.
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
