//! One direction of a connection: bytes are read as they come, and passed on as the rules say.

use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{ReadHalf, WriteHalf};
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::sync::watch;
use tokio::time::{Instant, sleep};

use crate::control::{Control, Lane};
use crate::dice::Dice;
use crate::rules::Ending;

/// The most that is read at once.
const READ: usize = 64 * 1024;

/// Reads that may be held back: beyond that the sender has to wait.
const HELD: usize = 1024;

/// How a direction came to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// The sender said all, and all was passed on, its FIN too.
    Said,
    /// One side is gone.
    Lost,
    /// By order.
    Cut(Ending),
}

/// What was read, and when it is due. No bytes: the sender is gone.
#[derive(Debug)]
struct Held {
    due: Instant,
    bytes: Option<Vec<u8>>,
}

/// Carries until one of the ends is there.
pub(crate) async fn carry(
    control: &Control,
    lane: Lane,
    from: ReadHalf<'_>,
    to: WriteHalf<'_>,
) -> End {
    let (sender, held) = channel(HELD);
    let reading = read(control, lane, from, sender);
    let writing = write(control, lane, held, to);
    tokio::pin!(writing);
    tokio::select! {
        end = &mut writing => end,
        () = reading => writing.await,
    }
}

async fn read(control: &Control, lane: Lane, mut from: ReadHalf<'_>, held: Sender<Held>) {
    let mut dice = Dice::default();
    let mut buffer = vec![0; READ];
    loop {
        let read = from.read(&mut buffer).await;
        let delay = control.delay(lane);
        let due = Instant::now() + delay.map_or(Duration::ZERO, |delay| dice.draw(delay));
        let bytes = match read {
            Ok(0) => return,
            Ok(read) => Some(buffer[..read].to_vec()),
            Err(_) => None,
        };
        let lost = bytes.is_none();
        if held.send(Held { due, bytes }).await.is_err() || lost {
            return;
        }
    }
}

async fn write(
    control: &Control,
    lane: Lane,
    mut held: Receiver<Held>,
    mut to: WriteHalf<'_>,
) -> End {
    let mut changes = control.changes();
    let mut carried = 0;
    while let Some(Held { due, bytes }) = held.recv().await {
        pass(due.saturating_duration_since(Instant::now())).await;
        let Some(bytes) = bytes else {
            unstalled(control, lane, &mut changes).await;
            return End::Lost;
        };
        let mut waiting = bytes.as_slice();
        while !waiting.is_empty() {
            changes.mark_unchanged();
            let Some(share) = control.share(lane, waiting.len(), carried) else {
                changed(&mut changes).await;
                continue;
            };
            let (now, later) = waiting.split_at(share.bytes);
            if to.write_all(now).await.is_err() {
                return End::Lost;
            }
            carried += now.len() as u64;
            waiting = later;
            if let Some(ending) = share.ending {
                return End::Cut(ending);
            }
            pass(share.pause).await;
        }
    }
    unstalled(control, lane, &mut changes).await;
    match to.shutdown().await {
        Ok(()) => End::Said,
        Err(_) => End::Lost,
    }
}

/// Waits until ends may be passed on too.
async fn unstalled(control: &Control, lane: Lane, changes: &mut watch::Receiver<u64>) {
    changes.mark_unchanged();
    while control.is_stalled(lane) {
        changed(changes).await;
        changes.mark_unchanged();
    }
}

async fn changed(changes: &mut watch::Receiver<u64>) {
    let changed = changes.changed().await;
    changed.expect("the connection keeps what it is told by");
}

/// A timer waits at least until its next tick, for no time too.
async fn pass(time: Duration) {
    if !time.is_zero() {
        sleep(time).await;
    }
}
