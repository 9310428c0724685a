//! A broker with somebody in between: each step of a worker or a producer passes a [`Hook`], which
//! may note it, have it done, done late, twice or not at all, end the process, and answer what it
//! likes. What people ask ([`Inspect`](jobq::broker::Inspect)) goes past it.

mod broker;
mod step;

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use jobq::BrokerError;
use jobq::broker::{Broker, Report, Reported, Waiter};

pub use self::step::{Answer, Step};

/// Somebody between a worker and its broker.
#[async_trait]
pub trait Hook: Send + Sync + 'static {
    /// Stands between the asker of a step and its answer. To pass it on is [`Call::run`].
    async fn around(&self, call: Call) -> Answer;

    /// Stands between a worker that reports and the answer. It is no step, for nothing depends on it:
    /// passed on, unless overridden.
    async fn report(&self, report: &Report, broker: &dyn Broker) -> Result<Reported, BrokerError> {
        broker.report(report).await
    }
}

/// A step on its way. Run by whoever has it: now, later, more than once, or never.
#[derive(Debug, Clone)]
pub struct Call {
    step: Step,
    broker: Arc<dyn Broker>,
    /// Whose wait it is, of a wait or an interrupt.
    waiter: Option<Arc<dyn Waiter>>,
}

impl Call {
    /// What is asked.
    #[must_use]
    pub fn step(&self) -> &Step {
        &self.step
    }

    /// Has it done.
    pub async fn run(&self) -> Answer {
        self.step.run(&*self.broker, self.waiter.as_deref()).await
    }

    /// The answer of a broker that could not do it.
    #[must_use]
    pub fn fail(&self, error: impl Fn() -> BrokerError) -> Answer {
        self.step.fail(error)
    }
}

/// The broker that passes everything through a hook. What its `fork` gives does too.
#[derive(Clone)]
pub struct Hooked {
    inner: Arc<dyn Broker>,
    hook: Arc<dyn Hook>,
}

impl Hooked {
    /// Puts `hook` before a broker.
    #[must_use]
    pub fn new(inner: Arc<dyn Broker>, hook: Arc<dyn Hook>) -> Self {
        Self { inner, hook }
    }

    async fn pass(&self, step: Step, waiter: Option<Arc<dyn Waiter>>) -> Answer {
        let broker = self.inner.clone();
        let call = Call {
            step,
            broker,
            waiter,
        };
        self.hook.around(call).await
    }
}

impl fmt::Debug for Hooked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Hooked").field(&self.inner).finish()
    }
}
