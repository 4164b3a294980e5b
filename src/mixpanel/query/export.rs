//! The raw export: all events of some days, as bytes in their order. Judges only whether it is one;
//! keeps none of it, and unpacks nothing.

use std::time::{Duration, Instant};

use reqwest::Response;
use reqwest::header::{CONTENT_ENCODING, CONTENT_LENGTH, TRANSFER_ENCODING};

use super::{QueryAnswer, refused, says_error, unusable};
use crate::mixpanel::classify::{Answered, Exchange};
use crate::mixpanel::words::{Confidential, Words};

/// An answer that ends within so many bytes may be an error. Mixpanel compresses longer ones.
const SHORT: usize = 4096;

/// An export that brings fewer bytes in [`TURNS`] times the longest silence has no end in sight:
/// 7 bytes a second.
const LEAST: usize = 4096;
const TURNS: u32 = 4;

const NO_EXPORT: &str = "Mixpanel's answer is not an export";

/// What tells where an export ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExportEnd {
    /// Its length, or a last chunk.
    Told,
    /// Only the end of the connection, which a cut looks like.
    Untold,
}

/// An export that comes. Its bytes may be packed with gzip.
#[derive(Debug)]
pub struct ExportStream {
    response: Response,
    /// Read, and not handed out yet.
    beginning: Vec<u8>,
    is_over: bool,
    /// The longest silence.
    patience: Duration,
    /// How long it has waited, and how many bytes came meanwhile.
    waited: (Duration, usize),
    /// In bytes as they come, if known.
    pub length: Option<u64>,
    pub end: ExportEnd,
}

impl ExportStream {
    pub(super) async fn next(
        &mut self,
        confidential: &Confidential<'_>,
    ) -> Result<Option<Vec<u8>>, Words> {
        if !self.beginning.is_empty() {
            return Ok(Some(std::mem::take(&mut self.beginning)));
        }
        if self.is_over {
            return Ok(None);
        }
        let started = Instant::now();
        let chunk = self.response.chunk().await;
        self.waited.0 += started.elapsed();
        let chunk = chunk.map_err(|error| {
            let reason = confidential.error(error);
            reason.after("the export broke off: ")
        })?;
        self.is_over = chunk.is_none();
        self.waited.1 += chunk.as_ref().map_or(0, |bytes| bytes.len());
        if self.waited.1 >= LEAST {
            self.waited = Default::default();
        } else if self.waited.0 > self.patience * TURNS && !self.is_over {
            return Err(Words::ours("the export broke off: it came too slowly"));
        }
        Ok(chunk.map(Vec::from))
    }

    /// Reads enough to see whether it is an error.
    async fn begin(&mut self, confidential: &Confidential<'_>) -> Result<(), Words> {
        let mut beginning = Vec::new();
        while beginning.len() <= SHORT {
            match self.next(confidential).await? {
                Some(bytes) => beginning.extend(bytes),
                None => break,
            }
        }
        self.beginning = beginning;
        Ok(())
    }
}

pub(super) async fn classify(
    opened: Result<Response, Exchange>,
    patience: Duration,
    confidential: &Confidential<'_>,
) -> QueryAnswer<ExportStream> {
    let response = match opened {
        Ok(response) => response,
        Err(exchange) => return refused(exchange, NO_EXPORT),
    };
    let unclear = |what| QueryAnswer::Unclear {
        reason: Words::on_status(what, 200),
    };
    let headers = response.headers();
    let encoding = headers.get(CONTENT_ENCODING).map(|value| value.as_bytes());
    if !matches!(encoding, None | Some(b"gzip" | b"x-gzip" | b"identity")) {
        return unclear("the export is compressed in a way that dsr did not ask for");
    }
    let tells = [CONTENT_LENGTH, TRANSFER_ENCODING];
    let end = match tells.iter().any(|name| headers.contains_key(name)) {
        true => ExportEnd::Told,
        false => ExportEnd::Untold,
    };
    let mut stream = ExportStream {
        length: response.content_length(),
        response,
        beginning: Vec::new(),
        is_over: false,
        patience,
        waited: Default::default(),
        end,
    };
    if let Err(reason) = stream.begin(confidential).await {
        return QueryAnswer::Unclear { reason };
    }
    let short = Answered {
        status: 200,
        retry_after: None,
        date: None,
        body: stream.beginning.clone(),
    };
    let is_error = stream.is_over && says_error(&short);
    match is_error || short.looks_like_html() {
        true => unusable(&short, NO_EXPORT),
        false => QueryAnswer::Answered(stream),
    }
}
