//! What the rows of the network share: workers and a producer that reach Redis by a way that can be
//! harmed, a producer that is spared, and what they did meanwhile.

use std::collections::HashSet;
use std::time::Duration;

use jobq_proxy::Proxy;
use tokio::time::Instant;

use crate::check::Harm;
use crate::jobs;
use crate::ledger::Event;
use crate::row::{Figures, Plan};
use crate::traffic::longest_call;
use crate::world::{Actor, Load, Setup, World};

/// Workers behind the proxy.
const WORKERS: usize = 2;

/// How long a worker may take to be at work when nothing is harmed.
const AT_WORK_WITHIN: Duration = Duration::from_secs(20);

/// How long what was left lying may take to be worked off.
const DRAINED_WITHIN: Duration = Duration::from_secs(60);

/// How much longer than it should something may take before a row fails: machines are busy.
pub(super) const GENEROUS: u32 = 5;

/// Workers that are at work, by way of a proxy.
pub(super) struct Net {
    pub(super) world: World,
    pub(super) proxy: Proxy,
    pub(super) workers: Vec<Actor>,
    near: Vec<Actor>,
    producers: Vec<Actor>,
    /// Within which a call is to be answered, or given up.
    timeout: Duration,
}

impl Net {
    /// Starts everything, and waits until all workers are at work.
    pub(super) async fn start(plan: &Plan, setup: &Setup) -> Self {
        let mut world = World::start(plan, &[]).await;
        let proxy = Proxy::start(world.server().address()).await;
        let proxy = proxy.expect("loopback has a free port");
        let far = Setup {
            port: Some(proxy.port()),
            ..setup.clone()
        };
        let load = Load {
            rate: plan.of(60.0, 200.0),
            kinds: "work:5-40".to_owned(),
            timeout: setup.timeout,
            ..Load::default()
        };
        let harmed = Load {
            rate: 10.0,
            port: far.port,
            ..load.clone()
        };
        let net = Self {
            producers: vec![world.producer(&load), world.producer(&harmed)],
            workers: (0..WORKERS).map(|_| world.worker(&far)).collect(),
            near: Vec::new(),
            timeout: setup.timeout,
            world,
            proxy,
        };
        net.at_work(net.mark(), AT_WORK_WITHIN).await;
        net
    }

    /// Starts a worker that is spared, and waits until it is at work.
    pub(super) async fn one_is_near(&mut self, setup: &Setup) {
        let (mark, near) = (self.mark(), self.world.worker(setup));
        let all = std::slice::from_ref(&near);
        self.world.each_starts(mark, all, AT_WORK_WITHIN).await;
        self.near.push(near);
    }

    /// Fills every slot behind the proxy with a job that runs for so long.
    pub(super) async fn fill(&self, setup: &Setup, time: Duration) {
        let client = self.world.client().await;
        let ms = u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        let mut waiting = HashSet::new();
        for _ in 0..setup.concurrency as usize * WORKERS {
            waiting.insert(self.world.enqueue(&client, jobs::work::new(ms)).await);
        }
        let all_started = |world: &World| {
            for entry in world.history().entries() {
                if let Event::Start { id, .. } = &entry.event {
                    waiting.remove(id);
                }
            }
            waiting.is_empty().then_some(())
        };
        // What gathered behind the fault before this goes first.
        let what = "all slots to be taken";
        self.world
            .until(what, 6 * AT_WORK_WITHIN, all_started)
            .await;
    }

    /// The end of what the ledgers say by now.
    pub(super) fn mark(&self) -> usize {
        self.world.history().entries().len()
    }

    /// Writes down what is done to all connections.
    pub(super) fn note(&self, what: &str) {
        let what = what.replace(' ', "-");
        self.world.write(&Event::Fault { actor: 0, what });
    }

    /// Waits until each worker has started a job since a mark. Answers how long that took.
    pub(super) async fn at_work(&self, mark: usize, limit: Duration) -> Duration {
        let began = Instant::now();
        self.world.each_starts(mark, &self.workers, limit).await;
        began.elapsed()
    }

    /// How often each worker has told of an outage so far.
    pub(super) fn outages(&self) -> Vec<usize> {
        let told = |worker: &Actor| worker.log().matches(OUTAGE).count();
        self.workers.iter().map(told).collect()
    }

    /// Waits until each worker has told of an outage more than it had before. Answers how long
    /// that took.
    pub(super) async fn noticed(&self, before: &[usize], limit: Duration) -> Duration {
        let began = Instant::now();
        let told = |_: &World| {
            let now = self.outages();
            let mut each = now.iter().zip(before);
            each.all(|(now, before)| now > before).then_some(())
        };
        let what = "each worker to notice";
        self.world.until(what, limit, told).await;
        began.elapsed()
    }

    /// Ends the row: nothing is lost, nobody was adopted who lives, and no job was started again.
    pub(super) async fn finish(self) -> Figures {
        for mut producer in self.producers {
            self.world.signal(&producer, "TERM");
            producer.wait(Duration::from_secs(30)).await;
        }
        let workers = self.workers.into_iter().chain(self.near).collect();
        let ending = self.world.finish(workers, DRAINED_WITHIN).await;
        let harm = Harm::of(&self.world.history(), &ending.check.jobs);
        harm.assert_explained();
        let longest = longest_call(&self.world.history());
        assert!(
            longest <= GENEROUS * self.timeout,
            "an enqueue took {longest:?}"
        );
        ending
            .figures()
            .with("left with a worker", ending.check.held())
            .with("longest enqueue, ms", longest.as_millis())
            .with("false adoptions", harm.false_adoptions)
    }
}

/// What a worker logs when it notices that Redis does not answer.
const OUTAGE: &str = "the broker failed; trying again";
