//! Where idle workers wait, each for one job.

use std::pin::pin;
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::{Notify, oneshot};

use super::MemoryBroker;
use super::queue::Queue;
use crate::broker::{Waiter, Wake};
use crate::error::BrokerError;
use crate::id::{QueueName, WorkerId};

/// One worker's place on one queue.
#[derive(Debug)]
pub(super) struct MemoryWaiter {
    broker: MemoryBroker,
    queue: QueueName,
    worker: WorkerId,
    /// Keeps one interrupt that found nobody waiting.
    interrupted: Notify,
}

impl MemoryWaiter {
    pub(super) fn new(broker: MemoryBroker, queue: &QueueName, worker: &WorkerId) -> Self {
        Self {
            broker,
            queue: queue.clone(),
            worker: worker.clone(),
            interrupted: Notify::new(),
        }
    }
}

#[async_trait]
impl Waiter for MemoryWaiter {
    async fn wait(&self, timeout: Duration) -> Result<Wake, BrokerError> {
        let mut interrupted = pin!(self.interrupted.notified());
        if interrupted.as_mut().enable() {
            return Ok(Wake::TimedOut);
        }
        let (waiting, mut woken) = Waiting::new(&self.worker);
        // The step itself hands over what is ready already.
        self.broker
            .step(&self.queue, |queue, _| queue.wait(waiting));
        tokio::select! {
            biased;
            _ = &mut woken => return Ok(Wake::Handed),
            () = tokio::time::sleep(timeout) => {}
            () = interrupted => {}
        }
        // Under the lock, so that a job handed over at the last moment is not overlooked.
        Ok(self.broker.step(&self.queue, |_, _| {
            woken.close();
            woken.try_recv().map_or(Wake::TimedOut, |()| Wake::Handed)
        }))
    }

    async fn interrupt(&self) -> Result<(), BrokerError> {
        self.interrupted.notify_one();
        Ok(())
    }
}

/// A wait under way.
#[derive(Debug)]
pub(super) struct Waiting {
    pub(super) worker: WorkerId,
    woken: oneshot::Sender<()>,
}

impl Waiting {
    fn new(worker: &WorkerId) -> (Self, oneshot::Receiver<()>) {
        let (woken, answer) = oneshot::channel();
        let worker = worker.clone();
        (Self { worker, woken }, answer)
    }

    /// Its time is up, or its future was dropped.
    pub(super) fn is_over(&self) -> bool {
        self.woken.is_closed()
    }

    /// Says that a job lies in the handoff. One who has gone meanwhile finds it with a claim.
    pub(super) fn wake(self) {
        let _ = self.woken.send(());
    }
}

impl Queue {
    pub(super) fn wait(&mut self, waiting: Waiting) {
        self.waiting.retain(|other| !other.is_over());
        self.waiting.push_back(waiting);
    }

    /// Hands each job that is ready to one who waits, the longest waiting first.
    pub(super) fn wake_waiters(&mut self) {
        while !self.ready.is_empty() {
            let Some(waiting) = self.waiting.pop_front() else {
                return;
            };
            if waiting.is_over() {
                continue;
            }
            let owned = self.owned.entry(waiting.worker.clone()).or_default();
            owned.handoff.extend(self.ready.pop_front());
            waiting.wake();
        }
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::broker::{Due, Entry};
    use crate::timestamp::At;

    #[test]
    fn a_wait_that_ends_as_it_is_handed_a_job_is_told() {
        let mut queue = Queue::default();
        let (waiting, mut woken) = Waiting::new(&WorkerId::random());
        queue.wait(waiting);
        let entry = Entry {
            envelope: Bytes::from_static(b"a"),
            due: Due::Now,
        };
        queue.enqueue(&[entry], At::from_ms(1));
        queue.wake_waiters();
        woken.close();
        assert_eq!(woken.try_recv(), Ok(()));
    }
}
