//! A bound on serde's recursion, put around any of its formats.
//!
//! The scan bounds what nests on the wire. It cannot bound what takes no byte: a
//! `struct L(Option<Box<L>>)` is one value on the wire, and reading it as itself again and again
//! ends the stack, which ends the process. rmp-serde counts arrays and maps only, and only when it
//! reads. So every value that serde goes into passes through [`Limited`], which counts them all.

mod read;
#[cfg(test)]
mod tests;
mod write;

/// Values within values that serde may go into: four for each level of the wire, so that an
/// option of a newtype of an enum of a struct may nest as deep as the wire does.
const LEVELS: usize = 4 * super::scan::MAX_DEPTH;

const TOO_DEEP: &str = "values nest too deep";

/// A part of serde's dance (serializer, visitor, value …) that passes the count on.
#[derive(Debug)]
pub(super) struct Limited<T> {
    inner: T,
    left: usize,
}

impl<T> Limited<T> {
    pub(super) fn new(inner: T) -> Self {
        let left = LEVELS;
        Self { inner, left }
    }

    /// The same count around another part.
    fn around<U>(&self, inner: U) -> Limited<U> {
        let left = self.left;
        Limited { inner, left }
    }

    /// The part itself and the count one level further in; `None` at the end.
    fn deeper(self) -> Option<(T, usize)> {
        Some((self.inner, self.left.checked_sub(1)?))
    }
}
