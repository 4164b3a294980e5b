//! Sources of more than one block, page and spool: the same promises, in bounded memory.

use std::io::Write;
use std::path::PathBuf;
use std::process::{Child, Stdio};
use std::time::Duration;

use crate::support::{Fake, NOWHERE, Operator, Terminal, people};

/// A heading and this many UUID-like ids; each twentieth is repeated.
fn table(ids: usize) -> String {
    let mut text = String::from("distinct_id\n");
    for place in 0..ids {
        let id = id(place);
        text.push_str(&id);
        if place % 20 == 0 {
            text.push_str(&id);
        }
    }
    text
}

fn id(place: usize) -> String {
    let mixed = (place as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    format!("{:08x}-0000-4000-8000-{mixed:016x}\n", place)
}

#[test]
fn seventy_thousand_people_are_each_sent_once_and_in_their_order() {
    let fake = Fake::start();
    let operator = Operator::at_with(&fake, "rate = 1000\nexport_batch = 2000");
    operator.file("ids.csv", table(70_000));
    operator.run(&["export", "--gdpr", "ids.csv"]).exits_with(0);
    let posts = fake.posts();
    assert_eq!(posts.len(), 35);
    assert!(posts.iter().all(|post| post.ids().len() == 2000));
    let wanted = (0..70_000).map(|place| id(place).trim_end().to_owned());
    assert!(fake.posted_ids().into_iter().eq(wanted), "in order");
}

#[test]
fn a_million_ids_are_read_in_32_bytes_of_memory_each_and_64_mib() {
    let operator = Operator::new()
        .with("DSR_PROJECT_TOKEN", "9f2c41d07ab35e6680cc17d4e2b1a95f")
        .with("DSR_REGION", "us");
    let ids = 1_000_000;
    operator.file("ids.csv", table(ids));
    let bound_kib = (ids * 32) / 1024 + 64 * 1024;
    // Limits all private writable memory.
    let limit = |kib: usize| format!("ulimit -d {kib}");
    let args = ["delete", "--gdpr", "--dry-run", "ids.csv", "--json"];
    let command = operator.command_after(&limit(bound_kib), &args);
    let outcome = crate::support::Running::start(command, "").end();
    let request = outcome.exits_with(0).request();
    assert_eq!(request["ids"]["unique"], ids);
    assert_eq!(request["ids"]["duplicates"], ids / 20);
    // The limit works: with next to nothing dsr cannot run.
    let command = operator.command_after(&limit(8 * 1024), &args);
    let outcome = crate::support::Running::start(command, "").end();
    assert_ne!(outcome.status, Some(0), "{outcome}");
}

fn nameless_files(child: &Child) -> Vec<PathBuf> {
    let folder = format!("/proc/{}/fd", child.id());
    let Ok(entries) = std::fs::read_dir(folder) else {
        return Vec::new();
    };
    let targets = entries.filter_map(|entry| std::fs::read_link(entry.ok()?.path()).ok());
    let deleted = |path: &PathBuf| path.to_string_lossy().ends_with("(deleted)");
    targets.filter(deleted).collect()
}

#[test]
#[cfg_attr(not(target_os = "linux"), ignore = "it reads /proc")]
fn a_kill_while_reading_leaves_nobodys_id_behind() {
    let operator = Operator::new()
        .with("DSR_PROJECT_TOKEN", "9f2c41d07ab35e6680cc17d4e2b1a95f")
        .with("DSR_REGION", "us")
        .with("DSR_API_URL", NOWHERE);
    let mut command = operator.command(&["delete", "--gdpr", "--yes", "-"]);
    command.stdin(Stdio::piped()).stderr(Stdio::null());
    let mut child = command.spawn().expect("dsr can be started");
    let mut stdin = child.stdin.take().expect("standard input is piped");
    // More than fits into memory, without an end: dsr waits for more.
    stdin.write_all(table(850_000).as_bytes()).expect("a pipe");
    let mut waited = Duration::ZERO;
    while nameless_files(&child).is_empty() && waited < Duration::from_secs(30) {
        std::thread::sleep(Duration::from_millis(20));
        waited += Duration::from_millis(20);
    }
    let spool = nameless_files(&child);
    assert_eq!(spool.len(), 1, "{spool:?}");
    assert!(spool[0].starts_with(operator.dsr_home()), "{spool:?}");
    let holds_an_id = || {
        let mut files = operator.files().into_iter();
        files.any(|(_, content)| content.windows(8).any(|part| part == b"-0000-40"))
    };
    assert!(!holds_an_id(), "while it reads");
    child.kill().expect("it can be killed");
    child.wait().expect("it can be waited for");
    assert!(!holds_an_id(), "after the kill");
    assert_eq!(operator.files().len(), 0, "{:?}", operator.files());
}

#[test]
fn what_was_shown_is_sent_although_the_file_changes_meanwhile() {
    let fake = Fake::start();
    let operator = Operator::at(&fake);
    let ids = people(30);
    operator.file("ids.csv", crate::support::csv_of(&ids, None));
    let mut terminal = Terminal::start(operator.command(&["delete", "--gdpr", "ids.csv"]));
    terminal.sees("on 30 ids");
    operator.file("ids.csv", "distinct_id\nsomebody-else\n");
    terminal.types("30");
    let (status, screen) = terminal.ends();
    assert_eq!(status, 0, "{screen}");
    assert_eq!(fake.posted_ids(), ids);
}
