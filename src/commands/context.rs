use std::cell::{LazyCell, RefCell};
use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::Duration;

use chrono::{DateTime, NaiveDate, Utc};

use crate::config::{Environment, Home, Mode, ProjectsFile, Proxy, Resolved, resolve};
use crate::credentials::{
    CredentialError, OauthToken, TokenAge, TokenOrigin, WARN_DAYS, find_environments_token,
    find_valid_token,
};
use crate::domain::{Actor, ApiUrl, Clock, Project, ProjectKey, ProjectName, TokenName};
use crate::ledger::{
    Backlog, Ledger, Opening, Patience, Rejection, RequestRecord, Seen, SteadyClock, find_seen,
};
use crate::mixpanel::{Client, Route, Timeouts};
use crate::sandbox;
use crate::ui::{Failure, Ui, day_count};
use crate::workflow::{Interrupt, Observer, Run, Tally};

use super::failures::{no_ledger, renewal};
use super::holders;

/// What a command works with. Everything is made when it is first asked for: a command that
/// needs no token asks for none.
pub(crate) struct Context {
    pub(crate) ui: Ui,
    pub(crate) environment: Environment,
    pub(crate) home: Home,
    pub(crate) mode: Mode,
    pub(crate) clock: Box<dyn Clock>,
    pub(crate) interrupt: Interrupt,
    /// The command, such as `dsr delete`, without any argument.
    pub(crate) command: &'static str,
    /// Who started this process; asked of the system when it is first needed.
    pub(crate) actor: LazyCell<Actor>,
    /// What `--project` names.
    pub(crate) projects: Vec<String>,
    pub(crate) lock_timeout: Duration,
    pub(crate) sandbox: Option<sandbox::Running>,
    /// The last day of each project's token that was found, if that is known; the environment's
    /// token, which is every project's, has no key.
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

    /// Whether the operator means this project: with no `--project`, every one.
    pub(crate) fn means(&self, project: &ProjectName) -> bool {
        let mut named = self.projects.iter();
        self.projects.is_empty() || named.any(|name| name == project.as_str())
    }

    /// The projects the operator means.
    pub(crate) fn resolve(&self) -> Result<Vec<Resolved>, Failure> {
        let file = self.projects_file()?;
        Ok(resolve(
            &self.projects,
            &self.environment,
            &file,
            &self.mode,
        )?)
    }

    /// The project of this name.
    pub(crate) fn resolve_named(&self, name: &ProjectName) -> Result<Resolved, Failure> {
        let file = self.projects_file()?;
        let named = [name.to_string()];
        let mut found = resolve(&named, &self.environment, &file, &self.mode)?;
        Ok(found.remove(0))
    }

    /// The projects of requests in the ledger, as far as they are still set up and the same.
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

    /// The project of this name, if it is still set up and the same.
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

    /// Whether anything was ever recorded here. A file without a byte is no ledger.
    pub(crate) fn has_ledger(&self) -> bool {
        std::fs::metadata(self.home.ledger()).is_ok_and(|metadata| metadata.len() > 0)
    }

    /// Opens the ledger that is there, and does nothing else: it may have been set back.
    pub(crate) fn open_ledger(&self) -> Result<Ledger, Failure> {
        match !self.has_ledger() && find_seen(&self.home.ledger())? == Seen::Nothing {
            true => Err(no_ledger(&self.home.ledger())),
            false => self.open_or_make_ledger(),
        }
    }

    /// The same for the operator to look at. Where there is none, or it was set back, that is said.
    pub(crate) fn ledger_as_it_is(&self) -> Result<Ledger, Failure> {
        let ledger = match self.warn_of_no_ledger()? {
            Some(empty) => return Ok(empty),
            None => self.open_ledger()?,
        };
        match self.warn_of_set_back(&ledger)? {
            true => Ok(ledger),
            false => self.catch_up(ledger),
        }
    }

    /// The ledger, or an empty one where there is none, which is said.
    pub(crate) fn ledger_if_any(&self) -> Result<Ledger, Failure> {
        self.warn_of_no_ledger()?.map_or_else(|| self.ledger(), Ok)
    }

    /// The ledger, or an empty one where there is none: no file is made.
    pub(crate) fn ledger_or_empty(&self) -> Result<Ledger, Failure> {
        self.empty_ledger()?.map_or_else(|| self.ledger(), Ok)
    }

    /// The same, as it is: the doctor settles nothing.
    pub(crate) fn ledger_to_ask(&self) -> Result<Ledger, Failure> {
        self.empty_ledger()?.map_or_else(|| self.open_ledger(), Ok)
    }

    fn warn_of_no_ledger(&self) -> Result<Option<Ledger>, Failure> {
        let empty = self.empty_ledger()?;
        if empty.is_some() {
            let none = no_ledger(&self.home.ledger());
            let hint = none.hint.unwrap_or_default();
            self.ui
                .warn("no_ledger", &format!("{}; {hint}", none.message));
        }
        Ok(empty)
    }

    fn empty_ledger(&self) -> Result<Option<Ledger>, Failure> {
        let path = self.home.ledger();
        match self.has_ledger() || find_seen(&path)? != Seen::Nothing {
            true => Ok(None),
            false => Ok(Some(Ledger::nowhere(&self.opening(), &path)?)),
        }
    }

    /// Says so where the ledger lacks what this host has seen of it; whether it does.
    pub(crate) fn warn_of_set_back(&self, ledger: &Ledger) -> Result<bool, Failure> {
        let set_back = ledger.find_set_back()?;
        if let Some(set_back) = &set_back {
            let way_out =
                "nothing is sent until you restore the newest one or run `dsr ledger accept`";
            let message = format!("{set_back}; {way_out}");
            self.ui.warn("ledger_set_back", &message);
        }
        Ok(set_back.is_some())
    }

    /// Says what the ledger lacks for good, and what follows from that; whether it lacks anything.
    pub(crate) fn warn_of_lost_time(
        &self,
        ledger: &Ledger,
        consequence: &str,
    ) -> Result<bool, Failure> {
        let lost = ledger.list_lost_times()?;
        let times: Vec<String> = lost.iter().map(ToString::to_string).collect();
        if !times.is_empty() {
            let message = times.join("; ") + consequence;
            self.ui.warn("set_back_accepted", &message);
        }
        Ok(!times.is_empty())
    }

    pub(crate) fn opening(&self) -> Opening {
        Opening {
            actor: self.actor().clone(),
            command: self.command.to_owned(),
            now: self.clock.now(),
            steady: SteadyClock::of_this_machine(),
        }
    }

    /// How long another process is waited for that holds the ledger; the operator hears of it.
    pub(crate) fn patience(&self) -> Patience {
        let (aside, held) = (self.ui.aside(), self.home.ledger());
        Patience::new(self.lock_timeout, move |left| {
            aside.note(&holders::waiting(&held, left));
        })
    }

    fn open_or_make_ledger(&self) -> Result<Ledger, Failure> {
        let path = self.home.ledger();
        Ok(Ledger::open_by(&self.opening(), &path, self.patience())?)
    }

    /// The ledger that is there and was not set back, with what dead processes left in it settled.
    pub(crate) fn ledger(&self) -> Result<Ledger, Failure> {
        self.catch_up(self.open_ledger()?)
    }

    /// The same for what records something new: where there is none, it is made.
    pub(crate) fn ledger_to_fill(&self) -> Result<Ledger, Failure> {
        self.catch_up(self.open_or_make_ledger()?)
    }

    /// Records what receipts know of, and says of whatever a killed dsr left behind that it is unknown.
    fn catch_up(&self, mut ledger: Ledger) -> Result<Ledger, Failure> {
        ledger.demand_not_set_back()?;
        self.warn_of_rejections(&ledger)?;
        let receipts = ledger.record_receipts(self.clock.now())?;
        if receipts.recorded > 0 {
            let count = receipts.recorded;
            self.ui.warn(
                "receipts",
                &format!("a dsr could not record what Mixpanel had accepted; recorded now from its receipts: {count}"),
            );
        }
        for left in receipts.left {
            self.ui.warn("receipt_left", &left);
        }
        let interrupted = ledger.record_interrupted(self.clock.now())?;
        if interrupted > 0 {
            self.ui.warn(
                "interrupted",
                &format!(
                    "an earlier dsr stopped while it was sending; jobs now unknown: {interrupted}"
                ),
            );
        }
        Ok(ledger)
    }

    /// The token of a project, if it may still be sent.
    fn token_of(&self, project: &Project) -> Result<OauthToken, Failure> {
        let today = self.clock.today();
        Ok(match self.mode {
            Mode::Sandbox { .. } => sandbox_token()?,
            Mode::Real => {
                let name = match &project.auth {
                    Some(name) => name.clone(),
                    None => self.default_token_name()?,
                };
                find_valid_token(&self.environment, &name, today)?
            }
        })
    }

    /// Warns of a token in the environment that ends soon: on every command, since asking for it
    /// costs nothing. One in the keyring is warned of when it is used.
    pub(crate) fn warn_of_environments_token(&self) {
        let given = self.environment.token.is_some() || self.environment.token_file.is_some();
        if given
            && matches!(self.mode, Mode::Real)
            && let Ok(Some(token)) = find_environments_token(&self.environment)
        {
            self.warn_of_age(&token);
            self.note_end(None, &token);
        }
    }

    fn note_end(&self, project: Option<&ProjectKey>, token: &OauthToken) {
        if let TokenAge::Good { expires, .. } = token.age(self.clock.today()) {
            let mut ends = self.token_ends.borrow_mut();
            ends.insert(project.cloned(), expires);
        }
    }

    pub(crate) fn warn_of_age(&self, token: &OauthToken) {
        let when = match token.age(self.clock.today()) {
            TokenAge::NotKnown => return,
            TokenAge::Good { days_left, .. } if days_left > WARN_DAYS => return,
            TokenAge::Good { expires, days_left } => {
                format!("expires on {expires} ({})", day_count(days_left))
            }
            TokenAge::Expired { expired } => format!("expired on {expired}"),
        };
        let renewal = renewal(token.origin(), token.name());
        let message = format!("{} {when}; {renewal}", token.description());
        match token.name() {
            // Each is asked for once, and there may be several.
            Some(_) => self.ui.warn("token_expiry", &message),
            None => self.ui.warn_once("token_expiry", &message),
        }
    }

    /// Whether the token that was found for a project is good today and will not be on this day.
    pub(crate) fn token_ends_before(&self, project: &ProjectKey, day: NaiveDate) -> bool {
        let ends = self.token_ends.borrow();
        let end = ends.get(&Some(project.clone())).or_else(|| ends.get(&None));
        end.is_some_and(|end| *end < day)
    }

    /// The name of the token of projects that name none.
    pub(crate) fn default_token_name(&self) -> Result<TokenName, Failure> {
        let file = self.projects_file()?;
        let named = file.default_auth().cloned();
        Ok(named.unwrap_or_else(TokenName::main))
    }

    /// What the ledger knows against tokens, if there is a ledger.
    pub(crate) fn rejections(&self) -> Result<Vec<Rejection>, Failure> {
        match self.has_ledger() {
            true => Ok(self.open_ledger()?.list_rejections()?),
            false => Ok(Vec::new()),
        }
    }

    /// Warns of tokens in use that Mixpanel turned away: asks no keyring, since a token that is
    /// replaced there is not known to be turned away any more.
    fn warn_of_rejections(&self, ledger: &Ledger) -> Result<(), Failure> {
        let Ok(given) = find_environments_token(&self.environment) else {
            return Ok(());
        };
        for rejection in ledger.list_rejections()? {
            match (&given, rejection.token_name()) {
                (Some(token), _) if rejection.is_of(token) => self.warn_of_rejection(
                    &token.description(),
                    &renewal(token.origin(), None),
                    rejection.at,
                ),
                (None, Some(name)) => {
                    let origin = TokenOrigin::Keyring;
                    let which = match name.is_main() {
                        true => origin.to_string(),
                        false => format!("the token `{name}` in the keyring"),
                    };
                    self.warn_of_rejection(&which, &renewal(origin, Some(&name)), rejection.at);
                }
                _ => {}
            }
        }
        Ok(())
    }

    pub(crate) fn warn_of_rejection(&self, which: &str, renewal: &str, at: DateTime<Utc>) {
        let day = at.date_naive();
        let message = format!("Mixpanel turned {which} away on {day} (401); {renewal}");
        self.ui.warn("token_rejected", &message);
    }

    /// A client for each project with its token. Starts the sandbox if it is meant.
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

    /// The same, of which no call may take longer; warns of nothing.
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
                Mode::Sandbox { .. } => self.sandbox_url()?,
            };
            let client = Client::new(project.clone(), api_url, token, timeouts, &route)?;
            clients.insert(project.key(), client);
        }
        Ok(clients)
    }

    /// How calls leave this machine, and whom they believe at the other end.
    pub(crate) fn route(&self) -> Result<Route, Failure> {
        let environment = &self.environment;
        let (proxy, no_proxy) = (environment.proxy.clone(), environment.no_proxy.clone());
        let route = Route::default().through(proxy, no_proxy);
        Ok(match &environment.ca_file {
            Some(path) if !self.is_sandbox() => route.believing(path)?,
            Some(_) | None => route,
        })
    }

    /// The proxy that calls for any of these projects take; never one to loopback.
    fn proxy_for(&self, projects: &[Project]) -> Option<&Proxy> {
        let goes_out = |project: &Project| !project.api_url.is_loopback();
        let is_real = !self.is_sandbox() && projects.iter().any(goes_out);
        self.environment.proxy.as_ref().filter(|_| is_real)
    }

    /// A client for each project whose jobs wait to be asked about, as far as it is still set up.
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

    /// What a step of the workflow works with.
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
            tally: Tally::default(),
        }
    }

    fn sandbox_url(&mut self) -> Result<ApiUrl, Failure> {
        let running = match self.sandbox.take() {
            Some(running) => running,
            None => sandbox::start(rehearsal(self.home.sandbox_server()))?,
        };
        let url = ApiUrl::parse(&running.api_url());
        self.sandbox = Some(running);
        url.map_err(|error| super::failures::usage(error.to_string()))
    }
}

/// A sandbox whose exports are locked, as Mixpanel's are known to be.
fn rehearsal(folder: std::path::PathBuf) -> sandbox::Settings {
    sandbox::Settings {
        exports: sandbox::Exports {
            archive: sandbox::ExportArchive::ZipCrypto,
            members: sandbox::ExportMembers::Documented,
            ..sandbox::Exports::default()
        },
        ..sandbox::Settings::new(folder)
    }
}

/// One project's token must not keep the operator from the others.
fn leaving_out(failure: Failure, project: &ProjectName) -> Failure {
    let hint = failure.hint.clone().unwrap_or_default();
    failure.hint(format!(
        "{hint}; it is the token of project `{project}`: with `--project` the others can be worked on meanwhile"
    ))
}

/// The sandbox's own token; nothing real is ever sent to it.
pub(super) fn sandbox_token() -> Result<OauthToken, CredentialError> {
    let origin = TokenOrigin::Sandbox;
    OauthToken::new(sandbox::OAUTH_TOKEN, None, origin)
        .map_err(|source| CredentialError::BadToken { origin, source })
}
