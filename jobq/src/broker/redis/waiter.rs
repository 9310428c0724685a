//! Where an idle worker waits: a blocking call on a connection of its own.

use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use redis::Value;
use tokio::sync::Notify;
use tokio::time::{Instant, sleep};

use super::connection::{Link, Live};
use super::fault::{Fault, corrupt};
use super::step::Step;
use crate::broker::{Waiter, Wake};
use crate::error::BrokerError;

/// How long a call that was told to end may go on before it is told again: it may not have
/// arrived when it was told.
const UNBLOCK_EVERY: Duration = Duration::from_millis(10);

/// After so long without an answer the connection is asked for one before a wait is trusted to it.
const SILENT_FOR: Duration = Duration::from_secs(1);

/// How much later than its own time a wait may end: Redis looks ten times a second which have.
const LATE_BY: Duration = Duration::from_secs(1);

#[derive(Debug)]
pub(super) struct RedisWaiter {
    ready: String,
    handoff: String,
    /// Where it blocks.
    blocking: Link,
    /// When a wait was last answered.
    heard: Mutex<Option<Instant>>,
    /// Where it is told to end.
    commands: Arc<Link>,
    /// Keeps one interrupt that found nobody waiting: the wait it was meant for may be about to
    /// begin. At worst one later wait ends at once.
    interrupted: Notify,
}

impl RedisWaiter {
    pub(super) fn new(commands: &Arc<Link>, ready: String, handoff: String) -> Self {
        Self {
            ready,
            handoff,
            blocking: commands.another(),
            heard: Mutex::default(),
            commands: commands.clone(),
            interrupted: Notify::new(),
        }
    }

    fn step(&self, timeout: Duration) -> Step {
        // A timeout of 0 would block for ever.
        let seconds = timeout.max(Duration::from_millis(1)).as_secs_f64();
        let step = Step::command("BLMOVE").arg(&self.ready).arg(&self.handoff);
        // To the left: what is moved first is the first out on the right, as in ready.
        step.arg("RIGHT").arg("LEFT").arg(seconds)
    }

    /// A connection that nobody needed for a while, such as that of a busy worker, may be forgotten by a
    /// firewall: a wait there would be told of nothing.
    fn doubt_after_silence(&self) {
        let heard = *self.heard.lock().expect("no one panics with this lock");
        if heard.is_some_and(|at| at.elapsed() > SILENT_FOR) {
            self.blocking.doubt();
        }
    }

    fn note_answer(&self) {
        let mut heard = self.heard.lock().expect("no one panics with this lock");
        *heard = Some(Instant::now());
    }

    /// Tells the call on `live` to end until it is gone: dropped, when its answer is there.
    async fn unblock(&self, live: &Live) {
        loop {
            let step = Step::command("CLIENT").arg("UNBLOCK").arg(live.client_id);
            // An error changes nothing: the call ends by its own timeout at the latest.
            drop(self.commands.call_one(step).await);
            sleep(UNBLOCK_EVERY).await;
        }
    }

    async fn blocked(&self, live: &Live, timeout: Duration) -> Result<Value, Fault> {
        let deadline = Instant::now() + timeout + self.blocking.timeout().min(LATE_BY);
        let step = self.step(timeout);
        let mut answer = pin!(self.blocking.call_until(live, step, deadline));
        tokio::select! {
            biased;
            value = &mut answer => return value,
            () = self.interrupted.notified() => {}
        }
        tokio::select! {
            biased;
            value = &mut answer => value,
            () = self.unblock(live) => unreachable!("goes on until the answer is there"),
        }
    }
}

#[async_trait]
impl Waiter for RedisWaiter {
    async fn wait(&self, timeout: Duration) -> Result<Wake, BrokerError> {
        self.doubt_after_silence();
        let opening = Instant::now() + self.blocking.timeout();
        let live = tokio::select! {
            biased;
            // Nothing is sent yet, so there is nothing to wait for.
            () = self.interrupted.notified() => return Ok(Wake::TimedOut),
            live = self.blocking.live(opening) => live?,
        };
        let answer = self.blocked(&live, timeout).await;
        if answer.is_ok() {
            self.note_answer();
        }
        match answer {
            Ok(Value::BulkString(_)) => Ok(Wake::Handed),
            Ok(Value::Nil) => Ok(Wake::TimedOut),
            Ok(_) => Err(corrupt("the answer of a blocking move")),
            Err(fault) if fault.is_out_of_memory() => Ok(Wake::Refused),
            Err(fault) => {
                // Left open, the server would go on blocking for nobody.
                if fault.outcome_unknown() {
                    self.blocking.drop_live(&live);
                }
                Err(fault.into())
            }
        }
    }

    async fn interrupt(&self) -> Result<(), BrokerError> {
        self.interrupted.notify_one();
        Ok(())
    }
}
