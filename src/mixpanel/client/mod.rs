//! One address, one project, one token: the five calls.

pub(super) mod caller;
mod fenced;

use std::cell::Cell;

use chrono::{DateTime, Utc};
use reqwest::Method;
use reqwest::header::CONTENT_TYPE;

use crate::credentials::OauthToken;
use crate::domain::{ApiUrl, Batch, Operation, Project, SubjectRequestId, TaskId};

use super::answer::{CancelAnswer, CreateAnswer, StatusAnswer, TokenStanding};
use super::classify::{self, Exchange};
use super::route::{ClientError, Route, Towards};
use super::wire::CreateBody;
use super::words::{Confidential, SentIds, Words};
use caller::{Caller, Timeouts};
use fenced::{FencedBody, HeldBack};

const RETRIEVALS: &str = "data-retrievals";
const DELETIONS: &str = "data-deletions";
const VERSION: &str = "v3.0";

/// Calls one address for one project with one token.
pub struct Client {
    caller: Caller,
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
        let authorization = format!("Bearer {}", token.expose());
        let caller = Caller::new(&authorization, Towards::of(&api_url), timeouts, route)?;
        Ok(Self {
            caller,
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
        self.caller
            .request(method, self.api_url.endpoint(path))
            .query(&[("token", self.project.token.expose())])
    }

    async fn exchange(&self, request: reqwest::RequestBuilder) -> Exchange {
        // A call that fails shows nothing.
        self.token_standing.set(None);
        // Nothing was answered, so no id can be quoted.
        let confidential = self.confidential(&|| Some(Vec::new()));
        let name = &self.project.name;
        let exchange = self.caller.exchange(request, name, &confidential).await;
        self.server_time.set(match &exchange {
            Exchange::Answered(answered) => answered.time(),
            Exchange::NotSent { .. } | Exchange::Lost { .. } => None,
        });
        self.token_standing.set(match &exchange {
            Exchange::Answered(answered) => classify::token_standing(answered),
            Exchange::NotSent { .. } | Exchange::Lost { .. } => None,
        });
        exchange
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
}
