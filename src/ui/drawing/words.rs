//! Writes numbers, times and texts for people.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use console::measure_text_width;

use crate::document::text::grouped;

/// `1,234`
pub fn number(value: usize) -> String {
    grouped(value as u64)
}

/// `1 job`, `1,234 jobs`
pub fn plural(count: usize, one: &str, many: &str) -> String {
    let word = if count == 1 { one } else { many };
    format!("{} {word}", number(count))
}

/// A text as the beginning of a sentence.
pub fn capital(text: &str) -> String {
    let mut chars = text.chars();
    let first = chars.next().map(|first| first.to_ascii_uppercase());
    first.into_iter().chain(chars).collect()
}

/// The two largest units: `2h 5m`, `3d`, `12s`, `under 1s`.
pub fn duration(time: Duration) -> String {
    let total = time.as_secs();
    let units = [
        (total / 86_400, "d"),
        (total / 3600 % 24, "h"),
        (total / 60 % 60, "m"),
        (total % 60, "s"),
    ];
    let Some(first) = units.iter().position(|(count, _)| *count > 0) else {
        return "under 1s".to_owned();
    };
    let shown = units[first..]
        .iter()
        .take(2)
        .filter(|(count, _)| *count > 0);
    let shown: Vec<String> = shown
        .map(|(count, unit)| format!("{count}{unit}"))
        .collect();
    shown.join(" ")
}

/// How long ago: `3d 4h ago`, `just now`.
pub fn age(then: DateTime<Utc>, now: DateTime<Utc>) -> String {
    let past = (now - then).max(TimeDelta::zero());
    match past.to_std() {
        Ok(past) if past >= Duration::from_secs(1) => format!("{} ago", duration(past)),
        Ok(_) | Err(_) => "just now".to_owned(),
    }
}

/// `in 12 days`, `today`, `3 days ago`
pub fn day_count(days: i64) -> String {
    let count = usize::try_from(days.unsigned_abs()).unwrap_or(usize::MAX);
    let words = plural(count, "day", "days");
    match days {
        0 => "today".to_owned(),
        1.. => format!("in {words}"),
        _ => format!("{words} ago"),
    }
}

/// The text with its commands as the operator must type them in this run.
pub(crate) fn spelled(text: &str, program: &str) -> String {
    let spelled = text.replace("`dsr ", &format!("`{program} "));
    // Some texts were spelled before, or name the flag themselves.
    spelled.replace("--sandbox --sandbox", "--sandbox")
}

/// A text after its label, folded to the width, each line below the first. Never breaks a command:
/// people copy it.
pub(crate) fn wrapped(label: &str, text: &str, width: Option<u16>) -> String {
    let indent = " ".repeat(label.len());
    format!("{label}{}\n", folded(text, label.len(), &indent, width))
}

/// Folds a text at spaces. The first line begins in column `start`, the others after `indent`.
pub(crate) fn folded(text: &str, start: usize, indent: &str, width: Option<u16>) -> String {
    let Some(width) = width.map(usize::from) else {
        return text.to_owned();
    };
    let mut lines = String::new();
    let mut used = start;
    for (place, piece) in pieces(text).into_iter().enumerate() {
        let length = measure_text_width(piece);
        if place > 0 && used + 1 + length > width {
            lines.push_str(&format!("\n{indent}"));
            used = indent.len();
        } else if place > 0 {
            lines.push(' ');
            used += 1;
        }
        lines.push_str(piece);
        used += length;
    }
    lines
}

/// Splits into words; text between backticks is one word.
fn pieces(text: &str) -> Vec<&str> {
    let mut pieces = Vec::new();
    let (mut begin, mut is_inside) = (0, false);
    for (place, c) in text.char_indices() {
        is_inside ^= c == '`';
        if c == ' ' && !is_inside {
            pieces.push(&text[begin..place]);
            begin = place + 1;
        }
    }
    // An unclosed backtick begins no command.
    match is_inside {
        true => text.split(' ').collect(),
        false => {
            pieces.push(&text[begin..]);
            pieces
        }
    }
}

/// `1 request`, `0.5 requests`: a rate, to be followed by `a second`.
pub(crate) fn rate_text(per_second: f64) -> String {
    let unit = if per_second == 1.0 {
        "request"
    } else {
        "requests"
    };
    format!("{per_second} {unit}")
}

/// Quotes a word for the usual shell of this system.
pub fn shell_word(text: &str) -> String {
    match cfg!(windows) {
        true => windows_word(text),
        false => posix_word(text),
    }
}

fn is_plain(text: &str, also: &str) -> bool {
    let is_plain = |c: char| c.is_alphanumeric() || also.contains(c);
    !text.is_empty() && text.chars().all(is_plain)
}

fn posix_word(text: &str) -> String {
    match is_plain(text, "-_./:@%+=,") {
        true => text.to_owned(),
        false => format!("'{}'", text.replace('\'', "'\\''")),
    }
}

/// Double quotes serve PowerShell and the command prompt. What PowerShell would replace in them takes
/// its single quotes.
fn windows_word(text: &str) -> String {
    match text.contains(['"', '$', '`']) {
        _ if is_plain(text, "-_./:\\+") => text.to_owned(),
        false => format!("\"{text}\""),
        true => format!("'{}'", text.replace('\'', "''")),
    }
}

/// The path of a file as a word of a command, which no program takes for an option; `-` stays.
pub fn path_word(path: &str) -> String {
    match path.len() > 1 && path.starts_with('-') {
        true => shell_word(&format!("./{path}")),
        false => shell_word(path),
    }
}

/// Shows control and bidirectional characters as escapes, except line breaks: a server's words or a
/// file's name must not control the terminal.
pub fn printable(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        if steers(c) && c != '\n' {
            shown.extend(c.escape_unicode());
        } else {
            shown.push(c);
        }
    }
    shown
}

/// Whether a character controls a terminal. All such characters have at most four hex digits.
pub(crate) fn steers(c: char) -> bool {
    let is_bidirectional = matches!(
        c,
        '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
    );
    c.is_control() || is_bidirectional
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_times_are_readable() {
        assert_eq!(number(0), "0");
        assert_eq!(number(999), "999");
        assert_eq!(number(1_234_567), "1,234,567");
        assert_eq!(plural(1, "job", "jobs"), "1 job");
        let seconds = |s| duration(Duration::from_secs(s));
        assert_eq!(seconds(0), "under 1s");
        assert_eq!(seconds(59), "59s");
        assert_eq!(seconds(3600), "1h");
        assert_eq!(seconds(7_500), "2h 5m");
        assert_eq!(seconds(90_061), "1d 1h");
        assert_eq!(day_count(0), "today");
        assert_eq!(day_count(1), "in 1 day");
        assert_eq!(day_count(-2), "2 days ago");
    }

    #[test]
    fn a_word_is_one_word_in_the_shells_of_windows() {
        for (text, word) in [
            (r"C:\Users\ana\ids.csv", r"C:\Users\ana\ids.csv"),
            (r"C:\Ana O'Neil\ids.csv", "\"C:\\Ana O'Neil\\ids.csv\""),
            ("a@example.com", "\"a@example.com\""),
            ("$user's", "'$user''s'"),
            ("", "\"\""),
        ] {
            assert_eq!(windows_word(text), word);
        }
        assert_eq!(posix_word("it's"), r"'it'\''s'");
    }

    #[test]
    fn a_text_is_folded_below_its_beginning() {
        let text = "one two three four";
        assert_eq!(wrapped("> ", text, None), format!("> {text}\n"));
        assert_eq!(wrapped("> ", text, Some(20)), format!("> {text}\n"));
        assert_eq!(wrapped("> ", text, Some(19)), "> one two three\n  four\n");
        assert_eq!(
            wrapped("> ", text, Some(3)),
            "> one\n  two\n  three\n  four\n"
        );
        assert_eq!(wrapped("> ", "", Some(3)), "> \n");
        assert_eq!(
            wrapped("", "run `dsr status --cached` now", Some(12)),
            "run\n`dsr status --cached`\nnow\n"
        );
        assert_eq!(wrapped("", "an odd ` in it", Some(8)), "an odd `\nin it\n");
    }

    #[test]
    fn nothing_steers_the_terminal() {
        assert_eq!(
            printable("a\u{1b}[31mb\u{202e}c\nd"),
            "a\\u{1b}[31mb\\u{202e}c\nd"
        );
    }
}
