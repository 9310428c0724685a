//! Tells who listens that the first of delayed has changed: one subscribed connection for all
//! queues, opened when someone first listens. Signals may be lost.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use backon::BackoffBuilder;
use redis::aio::MultiplexedConnection;
use redis::{Msg, PushInfo, PushKind};
use tokio::runtime::Handle;
use tokio::sync::Notify;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::AbortHandle;
use tokio::time::{Instant, sleep, timeout_at};

use super::connection::{connection_settings, pauses};
use super::endpoint::{Driver, Endpoint};
use super::fault::OpenError;
use super::warnings::cannot_listen;

/// How soon to ask again for what the user was not permitted: someone may change that.
const UNTIL_PERMITTED: Duration = Duration::from_secs(60);

type Listeners = Arc<Mutex<HashMap<String, Arc<Notify>>>>;

/// The listeners by channel, and the task that serves them.
#[derive(Debug)]
pub(super) struct Signals {
    endpoint: Arc<Endpoint>,
    timeout: Duration,
    listeners: Listeners,
    task: Mutex<Option<Task>>,
}

#[derive(Debug)]
struct Task {
    added: UnboundedSender<String>,
    abort: AbortHandle,
}

impl Drop for Task {
    fn drop(&mut self) {
        self.abort.abort();
    }
}

impl Signals {
    pub(super) fn new(endpoint: Arc<Endpoint>, timeout: Duration) -> Self {
        Self {
            endpoint,
            timeout,
            listeners: Arc::default(),
            task: Mutex::default(),
        }
    }

    pub(super) fn listen(&self, channel: String) -> Arc<Notify> {
        let mut listeners = self.listeners.lock().expect("no one panics with this lock");
        if let Some(notify) = listeners.get(&channel) {
            return notify.clone();
        }
        let notify = Arc::new(Notify::new());
        listeners.insert(channel.clone(), notify.clone());
        drop(listeners);
        self.serve(channel);
        notify
    }

    fn serve(&self, channel: String) {
        let mut task = self.task.lock().expect("no one panics with this lock");
        task.take_if(|task| task.added.is_closed());
        if let Some(task) = &*task {
            // It is closed only when its runtime ended just now: then signals are lost.
            drop(task.added.send(channel));
            return;
        }
        // Without a runtime there is nobody who could be woken either.
        let Ok(runtime) = Handle::try_current() else {
            return;
        };
        let (added, queue) = unbounded_channel();
        let serving = serve(
            self.endpoint.clone(),
            self.timeout,
            self.listeners.clone(),
            queue,
        );
        let abort = runtime.spawn(serving).abort_handle();
        *task = Some(Task { added, abort });
    }
}

/// Keeps a subscription to all channels, for ever.
async fn serve(
    endpoint: Arc<Endpoint>,
    limit: Duration,
    listeners: Listeners,
    mut added: UnboundedReceiver<String>,
) {
    let mut waits = pauses().build();
    let mut told = false;
    loop {
        let (sender, mut pushes) = unbounded_channel();
        let deadline = Instant::now() + limit;
        let subscribed = subscribe(&endpoint, deadline, sender, &listeners);
        match timeout_at(deadline, subscribed).await {
            Ok(Ok((mut connection, _driver))) => {
                waits = pauses().build();
                follow(&mut connection, &mut pushes, &mut added, &listeners).await;
            }
            Ok(Err(error)) if error.is_forbidden() => {
                if !std::mem::replace(&mut told, true) {
                    tracing::warn!(%error, "{}", cannot_listen(endpoint.config()));
                }
                sleep(UNTIL_PERMITTED).await;
            }
            Ok(Err(error)) => tracing::debug!(%error, "cannot listen for due times"),
            Err(_) => tracing::debug!("cannot listen for due times: no answer"),
        }
        sleep(waits.next().unwrap_or(limit)).await;
    }
}

async fn subscribe(
    endpoint: &Endpoint,
    deadline: Instant,
    sender: UnboundedSender<PushInfo>,
    listeners: &Listeners,
) -> Result<(MultiplexedConnection, Driver), OpenError> {
    let settings = connection_settings().set_push_sender(sender);
    let (mut connection, driver) = endpoint.open(settings, deadline).await?;
    let channels: Vec<String> = {
        let listeners = listeners.lock().expect("no one panics with this lock");
        listeners.keys().cloned().collect()
    };
    connection.subscribe(channels).await?;
    // What was published in between was lost.
    for notify in listeners
        .lock()
        .expect("no one panics with this lock")
        .values()
    {
        notify.notify_one();
    }
    Ok((connection, driver))
}

/// Passes signals on until the connection is lost.
async fn follow(
    connection: &mut MultiplexedConnection,
    pushes: &mut UnboundedReceiver<PushInfo>,
    added: &mut UnboundedReceiver<String>,
    listeners: &Listeners,
) {
    loop {
        tokio::select! {
            push = pushes.recv() => match push {
                Some(push) if push.kind != PushKind::Disconnection => pass_on(push, listeners),
                _ => return,
            },
            Some(channel) = added.recv() => {
                if connection.subscribe(channel).await.is_err() {
                    return;
                }
            }
        }
    }
}

fn pass_on(push: PushInfo, listeners: &Listeners) {
    let Some(message) = Msg::from_push_info(push) else {
        return;
    };
    let listeners = listeners.lock().expect("no one panics with this lock");
    if let Some(notify) = listeners.get(message.get_channel_name()) {
        notify.notify_one();
    }
}
