//! Takes over what workers left in flight or handed over on a queue, and puts it back: what a
//! worker's reaper does, for a queue that no worker serves.
//!
//! 1. It becomes a member of the queue, by a renewal, like any worker. It claims nothing.
//! 2. Once a second it renews, which proves that the store takes writes, and looks at the members. A
//!    worker is dead whose counter stood still, or who was no member, for its whole lease, by
//!    answered looks.
//! 3. It adopts what the dead had. The store compares the counter that was seen with the one there
//!    is, so that one who has come back keeps what it has. One whose keys are damaged is passed over.
//! 4. The jobs go back to the queue, with a crash counted; what was handed never started, and the
//!    adoption itself has put it back.
//! 5. It leaves.
//!
//! Should this process end amid that, what it holds is adopted as from any other worker: a job is in
//! one place throughout.

mod judge;
mod watch;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use bytes::Bytes;
use jobq::broker::{
    Adopted, Adoption, Broker, DeadCaps, MAX_BATCH, Member, Renewed, Settle, Settled, Settlement,
};
use jobq::{BrokerError, QueueName, Token, WorkerId};
use tokio::time::{Instant, sleep, timeout};

use self::judge::after_death;
use self::watch::{LOOK_EVERY, Seen, Watch};
use crate::failure::Failure;
use crate::interrupt::Interrupt;

/// How long this member may be silent before others take over what it holds.
const LEASE: Duration = Duration::from_secs(15);

/// Bytes of jobs after which what was adopted so far is judged and put back.
const ADOPTED_AT_ONCE: usize = 64 << 20;

/// How often a settle is sent that is not answered.
const SETTLES_SENT: u32 = 3;

/// What a sweep came to.
#[derive(Debug, Default)]
pub(crate) struct Swept {
    /// Workers that were found dead.
    pub(crate) workers: u64,
    /// Jobs that went back to the queue from in flight.
    pub(crate) jobs: u64,
    /// Whether it was told to end before it had watched everyone for long enough.
    pub(crate) interrupted: bool,
    /// Workers of which nothing could be taken over, for their keys are damaged, each with the reason.
    pub(crate) passed_over: Vec<String>,
}

/// Sweeps a queue on which these workers own something and are not registered. What it came to is
/// told also where it fails.
pub(crate) async fn sweep(
    broker: &dyn Broker,
    queue: &QueueName,
    strangers: impl IntoIterator<Item = WorkerId>,
    interrupt: &Interrupt,
) -> (Swept, Result<(), Failure>) {
    let mut sweep = Sweep {
        broker,
        member: Member {
            queue: queue.clone(),
            worker: WorkerId::leased(LEASE),
            known: 0,
        },
        strangers: strangers.into_iter().collect(),
        unheard: None,
        passed_over: BTreeSet::new(),
        swept: Swept::default(),
    };
    let done = sweep.run(interrupt).await;
    let left = sweep.leave().await;
    (sweep.swept, done.and(left))
}

struct Sweep<'a> {
    broker: &'a dyn Broker,
    member: Member,
    strangers: BTreeSet<WorkerId>,
    /// The members at the first look with what they had counted, as far as that is all that was
    /// seen of them: nobody knows yet whether they live.
    unheard: Option<BTreeMap<WorkerId, u64>>,
    /// Those that are not tried again.
    passed_over: BTreeSet<WorkerId>,
    swept: Swept,
}

/// What is adopted and not yet put back.
struct Orphans {
    tokens: Vec<Token>,
    jobs: Vec<Bytes>,
}

impl Sweep<'_> {
    async fn run(&mut self, interrupt: &Interrupt) -> Result<(), Failure> {
        let mut watch = Watch::default();
        loop {
            self.renew().await?;
            let asked = Instant::now();
            let all = self.look().await?;
            let silent = watch.observe(asked, Instant::now(), &all);
            for (worker, seen) in silent {
                match self.adopt(&worker, seen).await {
                    // What it has stays where it is, and keeps nothing from the others.
                    Err(failure) if failure.is_damage() => self.pass_over(worker, &failure),
                    adopted => adopted?,
                }
            }
            let unheard = self
                .unheard
                .as_ref()
                .is_some_and(|unheard| !unheard.is_empty());
            if self.strangers.is_empty() && !unheard {
                return Ok(());
            }
            if timeout(LOOK_EVERY, interrupt.reached()).await.is_ok() {
                self.swept.interrupted = true;
                return Ok(());
            }
        }
    }

    /// Says that this member lives.
    async fn renew(&mut self) -> Result<(), Failure> {
        match self.broker.renew(&self.member).await? {
            Renewed::Alive { counter, .. } => {
                self.member.known = counter;
                Ok(())
            }
            Renewed::Reaped => Err(self.reaped()),
        }
    }

    fn reaped(&self) -> Failure {
        let queue = &self.member.queue;
        Failure::job(format!(
            "a worker of queue {queue} took over from this sweep, which had been silent for too \
             long: nothing is lost; look again"
        ))
    }

    /// The other members, and the strangers.
    async fn look(&mut self) -> Result<Vec<Seen>, BrokerError> {
        let members = self.broker.members(&self.member.queue).await?;
        let members = members.into_iter();
        let members: BTreeMap<WorkerId, u64> = members
            .filter(|(worker, _)| *worker != self.member.worker)
            .filter(|(worker, _)| !self.passed_over.contains(worker))
            .collect();
        // One that has come back looks after its own.
        self.strangers
            .retain(|worker| !members.contains_key(worker));
        let unheard = self.unheard.get_or_insert_with(|| members.clone());
        unheard.retain(|worker, counter| members.get(worker) == Some(counter));
        let others = members.into_iter();
        let others = others.map(|(worker, counter)| (worker, Some(counter)));
        let strangers = self.strangers.iter().map(|worker| (worker.clone(), None));
        Ok(others.chain(strangers).collect())
    }

    fn pass_over(&mut self, worker: WorkerId, why: &Failure) {
        self.swept.passed_over.push(format!("{worker}: {why}"));
        self.settled(&worker);
        self.passed_over.insert(worker);
    }

    /// Nobody has to be waited for any more on account of this worker.
    fn settled(&mut self, worker: &WorkerId) {
        self.strangers.remove(worker);
        self.unheard
            .as_mut()
            .and_then(|unheard| unheard.remove(worker));
    }

    /// Takes over all that a dead worker had, and puts it back.
    async fn adopt(&mut self, target: &WorkerId, seen: Option<u64>) -> Result<(), Failure> {
        let mut orphans = Orphans {
            tokens: Vec::new(),
            jobs: Vec::new(),
        };
        let adopted = self.adopt_into(&mut orphans, target, seen).await;
        let put_back = self.put_back(&mut orphans).await;
        adopted.and(put_back)
    }

    /// Puts back only what would be too much to keep; the rest is left in `orphans`, also where it
    /// fails.
    async fn adopt_into(
        &mut self,
        orphans: &mut Orphans,
        target: &WorkerId,
        seen: Option<u64>,
    ) -> Result<(), Failure> {
        let mut bytes = 0;
        loop {
            let adoption = Adoption {
                member: self.member.clone(),
                target: target.clone(),
                seen,
                max: MAX_BATCH,
            };
            let (claim, jobs, more) = match self.broker.adopt(&adoption).await? {
                Adopted::Taken {
                    counter,
                    envelopes,
                    more,
                } => (counter, envelopes, more),
                Adopted::Alive => return Ok(()),
                Adopted::Reaped => return Err(self.reaped()),
            };
            self.member.known = claim;
            bytes += jobs.iter().map(Bytes::len).sum::<usize>();
            let tokens = (1..).map(|index| Token { claim, index });
            orphans.tokens.extend(tokens.take(jobs.len()));
            orphans.jobs.extend(jobs);
            if !more {
                self.swept.workers += 1;
                self.settled(target);
                return Ok(());
            }
            if bytes >= ADOPTED_AT_ONCE {
                self.put_back(orphans).await?;
                bytes = 0;
            }
        }
    }

    async fn put_back(&mut self, orphans: &mut Orphans) -> Result<(), Failure> {
        let tokens = std::mem::take(&mut orphans.tokens).into_iter();
        let jobs = std::mem::take(&mut orphans.jobs);
        let actions = after_death(&jobs);
        let mut all = tokens.zip(actions).zip(jobs).peekable();
        while all.peek().is_some() {
            let (mut batch, mut bytes) = (Vec::new(), 0);
            // As much as one step of an adoption gives.
            while batch.len() < MAX_BATCH as usize && bytes < jobq::broker::MAX_BATCH_BYTES {
                let Some(((token, action), job)) = all.next() else {
                    break;
                };
                bytes += job.len();
                batch.push(Settlement { token, action });
            }
            let settled = self.settle(batch).await?;
            let accepted = settled.accepted.iter().filter(|&&accepted| accepted);
            self.swept.jobs += accepted.count() as u64;
        }
        Ok(())
    }

    /// Sends it until it is answered: what was settled before is stale the second time, and nothing
    /// more.
    async fn settle(&self, settlements: Vec<Settlement>) -> Result<Settled, BrokerError> {
        let mut settle = Settle {
            queue: self.member.queue.clone(),
            worker: self.member.worker.clone(),
            resent: false,
            caps: DeadCaps::default(),
            settlements,
        };
        let mut sent = 1;
        loop {
            match self.broker.settle(settle.clone()).await {
                Err(error) if error.is_retryable() && sent < SETTLES_SENT => {
                    (settle.resent, sent) = (true, sent + 1);
                    sleep(LOOK_EVERY / 4).await;
                }
                answer => return answer,
            }
        }
    }

    /// Ends the membership. What an adoption brought whose answer was lost goes back first.
    async fn leave(&mut self) -> Result<(), Failure> {
        let Member { queue, worker, .. } = &self.member;
        if self.broker.leave(queue, worker).await? {
            return Ok(());
        }
        let held = self.broker.held(queue, worker).await?;
        for tokens in held.chunks(MAX_BATCH as usize) {
            let settle = Settle::release(queue.clone(), worker.clone(), tokens);
            self.settle(settle.settlements).await?;
        }
        match self.broker.leave(queue, worker).await? {
            true => Ok(()),
            false => Err(Failure::job(format!(
                "this sweep still holds jobs of queue {queue}: a worker of the queue, or another \
                 sweep, takes them over"
            ))),
        }
    }
}
