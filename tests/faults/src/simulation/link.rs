//! The way of a process's steps to the broker, and what befalls them there.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use jobq::{BrokerError, BrokerErrorKind};
use support::hooked::{Answer, Call, Hook, Step};
use tokio::time::Instant;

use super::process::Process;

/// After this long without an answer a step is given up.
const TIMEOUT: Duration = Duration::from_millis(800);

/// What befalls one step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    None,
    /// It never left, and its sender knows.
    Unsent,
    RequestLost,
    /// Noticed at once, or after the timeout.
    ReplyLost {
        at_once: bool,
    },
    /// Done a second time, whose answer counts.
    Twice,
    /// Given up, and done this much later.
    Late(u64),
    /// Its answer takes so long.
    Slow(u64),
    /// Its sender is killed before it is sent.
    CrashBefore,
    /// Its sender is killed before it is answered.
    CrashAfter,
}

/// What stands between one process and the broker.
#[derive(Debug)]
pub(crate) struct Link {
    pub(crate) process: Arc<Process>,
    /// Else each step is done at once.
    pub(crate) faulty: bool,
}

#[async_trait]
impl Hook for Link {
    async fn around(&self, call: Call) -> Answer {
        let process = &self.process;
        if !self.faulty {
            return execute(process, &call, "").await;
        }
        let sent = Instant::now();
        process.sim.asked(process, call.step());
        process.go().await;
        let answer = process.alive(self.carry(&call)).await;
        process.go().await;
        process.sim.answered(process, call.step(), &answer, sent);
        answer
    }
}

impl Link {
    async fn carry(&self, call: &Call) -> Answer {
        let sim = &self.process.sim;
        let (there, back, fate) = sim.draw_fate(self.process.is_cut_off());
        let fate = match (call.step(), fate) {
            // Not safe to send again.
            (Step::Enqueue { .. }, Fate::Twice) => Fate::ReplyLost { at_once: true },
            _ => fate,
        };
        if fate != Fate::None {
            sim.note(format_args!(
                "p{} {} meets {fate:?}",
                self.process.number,
                call.step().name()
            ));
        }
        tokio::time::sleep(there).await;
        match fate {
            Fate::Unsent => return call.fail(unsent),
            Fate::RequestLost => {
                tokio::time::sleep(TIMEOUT).await;
                return call.fail(unanswered);
            }
            Fate::CrashBefore => {
                self.process.kill();
                return std::future::pending().await;
            }
            Fate::Late(delay) => {
                let (process, late) = (self.process.clone(), call.clone());
                tokio::spawn(async move {
                    tokio::time::sleep(TIMEOUT + Duration::from_millis(delay)).await;
                    execute(&process, &late, " late").await;
                });
                tokio::time::sleep(TIMEOUT).await;
                return call.fail(unanswered);
            }
            _ => {}
        }
        let mut answer = execute(&self.process, call, "").await;
        tokio::time::sleep(back).await;
        match fate {
            Fate::ReplyLost { at_once } => {
                if !at_once {
                    tokio::time::sleep(TIMEOUT).await;
                }
                answer = call.fail(unanswered);
            }
            Fate::Twice => answer = execute(&self.process, call, " again").await,
            Fate::Slow(more) => tokio::time::sleep(Duration::from_millis(more)).await,
            Fate::CrashAfter => {
                self.process.kill();
                return std::future::pending().await;
            }
            _ => {}
        }
        answer
    }
}

async fn execute(process: &Process, call: &Call, how: &str) -> Answer {
    let answer = call.run().await;
    process.sim.executed(process, call.step(), &answer, how);
    answer
}

fn unsent() -> BrokerError {
    BrokerError::new(BrokerErrorKind::Unavailable, "simulated: not connected")
}

fn unanswered() -> BrokerError {
    BrokerError::new(BrokerErrorKind::Timeout, "simulated: no answer").with_outcome_unknown()
}
