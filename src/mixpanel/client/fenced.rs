//! A body that is given out only while its call may leave. It is asked for once the connection
//! stands, so a process that was stopped before, or while it connected, sends nothing.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};

pub(super) struct FencedBody<F> {
    bytes: Option<Bytes>,
    may_leave: F,
    is_held: Arc<AtomicBool>,
}

/// Whether the fence held a body back.
#[derive(Clone, Default)]
pub(super) struct HeldBack(Arc<AtomicBool>);

impl HeldBack {
    pub(super) fn is_true(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }
}

#[derive(Debug, thiserror::Error)]
#[error("it was too late to send it")]
pub(super) struct TooLate;

impl<F: Fn() -> bool> FencedBody<F> {
    pub(super) fn new(bytes: Vec<u8>, may_leave: F, held: &HeldBack) -> Self {
        Self {
            bytes: Some(bytes.into()),
            may_leave,
            is_held: Arc::clone(&held.0),
        }
    }
}

impl<F: Fn() -> bool + Unpin> Body for FencedBody<F> {
    type Data = Bytes;
    type Error = TooLate;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, TooLate>>> {
        let Some(bytes) = self.bytes.take() else {
            return Poll::Ready(None);
        };
        Poll::Ready(Some(match (self.may_leave)() {
            true => Ok(Frame::data(bytes)),
            false => {
                self.is_held.store(true, Ordering::Release);
                Err(TooLate)
            }
        }))
    }

    fn is_end_stream(&self) -> bool {
        self.bytes.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        let left = self.bytes.as_ref().map_or(0, Bytes::len);
        SizeHint::with_exact(left as u64)
    }
}
