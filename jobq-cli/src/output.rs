//! Standard output: an aligned table on a terminal, lines of fields with a tab in between when
//! piped, one JSON document with `--json`. Errors, questions and progress stand on standard error.
//!
//! What was written by others (errors, names, arguments) comes in through [`Cell::text`] or
//! [`printable`], which leave no control character in it.

mod cell;
mod listing;

use std::io::{self, IsTerminal as _, Write as _};

use console::Term;
use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;

use self::cell::is_harmless;
pub(crate) use self::cell::{Cell, age, counted, counted_done, printable};
pub(crate) use self::listing::{Column, Listing, Row};
use crate::failure::Failure;

/// How standard output is written.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Output {
    json: bool,
    /// The columns of the terminal, if it is one.
    width: Option<usize>,
    colour: bool,
}

impl Output {
    pub(crate) fn new(json: bool) -> Self {
        let is_terminal = io::stdout().is_terminal();
        let wanted = std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
        let width = is_terminal.then(|| match Term::stdout().size_checked() {
            Some((_, columns)) if columns > 0 => columns.into(),
            _ => 80,
        });
        Self {
            json,
            width,
            colour: is_terminal && wanted,
        }
    }

    /// Whether one JSON document is wanted.
    pub(crate) fn is_json(self) -> bool {
        self.json
    }

    /// Writes a whole JSON document, in one line.
    pub(crate) fn document(self, value: &impl Serialize) -> Result<(), Failure> {
        self.tell(&format!("{}\n", json(value)?))
    }

    /// Writes a line of text that is [`printable`].
    pub(crate) fn line(self, text: &str) -> Result<(), Failure> {
        self.tell(&format!("{text}\n"))
    }

    /// What was done: the document with `--json`, else the line.
    pub(crate) fn outcome(self, line: &str, document: &impl Serialize) -> Result<(), Failure> {
        match self.json {
            true => self.document(document),
            false => self.line(line),
        }
    }

    /// What was done before it ended: well, as [`Output::outcome`] tells it; or with a failure, which
    /// says itself how far it came, and stands in the document as `error`. Answers what it was given.
    pub(crate) fn end(
        self,
        line: &str,
        mut document: Value,
        done: Result<(), Failure>,
    ) -> Result<(), Failure> {
        document["error"] = done.as_ref().err().and_then(Failure::reason).into();
        if done.is_ok() || self.json {
            self.outcome(line, &document)?;
        }
        done
    }

    /// Whether a person reads it on a terminal.
    pub(crate) fn is_terminal(self) -> bool {
        self.width.is_some()
    }

    /// A cell as it is shown on a terminal, padded to a width.
    pub(crate) fn painted(self, cell: &Cell, width: usize) -> String {
        let space = width.saturating_sub(cell.width());
        let shown = cell.style.apply_to(&cell.shown).force_styling(self.colour);
        format!("{shown}{:space$}", "")
    }

    /// Tells a person on a terminal what to do next, on standard error.
    pub(crate) fn hint(self, hint: &str) {
        if self.width.is_some() && !self.json {
            let _ = writeln!(io::stderr(), "{hint}");
        }
    }

    /// Writes what only a terminal understands, where there is one.
    pub(crate) fn decorate(self, sequence: &str) -> Result<(), Failure> {
        match self.width.is_some() && !self.json {
            true => self.write(sequence),
            false => Ok(()),
        }
    }

    /// Begins a list: see [`Listing`]. It ends with its reader.
    pub(crate) fn listing(self, columns: &'static [Column]) -> Listing {
        Listing::new(self, columns, Self::write)
    }

    /// Begins a list of what is done meanwhile, which goes on without a reader.
    pub(crate) fn report(self, columns: &'static [Column]) -> Listing {
        Listing::new(self, columns, Self::tell)
    }

    /// Writes text as it is, at once. A reader that has gone (`| head`) has what it wanted: it ends the
    /// command.
    pub(crate) fn write(self, text: &str) -> Result<(), Failure> {
        match put(text) {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Err(Failure::quiet(0)),
            written => written.map_err(|error| Failure::output(&error)),
        }
    }

    /// The same of what tells what was done or found: the work goes on without a reader, and the exit code
    /// is that of the work.
    pub(crate) fn tell(self, text: &str) -> Result<(), Failure> {
        match put(text) {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            written => written.map_err(|error| Failure::output(&error)),
        }
    }
}

fn put(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes()).and_then(|()| out.flush())
}

/// A time as JSON has it: a text as in RFC 3339, to the millisecond.
pub(crate) fn time(time: Option<Timestamp>) -> Option<String> {
    time.map(|time| format!("{time:.3}"))
}

fn json(value: &impl Serialize) -> Result<String, Failure> {
    let text = serde_json::to_string(value);
    let text = text.map_err(|error| Failure::internal(format!("could not write JSON: {error}")))?;
    Ok(harmless(text))
}

/// A value as JSON for people, with line breaks.
pub(crate) fn pretty(value: &impl Serialize) -> String {
    harmless(serde_json::to_string_pretty(value).unwrap_or_default())
}

/// JSON in which no character is left that a terminal would obey: beyond those that JSON forbids there
/// are more. They can only stand in texts, where the escape means the same.
fn harmless(json: String) -> String {
    // A text has none of its own: JSON escapes them.
    let is_safe = |c: char| c == '\n' || is_harmless(c);
    if json.chars().all(is_safe) {
        return json;
    }
    let mut safe = String::with_capacity(json.len() + 16);
    for c in json.chars() {
        match is_safe(c) {
            true => safe.push(c),
            false => {
                for unit in c.encode_utf16(&mut [0; 2]) {
                    safe.push_str(&format!("\\u{unit:04x}"));
                }
            }
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use serde_json::json as value;

    use super::*;

    #[test]
    fn json_has_no_character_that_a_terminal_obeys_and_means_the_same() {
        let text = "a\u{1b}[2J\u{9b}2J\u{7f}\u{202e}b ä 漢 \u{e0001}";
        let document = value!({ text: [text] });
        let Ok(written) = json(&document) else {
            panic!("a document can be written");
        };
        assert!(written.chars().all(is_harmless), "{written}");
        assert!(written.contains("ä 漢"), "{written}");
        let read: Value = serde_json::from_str(&written).expect("it is JSON");
        assert_eq!(read, document);
    }
}
