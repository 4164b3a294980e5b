use std::time::Duration;

use chrono::DateTime;

/// The shortest and longest wait that dsr obeys, in seconds.
const SANE: std::ops::RangeInclusive<u64> = 1..=24 * 60 * 60;

/// Reads `Retry-After`: seconds, or a date counted from the response's own `Date`. `None` for
/// anything negative, past, under 1 s, over 24 h or unreadable.
pub(super) fn parse(value: Option<&str>, date: Option<&str>) -> Option<Duration> {
    let value = value?.trim();
    let seconds = match value.parse::<u64>() {
        Ok(seconds) => seconds,
        Err(_) => {
            let until = DateTime::parse_from_rfc2822(value).ok()?;
            let from = DateTime::parse_from_rfc2822(date?.trim()).ok()?;
            u64::try_from((until - from).num_seconds()).ok()?
        }
    };
    SANE.contains(&seconds)
        .then(|| Duration::from_secs(seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_sane_wait_is_obeyed() {
        let date = Some("Sun, 22 Nov 2026 08:00:00 GMT");
        let seconds = |value| parse(Some(value), date).map(|wait| wait.as_secs());
        assert_eq!(seconds("1"), Some(1));
        assert_eq!(seconds(" 120 "), Some(120));
        assert_eq!(seconds("86400"), Some(86_400));
        assert_eq!(seconds("Sun, 22 Nov 2026 08:01:00 GMT"), Some(60));
        for bad in [
            "0",
            "-5",
            "86401",
            "99999999999999999999",
            "1.5",
            "soon",
            "",
            "Sun, 22 Nov 2026 07:59:00 GMT",
            "Sun, 22 Nov 2096 08:00:00 GMT",
        ] {
            assert_eq!(seconds(bad), None, "{bad}");
        }
        assert_eq!(parse(None, date), None);
        assert_eq!(parse(Some("Sun, 22 Nov 2026 08:01:00 GMT"), None), None);
    }
}
