//! One address, one project, one service account: the query of profiles, and who the account is.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use reqwest::Method;
use reqwest::header::CONTENT_TYPE;
use url::form_urlencoded::Serializer;

use super::{
    AccountAnswer, Holders, PageCourse, ProfilePage, Profiles, QueryAnswer, classify_account,
    classify_query,
};
use crate::credentials::ServiceAccount;
use crate::domain::{ApiUrl, DistinctId, ProjectId, ProjectName, ProjectToken};
use crate::mixpanel::client::caller::{Caller, Timeouts};
use crate::mixpanel::route::{ClientError, Route, Towards};
use crate::mixpanel::words::{Confidential, SentIds};

/// Asks one address about one project's profiles with one service account. Changes nothing there.
pub struct QueryClient {
    caller: Caller,
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
        let caller = Caller::new(&authorization, Towards::of(&api_url), timeouts, route)?;
        Ok(Self {
            caller,
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
        let sent = || Some(profiles.asked.clone());
        self.ask(project, question, &profiles.course, &sent).await
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
        let sent = || Some(holders.asked().collect());
        self.ask(project, question, holders.course(), &sent).await
    }

    async fn ask(
        &self,
        project: ProjectId,
        question: [(&str, String); 2],
        course: &PageCourse,
        sent: SentIds<'_>,
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
        classify_query(exchange, &self.confidential(sent))
    }

    /// Asks who the account is, which shows whether Mixpanel knows it.
    pub async fn check_account(&self) -> AccountAnswer {
        let request = self.caller.request(Method::GET, self.api_url.own_account());
        let nobody = || Some(Vec::new());
        let confidential = self.confidential(&nobody);
        let exchange = self.caller.exchange(request, &self.name, &confidential);
        classify_account(exchange.await)
    }

    fn confidential<'a>(&'a self, sent: SentIds<'a>) -> Confidential<'a> {
        let (user, secret) = self.account.expose();
        Confidential {
            tokens: vec![user, secret, self.token.expose()],
            sent,
        }
    }
}
