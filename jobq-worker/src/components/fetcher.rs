//! Claims jobs and sends outcomes, one round trip at a time.
//!
//! One tick:
//! 1. take the outcomes that gathered since the last round;
//! 2. choose a queue that may have jobs, and reserve slots for a batch of it;
//! 3. if there is neither, have the idlers wait on the cold queues, and sleep until woken;
//! 4. send both in one round trip;
//! 5. judge each answer by itself; start the jobs that came, after asking which of them are
//!    cancelled if the queue has such jobs.
//!
//! While jobs flow there is no timer: the next batch forms while this one is on its way.

use std::future::poll_fn;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::Poll;
use std::time::Duration;

use jobq::BrokerError;
use jobq::broker::{Broker, Claim, Claimed, Grant, MAX_BATCH, ReleaseTo};
use tokio::time::Instant;

use crate::component::Component;
use crate::executor::Granted;
use crate::lane::Lane;
use crate::membership::Request;
use crate::meters::ns;
use crate::schedule::Turn;
use crate::shared::Shared;
use crate::slots::Reservation;

/// How often a paused queue is looked at.
const PAUSED_LOOK: Duration = Duration::from_secs(1);

/// How long a queue is left alone whose lease is not trusted.
const UNTRUSTED_LOOK: Duration = Duration::from_millis(250);

/// How often all queues together are looked at that were found empty, while others have jobs.
const EMPTY_LOOKS_PER_SECOND: u32 = 100;

/// How long a queue is left alone whose claims the broker refuses.
const REFUSED_LOOK: Duration = Duration::from_secs(1);

/// With so few slots, jobs that were just started may run before the next round is sent: what of them
/// is over at once goes along with it. With more, the store would stand idle meanwhile.
const FEW_SLOTS: u32 = 256;

/// How long the fetcher sleeps when nothing calls for it.
const IDLE: Duration = Duration::from_secs(3600);

/// The loop of one command connection.
#[derive(Debug)]
pub(crate) struct Fetcher {
    pub(crate) shared: Arc<Shared>,
    pub(crate) broker: Arc<dyn Broker>,
    /// How long the last look at a queue took, in µs.
    took: AtomicU64,
}

/// A claim about to be sent.
#[derive(Debug)]
struct Attempt<'a> {
    index: usize,
    began: Instant,
    slots: Reservation,
    request: Request<'a>,
    claim: Claim,
}

impl Component for Fetcher {
    const NAME: &'static str = "fetcher";

    async fn tick(&mut self) -> Result<Duration, BrokerError> {
        let batches = self.shared.outbox.take();
        let attempt = self.attempt();
        if batches.is_empty() && attempt.is_none() {
            return Ok(self.rest());
        }
        let (settles, notes): (Vec<_>, Vec<_>) = batches.into_iter().unzip();
        let claim = attempt.as_ref().map(|attempt| &attempt.claim);
        let sent = Instant::now();
        let answer = self.broker.round(&settles, claim).await;
        self.shared.meters.round_trips.observe(ns(sent.elapsed()));
        if answer.claim.as_ref().is_some_and(Result::is_ok)
            || answer.settles.iter().any(Result::is_ok)
        {
            self.shared.outage.answered(sent);
        }

        let mut result = Ok(Duration::ZERO);
        let batches = settles.into_iter().zip(notes);
        for (batch, answer) in batches.zip(answer.settles) {
            if let Err(error) = self.shared.outbox.judge(&self.shared, batch, answer) {
                result = Err(error);
            }
        }
        if let (Some(attempt), Some(claimed)) = (attempt, answer.claim) {
            let index = attempt.index;
            let started = match claimed {
                Ok(claimed) => self.claimed(attempt, claimed).await,
                Err(error) => Err(error),
            };
            match started {
                Ok(()) => {}
                Err(error) if error.is_retryable() => result = Err(error),
                Err(error) => {
                    // A damaged key, a missing right: it concerns this queue alone.
                    self.shared.outage.refused(Self::NAME, &error);
                    self.close(index, REFUSED_LOOK);
                }
            }
        }
        result
    }

    async fn wake(&mut self) {
        self.shared.work.notified().await;
    }
}

impl Fetcher {
    pub(crate) fn new(shared: Arc<Shared>, broker: Arc<dyn Broker>) -> Self {
        Self {
            shared,
            broker,
            took: AtomicU64::new(0),
        }
    }

    /// Chooses what to claim and reserves slots for it.
    fn attempt(&self) -> Option<Attempt<'_>> {
        let shared = &self.shared;
        if !shared.may_claim() {
            return None;
        }
        let now = Instant::now();
        let (index, slots) = self.turn(now)?;
        // A shutdown may have begun, and found all slots free, before these were reserved.
        if !shared.may_claim() {
            return None;
        }
        let membership = &shared.memberships[index];
        if !membership.is_trusted(now) {
            self.close(index, UNTRUSTED_LOOK);
            return None;
        }
        if shared.outbox.is_stuck(index) {
            self.close(index, REFUSED_LOOK);
            return None;
        }
        let (request, member) = membership.ask();
        let claim = Claim {
            member,
            max: slots.count(),
            suspect: false,
        };
        Some(Attempt {
            index,
            began: now,
            slots,
            request,
            claim,
        })
    }

    /// The next queue and the slots reserved for it: 0 to give back what a full worker was handed.
    fn turn(&self, now: Instant) -> Option<(usize, Reservation)> {
        let shared = &self.shared;
        let mut schedule = shared.schedule();
        for (index, lane) in shared.lanes.iter().enumerate() {
            // A wait that ends while others are busy is followed by no other: from then on the queue
            // is looked at, now and then.
            let nobody_waits = !lane.is_armed() && lane.reopens().is_none();
            let forgotten = nobody_waits && !schedule.is_hot(index) && schedule.is_any_busy();
            if lane.reopen(now) || lane.is_handed() || forgotten {
                schedule.set_hot(index, true);
            }
        }
        let free = shared.slots.free().min(MAX_BATCH);
        if free == 0 {
            let index = shared.lanes.iter().position(Lane::take_handed)?;
            return Some((index, shared.slots.reserve(0)));
        }
        let is_brief = |index: usize| shared.memberships[index].pace.is_brief();
        let Turn { index, max } = schedule.next(free, is_brief)?;
        // Under the lock of the schedule nobody else reserves: what was free still is.
        let slots = shared.slots.reserve(max);
        shared.lanes[index].take_handed();
        Some((index, slots))
    }

    /// Nothing to do: has the idlers wait. Answers until when.
    fn rest(&self) -> Duration {
        let shared = &self.shared;
        let may_claim = shared.may_claim();
        if may_claim && shared.slots.free() > 0 {
            shared
                .lanes
                .iter()
                .filter(|lane| lane.reopens().is_none())
                .for_each(Lane::arm);
        }
        // While nothing may be claimed no lane is opened, and one whose time has come would have
        // this turn in a circle.
        let lanes = shared.lanes.iter().filter(|_| may_claim);
        let lanes = lanes.filter_map(Lane::reopens);
        let next = lanes.chain(shared.outbox.next_retry()).min();
        next.map_or(IDLE, |at| at.saturating_duration_since(Instant::now()))
    }

    async fn claimed(&self, attempt: Attempt<'_>, claimed: Claimed) -> Result<(), BrokerError> {
        let Attempt {
            index,
            began,
            slots,
            request,
            claim,
        } = attempt;
        match claimed {
            Claimed::Granted(grant) => {
                self.shared
                    .note_suspects(index, grant.suspects, grant.paused);
                self.shared.note_paused(index, grant.paused, began);
                self.cool(index, claim.max, began.elapsed(), &grant);
                let (from, any) = (ReleaseTo::Front, !grant.envelopes.is_empty());
                let jobs = grant.envelopes.len() as u64;
                self.shared.meters.batches.observe(jobs);
                let granted = Granted {
                    index,
                    request,
                    slots,
                    grant,
                    from,
                };
                granted.start(&self.shared, &*self.broker).await?;
                if any && self.shared.settings.concurrency <= FEW_SLOTS {
                    give_way().await;
                }
                Ok(())
            }
            Claimed::Reaped => {
                self.shared.reaped(index, &request.reaped());
                Ok(())
            }
        }
    }

    /// Draws the conclusions about the queue from what a claim gave that took so long.
    fn cool(&self, index: usize, max: u32, took: Duration, grant: &Grant) {
        let took = self.usual(took);
        let mut schedule = self.shared.schedule();
        schedule.charge(index, grant.envelopes.len());
        if grant.paused {
            self.shared.lanes[index].close(PAUSED_LOOK.max(self.all_looked_at(took)));
            schedule.set_hot(index, false);
        } else if grant.envelopes.is_empty() && max > 0 {
            schedule.set_hot(index, false);
            if schedule.is_any_busy() {
                // Nobody waits on it as long as other queues keep this worker busy.
                let lanes = u32::try_from(self.shared.lanes.len()).unwrap_or(u32::MAX);
                let wait = Duration::from_secs(1) * lanes / EMPTY_LOOKS_PER_SECOND;
                self.shared.lanes[index].close(wait.max(self.all_looked_at(took)));
            }
        }
    }

    /// The shorter of this look and the one before: one that an outage held up says nothing of the next.
    fn usual(&self, took: Duration) -> Duration {
        let took = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        let before = self.took.swap(took, Ordering::Relaxed);
        Duration::from_micros(took.min(before))
    }

    /// Twice the time in which every queue could be looked at once, if each look took so long:
    /// queues that give nothing and come back sooner would keep the others from their turn.
    fn all_looked_at(&self, took: Duration) -> Duration {
        let lanes = u32::try_from(self.shared.lanes.len()).unwrap_or(u32::MAX);
        took.saturating_mul(lanes).saturating_mul(2)
    }

    /// Leaves a queue alone for a while.
    fn close(&self, index: usize, wait: Duration) {
        self.shared.lanes[index].close(wait);
        self.shared.schedule().set_hot(index, false);
    }
}

/// Lets what this thread has to run go first. Unlike with tokio's own yield another thread may go on
/// with this meanwhile: a handler that blocks its thread must not hold up the rounds.
async fn give_way() {
    let mut gave_way = false;
    poll_fn(|cx| match std::mem::replace(&mut gave_way, true) {
        true => Poll::Ready(()),
        false => {
            cx.waker().wake_by_ref();
            Poll::Pending
        }
    })
    .await;
}
