//! Runs jobs that two workers died with, alone.
//!
//! One tick, on the worker that is the timekeeper of a queue with suspects, so that one worker a
//! queue offers itself at a time:
//! 1. stop claiming, and have no wait under way;
//! 2. wait until no job runs, at most 60 s; then claim one suspect and wait for its end, and so on
//!    with the next until none is left or a second has passed: then other jobs have their turn;
//! 3. not empty in time: resign as timekeeper, so that another worker tries, and work on for some
//!    minutes before the next offer;
//! 4. but if suspects have waited for 10 minutes, run one beside others, in the next slot that is
//!    free. Who cannot, since all are full or one runs already, resigns.
//!
//! Two suspects never run on one worker together: if it died, the crash would count for both.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use jobq::broker::{Claim, Claimed, ReleaseTo};
use jobq::{BrokerError, Token, WorkerId};
use tokio::time::Instant;

use crate::component::Component;
use crate::executor::Granted;
use crate::shared::Shared;
use crate::shutdown::Phase;

/// How often it looks while there are suspects, and so for how long other jobs run at least before
/// the next suspect; for as long suspects may follow each other.
const LOOK: Duration = Duration::from_secs(1);

/// How long it sleeps while there are none.
const NONE: Duration = Duration::from_secs(3600);

/// How long a worker offers itself.
const OFFER: Duration = Duration::from_secs(60);

/// How long a worker works on that was not empty in time.
const REST: Duration = Duration::from_secs(240);

/// After this long without a run, a suspect need not be alone.
const STARVED: Duration = Duration::from_secs(600);

/// How often it looks for a slot while no claim may take one.
const SLOT_LOOK: Duration = Duration::from_millis(50);

/// The loop of one worker.
#[derive(Debug)]
pub(crate) struct Suspects {
    shared: Arc<Shared>,
    /// By queue.
    waiting: Vec<Option<Waiting>>,
    /// When it may offer itself again.
    rested: Instant,
    /// The suspect that was started here last: its queue, the worker's id there, its token.
    last: Option<(usize, WorkerId, Token)>,
}

/// The suspects that wait on a queue.
#[derive(Debug, Clone, Copy)]
struct Waiting {
    count: u64,
    /// Since when none of them has been run alone.
    since: Instant,
    /// When this worker may give up the office for them again.
    resigns: Instant,
}

/// How a suspect is to run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Company {
    Alone,
    Others,
}

impl Component for Suspects {
    const NAME: &'static str = "suspects";

    async fn tick(&mut self) -> Result<Duration, BrokerError> {
        let mut wait = NONE;
        for index in 0..self.waiting.len() {
            let Some(starves) = self.look(index) else {
                continue;
            };
            wait = LOOK;
            if !self.shared.memberships[index].is_timekeeper() || !self.shared.may_claim() {
                continue;
            }
            let ran = match starves {
                true if self.runs_one() => {
                    self.resign(index);
                    Ok(())
                }
                true => self.offer(index, Company::Others).await,
                false if Instant::now() < self.rested || self.runs_one() => Ok(()),
                false => self.offer(index, Company::Alone).await,
            };
            match ran {
                Err(error) if !error.is_retryable() => self.refused(index, &error),
                ran => ran?,
            }
        }
        Ok(wait)
    }

    async fn wake(&mut self) {
        self.shared.suspected.notified().await;
        // Nothing hurries, and every answer tells of suspects as long as there are some.
        tokio::time::sleep(LOOK).await;
    }
}

impl Suspects {
    pub(crate) fn new(shared: &Arc<Shared>) -> Self {
        Self {
            shared: shared.clone(),
            waiting: vec![None; shared.memberships.len()],
            rested: Instant::now(),
            last: None,
        }
    }

    /// Whether suspects of a queue starve; `None` if there are none.
    fn look(&mut self, index: usize) -> Option<bool> {
        let (now, place) = (Instant::now(), &mut self.waiting[index]);
        let count = self.shared.memberships[index]
            .suspects
            .load(Ordering::Relaxed);
        let before = place.take().filter(|_| count > 0);
        if count == 0 {
            return None;
        }
        let resigns = before.map_or(now, |before| before.resigns);
        // Fewer than before: some worker has run one.
        let since = before.filter(|before| count >= before.count);
        let since = since.map_or(now, |before| before.since);
        *place = Some(Waiting {
            count,
            since,
            resigns,
        });
        Some(since.elapsed() >= STARVED)
    }

    /// Whether a suspect runs on this worker, or its outcome is not settled.
    fn runs_one(&self) -> bool {
        self.last.as_ref().is_some_and(|(index, worker, token)| {
            self.shared.memberships[*index].holds(worker, *token)
        })
    }

    /// Lets another worker try, if there is one. Not too often: without a timekeeper what is delayed
    /// comes late.
    fn resign(&mut self, index: usize) {
        let now = Instant::now();
        if let Some(waiting) = &mut self.waiting[index]
            && waiting.resigns <= now
        {
            waiting.resigns = now + OFFER;
            self.shared.memberships[index].resign(now);
        }
    }

    async fn offer(&mut self, index: usize, company: Company) -> Result<(), BrokerError> {
        let shared = self.shared.clone();
        shared.secluded.store(true, Ordering::Release);
        let result = self.secluded(index, company).await;
        shared.secluded.store(false, Ordering::Release);
        (0..shared.lanes.len()).for_each(|index| shared.heat(index));
        result
    }

    async fn secluded(&mut self, index: usize, company: Company) -> Result<(), BrokerError> {
        let shared = self.shared.clone();
        match shared.empty_handoffs().await {
            // What one queue does not take back waits in its handoff: it does not run.
            Err(error) if !error.is_retryable() => shared.outage.refused(Self::NAME, &error),
            emptied => emptied?,
        }
        let room = tokio::select! {
            biased;
            () = shared.shutdown.reached(Phase::Draining) => return Ok(()),
            room = tokio::time::timeout(OFFER, self.room(company)) => room.is_ok(),
        };
        if !room {
            if company == Company::Alone {
                self.rested = Instant::now() + REST;
            }
            self.resign(index);
            return Ok(());
        }
        match company {
            Company::Alone => self.one_by_one(index).await,
            Company::Others => self.run_one(index, company).await.map(drop),
        }
    }

    /// Runs suspects, each alone, for as long as it is their turn. Queues share it.
    async fn one_by_one(&mut self, index: usize) -> Result<(), BrokerError> {
        let queues = self.waiting.iter().flatten().count().max(1);
        let turn_ends = Instant::now() + LOOK / u32::try_from(queues).unwrap_or(u32::MAX);
        while self.run_one(index, Company::Alone).await? {
            self.until_over().await;
            if !self.is_next(index, turn_ends).await {
                break;
            }
        }
        Ok(())
    }

    /// Whether another suspect of the queue may run now: not before the outcome of the last is
    /// settled, for a worker that dies until then held both.
    async fn is_next(&self, index: usize, turn_ends: Instant) -> bool {
        let shared = &self.shared;
        let membership = &shared.memberships[index];
        if membership.suspects.load(Ordering::Relaxed) == 0 || !membership.is_timekeeper() {
            return false;
        }
        tokio::select! {
            biased;
            () = shared.shutdown.reached(Phase::Draining) => false,
            () = tokio::time::sleep_until(turn_ends) => false,
            () = shared.outbox.emptied() => !self.runs_one(),
        }
    }

    /// Waits for the place that a suspect needs.
    async fn room(&self, company: Company) {
        let slots = &self.shared.slots;
        match company {
            Company::Alone => slots.all_idle().await,
            Company::Others => {
                while slots.free() == 0 {
                    tokio::time::sleep(SLOT_LOOK).await;
                }
            }
        }
    }

    /// Waits for the end of the suspect that runs alone. It may take hours: suspects that starve
    /// meanwhile, of any queue, are other workers'.
    async fn until_over(&mut self) {
        let shared = self.shared.clone();
        loop {
            tokio::select! {
                biased;
                () = shared.shutdown.reached(Phase::Draining) => return,
                () = shared.slots.all_idle() => return,
                () = tokio::time::sleep(LOOK) => {}
            }
            for index in 0..self.waiting.len() {
                if self.look(index) == Some(true) {
                    self.resign(index);
                }
            }
        }
    }

    /// A damaged key, a missing right: it concerns this queue alone, whose suspects are forgotten
    /// until an answer tells of them again.
    fn refused(&self, index: usize, error: &BrokerError) {
        self.shared.outage.refused(Self::NAME, error);
        self.shared.note_suspects(index, 0, false);
    }

    /// Starts a suspect; answers whether there was one.
    async fn run_one(&mut self, index: usize, company: Company) -> Result<bool, BrokerError> {
        let shared = self.shared.clone();
        let membership = &shared.memberships[index];
        if !membership.is_trusted(Instant::now()) {
            return Ok(false);
        }
        let slots = shared.slots.reserve(1);
        if slots.count() == 0 {
            return Ok(false);
        }
        let (request, member) = membership.ask();
        let worker = member.worker.clone();
        let claim = Claim {
            member,
            max: 1,
            suspect: true,
        };
        let grant = match shared.broker().claim(&claim).await? {
            Claimed::Granted(grant) => grant,
            Claimed::Reaped => {
                shared.reaped(index, &request.reaped());
                return Ok(false);
            }
        };
        let any = !grant.envelopes.is_empty();
        shared.note_suspects(index, grant.suspects, grant.paused);
        self.claimed(index, company, grant.suspects);
        let (claim, from) = (grant.counter, ReleaseTo::Suspects);
        self.last = Some((index, worker, Token { claim, index: 1 }));
        let granted = Granted {
            index,
            request,
            slots,
            grant,
            from,
        };
        granted.start(&shared, &**shared.broker()).await?;
        Ok(any)
    }

    /// One was claimed, and so many are left. Those that starve beside it starve on.
    fn claimed(&mut self, index: usize, company: Company, left: u64) {
        let starving = self.waiting[index].filter(|_| company == Company::Others);
        self.waiting[index] = starving.map(|waiting| Waiting {
            count: left,
            ..waiting
        });
    }
}
