//! One connection to the server, opened when it is first needed and again after it is lost. What
//! is behind it (one server now; a sentinel group or a cluster later) only this file knows.
//!
//! Every call ends within the timeout. The response timeout of the client library is off: it
//! would end blocking calls, and it does not say whether anything was sent.

use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use backon::{ExponentialBuilder, Retryable};
use redis::aio::{ConnectionLike, MultiplexedConnection, SendError};
use redis::{AsyncConnectionConfig, PushInfo, PushKind, RedisError, Value};
use tokio::time::{Instant, timeout_at};

use super::clock::Clock;
use super::config::RedisConfig;
use super::endpoint::{Driver, Endpoint};
use super::fault::{Fault, OpenError, judge};
use super::handshake::introduce;
use super::step::{Bundle, Step};

/// After so many calls in a row without an answer the connection is given up: after the first it is
/// asked for one, which need not take as long.
const TIMEOUTS_IN_A_ROW: u32 = 2;

/// How long a connection that is in doubt may take to answer.
const ANSWERS_WITHIN: Duration = Duration::from_millis(500);

/// Calls that may wait for their turn to be written before callers wait in line.
const CALLS_QUEUED: usize = 1024;

/// Bytes gathered before the socket is written to: one batch of small jobs.
const WRITE_BUFFER: usize = 64 * 1024;

/// A connection that is there when it is needed.
#[derive(Debug)]
pub(super) struct Link {
    endpoint: Arc<Endpoint>,
    clock: Arc<Clock>,
    timeout: Duration,
    live: Mutex<Option<Live>>,
    opened: AtomicBool,
    /// Held by the one caller that connects, while the others wait for it.
    connecting: tokio::sync::Mutex<()>,
}

/// An open connection; clones share it.
#[derive(Debug, Clone)]
pub(super) struct Live {
    connection: MultiplexedConnection,
    _driver: Arc<Driver>,
    /// What CLIENT UNBLOCK calls it.
    pub(super) client_id: u64,
    closed: Arc<AtomicBool>,
    timeouts: Arc<AtomicU32>,
}

impl Link {
    pub(super) fn new(endpoint: Arc<Endpoint>, clock: Arc<Clock>, timeout: Duration) -> Self {
        Self {
            endpoint,
            clock,
            timeout,
            live: Mutex::default(),
            opened: AtomicBool::new(false),
            connecting: tokio::sync::Mutex::default(),
        }
    }

    /// The same server over another connection, which the runtime of its first caller drives.
    pub(super) fn another(&self) -> Self {
        Self::new(self.endpoint.clone(), self.clock.clone(), self.timeout)
    }

    pub(super) fn endpoint(&self) -> &Arc<Endpoint> {
        &self.endpoint
    }

    pub(super) fn config(&self) -> &RedisConfig {
        self.endpoint.config()
    }

    pub(super) fn clock(&self) -> &Arc<Clock> {
        &self.clock
    }

    pub(super) fn timeout(&self) -> Duration {
        self.timeout
    }

    /// Connects now, if it is not connected.
    pub(super) async fn connect(&self) -> Result<(), OpenError> {
        let deadline = Instant::now() + self.timeout;
        let _single = self.connecting.lock().await;
        self.open_until(deadline).await.map(drop)
    }

    /// Sends the steps in one go. Each answer is judged by itself.
    pub(super) async fn call(&self, steps: Vec<Step>) -> Vec<Result<Value, Fault>> {
        self.call_by(steps, Instant::now() + self.timeout).await
    }

    /// [`Link::call`] that is to be answered by `deadline`, at most the timeout from now.
    pub(super) async fn call_by(
        &self,
        steps: Vec<Step>,
        deadline: Instant,
    ) -> Vec<Result<Value, Fault>> {
        let count = steps.len();
        // The client library takes a pipeline without commands for a mistake.
        if count == 0 {
            return Vec::new();
        }
        let answers = self.answers(Bundle::new(steps), deadline).await;
        answers.unwrap_or_else(|fault| vec![Err(fault); count])
    }

    /// [`Link::call`] with one step.
    pub(super) async fn call_one(&self, step: Step) -> Result<Value, Fault> {
        let answers = self.call(vec![step]).await;
        answers.into_iter().next().expect("one answer for one step")
    }

    /// One step whose answer may take until `deadline`: for blocking calls.
    pub(super) async fn call_until(
        &self,
        live: &Live,
        step: Step,
        deadline: Instant,
    ) -> Result<Value, Fault> {
        let bundle = Bundle::new(vec![step]);
        let answers = self.exchange(live, &bundle, deadline).await?;
        answers.into_iter().next().expect("one answer for one step")
    }

    /// A script that the server does not know is sent again, alone, with its source.
    async fn answers(
        &self,
        bundle: Bundle,
        deadline: Instant,
    ) -> Result<Vec<Result<Value, Fault>>, Fault> {
        let live = self.live(deadline).await?;
        let mut answers = self.exchange(&live, &bundle, deadline).await?;
        let (places, again) = bundle.again(&answers);
        if !places.is_empty() {
            let again = self.exchange(&live, &again, deadline).await;
            let again = again.unwrap_or_else(|fault| vec![Err(fault); places.len()]);
            for (place, answer) in places.into_iter().zip(again) {
                answers[place] = answer;
            }
        }
        Ok(answers)
    }

    /// As many answers as steps, or what kept all of them away.
    async fn exchange(
        &self,
        live: &Live,
        bundle: &Bundle,
        deadline: Instant,
    ) -> Result<Vec<Result<Value, Fault>>, Fault> {
        let mut connection = live.connection.clone();
        let (pipeline, started) = (&bundle.pipeline, Instant::now());
        let answer = connection.req_packed_commands(pipeline, 0, pipeline.len());
        match timeout_at(deadline, answer).await {
            Ok(Ok(values)) if values.len() == pipeline.len() => {
                live.timeouts.store(0, Ordering::Relaxed);
                let judged = bundle
                    .iter()
                    .zip(values)
                    .map(|((command, script), value)| judge(value, command, script, self.config()));
                let answers: Vec<_> = judged.collect();
                self.leave_if_replica(live, &answers);
                Ok(answers)
            }
            Ok(other) => {
                self.drop_live(live);
                let error = other.err().unwrap_or_else(missing_answers);
                Err(Fault::lost(self.config(), error))
            }
            Err(_) => {
                if live.timeouts.fetch_add(1, Ordering::Relaxed) + 1 >= TIMEOUTS_IN_A_ROW {
                    self.drop_live(live);
                }
                Err(Fault::unanswered(self.config(), started.elapsed()))
            }
        }
    }

    /// After a failover the old server may answer on as a replica, for ever.
    fn leave_if_replica(&self, live: &Live, answers: &[Result<Value, Fault>]) {
        let read_only =
            |answer: &Result<_, Fault>| matches!(answer, Err(fault) if fault.is_read_only());
        if answers.iter().any(read_only) {
            self.drop_live(live);
        }
    }

    /// The open connection, if it is in doubt once it has answered, or a new one.
    pub(super) async fn live(&self, deadline: Instant) -> Result<Live, Fault> {
        if tokio::runtime::Handle::try_current().is_err() {
            return Err(Fault::no_runtime());
        }
        if let Some(live) = self.current().filter(|live| !live.is_doubtful()) {
            return Ok(live);
        }
        let Ok(_single) = timeout_at(deadline, self.connecting.lock()).await else {
            return Err(Fault::unreachable(self.config(), None));
        };
        if let Some(live) = self.current()
            && (!live.is_doubtful() || self.is_answered(&live, deadline).await)
        {
            return Ok(live);
        }
        let opened = self.open_until(deadline).await;
        opened.map_err(|error| Fault::from_open(self.config(), error))
    }

    /// Has the open connection, if there is one, answer before it is used again.
    pub(super) fn doubt(&self) {
        if let Some(live) = self.current() {
            live.timeouts.fetch_max(1, Ordering::Relaxed);
        }
    }

    /// Whether the connection answers while the call that needs it may wait, whatever it says; one
    /// that does not is given up.
    async fn is_answered(&self, live: &Live, deadline: Instant) -> bool {
        let bundle = Bundle::new(vec![Step::command("CLIENT").arg("ID")]);
        let within = deadline.min(Instant::now() + ANSWERS_WITHIN);
        self.exchange(live, &bundle, within).await.is_ok()
    }

    fn current(&self) -> Option<Live> {
        let mut live = self.live.lock().expect("no one panics with this lock");
        live.take_if(|live| live.closed.load(Ordering::Acquire));
        live.clone()
    }

    pub(super) fn drop_live(&self, dropped: &Live) {
        let mut live = self.live.lock().expect("no one panics with this lock");
        live.take_if(|live| Arc::ptr_eq(&live.closed, &dropped.closed));
    }

    /// Tries until it succeeds, is told that trying is useless, or the time is up.
    async fn open_until(&self, deadline: Instant) -> Result<Live, OpenError> {
        let mut last: Option<RedisError> = None;
        let attempts = (|| self.open(deadline))
            .retry(pauses())
            .when(OpenError::is_transient)
            .notify(|error, _| {
                // That the time was up tells less than what kept the attempts before from succeeding.
                if let OpenError::Redis(error) = error
                    && (last.is_none() || !error.is_timeout())
                {
                    last = Some(error.clone());
                }
            });
        let opened = timeout_at(deadline, attempts).await;
        let opened = opened.unwrap_or_else(|_| Err(too_slow().into()));
        let live = opened.map_err(|error| match (error, last) {
            (OpenError::Redis(error), Some(last)) if error.is_timeout() => last.into(),
            (error, _) => error,
        })?;
        let mut current = self.live.lock().expect("no one panics with this lock");
        *current = Some(live.clone());
        if self.opened.swap(true, Ordering::Relaxed) {
            self.endpoint.reopened.fetch_add(1, Ordering::Relaxed);
        }
        Ok(live)
    }

    async fn open(&self, deadline: Instant) -> Result<Live, OpenError> {
        let closed = Arc::new(AtomicBool::new(false));
        let told = closed.clone();
        let on_push = move |push: PushInfo| {
            if push.kind == PushKind::Disconnection {
                told.store(true, Ordering::Release);
            }
            Ok::<(), SendError>(())
        };
        let settings = connection_settings().set_push_sender(on_push);
        let (mut connection, driver) = self.endpoint.open(settings, deadline).await?;
        let client_id = introduce(&mut connection, &self.clock).await?;
        Ok(Live {
            connection,
            _driver: Arc::new(driver),
            client_id,
            closed,
            timeouts: Arc::default(),
        })
    }
}

impl Live {
    /// The last call over it was not answered.
    fn is_doubtful(&self) -> bool {
        self.timeouts.load(Ordering::Relaxed) > 0
    }
}

/// What every connection of jobq has in common.
pub(super) fn connection_settings() -> AsyncConnectionConfig {
    AsyncConnectionConfig::new()
        .set_connection_timeout(None)
        .set_response_timeout(None)
        .set_pipeline_buffer_size(CALLS_QUEUED)
        .set_write_backpressure_boundary(WRITE_BUFFER)
}

/// How long to wait between attempts to connect: jittered, so that the workers of a server that
/// comes back do not all come at once.
pub(super) fn pauses() -> ExponentialBuilder {
    ExponentialBuilder::default()
        .with_jitter()
        .with_min_delay(Duration::from_millis(20))
        .with_max_delay(Duration::from_secs(1))
        .without_max_times()
}

pub(super) fn missing_answers() -> RedisError {
    RedisError::from(std::io::Error::from(std::io::ErrorKind::UnexpectedEof))
}

fn too_slow() -> RedisError {
    RedisError::from(std::io::Error::from(std::io::ErrorKind::TimedOut))
}
