//! A model of Mixpanel's tasks: an active deletion conflicts with every other deletion of one of
//! its ids. Knows what it accepted, whatever the client heard.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

use super::chance::Chance;
use super::fake::{Fake, Rules, lock};
use super::wire::{Call, Reply};

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Fault {
    None,
    /// 429; nothing is created.
    Limited,
    /// 503; nothing is created.
    Unavailable,
    /// It is carried out, and the connection is reset without an answer.
    Lost,
    /// It is carried out, and never answered.
    Unanswered,
    /// It is neither carried out nor answered.
    Ignored,
    /// It is carried out, and answered half a second later.
    Late,
    /// It is carried out, and answered with this.
    Taken(Reply),
    /// It is carried out and answered with this, and the task ends at once.
    Ended(Reply),
    Turned(Reply),
}

#[derive(Debug, Clone)]
pub(crate) struct Task {
    pub(crate) id: String,
    pub(crate) ids: BTreeSet<String>,
    deletion: bool,
    /// Made for somebody who does not use dsr.
    of_somebody: bool,
    status: Status,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Status {
    Active,
    Ended,
    Revoked,
}

/// How often what happened.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Tally {
    pub(crate) limited: usize,
    pub(crate) unavailable: usize,
    pub(crate) lost: usize,
    pub(crate) conflicts: usize,
}

/// How the model behaves apart from faults.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Habits {
    pub(crate) rules: Rules,
    /// The most ids that it accepts at once.
    pub(crate) largest: usize,
    /// Its status for more ids than that: 400 or 413.
    pub(crate) too_large: u16,
    /// In how many of a hundred POSTs the oldest active task ends just before.
    pub(crate) ending: u64,
    /// The longest delay of an answer.
    pub(crate) delay: Duration,
}

impl Default for Habits {
    fn default() -> Self {
        Self {
            rules: Rules::None,
            largest: 2000,
            too_large: 400,
            ending: 0,
            delay: Duration::ZERO,
        }
    }
}

#[derive(Default)]
struct State {
    tasks: Vec<Task>,
    tally: Tally,
    /// The numbers of the POSTs that were answered 429, 400 or 409.
    turned_away: BTreeSet<usize>,
}

pub(crate) struct Model {
    pub(crate) fake: Fake,
    state: Arc<Mutex<State>>,
}

impl Model {
    pub(crate) fn start() -> Self {
        Self::behaving(Habits::default())
    }

    pub(crate) fn behaving(habits: Habits) -> Self {
        Self::with(habits, 0, |_| Fault::None)
    }

    pub(crate) fn striking(place: usize, fault: Fault) -> Self {
        let strikes = move |call: &Call| call.is_post() && call.place == place;
        Self::with(Habits::default(), 0, move |call| match strikes(call) {
            true => fault.clone(),
            false => Fault::None,
        })
    }

    pub(crate) fn striking_at(id: &str, fault: Fault, habits: Habits) -> Self {
        let (id, fault) = (id.to_owned(), Mutex::new(fault));
        Self::with(habits, 0, move |call| {
            match call.is_post() && call.ids().contains(&id) {
                true => std::mem::replace(&mut *lock(&fault), Fault::None),
                false => Fault::None,
            }
        })
    }

    /// Answers 10 % of the calls with 429 and 5 % with 503; carries 5 % out and loses the answer.
    pub(crate) fn in_bad_weather(habits: Habits, seed: u64) -> Self {
        let chance = Mutex::new(Chance::new(seed));
        Self::with(habits, seed, move |call| match lock(&chance).below(100) {
            0..10 => Fault::Limited,
            10..15 => Fault::Unavailable,
            15..20 if call.is_post() => Fault::Lost,
            _ => Fault::None,
        })
    }

    fn with(
        habits: Habits,
        seed: u64,
        faults: impl Fn(&Call) -> Fault + Send + Sync + 'static,
    ) -> Self {
        let state: Arc<Mutex<State>> = Arc::default();
        let served = Arc::clone(&state);
        let chance = Mutex::new(Chance::new(!seed));
        let fake = Fake::with(habits.rules, move |call| {
            let wait = lock(&chance).part_of(habits.delay);
            let ends = lock(&chance).below(100) < habits.ending;
            thread::sleep(wait);
            let reply = lock(&served).take(call, &faults(call), ends, &habits);
            match lock(&chance).part_of(habits.delay) {
                Duration::ZERO => reply,
                late => Reply::After(late, Box::new(reply)),
            }
        });
        Self { fake, state }
    }

    pub(crate) fn tasks(&self) -> Vec<Task> {
        lock(&self.state).tasks.clone()
    }

    pub(crate) fn tally(&self) -> Tally {
        lock(&self.state).tally
    }

    /// Whether POST number `place` was certainly not carried out.
    pub(crate) fn turned_away(&self, place: usize) -> bool {
        lock(&self.state).turned_away.contains(&place)
    }

    /// Accepts a deletion that dsr knows nothing of.
    pub(crate) fn somebody_deletes(&self, ids: &[String]) -> String {
        let mut state = lock(&self.state);
        let id = state.accept(ids.iter().cloned().collect(), true);
        let made = state.tasks.last_mut().expect("it was just made");
        made.of_somebody = true;
        id
    }

    pub(crate) fn is_of_somebody(&self, task: &str) -> bool {
        let tasks = self.tasks();
        tasks
            .iter()
            .any(|known| known.id == task && known.of_somebody)
    }

    pub(crate) fn end_all(&self) {
        for task in &mut lock(&self.state).tasks {
            task.status = Status::Ended;
        }
    }

    pub(crate) fn revoked(&self) -> usize {
        let tasks = self.tasks().into_iter();
        tasks.filter(|task| task.status == Status::Revoked).count()
    }

    /// How many tasks have each id.
    pub(crate) fn times(&self) -> BTreeMap<String, usize> {
        let mut times = BTreeMap::new();
        for id in self.tasks().into_iter().flat_map(|task| task.ids) {
            *times.entry(id).or_insert(0) += 1;
        }
        times
    }
}

impl Task {
    fn is_active(&self) -> bool {
        self.status == Status::Active
    }
}

impl State {
    fn take(&mut self, call: &Call, fault: &Fault, ends: bool, habits: &Habits) -> Reply {
        match fault {
            Fault::Limited => {
                self.tally.limited += 1;
                self.turned_away
                    .extend(call.is_post().then_some(call.place));
                return Reply::error(429, "API is limited to 1 req/s").with("Retry-After", "1");
            }
            Fault::Unavailable => {
                self.tally.unavailable += 1;
                return Reply::error(503, "try again later");
            }
            Fault::Ignored => return Reply::Hang,
            Fault::Turned(reply) => return reply.clone(),
            _ => {}
        }
        match call.method.as_str() {
            "POST" => {}
            "DELETE" => return self.revoke(call.task()),
            _ => return self.tell(call.task()),
        }
        if ends && let Some(task) = self.tasks.iter_mut().find(|task| task.is_active()) {
            task.status = Status::Ended;
        }
        let reply = self.create(call, habits);
        match fault {
            Fault::Lost => {
                self.tally.lost += 1;
                Reply::Reset
            }
            Fault::Unanswered => Reply::Hang,
            Fault::Late => Reply::After(Duration::from_millis(500), Box::new(reply)),
            Fault::Taken(reply) => reply.clone(),
            Fault::Ended(reply) => {
                let made = self.tasks.last_mut().expect("it was just made");
                made.status = Status::Ended;
                reply.clone()
            }
            _ => reply,
        }
    }

    fn create(&mut self, call: &Call, habits: &Habits) -> Reply {
        let ids: BTreeSet<String> = call.ids().into_iter().collect();
        let largest = habits.largest;
        if ids.len() > largest {
            self.turned_away.insert(call.place);
            let text = format!("too many distinct_ids: at most {largest}");
            return Reply::error(habits.too_large, &text);
        }
        let deletion = call.path.contains("data-deletions");
        if deletion && let Some(conflict) = self.conflict(&ids) {
            self.tally.conflicts += 1;
            self.turned_away.insert(call.place);
            return Reply::json(409, &conflict);
        }
        let task = self.accept(ids, deletion);
        super::object_reply(&task)
    }

    fn accept(&mut self, ids: BTreeSet<String>, deletion: bool) -> String {
        let id = format!("3e0b7f52-77aa-4c1e-9a4b-{:012x}", self.tasks.len() + 1);
        self.tasks.push(Task {
            id: id.clone(),
            ids,
            deletion,
            of_somebody: false,
            status: Status::Active,
        });
        id
    }

    fn conflict(&self, ids: &BTreeSet<String>) -> Option<Value> {
        let active = self
            .tasks
            .iter()
            .filter(|task| task.is_active() && task.deletion);
        let active: Vec<_> = active.filter(|task| !task.ids.is_disjoint(ids)).collect();
        let known = |id: &&String| active.iter().any(|task| task.ids.contains(*id));
        let named: Vec<_> = ids.iter().filter(known).collect();
        let tasks: Vec<_> = active.iter().map(|task| &task.id).collect();
        let error = json!({
            "conflicting_distinct_ids": named,
            "conflicting_task_ids": tasks,
            "error": "some ids have an active deletion",
        });
        (!tasks.is_empty()).then(|| json!({ "status": "error", "error": error }))
    }

    fn revoke(&mut self, task: &str) -> Reply {
        let Some(task) = self.tasks.iter_mut().find(|known| known.id == task) else {
            return Reply::error(404, "no such task");
        };
        task.status = match task.status {
            Status::Ended => return Reply::error(405, "it has started"),
            Status::Active | Status::Revoked => Status::Revoked,
        };
        Reply::text(204, "application/json", "")
    }

    fn tell(&self, task: &str) -> Reply {
        let Some(task) = self.tasks.iter().find(|known| known.id == task) else {
            return Reply::error(404, "no such task");
        };
        let status = match task.status {
            Status::Active => "PENDING",
            Status::Ended => "SUCCESS",
            Status::Revoked => "REVOKED",
        };
        let results = json!({ "status": status, "result": "", "distinct_ids": task.ids });
        Reply::json(200, &json!({ "status": "ok", "results": results }))
    }
}
