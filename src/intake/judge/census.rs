//! Judges the list as a whole: which ids share a shape, and which stand out. Keeps counters and the
//! first places only, so memory does not grow with the sources.

use super::form::{AT, DIGIT, IdKind, ValueForm};
use super::look::Look;
use crate::intake::damage::Damage;
use crate::intake::place::Place;
use crate::intake::problem::Problems;

use crate::intake::warning::{Labels, WarningKind, WarningTally, Warnings};

/// An id kind stands out if the usual kind is this many times as common.
const ODD: usize = 20;
/// The same for number lengths. It is higher, because a series of serial numbers has a tenth as
/// many of each shorter length.
const ODD_LENGTH: usize = 100;
/// At most this many words or short numbers are strays; more of them share a shape.
const STRAYS: usize = 3;
/// A stray needs this many system-made ids for each stray beside it.
const ALONE: usize = 4;
/// Longer numbers count as if they had this many digits.
const MOST_DIGITS: usize = 40;
/// Digits of a number that a spreadsheet keeps.
const PRECISION: usize = 15;

#[derive(Debug)]
pub(crate) struct Census {
    kinds: [WarningTally; IdKind::ALL.len()],
    /// Indexed by the number of digits.
    numbers: [Numbers; MOST_DIGITS + 1],
    /// Words without a digit, and short numbers.
    strays: WarningTally,
    /// Ids of the form `N:…` with rising N, as grep numbers lines; `None` after any other id.
    numbered: Option<(u64, WarningTally)>,
    /// How many ids this source has so far, and how many of them may be counts.
    ids: usize,
    digits: usize,
    /// The last id of this source if it may count the ids above it, and those of earlier sources.
    count_below: WarningTally,
    counts: WarningTally,
}

#[derive(Debug, Default)]
struct Numbers {
    all: WarningTally,
    padded: usize,
    /// Numbers with only zeros after the digits that a spreadsheet keeps.
    rounded: WarningTally,
}

impl Census {
    pub(crate) fn new() -> Self {
        Self {
            kinds: std::array::from_fn(|_| WarningTally::default()),
            numbers: std::array::from_fn(|_| Numbers::default()),
            strays: WarningTally::default(),
            numbered: Some((0, WarningTally::default())),
            ids: 0,
            digits: 0,
            count_below: WarningTally::default(),
            counts: WarningTally::default(),
        }
    }

    pub(crate) fn count(&mut self, form: &ValueForm<'_>, place: Place<'_>, labels: &mut Labels) {
        self.kinds[form.kind as usize].note(place, labels);
        // Skips ids from the command line: the operator typed them on purpose.
        if form.kind == IdKind::Other || form.kind == IdKind::Number {
            let is_short = !form.is_of_a_system() && form.kind == IdKind::Number;
            if (is_short || !form.has(DIGIT | AT)) && place.line.is_some() {
                self.strays.note(place, labels);
            }
        }
        if self.count_below.count > 0 {
            self.count_below = WarningTally::default();
        }
        let count = count_in(form.text());
        if self.digits == 0 && place.line.is_some() && count.is_some_and(|n| n <= self.ids) {
            self.count_below.note(place, labels);
        }
        self.digits += usize::from(count.is_some() || form.kind == IdKind::Number);
        self.ids += 1;
        if let Some((last, tally)) = &mut self.numbered {
            let number = form.text().split_once(':');
            match number.and_then(|(number, _)| number.parse::<u64>().ok()) {
                Some(number) if number > *last && place.line.is_some() => {
                    *last = number;
                    tally.note(place, labels);
                }
                _ => self.numbered = None,
            }
        }
        if form.kind == IdKind::Number {
            let digits = form.text().as_bytes();
            let numbers = &mut self.numbers[digits.len().min(MOST_DIGITS)];
            numbers.all.note(place, labels);
            numbers.padded += usize::from(digits[0] == b'0');
            let rest = digits.get(PRECISION..).unwrap_or_default();
            if !rest.is_empty() && rest.iter().all(|digit| *digit == b'0') {
                numbers.rounded.note(place, labels);
            }
        }
    }

    pub(crate) fn end_source(&mut self) {
        self.counts.extend(std::mem::take(&mut self.count_below));
        (self.ids, self.digits) = (0, 0);
    }

    /// Refuses words and short numbers among system-made ids: they are footers, not ids. Otherwise
    /// refuses a number that ends a source and may count the ids above it. Ids of several systems
    /// count as one shape.
    pub(crate) fn refuse_strays(&self, problems: &mut Problems, labels: &Labels) {
        let mut refuse = |tally: &WarningTally, look| {
            for place in tally.places(labels) {
                problems.note(place, Damage::Look(look));
            }
        };
        if let Some((_, tally)) = &self.numbered {
            refuse(tally, Look::Grep);
        }
        let of = |kind: IdKind| self.kinds[kind as usize].count;
        let words_and_numbers = of(IdKind::Other) + of(IdKind::Number);
        // A person's device ids may stand beside a name of any form.
        let of_systems: usize =
            IdKind::ALL.into_iter().map(of).sum::<usize>() - words_and_numbers - of(IdKind::Device);
        let strays = self.strays.count;
        let others_are_of_systems = words_and_numbers == strays;
        match strays <= STRAYS && others_are_of_systems && of_systems >= (strays * ALONE).max(1) {
            true => refuse(&self.strays, Look::Stray),
            false => refuse(&self.counts, Look::Stray),
        }
    }

    pub(crate) fn tell(self, warnings: &mut Warnings) {
        tell_of_lengths(self.numbers, warnings);
        let counts = self.kinds.each_ref().map(|tally| tally.count);
        let Some(usual) = IdKind::ALL
            .into_iter()
            .max_by_key(|kind| counts[*kind as usize])
        else {
            return;
        };
        let of = counts[usual as usize];
        for (kind, tally) in IdKind::ALL.into_iter().zip(self.kinds) {
            // In a list of free names, a number may be a name.
            let is_usual = kind == usual || (usual, kind) == (IdKind::Other, IdKind::Number);
            if kind == IdKind::Device {
                warnings.add(WarningKind::Device, tally);
            } else if !is_usual && tally.count.saturating_mul(ODD) <= of {
                warnings.add(WarningKind::OtherKind { kind, usual, of }, tally);
            }
        }
    }
}

fn tell_of_lengths(lengths: [Numbers; MOST_DIGITS + 1], warnings: &mut Warnings) {
    let total: usize = lengths.iter().map(|numbers| numbers.all.count).sum();
    let most = lengths.iter().enumerate().max_by_key(|(_, n)| n.all.count);
    let (usual, of) = most.map_or((0, 0), |(digits, numbers)| (digits, numbers.all.count));
    let filled = lengths.iter().rposition(|numbers| numbers.padded > 0);
    for (digits, numbers) in lengths.into_iter().enumerate() {
        if is_rounded(digits, &numbers) {
            warnings.add(WarningKind::RoundedNumber, numbers.rounded);
        }
        let is_short = filled.is_some_and(|filled| digits < filled) && numbers.padded == 0;
        if let (true, Some(digits)) = (is_short, filled) {
            warnings.add(WarningKind::LostZeros { digits }, numbers.all);
        } else if digits != usual && (total - of).saturating_mul(ODD_LENGTH) <= of {
            warnings.add(WarningKind::OtherLength { usual, of }, numbers.all);
        }
    }
}

/// Whether trailing zeros are over ten times as common as chance makes them.
fn is_rounded(digits: usize, numbers: &Numbers) -> bool {
    let Some(beyond) = digits.checked_sub(PRECISION + 1) else {
        return false;
    };
    let odds = 10_usize.saturating_pow(u32::try_from(beyond).unwrap_or(u32::MAX));
    numbers.rounded.count.saturating_mul(odds) > numbers.all.count
}

/// The number in `30`, `Total:30`, `rows=30` or `n_30`.
fn count_in(text: &str) -> Option<usize> {
    const WORDS: [&str; 10] = [
        "n", "row", "rows", "sum", "count", "lines", "total", "counts", "totals", "records",
    ];
    if text.len() > 16 || !text.ends_with(|last: char| last.is_ascii_digit()) {
        return None;
    }
    let (word, number) = match text.rfind([':', '=', '_', '-']) {
        Some(joint) => (&text[..joint], &text[joint + 1..]),
        None => ("", text),
    };
    let is_of_count = WORDS.iter().any(|known| known.eq_ignore_ascii_case(word));
    number
        .parse()
        .ok()
        .filter(|_| word.is_empty() || is_of_count)
}

#[cfg(test)]
mod tests {
    use super::*;

    use crate::intake::problem::Problem;

    fn warnings(ids: impl IntoIterator<Item = impl AsRef<str>>) -> Vec<(WarningKind, Vec<u64>)> {
        let mut census = Census::new();
        let mut warnings = Warnings::default();
        for (line, id) in (1..).zip(ids) {
            let place = Place::on_line("`x`", line);
            census.count(&ValueForm::of(id.as_ref()), place, &mut warnings.labels);
        }
        census.tell(&mut warnings);
        let found = warnings.iter();
        found
            .map(|w| (w.kind, w.places().filter_map(|(_, line)| line).collect()))
            .collect()
    }

    fn uuid(n: usize) -> String {
        format!("3e0b7f52-77aa-4c1e-9a4b-{n:012x}")
    }

    fn other_kind(kind: IdKind, usual: IdKind, of: usize) -> WarningKind {
        WarningKind::OtherKind { kind, usual, of }
    }

    fn strays(ids: impl IntoIterator<Item = impl AsRef<str>>) -> Vec<u64> {
        let mut census = Census::new();
        let mut labels = Labels::default();
        for (line, id) in (1..).zip(ids) {
            let place = Place::on_line("`x`", line);
            census.count(&ValueForm::of(id.as_ref()), place, &mut labels);
        }
        census.end_source();
        let mut problems = Problems::default();
        census.refuse_strays(&mut problems, &labels);
        problems
            .kept()
            .iter()
            .filter_map(|problem: &Problem| problem.place.line)
            .collect()
    }

    #[test]
    fn a_word_or_a_short_number_alone_among_ids_of_systems_is_a_stray() {
        let with = |usual: usize, others: &[&str]| {
            let others = others.iter().map(|id| (*id).to_owned());
            strays((0..usual).map(uuid).chain(others))
        };
        assert_eq!(with(4, &["Mezisoucet"]), [5]);
        assert_eq!(with(4, &["4"]), [5]);
        assert_eq!(with(5000, &["anna", "7", "bob"]), [5001, 5002, 5003]);
        assert_eq!(with(3, &["anna"]), [0; 0], "a short mixture");
        assert_eq!(
            with(5000, &["anna", "bob", "carl", "dora"]),
            [0; 0],
            "a shape of their own"
        );
        assert_eq!(
            with(5000, &["anna", "user-17"]),
            [0; 0],
            "names are mixed in"
        );
        assert_eq!(with(5000, &["a@b.test", "$device:a", "4000000000"]), [0; 0]);
        let devices = ["$device:a", "$device:b", "$device:c", "$device:d", "anna"];
        assert_eq!(strays(devices), [0; 0], "one person and her devices");
        assert_eq!(strays(["anna", "bob"]), [0; 0]);
    }

    #[test]
    fn a_number_that_may_count_the_ids_above_it_is_a_stray_at_the_end_only() {
        assert_eq!(strays(["u-1", "u-2", "u-3", "3"]), [4]);
        assert_eq!(strays(["a@b.test", "c@d.test", "2"]), [3]);
        assert_eq!(strays(["u-1", "u-2", "u-3", "4"]), [0; 0], "no count");
        assert_eq!(strays(["u-1", "u-2", "2", "u-3"]), [0; 0], "not at the end");
        assert_eq!(strays(["u-1", "17", "2"]), [0; 0], "numbers are ids here");
    }

    #[test]
    fn rising_numbers_before_all_ids_are_line_numbers() {
        assert_eq!(strays(["1:u-1", "2:u-2", "9:u-3"]), [1, 2, 3]);
        assert_eq!(strays(["1:u-1", "1:u-2"]), [0; 0], "tenants");
        assert_eq!(strays(["1:u-1", "2:u-2", "u-3"]), [0; 0]);
    }

    #[test]
    fn three_addresses_among_five_thousand_uuids_stand_out() {
        let mut ids: Vec<String> = (0..5000).map(uuid).collect();
        for place in [10, 500, 4000] {
            ids[place] = format!("user{place}@example.test");
        }
        let kind = other_kind(IdKind::Email, IdKind::Uuid, 4997);
        assert_eq!(warnings(ids), [(kind, vec![11, 501, 4001])]);
    }

    #[test]
    fn device_ids_are_always_warned_of() {
        let devices = ["$device:abc", "$device:"];
        let told = |lines| vec![(WarningKind::Device, lines)];
        assert_eq!(warnings(devices), told(vec![1, 2]));
        let users = (0..500).map(|n| format!("user-{n}"));
        let one = users.chain(["$device:abc".to_owned()]);
        assert_eq!(warnings(one), told(vec![501]));
    }

    #[test]
    fn in_a_mixture_no_id_stands_out() {
        let mixed = (0..1000).map(|n| match n % 5 {
            0 => format!("user{n}@example.test"),
            _ => uuid(n),
        });
        assert_eq!(warnings(mixed), []);
        assert_eq!(warnings(["a@b.test", &uuid(1)]), []);
        assert_eq!(warnings(Vec::<String>::new()), []);
    }

    #[test]
    fn one_in_twenty_one_stands_out_and_one_in_twenty_does_not() {
        let among = |usual: usize| {
            let ids = (0..usual).map(uuid).chain(["anna".to_owned()]);
            warnings(ids).len()
        };
        assert_eq!(among(20), 1);
        assert_eq!(among(19), 0);
    }

    #[test]
    fn capital_letters_make_another_kind_of_uuid() {
        let ids = (0..100).map(|n| match n {
            7 => uuid(n).to_uppercase(),
            _ => uuid(n),
        });
        let kind = other_kind(IdKind::CapitalUuid, IdKind::Uuid, 99);
        assert_eq!(warnings(ids), [(kind, vec![8])]);
    }

    #[test]
    fn among_free_names_a_number_is_a_name_and_an_address_is_not() {
        let names = (0..100).map(|n| format!("name-{n}"));
        let ids = names.chain(["4711".to_owned(), "a@b.test".to_owned()]);
        let kind = other_kind(IdKind::Email, IdKind::Other, 100);
        assert_eq!(warnings(ids), [(kind, vec![102])]);
    }

    #[test]
    fn a_few_numbers_of_another_length_stand_out() {
        let ids = (0..1000).map(|n| match n {
            3 => "12345".to_owned(),
            _ => (4_000_000_000_u64 + n * 7).to_string(),
        });
        let kind = WarningKind::OtherLength { usual: 10, of: 999 };
        assert_eq!(warnings(ids), [(kind, vec![4])]);
    }

    #[test]
    fn a_series_of_numbers_has_every_length() {
        assert_eq!(warnings((1..=20_000).map(|n| n.to_string())), []);
        assert_eq!(warnings((1..=99).map(|n| n.to_string())), []);
    }

    #[test]
    fn a_number_shorter_than_the_padded_ones_has_lost_its_zeros() {
        let ids = ["000123", "104711", "4711", "000001", "815"];
        let kind = WarningKind::LostZeros { digits: 6 };
        assert_eq!(warnings(ids), [(kind, vec![3, 5])]);
        assert_eq!(
            warnings(["0123", "4711", "00"]),
            [],
            "some are short with zeros"
        );
    }

    #[test]
    fn numbers_that_a_spreadsheet_rounded_are_told_from_round_ones() {
        let exact = (0..5000_u64).map(|n| (1_234_567_890_123_456_789 + n * 97).to_string());
        let mut ids: Vec<String> = exact.collect();
        assert_eq!(warnings(&ids), []);
        for (place, id) in ids.iter_mut().enumerate().take(4) {
            *id = format!("{}234567890123450000", place + 1);
        }
        // One more id matches by chance.
        assert_eq!(warnings(&ids), [], "one in a thousand may be chance");
        ids[4] = "7734567890123450000".to_owned();
        let lines = vec![1, 2, 3, 4, 5, 4364];
        assert_eq!(warnings(&ids), [(WarningKind::RoundedNumber, lines)]);
        let sixteen = (0..1000_u64).map(|n| (1_234_567_890_123_456 + n).to_string());
        assert_eq!(warnings(sixteen), [], "each tenth ends in a zero by chance");
        let huge = "1".repeat(15) + &"0".repeat(85);
        assert_eq!(warnings([huge]), [(WarningKind::RoundedNumber, vec![1])]);
    }
}
