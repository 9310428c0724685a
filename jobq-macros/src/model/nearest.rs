//! The known word that a misspelt one was meant to be.

/// The nearest of the known words, if it is near enough to be meant.
pub(crate) fn nearest<'a>(word: &str, known: &[&'a str]) -> Option<&'a str> {
    let near_enough = word.chars().count().div_ceil(2);
    known
        .iter()
        .map(|&candidate| (strsim::levenshtein(word, candidate), candidate))
        .filter(|(edits, _)| *edits <= near_enough)
        .min_by_key(|(edits, _)| *edits)
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_typing_error_finds_its_word() {
        let known = ["retries", "backoff", "queue", "name"];
        for (word, meant) in [
            ("retry", Some("retries")),
            ("retires", Some("retries")),
            ("back_off", Some("backoff")),
            ("que", Some("queue")),
            ("names", Some("name")),
            ("priority", None),
            ("x", None),
        ] {
            assert_eq!(nearest(word, &known), meant, "{word}");
        }
    }
}
