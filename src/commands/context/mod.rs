//! What every command works with.

pub(super) mod holders;
pub(super) mod ledger;
pub(super) mod named;
mod queries;
pub(super) mod tokens;

use std::cell::{LazyCell, RefCell};
use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::Duration;

use chrono::NaiveDate;

use crate::commands::failures::usage;
use crate::config::{
    Environment, Home, Mode, ProjectsFile, Proxy, ResolveError, Resolved, resolve,
};
use crate::credentials::OauthToken;
use crate::domain::{Actor, ApiUrl, Clock, Project, ProjectKey, ProjectName, TokenName};
use crate::ledger::{Backlog, Ledger, RequestRecord, ServerClock, Which};
use crate::mixpanel::{Client, IngestionClient, QueryClient, Route, Timeouts};
use crate::sandbox;
use crate::ui::{Failure, Ui};
use crate::workflow::{Interrupt, Observer, Run, RunTally};

/// What a command works with. Each part is made on first use: a command that needs no token never
/// asks for one.
pub(crate) struct Context {
    pub(crate) ui: Ui,
    pub(crate) environment: Environment,
    pub(crate) home: Home,
    pub(crate) mode: Mode,
    pub(crate) clock: Box<dyn Clock>,
    /// This machine's own clock.
    pub(crate) host_clock: Box<dyn Clock>,
    /// The same for a ledger on a server, which `clock` follows.
    pub(crate) server_clock: ServerClock,
    pub(crate) interrupt: Interrupt,
    /// The command, such as `dsr delete`, without any argument.
    pub(crate) command: &'static str,
    /// Who started this process, asked of the system on first use.
    pub(crate) actor: LazyCell<Actor>,
    pub(crate) projects: Vec<String>,
    pub(crate) lock_timeout: Duration,
    pub(crate) sandbox: Option<sandbox::Running>,
    /// The last day of each project's token, where it is known. The environment's token serves
    /// every project and has no key.
    pub(crate) token_ends: RefCell<HashMap<Option<ProjectKey>, NaiveDate>>,
}

impl Context {
    pub(crate) fn is_sandbox(&self) -> bool {
        matches!(self.mode, Mode::Sandbox { .. })
    }

    pub(crate) fn actor(&self) -> &Actor {
        &self.actor
    }

    pub(crate) fn projects_file(&self) -> Result<ProjectsFile, Failure> {
        Ok(ProjectsFile::load(self.home.config_file())?)
    }

    /// Whether the operator means this project. Without `--project`, every project is meant.
    pub(crate) fn means(&self, project: &ProjectName) -> bool {
        let mut named = self.projects.iter();
        self.projects.is_empty() || named.any(|name| name == project.as_str())
    }

    /// Refuses a project that is neither set up nor in the ledger: a mistyped name must not look
    /// like a project without requests.
    pub(crate) fn refuse_unknown_projects(&self, ledger: &Ledger) -> Result<(), Failure> {
        for name in &self.projects {
            let file = self.projects_file()?;
            let named = std::slice::from_ref(name);
            let found = resolve(named, &self.environment, &file, &self.mode);
            let Err(error @ ResolveError::UnknownProject { .. }) = found else {
                continue;
            };
            let is_recorded = |request: &RequestRecord| request.asked.project.as_str() == name;
            if !ledger.list_requests(Which::All)?.iter().any(is_recorded) {
                return Err(error.into());
            }
        }
        Ok(())
    }

    pub(crate) fn resolve(&self) -> Result<Vec<Resolved>, Failure> {
        let file = self.projects_file()?;
        Ok(resolve(
            &self.projects,
            &self.environment,
            &file,
            &self.mode,
        )?)
    }

    pub(crate) fn resolve_named(&self, name: &ProjectName) -> Result<Resolved, Failure> {
        let file = self.projects_file()?;
        let named = [name.to_string()];
        let mut found = resolve(&named, &self.environment, &file, &self.mode)?;
        Ok(found.remove(0))
    }

    /// Returns the projects of these requests that are still set up with the same token.
    pub(crate) fn projects_of(&self, requests: &[RequestRecord]) -> Result<Vec<Project>, Failure> {
        let file = self.projects_file()?;
        let asked = requests.iter().map(|request| &request.asked);
        let named: BTreeSet<_> = asked
            .map(|a| (&a.project, a.project_key.as_str()))
            .collect();
        Ok(named
            .into_iter()
            .filter_map(|(name, key)| self.project_named(&file, name, key))
            .collect())
    }

    /// Returns the project of this name, if it is still set up with the same token.
    pub(crate) fn project_named(
        &self,
        file: &ProjectsFile,
        name: &ProjectName,
        key: &str,
    ) -> Option<Project> {
        let found = resolve(&[name.to_string()], &self.environment, file, &self.mode);
        let mut found = found.into_iter().flatten().map(|found| found.project);
        found.find(|project| project.key().as_str() == key)
    }

    /// Makes a client for each project, and warns of tokens that end soon. May start the sandbox.
    pub(crate) fn clients(
        &mut self,
        projects: &[Project],
    ) -> Result<HashMap<ProjectKey, Client>, Failure> {
        let clients = self.clients_within(projects, Timeouts::default())?;
        let tokens = clients.values().map(Client::token);
        let by_name: BTreeMap<_, _> = tokens.map(|token| (token.name(), token)).collect();
        by_name.values().for_each(|token| self.warn_of_age(token));
        for (project, client) in &clients {
            self.note_end(Some(project), client.token());
        }
        Ok(clients)
    }

    /// Like `clients`, with these timeouts and without warnings.
    pub(crate) fn clients_within(
        &mut self,
        projects: &[Project],
        timeouts: Timeouts,
    ) -> Result<HashMap<ProjectKey, Client>, Failure> {
        let mut clients = HashMap::new();
        if projects.is_empty() {
            return Ok(clients);
        }
        let route = self.route()?;
        if let Some(proxy) = self.proxy_for(projects) {
            let (variable, host) = (proxy.variable, proxy.host.as_deref());
            tracing::info!(variable, host, "calls go through a proxy");
        }
        let mut tokens: HashMap<Option<TokenName>, OauthToken> = HashMap::new();
        for project in projects {
            let token = match tokens.entry(project.auth.clone()) {
                Entry::Occupied(found) => found.into_mut(),
                Entry::Vacant(free) => {
                    let found = self.token_of(project);
                    free.insert(found.map_err(|failure| match projects.len() {
                        0 | 1 => failure,
                        _ => leaving_out(failure, &project.name),
                    })?)
                }
            };
            let api_url = match self.mode {
                Mode::Real => project.api_url.clone(),
                Mode::Sandbox { .. } => self.sandbox_url(projects)?,
            };
            // A project token is part of every address, and so of the logs of proxies.
            if token.expose() == project.token.expose() {
                let (name, is) = (&project.name, "is the OAuth token");
                return Err(usage(format!(
                    "the project token of `{name}` {is}; nothing was sent"
                ))
                .hint("set the project token: 32 hex digits, in Mixpanel's project settings"));
            }
            let client = Client::new(project.clone(), api_url, token, timeouts, &route)?;
            clients.insert(project.key(), client);
        }
        Ok(clients)
    }

    /// Makes a client that asks for the project's profiles. May start the sandbox.
    pub(crate) fn query_client(
        &mut self,
        project: &Project,
        timeouts: Timeouts,
    ) -> Result<QueryClient, Failure> {
        let account = self.account_of(project)?;
        let api_url = match self.mode {
            Mode::Real => project.api_url.clone(),
            Mode::Sandbox { .. } => self.sandbox_url(std::slice::from_ref(project))?,
        };
        let named = (project.name.clone(), project.token.clone());
        let route = self.route()?;
        Ok(QueryClient::new(named, api_url, account, timeouts, &route)?)
    }

    /// Makes a client of the ingestion API. May start the sandbox.
    pub(crate) fn ingestion_client(
        &mut self,
        project: &Project,
        timeouts: Timeouts,
    ) -> Result<IngestionClient, Failure> {
        let api_url = match self.mode {
            Mode::Real => project.api_url.clone(),
            Mode::Sandbox { .. } => self.sandbox_url(std::slice::from_ref(project))?,
        };
        let named = (project.name.clone(), project.token.clone());
        let route = self.route()?;
        Ok(IngestionClient::new(named, api_url, timeouts, &route)?)
    }

    /// Returns the proxy and the CA certificates that calls use.
    pub(crate) fn route(&self) -> Result<Route, Failure> {
        let environment = &self.environment;
        let (proxy, no_proxy) = (environment.proxy.clone(), environment.no_proxy.clone());
        let route = Route::default().through(proxy, no_proxy);
        Ok(match &environment.ca_file {
            Some(path) if !self.is_sandbox() => route.believing(path)?,
            Some(_) | None => route,
        })
    }

    /// Returns the proxy that calls for these projects use. Calls to loopback use none.
    fn proxy_for(&self, projects: &[Project]) -> Option<&Proxy> {
        let goes_out = |project: &Project| !project.api_url.is_loopback();
        let is_real = !self.is_sandbox() && projects.iter().any(goes_out);
        self.environment.proxy.as_ref().filter(|_| is_real)
    }

    /// Makes a client for each project with jobs to ask about, if the project is still set up.
    pub(crate) fn clients_for(
        &mut self,
        backlogs: &[Backlog],
    ) -> Result<HashMap<ProjectKey, Client>, Failure> {
        let file = self.projects_file()?;
        let found = backlogs.iter().filter_map(|backlog| {
            self.project_named(&file, &backlog.project, backlog.key.as_str())
        });
        let projects: Vec<Project> = found.collect();
        self.clients(&projects)
    }

    pub(crate) fn run<'a>(
        &'a self,
        ledger: &'a mut Ledger,
        clients: &'a HashMap<ProjectKey, Client>,
        observer: &'a dyn Observer,
    ) -> Run<'a> {
        Run {
            ledger,
            clients,
            clock: self.clock.as_ref(),
            interrupt: &self.interrupt,
            observer,
            tally: RunTally::default(),
        }
    }

    fn sandbox_url(&mut self, projects: &[Project]) -> Result<ApiUrl, Failure> {
        let running = match self.sandbox.take() {
            Some(running) => running,
            None => sandbox::start(self.rehearsal(projects))?,
        };
        let url = ApiUrl::parse(&running.api_url());
        self.sandbox = Some(running);
        url.map_err(|error| usage(error.to_string()))
    }

    /// Settings of a sandbox whose exports are locked, as Mixpanel's are. It knows these projects
    /// and those that the operator means.
    fn rehearsal(&self, projects: &[Project]) -> sandbox::Settings {
        let meant = self.resolve().unwrap_or_default();
        let meant = meant.iter().map(|found| &found.project);
        let tokens = projects
            .iter()
            .chain(meant)
            .map(|project| project.token.expose());
        sandbox::Settings {
            exports: sandbox::Exports {
                archive: sandbox::ExportArchive::ZipCrypto,
                members: sandbox::ExportMembers::Documented,
                ..sandbox::Exports::default()
            },
            projects: tokens.map(str::to_owned).collect(),
            ..sandbox::Settings::new(self.home.sandbox_server())
        }
    }
}

/// Adds how to work on the other projects if one has no usable token.
fn leaving_out(failure: Failure, project: &ProjectName) -> Failure {
    let hint = failure.hint.clone().unwrap_or_default();
    failure.hint(format!(
        "{hint}; this is the token of project `{project}`. To work on the other projects, add `--project NAME`"
    ))
}
