//! Opens the ledger in the way that each command needs.

use crate::commands::failures::no_ledger;
use crate::credentials::{IfNone, find_ledger_key};
use crate::ledger::{self, KeySource, Ledger, Opening, Patience, Seen, SteadyClock, find_seen};
use crate::ui::Failure;

use super::{Context, holders};

/// Consequence for the suppression list of a ledger that was set back and accepted.
pub(crate) const PEOPLE_LOST: &str = ". People deleted in that time are missing from its suppression list. Keep the last list that your servers have, whole. Write new lists to another file, and let your servers check both";

impl Context {
    /// Whether anything was ever recorded here. A file of zero bytes is not a ledger.
    pub(crate) fn has_ledger(&self) -> bool {
        ledger::exists(&self.home.ledger())
    }

    /// Opens the existing ledger without catching up; it may have been set back.
    pub(crate) fn open_ledger(&self) -> Result<Ledger, Failure> {
        match !self.has_ledger() && find_seen(&self.home.ledger())? == Seen::Nothing {
            true => Err(no_ledger(&self.home.ledger())),
            false => self.open_or_make_ledger(),
        }
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
        let path = self.home.ledger();
        match self.has_ledger() || find_seen(&path)? != Seen::Nothing {
            true => Ok(None),
            false => Ok(Some(Ledger::nowhere(&self.opening(), &path)?)),
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
            key: self.key_source(),
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

    /// Opens the existing ledger and catches up. Fails if it was set back.
    pub(crate) fn ledger(&self) -> Result<Ledger, Failure> {
        self.catch_up(self.open_ledger()?)
    }

    /// Like `ledger`, and makes the ledger if there is none.
    pub(crate) fn ledger_to_fill(&self) -> Result<Ledger, Failure> {
        self.catch_up(self.open_or_make_ledger()?)
    }

    /// Records what receipts prove, and marks as unknown the jobs that a killed dsr was sending.
    fn catch_up(&self, mut ledger: Ledger) -> Result<Ledger, Failure> {
        ledger.demand_not_set_back()?;
        self.warn_of_rejections(&ledger)?;
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
        Ok(ledger)
    }
}
