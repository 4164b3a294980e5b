//! One address, one project, one service account: the query of profiles, the raw export, the lists
//! of copies, and who the account is.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use reqwest::Method;
use reqwest::header::CONTENT_TYPE;
use url::form_urlencoded::Serializer;

use super::copies::{self, CopiesAnswer, CopyKind};
use super::export::{self, ExportStream};
use super::{
    AccountAnswer, AllProfiles, Holders, PageCourse, ProfilePage, Profiles, QueryAnswer,
    classify_account, classify_query,
};
use crate::credentials::ServiceAccount;
use crate::domain::{ApiUrl, DistinctId, ExportWindow, ProjectId, ProjectName, ProjectToken};
use crate::mixpanel::classify::Exchange;
use crate::mixpanel::client::caller::{Caller, Timeouts};
use crate::mixpanel::route::{ClientError, Route, Towards};
use crate::mixpanel::words::{Confidential, SentIds, Words};

/// Asks one address about one project's profiles with one service account. Changes nothing there.
pub struct QueryClient {
    caller: Caller,
    /// For answers of any length.
    streams: Caller,
    timeouts: Timeouts,
    api_url: ApiUrl,
    name: ProjectName,
    token: ProjectToken,
    account: ServiceAccount,
}

impl QueryClient {
    /// Prepares calls beside `api_url`; sends nothing yet.
    ///
    /// # Errors
    /// When TLS cannot be set up, or the proxy is unusable.
    pub fn new(
        (name, token): (ProjectName, ProjectToken),
        api_url: ApiUrl,
        account: ServiceAccount,
        timeouts: Timeouts,
        route: &Route,
    ) -> Result<Self, ClientError> {
        let (user, secret) = account.expose();
        let basic = STANDARD.encode(format!("{user}:{secret}"));
        let authorization = format!("Basic {basic}");
        let towards = || Towards::of(&api_url);
        Ok(Self {
            caller: Caller::new(&authorization, towards(), timeouts, route)?,
            streams: Caller::of_streams(&authorization, towards(), timeouts, route)?,
            timeouts,
            api_url,
            name,
            token,
            account,
        })
    }

    /// The client's account.
    pub fn account(&self) -> &ServiceAccount {
        &self.account
    }

    /// Asks for the next page of `profiles` with exactly one POST: `engage-query`.
    pub async fn engage_query(
        &self,
        project: ProjectId,
        profiles: &Profiles,
    ) -> QueryAnswer<ProfilePage> {
        let ids: Vec<&str> = profiles.asked.iter().map(DistinctId::expose).collect();
        let ids = serde_json::to_string(&ids).expect("texts are always JSON");
        let question = [
            ("distinct_ids", ids),
            // Nothing about the people is needed.
            ("output_properties", r#"["$distinct_id"]"#.to_owned()),
        ];
        self.ask(project, question, &profiles.course).await
    }

    /// Asks for the next page of the profiles that have one of some texts, with exactly one POST.
    pub async fn engage_query_where(
        &self,
        project: ProjectId,
        holders: &Holders,
    ) -> QueryAnswer<ProfilePage> {
        let wanted = serde_json::to_string(&[holders.property()]);
        let question = [
            ("where", holders.expression()),
            ("output_properties", wanted.expect("texts are always JSON")),
        ];
        self.ask(project, question, holders.course()).await
    }

    /// Asks for the next page of all profiles, with exactly one POST.
    pub async fn engage_query_all(
        &self,
        project: ProjectId,
        all: &AllProfiles,
    ) -> QueryAnswer<ProfilePage> {
        let wanted = serde_json::to_string(all.properties());
        let question = [("output_properties", wanted.expect("texts are always JSON"))];
        self.ask(project, question, all.course()).await
    }

    async fn ask<const N: usize>(
        &self,
        project: ProjectId,
        question: [(&str, String); N],
        course: &PageCourse,
    ) -> QueryAnswer<ProfilePage> {
        let mut form = Serializer::new(String::new());
        form.extend_pairs(question);
        if let Some((session, page)) = course.next_page() {
            form.append_pair("session_id", session);
            form.append_pair("page", &page.to_string());
        }
        let request = self
            .caller
            .request(Method::POST, self.api_url.query_endpoint("engage"))
            .query(&[("project_id", project.get())])
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(form.finish());
        let nobody = || Some(Vec::new());
        let unsent = self.confidential(&nobody);
        let exchange = self.caller.exchange(request, &self.name, &unsent).await;
        classify_query(exchange)
    }

    /// Asks for all events of some days with exactly one GET: `raw-event-export`. It names nobody: an
    /// id in an address would be in the logs of proxies.
    pub async fn raw_event_export(
        &self,
        project: ProjectId,
        window: ExportWindow,
    ) -> QueryAnswer<ExportStream> {
        let [from, to] = [window.from, window.to].map(|day| day.to_string());
        let request = self
            .streams
            .request(Method::GET, self.api_url.export_endpoint())
            .query(&[("project_id", project.get())])
            .query(&[("from_date", from), ("to_date", to)]);
        let nobody = || Some(Vec::new());
        let confidential = self.confidential(&nobody);
        let opened = self.streams.open(request, &self.name, &confidential).await;
        export::classify(opened, self.timeouts.total, &confidential).await
    }

    /// The next bytes of an export; `None` at its end.
    ///
    /// # Errors
    /// When the export broke off, was silent for too long, or came too slowly.
    pub async fn next_of(&self, stream: &mut ExportStream) -> Result<Option<Vec<u8>>, Words> {
        let nobody = || Some(Vec::new());
        stream.next(&self.confidential(&nobody)).await
    }

    /// Asks who the account is, which shows whether Mixpanel knows it.
    pub async fn check_account(&self) -> AccountAnswer {
        let request = self.caller.request(Method::GET, self.api_url.own_account());
        let nobody = || Some(Vec::new());
        let confidential = self.confidential(&nobody);
        let exchange = self.caller.exchange(request, &self.name, &confidential);
        classify_account(exchange.await)
    }

    /// Asks for one list of the project's copies: `list-warehouse-pipeline-jobs` or
    /// `list-warehouse-imports`. Sends a second GET only if the first one needs a slash at its end.
    pub async fn list_copies(&self, project: ProjectId, kind: CopyKind) -> CopiesAnswer {
        let nobody = || Some(Vec::new());
        let confidential = self.confidential(&nobody);
        let ask = async |url| {
            let request = self.caller.request(Method::GET, url);
            let request = match kind {
                CopyKind::Pipeline => request.query(&[("project_id", project.get())]),
                CopyKind::WarehouseImport => request,
            };
            let exchange = self.caller.exchange(request, &self.name, &confidential);
            exchange.await
        };
        let exchange = match kind {
            CopyKind::Pipeline => ask(self.api_url.pipelines()).await,
            CopyKind::WarehouseImport => {
                let [described, ended] = self.api_url.warehouse_imports(project);
                match ask(described).await {
                    Exchange::Answered(moved) if matches!(moved.status, 301 | 302 | 307 | 308) => {
                        ask(ended).await
                    }
                    other => other,
                }
            }
        };
        copies::classify(exchange, project, kind, &confidential)
    }

    fn confidential<'a>(&'a self, sent: SentIds<'a>) -> Confidential<'a> {
        let (user, secret) = self.account.expose();
        Confidential {
            tokens: vec![user, secret, self.token.expose()],
            sent,
        }
    }
}
