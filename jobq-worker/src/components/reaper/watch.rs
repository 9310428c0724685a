//! Which workers of a queue stand still, by the observer's own clock. Pure.
//!
//! Each worker's id says its lease, and for so long its counter may stand still. Only answered looks
//! count: one that took longer than the time between two looks, or that came more than twice that
//! time after the one before, starts the window again. So does one at which the observer's own
//! counter has stood still, though it was renewed in vain: the store answers and takes no writes.
//! So after an outage every worker has a whole lease to renew first.
//!
//! What is too long goes by the lease of who is looked at: of a lease of a second, half may not be
//! lost from sight.

use std::collections::HashMap;
use std::time::Duration;

use jobq::WorkerId;
use tokio::time::Instant;

/// A worker and the counter it stood still at.
pub(super) type Still = (WorkerId, u64);

/// How often an observer looks.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pace {
    /// Looks in a lease, at the least.
    pub(super) looks: u32,
    /// The longest time between two.
    pub(super) longest: Duration,
}

/// The shortest time between two looks, whatever lease an id says.
const SHORTEST_LOOK: Duration = Duration::from_millis(50);

impl Pace {
    fn of(self, lease: Duration) -> Duration {
        (lease / self.looks).min(self.longest).max(SHORTEST_LOOK)
    }
}

/// What one worker saw of the members of one queue.
#[derive(Debug)]
pub(super) struct Watch {
    /// The observer's, for those whose ids say nothing.
    lease: Duration,
    /// How long the observer's own counter may stand still while writes are taken.
    patience: Duration,
    pace: Pace,
    /// The counter and when it was seen first.
    seen: HashMap<WorkerId, (u64, Instant)>,
    /// The shortest lease that was seen at the last look, or the observer's.
    shortest: Duration,
    /// When the last look was answered.
    last: Option<Instant>,
}

impl Watch {
    pub(super) fn new(lease: Duration, renew_every: Duration, pace: Pace) -> Self {
        // Others renewed up to `renew_every` before an outage and do so up to `renew_every` after:
        // one that is shorter than the rest of the lease makes nobody look dead.
        let patience = (lease - 2 * renew_every).max(renew_every * 3 / 2);
        Self {
            lease,
            patience,
            pace,
            seen: HashMap::new(),
            shortest: lease,
            last: None,
        }
    }

    /// Notes a look of `own` that was asked and answered at these times; answers the other members
    /// whose counter has stood still for their whole lease.
    pub(super) fn observe(
        &mut self,
        own: &WorkerId,
        asked: Instant,
        answered: Instant,
        members: &[(WorkerId, u64)],
    ) -> Vec<Still> {
        let took = answered - asked;
        let last = self.last.replace(answered).unwrap_or(asked);
        let gap = asked.saturating_duration_since(last);
        let before = std::mem::take(&mut self.seen);
        let (lease, pace) = (self.lease, self.pace);
        let lease_of = |worker: &WorkerId| worker.lease().unwrap_or(lease);
        let since = |worker: &WorkerId, counter| match before.get(worker) {
            Some((seen, since)) if *seen == counter => {
                let look = pace.of(lease_of(worker));
                let lost_from_sight = took > look || gap > 2 * look;
                if lost_from_sight { answered } else { *since }
            }
            _ => answered,
        };
        let stood = |since| asked.saturating_duration_since(since);
        let in_vain = members.iter().any(|(worker, counter)| {
            worker == own && stood(since(worker, *counter)) > self.patience
        });
        let mut still = Vec::new();
        self.shortest = lease;
        for (worker, counter) in members {
            let since = match in_vain && worker != own {
                true => answered,
                false => since(worker, *counter),
            };
            let lease = lease_of(worker);
            if worker != own && stood(since) >= lease {
                still.push((worker.clone(), *counter));
            }
            self.shortest = self.shortest.min(lease);
            self.seen.insert(worker.clone(), (*counter, since));
        }
        still
    }

    /// How long until the next look, at the most.
    pub(super) fn next_look(&self) -> Duration {
        self.pace.of(self.shortest)
    }

    /// Whether somebody has a shorter lease than the observer, whose own renewals are then too rare
    /// to tell that the store takes writes.
    pub(super) fn is_hurried(&self) -> bool {
        self.shortest < self.lease
    }

    /// Starts the window of everyone again.
    pub(super) fn restart(&mut self) {
        self.seen.clear();
    }

    /// What it had counted at the last look, if it was a member then.
    pub(super) fn counter_of(&self, worker: &WorkerId) -> Option<u64> {
        self.seen.get(worker).map(|(counter, _)| *counter)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LEASE: Duration = Duration::from_secs(7);
    const RENEW_EVERY: Duration = Duration::from_secs(2);
    const MS: Duration = Duration::from_millis(1);
    const PACE: Pace = Pace {
        looks: 5,
        longest: Duration::from_secs(1),
    };

    fn watch(lease: Duration, renew_every: Duration) -> Watch {
        Watch::new(lease, renew_every, PACE)
    }

    /// Looks at these seconds, each answered at once, at a worker with these counters.
    fn looks(at: &[(u64, u64)]) -> Vec<bool> {
        let start = Instant::now();
        let worker = WorkerId::random();
        let mut watch = watch(LEASE, RENEW_EVERY);
        let look = |&(second, counter): &(u64, u64)| {
            let asked = start + Duration::from_secs(second);
            !watch
                .observe(
                    &WorkerId::random(),
                    asked,
                    asked + MS,
                    &[(worker.clone(), counter)],
                )
                .is_empty()
        };
        at.iter().map(look).collect()
    }

    #[test]
    fn a_counter_that_stands_still_for_a_lease_is_dead() {
        let at: Vec<_> = (0..=8).map(|second| (second, 5)).collect();
        assert_eq!(
            looks(&at),
            [false, false, false, false, false, false, false, false, true]
        );
    }

    #[test]
    fn a_counter_that_moves_is_alive() {
        let at: Vec<_> = (0..30).map(|second| (second, second / 6)).collect();
        assert!(!looks(&at).contains(&true));
    }

    #[test]
    fn a_gap_between_looks_starts_the_window_again() {
        let before = (0..7).map(|second| (second, 5));
        let after = (10..17).map(|second| (second, 5));
        let at: Vec<_> = before.chain(after).collect();
        assert!(!looks(&at).contains(&true));
    }

    #[test]
    fn a_slow_answer_starts_the_window_again() {
        let start = Instant::now();
        let (own, members) = (WorkerId::random(), [(WorkerId::random(), 5)]);
        let mut watch = watch(LEASE, RENEW_EVERY);
        for second in 0..7 {
            let asked = start + Duration::from_secs(second);
            watch.observe(&own, asked, asked + MS, &members);
        }
        let asked = start + Duration::from_secs(7);
        assert!(
            watch
                .observe(&own, asked, asked + PACE.longest + MS, &members)
                .is_empty()
        );
        let asked = start + Duration::from_secs(9);
        assert!(watch.observe(&own, asked, asked + MS, &members).is_empty());
    }

    /// Looks once a second, with a counter of its own that rises by `own`, at a worker whose counter
    /// stands still; answers when that worker looked dead first.
    fn dead_at(own: impl Fn(u64) -> u64) -> Option<u64> {
        let start = Instant::now();
        let (me, other) = (WorkerId::random(), WorkerId::random());
        let mut watch = watch(LEASE, RENEW_EVERY);
        (0..60).find(|&second| {
            let asked = start + Duration::from_secs(second);
            let members = [(me.clone(), own(second)), (other.clone(), 5)];
            !watch.observe(&me, asked, asked + MS, &members).is_empty()
        })
    }

    #[test]
    fn an_observer_that_renews_sees_the_dead() {
        assert_eq!(dead_at(|second| second / 2), Some(8));
    }

    #[test]
    fn an_observer_that_renews_in_vain_calls_nobody_dead() {
        assert_eq!(dead_at(|_| 1), None);
        // Refused until the twentieth second: then the others have a whole lease to renew.
        let refused = |second: u64| second.saturating_sub(20) / 2;
        assert!(dead_at(refused).is_some_and(|second| second >= 20 + LEASE.as_secs()));
    }

    #[test]
    fn an_observer_is_never_dead_to_itself() {
        let start = Instant::now();
        let own = WorkerId::random();
        let mut watch = watch(LEASE, RENEW_EVERY);
        for second in 0..60 {
            let asked = start + Duration::from_secs(second);
            let still = watch.observe(&own, asked, asked + MS, &[(own.clone(), 5)]);
            assert!(still.is_empty());
        }
    }

    /// Whether the observer, with a lease of so many seconds, sees somebody as dead who has another
    /// and is seen at the observer's pace with these counters.
    fn sees_dead(own: u64, other: u64, counter: impl Fn(Duration) -> u64) -> Option<Duration> {
        let lease = Duration::from_secs(own);
        let mut watch = watch(lease, lease / 4);
        let other = WorkerId::leased(Duration::from_secs(other));
        let (me, start) = (WorkerId::leased(lease), Instant::now());
        let mut asked = start;
        while asked < start + Duration::from_secs(100) {
            let at = asked - start;
            // Its own is renewed before each look.
            let members = [
                (me.clone(), at.as_millis() as u64),
                (other.clone(), counter(at)),
            ];
            if !watch.observe(&me, asked, asked + MS, &members).is_empty() {
                return Some(at);
            }
            assert_eq!(watch.is_hurried(), other.lease() < me.lease());
            asked += MS + watch.next_look();
        }
        None
    }

    #[test]
    fn each_is_waited_for_as_long_as_its_id_says() {
        for (own, other) in [(10, 1), (1, 10), (7, 7), (30, 7), (7, 30)] {
            let lease = Duration::from_secs(other);
            let dead = sees_dead(own, other, |_| 5).expect("it stands still");
            let look = Duration::from_secs(1).min(lease.min(Duration::from_secs(own)) / 5);
            assert!(dead >= lease, "{own} {other}: {dead:?}");
            assert!(dead <= lease + 3 * look, "{own} {other}: {dead:?}");
            // One that renews twice in its lease.
            let renew = |at: Duration| (at.as_millis() / (lease / 2).as_millis()) as u64;
            assert_eq!(sees_dead(own, other, renew), None, "{own} {other}");
        }
    }

    #[test]
    fn an_id_that_says_nothing_is_waited_for_as_long_as_the_observers_own() {
        let at: Vec<_> = (0..=8).map(|second| (second, 5)).collect();
        assert_eq!(looks(&at).iter().position(|dead| *dead), Some(8));
    }

    #[test]
    fn what_is_a_gap_goes_by_the_lease_of_who_is_looked_at() {
        let start = Instant::now();
        let own = WorkerId::random();
        let seconds = |seconds| WorkerId::leased(Duration::from_secs(seconds));
        let (short, long) = (seconds(1), seconds(7));
        let members = [(short.clone(), 5), (long.clone(), 5)];
        let mut watch = watch(LEASE, RENEW_EVERY);
        let mut dead = Vec::new();
        for second in 0..9 {
            let asked = start + Duration::from_secs(second);
            dead.extend(watch.observe(&own, asked, asked + MS, &members));
        }
        // Nobody looked often enough to judge the other.
        assert_eq!(dead, [(long, 5)]);
    }
}
