//! One address, one project, one token: the five calls.

mod fenced;

use std::cell::Cell;
use std::sync::Once;
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use reqwest::header::{
    ACCEPT_ENCODING, AUTHORIZATION, CONTENT_TYPE, DATE, HeaderMap, HeaderValue, RETRY_AFTER,
};
use reqwest::{Method, Response, redirect, retry};

use crate::credentials::OauthToken;
use crate::domain::{ApiUrl, Batch, Operation, Project, SubjectRequestId, TaskId};

use super::answer::{CancelAnswer, CreateAnswer, StatusAnswer, TokenStanding};
use super::classify::{self, Answered, Exchange};
use super::route::{ClientError, Route, Towards};
use super::wire::CreateBody;
use super::words::{Confidential, SentIds, Words, describe};
use fenced::{FencedBody, HeldBack};

/// The largest reply to read, in bytes.
const MAX_BODY: usize = 8 * 1024 * 1024;

const RETRIEVALS: &str = "data-retrievals";
const DELETIONS: &str = "data-deletions";
const VERSION: &str = "v3.0";

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

/// Calls one address for one project with one token.
pub struct Client {
    http: reqwest::Client,
    api_url: ApiUrl,
    project: Project,
    token: OauthToken,
    server_time: Cell<Option<DateTime<Utc>>>,
    token_standing: Cell<Option<TokenStanding>>,
}

impl Client {
    /// Prepares calls to `api_url`; sends nothing yet.
    ///
    /// # Errors
    /// When TLS cannot be set up, or the proxy is unusable.
    pub fn new(
        project: Project,
        api_url: ApiUrl,
        token: &OauthToken,
        timeouts: Timeouts,
        route: &Route,
    ) -> Result<Self, ClientError> {
        install_crypto();
        let setup = |reason: String| ClientError::Setup { reason };
        let mut authorization = HeaderValue::try_from(format!("Bearer {}", token.expose()))
            .map_err(|_| setup("the token cannot be a header".to_owned()))?;
        authorization.set_sensitive(true);
        let builder = reqwest::Client::builder()
            .user_agent(concat!("dsr/", env!("CARGO_PKG_VERSION")))
            .default_headers(HeaderMap::from_iter([
                (AUTHORIZATION, authorization),
                // A compressed answer can unpack to a thousand times its size.
                (ACCEPT_ENCODING, HeaderValue::from_static("identity")),
            ]))
            // A redirect could carry ids to another host, or turn a POST into a GET that succeeds.
            .redirect(redirect::Policy::none())
            .retry(retry::never())
            // A new connection for each call. A reused connection that died would leave the outcome
            // unclear, or be replaced and the request sent again unnoticed.
            .pool_max_idle_per_host(0)
            .http1_only()
            .connect_timeout(timeouts.connect)
            .timeout(timeouts.total);
        let towards = match api_url.is_loopback() {
            true => Towards::Loopback,
            false => Towards::Internet,
        };
        let http = route
            .apply(builder, towards)?
            .build()
            .map_err(|error| setup(describe(error)))?;
        Ok(Self {
            http,
            api_url,
            project,
            token: token.clone(),
            server_time: Cell::new(None),
            token_standing: Cell::new(None),
        })
    }

    /// The client's project.
    pub fn project(&self) -> &Project {
        &self.project
    }

    /// The server's time in its last answer, if it had one; in whole seconds.
    pub fn server_time(&self) -> Option<DateTime<Utc>> {
        self.server_time.get()
    }

    /// What the last answer showed about the token, if anything.
    pub fn token_standing(&self) -> Option<TokenStanding> {
        self.token_standing.get()
    }

    /// The client's token.
    pub fn token(&self) -> &OauthToken {
        &self.token
    }

    /// The address of its calls.
    pub fn api_url(&self) -> &ApiUrl {
        &self.api_url
    }

    #[cfg(test)]
    pub(super) fn project_mut(&mut self) -> &mut Project {
        &mut self.project
    }

    /// Creates a retrieval or a deletion with exactly one POST: `create-retrieval`,
    /// `create-deletion`. `may_leave` is asked as late as possible; after a no, nothing was sent.
    pub async fn create(
        &self,
        operation: Operation,
        batch: &Batch,
        subject: SubjectRequestId,
        may_leave: impl Fn() -> bool + Send + Sync + Unpin + 'static,
    ) -> CreateAnswer {
        let path = match operation {
            Operation::Export(_) => RETRIEVALS,
            Operation::Delete(_) => DELETIONS,
        };
        let body = CreateBody::new(operation, batch, subject, &self.project);
        let held = HeldBack::default();
        let body = FencedBody::new(body.to_json(), may_leave, &held);
        let request = self
            .request(Method::POST, &[path, VERSION])
            .header(CONTENT_TYPE, "application/json")
            .body(reqwest::Body::wrap(body));
        let exchange = match self.exchange(request).await {
            Exchange::Lost { .. } if held.is_true() => Exchange::NotSent {
                reason: Words::ours("dsr could not send the job in time, so it sent nothing"),
            },
            exchange => exchange,
        };
        classify::create(exchange, batch, self.tokens())
    }

    /// Asks for a retrieval's status: `get-retrieval`. `sent` finds the ids it was made for.
    pub async fn get_retrieval(&self, task: &TaskId, sent: SentIds<'_>) -> StatusAnswer {
        let request = self.request(Method::GET, &[RETRIEVALS, VERSION, task.as_str()]);
        classify::status(self.exchange(request).await, &self.confidential(sent))
    }

    /// Asks for a deletion's status: `get-deletion`. `sent` finds the ids it was made for.
    pub async fn get_deletion(&self, task: &TaskId, sent: SentIds<'_>) -> StatusAnswer {
        let request = self.request(Method::GET, &[DELETIONS, VERSION, task.as_str()]);
        classify::status(self.exchange(request).await, &self.confidential(sent))
    }

    /// Cancels a deletion that has not started: `delete-deletion`.
    pub async fn delete_deletion(&self, task: &TaskId) -> CancelAnswer {
        let request = self.request(Method::DELETE, &[DELETIONS, VERSION, task.as_str()]);
        classify::cancel(self.exchange(request).await)
    }

    fn request(&self, method: Method, path: &[&str]) -> reqwest::RequestBuilder {
        self.http
            .request(method, self.api_url.endpoint(path))
            .query(&[("token", self.project.token.expose())])
    }

    async fn exchange(&self, request: reqwest::RequestBuilder) -> Exchange {
        let started = Instant::now();
        // A call that fails shows nothing.
        self.token_standing.set(None);
        let exchange = match request.send().await {
            Ok(response) => self.read(response).await,
            Err(error) if error.is_connect() => Exchange::NotSent {
                reason: self.describe(error),
            },
            Err(error) => Exchange::Lost {
                status: None,
                reason: self.describe(error),
            },
        };
        self.server_time.set(match &exchange {
            Exchange::Answered(answered) => answered.time(),
            Exchange::NotSent { .. } | Exchange::Lost { .. } => None,
        });
        self.token_standing.set(match &exchange {
            Exchange::Answered(answered) => classify::token_standing(answered),
            Exchange::NotSent { .. } | Exchange::Lost { .. } => None,
        });
        let outcome = match &exchange {
            Exchange::NotSent { .. } => "not sent".to_owned(),
            Exchange::Lost { .. } => "no usable answer".to_owned(),
            Exchange::Answered(answered) => answered.status.to_string(),
        };
        let milliseconds = started.elapsed().as_millis();
        tracing::debug!(project = %self.project.name, outcome, milliseconds, "call");
        exchange
    }

    async fn read(&self, mut response: Response) -> Exchange {
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
                    return lost(self.describe(error).after("the reply was cut off: "));
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

    fn tokens(&self) -> Vec<&str> {
        vec![self.token.expose(), self.project.token.expose()]
    }

    fn confidential<'a>(&'a self, sent: SentIds<'a>) -> Confidential<'a> {
        Confidential {
            tokens: self.tokens(),
            sent,
        }
    }

    fn describe(&self, error: reqwest::Error) -> Words {
        // Nothing was answered, so no id can be quoted.
        self.confidential(&|| Some(Vec::new())).error(error)
    }
}

pub(super) fn install_crypto() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // An error means that another provider is installed, which works too.
        drop(rustls::crypto::ring::default_provider().install_default());
    });
}
