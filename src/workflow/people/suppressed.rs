//! Each deleted person once: as a list sorted by hash, and as an index to look up events.

use chrono::{DateTime, Utc};

use crate::domain::{Arrival, ErasurePeriod, PersonHash, RequestId};
use crate::ledger::{Erased, ErasedJob, LedgerError};

/// The most people in memory while a list is written. Longer lists are read in parts.
const AT_ONCE: usize = 1 << 20;

/// Whether the caller also wants ids that the ledger still keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HeldIds {
    Hashed,
    Shown,
}

/// A suppressed person of a project.
#[derive(Debug, Clone)]
pub struct Suppressed {
    pub hash: PersonHash,
    /// The place among the jobs of the deletion that says most about the person.
    pub job: u32,
    pub id: Option<Box<str>>,
}

/// People whose hashes begin alike: the `place`-th of `of` parts.
#[derive(Debug, Clone, Copy)]
pub struct HashShare {
    place: usize,
    of: usize,
}

impl HashShare {
    /// As many parts as needed so that each fits into memory, sorted by hash.
    pub fn all_of(erased: &Erased<'_>) -> impl Iterator<Item = Self> + use<> {
        Self::all(erased.count_ids().div_ceil(AT_ONCE).max(1))
    }

    fn all(of: usize) -> impl Iterator<Item = Self> {
        (0..of).map(move |place| Self { place, of })
    }

    fn holds(self, hash: &PersonHash) -> bool {
        let [a, b, c, d, ..] = *hash.as_bytes();
        // Hashes are evenly distributed.
        let beginning = u64::from(u32::from_be_bytes([a, b, c, d]));
        (beginning * self.of as u64) >> 32 == self.place as u64
    }

    /// Reads the people of this part, each once a project, sorted by hash.
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

/// Everyone sorted by hash; 20 bytes for each person and deletion.
pub struct SuppressedIndex {
    people: Vec<(PersonHash, u32)>,
    /// For each first two bytes of a hash, the place where its people start, and a last end. Hashes
    /// are evenly distributed, so few remain to compare.
    starts: Vec<usize>,
    jobs: Vec<ErasedJob>,
}

/// The deletions of one person.
#[derive(Debug, Clone, Copy)]
pub struct Deletions<'i> {
    entries: &'i [(PersonHash, u32)],
    jobs: &'i [ErasedJob],
}

/// The number of values of two bytes.
const BEGINNINGS: usize = 1 << 16;

fn beginning(hash: &PersonHash) -> usize {
    let [first, second, ..] = *hash.as_bytes();
    usize::from(u16::from_be_bytes([first, second]))
}

impl SuppressedIndex {
    /// Reads everyone from the ledger.
    pub fn read(erased: &Erased<'_>) -> Result<Self, LedgerError> {
        let mut people = Vec::with_capacity(erased.count_ids());
        erased.visit(&mut |person| people.push((person.hash, person.job)))?;
        people.sort_unstable();
        let jobs = erased.jobs().to_vec();
        Ok(Self::of(people, jobs))
    }

    /// Reads the people of some requests, each with all their deletions.
    pub fn read_of(
        erased: &Erased<'_>,
        is_meant: impl Fn(&RequestId) -> bool,
    ) -> Result<Self, LedgerError> {
        let whole = Self::read(erased)?;
        let is_theirs =
            |(_, job): &(PersonHash, u32)| is_meant(&whole.jobs[*job as usize].job.request);
        let people = whole.people.chunk_by(|a, b| a.0 == b.0);
        let people = people.filter(|deletions| deletions.iter().any(is_theirs));
        Ok(Self::of(
            people.flatten().copied().collect(),
            whole.jobs.clone(),
        ))
    }

    /// The deletions of each person.
    pub fn people(&self) -> impl Iterator<Item = Deletions<'_>> {
        let (people, jobs) = (self.people.chunk_by(|a, b| a.0 == b.0), &self.jobs);
        people.map(move |entries| Deletions { entries, jobs })
    }

    /// `people` must be sorted.
    fn of(people: Vec<(PersonHash, u32)>, jobs: Vec<ErasedJob>) -> Self {
        let mut starts = vec![0; BEGINNINGS + 1];
        for (hash, _) in &people {
            starts[beginning(hash) + 1] += 1;
        }
        for place in 0..BEGINNINGS {
            starts[place + 1] += starts[place];
        }
        Self {
            people,
            starts,
            jobs,
        }
    }

    /// The number of people.
    pub fn count(&self) -> usize {
        self.people.chunk_by(|a, b| a.0 == b.0).count()
    }

    /// The deletions of a person, at least one; `None` if there are none.
    pub fn find(&self, hash: &PersonHash) -> Option<Deletions<'_>> {
        let place = beginning(hash);
        let alike = &self.people[self.starts[place]..self.starts[place + 1]];
        let rest = &alike[alike.partition_point(|(other, _)| other < hash)..];
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

    pub fn hash(self) -> PersonHash {
        self.entries[0].0
    }

    /// The requests of the person's deletions, each once.
    pub fn requests(self) -> impl Iterator<Item = &'i RequestId> {
        let jobs = self.jobs().map(|job| &job.job.request).enumerate();
        jobs.filter_map(move |(place, request)| {
            let mut before = self.jobs().take(place);
            let is_new = before.all(|job| job.job.request != *request);
            is_new.then_some(request)
        })
    }

    /// When an event (Unix seconds) came, compared with the person's deletions.
    pub fn arrival(self, time: Option<i64>) -> Arrival {
        Arrival::of(time, self.jobs().map(|job| job.period))
    }

    /// When the first of the deletions was done that cover an event of this time (Unix seconds).
    pub fn covered_at(self, time: i64) -> Option<DateTime<Utc>> {
        let covering = self.jobs().filter(|job| job.period.covers(time));
        covering.filter_map(|job| job.period.done).min()
    }

    /// When this request's deletion of the person was sent, and when dsr heard that it was done;
    /// `None` before.
    pub fn period_in(self, request: &RequestId) -> Option<(DateTime<Utc>, DateTime<Utc>)> {
        let jobs = self.jobs().filter(|job| job.job.request == *request);
        jobs.filter_map(|job| Some((job.period.begun, job.period.done?)))
            .max_by_key(|(_, done)| *done)
    }

    /// The last deletion that is done, or else the last one.
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
    fn the_index_finds_all_deletions_of_a_person_and_of_nobody_else() {
        let hash = |number: u32| {
            let mut bytes = [0; PersonHash::BYTES];
            // Few beginnings, with the first and the last.
            bytes[..2].copy_from_slice(&[0, 0, 1, 255, 255, 255][number as usize % 5..][..2]);
            bytes[12..].copy_from_slice(&number.to_be_bytes());
            PersonHash::restore(bytes)
        };
        let mut people: Vec<(PersonHash, u32)> = (0..300)
            .flat_map(|number| (0..=number % 3).map(move |job| (hash(number), job)))
            .collect();
        people.sort_unstable();
        let index = SuppressedIndex::of(people, Vec::new());
        assert_eq!(index.count(), 300);
        for number in 0..300 {
            let found = index.find(&hash(number)).unwrap();
            let jobs: Vec<u32> = found.entries.iter().map(|(_, job)| *job).collect();
            assert_eq!(jobs, (0..=number % 3).collect::<Vec<_>>());
            assert!(index.find(&hash(number + 300)).is_none());
        }
        assert!(
            SuppressedIndex::of(Vec::new(), Vec::new())
                .find(&hash(1))
                .is_none()
        );
    }

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
                let places: Vec<usize> = HashShare::all(of)
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
