//! Shows the ledger as a file: its status, its copies, and the acceptance of an older copy.

pub(super) mod audit;
pub(super) mod purge;

use serde_json::{Value, json};

use crate::domain::LedgerReview;
use crate::ledger::{
    Accepted, Anchor, AuditHead, Backup, LostTime, MadeReady, MovePlan, Seen, SetBack,
};
use crate::ui::drawing::json::time;
use crate::ui::drawing::paper::Paper;
use crate::ui::drawing::view::View;
use crate::ui::drawing::words::{capital, number, plural, printable};

/// Where the ledger is, and what this host has seen of it.
#[derive(Debug)]
pub struct LedgerStatusView<'a> {
    pub path: String,
    pub bytes: u64,
    pub head: AuditHead,
    pub seen: Seen,
    pub set_back: Option<&'a SetBack>,
    /// What the ledger lacks for good.
    pub lost: Vec<LostTime>,
    /// Jobs that a dsr was sending when it ended or vanished.
    pub interrupted: usize,
}

/// A ledger on a server that was made or brought up to date.
#[derive(Debug)]
pub struct MadeView {
    pub place: String,
    pub made: MadeReady,
    pub head: AuditHead,
}

/// The SQL that makes the roles of a ledger on a server.
#[derive(Debug)]
pub struct RolesView {
    pub script: &'static str,
}

/// A move of the ledger from a file to a server.
#[derive(Debug)]
pub struct MoveView {
    pub from: String,
    pub to: String,
    pub course: MoveCourse,
}

/// How far a move is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MoveCourse {
    /// Nothing was changed.
    Planned(MovePlan),
    Moved(MovePlan),
    /// The server already had the ledger, with this entry of the move.
    MovedBefore(Anchor),
    /// An earlier dsr was stopped; nothing was changed.
    Interrupted,
}

/// A copy that was made.
#[derive(Debug)]
pub struct BackupView<'a> {
    pub file: String,
    pub backup: &'a Backup,
}

/// The decision about a ledger that was set back; empty if it was not.
#[derive(Debug, Default)]
pub struct AcceptedView<'a> {
    pub accepted: Option<(&'a SetBack, &'a Accepted)>,
    /// Set if the operator recorded a review of what the ledger lacks.
    pub reviewed: Option<&'a LedgerReview>,
}

impl View for LedgerStatusView<'_> {
    fn human(&self, paper: &Paper) -> String {
        let seen = match &self.seen {
            Seen::Nothing => "no entry".to_owned(),
            Seen::Head(seen) => format!("entry {}\n  {seen}", seen.count),
            Seen::Unreadable => "unknown: the file is damaged".to_owned(),
        };
        let mut text = format!(
            "Ledger: {}, {} bytes\nLast entry of its audit trail: entry {}\n  {}:{}\nLast seen on this host: {seen}\n",
            printable(&self.path),
            number(usize::try_from(self.bytes).unwrap_or(usize::MAX)),
            self.head.count,
            self.head.count,
            self.head.hash,
        );
        if let Seen::Head(seen) = &self.seen
            && seen.count != self.head.count
        {
            text.push_str(&format!(
                "This host saw entry {}. The ledger ends at entry {}.\n",
                seen.count, self.head.count
            ));
        }
        for lost in &self.lost {
            text.push_str(&paper.wrapped("", &lost_text(lost)));
        }
        if self.set_back.is_none() && matches!(self.seen, Seen::Head(_)) {
            text.push_str(match self.lost.is_empty() {
                true => "The ledger has every entry that this host has seen.\n",
                false => "No other entry that this host has seen is missing.\n",
            });
        }
        if self.interrupted > 0 {
            let words = format!(
                "Warning: {}. Run `dsr resume`.",
                interrupted_text(self.interrupted)
            );
            text.push_str(&paper.wrapped("", &words));
        }
        if let Some(set_back) = self.set_back {
            let words = format!(
                "Problem: {set_back}. dsr sends nothing until you restore the newest ledger or accept this one with `dsr ledger accept`."
            );
            text.push_str(&paper.wrapped("", &words));
        }
        text
    }

    fn json(&self) -> Value {
        let seen = self.seen.head().map(ToString::to_string);
        json!({ "ledger": {
            "path": self.path,
            "bytes": self.bytes,
            "head": format!("{}:{}", self.head.count, self.head.hash),
            "head_at": time(self.head.at),
            "seen": seen,
            "set_back": self.set_back.is_some(),
            "interrupted": self.interrupted,
            "set_backs_accepted": self.lost.iter().map(lost).collect::<Vec<_>>(),
        }})
    }
}

/// Says that a dsr ended before the answers about these jobs came.
pub fn interrupted_text(jobs: usize) -> String {
    let jobs = plural(jobs, "job was", "jobs were");
    format!("{jobs} being sent when dsr stopped, and Mixpanel may have accepted that")
}

/// Says what the ledger lacks for good, and who accepted that.
pub(crate) fn lost_text(lost: &LostTime) -> String {
    let text = capital(&lost.to_string());
    let day = lost.accepted_at.date_naive();
    let accepted = format!("{text}. Accepted on {day} by {}.", printable(&lost.by));
    match &lost.review {
        None => accepted,
        Some(review) => format!(
            "{accepted} Reviewed on {} by {}: {}.",
            review.at.date_naive(),
            printable(&review.by),
            printable(review.note.trim_end_matches('.')),
        ),
    }
}

fn lost(lost: &LostTime) -> Value {
    json!({
        "since": lost.since.map(time),
        "at": time(lost.accepted_at),
        "by": lost.by,
        "entries": lost.entries(),
        "reviewed": lost.review,
    })
}

impl View for MadeView {
    fn human(&self, _: &Paper) -> String {
        let place = printable(&self.place);
        let what = match self.made {
            MadeReady::New => format!("Made a ledger at {place}"),
            MadeReady::Migrated { from, to } => {
                format!("Brought the ledger at {place} from format {from} to format {to}")
            }
            MadeReady::Nothing => format!("The ledger at {place} is ready. Nothing was changed"),
        };
        format!("{what}.\nHead: {}:{}\n", self.head.count, self.head.hash)
    }

    fn json(&self) -> Value {
        let (made, from) = match self.made {
            MadeReady::New => ("new", None),
            MadeReady::Migrated { from, .. } => ("migrated", Some(from)),
            MadeReady::Nothing => ("nothing", None),
        };
        json!({ "made": {
            "ledger": self.place,
            "made": made,
            "format_before": from,
            "head": format!("{}:{}", self.head.count, self.head.hash),
        }})
    }
}

impl View for RolesView {
    fn human(&self, _: &Paper) -> String {
        self.script.to_owned()
    }

    fn json(&self) -> Value {
        json!({ "roles": { "script": self.script } })
    }
}

impl View for MoveView {
    fn human(&self, _: &Paper) -> String {
        let (from, to) = (printable(&self.from), printable(&self.to));
        let has = |plan: &MovePlan| {
            format!(
                "{}, {}, {}",
                plural(plan.requests, "request", "requests"),
                plural(plan.jobs, "job", "jobs"),
                plural(plan.ids, "id", "ids"),
            )
        };
        match &self.course {
            MoveCourse::Planned(plan) => format!(
                "dsr would move {} from {from} to {to}.\nHead: {}\nNothing was changed.\n",
                has(plan),
                plan.head
            ),
            MoveCourse::Moved(plan) => format!(
                "Moved the ledger to {to}: {}.\nHead: {}\nNo dsr uses {from} any more. It holds ids: delete it when the server has a backup.\n",
                has(plan),
                plan.head
            ),
            MoveCourse::MovedBefore(head) => {
                format!(
                    "The ledger is already at {to}. Nothing was sent.\nHead after the move: {head}\n"
                )
            }
            MoveCourse::Interrupted => format!(
                "A move of {from} was begun, and is not known to be complete. `dsr ledger move` completes it, or begins anew. Nothing was changed.\n"
            ),
        }
    }

    fn json(&self) -> Value {
        let (course, plan, head) = match &self.course {
            MoveCourse::Planned(plan) => ("planned", Some(plan), Some(&plan.head)),
            MoveCourse::Moved(plan) => ("now", Some(plan), Some(&plan.head)),
            MoveCourse::MovedBefore(head) => ("before", None, Some(head)),
            MoveCourse::Interrupted => ("interrupted", None, None),
        };
        json!({ "moved": {
            "from": self.from,
            "ledger": self.to,
            "moved": course,
            "requests": plan.map(|plan| plan.requests),
            "jobs": plan.map(|plan| plan.jobs),
            "ids": plan.map(|plan| plan.ids),
            "head": head.map(ToString::to_string),
        }})
    }
}

impl View for BackupView<'_> {
    fn human(&self, _: &Paper) -> String {
        let Backup { head, bytes } = self.backup;
        format!(
            "Copied the ledger to {}, {} bytes.\nHead: {head}\nKeep this line apart from the ledger. It shows later whether the ledger is old.\n",
            printable(&self.file),
            number(usize::try_from(*bytes).unwrap_or(usize::MAX)),
        )
    }

    fn json(&self) -> Value {
        json!({ "backup": {
            "file": self.file,
            "bytes": self.backup.bytes,
            "head": self.backup.head.to_string(),
        }})
    }
}

impl View for AcceptedView<'_> {
    fn human(&self, _: &Paper) -> String {
        if self.reviewed.is_some() {
            return "Recorded. dsr no longer warns of the lost time. Reports keep it.\n".to_owned();
        }
        match self.accepted {
            None => "The ledger has every entry that this host has seen. Nothing was changed.\n"
                .to_owned(),
            Some((_, accepted)) => {
                let what = match &accepted.before {
                    Some((by, at)) => format!(
                        "Already accepted, on {} by {}",
                        at.format("%Y-%m-%d %H:%M:%S UTC"),
                        printable(by)
                    ),
                    None => "Accepted".to_owned(),
                };
                format!(
                    "{what}. {} unknown now. Nothing was sent.\nHead: {}\n",
                    plural(accepted.jobs, "job is", "jobs are"),
                    accepted.head
                )
            }
        }
    }

    fn json(&self) -> Value {
        let anchor = |anchor: Option<&Anchor>| anchor.map(ToString::to_string);
        let accepted = self.accepted.map(|(set_back, accepted)| {
            json!({
                "seen": anchor(set_back.seen.head()),
                "head_before": anchor(set_back.head.as_ref()),
                "head": accepted.head.to_string(),
                "unknown": { "jobs": accepted.jobs, "ids": accepted.ids },
            })
        });
        match self.reviewed {
            Some(review) => json!({ "accepted": accepted, "reviewed": review }),
            None => json!({ "accepted": accepted }),
        }
    }
}
