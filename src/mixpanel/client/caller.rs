//! Makes single calls: each on its own connection, without redirect or retry, with a bounded answer.

use std::sync::Once;
use std::time::{Duration, Instant};

use reqwest::header::{ACCEPT_ENCODING, AUTHORIZATION, DATE, HeaderMap, HeaderValue, RETRY_AFTER};
use reqwest::{ClientBuilder, Method, RequestBuilder, Response, StatusCode, redirect, retry};
use url::Url;

use crate::domain::ProjectName;
use crate::mixpanel::classify::{Answered, Exchange};
use crate::mixpanel::route::{ClientError, Route, Towards};
use crate::mixpanel::words::{Confidential, Words, describe};

/// The largest reply to read, in bytes.
const MAX_BODY: usize = 8 * 1024 * 1024;

/// How long a call may take.
#[derive(Debug, Clone, Copy)]
pub struct Timeouts {
    /// For the connection with its TLS handshake. Shorter than `total`, so that a stalled handshake
    /// cannot look like a lost answer.
    pub connect: Duration,
    /// For the whole call. Mixpanel's edge ends a call after about 120 s.
    pub total: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(15),
            total: Duration::from_secs(140),
        }
    }
}

/// Sends calls with one `Authorization`.
pub(in crate::mixpanel) struct Caller {
    http: reqwest::Client,
}

impl Caller {
    /// # Errors
    /// When TLS cannot be set up, or the proxy or the authorization is unusable.
    pub(in crate::mixpanel) fn new(
        authorization: &str,
        towards: Towards,
        timeouts: Timeouts,
        route: &Route,
    ) -> Result<Self, ClientError> {
        // A compressed answer can unpack to a thousand times its size.
        Self::accepting("identity", Some(authorization), towards, route, |builder| {
            let builder = builder.connect_timeout(timeouts.connect);
            builder.timeout(timeouts.total)
        })
    }

    /// Without an authorization: a call brings its own, or needs none.
    ///
    /// # Errors
    /// When TLS cannot be set up, or the proxy is unusable.
    pub(in crate::mixpanel) fn bare(
        towards: Towards,
        timeouts: Timeouts,
        route: &Route,
    ) -> Result<Self, ClientError> {
        Self::accepting("identity", None, towards, route, |builder| {
            let builder = builder.connect_timeout(timeouts.connect);
            builder.timeout(timeouts.total)
        })
    }

    /// For answers of any length: they come compressed and stay so, and may take any time as long as
    /// they are not silent for `timeouts.total`.
    ///
    /// # Errors
    /// The same as [`Self::new`].
    pub(in crate::mixpanel) fn of_streams(
        authorization: &str,
        towards: Towards,
        timeouts: Timeouts,
        route: &Route,
    ) -> Result<Self, ClientError> {
        Self::accepting("gzip", Some(authorization), towards, route, |builder| {
            let builder = builder.connect_timeout(timeouts.connect).no_gzip();
            builder.read_timeout(timeouts.total)
        })
    }

    fn accepting(
        encoding: &'static str,
        authorization: Option<&str>,
        towards: Towards,
        route: &Route,
        timed: impl FnOnce(ClientBuilder) -> ClientBuilder,
    ) -> Result<Self, ClientError> {
        install_crypto();
        let setup = |reason: String| ClientError::Setup { reason };
        let encoding = HeaderValue::from_static(encoding);
        let mut headers = HeaderMap::from_iter([(ACCEPT_ENCODING, encoding)]);
        if let Some(authorization) = authorization {
            let mut value = HeaderValue::try_from(authorization)
                .map_err(|_| setup("the token cannot be a header".to_owned()))?;
            value.set_sensitive(true);
            headers.insert(AUTHORIZATION, value);
        }
        let builder = reqwest::Client::builder()
            .user_agent(concat!("dsr/", env!("CARGO_PKG_VERSION")))
            .default_headers(headers)
            // A redirect could carry ids to another host, or turn a POST into a GET that succeeds.
            .redirect(redirect::Policy::none())
            .retry(retry::never())
            // A new connection for each call. A reused connection that died would leave the outcome
            // unclear, or be replaced and the request sent again unnoticed.
            .pool_max_idle_per_host(0)
            .http1_only();
        let http = route
            .apply(timed(builder), towards)?
            .build()
            .map_err(|error| setup(describe(error)))?;
        Ok(Self { http })
    }

    pub(in crate::mixpanel) fn request(&self, method: Method, url: Url) -> RequestBuilder {
        self.http.request(method, url)
    }

    /// `confidential` is searched for in errors before an answer, which quote no id.
    pub(in crate::mixpanel) async fn exchange(
        &self,
        request: RequestBuilder,
        project: &ProjectName,
        confidential: &Confidential<'_>,
    ) -> Exchange {
        let started = Instant::now();
        let exchange = match request.send().await {
            Ok(response) => read(response, confidential).await,
            Err(error) => unanswered(error, confidential),
        };
        note(project, &outcome_of(&exchange), started);
        exchange
    }

    /// The same for an answer of any length: hands on a 200, whose body is still to come.
    pub(in crate::mixpanel) async fn open(
        &self,
        request: RequestBuilder,
        project: &ProjectName,
        confidential: &Confidential<'_>,
    ) -> Result<Response, Exchange> {
        let started = Instant::now();
        let exchange = match request.send().await {
            Ok(response) if response.status() == StatusCode::OK => {
                note(project, "200, and its body comes", started);
                return Ok(response);
            }
            Ok(response) => read(response, confidential).await,
            Err(error) => unanswered(error, confidential),
        };
        note(project, &outcome_of(&exchange), started);
        Err(exchange)
    }
}

fn unanswered(error: reqwest::Error, confidential: &Confidential<'_>) -> Exchange {
    let (is_unsent, reason) = (error.is_connect(), confidential.error(error));
    match is_unsent {
        true => Exchange::NotSent { reason },
        false => Exchange::Lost {
            status: None,
            reason,
        },
    }
}

fn outcome_of(exchange: &Exchange) -> String {
    match exchange {
        Exchange::NotSent { .. } => "not sent".to_owned(),
        Exchange::Lost { .. } => "no usable answer".to_owned(),
        Exchange::Answered(answered) => answered.status.to_string(),
    }
}

fn note(project: &ProjectName, outcome: &str, started: Instant) {
    let milliseconds = started.elapsed().as_millis();
    tracing::debug!(%project, outcome, milliseconds, "call");
}

async fn read(mut response: Response, confidential: &Confidential<'_>) -> Exchange {
    let status = response.status().as_u16();
    let header = |name| {
        let value = response.headers().get(name);
        value.and_then(|value: &HeaderValue| Some(value.to_str().ok()?.to_owned()))
    };
    let (retry_after, date) = (header(RETRY_AFTER), header(DATE));
    let mut body = Vec::new();
    let lost = |reason| Exchange::Lost {
        status: Some(status),
        reason,
    };
    loop {
        match response.chunk().await {
            Ok(None) => break,
            Ok(Some(chunk)) if body.len() + chunk.len() <= MAX_BODY => {
                body.extend_from_slice(&chunk);
            }
            // A 429 needs no body.
            Ok(Some(_)) | Err(_) if status == 429 => break,
            Ok(Some(_)) => {
                return lost(Words::on_status("the reply is longer than 8 MiB", status));
            }
            Err(error) => {
                let reason = confidential.error(error);
                return lost(reason.after("the reply was cut off: "));
            }
        }
    }
    Exchange::Answered(Answered {
        status,
        retry_after,
        date,
        body,
    })
}

pub(in crate::mixpanel) fn install_crypto() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // An error means that another provider is installed, which works too.
        drop(rustls::crypto::ring::default_provider().install_default());
    });
}
