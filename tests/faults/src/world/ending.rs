//! How every row ends: all is worked off, nothing is broken, new jobs are processed, the workers
//! leave when they are asked to, and nothing is left behind.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::{Actor, LOOK_EVERY, World};
use crate::check::Check;
use crate::history::Entry;
use crate::jobs;
use crate::ledger::{self, Event};
use crate::row::Figures;

/// How many jobs show that new jobs are processed.
const CANARIES: usize = 20;

/// How long new jobs may take to start: five times what is promised.
const CANARIES_WITHIN: Duration = Duration::from_secs(5);

/// How long workers without jobs may take to leave.
const LEAVE_WITHIN: Duration = Duration::from_secs(10);

/// How long the office of a timekeeper that was killed outlives it, and a little more.
const REST_WITHIN: Duration = Duration::from_secs(5);

/// What the end of a row showed.
#[derive(Debug)]
pub struct Ending {
    /// What the figures depend on.
    pub setting: Figures,
    /// What became of the jobs.
    pub check: Check,
    /// How long it took until nothing was left to run.
    pub drained: Duration,
    /// How long new jobs waited at the most.
    pub canaries: Duration,
}

impl Ending {
    /// The figures that every row has.
    #[must_use]
    pub fn figures(&self) -> Figures {
        self.check
            .figures()
            .with(
                "drained after, s",
                format!("{:.1}", self.drained.as_secs_f64()),
            )
            .with("new jobs start within, ms", self.canaries.as_millis())
            .and(self.setting.clone())
    }
}

impl World {
    /// Ends a row in which these workers live: drains, checks, and shows that new jobs are
    /// processed and the workers leave.
    ///
    /// # Panics
    ///
    /// When an invariant is broken, or something takes too long: `limit` is that of [`World::drain`].
    pub async fn finish(&self, workers: Vec<Actor>, limit: Duration) -> Ending {
        let drained = self.drain(&workers, limit).await;
        Check::of(self).await;
        let canaries = self.canaries(CANARIES_WITHIN).await;
        self.dismiss(workers).await;
        let deadline = Instant::now() + REST_WITHIN;
        while !self.census().await.leftovers().is_empty() && Instant::now() < deadline {
            sleep(LOOK_EVERY).await;
        }
        let check = Check::of_the_end(self).await;
        Ending {
            setting: self.setting(),
            check,
            drained,
            canaries,
        }
    }

    /// Waits until nothing is left to run and nobody but these workers is a member any more.
    /// Answers how long that took.
    ///
    /// # Panics
    ///
    /// When for so long as `limit` there is no less left than there was.
    pub async fn drain(&self, workers: &[Actor], limit: Duration) -> Duration {
        let members: usize = workers.iter().map(Actor::queues).sum();
        let began = Instant::now();
        let (mut least, mut moved) = (u64::MAX, began);
        loop {
            let count = self.count().await;
            if count.open == 0 && count.members <= members as u64 {
                return began.elapsed();
            }
            if count.open < least {
                (least, moved) = (count.open, Instant::now());
            }
            if moved.elapsed() > limit {
                let census = self.census().await;
                panic!("nothing drained for {limit:?}: {count:?}, {members} workers, {census:?}");
            }
            sleep(LOOK_EVERY).await;
        }
    }

    /// Enqueues new jobs and waits until each has started. Answers the longest that one waited.
    ///
    /// # Panics
    ///
    /// When that takes longer than `limit`.
    pub async fn canaries(&self, limit: Duration) -> Duration {
        let client = self.client().await;
        let mut longest = Duration::ZERO;
        for _ in 0..CANARIES {
            let mark = self.history().entries().len();
            let canary = self.enqueue(&client, jobs::work::new(0)).await;
            let accepted = ledger::now();
            let started = self
                .until("a new job to start", limit, |world| {
                    let history = world.history();
                    let start = |entry: &&Entry| matches!(entry.event, Event::Start { id, .. } if id == canary);
                    history.entries()[mark..].iter().find(start).map(|entry| entry.at)
                })
                .await;
            longest = longest.max(Duration::from_millis(started.saturating_sub(accepted)));
        }
        longest
    }

    /// Asks workers to leave, and waits until they have.
    ///
    /// # Panics
    ///
    /// When one takes too long, or ends with an error.
    pub async fn dismiss(&self, workers: Vec<Actor>) {
        workers
            .iter()
            .for_each(|worker| self.signal(worker, "TERM"));
        for mut worker in workers {
            let status = worker.wait(LEAVE_WITHIN).await;
            let number = worker.number();
            assert!(
                status.success(),
                "worker {number}: {status}\n{}",
                worker.log()
            );
        }
    }
}
