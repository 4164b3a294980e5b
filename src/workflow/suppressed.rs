//! The people of deletions, each once: as a list in the order of their hashes, and as an index in
//! which events look them up.

use chrono::{DateTime, Utc};

use crate::domain::{Arrival, ErasurePeriod, PersonHash};
use crate::ledger::{Erased, ErasedJob, LedgerError};

/// How many people are in memory at once while a list is written; of more, a part after the other
/// is read.
const AT_ONCE: usize = 1 << 20;

/// Whether ids that the ledger still keeps are wanted, too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HeldIds {
    Hashed,
    Shown,
}

/// Somebody who is not to be tracked again in a project.
#[derive(Debug, Clone)]
pub struct Suppressed {
    pub hash: PersonHash,
    /// The place of the deletion that says the most about them, among the jobs.
    pub job: u32,
    pub id: Option<Box<str>>,
}

/// Those whose hashes begin alike: the `place`-th of `of` parts of all.
#[derive(Debug, Clone, Copy)]
pub struct Part {
    place: usize,
    of: usize,
}

impl Part {
    /// As many parts as it takes to have each in memory, in the order of the hashes.
    pub fn all_of(erased: &Erased<'_>) -> impl Iterator<Item = Self> + use<> {
        Self::all(erased.count_ids().div_ceil(AT_ONCE).max(1))
    }

    fn all(of: usize) -> impl Iterator<Item = Self> {
        (0..of).map(move |place| Self { place, of })
    }

    fn holds(self, hash: &PersonHash) -> bool {
        let [a, b, c, d, ..] = *hash.as_bytes();
        // Hashes are spread evenly.
        let beginning = u64::from(u32::from_be_bytes([a, b, c, d]));
        (beginning * self.of as u64) >> 32 == self.place as u64
    }

    /// Reads everybody in it, each once a project, in the order of their hashes.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn read(self, erased: &Erased<'_>, ids: HeldIds) -> Result<Vec<Suppressed>, LedgerError> {
        let mut people = Vec::new();
        erased.visit(&mut |person| {
            if self.holds(&person.hash) {
                let id = person.id.filter(|_| ids == HeldIds::Shown);
                people.push(Suppressed {
                    hash: person.hash,
                    job: person.job,
                    id: id.map(Box::from),
                });
            }
        })?;
        let job = |person: &Suppressed| &erased.jobs()[person.job as usize];
        people.sort_unstable_by(|a, b| {
            a.hash.cmp(&b.hash).then_with(|| {
                let rank = |job: &ErasedJob| (job.project.clone(), job.erasure, job.period.begun);
                rank(job(a)).cmp(&rank(job(b)))
            })
        });
        people.dedup_by(|other, kept| {
            let is_same = other.hash == kept.hash && job(other).project == job(kept).project;
            if is_same && kept.id.is_none() {
                kept.id = other.id.take();
            }
            is_same
        });
        Ok(people)
    }
}

/// Everybody in an order in which they are found quickly; 20 bytes a person and deletion.
pub struct SuppressedIndex {
    people: Vec<(PersonHash, u32)>,
    jobs: Vec<ErasedJob>,
}

/// The deletions that somebody is in.
#[derive(Debug, Clone, Copy)]
pub struct Deletions<'i> {
    entries: &'i [(PersonHash, u32)],
    jobs: &'i [ErasedJob],
}

impl SuppressedIndex {
    /// # Errors
    /// When the ledger cannot be read.
    pub fn read(erased: &Erased<'_>) -> Result<Self, LedgerError> {
        let mut people = Vec::with_capacity(erased.count_ids());
        erased.visit(&mut |person| people.push((person.hash, person.job)))?;
        people.sort_unstable();
        Ok(Self {
            people,
            jobs: erased.jobs().to_vec(),
        })
    }

    /// How many people there are.
    pub fn count(&self) -> usize {
        self.people.chunk_by(|a, b| a.0 == b.0).count()
    }

    /// The deletions of a person, at least one; `None` for anybody else.
    pub fn find(&self, hash: &PersonHash) -> Option<Deletions<'_>> {
        let start = self.people.partition_point(|(other, _)| other < hash);
        let rest = &self.people[start..];
        let count = rest.iter().take_while(|(other, _)| other == hash).count();
        (count > 0).then(|| Deletions {
            entries: &rest[..count],
            jobs: &self.jobs,
        })
    }
}

impl<'i> Deletions<'i> {
    fn jobs(self) -> impl Iterator<Item = &'i ErasedJob> + Clone {
        let jobs = self.jobs;
        self.entries.iter().map(|(_, job)| &jobs[*job as usize])
    }

    /// When an event of the person came, in Unix seconds, as seen from their deletions.
    pub fn arrival(self, time: Option<i64>) -> Arrival {
        Arrival::of(time, self.jobs().map(|job| job.period))
    }

    /// The last one that is done, or else the last one.
    pub fn last(self) -> &'i ErasedJob {
        let rank = |job: &&ErasedJob| -> (Option<DateTime<Utc>>, DateTime<Utc>) {
            let ErasurePeriod { begun, done } = job.period;
            (done, begun)
        };
        self.jobs()
            .max_by_key(rank)
            .expect("somebody who was found is in a deletion")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_person_is_in_exactly_one_part() {
        let first = |byte: u8| {
            let mut bytes = [0xff; PersonHash::BYTES];
            bytes[0] = byte;
            PersonHash::restore(bytes)
        };
        for of in [1, 2, 3, 7, 100] {
            let mut before = 0;
            for byte in 0..=255 {
                let hash = first(byte);
                let places: Vec<usize> = Part::all(of)
                    .filter(|part| part.holds(&hash))
                    .map(|part| part.place)
                    .collect();
                assert_eq!(places.len(), 1, "{byte} of {of}");
                assert!(places[0] >= before, "their order is that of the hashes");
                before = places[0];
            }
            assert_eq!(before, of - 1, "no part is empty");
        }
    }
}
