//! Catches panics of handlers, with the place they came from.

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Once;
use std::task::Poll;

use jobq::runtime::text::cut;

/// The longest message kept, in bytes: it leaves room for the place in what a dead record holds.
const MAX_MESSAGE: usize = 3500;

thread_local! {
    /// Whether a handler runs on this thread now.
    static CATCHING: Cell<bool> = const { Cell::new(false) };
    /// Where the latest panic on this thread came from.
    static PLACE: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Has panics of handlers remember their place. The hook that was there before is called as ever.
pub(crate) fn install_hook() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            if CATCHING.get() {
                PLACE.set(info.location().map(ToString::to_string));
            }
            before(info);
        }));
    });
}

/// Whether a panic on this thread now would be a handler's, and so be told as its job's failure.
#[cfg(feature = "process")]
pub(crate) fn is_handled() -> bool {
    CATCHING.get()
}

/// What a panic says.
pub(crate) fn message(payload: &(dyn Any + Send)) -> &str {
    let text = payload.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| payload.downcast_ref::<&str>().copied())
        .unwrap_or("a value that is no text")
}

/// Polls; a panic is an end too, with its message and place.
pub(super) fn catch_poll<T>(poll: impl FnOnce() -> Poll<T>) -> Poll<Result<T, String>> {
    match catch_sync(poll) {
        Ok(polled) => polled.map(Ok),
        Err(message) => Poll::Ready(Err(message)),
    }
}

/// Runs a function; a panic becomes its message and place.
pub(super) fn catch_sync<T>(run: impl FnOnce() -> T) -> Result<T, String> {
    let outer = CATCHING.replace(true);
    // One that was caught by a handler, or that no hook saw, must not lend its place to the next.
    PLACE.set(None);
    // Whatever the handler left half done is dropped with its future and seen by nobody.
    let result = catch_unwind(AssertUnwindSafe(run));
    CATCHING.set(outer);
    result.map_err(describe)
}

fn describe(payload: Box<dyn Any + Send>) -> String {
    let message = cut(message(&*payload), MAX_MESSAGE).to_owned();
    // The payload's own `Drop` may panic too.
    if catch_unwind(AssertUnwindSafe(|| drop(payload))).is_err() {
        tracing::debug!("the payload of a panic panicked when it was dropped");
    }
    match PLACE.take() {
        Some(place) => format!("{message} (at {place})"),
        None => message,
    }
}
