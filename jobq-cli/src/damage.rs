//! Looks at several queues where the keys of one are damaged: of that one the reason is told, the
//! others are shown all the same, and the exit code says at the end that not all could be read.

use jobq::Queue;
use serde_json::Value;

use crate::failure::Failure;
use crate::output::{Cell, Row};

/// Damaged things that one message names.
const NAMED: usize = 4;

/// The answer, or why the keys that it lies in cannot be read.
pub(crate) fn readable<T>(answer: Result<T, Failure>) -> Result<Result<T, String>, Failure> {
    match answer {
        Err(failure) if failure.is_damage() => Ok(Err(failure.to_string())),
        answer => answer.map(Ok),
    }
}

/// Of a document about a queue, what is left where nothing can be read of it: its name, and why.
pub(crate) fn without_figures(document: &mut Value, why: &str) {
    for (name, figure) in document.as_object_mut().into_iter().flatten() {
        match name.as_str() {
            "queue" => {}
            "unreadable" => *figure = why.into(),
            _ => *figure = Value::Null,
        }
    }
}

/// The same of a row, whose first cell is the name of the queue and whose second is its state.
pub(crate) fn unreadable(mut row: Row, why: &str) -> Row {
    for cell in row.cells.iter_mut().skip(1) {
        *cell = Cell::none();
    }
    if let Some(state) = row.cells.get_mut(1) {
        *state = Cell::word("unreadable").bad();
    }
    without_figures(&mut row.json, why);
    row
}

/// What could not be read, each with the reason.
#[derive(Debug, Default)]
pub(crate) struct Damage(Vec<String>);

impl Damage {
    /// What is met again, as a search does, is named once.
    pub(crate) fn note(&mut self, what: &str, why: &str) {
        let damaged = format!("{what}: {why}");
        if !self.0.contains(&damaged) {
            self.0.push(damaged);
        }
    }

    /// The answer about a queue; where its keys are damaged that is noted, and there is none.
    pub(crate) fn pass<T>(
        &mut self,
        queue: &Queue,
        answer: Result<T, Failure>,
    ) -> Result<Option<T>, Failure> {
        let answer = readable(answer)?;
        let noted = answer.map_err(|why| self.note(&format!("queue {}", queue.name()), &why));
        Ok(noted.ok())
    }

    pub(crate) fn note_workers(&mut self, why: &str) {
        self.note("what workers tell", why);
    }

    /// How a command ends that has told all the rest.
    pub(crate) fn end(&self) -> Result<(), Failure> {
        let named = self.0[..self.0.len().min(NAMED)].join("; ");
        match self.0.len().saturating_sub(NAMED) {
            _ if named.is_empty() => Ok(()),
            0 => Err(Failure::internal(format!("could not read {named}"))),
            more => Err(Failure::internal(format!(
                "could not read {named}; and {more} more"
            ))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_could_not_be_read_is_named_at_the_end() {
        let mut damage = Damage::default();
        assert!(damage.end().is_ok());
        damage.note("queue bulk", "a string");
        damage.note("queue bulk", "a string");
        let failure = damage.end().unwrap_err();
        assert!(failure.is_damage());
        assert_eq!(failure.to_string(), "could not read queue bulk: a string");
        for name in ["b", "c", "d", "e", "f"] {
            damage.note(name, "x");
        }
        let said = damage.end().unwrap_err().to_string();
        assert!(said.ends_with("d: x; and 2 more"), "{said}");
    }
}
