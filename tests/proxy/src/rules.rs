//! What a proxy was told to do.

use std::num::NonZeroUsize;
use std::ops::RangeInclusive;
use std::time::Duration;

/// One of the two ways that bytes go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Direction {
    /// From client to server.
    Request,
    /// From server to client.
    Reply,
}

impl Direction {
    /// Both of them.
    pub const BOTH: [Self; 2] = [Self::Request, Self::Reply];
}

/// How a connection ends, on both of its sides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Ending {
    /// With a FIN: as if each side had said all it had to say.
    Finish,
    /// With a RST, as a process or a machine that died leaves it.
    Reset,
}

/// An order to end a connection after exactly so many bytes of a direction.
///
/// The end follows the last byte at once; after none, it comes in place of the first byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cut {
    pub(crate) bytes: u64,
    pub(crate) ending: Ending,
    pub(crate) each: bool,
}

impl Cut {
    /// Counted over all connections from now on. Ends the one that carries the last byte, and no
    /// other.
    #[must_use]
    pub fn after(bytes: u64, ending: Ending) -> Self {
        let each = false;
        Self {
            bytes,
            ending,
            each,
        }
    }

    /// Counted from the beginning of each connection, also of those that are open. Ends each,
    /// until the proxy is healed.
    #[must_use]
    pub fn each_after(bytes: u64, ending: Ending) -> Self {
        let each = true;
        Self {
            bytes,
            ending,
            each,
        }
    }
}

/// Passing bytes on a few at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Slices {
    /// In one write.
    pub bytes: NonZeroUsize,
    /// Between two writes.
    pub pause: Duration,
}

/// Passing bytes on late.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Delay {
    /// How late.
    pub by: Duration,
    /// How much more or less, at the most.
    pub jitter: Duration,
    /// What the jitter is drawn from.
    pub seed: u64,
}

impl Delay {
    /// Always as late.
    #[must_use]
    pub fn of(by: Duration) -> Self {
        Self {
            by,
            jitter: Duration::ZERO,
            seed: 0,
        }
    }
}

/// How connections are turned away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// Taken and reset at once.
    Reset,
    /// Nobody listens.
    Closed,
}

/// The orders for one direction.
#[derive(Debug, Clone, Default)]
pub(crate) struct LaneRules {
    pub(crate) cut: Option<Cut>,
    pub(crate) stalled: bool,
    pub(crate) slices: Option<Slices>,
    pub(crate) delay: Option<Delay>,
}

/// All orders.
#[derive(Debug, Clone, Default)]
pub(crate) struct Rules {
    request: LaneRules,
    reply: LaneRules,
    pub(crate) refusal: Option<Refusal>,
    /// Numbers of connections.
    forgotten: Vec<RangeInclusive<u64>>,
}

impl Rules {
    pub(crate) fn lane(&mut self, direction: Direction) -> &mut LaneRules {
        match direction {
            Direction::Request => &mut self.request,
            Direction::Reply => &mut self.reply,
        }
    }

    pub(crate) fn forget(&mut self, connections: RangeInclusive<u64>) {
        self.forgotten.push(connections);
    }

    /// Whether nothing is carried in this direction of a connection now.
    pub(crate) fn is_stalled(&mut self, direction: Direction, connection: u64) -> bool {
        let mut forgotten = self.forgotten.iter();
        forgotten.any(|numbers| numbers.contains(&connection)) || self.lane(direction).stalled
    }

    /// What is forgotten stays so.
    pub(crate) fn heal(&mut self) {
        *self = Self {
            forgotten: std::mem::take(&mut self.forgotten),
            ..Self::default()
        };
    }
}

/// How much of what waits may be passed on now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Share {
    pub(crate) bytes: usize,
    /// How the connection ends after them.
    pub(crate) ending: Option<Ending>,
    /// To wait after them.
    pub(crate) pause: Duration,
}

impl LaneRules {
    /// Gives out what may be passed on of `waiting` bytes by a connection that has carried
    /// `before`.
    pub(crate) fn share(&mut self, waiting: usize, before: u64) -> Share {
        let slice = self.slices.map_or(waiting, |slices| slices.bytes.get());
        let mut share = Share {
            bytes: waiting.min(slice),
            ending: None,
            pause: self.slices.map_or(Duration::ZERO, |slices| slices.pause),
        };
        if let Some(cut) = &mut self.cut {
            let carried = if cut.each { before } else { 0 };
            let left = usize::try_from(cut.bytes.saturating_sub(carried)).unwrap_or(usize::MAX);
            if left <= share.bytes {
                share.bytes = left;
                share.ending = Some(cut.ending);
            }
            if !cut.each {
                cut.bytes -= share.bytes as u64;
            }
        }
        // A cut that is not for each connection is for one.
        if share.ending.is_some() {
            self.cut.take_if(|cut| !cut.each);
        }
        share
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is shared out of 10 bytes by a connection that carried 4 before.
    fn share(rules: &mut LaneRules) -> (usize, Option<Ending>) {
        let share = rules.share(10, 4);
        (share.bytes, share.ending)
    }

    #[test]
    fn a_cut_is_made_after_the_last_byte_that_it_lets_pass() {
        let reset = Some(Ending::Reset);
        for (cut, shared) in [
            (Cut::after(0, Ending::Reset), (0, reset)),
            (Cut::after(9, Ending::Reset), (9, reset)),
            (Cut::after(10, Ending::Reset), (10, reset)),
            (Cut::after(11, Ending::Reset), (10, None)),
            (Cut::each_after(3, Ending::Reset), (0, reset)),
            (Cut::each_after(5, Ending::Reset), (1, reset)),
            (Cut::each_after(14, Ending::Reset), (10, reset)),
            (Cut::each_after(15, Ending::Reset), (10, None)),
        ] {
            let mut rules = LaneRules {
                cut: Some(cut),
                ..LaneRules::default()
            };
            assert_eq!(share(&mut rules), shared, "{cut:?}");
        }
    }

    #[test]
    fn one_cut_ends_one_connection_and_one_for_each_ends_each() {
        let mut rules = LaneRules {
            cut: Some(Cut::after(15, Ending::Finish)),
            ..LaneRules::default()
        };
        assert_eq!(share(&mut rules), (10, None));
        assert_eq!(share(&mut rules), (5, Some(Ending::Finish)));
        assert_eq!(share(&mut rules), (10, None));
        rules.cut = Some(Cut::each_after(6, Ending::Finish));
        for _ in 0..3 {
            assert_eq!(share(&mut rules), (2, Some(Ending::Finish)));
        }
    }

    #[test]
    fn slices_are_cut_where_the_cut_is() {
        let slices = Slices {
            bytes: NonZeroUsize::MIN.saturating_add(3),
            pause: Duration::from_secs(1),
        };
        let mut rules = LaneRules {
            cut: Some(Cut::after(6, Ending::Finish)),
            slices: Some(slices),
            ..LaneRules::default()
        };
        let pause = rules.share(10, 0).pause;
        assert_eq!(pause, slices.pause);
        assert_eq!(share(&mut rules), (2, Some(Ending::Finish)));
    }

    #[test]
    fn a_heal_ends_a_stall_and_remembers_no_connection() {
        let mut rules = Rules::default();
        rules.lane(Direction::Request).stalled = true;
        rules.forget(2..=3);
        let stalled = |rules: &mut Rules| {
            let mut found = Vec::new();
            for direction in Direction::BOTH {
                found.extend((1..=4).filter(|&number| rules.is_stalled(direction, number)));
            }
            found
        };
        assert_eq!(stalled(&mut rules), [1, 2, 3, 4, 2, 3]);
        rules.heal();
        assert_eq!(stalled(&mut rules), [2, 3, 2, 3]);
    }
}
