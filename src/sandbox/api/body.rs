//! Receives each call whole before it is handled. If a server answers and closes during the
//! upload, the caller sees a broken connection, not the answer. So even a refused body is read to
//! its end.

use std::future::poll_fn;
use std::pin::Pin;

use axum::body::{Body, Bytes, HttpBody};
use axum::extract::Request;
use axum::middleware::Next;
use axum::response::Response;

use crate::sandbox::state::clock::Moment;

pub(crate) const MAX_BODY: usize = 8 * 1024 * 1024;

/// A larger body is not read to its end.
const MAX_DRAINED: usize = 8 * MAX_BODY;

/// When a call arrived, before its body and any wait.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ArrivalTime(pub(crate) Moment);

#[derive(Clone, Debug)]
pub(crate) enum Received {
    Whole(Bytes),
    TooLarge,
}

/// Records the arrival and reads the body; handlers find both among the request's extensions.
pub(crate) async fn receive(request: Request, next: Next) -> Response {
    let arrival = ArrivalTime(Moment::now());
    let (mut parts, body) = request.into_parts();
    parts.extensions.insert(arrival);
    parts.extensions.insert(read(body).await);
    next.run(Request::from_parts(parts, Body::empty())).await
}

async fn read(mut body: Body) -> Received {
    let (mut kept, mut total) = (Vec::new(), 0_usize);
    while total <= MAX_DRAINED
        && let Some(Ok(frame)) = poll_fn(|cx| Pin::new(&mut body).poll_frame(cx)).await
    {
        let Ok(data) = frame.into_data() else {
            continue;
        };
        total += data.len();
        if total <= MAX_BODY {
            kept.extend_from_slice(&data);
        }
    }
    // After a broken body no one waits for an answer; the rest will not parse.
    if total > MAX_BODY {
        Received::TooLarge
    } else {
        Received::Whole(kept.into())
    }
}
