//! What a process writes down *before* it acts: a file of its own, a line in one write, so that
//! whatever kills it hides nothing it had done.

use std::fmt;
use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::path::Path;
use std::sync::LazyLock;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use jobq::JobId;

/// Defines [`Event`]: its word in a line, and its fields in their order.
macro_rules! events {
    ($($(#[$doc:meta])* $name:ident $word:literal { $($field:ident: $type:ty),* })*) => {
        /// A line of a ledger, without its time. No field holds a blank.
        #[derive(Debug, Clone, PartialEq, Eq)]
        #[expect(missing_docs, reason = "the fields are named for what they are")]
        pub enum Event {
            $($(#[$doc])* $name { $($field: $type),* },)*
        }

        impl fmt::Display for Event {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                match self {
                    $(Self::$name { $($field),* } => {
                        f.write_str($word)?;
                        $(write!(f, " {}", $field)?;)*
                        Ok(())
                    })*
                }
            }
        }

        impl Event {
            /// `None` for what is no event, such as a line that was cut short.
            #[must_use]
            fn parse(text: &str) -> Option<Self> {
                let mut words = text.split(' ');
                let event = match words.next()? {
                    $($word => Self::$name { $($field: words.next()?.parse().ok()?),* },)*
                    _ => return None,
                };
                words.next().is_none().then_some(event)
            }
        }
    };
}

events! {
    /// A producer is about to enqueue a job, due at a time or (0) at once.
    Intent "INTENT" { id: JobId, due: u64 }
    /// The enqueue answered `Ok`.
    Accepted "ACCEPTED" { id: JobId }
    /// The enqueue answered that it may or may not be enqueued.
    Unknown "UNKNOWN" { id: JobId }
    /// The enqueue failed: nothing is enqueued.
    Refused "REFUSED" { id: JobId }
    /// Somebody is about to remove a job, or to cancel it.
    Removed "REMOVED" { id: JobId }
    /// A handler begins.
    Start "START" { id: JobId, attempt: u32 }
    /// A handler is about to return `Ok`.
    End "END" { id: JobId, attempt: u32 }
    /// A handler is about to fail: an error, a panic, the end of its process.
    Failed "FAILED" { id: JobId, attempt: u32 }
    /// A handler saw that it is asked to end.
    Cancelled "CANCELLED" { id: JobId }
    /// A worker was answered a claim that it had asked for at a time.
    Claimed "CLAIMED" { queue: String, worker: String, token: String, id: JobId, asked: u64 }
    /// A worker took over a job of another.
    Adopted "ADOPTED" { queue: String, worker: String, token: String, id: JobId, target: String }
    /// A worker is about to settle a job otherwise than with an ack: `retry`, `bury`, `release`,
    /// `suspect`.
    Settling "SETTLING" { queue: String, worker: String, token: String, action: String }
    /// A worker was answered a settlement: `accepted`, `stale`, `again` (stale, and sent before), or
    /// `unknown`; it was sent at a time.
    Settled "SETTLED" { queue: String, worker: String, token: String, action: String, answer: String, asked: u64 }
    /// A worker was answered that it was adopted.
    Reaped "REAPED" { worker: String }
    /// How many tasks a worker's runtime has, now and then.
    Tasks "TASKS" { alive: usize }
    /// A worker left a queue.
    Left "LEFT" { worker: String }
    /// The pause of a queue was answered; or its end is about to be asked for.
    Paused "PAUSED" { queue: String, on: bool }
    /// A process is about to be killed.
    Killed "KILLED" { actor: usize }
    /// A process is about to be sent a signal, or to lose or get back something it needs.
    Fault "FAULT" { actor: usize, what: String }
}

/// A ledger to write to.
#[derive(Debug)]
pub struct Ledger(File);

impl Ledger {
    /// Opens the ledger of a process, empty at its first start.
    ///
    /// # Errors
    ///
    /// What the file system says.
    pub fn open(path: &Path) -> io::Result<Self> {
        // Before anybody lets the clock step.
        let _ = now();
        let file = OpenOptions::new().create(true).append(true).open(path)?;
        Ok(Self(file))
    }

    /// Writes an event down. A process that cannot do so must not go on.
    ///
    /// # Panics
    ///
    /// When the file system refuses, or takes a part of the line.
    pub fn write(&self, event: &Event) {
        let line = format!("{} {event}\n", now());
        let written = (&self.0).write(line.as_bytes());
        assert_eq!(written.ok(), Some(line.len()), "the ledger takes a line");
    }
}

/// The time of this machine, which all processes share: ms since the epoch. The wall clock is read
/// once: should it step in a process later, its ledger does not.
///
/// # Panics
///
/// When its clock is before 1970.
#[must_use]
pub fn now() -> u64 {
    static BEGAN: LazyLock<(Duration, Instant)> = LazyLock::new(both_clocks);
    let (epoch, began) = *BEGAN;
    let ms = (epoch + began.elapsed()).as_millis();
    u64::try_from(ms).expect("it is not the end of time")
}

/// One moment by both clocks: of some tries that in which the least time passed between the two, for
/// whoever is held up there writes all its lines with a time that is over.
fn both_clocks() -> (Duration, Instant) {
    let tries = (0..20).map(|_| {
        let before = Instant::now();
        let since = SystemTime::now().duration_since(UNIX_EPOCH);
        (before.elapsed(), since.expect("the clock is right"), before)
    });
    let (_, epoch, at) = tries
        .min_by_key(|(took, ..)| *took)
        .expect("there are some");
    (epoch, at)
}

/// One line as it was written; `None` if it is none.
#[must_use]
pub fn parse(line: &str) -> Option<(u64, Event)> {
    let (at, event) = line.split_once(' ')?;
    Some((at.parse().ok()?, Event::parse(event)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_is_read_and_what_was_cut_short_is_not() {
        let event = Event::Claimed {
            queue: "q".to_owned(),
            worker: "w1".to_owned(),
            token: "3.1".to_owned(),
            id: JobId::new(),
            asked: 17,
        };
        let line = format!("12 {event}");
        assert_eq!(parse(&line), Some((12, event)));
        for torn in ["", "12", "12 ", "12 CLAIMED w1 3.1", "12 END x 1", "x END"] {
            assert_eq!(parse(torn), None, "{torn:?}");
        }
    }
}
