//! What every test uses: a sealed environment, an independent fake of Mixpanel's API, and results
//! that explain a failed assertion. Uses none of dsr's types.

mod account;
mod accounts;
mod backlog;
mod calendar;
mod chance;
mod clock;
mod exports;
mod fake;
mod gate;
mod halt;
mod kept;
mod keyring;
mod model;
mod operator;
mod outcome;
mod people;
mod programs;
mod remains;
mod running;
mod shapes;
mod terminal;
mod trail;
mod wire;

pub(crate) use account::{Job, account, disagreements};
pub(crate) use accounts::{as_account, has_accounts};
pub(crate) use calendar::has_calendar;
pub(crate) use chance::Chance;
pub(crate) use exports::{Exports, handing_out, package_of, the_download};
pub(crate) use fake::{Fake, NOWHERE, Rules, usual};
pub(crate) use gate::{Gate, Hold};
pub(crate) use halt::Halt;
pub(crate) use kept::Kept;
pub(crate) use keyring::{Keyring, with_silent_bus};
pub(crate) use model::{Fault, Habits, Model};
pub(crate) use operator::{OAUTH_TOKEN, Operator, PROJECT_TOKEN};
pub(crate) use outcome::{Outcome, states};
pub(crate) use people::{csv_of, people, same_people};
pub(crate) use programs::find_program;
pub(crate) use running::{Running, at_once, in_turns, signal};
pub(crate) use shapes::Shapes;
pub(crate) use terminal::Terminal;
pub(crate) use trail::{trail_faults, untold_jobs};
pub(crate) use wire::{Call, Reply, object_reply, status_reply};
