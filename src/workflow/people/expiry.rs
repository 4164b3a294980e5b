//! Which profiles a retention window ends for: judges each profile by its time, and asks Mixpanel for
//! all profiles if there is no file of them. Never selects a profile that it cannot judge.

use std::collections::HashSet;
use std::path::Path;
use std::rc::Rc;

use chrono::{DateTime, NaiveDate, Utc};

use crate::domain::{ProjectId, ProjectZone, RetentionWindow, property_time};
use crate::intake::{
    DatedProfile, DatedProperties, IntakeError, ProfileSelection, UniqueIds, Warnings,
};
use crate::mixpanel::query::PageFault;
use crate::mixpanel::{AllProfiles, QueryClient};

use super::profiles::PreflightError;
use super::queries::Queries;

const PROFILES: &str = "profiles";
/// The start of 2000 in Unix seconds. Mixpanel began in 2009: an earlier time is another number.
const FIRST_SECOND: i64 = 946_684_800;
/// How far clocks and time zones may make a time look later than it is, in seconds.
const MARGIN: i64 = 24 * 60 * 60;

/// What decides which profiles are selected.
#[derive(Debug, Clone)]
pub struct ExpiryRule {
    pub window: RetentionWindow,
    pub properties: DatedProperties,
    /// Profiles before this day are selected; those of the day are kept.
    pub limit: NaiveDate,
    pub zone: ProjectZone,
    /// When the command began.
    pub now: DateTime<Utc>,
}

/// How many profiles there are of each kind.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ExpiryCounts {
    /// All that were looked at.
    pub profiles: usize,
    pub selected: usize,
    /// Seen on the limit's day or later.
    pub seen_since: usize,
    /// Those without one of the values that `--where` names.
    pub not_meant: usize,
    pub undated: usize,
    pub unreadable: usize,
    /// Later than a day from now.
    pub future: usize,
    /// Late, with an id that dsr would not delete.
    pub unusable: usize,
    /// Late, and another profile has the same id.
    pub repeated: usize,
    /// Late, and excluded by the operator, such as under legal hold.
    pub excluded: usize,
}

impl ExpiryCounts {
    /// How many profiles dsr could not judge, and keeps.
    pub fn not_judged(&self) -> usize {
        self.undated + self.unreadable + self.future + self.unusable + self.repeated
    }
}

/// What a rule selected.
#[derive(Debug)]
pub struct Expired {
    pub counts: ExpiryCounts,
    pub ids: Rc<UniqueIds>,
    pub warnings: Warnings,
}

/// The profiles that were judged so far.
pub struct Expiry<'r> {
    rule: &'r ExpiryRule,
    latest: i64,
    /// Ids that are never selected.
    held: HashSet<String>,
    counts: ExpiryCounts,
    /// Whether a profile has the property with the time.
    is_known: bool,
    selection: ProfileSelection,
    failure: Option<IntakeError>,
}

impl<'r> Expiry<'r> {
    /// `held` ids are never selected. Ids that do not fit into memory go to an unnamed file in
    /// `folder`.
    pub fn new(rule: &'r ExpiryRule, held: HashSet<String>, folder: &Path) -> Self {
        Self {
            rule,
            held,
            latest: rule.zone.clock_seconds(rule.now) + MARGIN,
            counts: ExpiryCounts::default(),
            is_known: false,
            selection: ProfileSelection::new(folder),
            failure: None,
        }
    }

    /// Judges a profile. Keeps an error of the disk for [`Self::finish`].
    pub fn take(&mut self, profile: &DatedProfile<'_>) {
        self.counts.profiles += 1;
        self.is_known |= profile.time.is_some();
        self.selection.note(profile);
        let count = match self.judge(profile) {
            Ok(Timeliness::Late) if self.held.contains(profile.id) => &mut self.counts.excluded,
            Ok(Timeliness::Late) => match self.selection.select(profile) {
                Ok(true) => &mut self.counts.selected,
                Ok(false) => &mut self.counts.unusable,
                Err(error) => {
                    self.failure.get_or_insert(error);
                    return;
                }
            },
            Ok(Timeliness::Kept) => &mut self.counts.seen_since,
            Ok(Timeliness::NotMeant) => &mut self.counts.not_meant,
            Err(Unjudged::Undated) => &mut self.counts.undated,
            Err(Unjudged::Unreadable) => &mut self.counts.unreadable,
            Err(Unjudged::Future) => &mut self.counts.future,
        };
        *count += 1;
    }

    fn judge(&self, profile: &DatedProfile<'_>) -> Result<Timeliness, Unjudged> {
        if !profile.is_meant {
            return Ok(Timeliness::NotMeant);
        }
        let text = profile.time.ok_or(Unjudged::Undated)?;
        let seconds = property_time(text, self.rule.zone);
        let seconds = seconds.filter(|seconds| *seconds >= FIRST_SECOND);
        let seconds = seconds.ok_or(Unjudged::Unreadable)?;
        if seconds > self.latest {
            return Err(Unjudged::Future);
        }
        let day = DateTime::from_timestamp(seconds, 0).ok_or(Unjudged::Unreadable)?;
        Ok(match day.date_naive() < self.rule.limit {
            true => Timeliness::Late,
            false => Timeliness::Kept,
        })
    }

    /// How many profiles dsr looked at, and whether one has the property with the time.
    pub fn looked_at(&self) -> (usize, bool) {
        (self.counts.profiles, self.is_known)
    }

    /// What was selected.
    ///
    /// # Errors
    /// When the disk was full.
    pub fn finish(self) -> Result<Expired, IntakeError> {
        if let Some(error) = self.failure {
            return Err(error);
        }
        let found = self.selection.finish()?;
        let mut counts = self.counts;
        // Each profile of a repeated id is left out.
        counts.repeated = counts.selected - found.ids.count();
        counts.selected = found.ids.count();
        Ok(Expired {
            counts,
            ids: found.ids,
            warnings: found.warnings,
        })
    }
}

enum Timeliness {
    Late,
    Kept,
    NotMeant,
}

enum Unjudged {
    Undated,
    Unreadable,
    Future,
}

/// Asks for every profile of the project, page after page, and judges each. Returns how many queries
/// it took.
///
/// # Errors
/// See [`PreflightError`]. Nothing is selected then.
pub async fn find_expired(
    queries: &mut Queries<'_>,
    (client, project): (&QueryClient, ProjectId),
    expiry: &mut Expiry<'_>,
) -> Result<usize, PreflightError> {
    let properties = &expiry.rule.properties;
    let mut all = AllProfiles::of(properties.names());
    while !all.is_whole() {
        let turn =
            queries.take_turn(|ledger, lane, now| ledger.record_all_profiles_asked(lane, now));
        let place = turn.await?;
        let call = client.engage_query_all(project, &all);
        let Some(page) = queries.ask(PROFILES, client, call).await? else {
            continue;
        };
        drop(place);
        for profile in all.take(page)? {
            let json = profile.properties.as_deref();
            let json = json.map_or("{}", |raw| raw.get());
            let judged = properties.with_json(&profile.id, json, |one| expiry.take(one));
            judged.ok_or(PageFault::NoProperties)?;
        }
        if all.pages_left() > 0 {
            queries.demand_time(all.pages_left()).await?;
        }
    }
    Ok(queries.course.sent)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(zone: &str, limit: &str, now: &str) -> ExpiryRule {
        ExpiryRule {
            window: "24months".parse().unwrap(),
            properties: DatedProperties {
                by: "$last_seen".to_owned(),
                equal: vec![("plan".to_owned(), "free".to_owned())],
            },
            limit: limit.parse().unwrap(),
            zone: ProjectZone::parse(zone).unwrap(),
            now: now.parse().unwrap(),
        }
    }

    /// The counts for a profile with these properties.
    fn judged(rule: &ExpiryRule, id: &str, json: &str) -> ExpiryCounts {
        let mut expiry = Expiry::new(rule, HashSet::new(), Path::new("/nowhere"));
        let taken = rule.properties.with_json(id, json, |one| expiry.take(one));
        taken.expect("properties");
        let counts = expiry.counts;
        assert_eq!(expiry.finish().unwrap().ids.count(), counts.selected);
        counts
    }

    fn seen(rule: &ExpiryRule, time: &str) -> ExpiryCounts {
        judged(
            rule,
            "user-1",
            &format!(r#"{{"$last_seen":{time},"plan":"free"}}"#),
        )
    }

    #[test]
    fn the_day_of_the_limit_itself_is_kept() {
        let rule = rule("UTC", "2024-12-01", "2026-12-01T09:00:00Z");
        for (time, selected) in [
            (r#""2024-11-30T23:59:59""#, 1),
            (r#""2024-12-01T00:00:00""#, 0),
            (r#""2024-11-30""#, 1),
            (r#""2024-12-01""#, 0),
            (r#""2024-11-30 23:59:59.999""#, 1),
            ("1733011199", 1),
            ("1733011200", 0),
            ("1733011199000", 1),
            (r#""2024-12-01T00:30:00+01:00""#, 1),
        ] {
            let counts = seen(&rule, time);
            assert_eq!(
                (counts.selected, counts.seen_since),
                (selected, 1 - selected),
                "{time}"
            );
        }
    }

    #[test]
    fn a_time_with_an_offset_counts_by_the_projects_clock() {
        let berlin = rule("Europe/Berlin", "2024-12-01", "2026-12-01T09:00:00Z");
        assert_eq!(seen(&berlin, r#""2024-11-30T23:30:00Z""#).seen_since, 1);
        assert_eq!(seen(&berlin, r#""2024-11-30T22:30:00Z""#).selected, 1);
        // Without an offset, it is by that clock already.
        assert_eq!(seen(&berlin, r#""2024-11-30T23:30:00""#).selected, 1);
        // Midnight in Berlin is 23:00 in UTC, and a number counts from UTC.
        for time in [
            "1733007600",
            "1733007600.5",
            "1733007600000",
            r#""1733007600""#,
        ] {
            assert_eq!(seen(&berlin, time).seen_since, 1, "{time}");
        }
        for time in ["1733007599", "1733007599999", r#""1733007599""#] {
            assert_eq!(seen(&berlin, time).selected, 1, "{time}");
        }
    }

    #[test]
    fn what_cannot_be_judged_is_counted_and_never_selected() {
        let rule = rule("UTC", "2024-12-01", "2026-12-01T09:00:00Z");
        for time in ["null", r#""""#] {
            assert_eq!(seen(&rule, time).undated, 1, "{time}");
        }
        for time in [
            "0",
            "37",
            "20240101",
            "-5",
            "true",
            "[1]",
            "{}",
            r#""yesterday""#,
            r#""2024-13-01""#,
            r#""01/02/2020""#,
            r#""1999-12-31T23:59:59""#,
            "1e400",
            "1e9",
            r#""1e9""#,
            r#""+1500000000""#,
            r#""1.5.2""#,
            r#"".""#,
            r#""NaN""#,
        ] {
            assert_eq!(seen(&rule, time).unreadable, 1, "{time}");
        }
        assert_eq!(seen(&rule, r#""2026-12-02T10:00:00""#).future, 1);
        assert_eq!(seen(&rule, r#""2026-12-02T08:00:00""#).seen_since, 1);
        let late = r#"{"$last_seen":"2020-01-01T00:00:00","plan":"free"}"#;
        for id in ["", "null", "undefined", "0", "a\nb"] {
            assert_eq!(judged(&rule, id, late).unusable, 1, "{id:?}");
        }
        assert_eq!(judged(&rule, "user-1", late).selected, 1);
    }

    #[test]
    fn a_value_counts_only_byte_for_byte() {
        let rule = rule("UTC", "2024-12-01", "2026-12-01T09:00:00Z");
        for plan in [r#""Free""#, r#""free ""#, r#"["free"]"#, "null", "true"] {
            let json = format!(r#"{{"$last_seen":"2020-01-01","plan":{plan}}}"#);
            assert_eq!(judged(&rule, "user-1", &json).not_meant, 1, "{plan}");
        }
        let missing = r#"{"$last_seen":"2020-01-01"}"#;
        assert_eq!(judged(&rule, "user-1", missing).not_meant, 1);
        let twice = r#"{"$last_seen":"2020-01-01","$last_seen":"2026-01-01","plan":"free"}"#;
        assert!(rule.properties.with_json("u", twice, |_| ()).is_none());
    }

    #[test]
    fn two_profiles_of_one_id_are_both_kept() {
        let rule = rule("UTC", "2024-12-01", "2026-12-01T09:00:00Z");
        let mut expiry = Expiry::new(
            &rule,
            HashSet::from(["user-4".to_owned()]),
            Path::new("/nowhere"),
        );
        for (id, day) in [
            ("user-1", "2020-01-01"),
            ("user-2", "2020-01-01"),
            ("user-1", "2026-01-01"),
            ("user-3", "2020-01-01"),
            ("user-3", "2020-01-02"),
            ("user-4", "2020-01-02"),
        ] {
            let json = format!(r#"{{"$last_seen":"{day}","plan":"free"}}"#);
            rule.properties.with_json(id, &json, |one| expiry.take(one));
        }
        let found = expiry.finish().unwrap();
        let batches: Vec<_> = found.ids.batches(std::num::NonZeroUsize::MIN).collect();
        let ids: Vec<String> = batches
            .iter()
            .flat_map(|batch| batch.as_ref().unwrap().ids().map(str::to_owned))
            .collect();
        assert_eq!(ids, ["user-2"]);
        let counts = found.counts;
        assert_eq!(
            (counts.selected, counts.repeated, counts.seen_since),
            (1, 3, 1)
        );
        assert_eq!((counts.not_judged(), counts.excluded), (3, 1));
    }
}
