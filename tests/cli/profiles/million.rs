//! Very many profiles: dsr selects exactly those that an independent program selects, in bounded
//! memory.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "it is a test in parts"
)]

use std::fmt::Write;
use std::fs;
use std::process::Command;

use crate::support::{Fake, Operator, Running};

/// Selects with date arithmetic of its own: counts months back on a proleptic calendar by hand, and
/// compares days as numbers.
const MODEL: &str = r#"
import csv, sys, re
today = tuple(map(int, sys.argv[2].split("-")))
def leap(y): return y % 4 == 0 and (y % 100 != 0 or y % 400 == 0)
def length(y, m): return [31, 29 if leap(y) else 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][m - 1]
def number(y, m, d):
    days = d
    for one in range(1, m): days += length(y, one)
    return days + 365 * (y - 1) + (y - 1) // 4 - (y - 1) // 100 + (y - 1) // 400
y, m, d = today
m -= 18
while m < 1: y, m = y - 1, m + 12
limit = number(y, m, min(d, length(y, m)))
epoch = number(1970, 1, 1)
now = number(*today)
seen, late = {}, []
for row in csv.DictReader(open(sys.argv[1])):
    key, time = row["$distinct_id"], row["$last_seen"]
    seen[key] = seen.get(key, 0) + 1
    if row["plan"] != "free": continue
    match = re.fullmatch(r"(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d):(\d\d)(?:\.\d+)?)?", time)
    if match:
        yy, mm, dd = map(int, match.groups()[:3])
        if not (1 <= mm <= 12 and 1 <= dd <= length(yy, mm)): continue
        if match.group(4) and not (int(match.group(4)) < 24 and int(match.group(5)) < 60): continue
        day = number(yy, mm, dd)
    elif re.fullmatch(r"\d{10}", time): day = epoch + int(time) // 86400
    elif re.fullmatch(r"\d{13}", time): day = epoch + int(time) // 86400000
    else: continue
    if day < number(2000, 1, 1) or day > now + 1: continue
    if key in ("", "null", "undefined", "0"): continue
    if day < limit: late.append(key)
print("distinct_id")
for key in late:
    if seen[key] == 1: print(key)
"#;

/// Times of every form around the limit, and what is no time.
fn table(profiles: u64) -> String {
    let mut text = String::from("$distinct_id,$last_seen,plan\n");
    let mut random = 0x9e37_79b9_7f4a_7c15_u64;
    for place in 0..profiles {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        let seconds = 1_500_000_000 + i64::try_from(random % 300_000_000).unwrap();
        let moment = chrono::DateTime::from_timestamp(seconds, 0).unwrap();
        let time = match random >> 60 {
            0 => seconds.to_string(),
            1 => (seconds * 1000).to_string(),
            2 => moment.format("%Y-%m-%d").to_string(),
            3 => moment.format("%Y-%m-%d %H:%M:%S").to_string(),
            4 => moment.format("%Y-%m-%dT%H:%M:%S.250").to_string(),
            5 if random.is_multiple_of(3) => String::new(),
            6 if random.is_multiple_of(3) => moment.format("%d.%m.%Y").to_string(),
            7 if random.is_multiple_of(3) => "1970-01-01T00:00:00".to_owned(),
            _ => moment.format("%Y-%m-%dT%H:%M:%S").to_string(),
        };
        let id = match (place * 31) % 5000 {
            7 => "undefined".to_owned(),
            11 => format!("{:08x}-0000-4000-8000-{:012x}", 1, 1),
            _ => format!("{place:08x}-0000-4000-8000-{:012x}", random >> 16),
        };
        let plan = if random.is_multiple_of(4) {
            "paid"
        } else {
            "free"
        };
        writeln!(text, "{id},{time},{plan}").unwrap();
    }
    text
}

fn compare(profiles: u64) {
    if Command::new("python3").arg("-V").output().is_err() {
        println!("skipped: there is no python3");
        return;
    }
    let operator = Operator::at(&Fake::start());
    operator.file("users.csv", table(profiles));
    operator.file("model.py", MODEL);
    let args = [
        "profiles",
        "expire",
        "--not-seen-for",
        "18months",
        "--profiles",
        "users.csv",
        "--where",
        "plan=free",
        "--at-most",
        "100%",
        "--dry-run",
        "-o",
        "list.csv",
        "--json",
    ];
    let today = super::now().date_naive();
    // 8 bytes for each profile, 20 for each selected one, and a fixed part; limits all private
    // writable memory.
    let bound = usize::try_from(profiles).unwrap() * 32 / 1024 + 96 * 1024;
    let command = operator.command_after(&format!("ulimit -d {bound}"), &args);
    let outcome = Running::start(command, "").end();
    let found = outcome.exits_with(0).json();
    if today != super::now().date_naive() {
        return;
    }
    let mut python = Command::new("python3");
    let work = operator.work();
    let model = python
        .arg(work.join("model.py"))
        .arg(work.join("users.csv"))
        .arg(today.to_string())
        .output()
        .expect("python3 runs");
    assert!(
        model.status.success(),
        "{}",
        String::from_utf8_lossy(&model.stderr)
    );
    let expected = String::from_utf8(model.stdout).unwrap();
    let list = fs::read_to_string(work.join("list.csv")).unwrap();
    let selected = list.lines().count() - 1;
    println!("{selected} of {profiles} selected in {:?}", outcome.took);
    assert!(list == expected, "the lists differ: {selected} here");
    assert_eq!(found["selected"], selected);
    assert_eq!(found["profiles"], profiles);
    let kept = &found["not_judged"];
    let counts =
        ["undated", "unreadable", "unusable", "repeated"].map(|key| kept[key].as_u64().unwrap());
    assert!(counts.iter().all(|count| *count > 0), "{found}");
}

#[test]
fn thirty_thousand_profiles_are_selected_as_another_program_does() {
    compare(30_000);
}

#[test]
#[ignore = "takes minutes without optimization"]
fn a_million_profiles_are_selected_as_another_program_does() {
    compare(1_000_000);
}
