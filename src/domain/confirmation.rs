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
pub struct Confirmed {
    ids: usize,
}

impl Confirmed {
    /// The operator typed the number of ids in the plan, with or without thousands separators.
    pub fn by_typed_count(answer: &str, ids: usize) -> Option<Self> {
        let typed: String = answer
            .trim()
            .chars()
            .filter(|c| !matches!(c, ',' | '\'' | '_'))
            .collect();
        (typed == ids.to_string()).then_some(Self { ids })
    }

    /// The operator typed a word, where there is nothing to count.
    pub fn by_typed_word(answer: &str, word: &str) -> Option<Self> {
        (answer.trim() == word).then_some(Self { ids: 0 })
    }

    pub fn by_flag(flag: YesFlag, ids: usize) -> Option<Self> {
        (flag == YesFlag::Given).then_some(Self { ids })
    }

    /// How many ids were agreed to.
    pub fn ids(&self) -> usize {
        self.ids
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_exact_count_confirms() {
        for good in ["1234", " 1234\n", "1,234", "1'234"] {
            assert_eq!(Confirmed::by_typed_count(good, 1234).unwrap().ids(), 1234);
        }
        for bad in ["", "yes", "y", "1235", "01234", "1234.0", "-1234"] {
            assert!(Confirmed::by_typed_count(bad, 1234).is_none(), "{bad}");
        }
        assert!(Confirmed::by_flag(YesFlag::Absent, 3).is_none());
        assert!(Confirmed::by_typed_word("accept\n", "accept").is_some());
        assert!(Confirmed::by_typed_word("0\n", "accept").is_none());
    }
}
