//! The one source of chance in a worker: the jitter of its waits and of its retries. A simulation
//! puts its own in its place, so that a run can be repeated.

use std::cell::RefCell;

/// Gives uniform numbers from `0.0..1.0`.
type Source = Box<dyn FnMut() -> f64>;

thread_local! {
    static SOURCE: RefCell<Option<Source>> = const { RefCell::new(None) };
}

/// A uniform number from `0.0..1.0`.
pub(crate) fn draw() -> f64 {
    SOURCE.with_borrow_mut(|source| match source {
        Some(draw) => draw(),
        None => rand::random(),
    })
}

/// Has all that runs on this thread draw from `source`; `None` has it draw at random again.
pub fn replace(source: Option<Source>) {
    SOURCE.set(source);
}
