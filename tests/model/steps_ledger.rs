//! What happens to the whole ledger: it is purged, copied, and set back.

use std::collections::BTreeSet;

use crate::run::How;
use crate::truth::Kind;
use crate::world::{World, text};

impl World {
    pub(crate) fn purge(&mut self) {
        if !self.jumps || self.requests.is_empty() {
            return;
        }
        self.sync();
        // Nearly three years later.
        let how = How {
            signal: None,
            clock: 90_000_000,
        };
        let said = self.dsr(
            &["purge", "--older-than", "24months", "--yes", "--json"],
            how,
            None,
        );
        self.judge(&said, &[0, 2]);
        let purged = said.json()["purged"]["requests"].as_u64().unwrap_or(0);
        self.sync();
        let left: BTreeSet<String> = self
            .view
            .iter()
            .map(|request| text(&request["id"]))
            .collect();
        let mut went = 0;
        for ours in &mut self.requests {
            if ours.id.as_ref().is_some_and(|id| !left.contains(id)) && !ours.gone {
                (ours.gone, ours.purged) = (true, true);
                went += 1;
            }
        }
        if went != purged {
            let truth = format!("{went} went");
            self.wrong("purge miscounts", "", said.short(), truth);
        }
    }

    fn head(&mut self) -> Option<String> {
        let said = self.ask(&["audit", "head"]);
        said.out.split_whitespace().next().map(str::to_owned)
    }

    pub(crate) fn backup(&mut self) {
        if self.view.is_empty() {
            return;
        }
        let file = self.folder.path().join(format!("backup-{}.db", self.step));
        let said = self.ask(&["ledger", "backup", &file.display().to_string(), "--json"]);
        let head = text(&said.json()["backup"]["head"]);
        if said.code != Some(0) || !file.exists() || head.is_empty() {
            self.wrong("ledger backup fails", "", said.short(), "-".into());
            return;
        }
        let posts = self.fake.lock().truth.posts.len();
        self.backups.push((file, head, posts));
    }

    /// Puts an older copy in the ledger's place.
    pub(crate) fn set_back(&mut self) {
        if self.backups.is_empty() {
            self.backup();
            return;
        }
        let (copy, then, posts_then) = self.rng.pick(&self.backups).clone();
        let count = |head: &str| {
            head.split(':')
                .next()
                .and_then(|count| count.parse::<u64>().ok())
        };
        let now = self.head().unwrap_or_default();
        let older = count(&then) < count(&now);
        let home = self.home();
        let seen = std::fs::read_to_string(home.join("seen-head")).unwrap_or_default();
        if older && count(&seen) <= count(&then) {
            // A signal came between a commit and the note of it: nobody can tell, and nothing was
            // sent.
            if self.fake.lock().truth.posts.len() > posts_then {
                self.wrong("a POST without a note of it", "", seen, now);
            }
            return;
        }
        for name in ["ledger.db", "ledger.db-wal", "ledger.db-shm"] {
            drop(std::fs::remove_file(home.join(name)));
        }
        std::fs::copy(&copy, home.join("ledger.db")).expect("room");
        self.fake
            .lock()
            .truth
            .log
            .push(format!("      the ledger is set back from {now} to {then}"));
        if !older {
            return;
        }
        self.was_set_back = true;
        self.set_back_now = true;
        let posts = self.fake.lock().truth.posts.len();
        let id = self
            .view
            .first()
            .map(|request| text(&request["id"]))
            .unwrap_or_default();
        let (args, request) = self.submission(Kind::Delete);
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        let tries: [&[&str]; 5] = [
            &args,
            &["resume", "--json"],
            &["status", "--refresh", "--json"],
            &["audit", "verify", "--json"],
            &["cancel", &id, "--yes", "--json"],
        ];
        for args in tries {
            let said = self.dsr(args, How::default(), Some(&request.tag));
            if said.code != Some(74) {
                let kind = format!("`{}` goes on with a ledger that was set back", args[0]);
                self.wrong(&kind, "", said.short(), "74".into());
            }
        }
        let said = self.dsr(
            &["ledger", "accept", "--yes", "--json"],
            How::default(),
            None,
        );
        if said.code != Some(0) || said.json()["accepted"].is_null() {
            self.wrong("ledger accept fails", "", said.short(), "-".into());
        }
        self.set_back_now = false;
        if self.fake.lock().truth.posts.len() != posts {
            self.wrong(
                "a POST with a ledger that was set back",
                "",
                said.short(),
                "-".into(),
            );
        }
        self.sync();
        let left: BTreeSet<String> = self
            .view
            .iter()
            .map(|request| text(&request["id"]))
            .collect();
        for ours in &mut self.requests {
            let there = ours.id.as_ref().is_some_and(|id| left.contains(id));
            (ours.gone, ours.purged) = (!there, ours.purged && !there && ours.gone);
        }
        self.backups
            .retain(|(_, head, _)| count(head) <= count(&then));
    }
}
