/// From here on two words are taken for the same one, mistyped: what clap asks of its own.
const NEAR: f64 = 0.7;

/// The known word that `word` was probably meant to be, if there is one.
pub fn most_like<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let rated = known
        .into_iter()
        .map(|known| (strsim::jaro(word, known), known));
    let near = rated.filter(|(likeness, _)| *likeness > NEAR);
    near.max_by(|(one, _), (other, _)| one.total_cmp(other))
        .map(|(_, known)| known)
}

/// Whether a value may be meant by `word` that clap guesses, which guesses from further away.
pub fn is_close(word: &str, guess: &str) -> bool {
    strsim::jaro(word, guess) > 0.8
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
}
