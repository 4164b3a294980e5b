//! Measures how fast dsr splits an archive of many people, and in how much memory.
//!
//! `cargo bench --bench split [-- PEOPLE EVENTS]` makes an archive; the defaults are 2,000 people
//! and 2,000,000 events. It measures two things, each three times in its own process, and prints
//! the medians: the yardstick (unpack, count lines, parse each as JSON) and the split. The split
//! may take twice the yardstick and 300 MB. Both count the records, and the bench counts them again
//! in the packages.

#![expect(clippy::unwrap_used, reason = "a bench that cannot go on fails")]
#![expect(clippy::print_stdout, reason = "its result")]
#![expect(
    clippy::disallowed_methods,
    reason = "it reads its own arguments and clock"
)]

use std::fs::File;
use std::io::{BufRead, BufReader, BufWriter, Read, Write};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use dsr::domain::{DistinctId, ProjectZone, RequestId, RetrievalScope, TaskId};
use dsr::packages::{ArchiveToSplit, Limits, PackageForm, Provenance, Review, split};
use serde_json::json;
use sha2::{Digest, Sha256};

const RUNS: usize = 3;

fn main() {
    let arguments: Vec<String> = std::env::args()
        .skip(1)
        .filter(|text| text != "--bench")
        .collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["measure", kind, archive, people] => {
            measure(kind, Path::new(archive), people.parse().unwrap())
        }
        ["-h" | "--help"] => println!("cargo bench --bench split [-- PEOPLE EVENTS]"),
        [] => compare(2_000, 2_000_000),
        [people, events] => compare(people.parse().unwrap(), events.parse().unwrap()),
        _ => panic!("PEOPLE EVENTS"),
    }
}

fn compare(people: usize, events: usize) {
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let archive = folder.path().join("export.zip");
    let bytes = make(&archive, people, events);
    let packed = archive.metadata().unwrap().len();
    println!(
        "{people} people, {events} events, {:.0} MB, {:.0} MB packed",
        mb(bytes),
        mb(packed)
    );
    let mut results: [Vec<(f64, u64)>; 2] = Default::default();
    for _ in 0..RUNS {
        for (kind, results) in ["yardstick", "split"].into_iter().zip(&mut results) {
            let (seconds, memory, records) = in_a_process(kind, &archive, people);
            assert_eq!(records, events as u64, "{kind}: each record once");
            results.push((seconds, memory));
        }
    }
    let [yardstick, split] = results.map(median);
    println!("yardstick {:6.2} s {:5.0} MB", yardstick.0, mb(yardstick.1));
    println!("split     {:6.2} s {:5.0} MB", split.0, mb(split.1));
    println!("ratio     {:6.2}", split.0 / yardstick.0);
}

fn median(mut results: Vec<(f64, u64)>) -> (f64, u64) {
    results.sort_by(|a, b| a.0.total_cmp(&b.0));
    results[results.len() / 2]
}

fn mb(bytes: u64) -> f64 {
    bytes as f64 / 1e6
}

/// Returns the seconds, the peak of memory in bytes, and the number of records.
fn in_a_process(kind: &str, archive: &Path, people: usize) -> (f64, u64, u64) {
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["measure", kind])
        .arg(archive)
        .arg(people.to_string())
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let mut words = text.split_whitespace();
    let mut next = || words.next().unwrap();
    (
        next().parse().unwrap(),
        next().parse().unwrap(),
        next().parse().unwrap(),
    )
}

fn measure(kind: &str, archive: &Path, people: usize) {
    let before = Instant::now();
    let records = match kind {
        "yardstick" => yardstick(archive),
        "split" => split_archive(archive, people),
        other => panic!("{other}"),
    };
    let (seconds, memory) = (before.elapsed().as_secs_f64(), peak_memory());
    if kind == "split" {
        assert_eq!(lines_of_packages(archive), records, "what lies on the disk");
    }
    println!("{seconds} {memory} {records}");
    // Outside the measurement.
    let _ = std::fs::remove_dir_all(target(archive));
}

fn target(archive: &Path) -> PathBuf {
    archive.with_file_name("packages")
}

/// Does in one program what `unzip -p | wc -l` and a JSON parse of each line do.
fn yardstick(archive: &Path) -> u64 {
    let mut zip = zip::ZipArchive::new(BufReader::new(File::open(archive).unwrap())).unwrap();
    let (mut lines, mut objects) = (0, 0_u64);
    for place in 0..zip.len() {
        let mut member = BufReader::with_capacity(1 << 16, zip.by_index(place).unwrap());
        let mut line = Vec::new();
        while member.read_until(b'\n', &mut line).unwrap() > 0 {
            let value: serde_json::Value = serde_json::from_slice(&line).unwrap();
            objects += u64::from(value.is_object());
            lines += 1;
            line.clear();
        }
    }
    assert_eq!(lines, objects);
    lines
}

/// Counts the lines of all events files, without any code of dsr's.
fn lines_of_packages(archive: &Path) -> u64 {
    let mut lines = 0;
    for entry in std::fs::read_dir(target(archive)).unwrap() {
        let Ok(file) = File::open(entry.unwrap().path().join("events.jsonl")) else {
            continue;
        };
        lines += BufReader::new(file).split(b'\n').count() as u64;
    }
    lines
}

/// Returns the number of records that dsr reports.
fn split_archive(archive: &Path, people: usize) -> u64 {
    let people: Vec<DistinctId> = (0..people)
        .map(|person| DistinctId::new(&id(person)).unwrap())
        .collect();
    let now = chrono::Utc::now();
    let about = Provenance {
        scope: RetrievalScope::Gdpr,
        project: "bench".to_owned(),
        request: RequestId::random(),
        task: TaskId::new("bench").unwrap(),
        fetched: now,
        made: now,
        sha256: sha256(archive),
        zone: ProjectZone::default(),
        review: Review::Open,
        company: dsr::config::Company::default(),
        sandbox: false,
    };
    let order = ArchiveToSplit {
        archive,
        password: None,
        people: &people,
        elsewhere: &Vec::new,
        target: &target(archive),
        draft: &archive.with_file_name("to-check"),
        about: &about,
        form: PackageForm::Folders,
        limits: Limits::default(),
    };
    let report = split(&order, &mut |_| ControlFlow::Continue(())).unwrap();
    assert_eq!(report.packages.len(), people.len());
    assert_eq!(report.unassigned, dsr::packages::Unassigned::default());
    report.packages.iter().map(|package| package.events).sum()
}

fn sha256(path: &Path) -> String {
    let (mut hash, mut file) = (Sha256::new(), File::open(path).unwrap());
    let mut buffer = vec![0; 1 << 16];
    loop {
        match file.read(&mut buffer).unwrap() {
            0 => {
                return hash
                    .finalize()
                    .iter()
                    .map(|byte| format!("{byte:02x}"))
                    .collect();
            }
            count => hash.update(&buffer[..count]),
        }
    }
}

fn id(person: usize) -> String {
    format!("person-{person}@example.test")
}

/// Writes one event a line, taking the people in turn. Returns the unpacked bytes.
fn make(path: &Path, people: usize, events: usize) -> u64 {
    let mut zip = zip::ZipWriter::new(BufWriter::new(File::create(path).unwrap()));
    let options = zip::write::SimpleFileOptions::default()
        .compression_level(Some(1))
        .large_file(true);
    zip.start_file("events.json", options).unwrap();
    let mut bytes = 0;
    let names = ["Page View", "Search", "Sign In", "Add To Cart", "Purchase"];
    for number in 0..events {
        let digest = Sha256::digest(number.to_be_bytes());
        let insert_id: String = digest
            .iter()
            .take(16)
            .map(|byte| format!("{byte:02x}"))
            .collect();
        let mut line = serde_json::to_vec(&json!({
            "event": names[usize::from(digest[16]) % names.len()],
            "properties": {
                "time": 1_700_000_000 + number * 30,
                "distinct_id": id(number % people),
                "$insert_id": insert_id,
                "$city": "Lisboa",
                "mp_country_code": "PT",
                "$os": "Android",
                "$browser": "Chrome",
                "$browser_version": 142,
                "$current_url": format!("https://shop.example.test/products/{}?ref=mail", digest[17]),
                "$screen_width": 1080,
                "$screen_height": 2400,
                "cart": {"items": digest[18], "total": 49.9},
            },
        }))
        .unwrap();
        line.push(b'\n');
        bytes += line.len() as u64;
        zip.write_all(&line).unwrap();
    }
    zip.finish().unwrap().flush().unwrap();
    bytes
}

/// Returns this process's peak of memory in bytes, from the kernel; 0 if unknown.
fn peak_memory() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kilobytes = line.and_then(|line| line.trim().strip_suffix(" kB")?.parse::<u64>().ok());
    kilobytes.unwrap_or(0) * 1024
}
