//! What every job does: it counts itself, or tells the producer that it started.
//!
//! A job of a drain costs one atomic addition. No handler reads a clock for it: a thread looks at the count
//! every millisecond, notes when it changed, and prints that now and then.

use std::io::{self, Write};
use std::net::UdpSocket;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use crate::clock::now_us;
use crate::signal::{SIGNAL, Started};
use crate::{Error, Progress};

/// Between two looks at the count.
const LOOK_EVERY: Duration = Duration::from_millis(1);

/// Looks for each line that is printed.
const LOOKS_PER_LINE: u32 = 20;

static HANDLED: AtomicU64 = AtomicU64::new(0);
static PRODUCER: OnceLock<UdpSocket> = OnceLock::new();

/// What every job does, given the id and the time of its arguments.
pub fn handle(id: u64, time: u64) {
    if let Some(producer) = PRODUCER.get() {
        let started = Started::now(id, time);
        // A signal that is lost is missed by the producer, which says so.
        let _ = producer.send(started.to_string().as_bytes());
    }
    HANDLED.fetch_add(1, Ordering::Relaxed);
}

/// Makes this process a worker: one that signals, or one that is watched. It ends with its input, which is
/// how it learns that the harness is gone.
pub(crate) fn prepare() -> Result<(), Error> {
    thread::spawn(end_with_input);
    match std::env::var(SIGNAL) {
        Ok(address) => {
            let socket = UdpSocket::bind("127.0.0.1:0")?;
            socket.connect(address)?;
            PRODUCER.set(socket).expect("a process is prepared once");
        }
        Err(_) => {
            thread::spawn(watch);
        }
    }
    Ok(())
}

fn end_with_input() {
    // An error ends it as well: nobody could be heard any more.
    let _ = io::copy(&mut io::stdin(), &mut io::sink());
    std::process::exit(0);
}

/// Prints the progress until nobody reads it.
fn watch() {
    let mut progress = Progress::default();
    let mut printed = Progress::default();
    for look in (1..=LOOKS_PER_LINE).cycle() {
        thread::sleep(LOOK_EVERY);
        progress.note(HANDLED.load(Ordering::Relaxed), now_us());
        if look == LOOKS_PER_LINE && progress != printed {
            if writeln!(io::stdout(), "{progress}").is_err() {
                return;
            }
            printed = progress;
        }
    }
}
