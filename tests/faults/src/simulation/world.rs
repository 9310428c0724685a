//! One simulation from its beginning to its end: workers come and go while faults happen; then all
//! heals, everything is worked off, and what is left is judged.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use jobq::broker::Inspect as _;
use jobq::broker::memory::Snapshot;
use jobq::{Client, QueueName};
use jobq_worker::{Worker, WorkerHandle};
use support::hooked::Hooked;
use tokio::task::JoinHandle;
use tokio::time::Instant;

use super::link::Link;
use super::plan::{Act, CHAOS, End, Event, Plan};
use super::process::Process;
use super::sim::{Sim, id_of};
use super::work::work;

pub(crate) const LEASE: Duration = Duration::from_millis(2_000);

/// For how long a worker trusts its lease: a tenth less.
pub(crate) const TRUST: Duration = Duration::from_millis(1_800);

const RENEW_EVERY: Duration = Duration::from_millis(500);

const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(2);

/// How much longer than its timeout a shutdown may take: aborted jobs end within a second, the last
/// outcomes are settled within two.
const SHUTDOWN_MORE: Duration = Duration::from_millis(3_100);

/// How long after the faults everything has to be worked off, its own runs apart: a suspect may wait
/// for an offer.
const DRAINED_WITHIN: u64 = 120_000;

/// How long after the faults nobody stands still any more, and no step is on its way: one that was
/// given up after 0.8 s is done up to 6 s later, and may wait for a job then for half a lease.
const QUIET_AFTER: u64 = 8_000;

/// A shutdown that takes so long never ends.
const STUCK: Duration = Duration::from_secs(60);

/// How often the world is looked after.
const LOOK: u64 = 100;

pub(crate) struct World {
    plan: Plan,
    sim: Arc<Sim>,
    began: Instant,
    slots: Vec<Option<(Arc<Process>, WorkerHandle)>>,
    stopping: Vec<(Arc<Process>, JoinHandle<()>)>,
    events: BTreeMap<(u64, usize), Event>,
    resumes: Vec<(u64, usize)>,
    processes: usize,
    producer: Client,
    direct: Client,
}

impl World {
    pub(crate) fn new(plan: Plan) -> Self {
        let sim = Sim::new(&plan);
        let events = plan.events.iter().enumerate();
        let events = events.map(|(number, &(at, event))| ((at, number), event));
        // The producer's process has a number that no worker has.
        let producer = client(&Process::new(&sim, 99), true);
        let direct = client(&Process::new(&sim, 98), false);
        Self {
            slots: (0..plan.processes).map(|_| None).collect(),
            stopping: Vec::new(),
            events: events.collect(),
            resumes: Vec::new(),
            processes: 0,
            producer,
            direct,
            began: Instant::now(),
            plan,
            sim,
        }
    }

    pub(crate) async fn run(mut self) -> Arc<Sim> {
        self.chaos().await;
        self.sim.heal();
        self.sim.note(format_args!("all heals"));
        self.drain().await;
        self.canaries().await;
        self.end().await;
        self.sim.clone()
    }

    async fn chaos(&mut self) {
        for ms in (0..CHAOS).step_by(10) {
            self.until(ms).await;
            while let Some(event) = self
                .events
                .first_entry()
                .filter(|event| event.key().0 <= ms)
            {
                let event = event.remove();
                self.happen(ms, event).await;
            }
            self.resume(ms).await;
            if ms % LOOK == 0 {
                self.start_missing();
                if ms % 500 == 0 {
                    self.conserved();
                }
            }
        }
    }

    async fn happen(&mut self, ms: u64, event: Event) {
        match event {
            Event::Enqueue(job) => self.enqueue(job),
            Event::Cancel(job) => {
                let queue = queue(self.plan.jobs[job].queue);
                self.sim.note(format_args!("j{job} is cancelled"));
                let _ = self.sim.broker.cancel(&queue, id_of(job)).await;
                self.sim.with_ledger(|ledger| ledger.cancelled(job));
            }
            Event::Crash(slot) => {
                if let Some((process, _)) = &self.slots[slot] {
                    process.kill();
                }
            }
            Event::Stop(slot) => self.stop(slot),
            Event::Stall(slot, ms) => {
                if let Some((process, _)) = &self.slots[slot] {
                    let number = process.number;
                    self.sim
                        .note(format_args!("p{number} stands still for {ms} ms"));
                    process.stall(Duration::from_millis(ms));
                }
            }
            Event::Away(slot, ms) => {
                self.sim.note(format_args!(
                    "the broker is away for {ms} ms, from {slot:?}"
                ));
                let slots = self.slots.iter().enumerate();
                let hit = slots.filter(|(number, _)| slot.is_none_or(|slot| slot == *number));
                for (process, _) in hit.filter_map(|(_, slot)| slot.as_ref()) {
                    process.cut_off(Duration::from_millis(ms));
                }
            }
            Event::Pause(number, time) => {
                self.sim.note(format_args!("q{number} is paused"));
                let _ = self.sim.broker.pause(&queue(number)).await;
                self.resumes.push((ms + time, number));
            }
        }
    }

    async fn resume(&mut self, ms: u64) {
        let due = self.resumes.extract_if(.., |(at, _)| *at <= ms);
        for (_, number) in due.collect::<Vec<_>>() {
            self.sim.note(format_args!("q{number} is resumed"));
            let _ = self.sim.broker.resume(&queue(number)).await;
        }
    }

    fn enqueue(&self, number: usize) {
        let plan = &self.plan.jobs[number];
        let mut job = work::new(plan.script.clone())
            .id(id_of(number))
            .queue(queue(plan.queue).as_str())
            .retries(plan.retries);
        if let Some(delay) = plan.delay {
            job = job.delay(Duration::from_millis(delay));
        }
        let client = match plan.by_link {
            true => self.producer.clone(),
            false => self.direct.clone(),
        };
        tokio::spawn(async move {
            // Whether it was is what the ledger of the broker says.
            let _ = job.enqueue(&client).await;
        });
    }

    fn start_missing(&mut self) {
        for slot in 0..self.slots.len() {
            let runs = self.slots[slot].as_ref();
            if runs.is_none_or(|(process, _)| !process.is_alive()) {
                self.slots[slot] = Some(self.start());
            }
        }
    }

    fn start(&mut self) -> (Arc<Process>, WorkerHandle) {
        let process = Process::new(&self.sim, self.processes);
        self.processes += 1;
        self.sim.note(format_args!("p{} starts", process.number));
        let worker = Worker::builder(client(&process, true))
            .queues((0..self.plan.queues).map(|number| queue(number).to_string()))
            .concurrency(self.plan.concurrency)
            .connections(self.plan.connections)
            .lease(LEASE)
            .renew_every(RENEW_EVERY)
            .shutdown_timeout(SHUTDOWN_TIMEOUT)
            .state(process.clone())
            .build()
            .expect("these settings are right");
        (process, worker.spawn())
    }

    /// Orderly; another takes its place.
    fn stop(&mut self, slot: usize) {
        let Some((process, handle)) = self.slots[slot].take() else {
            return;
        };
        self.sim
            .note(format_args!("p{} is to stop", process.number));
        let stopped = tokio::spawn(stop(process.clone(), handle));
        self.stopping.push((process, stopped));
    }

    async fn drain(&mut self) {
        let end = CHAOS + DRAINED_WITHIN + self.plan.work();
        for ms in (CHAOS..end).step_by(usize::try_from(LOOK).unwrap_or(1)) {
            self.until(ms).await;
            self.resume(ms).await;
            self.start_missing();
            if ms >= CHAOS + QUIET_AFTER && self.is_drained() {
                return;
            }
        }
        for snapshot in self.snapshots() {
            self.sim.accuse_of("not worked off", &snapshot);
        }
    }

    fn is_drained(&self) -> bool {
        let live = self.slots.iter().flatten().count();
        self.stopping
            .iter()
            .all(|(process, task)| task.is_finished() || !process.is_alive())
            && self
                .snapshots()
                .iter()
                .all(|snapshot| is_empty(snapshot) && snapshot.members.len() == live)
    }

    /// And new jobs are processed.
    async fn canaries(&self) {
        for number in 0..self.plan.queues {
            let job = self.plan.jobs.len() + number;
            let script = vec![Act {
                ms: 0,
                deaf: false,
                end: End::Done,
            }];
            let canary = work::new(script)
                .id(id_of(job))
                .queue(queue(number).as_str());
            let _ = canary.enqueue(&self.direct).await;
            tokio::time::sleep(Duration::from_secs(1)).await;
            if !self.sim.with_ledger(|ledger| ledger.has_started(job)) {
                self.sim
                    .accuse(format!("a new job of q{number} does not start within 1 s"));
            }
        }
    }

    async fn end(&mut self) {
        (0..self.slots.len()).for_each(|slot| self.stop(slot));
        for (process, stopped) in std::mem::take(&mut self.stopping) {
            let stopped = tokio::time::timeout(STUCK, stopped);
            if process.is_alive() && stopped.await.is_err() {
                self.sim
                    .accuse(format!("p{} does not stop", process.number));
            }
        }
        self.conserved();
        let snapshots = self.snapshots();
        self.sim
            .with_ledger(|ledger| ledger.figures.lost = ledger.lost(&snapshots));
        for snapshot in snapshots {
            if !is_empty(&snapshot) || !snapshot.members.is_empty() {
                self.sim.accuse_of("left behind", &snapshot);
            }
        }
        if self.plan.is_calm() {
            let wrongs = self.sim.with_ledger(|ledger| ledger.calm());
            wrongs.into_iter().for_each(|wrong| self.sim.accuse(wrong));
        }
    }

    fn conserved(&self) {
        let snapshots = self.snapshots();
        let wrongs = self.sim.with_ledger(|ledger| ledger.conserved(&snapshots));
        wrongs.into_iter().for_each(|wrong| self.sim.accuse(wrong));
    }

    fn snapshots(&self) -> Vec<Snapshot> {
        let queues = (0..self.plan.queues).map(queue);
        queues
            .map(|queue| self.sim.broker.snapshot(&queue))
            .collect()
    }

    async fn until(&self, ms: u64) {
        tokio::time::sleep_until(self.began + Duration::from_millis(ms)).await;
    }
}

async fn stop(process: Arc<Process>, handle: WorkerHandle) {
    let began = Instant::now();
    let report = handle.shutdown().await;
    let took = began.elapsed();
    let (sim, number) = (&process.sim, process.number);
    sim.note(format_args!(
        "p{number} has stopped after {took:?}: {report:?}"
    ));
    if took > SHUTDOWN_TIMEOUT + SHUTDOWN_MORE && process.was_running(began) {
        sim.accuse(format!("the shutdown of p{number} took {took:?}"));
    }
    process.leave();
}

fn client(process: &Arc<Process>, faulty: bool) -> Client {
    let broker = Arc::new(process.sim.broker.clone());
    let process = process.clone();
    let link = Arc::new(Link { process, faulty });
    Client::with_broker(Arc::new(Hooked::new(broker, link)))
}

fn queue(number: usize) -> QueueName {
    QueueName::new(format!("q{number}")).expect("a legal name")
}

/// Nothing waits or runs.
fn is_empty(snapshot: &Snapshot) -> bool {
    snapshot.ready.is_empty()
        && snapshot.delayed.is_empty()
        && snapshot.suspects.is_empty()
        && snapshot.handoffs.is_empty()
        && snapshot.in_flight.is_empty()
}
