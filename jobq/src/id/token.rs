//! Claim tokens, and how they are written to the store: a worker writes one for each job it settles.

use std::fmt;

/// The right to settle one claimed job: the number of the claim and the place within its answer.
/// Written `<claim>.<index>`; given out once, never again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Token {
    /// The number of the claim (or adoption), as its answer gave it.
    pub claim: u64,
    /// The place of the job within the answer, from 1.
    pub index: u32,
}

/// A token as it stands in the store.
#[derive(Debug, Default)]
pub(crate) struct TokenText {
    text: Vec<u8>,
    /// What the text was written for last.
    claim: Option<u64>,
    /// Bytes up to the index.
    stem: usize,
}

impl TokenText {
    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.text
    }
}

impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.claim, self.index)
    }
}

impl Token {
    /// Writes it as it stands in the store, over what `text` held: of many in a row, those of one
    /// claim write its number once. `text` is empty, or was written by this.
    pub(crate) fn write(self, text: &mut TokenText) {
        if text.claim != Some(self.claim) {
            text.claim = Some(self.claim);
            text.text.clear();
            text.text
                .extend_from_slice(self.claim.to_string().as_bytes());
            text.text.push(b'.');
            text.stem = text.text.len();
        }
        text.text.truncate(text.stem);
        let (mut digits, mut rest, mut first) = ([0; 10], self.index, 10);
        loop {
            first -= 1;
            digits[first] = b'0' + (rest % 10) as u8;
            rest /= 10;
            if rest == 0 {
                break;
            }
        }
        text.text.extend_from_slice(&digits[first..]);
    }

    /// A token as it stands in the store; `None` for what no claim gave out. Another way to write
    /// the same numbers (`+1.2`, `01.2`) is another field there, which this token does not settle.
    #[must_use]
    pub fn from_stored(text: &str) -> Option<Self> {
        let (claim, index) = text.split_once('.')?;
        let token = Self {
            claim: claim.parse().ok()?,
            index: index.parse().ok()?,
        };
        (token.to_string() == text).then_some(token)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_in_a_row_are_written_as_each_alone() {
        let mut text = TokenText::default();
        let claims = [0, 7, 7, 10, u64::MAX];
        let indexes = [0, 9, 10, 1000, 99, u32::MAX];
        for claim in claims {
            for index in indexes {
                let token = Token { claim, index };
                token.write(&mut text);
                assert_eq!(text.as_bytes(), token.to_string().as_bytes());
            }
        }
    }

    #[test]
    fn tokens_survive_the_store() {
        let token = Token {
            claim: u64::MAX,
            index: 7,
        };
        assert_eq!(Token::from_stored(&token.to_string()), Some(token));
        for bad in [
            "", "1", "1.", ".1", "1.2.3", "-1.2", "a.b", "+1.2", "1.+2", "01.2",
        ] {
            assert_eq!(Token::from_stored(bad), None, "{bad}");
        }
    }
}
