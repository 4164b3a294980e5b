//! Kinds of sources: several at once, folders, patterns, pipes, and endless ones.

use std::io::{ErrorKind, Read, Write};
use std::process::{Command, Stdio};
use std::thread;

use flate2::Compression;
use flate2::write::GzEncoder;

use crate::support::{Fake, Operator, Running};

const GIB: usize = 1 << 30;
/// In KiB of mapped memory, programs included: far less than a gigabyte.
const MEMORY: &str = "ulimit -v 400000";

fn export<'a>(args: &[&'a str]) -> Vec<&'a str> {
    [&["export", "--gdpr"], args].concat()
}

/// Runs an export of standard input with little memory. Feeds it `beginning`, then `part` up to a
/// gigabyte. Returns its exit status, its message, and how much it read.
fn feed(operator: &Operator, args: &[&str], beginning: &[u8], part: &[u8]) -> (i32, String, usize) {
    let mut child = operator
        .command_after(MEMORY, &export(args))
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("dsr can be started");
    let mut stdin = child.stdin.take().expect("standard input is piped");
    let chunk = part.repeat((64 << 10) / part.len() + 1);
    let beginning = beginning.to_owned();
    let feeder = thread::spawn(move || {
        let mut taken = 0;
        let mut result = stdin.write_all(&beginning);
        while result.is_ok() && taken < GIB {
            result = stdin.write_all(&chunk);
            taken += chunk.len();
        }
        match result {
            Ok(()) => taken,
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::BrokenPipe);
                taken
            }
        }
    });
    let mut said = String::new();
    let mut stderr = child.stderr.take().expect("stderr is piped");
    stderr.read_to_string(&mut said).expect("stderr is text");
    let status = child.wait().expect("a child can be waited for");
    let taken = feeder.join().expect("a pipe can be written to");
    (status.code().unwrap_or(-1), said, taken)
}

#[test]
fn what_does_not_end_is_refused_long_before_it_fills_the_memory() {
    let fake = Fake::start();
    let operator = Operator::at(&fake);
    let cases: [(&[&str], &str, &str, &str); 7] = [
        (&["-"], "distinct_id\na1\n", "secret", "line 3"),
        (&["-"], "secret", "secret", "line 1"),
        (&["-"], "distinct_id\na1\n\"", "secret\n", "line 3"),
        (&["--format", "text", "-"], "a1\n", "secret", "line 2"),
        (&["-"], "{\"distinct_id\":\"", "secret", "line 1"),
        (&["-"], "[\"a1\",\n\"", "secret", "line 2, element 2"),
        (&["-"], "[{\"distinct_id\":\"a1\",\"x\":", "[", "element 1"),
    ];
    for (args, beginning, part, place) in cases {
        let (status, said, taken) = feed(&operator, args, beginning.as_bytes(), part.as_bytes());
        assert_eq!(status, 5, "{beginning:?}: {said}");
        for text in [place, "longer than 4 MiB", "nothing was sent"] {
            assert!(said.contains(text), "{beginning:?}, `{text}`: {said}");
        }
        assert!(!said.contains("secret"), "{said}");
        assert!(taken < GIB / 16, "{beginning:?}: {taken} bytes were taken");
    }
    fake.was_not_called();
}

#[test]
fn a_small_file_that_unpacks_to_a_gigabyte_does_not_fill_the_memory() {
    let fake = Fake::start();
    let operator = Operator::at(&fake);
    let packed = |text: &[u8]| {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(text).expect("memory can be written to");
        encoder.finish().expect("memory can be written to")
    };
    let bomb = [
        packed(b"distinct_id\n"),
        packed(&[b'x'; 1 << 20]).repeat(1024),
    ];
    operator.file("ids.csv.gz", bomb.concat());
    let command = operator.command_after(MEMORY, &export(&["ids.csv.gz"]));
    let outcome = Running::start(command, "").end();
    outcome
        .exits_with(5)
        .says("line 2")
        .says("longer than 4 MiB");
    fake.was_not_called();
}

#[test]
fn sources_of_different_formats_are_taken_together_and_each_is_described() {
    let fake = Fake::start();
    let operator = Operator::at(&fake);
    operator.file("one.csv", "n;distinct_id\n1;a1\n\n2;a2\n");
    operator.file(
        "two.jsonl",
        "{\"$distinct_id\":\"a2\"}\n{\"$distinct_id\":\"b1\"}\n",
    );
    operator.file("three.txt", "c,1\n".replace(',', "-"));
    let files = ["one.csv", "two.jsonl", "three.txt"];
    let command = ["delete", "--gdpr", "--dry-run"];
    let args = [&command[..], &files, &["--id", "d1"]].concat();
    let outcome = operator.run(&args);
    outcome.exits_with(0);
    for line in [
        "Read as     `one.csv`: table with `;`, column `distinct_id`, UTF-8, 1 blank line skipped",
        "Read as     `two.jsonl`: JSON lines, key `$distinct_id`, UTF-8",
        "Read as     `three.txt`: list, each line an id, UTF-8",
    ] {
        assert!(outcome.stdout.contains(line), "`{line}`\n{outcome}");
    }
    let request = operator.run(&[&args[..], &["--json"]].concat()).request();
    let sources = request["sources"].as_array().expect("sources are listed");
    let values: Vec<_> = sources.iter().map(|source| &source["values"]).collect();
    assert_eq!(
        values,
        [2, 2, 1],
        "an id on the command line is no source to describe"
    );
    fake.was_not_called();
    let args = [&["delete", "--gdpr", "--yes"], &files[..], &["--id", "d1"]].concat();
    operator.run(&args).exits_with(0);
    assert_eq!(fake.posted_ids(), ["a1", "a2", "b1", "c-1", "d1"]);
}

#[test]
fn one_empty_source_among_others_sends_nothing() {
    let fake = Fake::start();
    let operator = Operator::at(&fake);
    operator.file("ids.csv", "distinct_id\na1\n");
    operator.file("cut.csv", "distinct_id\n");
    let outcome = operator.run(&export(&["ids.csv", "cut.csv"]));
    outcome.exits_with(5).says("no id in `cut.csv`");
    fake.was_not_called();
}

#[test]
fn a_folder_is_refused_with_what_to_type() {
    let fake = Fake::start();
    let operator = Operator::at(&fake);
    let folder = operator.work().join("lists");
    std::fs::create_dir_all(folder.join("more.csv")).unwrap();
    let outcome = operator.run(&export(&["lists"]));
    outcome
        .exits_with(5)
        .says("`lists` is a folder, and no file");
    for name in ["a.csv.gz", "b.csv.gz", "c.txt", "d.pdf", "e"] {
        std::fs::write(folder.join(name), "distinct_id\na1\n").unwrap();
    }
    let outcome = operator.run(&export(&["lists"]));
    outcome
        .exits_with(5)
        .says("`lists` is a folder with 3 files that dsr may read")
        .says("`lists/*.csv.gz`")
        .says("nothing was sent");
    fake.was_not_called();
}

#[test]
fn a_pattern_that_the_shell_left_as_it_is_is_no_id() {
    let fake = Fake::start();
    let operator = Operator::at(&fake);
    for pattern in ["*.csv", "lists/*", "user-?", "ids[12]"] {
        let outcome = operator.run(&export(&[pattern]));
        outcome
            .exits_with(2)
            .says(pattern)
            .says("no file matches")
            .says("--id");
    }
    fake.was_not_called();
    let named = ["--id", "user-?", "--allow", "user-?"];
    operator.run(&export(&named)).exits_with(0);
    operator.file("ids[1].csv", "distinct_id\na1\n");
    operator.run(&export(&["ids[1].csv"])).exits_with(0);
    assert_eq!(fake.posted_ids(), ["user-?", "a1"]);
}

#[test]
fn a_pipe_with_a_name_is_read_even_if_it_drips() {
    let fake = Fake::start();
    let operator = Operator::at(&fake);
    let made = Command::new("mkfifo")
        .arg(operator.work().join("pipe"))
        .status();
    assert!(made.is_ok_and(|status| status.success()));
    let path = operator.work().join("pipe");
    let writer = thread::spawn(move || {
        let mut pipe = std::fs::OpenOptions::new().write(true).open(path).unwrap();
        let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
        packed
            .write_all("distinct_id\na1\nü2\n".as_bytes())
            .unwrap();
        for byte in packed.finish().unwrap() {
            pipe.write_all(&[byte]).unwrap();
            pipe.flush().unwrap();
            thread::sleep(std::time::Duration::from_millis(2));
        }
    });
    operator.run(&export(&["pipe"])).exits_with(0);
    writer.join().unwrap();
    let args = export(&["/dev/stdin"]);
    let outcome = operator.run_with_input(&args, "distinct_id\na3\n");
    outcome.exits_with(0);
    assert_eq!(fake.posted_ids(), ["a1", "ü2", "a3"]);
    let outcome = operator.run(&export(&["pipe", "pipe"]));
    outcome.exits_with(2).says("read only once");
}

#[test]
fn a_file_that_is_named_twice_is_warned_of() {
    let fake = Fake::start();
    let operator = Operator::at(&fake);
    operator.file("ids.csv", "distinct_id\na1\n");
    std::os::unix::fs::symlink("ids.csv", operator.work().join("link.csv")).unwrap();
    let outcome = operator.run(&export(&["ids.csv", "link.csv", "--json"]));
    outcome.exits_with(0);
    let result = outcome.json();
    assert_eq!(result["request"]["ids"]["duplicates"], 1, "{outcome}");
    let warnings = result["warnings"].as_array().expect("warnings are listed");
    let text = warnings[0].to_string();
    assert!(
        text.contains("`link.csv` is named more than once"),
        "{text}"
    );
    assert_eq!(fake.posted_ids(), ["a1"]);
}

#[test]
fn flags_that_do_not_fit_the_format_are_refused() {
    let fake = Fake::start();
    let operator = Operator::at(&fake);
    operator.file("ids.csv", "distinct_id\na1\n");
    for flags in [
        &["--format", "text", "--column", "1"][..],
        &["--format", "text", "--delimiter", ";"],
        &["--format", "jsonl", "--delimiter", ";"],
        &["--format", "json", "--no-header"],
        &["--format", "xml"],
        &["--encoding", "utf-32"],
        &["--encoding", "klingon"],
    ] {
        let args = [flags, &["ids.csv"]].concat();
        operator.run(&export(&args)).exits_with(2);
    }
    fake.was_not_called();
}
