//! What may be personal data all the same.

use crate::domain::words;

/// Why a kept value needs a look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ReviewFinding {
    /// An id of a person of the export, in any spelling.
    PersonId,
    /// A value of a profile, or of a dropped property such as a name.
    ProfileValue,
    Email,
    Phone,
    IpAddress,
    /// Fifteen or more digits in a row, or the number of a card or an account.
    LongNumber,
    /// An address with a query, which may hold anything.
    Query,
    /// A time that is finer than the time that the event keeps.
    ExactTime,
    /// Encoded too often to be searched.
    Encoded,
    /// The name of the property, or a key in its value, says that it holds an id, a name, an address
    /// or a phone number.
    TellingName,
    /// Longer than a name may be in an import.
    LongName,
}

words!(ReviewFinding {
    PersonId => "person_id",
    ProfileValue => "profile_value",
    Email => "email",
    Phone => "phone",
    IpAddress => "ip_address",
    LongNumber => "long_number",
    Query => "query",
    ExactTime => "exact_time",
    Encoded => "encoded",
    TellingName => "telling_name",
    LongName => "long_name",
});

impl ReviewFinding {
    /// For example `an e-mail address`.
    pub fn words(self) -> &'static str {
        match self {
            Self::PersonId => "an id of the person",
            Self::ProfileValue => "a value of the profile",
            Self::Email => "an e-mail address",
            Self::Phone => "a phone number",
            Self::IpAddress => "an IP address",
            Self::LongNumber => "a number of 15 digits or more, or of a card or an account",
            Self::Query => "an address with a query",
            Self::ExactTime => "an exact time",
            Self::Encoded => "a text that is encoded too often to be searched",
            Self::TellingName => "a name that stands for personal data",
            Self::LongName => "a name of more than 255 characters, which Mixpanel does not import",
        }
    }
}

/// A set of findings.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct FindingSet(u16);

impl FindingSet {
    pub(crate) fn add(&mut self, finding: ReviewFinding) {
        self.0 |= 1 << finding as u16;
    }

    pub(crate) fn is_empty(self) -> bool {
        self.0 == 0
    }

    pub(crate) fn iter(self) -> impl Iterator<Item = ReviewFinding> {
        let all = ReviewFinding::ALL.into_iter();
        all.filter(move |finding| self.0 & (1 << *finding as u16) != 0)
    }
}

/// How many values have each finding.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FindingCounts([u64; ReviewFinding::ALL.len()]);

impl FindingCounts {
    pub(crate) fn add(&mut self, found: FindingSet) {
        if !found.is_empty() {
            found
                .iter()
                .for_each(|finding| self.0[finding as usize] += 1);
        }
    }

    pub fn is_empty(&self) -> bool {
        self.0.iter().all(|count| *count == 0)
    }

    /// The findings that there are, and how many values have each.
    pub fn iter(&self) -> impl Iterator<Item = (ReviewFinding, u64)> {
        let all = ReviewFinding::ALL.into_iter().zip(self.0);
        all.filter(|(_, count)| *count > 0)
    }
}
