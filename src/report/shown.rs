//! Which rows a page lists: it must stay usable with a hundred thousand of them.

use std::collections::VecDeque;

use crate::domain::{JobState, TaskStatus};

use super::answer::{Nature, Timing};
use super::facts::{JobFacts, RowFacts};

/// The most jobs, requests and ids that a page lists. The rest is counted; CSV and JSON have all.
pub(super) const MOST_JOBS: usize = 100;
const MOST_ROWS: usize = 1000;
const MOST_PRESSING: usize = 50;
const MOST_IDS: usize = 10_000;

/// The jobs of a request that its page lists, exceptional ones first.
#[derive(Debug, Default)]
pub struct JobsShown {
    heard: usize,
    exceptional: Vec<(usize, JobFacts)>,
    usual: Vec<(usize, JobFacts)>,
    pub(super) ids: Vec<(String, Vec<String>)>,
    listed_ids: usize,
    pub(super) more_ids: usize,
    /// How many jobs have no ids in the ledger any more.
    pub(super) without_ids: usize,
}

/// The requests of a period that its page lists: the latest, and those that need attention.
#[derive(Debug, Default)]
pub struct RowsShown {
    heard: usize,
    pub(super) latest: VecDeque<RowFacts>,
    pub(super) pressing: Vec<RowFacts>,
    pub(super) more_pressing: usize,
}

impl JobsShown {
    /// Takes a job; jobs must come in order.
    pub fn hear(&mut self, job: &JobFacts) {
        let place = self.heard;
        self.heard += 1;
        let list = match is_exceptional(job) {
            true => &mut self.exceptional,
            false => &mut self.usual,
        };
        if list.len() < MOST_JOBS {
            let without_ids = JobFacts {
                distinct_ids: None,
                ..job.clone()
            };
            list.push((place, without_ids));
        }
        match &job.distinct_ids {
            Some(ids) => self.hear_ids(&job.id, ids),
            None => self.without_ids += 1,
        }
    }

    fn hear_ids(&mut self, job: &str, ids: &[String]) {
        let room = MOST_IDS.saturating_sub(self.listed_ids).min(ids.len());
        self.more_ids += ids.len() - room;
        self.listed_ids += room;
        if room > 0 {
            self.ids.push((job.to_owned(), ids[..room].to_vec()));
        }
    }

    /// Whether any id is listed.
    pub fn has_ids(&self) -> bool {
        !self.ids.is_empty()
    }

    pub(super) fn list(&self) -> Vec<&JobFacts> {
        let usual = self.usual.iter().take(MOST_JOBS - self.exceptional.len());
        let mut jobs: Vec<_> = self.exceptional.iter().chain(usual).collect();
        jobs.sort_by_key(|(place, _)| *place);
        jobs.into_iter().map(|(_, job)| job).collect()
    }

    pub(super) fn more(&self) -> usize {
        self.heard - self.list().len()
    }
}

impl RowsShown {
    /// Takes a request; requests must come by the day of receipt.
    pub fn hear(&mut self, row: &RowFacts) {
        self.heard += 1;
        if is_pressing(row) {
            match self.pressing.len() {
                MOST_PRESSING.. => self.more_pressing += 1,
                _ => self.pressing.push(row.clone()),
            }
        }
        if self.latest.len() == MOST_ROWS {
            self.latest.pop_front();
        }
        self.latest.push_back(row.clone());
    }

    pub(super) fn more(&self) -> usize {
        self.heard - self.latest.len()
    }
}

fn is_exceptional(job: &JobFacts) -> bool {
    use JobState::{Accepted, Done, Planned, Running};
    !matches!(job.state, Planned | Accepted | Running | Done)
        || job.reason.is_some()
        || job.mixpanel_status.as_deref() == Some(TaskStatus::NotFound.as_str())
}

/// Whether the request is open and unanswered, or any outcome is unknown.
pub(super) fn is_pressing(row: &RowFacts) -> bool {
    (row.answer.nature, row.answer.timing) == (Nature::Open, Timing::NoAnswer)
        || row.answer.nature == Nature::Unknown
        || row.ids.unsettled > 0
        || row.ids.given_up > 0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn job(number: usize, state: JobState) -> JobFacts {
        JobFacts {
            id: format!("q-{number}"),
            ids: 1,
            state,
            reason: None,
            task_id: None,
            subject_request_id: String::new(),
            mixpanel_status: None,
            linked: false,
            carried_out: "no",
            submitted_at: None,
            checked_at: None,
            ended_at: None,
            given_up_at: None,
            attempts: Vec::new(),
            steps: Vec::new(),
            download: None,
            kept_ids: "none",
            distinct_ids: None,
        }
    }

    #[test]
    fn jobs_that_went_wrong_are_listed_whatever_their_place() {
        let mut shown = JobsShown::default();
        for number in 1..=20_000 {
            let state = match number {
                15_000 | 19_999 => JobState::Refused,
                _ => JobState::Done,
            };
            shown.hear(&job(number, state));
        }
        let listed = shown.list();
        assert_eq!(
            (listed.len(), shown.more()),
            (MOST_JOBS, 20_000 - MOST_JOBS)
        );
        let last: Vec<_> = listed[97..].iter().map(|job| job.id.as_str()).collect();
        assert_eq!(last, ["q-98", "q-15000", "q-19999"]);
    }

    #[test]
    fn ids_are_listed_up_to_a_number_and_the_rest_counted() {
        let mut shown = JobsShown::default();
        for number in 1..=7 {
            let ids = (0..1999).map(|place| format!("{number}-{place}")).collect();
            shown.hear(&JobFacts {
                distinct_ids: Some(ids),
                ..job(number, JobState::Accepted)
            });
        }
        let listed: usize = shown.ids.iter().map(|(_, ids)| ids.len()).sum();
        assert_eq!((listed, shown.more_ids), (MOST_IDS, 7 * 1999 - MOST_IDS));
        assert!(shown.list().iter().all(|job| job.distinct_ids.is_none()));
    }
}
