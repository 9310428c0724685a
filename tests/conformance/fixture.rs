//! One broker and one queue, with shorthands that keep a case to what it is about. Envelopes are
//! short names here: a broker looks into none.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use jobq::broker::memory::MemoryBroker;
use jobq::broker::redis::{RedisBroker, RedisConfig};
use jobq::broker::{
    Action, Adopted, Adoption, Broker, Claim, Claimed, Counts, DeadCaps, Due, Element, Entry,
    Grant, Member, ReleaseTo, Renewed, Settle, Settled, Settlement, Waiter,
};
use jobq::{At, JobState, QueueName, Token, WorkerId};

/// Longer than any test runs.
pub(crate) const HOURS: Duration = Duration::from_secs(7 * 3600);

/// A broker that nobody else uses.
#[derive(Debug, Clone)]
pub(crate) struct Fixture {
    pub(crate) broker: Arc<dyn Broker>,
    pub(crate) queue: QueueName,
}

impl Fixture {
    pub(crate) async fn memory() -> Self {
        Self::new(Arc::new(MemoryBroker::new()))
    }

    #[expect(dead_code, reason = "joins with the broker itself")]
    pub(crate) async fn redis() -> Self {
        let (url, namespace) = (support::shared().url(), support::namespace());
        let config = RedisConfig::parse(&url, Some(&namespace)).expect("the URL is well-formed");
        let broker = RedisBroker::connect(config, Duration::from_secs(30)).await;
        Self::new(Arc::new(broker.expect("the server answers")))
    }

    fn new(broker: Arc<dyn Broker>) -> Self {
        let queue = queue("mail");
        Self { broker, queue }
    }

    /// The same broker with another queue.
    pub(crate) fn on(&self, name: &str) -> Self {
        let broker = self.broker.clone();
        Self {
            broker,
            queue: queue(name),
        }
    }

    /// A worker that has not joined yet.
    pub(crate) fn worker(&self) -> Worker {
        Worker {
            fixture: self.clone(),
            id: WorkerId::random(),
            known: 0,
        }
    }

    /// A member of the queue.
    pub(crate) async fn member(&self) -> Worker {
        let mut worker = self.worker();
        worker.claim(0).await;
        worker
    }

    pub(crate) async fn enqueue(&self, names: &[&str]) {
        self.enqueue_due(names, Due::Now).await;
    }

    pub(crate) async fn enqueue_due(&self, names: &[&str], due: Due) {
        let entries = names.iter().map(|name| entry(name.as_bytes(), due));
        self.enqueue_entries(&entries.collect::<Vec<_>>()).await;
    }

    pub(crate) async fn enqueue_entries(&self, entries: &[Entry]) {
        let done = self.broker.enqueue(&self.queue, entries).await;
        done.expect("enqueue");
    }

    pub(crate) async fn stats(&self) -> Counts {
        self.broker.stats(&self.queue).await.expect("stats")
    }

    pub(crate) async fn page(&self, state: JobState, offset: u64, limit: u32) -> Vec<Element> {
        let page = self.broker.page(&self.queue, state, offset, limit).await;
        page.expect("page")
    }

    /// The names in a state, in its order.
    pub(crate) async fn names(&self, state: JobState) -> Vec<String> {
        let page = self.page(state, 0, 1000).await;
        page.iter().map(|element| text(&element.bytes)).collect()
    }

    pub(crate) async fn ready(&self) -> Vec<String> {
        self.names(JobState::Ready).await
    }

    pub(crate) async fn pause(&self) {
        self.broker.pause(&self.queue).await.expect("pause");
    }

    pub(crate) async fn resume(&self) {
        self.broker.resume(&self.queue).await.expect("resume");
    }

    pub(crate) async fn counter(&self, worker: &WorkerId) -> Option<u64> {
        let members = self.broker.members(&self.queue).await.expect("members");
        let found = members.into_iter().find(|(id, _)| id == worker);
        found.map(|(_, counter)| counter)
    }

    /// All workers that own something, by a whole scan, sorted.
    pub(crate) async fn owners(&self) -> Vec<WorkerId> {
        let mut owners = Vec::new();
        let mut cursor = 0;
        loop {
            let step = self.broker.owners(&self.queue, cursor).await;
            let (next, found) = step.expect("owners");
            owners.extend(found);
            if next == 0 {
                owners.sort();
                owners.dedup();
                return owners;
            }
            cursor = next;
        }
    }

    /// Puts jobs into suspects, in this order.
    pub(crate) async fn suspect(&self, names: &[&str]) {
        let mut worker = self.worker();
        self.enqueue(names).await;
        let grant = worker.claim(1000).await;
        let release = |token| (token, release_to(ReleaseTo::Suspects));
        let settled = worker.settle(grant.tokens().into_iter().map(release)).await;
        assert!(settled.iter().all(|accepted| *accepted));
        assert!(worker.leave().await);
    }

    /// Puts records into the dead list, the last one newest.
    pub(crate) async fn bury(&self, records: &[&[u8]], caps: DeadCaps) -> Settled {
        let mut worker = self.worker();
        let fillers = vec!["dying"; records.len()];
        self.enqueue(&fillers).await;
        let grant = worker.claim(1000).await;
        let burials = grant
            .tokens()
            .into_iter()
            .zip(records)
            .map(|(token, record)| {
                let record = Bytes::copy_from_slice(record);
                let action = Action::Bury { record };
                Settlement { token, action }
            });
        let settle = Settle {
            caps,
            ..worker.settle_request(burials.collect())
        };
        let settled = self.broker.settle(settle).await.expect("settle");
        assert!(settled.accepted.iter().all(|accepted| *accepted));
        settled
    }
}

/// A worker that remembers the highest counter it was answered.
#[derive(Debug, Clone)]
pub(crate) struct Worker {
    pub(crate) fixture: Fixture,
    pub(crate) id: WorkerId,
    pub(crate) known: u64,
}

impl Worker {
    pub(crate) fn member(&self) -> Member {
        Member {
            queue: self.fixture.queue.clone(),
            worker: self.id.clone(),
            known: self.known,
        }
    }

    pub(crate) fn claim_request(&self, max: u32) -> Claim {
        Claim {
            member: self.member(),
            max,
            suspect: false,
        }
    }

    pub(crate) async fn try_claim(&mut self, claim: &Claim) -> Claimed {
        let claimed = self.fixture.broker.claim(claim).await.expect("claim");
        if let Claimed::Granted(grant) = &claimed {
            assert!(grant.counter > self.known, "counters rise");
            self.known = grant.counter;
        }
        claimed
    }

    pub(crate) async fn claim(&mut self, max: u32) -> Grant {
        granted(self.try_claim(&self.claim_request(max)).await)
    }

    pub(crate) async fn claim_suspect(&mut self) -> Grant {
        let claim = Claim {
            suspect: true,
            ..self.claim_request(1)
        };
        granted(self.try_claim(&claim).await)
    }

    pub(crate) fn settle_request(&self, settlements: Vec<Settlement>) -> Settle {
        Settle {
            queue: self.fixture.queue.clone(),
            worker: self.id.clone(),
            resent: false,
            caps: DeadCaps::default(),
            settlements,
        }
    }

    pub(crate) async fn settle(
        &self,
        actions: impl IntoIterator<Item = (Token, Action)>,
    ) -> Vec<bool> {
        let settlements = actions
            .into_iter()
            .map(|(token, action)| Settlement { token, action });
        let settle = self.settle_request(settlements.collect());
        let settled = self.fixture.broker.settle(settle).await.expect("settle");
        settled.accepted
    }

    /// Settles one job; whether it was accepted.
    pub(crate) async fn settle_one(&self, token: Token, action: Action) -> bool {
        let accepted = self.settle([(token, action)]).await;
        assert_eq!(accepted.len(), 1);
        accepted[0]
    }

    pub(crate) async fn ack(&self, token: Token) -> bool {
        self.settle_one(token, Action::Ack).await
    }

    pub(crate) async fn renew(&mut self) -> Renewed {
        let renewed = self.fixture.broker.renew(&self.member()).await;
        let renewed = renewed.expect("renew");
        if let Renewed::Alive { counter, .. } = renewed {
            self.known = counter;
        }
        renewed
    }

    /// How many jobs lie in its handoff.
    pub(crate) async fn handed(&mut self) -> u64 {
        match self.renew().await {
            Renewed::Alive { handoff, .. } => handoff,
            Renewed::Reaped => panic!("the worker was reaped"),
        }
    }

    pub(crate) async fn adopt(
        &mut self,
        target: &WorkerId,
        seen: Option<u64>,
        max: u32,
    ) -> Adopted {
        let adoption = Adoption {
            member: self.member(),
            target: target.clone(),
            seen,
            max,
        };
        let adopted = self.fixture.broker.adopt(&adoption).await.expect("adopt");
        if let Adopted::Taken { counter, .. } = adopted {
            assert!(counter > self.known, "counters rise");
            self.known = counter;
        }
        adopted
    }

    /// Adopts a worker whole, at the counter it has now.
    pub(crate) async fn adopt_all(&mut self, target: &Worker) -> Grant {
        let seen = self.fixture.counter(&target.id).await;
        let (grant, more) = taken(self.adopt(&target.id, seen, 1000).await);
        assert!(!more);
        grant
    }

    pub(crate) async fn leave(&self) -> bool {
        let left = self.fixture.broker.leave(&self.fixture.queue, &self.id);
        left.await.expect("leave")
    }

    /// The tokens in its in-flight records, sorted.
    pub(crate) async fn held(&self) -> Vec<Token> {
        let held = self.fixture.broker.held(&self.fixture.queue, &self.id);
        let mut held = held.await.expect("held");
        held.sort();
        held
    }

    pub(crate) fn waiter(&self) -> Arc<dyn Waiter> {
        self.fixture.broker.waiter(&self.fixture.queue, &self.id)
    }

    /// Gets so many jobs into its handoff, which must lie in ready.
    pub(crate) async fn be_handed(&self, jobs: usize) {
        let waiter = self.waiter();
        for _ in 0..jobs {
            let wake = waiter.wait(support::DEADLINE).await.expect("wait");
            assert_eq!(wake, jobq::broker::Wake::Handed);
        }
    }
}

/// Shorthands on what a claim or an adoption gave.
pub(crate) trait Given {
    fn tokens(&self) -> Vec<Token>;
    fn names(&self) -> Vec<String>;

    /// The token of the only job.
    fn token(&self) -> Token {
        let tokens = self.tokens();
        assert_eq!(tokens.len(), 1, "one job was given");
        tokens[0]
    }
}

impl Given for Grant {
    fn tokens(&self) -> Vec<Token> {
        let claim = self.counter;
        let count = u32::try_from(self.envelopes.len()).expect("a batch is small");
        let tokens = (1..=count).map(|index| Token { claim, index });
        tokens.collect()
    }

    fn names(&self) -> Vec<String> {
        self.envelopes.iter().map(text).collect()
    }
}

pub(crate) fn granted(claimed: Claimed) -> Grant {
    match claimed {
        Claimed::Granted(grant) => grant,
        Claimed::Reaped => panic!("the worker was reaped"),
    }
}

/// What an adoption took, in the form of a grant; and whether there is more.
pub(crate) fn taken(adopted: Adopted) -> (Grant, bool) {
    let Adopted::Taken {
        counter,
        envelopes,
        more,
    } = adopted
    else {
        panic!("nothing was taken: {adopted:?}");
    };
    let grant = Grant {
        counter,
        envelopes,
        ..Grant::default()
    };
    (grant, more)
}

pub(crate) fn queue(name: &str) -> QueueName {
    QueueName::new(name).expect("the name is legal")
}

pub(crate) fn bytes(name: &str) -> Bytes {
    Bytes::copy_from_slice(name.as_bytes())
}

pub(crate) fn text(bytes: &Bytes) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

pub(crate) fn entry(envelope: &[u8], due: Due) -> Entry {
    Entry {
        envelope: Bytes::copy_from_slice(envelope),
        due,
    }
}

/// `count` names in order: `job0001`, `job0002` …
pub(crate) fn numbered(count: usize) -> Vec<String> {
    (1..=count).map(|n| format!("job{n:04}")).collect()
}

pub(crate) fn strs(names: &[String]) -> Vec<&str> {
    names.iter().map(String::as_str).collect()
}

pub(crate) fn retry(name: &str, delay: Duration) -> Action {
    let envelope = bytes(name);
    Action::Retry { delay, envelope }
}

pub(crate) fn release_to(to: ReleaseTo) -> Action {
    Action::Release { to, envelope: None }
}

pub(crate) fn release() -> Action {
    release_to(ReleaseTo::Front)
}

pub(crate) fn bury(record: &str) -> Action {
    let record = bytes(record);
    Action::Bury { record }
}

/// A dead record as far as a broker knows one: the time of death at its place.
pub(crate) fn record(died_at: At, tail: &str) -> Vec<u8> {
    let mut record = vec![0x96, 0xc4, 16];
    record.extend([7; 16]);
    record.push(0xcf);
    record.extend(died_at.as_ms().to_be_bytes());
    record.extend(tail.as_bytes());
    record
}
