//! Shows values safely on a page.

use chrono::{DateTime, Datelike, NaiveDate, Timelike, Utc};
use maud::Render;

/// A value that hides nothing and cannot reorder the text around it.
///
/// Control characters and direction overrides appear as their code points. Other text that is not
/// plain ASCII is isolated from its surroundings.
pub struct Visible<'a>(pub &'a str);

impl Render for Visible<'_> {
    fn render_to(&self, out: &mut String) {
        if self.0.bytes().all(is_plain) {
            // A shortcut: escaping would go byte by byte and change nothing.
            return out.push_str(self.0);
        }
        if self.0.bytes().all(|byte| (b' '..=b'~').contains(&byte)) {
            return self.0.render_to(out);
        }
        out.push_str("<bdi>");
        let mut rest = self.0;
        while let Some(place) = rest.find(is_hidden) {
            let (plain, tail) = rest.split_at(place);
            plain.render_to(out);
            let mut tail = tail.chars();
            let hidden = tail.next().map_or(0, u32::from);
            out.push_str("<span class=\"hidden-char\">");
            format!("U+{hidden:04X}").render_to(out);
            out.push_str("</span>");
            rest = tail.as_str();
        }
        rest.render_to(out);
        out.push_str("</bdi>");
    }
}

fn is_plain(byte: u8) -> bool {
    matches!(byte, b' '..=b'~') && !matches!(byte, b'&' | b'<' | b'>' | b'"')
}

/// The same as [`Visible`], for places without markup, such as an option of a list.
pub fn visible_plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for c in text.chars() {
        match is_hidden(c) {
            true => plain.push_str(&format!("[U+{:04X}]", u32::from(c))),
            false => plain.push(c),
        }
    }
    plain
}

/// Joiners stay, because emoji and several scripts need them. Plain direction marks stay too: the
/// isolation bounds them.
fn is_hidden(c: char) -> bool {
    let is_control = c.is_control() && c != '\n' && c != '\t';
    is_control
        || matches!(
            c,
            '\u{202a}'..='\u{202e}'
                | '\u{2066}'..='\u{2069}'
                | '\u{2028}'
                | '\u{2029}'
                | '\u{200b}'
                | '\u{2060}'
                | '\u{feff}'
                | '\u{fff9}'..='\u{fffb}'
        )
}

/// The first `most` characters of `text`, and whether that is all of it.
pub fn beginning(text: &str, most: usize) -> (&str, Whole) {
    if text.len() <= most {
        return (text, Whole::Yes);
    }
    match text.char_indices().nth(most) {
        Some((end, _)) => (&text[..end], Whole::No),
        None => (text, Whole::Yes),
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Whole {
    Yes,
    No,
}

/// `1,234,567`
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `1 event`, `1,234 events`
pub fn counted(number: u64, one: &str, many: &str) -> String {
    let noun = if number == 1 { one } else { many };
    format!("{} {noun}", grouped(number))
}

/// `12 bytes`, `3.4 MB`
pub fn size(bytes: u64) -> String {
    match bytes {
        0..1_000 => counted(bytes, "byte", "bytes"),
        1_000..1_000_000 => format!("{:.1} kB", bytes as f64 / 1e3),
        1_000_000..1_000_000_000 => format!("{:.1} MB", bytes as f64 / 1e6),
        _ => format!("{:.1} GB", bytes as f64 / 1e9),
    }
}

/// `3 March 2026`, with no-break spaces.
pub fn day(day: NaiveDate) -> String {
    format!("{}\u{a0}{}", day.day(), day.format("%B\u{a0}%Y"))
}

const MONTHS: [&str; 12] = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
];

/// `3 Mar 2026, 14:05:09`
pub fn moment(time: DateTime<Utc>) -> String {
    let mut text = String::new();
    write_moment(time, &mut text);
    text
}

/// Appends the same, without a format string, because a page has thousands of times.
pub fn write_moment(time: DateTime<Utc>, out: &mut String) {
    time.day().render_to(out);
    out.push(' ');
    out.push_str(MONTHS[time.month0() as usize]);
    out.push(' ');
    time.year().render_to(out);
    out.push_str(", ");
    write_clock(time, out);
}

/// `2026-03-03T14:05:09Z`, for the `datetime` attribute.
pub fn write_stamp(time: DateTime<Utc>, out: &mut String) {
    time.year().render_to(out);
    for part in [time.month(), time.day()] {
        out.push('-');
        write_two(part, out);
    }
    out.push('T');
    write_clock(time, out);
    out.push('Z');
}

fn write_clock(time: DateTime<Utc>, out: &mut String) {
    write_two(time.hour(), out);
    out.push(':');
    write_two(time.minute(), out);
    out.push(':');
    write_two(time.second(), out);
}

fn write_two(number: u32, out: &mut String) {
    if number < 10 {
        out.push('0');
    }
    number.render_to(out);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> String {
        Visible(text).render().into_string()
    }

    #[test]
    fn markup_in_a_value_is_text() {
        assert_eq!(
            shown("<b>&\"x\"</b>"),
            "&lt;b&gt;&amp;&quot;x&quot;&lt;/b&gt;"
        );
        assert_eq!(shown("é<script>"), "<bdi>é&lt;script&gt;</bdi>");
        for (text, expected) in [
            ("<", "&lt;"),
            (">", "&gt;"),
            ("&", "&amp;"),
            ("\"", "&quot;"),
        ] {
            assert_eq!(shown(text), expected, "alone");
        }
    }

    #[test]
    fn hidden_and_reordering_characters_are_shown_by_number() {
        let number = |hidden: &str| format!("<span class=\"hidden-char\">{hidden}</span>");
        let expected = format!("<bdi>a{}b{}</bdi>", number("U+202E"), number("U+0000"));
        assert_eq!(shown("a\u{202e}b\0"), expected);
        for hidden in [
            '\u{7}', '\u{7f}', '\u{85}', '\u{2066}', '\u{200b}', '\u{feff}',
        ] {
            assert!(!shown(&format!("x{hidden}y")).contains(hidden));
        }
    }

    #[test]
    fn other_scripts_and_emoji_are_left_as_they_are() {
        for text in ["שלום", "مرحبا", "👩‍👩‍👧", "日本", "line\nline"] {
            assert_eq!(shown(text), format!("<bdi>{text}</bdi>"));
        }
    }

    #[test]
    fn times_are_written_as_chrono_would() {
        for text in [
            "2026-03-03T04:05:09Z",
            "1999-12-31T23:59:59Z",
            "2199-01-10T00:00:00Z",
        ] {
            let time: DateTime<Utc> = text.parse().unwrap();
            let mut stamp = String::new();
            write_stamp(time, &mut stamp);
            assert_eq!(stamp, text);
            let words = time.format("%-d %b %Y, %H:%M:%S").to_string();
            assert_eq!(moment(time), words);
        }
    }

    #[test]
    fn numbers_are_grouped_and_sizes_short() {
        assert_eq!(grouped(0), "0");
        assert_eq!(grouped(999), "999");
        assert_eq!(grouped(1_234_567), "1,234,567");
        assert_eq!(counted(1, "event", "events"), "1 event");
        assert_eq!(
            (size(12), size(3_449_000)),
            ("12 bytes".into(), "3.4 MB".into())
        );
    }

    #[test]
    fn a_text_is_cut_between_characters() {
        assert_eq!(beginning("日本語", 2), ("日本", Whole::No));
        assert_eq!(beginning("日本", 2), ("日本", Whole::Yes));
    }
}
