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
use super::client::install_crypto;
use super::route::{Route, Towards};
use super::words::{Confidential, Words, describe};

/// How many tries in a row may bring nothing new.
const MAX_TRIES: u32 = 5;
/// How many redirects of the store are followed.
const MAX_REDIRECTS: usize = 3;
/// How long the store may say nothing.
const SILENCE: Duration = Duration::from_secs(60);
const CONNECT: Duration = Duration::from_secs(15);

/// Where a link may lead.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// https alone.
    Everywhere,
    /// This machine alone, over plain http, too: for the sandbox.
    Loopback,
}

/// Fetches what a signed link leads to. The link is a secret: whoever has it has the data.
///
/// Never sends our credentials: the store is not Mixpanel's API.
pub struct Fetcher {
    http: reqwest::Client,
    reach: Reach,
}

/// How a transfer ended.
#[derive(Debug)]
pub enum TransferEnd {
    /// All of it has been taken.
    Whole,
    /// The store does not hand it out: the link has expired, or was never right.
    Refused { http_status: u16 },
    /// Mixpanel gave something that is no link, or none that may be followed. Nothing was asked for.
    BadLink,
    /// What comes is no archive, such as the web page of a proxy.
    NotAnArchive { reason: Words },
    /// It broke off, again and again; what was taken is a part.
    Broken { reason: Words },
}

/// Takes the bytes of a transfer in their order.
pub trait TransferSink {
    /// # Errors
    /// When they cannot be kept; then nothing more is fetched.
    fn take(&mut self, bytes: &[u8]) -> io::Result<()>;
    /// Everything taken so far is void: it begins anew.
    ///
    /// # Errors
    /// When it cannot be dropped.
    fn restart(&mut self) -> io::Result<()>;
    /// How many bytes will come in all, if the store says so.
    fn expect(&mut self, bytes: u64);
}

/// What one try came to.
enum Try {
    Ended(TransferEnd),
    BrokeOff(Words),
}

/// What is known of the file so far.
#[derive(Default)]
struct Known {
    taken: u64,
    /// The store's name for this very content, byte for byte.
    tag: Option<String>,
    /// How long it is in all.
    total: Option<u64>,
}

impl Fetcher {
    /// # Errors
    /// When TLS cannot be set up, or the proxy cannot be used.
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

    /// Hands all bytes behind `link` to `sink`; takes up again what breaks off, at the place where
    /// it did if the store can do that, else from the beginning.
    ///
    /// # Errors
    /// When `sink` cannot keep them.
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
                // A large archive may break off often, and get there all the same.
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
        // Packed on the way, a place in the file would be another one in the transfer.
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
                // Of another file by now, or another part of it: all of it is asked for next.
                *known = Known::default();
                sink.restart()?;
                let reason = Words::ours("the store sent another part than was asked for");
                return Ok(Try::BrokeOff(reason));
            }
            _ if status.is_server_error() => {
                let reason = Words::on_status("the store cannot hand it out now", status.as_u16());
                return Ok(Try::BrokeOff(reason));
            }
            _ => {
                let http_status = status.as_u16();
                return Ok(Try::Ended(TransferEnd::Refused { http_status }));
            }
        }
        let kind = text(response.headers(), CONTENT_TYPE).unwrap_or_default();
        if kind.starts_with("text/html") {
            let reason = Words::ours("a web page came instead");
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

/// Why a transfer failed. The way and the signature in a link are its secret, the host is not.
fn words_of(link: &Url, error: reqwest::Error) -> Words {
    let confidential = Confidential {
        tokens: vec![link.path(), link.query().unwrap_or_default()],
        sent: &|| Some(Vec::new()),
    };
    confidential.error(error)
}

/// Whether a part begins where the last one ended, and goes to the end of the same file.
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

/// A weak tag stays the same for content that is not the same byte for byte.
fn strong_tag(headers: &HeaderMap) -> Option<String> {
    text(headers, ETAG).filter(|tag| tag.starts_with('"'))
}

fn text(headers: &HeaderMap, name: HeaderName) -> Option<String> {
    Some(headers.get(name)?.to_str().ok()?.to_owned())
}
