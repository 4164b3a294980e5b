/// Whether the operator passed `--yes`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum YesFlag {
    Given,
    Absent,
}

impl YesFlag {
    pub fn of(given: bool) -> Self {
        match given {
            true => Self::Given,
            false => Self::Absent,
        }
    }
}

/// Proof that the operator agreed to delete this many ids. Sending a deletion requires one.
#[derive(Debug)]
pub struct Confirmed<T> {
    subject: T,
    count: usize,
}

impl<T> Confirmed<T> {
    /// The operator typed the number of ids in the plan, with or without thousands separators.
    pub(crate) fn by_typed_count(answer: &str, count: usize, subject: T) -> Option<Self> {
        let typed: String = answer
            .trim()
            .chars()
            .filter(|c| !matches!(c, ',' | '\'' | '_'))
            .collect();
        (typed == count.to_string()).then_some(Self { subject, count })
    }

    /// The operator typed a word, where there is nothing to count.
    pub(crate) fn by_typed_word(answer: &str, word: &str, subject: T) -> Option<Self> {
        (answer.trim() == word).then_some(Self { subject, count: 0 })
    }

    /// The operator passed `--yes`; otherwise the subject comes back.
    pub(crate) fn by_flag(flag: YesFlag, count: usize, subject: T) -> Result<Self, T> {
        match flag {
            YesFlag::Given => Ok(Self { subject, count }),
            YesFlag::Absent => Err(subject),
        }
    }

    /// What was confirmed, and the number that was agreed to.
    pub fn into_parts(self) -> (T, usize) {
        (self.subject, self.count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_exact_count_confirms() {
        for good in ["1234", " 1234\n", "1,234", "1'234"] {
            let confirmed = Confirmed::by_typed_count(good, 1234, "plan").unwrap();
            assert_eq!(confirmed.into_parts(), ("plan", 1234));
        }
        for bad in ["", "yes", "y", "1235", "01234", "1234.0", "-1234"] {
            assert!(Confirmed::by_typed_count(bad, 1234, ()).is_none(), "{bad}");
        }
        assert!(Confirmed::by_flag(YesFlag::Absent, 3, ()).is_err());
        assert!(Confirmed::by_typed_word("accept\n", "accept", ()).is_some());
        assert!(Confirmed::by_typed_word("0\n", "accept", ()).is_none());
    }
}
