//! All ledgers as one.

use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::PathBuf;

use crate::ledger::{self, Event};

/// One event, and whose ledger it stands in.
#[derive(Debug, Clone)]
pub struct Entry {
    /// ms since the epoch.
    pub at: u64,
    /// The number of the process.
    pub actor: usize,
    /// What it did.
    pub event: Event,
}

/// The ledgers of all processes, read as far as they are written: those of each in its order, and
/// not by time.
#[derive(Debug, Default)]
pub struct History {
    entries: Vec<Entry>,
    /// Of them: enqueues that were accepted.
    accepted: usize,
    tails: Vec<Tail>,
}

/// How far a file was read.
#[derive(Debug)]
struct Tail {
    path: PathBuf,
    actor: usize,
    offset: u64,
    /// The beginning of a line whose end is not there yet, and will never be if it was cut short.
    rest: Vec<u8>,
}

impl History {
    /// Adds the ledger of a process.
    pub fn add(&mut self, actor: usize, path: PathBuf) {
        self.tails.push(Tail {
            path,
            actor,
            offset: 0,
            rest: Vec::new(),
        });
    }

    /// Reads what was written since the last time.
    pub fn refresh(&mut self) {
        let known = self.entries.len();
        for tail in &mut self.tails {
            tail.read(&mut self.entries);
        }
        let accepted = |entry: &&Entry| matches!(entry.event, Event::Accepted { .. });
        self.accepted += self.entries[known..].iter().filter(accepted).count();
    }

    /// How many enqueues were accepted so far.
    #[must_use]
    pub fn accepted(&self) -> usize {
        self.accepted
    }

    /// What was read so far.
    #[must_use]
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// Adds an event as if it stood in a ledger.
    #[cfg(test)]
    pub(crate) fn push(&mut self, at: u64, actor: usize, event: Event) {
        self.entries.push(Entry { at, actor, event });
    }
}

impl Tail {
    fn read(&mut self, entries: &mut Vec<Entry>) {
        // One that has written nothing yet has no file.
        let Ok(mut file) = File::open(&self.path) else {
            return;
        };
        file.seek(SeekFrom::Start(self.offset))
            .expect("a file of ours can be read");
        let read = file.read_to_end(&mut self.rest);
        self.offset += read.expect("a file of ours can be read") as u64;
        let whole = self.rest.iter().rposition(|&byte| byte == b'\n');
        let lines: Vec<u8> = self.rest.drain(..whole.map_or(0, |end| end + 1)).collect();
        for line in String::from_utf8_lossy(&lines).lines() {
            let (at, event) =
                ledger::parse(line).unwrap_or_else(|| panic!("no line of a ledger: {line:?}"));
            entries.push(Entry {
                at,
                actor: self.actor,
                event,
            });
        }
    }
}
