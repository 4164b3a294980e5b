//! Random schedules of faults, kills and resumes against a model of Mixpanel. Afterwards what it
//! accepted, the ledger and what was asked agree, and nothing was sent twice without a note.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use crate::support::{
    Chance, Habits, Model, Operator, account, csv_of, disagreements, few_on_postgres, in_turns,
    people,
};

/// How many schedules run in one `cargo test`, and how many at once.
const SCHEDULES: u64 = 40;
const AT_ONCE: usize = 20;
/// This many commands settle everything.
const MAX_RESUMES: usize = 8;
/// Two calls with the same ids are 2 s apart, less the time that the first took to arrive: on a
/// busy machine a good part of a second.
const APART: Duration = Duration::from_secs(1);

/// One schedule, drawn from its seed.
struct Schedule {
    seed: u64,
    kind: &'static str,
    chance: Chance,
    model: Model,
    operator: Operator,
    asked: Vec<BTreeSet<String>>,
}

impl Schedule {
    fn draw(seed: u64) -> Self {
        let mut chance = Chance::new(seed);
        let kind = match chance.below(4) {
            0 => "export",
            _ => "delete",
        };
        let batch = 3 + chance.below(4);
        let overlapping = chance.below(4) == 0;
        let habits = Habits {
            // An id may be deleted twice if two requests ask for it.
            ending: match overlapping {
                true => 0,
                false => [0, 10, 60][chance.below(3) as usize],
            },
            largest: match chance.below(4) {
                0 => 2 + chance.below(2) as usize,
                _ => 2000,
            },
            delay: Duration::from_millis(chance.below(30)),
            ..Habits::default()
        };
        let model = Model::in_bad_weather(habits, seed);
        let settings = format!("rate = 1000\ndelete_batch = {batch}\nexport_batch = {batch}");
        let operator = Operator::at_with(&model.fake, &settings);
        let ids = people(8 + chance.below(20) as usize);
        let mut asked = vec![ids.clone()];
        if overlapping {
            asked.push(ids[ids.len() / 2..].to_vec());
            asked[1].extend((0..4).map(|place| format!("later-{place}@example.test")));
        }
        for (place, ids) in asked.iter().enumerate() {
            let name = ["0.csv", "1.csv"][place];
            operator.file(name, csv_of(ids, None));
        }
        let asked = asked.into_iter().map(BTreeSet::from_iter).collect();
        Self {
            seed,
            kind,
            chance,
            model,
            operator,
            asked,
        }
    }

    fn command(&self, place: usize) -> Vec<&'static str> {
        let mut args = vec![self.kind, "--gdpr", ["0.csv", "1.csv"][place]];
        args.extend((self.kind == "delete").then_some("--yes"));
        args
    }

    /// Runs dsr, and mostly kills it at some moment.
    fn run(&mut self, args: &[&str]) {
        let running = self.operator.start(args);
        let moment = match self.chance.below(10) {
            0..7 => self.chance.below(300),
            7..9 => self.chance.below(2300),
            _ => {
                running.end().did_not_panic();
                return;
            }
        };
        thread::sleep(Duration::from_millis(moment));
        running.kill();
    }

    fn is_recorded(&self, place: usize) -> bool {
        // A dsr that was killed early may have made no ledger yet.
        self.operator.has_ledger() && self.operator.requests().len() > place
    }

    fn is_settled(&self) -> bool {
        account(&self.operator).iter().all(|job| {
            let unknown = job.state == "unknown";
            let ended = job.is_accepted() || job.state == "refused";
            ended || (unknown && self.is_left_to_the_operator(&job.reason))
        })
    }

    /// Only the operator can settle these: an export that was repeated once; a deletion with some
    /// ids in another request's tasks; a job that dsr was killed over before it learned that the
    /// job is too large.
    fn is_left_to_the_operator(&self, reason: &str) -> bool {
        let said = |text| reason.contains(text);
        let shared = said("being deleted already") || said("several tasks");
        self.kind == "export" || (self.asked.len() > 1 && shared) || said("too many")
    }

    /// Plays it to its end; returns how many resumes without a kill that took.
    fn play(&mut self) -> usize {
        for place in 0..self.asked.len() {
            while !self.is_recorded(place) {
                self.run(&self.command(place));
            }
        }
        for _ in 0..self.chance.below(3) {
            self.run(&["resume"]);
        }
        let mut resumes = 0;
        loop {
            let last = self.operator.run(&["resume"]);
            last.did_not_panic();
            resumes += 1;
            if self.is_settled() {
                let unknown = account(&self.operator)
                    .iter()
                    .any(|job| job.state == "unknown");
                let expected = i32::from(unknown) * 6;
                last.exits_with(expected);
                return resumes;
            }
            assert!(
                resumes < MAX_RESUMES,
                "seed {}: no end\n{last}\n{:#?}",
                self.seed,
                account(&self.operator)
            );
        }
    }

    fn check(&self) {
        let seed = self.seed;
        let found = disagreements(&self.operator, &self.model, &self.asked);
        assert!(
            found.is_empty(),
            "seed {seed}: {found:#?}\n{:#?}\n{:#?}",
            account(&self.operator),
            self.model.tasks()
        );
        if self.asked.len() > 1 {
            // Two requests may have the same people, each once.
            return;
        }
        let posts = self.model.fake.posts();
        for (place, post) in posts.iter().enumerate() {
            let same = posts[..place].iter().rfind(|p| p.ids() == post.ids());
            let Some(same) = same else { continue };
            assert_eq!(same.body, post.body, "seed {seed}");
            let gap = post.arrived - same.arrived;
            // A POST that was certainly not accepted may be sent again sooner.
            let may = self.model.turned_away(same.place) || gap >= APART;
            assert!(may, "seed {seed}: once more after {gap:?}");
        }
    }
}

#[test]
fn no_schedule_loses_an_id_or_doubles_one_without_a_word() {
    let (resumes, lost, doubled) = <(AtomicUsize, AtomicUsize, AtomicUsize)>::default();
    let seeds = few_on_postgres((0..SCHEDULES).collect(), 10);
    in_turns(&seeds, AT_ONCE, |seed| {
        let mut schedule = Schedule::draw(*seed);
        resumes.fetch_max(schedule.play(), Ordering::Relaxed);
        schedule.check();
        lost.fetch_add(schedule.model.tally().lost, Ordering::Relaxed);
        let jobs = account(&schedule.operator);
        let noted = jobs.iter().filter(|job| job.may_be_double()).count();
        doubled.fetch_add(noted, Ordering::Relaxed);
    });
    println!(
        "{} schedules ran: {lost:?} answers lost after accepting, {doubled:?} jobs noted \
         as possible duplicates, at most {resumes:?} resumes to the end",
        seeds.len(),
    );
}
