use chrono::{DateTime, NaiveDate, NaiveDateTime, Offset, TimeZone, Utc};
use chrono_tz::Tz;

/// The time zone of a project's events.
///
/// Mixpanel counts `time` in UTC for projects created since 1 January 2023. In older projects it
/// counts the seconds of the project's local clock (End User Data Management, raw export).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProjectZone(Tz);

impl Default for ProjectZone {
    fn default() -> Self {
        Self(Tz::UTC)
    }
}

impl ProjectZone {
    /// Reads an IANA name, such as `Europe/Berlin`.
    pub fn parse(text: &str) -> Option<Self> {
        text.trim().parse().ok().map(Self)
    }

    pub fn as_str(self) -> &'static str {
        self.0.name()
    }

    /// What the clock of this zone shows at `at`, in seconds as Mixpanel counts them.
    pub(crate) fn clock_seconds(self, at: DateTime<Utc>) -> i64 {
        at.with_timezone(&self.0)
            .naive_local()
            .and_utc()
            .timestamp()
    }

    /// The day of `at` in this zone.
    pub fn day(self, at: DateTime<Utc>) -> NaiveDate {
        at.with_timezone(&self.0).date_naive()
    }

    /// The moment at which the clock of this zone shows `seconds`. Of a repeated time it is the
    /// first; for a skipped time the offset before the gap counts.
    pub fn moment(self, seconds: i64) -> Option<DateTime<Utc>> {
        let shown = DateTime::from_timestamp(seconds, 0)?.naive_utc();
        if let Some(time) = self.0.from_local_datetime(&shown).earliest() {
            return Some(time.to_utc());
        }
        let before = self
            .0
            .offset_from_utc_datetime(&(shown - chrono::TimeDelta::days(1)));
        let moment: NaiveDateTime = shown - before.fix();
        Some(moment.and_utc())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moment(zone: &str, shown: &str) -> String {
        let zone = ProjectZone::parse(zone).unwrap();
        let shown: NaiveDateTime = shown.parse().unwrap();
        zone.moment(shown.and_utc().timestamp())
            .unwrap()
            .to_rfc3339()
    }

    #[test]
    fn a_clock_of_another_zone_shows_another_moment() {
        assert_eq!(
            moment("UTC", "2026-07-01T12:00:00"),
            "2026-07-01T12:00:00+00:00"
        );
        assert_eq!(
            moment("Europe/Berlin", "2026-07-01T12:00:00"),
            "2026-07-01T10:00:00+00:00"
        );
        assert_eq!(
            moment("Asia/Kolkata", "2026-07-01T00:10:00"),
            "2026-06-30T18:40:00+00:00"
        );
    }

    #[test]
    fn an_hour_that_is_there_twice_or_not_at_all_has_a_moment() {
        assert_eq!(
            moment("Europe/Berlin", "2026-10-25T02:30:00"),
            "2026-10-25T00:30:00+00:00"
        );
        assert_eq!(
            moment("Europe/Berlin", "2026-03-29T02:30:00"),
            "2026-03-29T01:30:00+00:00"
        );
    }

    #[test]
    fn only_names_of_zones_are_zones() {
        assert_eq!(
            ProjectZone::parse("Europe/Berlin").unwrap().as_str(),
            "Europe/Berlin"
        );
        assert_eq!(ProjectZone::default().as_str(), "UTC");
        for text in ["", "Berlin", "CEST", "+02:00", "Europe/Berlin, UTC"] {
            assert_eq!(ProjectZone::parse(text), None, "{text}");
        }
    }
}
