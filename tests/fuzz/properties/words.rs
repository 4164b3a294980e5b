//! Single words from outside: addresses, ids and names. One a line.

use dsr::domain::{
    ApiUrl, DistinctId, JobState, Leniency, MAX_ID_BYTES, ProjectName, ProjectToken, RequestId,
    SubjectRequestId, TaskId, TaskStatus,
};
use dsr::intake::Source;
use dsr::ledger::ProcessRecord;

/// A word that parses is valid, is written as it was read, and leads to nobody else.
pub(crate) fn parse(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    if let Some(record) = ProcessRecord::parse(&text) {
        let first = text.lines().next().map(str::parse);
        assert_eq!(first, Some(Ok(record.process)));
        assert!(!record.command.contains('\n'));
    }
    let (base, words) = text.split_once('\n').unwrap_or((&text, ""));
    let bases = [
        ApiUrl::parse(base).ok(),
        ApiUrl::parse("http://[::1]:8/api/app").ok(),
    ];
    for word in words.lines().chain([base]) {
        for base in bases.iter().flatten() {
            check_address(base, word);
        }
        check_ids(word);
        check_names(word);
    }
}

/// A task's address is the base, three words and a slash, and keeps each word.
fn check_address(base: &ApiUrl, word: &str) {
    assert_eq!(ApiUrl::parse(base.as_str()).as_ref(), Ok(base));
    let Some(task) = TaskId::new(word) else {
        return;
    };
    let url = base.endpoint(&["data-deletions", "v3.0", task.as_str()]);
    assert!(url.scheme() == "https" || base.is_loopback());
    assert!(url.username().is_empty() && url.query().is_none() && url.fragment().is_none());
    let start = format!(
        "{}/data-deletions/v3.0/",
        base.as_str().trim_end_matches('/')
    );
    let rest = url
        .as_str()
        .strip_prefix(&start)
        .expect("the way to the tasks");
    let segment = rest.strip_suffix('/').expect("a slash at the end");
    assert!(!segment.contains('/'), "one segment");
    assert_eq!(decode(segment), task.as_str().as_bytes(), "another task");
}

fn decode(segment: &str) -> Vec<u8> {
    let mut decoded = Vec::new();
    let mut rest = segment.as_bytes();
    while let [first, behind @ ..] = rest {
        let digits = behind.get(..2).filter(|_| *first == b'%');
        let byte = digits.map(|digits| std::str::from_utf8(digits).expect("an escape is ASCII"));
        let byte = byte.map(|digits| u8::from_str_radix(digits, 16).expect("two hex digits"));
        rest = if byte.is_some() { &behind[2..] } else { behind };
        decoded.push(byte.unwrap_or(*first));
    }
    decoded
}

fn check_ids(word: &str) {
    let insisted = DistinctId::new_with(word, Leniency::Named);
    if let Ok(id) = &insisted {
        assert_eq!(id.expose(), word);
        assert!(!word.is_empty() && word.len() <= MAX_ID_BYTES);
        assert!(!word.contains(['\n', '\r', '\0']));
        assert_eq!(DistinctId::restore(word).as_ref(), Some(id));
    }
    if let Ok(id) = DistinctId::new(word) {
        assert_eq!(word.trim(), word, "white space around an id");
        assert_eq!(insisted.as_ref(), Ok(&id), "who insists gets no less");
    }
    if let Err(error) = DistinctId::new(word) {
        assert!(word.len() < 40 || !error.to_string().contains(word));
    }
    if let Some(task) = TaskId::new(word) {
        assert_eq!(TaskId::new(task.as_str()).as_ref(), Some(&task));
    }
    if let Some(subject) = SubjectRequestId::parse(word) {
        assert_eq!(SubjectRequestId::parse(&subject.to_string()), Some(subject));
    }
    let request = RequestId::restore(word.to_owned());
    assert!(word.starts_with(request.short()));
    if Source::recognise(&[word.to_owned()], 0) == Ok(vec![Source::Id(word.to_owned())]) {
        assert!(
            !word.contains(['/', '\\', '*', '?', '[', ',', ';', '"', ' ']),
            "a path taken for an id"
        );
    }
}

fn check_names(word: &str) {
    let status = TaskStatus::parse(word);
    assert_eq!(TaskStatus::parse(status.as_str()), status);
    if let Some(state) = JobState::parse(word) {
        assert_eq!(state.as_str(), word);
    }
    if let Some(name) = ProjectName::new(word) {
        assert_eq!(name.as_str(), word);
        assert!(!word.contains(['/', '\\', '"', '\'', ' ']) && !word.starts_with('.'));
    }
    if let Some(token) = ProjectToken::new(word) {
        assert_eq!(token.expose(), word.trim());
        assert!(token.expose().bytes().all(|byte| byte.is_ascii_graphic()));
        assert!(!format!("{token:?}").contains(token.expose()) || token.expose().len() < 21);
    }
}
