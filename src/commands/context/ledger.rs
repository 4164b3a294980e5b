//! Opens the ledger in the way that each command needs.

use chrono::{DateTime, Utc};

use crate::commands::failures::{no_ledger, usage};
use crate::commands::people::minimise;
use crate::config::home_passfile;
use crate::credentials::{IfNone, find_ledger_key};
use crate::ledger::{
    self, KeySource, Ledger, LedgerError, LedgerPlace, LedgerUrlError, MoveMark, Opening,
    OwedReceipt, PasswordFiles, Patience, ProcessRecord, Seen, SharedLedger, SteadyClock,
    find_seen,
};
use crate::ui::{Failure, plural};

use super::{Context, holders};

/// Consequence for the suppression list of a ledger that was set back and accepted.
pub(crate) const PEOPLE_LOST: &str = ". People deleted in that time are missing from its suppression list. Keep the last list that your servers have, whole. Write new lists to another file, and let your servers check both";

impl Context {
    /// Where the ledger is: the environment's server beats the config file's, and without either it
    /// is this host's file. A rehearsal always has a file of its own.
    pub(crate) fn ledger_place(&self) -> Result<LedgerPlace, Failure> {
        let environment = &self.environment;
        let from_file = || Ok::<_, Failure>(self.projects_file()?.ledger().map(str::to_owned));
        let (url, origin) = match (self.is_sandbox(), &environment.ledger_url) {
            (true, _) => (None, ""),
            (false, Some(url)) => (Some(url.clone()), "DSR_LEDGER_URL"),
            (false, None) => (from_file()?, "`ledger` in the config file"),
        };
        let Some(url) = url else {
            return Ok(LedgerPlace::File(self.home.ledger()));
        };
        let shared = self.shared_at(&url).map_err(|error| {
            usage(format!("{origin} names no ledger: {error}"))
                .hint("nothing was done; correct it. A password belongs in `~/.pgpass` or a file that DSR_LEDGER_PASSWORD_FILE names")
        })?;
        Ok(LedgerPlace::Server(Box::new(shared)))
    }

    fn shared_at(&self, url: &str) -> Result<SharedLedger, LedgerUrlError> {
        let environment = &self.environment;
        let passwords = PasswordFiles {
            own: environment.ledger_password_file.clone(),
            passfile: environment.passfile.clone(),
            home_passfile: home_passfile(),
        };
        let authorities = environment.ca_file.clone();
        SharedLedger::at(url, passwords, authorities, self.home.data())
    }

    /// What to say if DSR_LEDGER_URL names one database and the config file another.
    pub(crate) fn unused_url(&self) -> Result<Option<String>, Failure> {
        let LedgerPlace::Server(used) = self.ledger_place()? else {
            return Ok(None);
        };
        let file = self.projects_file()?;
        let named = match file.ledger() {
            Some(url) if self.environment.ledger_url.is_some() => self.shared_at(url),
            _ => return Ok(None),
        };
        let other = match named {
            Ok(named) if named.without_user() == used.without_user() => return Ok(None),
            Ok(named) => format!("{named}, which `ledger` in the config file names"),
            Err(_) => "`ledger` in the config file".to_owned(),
        };
        Ok(Some(format!(
            "DSR_LEDGER_URL is set, so dsr uses {used} and ignores {other}"
        )))
    }

    /// Whether anything was ever recorded. A file of zero bytes is not a ledger; a server tells
    /// when it is asked.
    pub(crate) fn has_ledger(&self) -> Result<bool, Failure> {
        Ok(match self.ledger_place()? {
            LedgerPlace::File(path) => ledger::exists(&path),
            LedgerPlace::Server(_) => true,
        })
    }

    /// Whether there is nothing here, and never was on this host.
    pub(crate) fn is_without_ledger(&self) -> Result<bool, Failure> {
        Ok(!self.has_ledger()? && find_seen(&self.home.ledger())? == Seen::Nothing)
    }

    /// Opens the existing ledger without catching up; it may have been set back.
    pub(crate) fn open_ledger(&self) -> Result<Ledger, Failure> {
        match self.is_without_ledger()? {
            true => Err(no_ledger(&self.home.ledger())),
            false => self.open_whole_ledger(),
        }
    }

    /// Fails while requests in this host's file may be missing on the server.
    fn open_whole_ledger(&self) -> Result<Ledger, Failure> {
        // First, because it notes which ledger the server has.
        let ledger = self.open_or_make_ledger()?;
        self.demand_no_unfinished_move()?;
        Ok(ledger)
    }

    /// Fails if the ledger is on a server, and a move of this host's file is not known to be
    /// complete.
    pub(crate) fn demand_no_unfinished_move(&self) -> Result<(), Failure> {
        let path = self.home.ledger();
        match self.find_file_beside_server()? {
            Some(Some(mark)) if !mark.is_complete => Err(mark.refusal(&path.display()).into()),
            Some(_) | None => Ok(()),
        }
    }

    /// The mark of this host's file, if there is a file while the ledger is on a server.
    fn find_file_beside_server(&self) -> Result<Option<Option<MoveMark>>, Failure> {
        let path = self.home.ledger();
        let is_shared = matches!(self.ledger_place()?, LedgerPlace::Server(_));
        Ok(match is_shared && ledger::exists(&path) {
            true => Some(ledger::find_mark(&path)?),
            false => None,
        })
    }

    /// Opens the ledger to show it. Warns if there is none, or if it was set back.
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

    /// Opens the ledger; without one, warns and returns an empty ledger.
    pub(crate) fn ledger_if_any(&self) -> Result<Ledger, Failure> {
        self.warn_of_no_ledger()?.map_or_else(|| self.ledger(), Ok)
    }

    /// Opens the ledger; without one, returns an empty ledger and makes no file.
    pub(crate) fn ledger_or_empty(&self) -> Result<Ledger, Failure> {
        self.empty_ledger()?.map_or_else(|| self.ledger(), Ok)
    }

    /// Like `ledger_or_empty`, without catching up: the doctor changes nothing.
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
        match self.is_without_ledger()? {
            true => Ok(Some(Ledger::nowhere(&self.opening(), &self.home.ledger())?)),
            false => Ok(None),
        }
    }

    /// Warns if the ledger lacks entries that this host has seen. Returns whether it does.
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

    /// Warns of what the ledger lacks for good, until the operator's review. Returns whether it
    /// did.
    pub(crate) fn warn_of_lost_time(
        &self,
        ledger: &Ledger,
        consequence: &str,
    ) -> Result<bool, Failure> {
        let mut lost = ledger.list_lost_times()?;
        lost.retain(|lost| lost.review.is_none());
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
            server_clock: self.server_clock.clone(),
            key: self.key_source(),
            owed: OwedReceipt::default(),
        }
    }

    /// Never makes a key: the hosts of a server's ledger must share one.
    fn key_source(&self) -> KeySource {
        let (environment, data) = (self.environment.clone(), self.home.data().to_owned());
        KeySource::new(move || {
            find_ledger_key(&environment, &data, IfNone::Leave).map(|(key, _)| key)
        })
    }

    /// How long dsr waits for the ledger's holder. The operator is told whom dsr waits for.
    pub(crate) fn patience(&self, place: &LedgerPlace) -> Patience {
        let (aside, place, opening) = (self.ui.aside(), place.clone(), self.opening());
        Patience::new(self.lock_timeout, move |left| {
            aside.note(&holders::waiting(&place, &opening, left));
        })
    }

    fn open_or_make_ledger(&self) -> Result<Ledger, Failure> {
        let place = self.ledger_place()?;
        let patience = self.patience(&place);
        let ledger = Ledger::open_at(&self.opening(), &place, patience)?;
        self.warn_of_copy_from_before_move(&ledger)?;
        Ok(ledger)
    }

    fn warn_of_copy_from_before_move(&self, ledger: &Ledger) -> Result<(), Failure> {
        if ledger.goes_on_at_a_server()? {
            let what = "this file is a copy from before its move: the ledger goes on at a server, which knows what was sent since. Use the server; with both, ids could be sent twice";
            self.ui.warn_once("moved_copy", what);
        }
        Ok(())
    }

    /// With a ledger on a server, days are counted by the server's clock on every host. Nothing is
    /// read or asked before the server answers.
    pub(crate) fn follow_servers_clock(&self) -> Result<(), Failure> {
        match self.ledger_place()? {
            LedgerPlace::File(_) => {}
            LedgerPlace::Server(_) => drop(self.open_or_make_ledger()?),
        }
        Ok(())
    }

    /// Opens a ledger that may have been set back, only to accept it.
    pub(crate) fn open_set_back(&self) -> Result<Ledger, Failure> {
        let place = self.ledger_place()?;
        let patience = self.patience(&place);
        let ledger = Ledger::open_set_back(&self.opening(), &place, patience)?;
        self.warn_of_copy_from_before_move(&ledger)?;
        Ok(ledger)
    }

    /// The other processes that are sending from the ledger, even if it cannot be opened.
    pub(crate) fn list_senders(&self) -> Result<Vec<ProcessRecord>, Failure> {
        Ok(match self.ledger_place()? {
            LedgerPlace::File(path) => ledger::list_senders(&path)?,
            LedgerPlace::Server(_) => self.open_or_make_ledger()?.list_senders()?,
        })
    }

    /// Opens the existing ledger and catches up. Fails if it was set back.
    pub(crate) fn ledger(&self) -> Result<Ledger, Failure> {
        self.catch_up(self.open_ledger()?)
    }

    /// Opens the ledger in this host's file and catches up, wherever the ledger is by the settings.
    pub(crate) fn ledger_to_move(&self) -> Result<Ledger, Failure> {
        let place = LedgerPlace::File(self.home.ledger());
        let patience = self.patience(&place);
        self.catch_up_alone(Ledger::open_at(&self.opening(), &place, patience)?)
    }

    /// Like `ledger`, and makes the ledger if there is none.
    pub(crate) fn ledger_to_fill(&self) -> Result<Ledger, Failure> {
        self.catch_up(self.open_whole_ledger()?)
    }

    /// Warns of a ledger in this host's file while the ledger is on a server: who was asked for
    /// there could be sent twice.
    fn warn_of_unused_file(&self) -> Result<(), Failure> {
        if let Some(None) = self.find_file_beside_server()? {
            self.ui.warn_once(
                "unused_file",
                &format!(
                    "this host also has a ledger in `{}`, which is not used; move it to a new database with `dsr ledger move`, or keep the file elsewhere",
                    self.home.ledger().display()
                ),
            );
        }
        Ok(())
    }

    /// Records what receipts prove, and marks as unknown the jobs that a killed dsr was sending.
    fn catch_up(&self, ledger: Ledger) -> Result<Ledger, Failure> {
        if ledger.is_copy_of_a_server() {
            let last = ledger.audit_head()?.at.format("%Y-%m-%d %H:%M:%S UTC");
            let what = format!(
                "this is a copy of a ledger on a server: it ends at {last}, and dsr sends nothing from it"
            );
            self.ui.warn_once("ledger_copy", &what);
            return Ok(ledger);
        }
        ledger.demand_not_set_back()?;
        self.warn_of_unused_file()?;
        self.catch_up_alone(ledger)
    }

    fn catch_up_alone(&self, mut ledger: Ledger) -> Result<Ledger, Failure> {
        ledger.demand_not_set_back()?;
        self.warn_of_rejections(&ledger)?;
        match self.record_left(&mut ledger) {
            Ok(()) => {
                minimise::sweep_overdue(self, &mut ledger)?;
                Ok(ledger)
            }
            // Such as an auditor's role. A command that must write fails by itself.
            Err(LedgerError::NotAllowed(error) | LedgerError::ReadOnly(error)) => {
                let why = format!("what an earlier dsr left is not recorded: {error}");
                self.ui.warn_once("read_only", &why);
                Ok(ledger)
            }
            Err(error) => Err(error.into()),
        }
    }

    pub(crate) fn record_left(&self, ledger: &mut Ledger) -> Result<(), LedgerError> {
        let receipts = ledger.record_receipts(self.clock.now())?;
        if receipts.recorded > 0 {
            let count = receipts.recorded;
            self.ui.warn(
                "receipts",
                &format!("an earlier dsr could not record accepted jobs; recorded now from its receipts: {count}"),
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
        if let Some((jobs, until)) = ledger.find_vanished()? {
            self.ui.warn_once("vanished", &vanished(jobs, until));
        }
        Ok(())
    }
}

/// What is known of jobs whose sender on another host is gone.
pub(crate) fn vanished(jobs: usize, until: DateTime<Utc>) -> String {
    let (jobs, until) = (plural(jobs, "job", "jobs"), until.format("%H:%M:%S UTC"));
    format!(
        "a dsr on another host vanished while it was sending {jobs}; its call may still arrive, so run `dsr resume` after {until}"
    )
}
