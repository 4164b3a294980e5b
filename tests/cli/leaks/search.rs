//! Where canaries are searched, and the few places that may hold one.
//!
//! | canary | may be in |
//! |---|---|
//! | project token | `config.toml`, and dsr's own environment |
//! | OAuth token | dsr's own environment, since the operator put it there |
//! | ids | payloads of jobs in a ledger; the sandbox's own state; what a download fetched |
//! | API secret, hash key | only the operator's own files |

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use rusqlite::types::ValueRef;
use rusqlite::{Connection, OpenFlags};

use super::canaries::{Canary, IDS, SECRETS};
use crate::support::{OAUTH_TOKEN, Operator, PROJECT_TOKEN};

/// The canaries that were found where they must not be.
pub(super) struct Search {
    secrets: Vec<Canary>,
    ids: Vec<Canary>,
    pub(super) found: Vec<String>,
}

impl Search {
    pub(super) fn new() -> Self {
        Self {
            secrets: SECRETS.map(Canary::of).into(),
            ids: IDS.map(Canary::of).into(),
            found: Vec::new(),
        }
    }

    fn look<'a>(
        canaries: impl IntoIterator<Item = &'a Canary>,
        place: &str,
        text: &[u8],
        found: &mut Vec<String>,
    ) {
        for canary in canaries {
            if let Some(form) = canary.is_in(text) {
                let value = canary.value;
                found.push(format!("`{value}` ({form}) is in {place}"));
            }
        }
    }

    /// Searches what must hold none of them.
    pub(super) fn anything(&mut self, place: &str, text: &[u8]) {
        let all = self.secrets.iter().chain(&self.ids);
        Self::look(all, place, text, &mut self.found);
    }

    /// Searches all files of the operator except those in `own`.
    pub(super) fn files(&mut self, operator: &Operator, own: &[PathBuf]) {
        let mut files = operator.files();
        gather(&operator.work(), &mut files);
        let config = operator.config_path();
        for (path, bytes) in files {
            if own.iter().any(|own| path.starts_with(own)) {
                continue;
            }
            let place = path.display().to_string();
            let secrets = self.secrets.iter();
            let secrets = secrets.filter(|one| path != config || one.value != PROJECT_TOKEN);
            Self::look(secrets, &place, &bytes, &mut self.found);
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            if name.starts_with("server.db") {
                continue;
            }
            match name.starts_with("ledger.db") {
                // Payloads may be anywhere in these files, so search the tables instead.
                true if name == "ledger.db" => self.ledger(&path),
                true => {}
                false => Self::look(&self.ids, &place, &bytes, &mut self.found),
            }
        }
    }

    fn ledger(&mut self, path: &Path) {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY;
        let Ok(ledger) = Connection::open_with_flags(path, flags) else {
            return;
        };
        let tables = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name <> 'payloads'";
        // A damaged ledger has no tables to read.
        let Ok(mut statement) = ledger.prepare(tables) else {
            return;
        };
        let names = statement.query_map([], |row| row.get::<_, String>(0));
        for name in names.expect("the schema can be read") {
            let name = name.expect("a name");
            let rows = ledger.prepare(&format!("SELECT * FROM \"{name}\""));
            let mut rows = rows.expect("a table");
            let columns = rows.column_count();
            let mut rows = rows.query([]).expect("its rows");
            while let Some(row) = rows.next().expect("a row") {
                for column in 0..columns {
                    let place = format!("the ledger's {name}, column {column}");
                    match row.get_ref(column).expect("a value") {
                        ValueRef::Text(bytes) | ValueRef::Blob(bytes) => {
                            self.anything(&place, bytes);
                        }
                        ValueRef::Null | ValueRef::Integer(_) | ValueRef::Real(_) => {}
                    }
                }
            }
        }
    }

    /// Searches what was seen of dsr and its children while they ran.
    pub(super) fn processes(&mut self, seen: Vec<Sight>) {
        for sight in seen {
            self.anything("the list of processes", &sight.arguments);
            let all = self.secrets.iter().chain(&self.ids);
            let given = [OAUTH_TOKEN, PROJECT_TOKEN];
            let all = all.filter(|one| sight.is_child || !given.contains(&one.value));
            Self::look(all, "an environment", &sight.environment, &mut self.found);
        }
    }
}

pub(super) struct Sight {
    is_child: bool,
    arguments: Vec<u8>,
    environment: Vec<u8>,
}

/// Looks at a process and its children again and again.
pub(super) struct Watch {
    is_over: Arc<AtomicBool>,
    thread: JoinHandle<Vec<Sight>>,
}

impl Watch {
    pub(super) fn of(process: u32) -> Self {
        let is_over = Arc::new(AtomicBool::new(false));
        let over = Arc::clone(&is_over);
        let thread = thread::spawn(move || {
            let mut seen: Vec<Sight> = Vec::new();
            loop {
                let is_last = over.load(Ordering::Relaxed);
                for (id, is_child) in family_of(process) {
                    let folder = PathBuf::from(format!("/proc/{id}"));
                    let arguments = fs::read(folder.join("cmdline")).unwrap_or_default();
                    // Other users cannot read it, nor can its own user if the process forbids it.
                    let environment = fs::read(folder.join("environ")).unwrap_or_default();
                    let is_known = seen.iter().any(|sight| {
                        sight.arguments == arguments && sight.environment == environment
                    });
                    if !is_known {
                        seen.push(Sight {
                            is_child,
                            arguments,
                            environment,
                        });
                    }
                }
                if is_last {
                    return seen;
                }
                thread::sleep(Duration::from_millis(5));
            }
        });
        Self { is_over, thread }
    }

    pub(super) fn end(self) -> Vec<Sight> {
        self.is_over.store(true, Ordering::Relaxed);
        self.thread.join().expect("a look does not fail")
    }
}

fn family_of(process: u32) -> Vec<(u32, bool)> {
    let mut family = vec![(process, false)];
    let tasks = fs::read_dir(format!("/proc/{process}/task"));
    for task in tasks.into_iter().flatten().flatten() {
        let children = fs::read_to_string(task.path().join("children")).unwrap_or_default();
        let children = children.split_whitespace().filter_map(|id| id.parse().ok());
        family.extend(children.map(|child| (child, true)));
    }
    family
}

fn gather(folder: &Path, files: &mut Vec<(PathBuf, Vec<u8>)>) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        match path.is_dir() {
            true => gather(&path, files),
            false => files.extend(fs::read(&path).map(|bytes| (path, bytes))),
        }
    }
}
