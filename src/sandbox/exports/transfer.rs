//! Sends a file, or the requested part of it, in chunks.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::UNIX_EPOCH;

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use futures_core::Stream;
use sha2::{Digest, Sha256};
use tokio::sync::mpsc;

use crate::sandbox::hex;

const CHUNK_BYTES: usize = 64 * 1024;
/// How many chunks may wait for a slow reader.
const WAITING: usize = 4;

/// A file to serve, and the tag of exactly these bytes.
pub(crate) struct Served {
    file: File,
    length: u64,
    tag: String,
}

/// The requested part of a file.
#[derive(Debug, PartialEq, Eq)]
enum WantedRange {
    All,
    /// From the first byte to the last, from 0, both included.
    Part(u64, u64),
    Nothing,
}

impl Served {
    /// `name` must be unique in the sandbox.
    pub(crate) fn new(file: File, name: &str) -> io::Result<Self> {
        let metadata = file.metadata()?;
        let changed = metadata.modified()?.duration_since(UNIX_EPOCH);
        let changed = changed.map_or(0, |since| since.as_nanos());
        let hash = Sha256::digest(format!("{name}\0{}\0{changed}", metadata.len()));
        Ok(Self {
            file,
            length: metadata.len(),
            tag: format!("\"{}\"", hex(&hash[..16])),
        })
    }

    pub(crate) fn reply(self, asked: &HeaderMap) -> Response {
        let text = |name| asked.get(name).and_then(|value| value.to_str().ok());
        // For other contents a part is useless, so the whole file is sent.
        let is_same = text(header::IF_RANGE).is_none_or(|tag| tag == self.tag);
        let range = text(header::RANGE).filter(|_| is_same);
        let (status, first, last) = match wanted(range, self.length) {
            WantedRange::All => (StatusCode::OK, 0, self.length.saturating_sub(1)),
            WantedRange::Part(first, last) => (StatusCode::PARTIAL_CONTENT, first, last),
            WantedRange::Nothing => {
                let all = format!("bytes */{}", self.length);
                return (
                    StatusCode::RANGE_NOT_SATISFIABLE,
                    [(header::CONTENT_RANGE, all)],
                )
                    .into_response();
            }
        };
        let length = self.length.min(last + 1 - first);
        let range = (status == StatusCode::PARTIAL_CONTENT).then(|| {
            [(
                header::CONTENT_RANGE,
                format!("bytes {first}-{last}/{}", self.length),
            )]
        });
        let headers = [
            (header::ACCEPT_RANGES, "bytes".to_owned()),
            (header::ETAG, self.tag),
            (header::CONTENT_LENGTH, length.to_string()),
        ];
        let body = Body::from_stream(FileChunks::of(self.file, first, length));
        (status, headers, range, body).into_response()
    }
}

/// The byte range of a `Range` header; other forms are ignored.
fn wanted(range: Option<&str>, length: u64) -> WantedRange {
    let range = range.and_then(|range| range.strip_prefix("bytes="));
    let Some((first, last)) = range.and_then(|range| range.split_once('-')) else {
        return WantedRange::All;
    };
    let Ok(first) = first.parse::<u64>() else {
        return WantedRange::All;
    };
    let end = length.saturating_sub(1);
    match last {
        _ if first >= length => WantedRange::Nothing,
        "" => WantedRange::Part(first, end),
        last => match last.parse::<u64>() {
            Ok(last) if last >= first => WantedRange::Part(first, last.min(end)),
            _ => WantedRange::All,
        },
    }
}

/// Chunks that a thread of the blocking pool reads a few ahead.
struct FileChunks(mpsc::Receiver<io::Result<Bytes>>);

impl FileChunks {
    fn of(mut file: File, first: u64, length: u64) -> Self {
        let (sender, receiver) = mpsc::channel(WAITING);
        tokio::task::spawn_blocking(move || {
            if let Err(error) = file.seek(SeekFrom::Start(first)) {
                return drop(sender.blocking_send(Err(error)));
            }
            let mut part = file.take(length);
            loop {
                let mut chunk = Vec::with_capacity(CHUNK_BYTES);
                let read = part
                    .by_ref()
                    .take(CHUNK_BYTES as u64)
                    .read_to_end(&mut chunk);
                let is_over = matches!(read, Ok(0) | Err(_));
                let sent = match read {
                    Ok(0) => return,
                    read => sender.blocking_send(read.map(|_| chunk.into())),
                };
                // The client may be gone.
                if is_over || sent.is_err() {
                    return;
                }
            }
        });
        Self(receiver)
    }
}

impl Stream for FileChunks {
    type Item = io::Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.0.poll_recv(context)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_range_of_bytes_is_understood() {
        let cases = [
            (None, WantedRange::All),
            (Some("bytes=0-"), WantedRange::Part(0, 99)),
            (Some("bytes=40-"), WantedRange::Part(40, 99)),
            (Some("bytes=40-49"), WantedRange::Part(40, 49)),
            (Some("bytes=40-400"), WantedRange::Part(40, 99)),
            (Some("bytes=100-"), WantedRange::Nothing),
            (Some("bytes=-5"), WantedRange::All),
            (Some("bytes=9-8"), WantedRange::All),
            (Some("bytes=1-2,4-5"), WantedRange::All),
            (Some("lines=1-2"), WantedRange::All),
        ];
        for (range, expected) in cases {
            assert_eq!(wanted(range, 100), expected, "{range:?}");
        }
    }
}
