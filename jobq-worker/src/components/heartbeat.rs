//! Says that the worker lives.
//!
//! One tick:
//! 1. renew the lease on every queue, at once; over a new connection too if the open one is silent;
//! 2. note what was answered: until when the lease is trusted, whether the sizes match what is
//!    held, whether the worker was reaped;
//! 3. tell of the worker and its work (`report.rs`), and do what was ordered;
//! 4. look whether the runtime that runs the jobs still turns.
//!
//! For a store outside the process it runs on a thread and a connection of its own, so that a job
//! which blocks the runtime cannot let the lease lapse.

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use futures_util::future::join_all;
use jobq::BrokerError;
use jobq::broker::{Broker, Renewed};
use tokio::time::{Instant, sleep};

use crate::component::{self, Component};
use crate::error::RunError;
use crate::membership::Alive;
use crate::report;
use crate::settings::Settings;
use crate::shared::Shared;

/// The loop that renews.
#[derive(Debug)]
pub(crate) struct Heartbeat {
    shared: Arc<Shared>,
    broker: Arc<dyn Broker>,
    /// Set by a task on the jobs' runtime; `None` where the heartbeat runs there itself.
    echo: Option<Arc<AtomicBool>>,
    stalled: u32,
}

/// Where a heartbeat runs.
#[derive(Debug)]
pub(crate) enum Pulse {
    Task(tokio::task::JoinHandle<()>),
    Thread(JoinHandle<()>),
}

/// Starts the heartbeat of a worker.
pub(crate) fn start(shared: &Arc<Shared>) -> Result<Pulse, RunError> {
    let shared = shared.clone();
    if shared.broker().is_in_process() {
        let broker = shared.broker().clone();
        let heartbeat = Heartbeat {
            shared: shared.clone(),
            broker,
            echo: None,
            stalled: 0,
        };
        return Ok(Pulse::Task(
            shared
                .runtime
                .spawn(component::run(heartbeat, shared.clone())),
        ));
    }
    let system = |what| move |source| RunError::System { what, source };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(system("a runtime for the heartbeat"))?;
    std::thread::Builder::new()
        .name("jobq-heartbeat".to_owned())
        .spawn(move || {
            runtime.block_on(on_its_own(shared));
            // The look-up of a name cannot be called off, and may take longer than a shutdown.
            runtime.shutdown_background();
        })
        .map(Pulse::Thread)
        .map_err(system("a thread for the heartbeat"))
}

/// Connects, for as long as it takes, and beats until the worker has stopped.
async fn on_its_own(shared: Arc<Shared>) {
    let Some(broker) = component::connect(&shared, Heartbeat::NAME).await else {
        return;
    };
    let echo = Some(Arc::new(AtomicBool::new(true)));
    component::run(
        Heartbeat {
            shared: shared.clone(),
            broker,
            echo,
            stalled: 0,
        },
        shared,
    )
    .await;
}

impl Pulse {
    /// Waits until the heartbeat has ended; it does once the worker has stopped.
    pub(crate) async fn ended(self) {
        let ended = match self {
            Self::Task(task) => task.await.is_ok(),
            Self::Thread(thread) => {
                let join = tokio::task::spawn_blocking(move || thread.join().is_ok());
                join.await.unwrap_or(false)
            }
        };
        if !ended {
            tracing::error!("the heartbeat panicked");
        }
    }
}

impl Component for Heartbeat {
    const NAME: &'static str = "heartbeat";

    async fn tick(&mut self) -> Result<Duration, BrokerError> {
        self.listen();
        let began = Instant::now();
        let mut result = self.renew_all().await;
        // A refusal is an answer, and of one queue: the others have something to tell.
        if result
            .as_ref()
            .err()
            .is_none_or(|error| !error.is_retryable())
        {
            self.shared.hear();
            result = result.and(self.tell(began).await);
        }
        if let Err(error) = result {
            // No backoff: while one queue is damaged, the leases of the others must not run out.
            self.shared.outage.failed(Self::NAME, &error, began);
        }
        // From start to start: what a renewal that took long answers may be old, as where the process
        // was stopped meanwhile, and whether it was reaped is asked again at once.
        let renew_every = self.shared.settings.renew_every;
        Ok(renew_every.saturating_sub(began.elapsed()))
    }
}

impl Heartbeat {
    /// Renews on every queue; over a new connection too where the open one says nothing, for it may
    /// be dead, and the lease would run out before its calls have. The new one is kept if it answers,
    /// be it with a refusal: that is of one queue.
    async fn renew_all(&mut self) -> Result<(), BrokerError> {
        let open = self.broker.clone();
        let mut renewed = pin!(renew_over(&self.shared, &*open));
        let renewed_anew = async {
            sleep(patience(&self.shared.settings)).await;
            let broker = open.fork().await?;
            match renew_over(&self.shared, &*broker).await {
                Err(error) if error.is_retryable() => Err(error),
                answered => Ok((broker, answered)),
            }
        };
        tokio::select! {
            biased;
            renewed = &mut renewed => return renewed,
            anew = renewed_anew => if let Ok((broker, answered)) = anew {
                self.broker = broker;
                return answered;
            }
        }
        renewed.await
    }

    /// Tells of the worker and its work. The next renewal does not wait for it.
    async fn tell(&self, began: Instant) -> Result<(), BrokerError> {
        let next = began + self.shared.settings.renew_every;
        let told = report::tell(&self.shared, &*self.broker);
        let told = tokio::time::timeout_at(next, told).await;
        // What is not answered by then is told again.
        told.unwrap_or(Ok(()))
    }

    /// Has the jobs' runtime answer until the next tick, and says so when it did not.
    fn listen(&mut self) {
        let Some(echo) = &self.echo else { return };
        if echo.swap(false, Ordering::AcqRel) {
            self.stalled = 0;
            let echo = echo.clone();
            self.shared
                .runtime
                .spawn(async move { echo.store(true, Ordering::Release) });
            return;
        }
        self.stalled += 1;
        if self.stalled == 1 {
            tracing::warn!(
                "the runtime is stalled: a handler blocks its threads; put #[job(blocking)] on it"
            );
        }
    }
}

/// How long the open connection may be silent: so that a new one has the most of what is left of the
/// lease when the answer to a renew does not come.
fn patience(settings: &Settings) -> Duration {
    settings.lease.saturating_sub(settings.renew_every) / 4
}

async fn renew_over(shared: &Arc<Shared>, broker: &dyn Broker) -> Result<(), BrokerError> {
    let renewals = (0..shared.memberships.len()).map(|index| renew(shared, broker, index));
    join_all(renewals).await.into_iter().collect()
}

async fn renew(shared: &Arc<Shared>, broker: &dyn Broker, index: usize) -> Result<(), BrokerError> {
    let membership = &shared.memberships[index];
    let member = membership.member();
    if member.known == 0 {
        // Not a member yet: its first claim makes it one.
        return Ok(());
    }
    let sent = Instant::now();
    let renewed = broker.renew(&member).await?;
    shared.outage.answered(sent);
    match renewed {
        Renewed::Reaped => shared.reaped(index, &member.worker),
        Renewed::Alive {
            counter,
            in_flight,
            handoff,
            suspects,
            paused,
        } => {
            let alive = Alive {
                counter,
                in_flight,
                handoff,
            };
            membership.renewed(&member.worker, sent, alive);
            shared.note_suspects(index, suspects, paused);
            shared.note_paused(index, paused, sent);
            if handoff > 0 {
                // Perhaps of a wait that the broker carried out after it was given up here:
                // then nobody was told of it.
                if !shared.shutdown.is_claiming() {
                    return shared.empty_handoff(broker, index).await;
                }
                shared.lanes[index].set_handed();
                shared.heat(index);
            }
        }
    }
    Ok(())
}
