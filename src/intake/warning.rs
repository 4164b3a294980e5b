//! What looks suspicious in the sources but may be right. Never holds a value.

use std::collections::BTreeMap;

use crate::document::text::grouped;

use super::judge::form::IdKind;
use super::place::{At, Place};

/// How many places of each kind are kept; the rest are counted.
const KEPT: usize = 1000;
/// Mixpanel cuts other strings at this length, in bytes; ids are sent whole.
pub(super) const LONG_ID_BYTES: usize = 255;

/// What may be wrong with ids that dsr still sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum WarningKind {
    /// Long numbers that kept only their first 15 digits.
    RoundedNumber,
    /// Numbers shorter than those with leading zeros.
    LostZeros {
        digits: usize,
    },
    /// Numbers with an unusual number of digits.
    OtherLength {
        usual: usize,
        of: usize,
    },
    OtherKind {
        kind: IdKind,
        usual: IdKind,
        of: usize,
    },
    Device,
    /// Differs from another id only in case; found when ids are compared.
    CaseVariant,
    /// More than one in five values is a repeat; found when ids are compared.
    Repeated,
    TooLong,
    /// Kept because the operator asked for it.
    OuterWhiteSpace,
    /// Dropped because the operator asked for it.
    Trimmed,
    /// Already looks like a hash before it is hashed.
    LooksHashed,
    /// E-mail addresses that are hashed with their capital letters.
    HashedCapitals,
    /// Programs differ in how they lowercase it.
    UnicodeCase,
}

impl WarningKind {
    /// One of each; the numbers in them are placeholders.
    pub const ALL: [Self; 13] = [
        Self::RoundedNumber,
        Self::LostZeros { digits: 0 },
        Self::OtherLength { usual: 0, of: 0 },
        Self::OtherKind {
            kind: IdKind::Other,
            usual: IdKind::Other,
            of: 0,
        },
        Self::Device,
        Self::CaseVariant,
        Self::Repeated,
        Self::TooLong,
        Self::OuterWhiteSpace,
        Self::Trimmed,
        Self::LooksHashed,
        Self::HashedCapitals,
        Self::UnicodeCase,
    ];

    /// A stable word for scripts.
    pub fn word(self) -> &'static str {
        match self {
            Self::RoundedNumber => "rounded_number",
            Self::LostZeros { .. } => "lost_zeros",
            Self::OtherLength { .. } => "other_length",
            Self::OtherKind { .. } => "other_kind",
            Self::Device => "device_id",
            Self::CaseVariant => "case_variant",
            Self::Repeated => "repeated_ids",
            Self::TooLong => "long_id",
            Self::OuterWhiteSpace => "outer_white_space",
            Self::Trimmed => "trimmed",
            Self::LooksHashed => "already_hashed",
            Self::HashedCapitals => "hashed_capitals",
            Self::UnicodeCase => "unicode_case",
        }
    }
}

impl WarningKind {
    /// The words after the number of ids: `3 ids look like …`.
    pub fn text(self, count: usize) -> String {
        let (has, is, look) = match count {
            1 => ("has", "is", "looks"),
            _ => ("have", "are", "look"),
        };
        let (it, does) = match count {
            1 => ("it", "does"),
            _ => ("them", "do"),
        };
        match self {
            Self::LostZeros { digits } => format!(
                "{has} fewer digits than the others ({digits}, padded with zeros): leading zeros may be lost"
            ),
            Self::OtherLength { usual, of } => format!(
                "{has} a different number of digits; {} others have {usual}",
                grouped(of as u64)
            ),
            Self::OtherKind {
                kind: IdKind::Other,
                usual,
                of,
            } => format!(
                "{does} not look like {usual}; {} others do",
                grouped(of as u64)
            ),
            Self::OtherKind { kind, usual, of } => format!(
                "{look} like {kind}; {} others look like {usual}",
                grouped(of as u64)
            ),
            Self::RoundedNumber => format!(
                "{look} rounded: zeros from the 16th digit on, as spreadsheets make them. Check the source"
            ),
            Self::Device => format!(
                "{is} of an anonymous device (`$device:`) and may not reach the person's other data. List the person's other ids, too"
            ),
            Self::CaseVariant => format!(
                "{} from another id only in capital letters: Mixpanel tells them apart",
                if count == 1 { "differs" } else { "differ" }
            ),
            Self::Repeated => format!(
                "{is} repeated, more than one in five; dsr sends each once. Check that the column has people, not something that many people share"
            ),
            Self::TooLong => format!(
                "{is} longer than 255 bytes, where Mixpanel cuts other strings; dsr sends {it} whole"
            ),
            Self::OuterWhiteSpace => {
                format!("{has} white space around {it}; dsr keeps it, as you asked")
            }
            Self::Trimmed => {
                format!("had white space around {it}; dsr removed it, as you asked")
            }
            Self::LooksHashed => format!("{look} like a hash before dsr hashes {it}"),
            Self::HashedCapitals => format!(
                "{look} like an e-mail address with capital letters, and dsr hashes {it} as written. Add `--hash-lowercase` if your product lower-cases them first"
            ),
            Self::UnicodeCase => format!(
                "{has} capital letters beyond ASCII, lower-cased by Unicode's rules. Another program may lower-case them differently"
            ),
        }
    }
}

/// A place that outlives its source's reader; the label is an index in [`Labels`].
type Spot = At<usize>;

/// A count and the first places. Memory does not grow with the source.
#[derive(Debug, Default)]
pub(super) struct WarningTally {
    pub(super) count: usize,
    spots: Vec<Spot>,
}

impl WarningTally {
    pub(super) fn note(&mut self, place: Place<'_>, labels: &mut Labels) {
        self.count += 1;
        if self.spots.len() < KEPT {
            self.spots.push(labels.spot(place));
        }
    }

    /// A count without places, for what is spread over the sources.
    pub(super) fn of(count: usize) -> Self {
        let spots = Vec::new();
        Self { count, spots }
    }

    pub(super) fn places<'l>(&'l self, labels: &'l Labels) -> impl Iterator<Item = Place<'l>> {
        self.spots.iter().map(|spot| labels.place(spot))
    }

    pub(super) fn extend(&mut self, other: Self) {
        self.count += other.count;
        let room = KEPT - self.spots.len();
        self.spots.extend(other.spots.into_iter().take(room));
        self.spots.sort_by_key(|spot| (spot.label, spot.line));
    }
}

#[derive(Debug, Default)]
pub(super) struct Labels(Vec<String>);

impl Labels {
    fn spot(&mut self, place: Place<'_>) -> Spot {
        let known = self.0.iter().rposition(|label| label == place.label);
        let label = known.unwrap_or_else(|| {
            self.0.push(place.label.to_owned());
            self.0.len() - 1
        });
        place.labelled(label)
    }

    fn place(&self, spot: &Spot) -> Place<'_> {
        spot.labelled(&self.0[spot.label])
    }
}

/// All warnings, by kind.
#[derive(Debug, Default)]
pub struct Warnings {
    pub(super) labels: Labels,
    tallies: BTreeMap<WarningKind, WarningTally>,
}

/// One kind of warning: how many ids, and the places of the first.
#[derive(Debug)]
pub struct Warning<'a> {
    pub kind: WarningKind,
    pub count: usize,
    spots: &'a [Spot],
    labels: &'a [String],
}

impl Warnings {
    pub(super) fn note(&mut self, kind: WarningKind, place: Place<'_>) {
        let tally = self.tallies.entry(kind).or_default();
        tally.note(place, &mut self.labels);
    }

    /// Adds a tally that was counted with the labels of these warnings.
    pub(super) fn add(&mut self, kind: WarningKind, tally: WarningTally) {
        if tally.count > 0 {
            self.tallies.entry(kind).or_default().extend(tally);
        }
    }

    pub(super) fn remove(&mut self, kind: WarningKind) {
        self.tallies.remove(&kind);
    }

    pub fn iter(&self) -> impl Iterator<Item = Warning<'_>> {
        self.tallies.iter().map(|(kind, tally)| Warning {
            kind: *kind,
            count: tally.count,
            spots: &tally.spots,
            labels: &self.labels.0,
        })
    }
}

impl Warning<'_> {
    /// The first places in the order of the sources: the source's name, and the line from 1.
    pub fn places(&self) -> impl ExactSizeIterator<Item = (&str, Option<u64>)> {
        let labels = self.labels;
        self.spots
            .iter()
            .map(move |spot| (labels[spot.label].as_str(), spot.line))
    }

    /// How many places [`Self::places`] leaves out.
    pub fn not_listed(&self) -> usize {
        self.count - self.spots.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_bounded_and_the_rest_is_counted() {
        let mut warnings = Warnings::default();
        for line in 1..=3000 {
            let label = if line <= 10 { "`a`" } else { "`b`" };
            warnings.note(WarningKind::Device, Place::on_line(label, line));
        }
        let list: Vec<_> = warnings.iter().collect();
        let [warning] = list.as_slice() else {
            panic!("one kind: {list:?}");
        };
        assert_eq!((warning.count, warning.not_listed()), (3000, 2000));
        assert_eq!(warning.places().len(), KEPT);
        assert_eq!(warning.places().next(), Some(("`a`", Some(1))));
        assert_eq!(warning.places().last(), Some(("`b`", Some(1000))));
    }

    #[test]
    fn tallies_run_together_in_the_order_of_the_lines() {
        let mut warnings = Warnings::default();
        let mut tally = |lines: &[u64]| {
            let mut tally = WarningTally::default();
            for line in lines {
                tally.note(Place::on_line("`a`", *line), &mut warnings.labels);
            }
            tally
        };
        let (first, second, none) = (tally(&[2, 9]), tally(&[4]), tally(&[]));
        warnings.add(WarningKind::Device, first);
        warnings.add(WarningKind::Device, second);
        warnings.add(WarningKind::Trimmed, none);
        assert_eq!(warnings.iter().count(), 1);
        let lines: Vec<_> = warnings
            .iter()
            .next()
            .unwrap()
            .places()
            .map(|p| p.1)
            .collect();
        assert_eq!(lines, [Some(2), Some(4), Some(9)]);
    }
}
