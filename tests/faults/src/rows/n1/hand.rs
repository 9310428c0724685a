//! A worker, as far as it sends steps: what it knows, and what it does when it got no answer.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use jobq::broker::redis::RedisBroker;
use jobq::broker::{
    Action, Adopted, Adoption, Broker, Claim, Claimed, DeadCaps, Due, Entry, Grant, Member,
    Renewed, Settle, Settlement, Waiter,
};
use jobq::{BrokerError, Client, EnqueueError, JobHandle, JobId, QueueName, Token, WorkerId};
use redis::aio::MultiplexedConnection;

/// The worker that does the steps, and another that does not answer any more.
const WORKER: &str = "me";
const OTHER: &str = "other";

/// Who does a step.
#[derive(Debug)]
pub(super) struct Hand {
    /// The way that is cut.
    pub(super) far: Arc<RedisBroker>,
    /// The way that is not: for what must be there before.
    pub(super) near: Arc<RedisBroker>,
    pub(super) raw: MultiplexedConnection,
    pub(super) queue: QueueName,
    /// Where the way begins that is cut.
    pub(super) port: u16,
    known: u64,
    /// Claimed, and not settled as far as it knows.
    pub(super) held: Vec<Token>,
    /// Settlements that were accepted.
    pub(super) accepted: Vec<Token>,
    /// Whether what is sent was sent before without an answer.
    pub(super) resent: bool,
    waiter: Option<Arc<dyn Waiter>>,
    /// Whether the job has come that it waits for.
    pub(super) one_came: bool,
    /// Ids of jobs that were enqueued, and whether it was said to be so.
    pub(super) enqueued: Vec<(JobId, Certainty)>,
}

/// What an enqueue said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Certainty {
    Enqueued,
    Unknown,
    Not,
}

impl Hand {
    pub(super) fn new(
        far: &Arc<RedisBroker>,
        near: &Arc<RedisBroker>,
        raw: &MultiplexedConnection,
        queue: QueueName,
        port: u16,
    ) -> Self {
        Self {
            far: far.clone(),
            near: near.clone(),
            raw: raw.clone(),
            queue,
            port,
            known: 0,
            held: Vec::new(),
            accepted: Vec::new(),
            resent: false,
            waiter: None,
            one_came: false,
            enqueued: Vec::new(),
        }
    }

    /// Puts jobs into the queue undisturbed.
    pub(super) async fn put(&self, jobs: &[&'static str], due: Due) {
        let entry = |job: &&'static str| Entry {
            envelope: Bytes::from_static(job.as_bytes()),
            due,
        };
        let entries: Vec<_> = jobs.iter().map(entry).collect();
        let put = self.near.enqueue(&self.queue, &entries).await;
        put.expect("nobody cuts this way");
    }

    /// Becomes a member undisturbed, and claims so many.
    pub(super) async fn join(&mut self, max: u32) {
        let claimed = dynamic(&self.near).claim(&self.claim_of(WORKER, max)).await;
        self.granted(claimed.expect("nobody cuts this way"));
    }

    /// Has the other worker claim so many, undisturbed, and be handed what is left.
    pub(super) async fn other_joins(&mut self, max: u32) {
        let claim = self.claim_of(OTHER, max);
        let claimed = dynamic(&self.near).claim(&claim).await;
        claimed.expect("nobody cuts this way");
        let waiter = self.near.waiter(&self.queue, &WorkerId::from_stored(OTHER));
        let waited = waiter.wait(Duration::from_millis(1)).await;
        waited.expect("nobody cuts this way");
    }

    /// Settles the jobs of its first claim undisturbed.
    pub(super) async fn settle_near(&mut self, actions: Vec<Action>) {
        let far = std::mem::replace(&mut self.far, self.near.clone());
        let settled = self.settle(actions).await;
        settled.expect("nobody cuts this way");
        self.far = far;
    }

    /// Where it waits, by the way that is cut.
    pub(super) fn waiter(&mut self) -> Arc<dyn Waiter> {
        let new = || self.far.waiter(&self.queue, &WorkerId::from_stored(WORKER));
        self.waiter.get_or_insert_with(new).clone()
    }

    /// Waits until someone waits: who else did before has ended ([`Bench::hand`]).
    ///
    /// [`Bench::hand`]: super::bench::Bench::hand
    pub(super) async fn is_blocked(&self) {
        until_blocked(&self.raw, true).await;
    }

    pub(super) fn worker(&self) -> WorkerId {
        WorkerId::from_stored(WORKER)
    }

    fn member(&self) -> Member {
        Member {
            queue: self.queue.clone(),
            worker: self.worker(),
            known: self.known,
        }
    }

    fn claim_of(&self, worker: &str, max: u32) -> Claim {
        let known = if worker == WORKER { self.known } else { 0 };
        Claim {
            member: Member {
                worker: WorkerId::from_stored(worker),
                known,
                ..self.member()
            },
            max,
            suspect: false,
        }
    }

    fn settle_of(&self, settlements: Vec<Settlement>) -> Settle {
        Settle {
            queue: self.queue.clone(),
            worker: self.worker(),
            resent: self.resent,
            caps: DeadCaps::default(),
            settlements,
        }
    }

    fn granted(&mut self, claimed: Claimed) -> Grant {
        let Claimed::Granted(grant) = claimed else {
            panic!("reaped, and nobody reaps");
        };
        self.owns(grant.counter, grant.envelopes.len());
        grant
    }

    fn owns(&mut self, claim: u64, jobs: usize) {
        self.known = self.known.max(claim);
        let indices = (1..).take(jobs);
        self.held
            .extend(indices.map(|index| Token { claim, index }));
    }

    fn settled(&mut self, tokens: &[Token], accepted: &[bool]) {
        let accepted = tokens.iter().zip(accepted).filter(|(_, yes)| **yes);
        self.accepted.extend(accepted.map(|(token, _)| *token));
        self.held.retain(|held| !tokens.contains(held));
    }

    /// One step: a claim.
    pub(super) async fn claim(&mut self, max: u32, suspect: bool) -> Result<(), BrokerError> {
        let claim = Claim {
            suspect,
            ..self.claim_of(WORKER, max)
        };
        let claimed = dynamic(&self.far).claim(&claim).await?;
        self.granted(claimed);
        Ok(())
    }

    /// One step: what becomes of the jobs of its first claim, in order.
    pub(super) async fn settle(&mut self, actions: Vec<Action>) -> Result<(), BrokerError> {
        self.round(actions, None).await
    }

    /// Two steps in one go, each judged by itself.
    pub(super) async fn round(
        &mut self,
        actions: Vec<Action>,
        max: Option<u32>,
    ) -> Result<(), BrokerError> {
        // Those of its first claim, whatever it has settled before: it may be sent again.
        let indices = (1..).take(actions.len());
        let tokens: Vec<_> = indices.map(|index| Token { claim: 1, index }).collect();
        let settlements = tokens
            .iter()
            .zip(actions)
            .map(|(&token, action)| Settlement { token, action });
        let settle = self.settle_of(settlements.collect());
        let claim = max.map(|max| self.claim_of(WORKER, max));
        let mut answer = self.far.round(&[settle], claim.as_ref()).await;
        let claimed = answer.claim.transpose();
        if let Ok(Some(claimed)) = &claimed {
            self.granted(claimed.clone());
        }
        if let Some(settled) = answer.settles.pop() {
            self.settled(&tokens, &settled?.accepted);
        }
        claimed.map(drop)
    }

    /// One step: it lives.
    pub(super) async fn renew(&mut self) -> Result<(), BrokerError> {
        match self.far.renew(&self.member()).await? {
            Renewed::Alive { counter, .. } => self.known = self.known.max(counter),
            Renewed::Reaped => panic!("reaped, and nobody reaps"),
        }
        Ok(())
    }

    /// One step: it takes over what the other held, who was seen with his first counter.
    pub(super) async fn adopt(&mut self) -> Result<(), BrokerError> {
        let adoption = Adoption {
            member: self.member(),
            target: WorkerId::from_stored(OTHER),
            seen: Some(1),
            max: 1000,
        };
        match self.far.adopt(&adoption).await? {
            Adopted::Taken {
                counter, envelopes, ..
            } => self.owns(counter, envelopes.len()),
            // Done before, and never answered: what came is found when it reconciles.
            Adopted::Alive => assert!(self.resent, "nobody renews the other"),
            Adopted::Reaped => panic!("reaped, and nobody reaps"),
        }
        Ok(())
    }

    /// Gives back what it does not know: what was claimed or adopted without an answer.
    pub(super) async fn reconcile(&mut self) -> Result<(), BrokerError> {
        let mut unknown = self.far.held(&self.queue, &self.worker()).await?;
        unknown.retain(|token| !self.held.contains(token));
        unknown.sort_by_key(|token| (token.claim, token.index));
        self.give_back(&unknown).await
    }

    /// Gives jobs back to the front of the queue.
    pub(super) async fn give_back(&mut self, tokens: &[Token]) -> Result<(), BrokerError> {
        if tokens.is_empty() {
            return Ok(());
        }
        let settle = Settle::release(self.queue.clone(), self.worker(), tokens);
        let settled = dynamic(&self.far).settle(settle).await?;
        self.settled(tokens, &settled.accepted);
        Ok(())
    }

    /// A producer of jobs on this queue, by the way that is cut.
    pub(super) fn producer(&self) -> Client {
        Client::with_broker(self.far.clone())
    }

    /// Keeps what an enqueue of these ids said.
    pub(super) fn note(
        &mut self,
        ids: &[JobId],
        answer: Result<Vec<JobHandle>, EnqueueError>,
    ) -> Result<(), BrokerError> {
        let (certain, result) = match answer {
            Ok(handles) => (handles, Ok(())),
            Err(EnqueueError::Partial { enqueued, source }) => (enqueued, Err(*source)),
            Err(error) => (Vec::new(), Err(error)),
        };
        let certain: Vec<JobId> = certain.iter().map(JobHandle::id).collect();
        let open = ids.iter().filter(|id| !certain.contains(id));
        let (of_open, result) = match result {
            Ok(()) => (Certainty::Enqueued, Ok(())),
            Err(EnqueueError::OutcomeUnknown { id, source, .. }) => {
                assert!(open.clone().any(|open| *open == id), "it names one of them");
                (Certainty::Unknown, Err(source))
            }
            Err(EnqueueError::Broker(error)) => (Certainty::Not, Err(error)),
            Err(other) => panic!("{other}"),
        };
        let open: Vec<_> = open.map(|&id| (id, of_open)).collect();
        assert!(result.is_err() || open.is_empty(), "it names all of them");
        let certain = certain.into_iter().map(|id| (id, Certainty::Enqueued));
        self.enqueued.extend(certain.chain(open));
        result
    }
}

/// Waits until a client of the server is blocked in a call, or none is.
pub(super) async fn until_blocked(raw: &MultiplexedConnection, wanted: bool) {
    let mut raw = raw.clone();
    loop {
        let mut list = redis::cmd("CLIENT");
        let list = list.arg("LIST").query_async::<String>(&mut raw).await;
        if list.expect("nobody cuts this way").contains(" flags=b ") == wanted {
            return;
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

/// As the trait's own methods want it.
fn dynamic(broker: &Arc<RedisBroker>) -> &dyn Broker {
    &**broker
}
