//! One address and one project of the ingestion API, which takes events and profiles.

use std::io::Write;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::write::GzEncoder;
use reqwest::Method;
use reqwest::header::{AUTHORIZATION, CONTENT_ENCODING, CONTENT_TYPE, HeaderValue};

use super::{ImportAnswer, OutgoingEvent, classify_import, deletion};
use crate::credentials::ServiceAccount;
use crate::domain::{AliasRule, ApiUrl, DistinctId, ProjectId, ProjectName, ProjectToken};
use crate::mixpanel::client::caller::{Caller, Timeouts};
use crate::mixpanel::route::{ClientError, Route, Towards};
use crate::mixpanel::words::Confidential;

/// Sends records to one project. It has no credentials of its own: each operation takes what it
/// needs.
pub struct IngestionClient {
    caller: Caller,
    api_url: ApiUrl,
    name: ProjectName,
    token: ProjectToken,
}

impl IngestionClient {
    /// Prepares calls to the ingestion host of `api_url`; sends nothing yet.
    ///
    /// # Errors
    /// When TLS cannot be set up, or the proxy is unusable.
    pub fn new(
        (name, token): (ProjectName, ProjectToken),
        api_url: ApiUrl,
        timeouts: Timeouts,
        route: &Route,
    ) -> Result<Self, ClientError> {
        Ok(Self {
            caller: Caller::bare(Towards::of(&api_url), timeouts, route)?,
            api_url,
            name,
            token,
        })
    }

    /// Imports a batch of events with exactly one POST: `import-events`, strictly. The bytes of each
    /// event go out as they are.
    pub async fn import_events(
        &self,
        (project, account): (ProjectId, &ServiceAccount),
        events: &[OutgoingEvent<'_>],
    ) -> ImportAnswer {
        let (user, secret) = account.expose();
        let basic = STANDARD.encode(format!("{user}:{secret}"));
        let authorization = HeaderValue::try_from(format!("Basic {basic}"));
        let mut authorization = authorization.expect("base64 is a header's value");
        authorization.set_sensitive(true);
        let request = self
            .caller
            .request(Method::POST, self.api_url.ingestion_endpoint("import"))
            .query(&[("strict", "1")])
            .query(&[("project_id", project.get())])
            .header(AUTHORIZATION, authorization)
            .header(CONTENT_TYPE, "application/json")
            .header(CONTENT_ENCODING, "gzip")
            .body(packed(events));
        let sent = || Some(events.iter().map(|event| event.id.clone()).collect());
        let confidential = Confidential {
            tokens: vec![user, secret, self.token.expose()],
            sent: &sent,
        };
        let exchange = self.caller.exchange(request, &self.name, &confidential);
        classify_import(exchange.await, events, &confidential)
    }

    /// Deletes the profiles of a batch of ids with exactly one POST: `delete-profile`, strictly and
    /// verbosely. Their events stay. It needs no credentials.
    pub async fn delete_profiles(&self, ids: &[DistinctId], rule: AliasRule) -> ImportAnswer {
        let request = self
            .caller
            .request(Method::POST, self.api_url.ingestion_endpoint("engage"))
            .query(&[("strict", "1"), ("verbose", "1")])
            .header(CONTENT_TYPE, "application/json")
            .body(deletion::body(&self.token, ids, rule));
        let sent = || Some(ids.to_vec());
        let confidential = Confidential {
            tokens: vec![self.token.expose()],
            sent: &sent,
        };
        let exchange = self.caller.exchange(request, &self.name, &confidential);
        deletion::classify(exchange.await, ids.len(), &confidential)
    }
}

/// The events as a JSON array, in gzip.
fn packed(events: &[OutgoingEvent<'_>]) -> Vec<u8> {
    let mut packer = GzEncoder::new(Vec::new(), Compression::fast());
    let mut write = || {
        for (place, event) in events.iter().enumerate() {
            packer.write_all(if place == 0 { b"[" } else { b"," })?;
            packer.write_all(event.json)?;
        }
        packer.write_all(b"]")
    };
    let written = write();
    written
        .and_then(|()| packer.finish())
        .expect("memory takes every byte")
}
