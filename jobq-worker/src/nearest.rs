//! The known word that a misspelt one was meant to be.

/// The known word that is near enough, or begins like it.
pub(crate) fn nearest<'a>(
    word: &str,
    known: impl IntoIterator<Item = &'a str> + Clone,
) -> Option<&'a str> {
    // So short a word is near to every other.
    if word.chars().count() < 3 {
        return None;
    }
    let mut begun = known.clone().into_iter();
    if let Some(known) = begun.find(|known| known.starts_with(word)) {
        return Some(known);
    }
    let near_enough = word.chars().count().div_ceil(2);
    let edits = known
        .into_iter()
        .map(|known| (strsim::levenshtein(word, known), known));
    let (edits, known) = edits.min()?;
    (edits <= near_enough).then_some(known)
}
