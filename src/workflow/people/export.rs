//! Asks Mixpanel for all events of some days, and searches them while they come: on a thread of its
//! own, a few pieces at a time. None of them touches the disk.

use std::io::{self, ErrorKind, Read};
use std::panic::resume_unwind;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::mpsc::{Receiver, channel};
use tokio::task::spawn_blocking;

use crate::domain::{ExportWindow, PersonHasher, ProjectId, ProjectZone};
use crate::intake::{Event, Headway, IntakeError, Packing, Place, read_export};
use crate::ledger::QueryPlace;
use crate::mixpanel::{ExportEnd, ExportStream, QueryClient, Words};

use super::queries::{Queries, QueryError};
use super::suppressed::SuppressedIndex;
use super::verify::{ErasureSearch, ExportGap, Searched};

/// How many pieces wait for the search.
const WAITING: usize = 8;
const EVENTS: &str = "events";
const LABEL: &str = "Mixpanel's raw export";

/// Why it is not known whose events Mixpanel has. Quotes nothing of the export.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    #[error(transparent)]
    Query(#[from] QueryError),
    #[error("the raw export did not come to its end: {reason}")]
    Cut { reason: Words },
    #[error("the raw export cannot be relied on")]
    Damaged(#[source] IntakeError),
}

/// Searches the events of `window` for the people of `index`, which was read with the hasher's key.
/// The project's `zone` counts the events' own times.
///
/// # Errors
/// See [`ExportError`]. Nothing is known then.
pub async fn search_export(
    queries: &mut Queries<'_>,
    (client, project): (&QueryClient, ProjectId),
    (window, zone): (ExportWindow, ProjectZone),
    (index, hasher): (Arc<SuppressedIndex>, PersonHasher),
    on_headway: &mut dyn FnMut(Headway),
) -> Result<Searched, ExportError> {
    queries.demand_time(1).await?;
    // The query is under way until the export is read.
    let (mut stream, place) = open(queries, (client, project), window).await?;
    let (sender, pieces) = channel(WAITING);
    let found = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&found);
    let now = queries.clock.now();
    let searching = spawn_blocking(move || {
        let search_of = ErasureSearch::new(&index, hasher, now);
        search(ExportBytes::of(pieces), zone, search_of, &counted)
    });
    let mut headway = Headway {
        values: 0,
        bytes: 0,
        of_bytes: stream.length,
    };
    let mut cut = None;
    loop {
        let piece = match queries
            .unless_interrupted(client.next_of(&mut stream))
            .await?
        {
            Ok(piece) => piece,
            Err(reason) => {
                cut = Some(reason);
                break;
            }
        };
        headway.bytes += piece.as_ref().map_or(0, Vec::len) as u64;
        headway.values = found.load(Ordering::Relaxed);
        on_headway(headway);
        let is_end = piece.is_none();
        // A search that ended has found damage, which it reports.
        if sender.send(piece).await.is_err() || is_end {
            break;
        }
    }
    drop((sender, place));
    let searched = queries.unless_interrupted(searching).await?;
    let searched = searched.unwrap_or_else(|error| match error.try_into_panic() {
        Ok(panic) => resume_unwind(panic),
        Err(_) => Err(IntakeError::Read {
            label: LABEL.to_owned(),
            source: ErrorKind::Interrupted.into(),
        }),
    });
    if let Some(reason) = cut {
        return Err(ExportError::Cut { reason });
    }
    let mut searched = searched.map_err(ExportError::Damaged)?;
    let is_packed = |packing| packing != Packing::None;
    // A packed export has an end of its own.
    let has_end = stream.end == ExportEnd::Told
        || searched
            .read
            .iter()
            .all(|read| is_packed(read.reading.packing));
    searched.gap = match (searched.events, has_end) {
        (0, _) => Some(ExportGap::NoEvent),
        (_, false) => Some(ExportGap::NoEnd),
        (_, true) => None,
    };
    Ok(searched)
}

/// Asks for the export, in its turn. The trail has an entry before the first query leaves.
async fn open(
    queries: &mut Queries<'_>,
    (client, project): (&QueryClient, ProjectId),
    window: ExportWindow,
) -> Result<(ExportStream, QueryPlace), QueryError> {
    loop {
        let turn =
            queries.take_turn(|ledger, lane, now| ledger.record_events_asked(lane, window, now));
        let place = turn.await?;
        let call = client.raw_event_export(project, window);
        if let Some(stream) = queries.ask(EVENTS, client, call).await? {
            return Ok((stream, place));
        }
    }
}

fn search(
    bytes: ExportBytes,
    zone: ProjectZone,
    mut search: ErasureSearch<'_>,
    found: &AtomicUsize,
) -> Result<Searched, IntakeError> {
    let mut take = |place: Place<'_>, event: &Event<'_>| search.take(place, event);
    let mut step = || {
        found.fetch_add(1, Ordering::Relaxed);
    };
    let read = read_export(
        Box::new(bytes),
        LABEL.to_owned(),
        zone,
        &mut take,
        &mut step,
    )?;
    Ok(search.finish(vec![read]))
}

/// The pieces of an export as they come; `None` is its end. Without it the export is cut.
struct ExportBytes {
    pieces: Receiver<Option<Vec<u8>>>,
    piece: io::Cursor<Vec<u8>>,
    is_over: bool,
}

impl ExportBytes {
    fn of(pieces: Receiver<Option<Vec<u8>>>) -> Self {
        Self {
            pieces,
            piece: io::Cursor::default(),
            is_over: false,
        }
    }
}

impl Read for ExportBytes {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let count = self.piece.read(buffer)?;
            if count > 0 || self.is_over || buffer.is_empty() {
                return Ok(count);
            }
            match self.pieces.blocking_recv() {
                Some(Some(piece)) => self.piece = io::Cursor::new(piece),
                Some(None) => self.is_over = true,
                None => return Err(ErrorKind::UnexpectedEof.into()),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::sync::mpsc::Sender;

    use super::*;

    /// Reads the pieces that `send` sends, to their end.
    fn read(send: impl FnOnce(Sender<Option<Vec<u8>>>)) -> io::Result<Vec<u8>> {
        let (sender, pieces) = channel(9);
        send(sender);
        let mut all = Vec::new();
        ExportBytes::of(pieces).read_to_end(&mut all)?;
        Ok(all)
    }

    #[test]
    fn pieces_without_an_end_are_cut() {
        let pieces = |end: Option<Option<Vec<u8>>>| {
            read(|sender| {
                for piece in [Some(b"ab".to_vec()), Some(Vec::new()), Some(b"c".to_vec())] {
                    sender.try_send(piece).unwrap();
                }
                if let Some(end) = end {
                    sender.try_send(end).unwrap();
                }
            })
        };
        assert_eq!(pieces(Some(None)).unwrap(), b"abc");
        let error = pieces(None).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::UnexpectedEof);
    }
}
