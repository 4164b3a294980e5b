//! How a command asks Mixpanel with the service account: it says how many queries it needs and how
//! long they take, and names each wait.

use std::time::Duration;

use crate::commands::context::Context;
use crate::domain::{Project, ProjectId};
use crate::ledger::{Ledger, QueryLane};
use crate::ui::{Failure, duration, plural};
use crate::workflow::{Queries, QueryCourse, QueryWait};

impl Context {
    /// So many queries in words, and how long they take, such as `2 queries, at most 30 an hour,
    /// which takes 1 h`.
    pub(crate) fn planned_queries(
        &self,
        ledger: &mut Ledger,
        (project, id): (&Project, ProjectId),
        queries: usize,
    ) -> Result<String, Failure> {
        let lane = QueryLane::of(project, id);
        let time = ledger.find_query_time(&lane, queries, self.clock.now())?;
        Ok(format!(
            "{}, at most {} an hour, which takes {}",
            plural(queries, "query", "queries"),
            project.queries.per_hour(),
            duration(time),
        ))
    }

    /// The queries of a command, which waits at most `max_wait` in all.
    pub(crate) fn queries<'a>(
        &'a self,
        ledger: &'a mut Ledger,
        (project, id): (&Project, ProjectId),
        max_wait: Duration,
    ) -> Queries<'a> {
        Queries {
            ledger,
            lane: QueryLane::of(project, id),
            clock: self.clock.as_ref(),
            interrupt: &self.interrupt,
            max_wait,
            on_wait: Box::new(|wait| {
                self.ui.note(&match wait {
                    QueryWait::Budget(wait, sent) => format!(
                        "Asked {} so far. The next query may leave in {}.",
                        plural(sent, "query", "queries"),
                        duration(wait)
                    ),
                    QueryWait::Others(at_most) => format!(
                        "Waiting for a query of another dsr to end, for {} at most.",
                        duration(at_most)
                    ),
                });
            }),
            course: QueryCourse::default(),
        }
    }
}
