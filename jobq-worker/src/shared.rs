//! What the components of one running worker share.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::future::join_all;
use jobq::broker::{Broker, Claim, Claimed};
use jobq::runtime::States;
use jobq::{At, BrokerError, Client, WorkerId};
use tokio::runtime::Handle;
use tokio::sync::Notify;
use tokio::time::Instant;

use crate::executor::Failures;
use crate::lane::Lane;
use crate::membership::{Membership, Task};
use crate::meters::{Meters, ns};
use crate::outage::Outage;
use crate::outbox::Outbox;
use crate::registry::Registry;
use crate::report::{Ledger, Tallies};
use crate::schedule::Schedule;
use crate::settings::Settings;
use crate::shutdown::Shutdown;
use crate::slots::Slots;
use crate::telemetry::{Counters, WorkerStats};

/// After its lease was lost a job is asked to end; what has not after this long is aborted.
const GRACE: Duration = Duration::from_secs(1);

/// One running worker.
#[derive(Debug)]
pub(crate) struct Shared {
    /// By which it is known from its start to its end. Its memberships begin with it too.
    pub(crate) id: WorkerId,
    /// The second by the clock of the broker.
    pub(crate) started: (Instant, At),
    pub(crate) client: Client,
    pub(crate) settings: Settings,
    pub(crate) registry: Arc<Registry>,
    pub(crate) states: States,
    /// By queue, in the order of the settings; so are the lanes and the schedule.
    pub(crate) memberships: Vec<Membership>,
    pub(crate) lanes: Vec<Lane>,
    pub(crate) slots: Arc<Slots>,
    pub(crate) outbox: Outbox,
    pub(crate) counters: Counters,
    pub(crate) tallies: Tallies,
    pub(crate) meters: Meters,
    /// By queue.
    pub(crate) ledgers: Vec<Ledger>,
    pub(crate) failures: Failures,
    pub(crate) outage: Outage,
    pub(crate) shutdown: Shutdown,
    /// There may be something to claim or to settle.
    pub(crate) work: Arc<Notify>,
    /// A queue has suspects.
    pub(crate) suspected: Notify,
    /// The worker empties itself to run a suspect alone: no ordinary claims.
    pub(crate) secluded: AtomicBool,
    /// A component has panicked.
    pub(crate) broken: AtomicBool,
    /// When a heartbeat was answered last.
    heard: Mutex<Instant>,
    pub(crate) runtime: Handle,
    schedule: Mutex<Schedule>,
}

impl Shared {
    /// A worker about to start: every queue may have jobs.
    pub(crate) fn new(
        shutdown: Shutdown,
        client: Client,
        settings: Settings,
        registry: Arc<Registry>,
        states: States,
    ) -> Arc<Self> {
        let worker = WorkerId::leased(settings.lease);
        let work = Arc::new(Notify::new());
        let weights: Vec<u32> = settings.queues.iter().map(|queue| queue.weight).collect();
        let trust = settings.trust();
        let member = |q: &crate::schedule::QueueWeight| {
            Membership::new(q.queue.clone(), worker.clone(), trust)
        };
        let mut schedule = Schedule::new(&weights, settings.strict, settings.concurrency);
        (0..weights.len()).for_each(|index| schedule.set_hot(index, true));
        let started = (Instant::now(), client.broker().now());
        Arc::new(Self {
            started,
            meters: Meters::new(weights.len(), started),
            tallies: Tallies::new(weights.len(), registry.names()),
            ledgers: weights.iter().map(|_| Ledger::default()).collect(),
            client,
            registry,
            states,
            memberships: settings.queues.iter().map(member).collect(),
            lanes: weights.iter().map(|_| Lane::default()).collect(),
            slots: Slots::new(settings.concurrency, work.clone()),
            outbox: Outbox::default(),
            counters: Counters::default(),
            failures: Failures::default(),
            outage: Outage::new(settings.patience()),
            shutdown,
            work,
            suspected: Notify::new(),
            secluded: AtomicBool::new(false),
            broken: AtomicBool::new(false),
            heard: Mutex::new(started.0),
            runtime: Handle::current(),
            schedule: Mutex::new(schedule),
            settings,
            id: worker,
        })
    }

    pub(crate) fn broker(&self) -> &Arc<dyn Broker> {
        self.client.broker()
    }

    pub(crate) fn schedule(&self) -> MutexGuard<'_, Schedule> {
        self.schedule.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes that a queue may have jobs, and has the fetcher look.
    pub(crate) fn heat(&self, index: usize) {
        self.schedule().set_hot(index, true);
        self.work.notify_one();
    }

    /// Notes how many suspects wait on a queue. While it is paused none may run, and nobody is to
    /// make room for them.
    pub(crate) fn note_suspects(&self, index: usize, suspects: u64, paused: bool) {
        let suspects = if paused { 0 } else { suspects };
        self.memberships[index]
            .suspects
            .store(suspects, Ordering::Relaxed);
        if suspects > 0 {
            self.suspected.notify_one();
        }
    }

    /// Says once that a queue is paused, and once that it is no more: else nobody would see why none
    /// of its jobs starts.
    pub(crate) fn note_paused(&self, index: usize, paused: bool, sent: Instant) {
        let queue = &self.memberships[index].queue;
        let Some(before) = self.lanes[index].note_paused(paused, sent) else {
            return;
        };
        match (before, paused) {
            (None, true) => {
                tracing::warn!(job.queue = %queue, "the queue is paused: none of its jobs starts until somebody resumes it");
            }
            (Some(_), true) => {
                tracing::info!(job.queue = %queue, "the queue was paused: none of its jobs starts until somebody resumes it");
            }
            (Some(_), false) => tracing::info!(job.queue = %queue, "the queue was resumed"),
            (None, false) => {}
        }
    }

    /// Whether ordinary claims may be sent.
    pub(crate) fn may_claim(&self) -> bool {
        self.shutdown.is_claiming() && !self.secluded.load(Ordering::Acquire)
    }

    /// The worker was adopted on one queue: its jobs there are told to end, and it goes on under a
    /// new id.
    pub(crate) fn reaped(self: &Arc<Self>, index: usize, worker: &WorkerId) {
        let membership = &self.memberships[index];
        let Some(former) = membership.reaped(worker) else {
            return;
        };
        self.meters.leases_lost.add(1);
        tracing::warn!(
            job.queue = %membership.queue, %worker, now = %former.successor, jobs = former.held,
            "lease lost: this worker is no longer registered: its jobs were taken over, or the server \
             lost its data; going on under a new id"
        );
        let shared = self.clone();
        self.runtime.spawn(async move {
            // A waiter of the old id would hand jobs to nobody.
            shared.lanes[index].interrupt().await;
            shared.heat(index);
        });
        self.abort_soon(former.tasks);
    }

    /// Aborts jobs whose lease was lost, if they have not ended by then.
    pub(crate) fn abort_soon(&self, tasks: Vec<Task>) {
        if tasks.is_empty() {
            return;
        }
        self.runtime.spawn(async move {
            tokio::time::sleep(GRACE).await;
            tasks.iter().for_each(Task::abort);
        });
    }

    /// Ends every wait, and gives back what waits had handed over. To be called once
    /// [`Shared::may_claim`] says no. A queue that refuses it keeps no other from it.
    pub(crate) async fn empty_handoffs(self: &Arc<Self>) -> Result<(), BrokerError> {
        join_all(self.lanes.iter().map(Lane::interrupt)).await;
        let mut result = Ok(());
        for index in 0..self.lanes.len() {
            match self.empty_handoff(&**self.broker(), index).await {
                Err(error) if error.is_retryable() => return Err(error),
                Err(error) => result = Err(error),
                Ok(()) => {}
            }
        }
        result
    }

    /// Gives back what waits on one queue had handed over.
    pub(crate) async fn empty_handoff(
        self: &Arc<Self>,
        broker: &dyn Broker,
        index: usize,
    ) -> Result<(), BrokerError> {
        let membership = &self.memberships[index];
        if membership.member().known == 0 {
            return Ok(());
        }
        self.lanes[index].take_handed();
        let (request, member) = membership.ask();
        let claim = Claim {
            member,
            max: 0,
            suspect: false,
        };
        match broker.claim(&claim).await? {
            Claimed::Granted(grant) => drop(request.answered(grant.counter, 0)),
            Claimed::Reaped => self.reaped(index, &request.reaped()),
        }
        Ok(())
    }

    /// Waits until nothing runs here and every outcome is settled.
    pub(crate) async fn at_rest(&self) {
        loop {
            self.slots.all_free().await;
            self.outbox.emptied().await;
            if self.slots.taken() == 0 {
                return;
            }
        }
    }

    /// How long ago it was started, in ns.
    pub(crate) fn elapsed_ns(&self) -> u64 {
        ns(self.started.0.elapsed())
    }

    /// Notes that a heartbeat was answered.
    pub(crate) fn hear(&self) {
        *self.heard.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
    }

    /// When a heartbeat was answered last; before the first, when the worker was started.
    #[cfg(feature = "http")]
    pub(crate) fn heard(&self) -> Instant {
        *self.heard.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn stats(&self) -> WorkerStats {
        self.counters.read(&self.slots)
    }
}
