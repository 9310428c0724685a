//! Which queue to claim from next: weighted or strict, pure.
//!
//! Weighted is fair over *jobs claimed*: every queue has a clock that runs by `jobs / weight`, and
//! the queue furthest behind goes next. A round takes its whole batch from one queue, because every
//! further claim in it costs Redis as much as tens of jobs; a queue's batch is its share of all
//! slots, but never so small that a hundred queues would make a hundred tiny claims. Where jobs leave
//! their slots at once it is half of them: who has how many at a time is then no matter.

use std::fmt;

use jobq::QueueName;
use jobq::runtime::text::quoted;

use crate::error::BuildError;

/// A queue and its weight, from `name` or `name:weight`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct QueueWeight {
    pub(crate) queue: QueueName,
    pub(crate) weight: u32,
}

/// The largest weight.
const MAX_WEIGHT: u32 = 1000;

impl QueueWeight {
    /// Reads `name` or `name:weight`; a colon belongs to the name unless digits alone follow it.
    pub(crate) fn parse(text: &str) -> Result<Self, BuildError> {
        let (name, weight) = match text.rsplit_once(':') {
            Some((name, weight)) if is_number(weight) => (name, weight.parse().unwrap_or(u32::MAX)),
            _ => (text, 1),
        };
        if weight == 0 || weight > MAX_WEIGHT {
            return Err(BuildError::InvalidSetting {
                field: "queues",
                value: quoted(text),
                expected: "a weight of 1 to 1000 after the colon",
            });
        }
        if text.contains(',') {
            return Err(BuildError::InvalidSetting {
                field: "queues",
                value: quoted(text),
                expected: "each queue as an item of its own: [\"mail\", \"news:3\"]",
            });
        }
        Ok(Self {
            queue: QueueName::new(name)?,
            weight,
        })
    }
}

impl fmt::Display for QueueWeight {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.weight {
            1 => self.queue.fmt(f),
            weight => write!(f, "{}:{weight}", self.queue),
        }
    }
}

fn is_number(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    !digits.is_empty() && digits.bytes().all(|c| c.is_ascii_digit())
}

/// The smallest batch, as a part of all slots, when several queues have jobs.
const SMALLEST_PART: u32 = 16;

/// The smallest batch of jobs that leave their slots at once. While one half of the slots is on its way
/// to the store and back, the other is worked on.
const SMALLEST_BRIEF_PART: u32 = 2;

/// Chooses queues by index.
#[derive(Debug)]
pub(crate) struct Schedule {
    strict: bool,
    slots: u32,
    queues: Vec<Weighed>,
}

#[derive(Debug)]
struct Weighed {
    weight: u32,
    /// Jobs claimed over weight, since it last caught up with the others.
    clock: f64,
    hot: bool,
    /// Whether the last claim gave jobs.
    gave: bool,
}

/// What to claim.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Turn {
    /// The queue.
    pub(crate) index: usize,
    /// At most so many jobs.
    pub(crate) max: u32,
}

impl Schedule {
    pub(crate) fn new(weights: &[u32], strict: bool, slots: u32) -> Self {
        let queue = |&weight| Weighed {
            weight,
            clock: 0.0,
            hot: false,
            gave: false,
        };
        Self {
            strict,
            slots,
            queues: weights.iter().map(queue).collect(),
        }
    }

    /// Says whether a queue may have jobs. One that was cold joins at the clock of the hot ones:
    /// it does not catch up on the time it had nothing.
    pub(crate) fn set_hot(&mut self, index: usize, hot: bool) {
        if hot && !self.queues[index].hot {
            let now = self.hot_queues().map(|queue| queue.clock).reduce(f64::min);
            let queue = &mut self.queues[index];
            queue.clock = now.map_or(queue.clock, |now| queue.clock.max(now));
        }
        let queue = &mut self.queues[index];
        queue.hot = hot;
        queue.gave &= hot;
    }

    /// Whether a queue may have jobs.
    pub(crate) fn is_hot(&self, index: usize) -> bool {
        self.queues[index].hot
    }

    /// Whether any queue had jobs when it was claimed from last. One that is only to be looked at is not
    /// busy: queues that wait for each other's look would never be done with it.
    pub(crate) fn is_any_busy(&self) -> bool {
        self.hot_queues().any(|queue| queue.gave)
    }

    /// The next queue to claim from, with `free` slots; `None` if no queue may have jobs. `is_brief` says
    /// whether a queue's jobs leave their slots at once.
    pub(crate) fn next(&self, free: u32, is_brief: impl Fn(usize) -> bool) -> Option<Turn> {
        let mut hot = self
            .queues
            .iter()
            .enumerate()
            .filter(|(_, queue)| queue.hot);
        if self.strict {
            return hot.next().map(|(index, _)| Turn { index, max: free });
        }
        let (index, queue) = hot.min_by(|(_, a), (_, b)| a.clock.total_cmp(&b.clock))?;
        let total: u32 = self.hot_queues().map(|queue| queue.weight).sum();
        let share = u64::from(self.slots) * u64::from(queue.weight) / u64::from(total);
        let share = u32::try_from(share).unwrap_or(u32::MAX);
        let part = match is_brief(index) {
            true => SMALLEST_BRIEF_PART,
            false => SMALLEST_PART,
        };
        let batch = share.max(self.slots / part).max(1);
        Some(Turn {
            index,
            max: free.min(batch),
        })
    }

    /// Counts what a claim gave.
    pub(crate) fn charge(&mut self, index: usize, jobs: usize) {
        let queue = &mut self.queues[index];
        queue.clock += jobs as f64 / f64::from(queue.weight);
        queue.gave = jobs > 0;
    }

    fn hot_queues(&self) -> impl Iterator<Item = &Weighed> {
        self.queues.iter().filter(|queue| queue.hot)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shares(weights: &[u32], slots: u32, jobs: usize, brief: bool) -> Vec<usize> {
        let mut schedule = Schedule::new(weights, false, slots);
        (0..weights.len()).for_each(|index| schedule.set_hot(index, true));
        let mut counts = vec![0; weights.len()];
        while counts.iter().sum::<usize>() < jobs {
            let turn = schedule.next(slots, |_| brief).expect("a queue is hot");
            counts[turn.index] += turn.max as usize;
            schedule.charge(turn.index, turn.max as usize);
        }
        counts
    }

    #[test]
    fn weights_share_jobs_at_every_batch_size() {
        for slots in [1, 2, 7, 10, 64, 256, 1000] {
            // Large batches even out over more jobs.
            for (brief, jobs) in [(false, 10_000), (true, 100_000)] {
                let counts = shares(&[6, 3, 1], slots, jobs, brief);
                let total: usize = counts.iter().sum();
                for (count, part) in counts.iter().zip([0.6, 0.3, 0.1]) {
                    let share = *count as f64 / total as f64;
                    assert!(
                        (share - part).abs() < 0.1 * part,
                        "{slots} slots: {counts:?}"
                    );
                }
            }
        }
    }

    #[test]
    fn a_single_hot_queue_gets_every_slot() {
        let mut schedule = Schedule::new(&[1, 9], false, 100);
        schedule.set_hot(0, true);
        assert_eq!(
            schedule.next(100, |_| false),
            Some(Turn { index: 0, max: 100 })
        );
    }

    #[test]
    fn a_queue_that_was_cold_does_not_catch_up() {
        let mut schedule = Schedule::new(&[1, 1], false, 10);
        schedule.set_hot(0, true);
        schedule.charge(0, 1_000_000);
        schedule.set_hot(1, true);
        schedule.charge(1, 1);
        assert_eq!(schedule.next(10, |_| false).map(|turn| turn.index), Some(0));
    }

    #[test]
    fn a_hundred_queues_do_not_make_tiny_batches() {
        let mut schedule = Schedule::new(&[1; 100], false, 1000);
        (0..100).for_each(|index| schedule.set_hot(index, true));
        assert_eq!(
            schedule.next(1000, |_| false).map(|turn| turn.max),
            Some(62)
        );
        let brief = schedule.next(1000, |index| index == 0);
        assert_eq!(brief.map(|turn| turn.max), Some(500));
    }

    #[test]
    fn a_queue_is_busy_from_a_claim_that_gave_jobs_to_one_that_gave_none() {
        let mut schedule = Schedule::new(&[1, 1], false, 10);
        schedule.set_hot(0, true);
        schedule.set_hot(1, true);
        assert!(!schedule.is_any_busy());
        schedule.charge(0, 1);
        assert!(schedule.is_any_busy());
        schedule.charge(0, 0);
        assert!(!schedule.is_any_busy());
        schedule.charge(1, 1);
        schedule.set_hot(1, false);
        schedule.set_hot(1, true);
        assert!(!schedule.is_any_busy(), "it was left alone in between");
    }

    #[test]
    fn strict_takes_the_first_that_may_have_jobs() {
        let mut schedule = Schedule::new(&[1, 1, 1], true, 10);
        assert_eq!(schedule.next(10, |_| false), None);
        schedule.set_hot(2, true);
        schedule.set_hot(1, true);
        schedule.charge(1, 1_000);
        assert_eq!(schedule.next(4, |_| false), Some(Turn { index: 1, max: 4 }));
    }

    #[test]
    fn queue_weights_are_read_and_checked() {
        let read = |text| QueueWeight::parse(text).map(|q| (q.queue.to_string(), q.weight));
        assert_eq!(read("mail").ok(), Some(("mail".to_owned(), 1)));
        assert_eq!(read("mail:6").ok(), Some(("mail".to_owned(), 6)));
        assert_eq!(read("a:b").ok(), Some(("a:b".to_owned(), 1)));
        assert_eq!(read("a:b:2").ok(), Some(("a:b".to_owned(), 2)));
        for bad in [
            "mail:0",
            "mail:1001",
            "mail:99999999999",
            "mail:-1",
            ":3",
            "",
            "a b",
        ] {
            assert!(read(bad).is_err(), "{bad}");
        }
        let long = format!("{}:0", "x\n".repeat(10_000));
        let message = read(&long).expect_err("the weight is 0").to_string();
        assert!(message.len() < 250 && !message.contains('\n'), "{message}");
    }
}
