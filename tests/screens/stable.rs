//! Replaces what differs from run to run by names, of the same length where a table depends on it.

use std::collections::BTreeMap;
use std::env::consts::{ARCH, OS};

use regex::{Captures, Regex};

use crate::support::Operator;

/// Returns the text with stable names for ids, hashes, paths, ports, ages, sizes and accounts.
///
/// Not by insta's filters: they would add Unicode classes to `regex`, which the tested program
/// uses, too.
pub(crate) fn stable(operator: &Operator, requests: &[String], text: &str) -> String {
    let root = operator.work().parent().unwrap().to_owned();
    let mut text = text.replace(root.to_str().unwrap(), "/home/ana");
    let version = concat!("dsr ", env!("CARGO_PKG_VERSION"));
    text = text.replace(version, "dsr [version]");
    text = text.replace(&format!("for {OS} on {ARCH}"), "for [system]");
    for (number, request) in requests.iter().enumerate() {
        let name = format!("request{}", number + 1);
        text = text.replace(request, &format!("{name}-in-full"));
        text = text.replace(&request[..8], &name);
    }
    text = replace(
        &text,
        "((Import|Deletion)(?::| +)) *[a-s][0-9a-z]{15}",
        |found| {
            format!(
                "{} {:-<16}",
                &found[1],
                format!("{}-in-full", found[2].to_lowercase())
            )
        },
    );
    let listed =
        r"(?m)^[a-s][0-9a-z]{7}(  [a-z ]+[0-9]{4}-[0-9]{2}-[0-9]{2}  (?:events|profiles) )";
    text = replace(&text, listed, |found| format!("in-short{}", &found[1]));
    text = without_people(text);
    let mut names = BTreeMap::new();
    text = replace(&text, "[0-9a-f]{16,128}", |found| {
        named(&mut names, &found[0])
    });
    let uuid = "[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}";
    text = replace(&text, uuid, |found| {
        match found[0].starts_with("3e0b7f52") {
            // The fake's own task.
            true => found[0].to_owned(),
            false => named(&mut names, &found[0]),
        }
    });
    without_times(text)
}

/// The account of the tests becomes ana, any other becomes ben.
fn without_people(mut text: String) -> String {
    let Ok(host) = whoami::hostname() else {
        return text;
    };
    if let Ok(user) = whoami::username() {
        // The second form is that of a user namespace.
        let ana = format!(
            r"(?:[0-9?]+ \(as [^)]*\)|{})@{}",
            regex::escape(&user),
            regex::escape(&host)
        );
        text = replace(&text, &ana, |_| "ana@office".to_owned());
    }
    let ben = format!("[A-Za-z0-9._-]+@{}", regex::escape(&host));
    replace(&text, &ben, |_| "ben@office".to_owned())
}

/// Keeps days, which the test sets. Shorter times depend on how long a command takes.
fn without_times(mut text: String) -> String {
    for (pattern, name) in [
        (r"127\.0\.0\.1:[0-9]{4,5}", "127.0.0.1:[port]"),
        (r"process [0-9]+", "process [pid]"),
        (r"since [0-9T:.-]+Z", "since [time]"),
        (r"before [0-9]{2}:[0-9]{2} UTC", "before [time] UTC"),
        (r"[0-9,.]+ (?:bytes|[KM]iB)", "[size]"),
        (r"just now|(?:[0-9]+m )?[0-9]+s ago|[0-9]+m ago", "[age]"),
    ] {
        text = replace(&text, pattern, |_| name.to_owned());
    }
    text = replace(&text, "(?m)(  |Checked: )(?:now|[0-9]+[sm])$", |found| {
        format!("{}[age]", &found[1])
    });
    text = replace(
        &text,
        r"([0-9]{2}:[0-9]{2}):[0-9]{2}(?:\.[0-9]+)?",
        |found| format!("{}:00", &found[1]),
    );
    // A span within one command is longer than a second only on a slow machine.
    let time = "[0-9]+ [A-Z][a-z]+ [0-9]{4}, [0-9:]{8}";
    replace(&text, &format!("({time}) to ({time})"), |found| {
        match found[1] == found[2] {
            true => found[1].to_owned(),
            false => found[0].to_owned(),
        }
    })
}

fn replace(text: &str, pattern: &str, name: impl FnMut(&Captures<'_>) -> String) -> String {
    let pattern = Regex::new(pattern).unwrap();
    pattern.replace_all(text, name).into_owned()
}

/// `[hash 1]......` for the first one, padded to its length.
fn named(names: &mut BTreeMap<String, usize>, found: &str) -> String {
    let next = names.len() + 1;
    let number = *names.entry(found.to_owned()).or_insert(next);
    format!(
        "{:.<length$}",
        format!("[hash {number}]"),
        length = found.len()
    )
}
