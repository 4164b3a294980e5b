//! Passes values from the thread that reads the sources to the one that judges them.
//!
//! Blocks of values travel through a short queue and come back empty. So memory stays constant, and
//! the threads rarely wait for each other.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::thread::{self, JoinHandle};

use crate::domain::IdHasher;

use super::judge::form::{ValueForm, ValueShape};
use super::place::Place;
use super::problem::{IntakeError, Problems};
use super::reader;
use super::reader::reading::Reading;
use super::stream::meter::Meter;
use super::{ReadOptions, Source};

/// A block is full at either limit: small enough for a core's cache, large enough to make the
/// handover cheap.
const BLOCK_VALUES: usize = 4096;
const BLOCK_BYTES: usize = 128 * 1024;
/// How many blocks may wait for the judging thread.
const QUEUED: usize = 8;

#[derive(Debug)]
pub(super) struct ValueBlock {
    label: Arc<str>,
    bytes: Vec<u8>,
    ends: Vec<ValueEnd>,
}

/// Where a value ends in its block.
#[derive(Debug, Clone, Copy)]
struct ValueEnd {
    bytes: usize,
    /// Line and element; 0 for none.
    numbers: [u64; 2],
    hash: u128,
    shape: ValueShape,
}

/// A value as read; it may not be an id.
#[derive(Debug, Clone, Copy)]
pub(super) struct ReadValue<'b> {
    pub(super) place: Place<'b>,
    /// `None` if the value is not UTF-8.
    pub(super) form: Option<ValueForm<'b>>,
    pub(super) hash: u128,
}

impl ValueBlock {
    fn new(label: &Arc<str>) -> Self {
        Self {
            label: Arc::clone(label),
            bytes: Vec::with_capacity(BLOCK_BYTES),
            ends: Vec::with_capacity(BLOCK_VALUES),
        }
    }

    /// Classifies and hashes each value here, because the reading thread has less to do.
    fn put(&mut self, place: Place<'_>, value: &[u8], hasher: &IdHasher) {
        self.bytes.extend_from_slice(value);
        self.ends.push(ValueEnd {
            bytes: self.bytes.len(),
            numbers: [place.line, place.element].map(|number| number.unwrap_or(0)),
            hash: hasher.hash(value),
            shape: ValueShape::of(value),
        });
    }

    fn is_full(&self) -> bool {
        self.ends.len() >= BLOCK_VALUES || self.bytes.len() >= BLOCK_BYTES
    }

    pub(super) fn label(&self) -> &Arc<str> {
        &self.label
    }

    pub(super) fn values(&self) -> impl Iterator<Item = ReadValue<'_>> {
        // Validating the whole block at once is faster; invalid UTF-8 is rare.
        let whole = std::str::from_utf8(&self.bytes).ok();
        let mut start = 0;
        self.ends.iter().map(move |end| {
            let range = start..end.bytes;
            start = end.bytes;
            let text = match whole {
                Some(whole) => whole.get(range),
                None => std::str::from_utf8(&self.bytes[range]).ok(),
            };
            let [line, element] = end.numbers.map(|number| (number > 0).then_some(number));
            let place = Place {
                label: &self.label,
                line,
                element,
            };
            let form = text.map(|text| ValueForm::new(text, end.shape));
            let hash = end.hash;
            ReadValue { place, form, hash }
        })
    }
}

#[derive(Debug)]
pub(super) enum FeedItem {
    Values(ValueBlock),
    /// The end of a source: how it was read, and the problems of its lines.
    End(Option<Reading>, Problems),
}

/// Reads the sources one after the other, in a thread of its own.
pub(super) struct Feed {
    full: Receiver<Result<FeedItem, IntakeError>>,
    empty: Sender<ValueBlock>,
    thread: Option<JoinHandle<()>>,
}

impl Feed {
    pub(super) fn start(
        sources: Vec<Source>,
        options: ReadOptions,
        meter: Meter,
        hasher: IdHasher,
    ) -> Self {
        let (to_judge, full) = sync_channel(QUEUED);
        let (empty, to_fill) = channel();
        let thread = thread::spawn(move || {
            let mut filler = Filler {
                to_judge,
                to_fill,
                hasher,
            };
            for source in sources {
                let result = filler.read(&source, &options, &meter);
                let result = result.map(|(reading, problems)| FeedItem::End(reading, problems));
                let is_over = result.is_err();
                // The receiver is gone: the judging thread has failed.
                if filler.to_judge.send(result).is_err() || is_over {
                    return;
                }
            }
        });
        Self {
            full,
            empty,
            thread: Some(thread),
        }
    }

    /// Waits for the next block; `None` after the last source.
    pub(super) fn next(&mut self) -> Option<Result<FeedItem, IntakeError>> {
        let next = self.full.recv().ok();
        if next.is_none()
            && let Some(thread) = self.thread.take()
            && let Err(panic) = thread.join()
        {
            std::panic::resume_unwind(panic);
        }
        next
    }

    pub(super) fn give_back(&self, block: ValueBlock) {
        drop(self.empty.send(block));
    }
}

struct Filler {
    to_judge: SyncSender<Result<FeedItem, IntakeError>>,
    to_fill: Receiver<ValueBlock>,
    hasher: IdHasher,
}

impl Filler {
    fn read(
        &mut self,
        source: &Source,
        options: &ReadOptions,
        meter: &Meter,
    ) -> Result<(Option<Reading>, Problems), IntakeError> {
        let label: Arc<str> = match source {
            Source::Id(_) => reader::argument(options).into(),
            Source::File(_) | Source::Stdin => source.label().into(),
        };
        let mut block = self.block(&label);
        let mut take = |place: Place<'_>, value: &[u8]| {
            block.put(place, value, &self.hasher);
            if block.is_full() {
                let next = self.block(&label);
                let full = std::mem::replace(&mut block, next);
                drop(self.to_judge.send(Ok(FeedItem::Values(full))));
            }
        };
        let read = reader::read(source, options, meter, &mut take)?;
        drop(self.to_judge.send(Ok(FeedItem::Values(block))));
        Ok(read)
    }

    fn block(&self, label: &Arc<str>) -> ValueBlock {
        match self.to_fill.try_recv() {
            Ok(mut block) => {
                block.label = Arc::clone(label);
                block.bytes.clear();
                block.ends.clear();
                block
            }
            Err(_) => ValueBlock::new(label),
        }
    }
}
