//! What a project has of its people at one moment: of everyone, except for what a deletion erased.
//! Pure: follows from the project's tasks and the moment.

use std::collections::{BTreeSet, HashMap};

use serde_json::{Value, json};

use super::person::{EXAMPLES, EventSpan, Person};
use crate::sandbox::state::clock::Moment;
use crate::sandbox::state::lifecycle::Status;
use crate::sandbox::state::task::{Kind, Task};

/// How far events reach back, in seconds: Mixpanel's retention.
pub(crate) const RETENTION: i64 = 2 * 365 * 24 * 3600;

/// People whose ids begin so send an event again after their deletion.
const RETURNING: &str = "returns";

pub(crate) struct Population {
    now: Moment,
    named: BTreeSet<String>,
    /// Erased people, and when they would send an event again.
    erased: HashMap<String, Moment>,
    /// When the last deletion of each erased person was done.
    erased_at: HashMap<String, Moment>,
    /// Whose profiles alone were deleted.
    without_profile: BTreeSet<String>,
}

impl Population {
    /// The people of the project with these tasks.
    pub(crate) fn new(tasks: &[Task], now: Moment) -> Self {
        let mut named: BTreeSet<String> = EXAMPLES.map(|(id, _)| id.to_owned()).into();
        let (mut erased, mut erased_at) = (HashMap::new(), HashMap::new());
        for task in tasks.iter().filter(|task| task.times.created <= now) {
            named.extend(task.order.distinct_ids.iter().cloned());
            if task.order.kind == Kind::Deletion && task.status(now) == Status::Success {
                let again = task.times.completion().plus(task.times.duration);
                for id in &task.order.distinct_ids {
                    let done = erased_at.entry(id.clone()).or_insert(Moment(0));
                    *done = task.times.completion().max(*done);
                    let latest = erased.entry(id.clone()).or_insert(again);
                    *latest = again.max(*latest);
                }
            }
        }
        Self {
            now,
            named,
            erased,
            erased_at,
            without_profile: BTreeSet::new(),
        }
    }

    /// The same, without the profiles of these ids.
    pub(crate) fn without_profiles_of(mut self, ids: BTreeSet<String>) -> Self {
        self.without_profile = ids;
        self
    }

    /// Whether the project still has an event of `id` that came at `moment`.
    pub(crate) fn keeps(&self, id: &str, moment: Moment) -> bool {
        self.erased_at.get(id).is_none_or(|done| *done <= moment)
    }

    /// Everyone that the project knows: the example people, the ids of its tasks, and their devices.
    pub(crate) fn ids(&self) -> BTreeSet<String> {
        let devices = self.named.iter().map(|id| Person::new(id).device());
        self.named.iter().cloned().chain(devices).collect()
    }

    pub(crate) fn has_data(&self, person: &Person<'_>) -> bool {
        person.has_data() && self.return_of(person).is_none_or(|again| again.is_some())
    }

    /// When `person` did something that the project has; see [`Person::times`].
    pub(crate) fn times(&self, person: &Person<'_>, span: EventSpan) -> Vec<i64> {
        match (person.has_data(), self.return_of(person)) {
            (false, _) | (true, Some(None)) => Vec::new(),
            (true, None) => person.times(span).collect(),
            (true, Some(Some(again))) => vec![again.seconds()],
        }
    }

    /// The profile of `person` in a query: as exports have it, with what only a query has.
    pub(crate) fn profile(&self, person: &Person<'_>) -> Option<Value> {
        if self.without_profile.contains(person.id) {
            return None;
        }
        let times = self.times(person, self.retained());
        let unseen = person.unseen_for().map(|time| self.now.seconds() - time);
        let last = unseen.or_else(|| times.into_iter().max())?;
        let mut profile = person.profile().filter(|_| self.has_data(person))?;
        let properties = &mut profile["$properties"];
        properties["$last_seen"] = Moment::from_seconds(last).without_zone().into();
        properties["$distinct_ids"] = json!([person.id, person.device()]);
        Some(profile)
    }

    /// The period of events that the project still has.
    pub(crate) fn retained(&self) -> EventSpan {
        let until = self.now.seconds();
        EventSpan {
            since: until - RETENTION,
            until,
            events_per_person: None,
        }
    }

    /// `None` for a person who was not erased; otherwise when they returned, if they did.
    fn return_of(&self, person: &Person<'_>) -> Option<Option<Moment>> {
        let again = *self.erased.get(person.id)?;
        Some((person.id.starts_with(RETURNING) && again <= self.now).then_some(again))
    }
}
