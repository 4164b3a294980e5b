use std::io;
use std::net::IpAddr;
use std::time::Duration;

use reqwest::header::{
    ACCEPT_ENCODING, CONTENT_RANGE, CONTENT_TYPE, ETAG, HeaderMap, HeaderName, IF_RANGE, RANGE,
};
use reqwest::{Response, StatusCode, redirect, retry};
use secrecy::{ExposeSecret, SecretString};
use url::{Host, Url};

use super::ClientError;
use super::client::caller::install_crypto;
use super::route::{Route, Towards};
use super::words::{Confidential, Words, describe};

/// The most tries in a row without new bytes.
const MAX_TRIES: u32 = 5;
/// The most redirects of the store to follow.
const MAX_REDIRECTS: usize = 3;
/// How long the store may be silent.
const SILENCE: Duration = Duration::from_secs(60);
const CONNECT: Duration = Duration::from_secs(15);

/// The addresses that a link may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    Everywhere,
    /// Only this machine, even over plain http: for the sandbox.
    Loopback,
}

/// Fetches the file of a signed link. The link is a secret: anyone with it has the data.
///
/// Never sends our credentials: the store is not Mixpanel's API.
pub struct Fetcher {
    http: reqwest::Client,
    reach: Reach,
}

/// How a transfer ended.
#[derive(Debug)]
pub enum TransferEnd {
    /// All bytes have arrived.
    Whole,
    /// The store refused: the link has expired, or was never valid.
    Refused { http_status: u16 },
    /// Mixpanel's link is not a link, or must not be followed. Nothing was requested.
    BadLink,
    /// The response is no archive, such as a proxy's web page.
    NotAnArchive { reason: Words },
    /// The last tries broke off; only a part has arrived.
    Broken { reason: Words },
}

/// Receives the bytes of a transfer in order.
pub trait TransferSink {
    /// # Errors
    /// When the bytes cannot be kept; this ends the transfer.
    fn take(&mut self, bytes: &[u8]) -> io::Result<()>;
    /// Discards the bytes so far: the transfer starts again.
    fn restart(&mut self) -> io::Result<()>;
    /// Receives the total number of bytes, if the store gives it.
    fn expect(&mut self, bytes: u64);
}

enum Try {
    Ended(TransferEnd),
    BrokeOff(Words),
}

#[derive(Default)]
struct Known {
    taken: u64,
    /// The store's tag of exactly these bytes.
    tag: Option<String>,
    total: Option<u64>,
}

impl Fetcher {
    /// # Errors
    /// When TLS cannot be set up, or the proxy is unusable.
    pub fn new(reach: Reach, route: &Route) -> Result<Self, ClientError> {
        install_crypto();
        let builder = reqwest::Client::builder()
            .user_agent(concat!("dsr/", env!("CARGO_PKG_VERSION")))
            .redirect(redirect::Policy::custom(move |attempt| {
                match attempt.previous().len() <= MAX_REDIRECTS && reach.allows(attempt.url()) {
                    true => attempt.follow(),
                    false => attempt.stop(),
                }
            }))
            .retry(retry::never())
            .referer(false)
            .http1_only()
            .connect_timeout(CONNECT)
            .read_timeout(SILENCE);
        let towards = match reach {
            Reach::Loopback => Towards::Loopback,
            Reach::Everywhere => Towards::Internet,
        };
        let http = route
            .apply(builder, towards)?
            .build()
            .map_err(|error| ClientError::Setup {
                reason: describe(error),
            })?;
        Ok(Self { http, reach })
    }

    /// Passes all bytes behind `link` to `sink`. Continues a broken transfer where it stopped if
    /// the store allows that, or else from the start.
    ///
    /// # Errors
    /// When `sink` cannot keep the bytes.
    pub async fn fetch(
        &self,
        link: &SecretString,
        sink: &mut dyn TransferSink,
    ) -> io::Result<TransferEnd> {
        let url = Url::parse(link.expose_secret()).ok();
        let Some(url) = url.filter(|url| self.reach.allows(url)) else {
            return Ok(TransferEnd::BadLink);
        };
        let mut known = Known::default();
        let mut tries = 0;
        let mut furthest = 0;
        loop {
            match self.fetch_once(&url, &mut known, sink).await? {
                Try::Ended(fetched) => return Ok(fetched),
                // A large archive may break off often and still arrive.
                Try::BrokeOff(_) if known.taken > furthest => {
                    furthest = known.taken;
                    tries = 0;
                }
                Try::BrokeOff(reason) if tries + 1 >= MAX_TRIES => {
                    return Ok(TransferEnd::Broken { reason });
                }
                Try::BrokeOff(_) => tries += 1,
            }
            tokio::time::sleep(Duration::from_millis(500 << tries)).await;
        }
    }

    async fn fetch_once(
        &self,
        url: &Url,
        known: &mut Known,
        sink: &mut dyn TransferSink,
    ) -> io::Result<Try> {
        // With compression, a position in the file would not match one in the transfer.
        let mut request = self
            .http
            .get(url.clone())
            .header(ACCEPT_ENCODING, "identity");
        if let (1.., Some(tag)) = (known.taken, &known.tag) {
            request = request
                .header(RANGE, format!("bytes={}-", known.taken))
                .header(IF_RANGE, tag);
        }
        let mut response = match request.send().await {
            Ok(response) => response,
            Err(error) => return Ok(Try::BrokeOff(words_of(url, error))),
        };
        let status = response.status();
        match status {
            StatusCode::OK => {
                if known.taken > 0 {
                    sink.restart()?;
                }
                *known = Known {
                    taken: 0,
                    tag: strong_tag(response.headers()),
                    total: response.content_length(),
                };
            }
            StatusCode::PARTIAL_CONTENT if continues(&response, known) => {}
            StatusCode::PARTIAL_CONTENT | StatusCode::RANGE_NOT_SATISFIABLE => {
                // The part is of another file, or not the requested one: request all of it next.
                *known = Known::default();
                sink.restart()?;
                let reason = Words::ours("the store sent a different part than requested");
                return Ok(Try::BrokeOff(reason));
            }
            _ if status.is_server_error() => {
                let reason = Words::on_status("the store cannot deliver it now", status.as_u16());
                return Ok(Try::BrokeOff(reason));
            }
            _ => {
                let http_status = status.as_u16();
                return Ok(Try::Ended(TransferEnd::Refused { http_status }));
            }
        }
        let kind = text(response.headers(), CONTENT_TYPE).unwrap_or_default();
        if kind.starts_with("text/html") {
            let reason = Words::ours("a web page came instead of the file");
            return Ok(Try::Ended(TransferEnd::NotAnArchive { reason }));
        }
        if let Some(length) = response.content_length() {
            sink.expect(known.taken + length);
        }
        loop {
            match response.chunk().await {
                Ok(Some(bytes)) => {
                    sink.take(&bytes)?;
                    known.taken += bytes.len() as u64;
                }
                Ok(None) => return Ok(Try::Ended(TransferEnd::Whole)),
                Err(error) => return Ok(Try::BrokeOff(words_of(url, error))),
            }
        }
    }
}

impl Reach {
    fn allows(self, url: &Url) -> bool {
        let is_loopback = match url.host() {
            Some(Host::Ipv4(address)) => IpAddr::V4(address).is_loopback(),
            Some(Host::Ipv6(address)) => IpAddr::V6(address).is_loopback(),
            Some(Host::Domain(name)) => name == "localhost",
            None => false,
        };
        match self {
            Self::Everywhere => url.scheme() == "https",
            Self::Loopback => is_loopback && matches!(url.scheme(), "http" | "https"),
        }
    }
}

/// Why a transfer failed. The link's path and query are secret; its host is not.
fn words_of(link: &Url, error: reqwest::Error) -> Words {
    let confidential = Confidential {
        tokens: vec![link.path(), link.query().unwrap_or_default()],
        sent: &|| Some(Vec::new()),
    };
    confidential.error(error)
}

/// Whether a part starts where the last one ended, and reaches the end of the same file.
fn continues(response: &Response, known: &Known) -> bool {
    let headers = response.headers();
    let range = text(headers, CONTENT_RANGE).unwrap_or_default();
    let Some(rest) = range.strip_prefix(&format!("bytes {}-", known.taken)) else {
        return false;
    };
    let (last, total) = rest.split_once('/').unwrap_or((rest, "*"));
    let total = total.parse().ok().or(known.total);
    let is_rest = last
        .parse::<u64>()
        .is_ok_and(|last| Some(last + 1) == total);
    let is_same =
        total == known.total && strong_tag(headers).is_none_or(|tag| known.tag == Some(tag));
    known.taken > 0 && is_rest && is_same
}

/// A weak tag may be the same for different bytes.
fn strong_tag(headers: &HeaderMap) -> Option<String> {
    text(headers, ETAG).filter(|tag| tag.starts_with('"'))
}

fn text(headers: &HeaderMap, name: HeaderName) -> Option<String> {
    Some(headers.get(name)?.to_str().ok()?.to_owned())
}
