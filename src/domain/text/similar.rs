/// Two words more alike than this are one word with a typing error. clap uses the same value.
const NEAR: f64 = 0.7;
/// The value for short words, which are all somewhat alike.
const CLOSE: f64 = 0.8;

/// The known word that `word` probably means.
pub fn most_like<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let rated = known
        .into_iter()
        .map(|known| (strsim::jaro(word, known), known));
    let near = rated.filter(|(likeness, _)| *likeness > NEAR);
    near.max_by(|(one, _), (other, _)| one.total_cmp(other))
        .map(|(_, known)| known)
}

/// Whether `word` probably means `known`, even if both are short.
pub fn is_close(word: &str, known: &str) -> bool {
    strsim::jaro(word, known) > CLOSE
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mistyped_word_finds_the_one_that_was_meant() {
        let known = ["export", "project", "shop", "shop-eu"];
        assert_eq!(most_like("exprot", known), Some("export"));
        assert_eq!(most_like("shp", known), Some("shop"));
        assert_eq!(most_like("shop-e", known), Some("shop-eu"));
        assert_eq!(most_like("someone@example.com", known), None);
        assert_eq!(most_like("", known), None);
    }

    #[test]
    fn a_short_word_is_taken_for_another_only_where_they_are_close() {
        assert!(is_close("bsah", "bash"));
        assert!(!is_close("ksh", "zsh"));
    }
}
