//! How new jobs get into Redis.
//!
//! A few calls at once go out each by itself, at once. Where more come, the single jobs of the others
//! are gathered while what was sent before is on its way, and then go together: an LPUSH of fifty
//! jobs costs both sides a fraction of fifty. Each caller is told of its own job, within its timeout.

use std::collections::{BTreeMap, HashSet, VecDeque};
use std::mem;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use bytes::Bytes;
use redis::Value;
use tokio::runtime::Handle;
use tokio::sync::oneshot;
use tokio::time::{Instant, timeout_at};

use super::connection::Link;
use super::fault::Fault;
use super::keys::{self, QueueKeys};
use super::step::Step;
use super::{scripts, warnings};
use crate::broker::{Due, Entry, MAX_BATCH, MAX_BATCH_BYTES, how_many_fit};
use crate::id::QueueName;

/// So many calls at once go out by themselves: among few, none waits for another's answer.
const ALONE: usize = 8;

/// How much later than its timeout a caller gives up that was told nothing: the runtime of the sender
/// stands still.
const GRACE: Duration = Duration::from_millis(500);

/// What enqueues to one server, for all callers of a client.
#[derive(Debug)]
pub(super) struct Producer {
    link: Arc<Link>,
    /// Queues that this process has added to the set of queues.
    announced: Mutex<HashSet<QueueName>>,
    /// Calls under way that went out by themselves.
    alone: AtomicUsize,
    gathered: Mutex<Gathered>,
}

/// Jobs that wait for what was sent before them.
#[derive(Debug, Default)]
struct Gathered {
    waiting: VecDeque<Push>,
    /// Whether a task sends them.
    has_sender: bool,
}

/// One job, and who is to be told.
#[derive(Debug)]
struct Push {
    queue: QueueName,
    envelope: Bytes,
    came: Instant,
    /// Closed when the caller has given up.
    told: oneshot::Sender<Result<(), Fault>>,
}

impl Producer {
    pub(super) fn new(link: Arc<Link>) -> Self {
        Self {
            link,
            announced: Mutex::default(),
            alone: AtomicUsize::new(0),
            gathered: Mutex::default(),
        }
    }

    pub(super) async fn enqueue(
        self: &Arc<Self>,
        queue: &QueueName,
        entries: &[Entry],
    ) -> Result<(), Fault> {
        let alone = Alone::among(&self.alone);
        match entries {
            [entry] if alone.others >= ALONE && entry.due == Due::Now => {
                drop(alone);
                self.gather(queue, entry.envelope.clone()).await
            }
            _ => self.send(queue, entries).await,
        }
    }

    async fn send(&self, queue: &QueueName, entries: &[Entry]) -> Result<(), Fault> {
        let keys = self.keys(queue);
        let mut steps: Vec<Step> = [
            scripts::push(&keys, entries),
            scripts::delay(&keys, entries),
        ]
        .into_iter()
        .flatten()
        .collect();
        let jobs = steps.len();
        steps.extend(self.announcement(queue));
        let mut answers = self.link.call(steps).await;
        for announcement in answers.drain(jobs..) {
            self.announced(queue, announcement);
        }
        all_or_unknown(answers)
    }

    /// Leaves the job to the task that sends, and waits for the answer.
    async fn gather(self: &Arc<Self>, queue: &QueueName, envelope: Bytes) -> Result<(), Fault> {
        let Ok(runtime) = Handle::try_current() else {
            return Err(Fault::no_runtime());
        };
        let came = Instant::now();
        let (tell, told) = oneshot::channel();
        let push = Push {
            queue: queue.clone(),
            envelope,
            came,
            told: tell,
        };
        self.wait(push, &runtime);
        match timeout_at(came + self.link.timeout() + GRACE, told).await {
            Ok(Ok(answer)) => answer,
            // It was taken, and its sender ended before it could tell.
            Ok(Err(_)) => Err(Fault::runtime_ended().with_outcome_unknown()),
            Err(_) => Err(Fault::unanswered(self.link.config(), came.elapsed())),
        }
    }

    fn wait(self: &Arc<Self>, push: Push, runtime: &Handle) {
        let has_sender = {
            let mut gathered = self.gathered();
            gathered.waiting.push_back(push);
            mem::replace(&mut gathered.has_sender, true)
        };
        // Not under the lock: a runtime that shuts down drops the task at once, which takes it too.
        if !has_sender {
            runtime.spawn(Sender::new(self.clone()).run());
        }
    }

    /// What goes out next, and until when it is to be answered: the first of them has waited longest.
    /// `None` if nothing waits: then whoever comes next starts a sender.
    fn take(&self) -> Option<(Vec<Push>, Instant)> {
        let mut gathered = self.gathered();
        let given_up = gathered
            .waiting
            .iter()
            .take_while(|push| push.told.is_closed());
        let given_up = given_up.count();
        drop(gathered.waiting.drain(..given_up));
        let Some(first) = gathered.waiting.front() else {
            gathered.has_sender = false;
            return None;
        };
        // After a server was silent, who came late is not to fail with who came first.
        let (came, timeout) = (first.came, self.link.timeout());
        let next = gathered.waiting.iter().take(MAX_BATCH as usize);
        let next = next.take_while(|push| push.came - came <= timeout / 2);
        let fit = how_many_fit(next.map(|push| push.envelope.len()), MAX_BATCH_BYTES);
        let taken = gathered.waiting.drain(..fit);
        let pushes = taken.filter(|push| !push.told.is_closed()).collect();
        Some((pushes, came + timeout))
    }

    /// One LPUSH for each queue. They are refused, or not, queue by queue.
    async fn send_together(&self, pushes: Vec<Push>, deadline: Instant) {
        let mut by_queue = BTreeMap::<_, (Vec<Entry>, Vec<_>)>::new();
        for Push {
            queue,
            envelope,
            told,
            ..
        } in pushes
        {
            let (entries, callers) = by_queue.entry(queue).or_default();
            let due = Due::Now;
            entries.push(Entry { envelope, due });
            callers.push(told);
        }
        let steps = by_queue
            .iter()
            .filter_map(|(queue, (entries, _))| scripts::push(&self.keys(queue), entries));
        let mut steps: Vec<Step> = steps.collect();
        let news = by_queue
            .keys()
            .filter_map(|queue| Some((queue.clone(), self.announcement(queue)?)));
        let (announced, announcements): (Vec<_>, Vec<_>) = news.unzip();
        steps.extend(announcements);
        let mut answers = self.link.call_by(steps, deadline).await.into_iter();
        for ((_, callers), answer) in by_queue.into_values().zip(&mut answers) {
            let answer = answer.map(drop);
            for told in callers {
                // A caller that has given up meanwhile is not there to be told.
                let _ = told.send(answer.clone());
            }
        }
        for (queue, answer) in announced.iter().zip(answers) {
            self.announced(queue, answer);
        }
    }

    /// Adds the queue to the set of queues, unless this process has done so.
    fn announcement(&self, queue: &QueueName) -> Option<Step> {
        let announced = self.announced.lock().expect("no one panics with this lock");
        if announced.contains(queue) {
            return None;
        }
        let queues = keys::queues(self.link.config().namespace());
        Some(Step::command("SADD").arg(queues).arg(queue.as_str()))
    }

    /// Only people look at the set of queues: the jobs are enqueued whether it is told or not. The
    /// next enqueue tells it again, unless the user may not.
    fn announced(&self, queue: &QueueName, answer: Result<Value, Fault>) {
        match answer {
            Ok(_) => {}
            Err(fault) if fault.is_forbidden() => {
                let config = self.link.config();
                let rule = format!("+sadd or %W~{}", keys::queues(config.namespace()));
                let effect = format!("queue {queue} is not listed for who looks");
                tracing::warn!("{}", warnings::lacking(config, &rule, &effect));
            }
            Err(_) => return,
        }
        let mut announced = self.announced.lock().expect("no one panics with this lock");
        announced.insert(queue.clone());
    }

    fn keys(&self, queue: &QueueName) -> QueueKeys {
        QueueKeys::new(self.link.config().namespace(), queue)
    }

    fn gathered(&self) -> MutexGuard<'_, Gathered> {
        self.gathered.lock().expect("no one panics with this lock")
    }
}

/// One of the calls that go out by themselves, while it lasts.
struct Alone<'a> {
    calls: &'a AtomicUsize,
    /// How many there were when it came.
    others: usize,
}

impl<'a> Alone<'a> {
    fn among(calls: &'a AtomicUsize) -> Self {
        let others = calls.fetch_add(1, Ordering::Relaxed);
        Self { calls, others }
    }
}

impl Drop for Alone<'_> {
    fn drop(&mut self) {
        self.calls.fetch_sub(1, Ordering::Relaxed);
    }
}

/// The task that sends what is gathered, until nothing is. It outlives callers that give up, so
/// that none takes the others' jobs with it.
struct Sender {
    producer: Arc<Producer>,
    ended: bool,
}

impl Sender {
    fn new(producer: Arc<Producer>) -> Self {
        let ended = false;
        Self { producer, ended }
    }

    async fn run(mut self) {
        while let Some((pushes, deadline)) = self.producer.take() {
            self.producer.send_together(pushes, deadline).await;
        }
        self.ended = true;
    }
}

impl Drop for Sender {
    /// If its runtime ends first, those that wait are told; the next call starts another.
    fn drop(&mut self) {
        if self.ended {
            return;
        }
        let mut gathered = self.producer.gathered();
        gathered.has_sender = false;
        for push in mem::take(&mut gathered.waiting) {
            let _ = push.told.send(Err(Fault::runtime_ended()));
        }
    }
}

/// One result of an enqueue's parts: an error that leaves it open whether anything was enqueued,
/// if only some parts were refused.
fn all_or_unknown(answers: Vec<Result<Value, Fault>>) -> Result<(), Fault> {
    let some = answers.iter().any(Result::is_ok);
    match answers.into_iter().find_map(Result::err) {
        None => Ok(()),
        Some(fault) if some => Err(fault.with_outcome_unknown()),
        Some(fault) => Err(fault),
    }
}
