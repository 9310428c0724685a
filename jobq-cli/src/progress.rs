//! How far long work is: a bar on standard error, where that is a terminal.

use std::io::{self, Write as _};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use jobq::runtime::text::escaped;

use crate::failure;

/// Between two looks of the bar where nothing moves.
const TICK: Duration = Duration::from_millis(200);

/// The longest error that is told beside the bar, in characters.
const LONGEST_ERROR: usize = 2000;

/// A bar, or nothing where nobody would see it.
#[derive(Debug)]
pub(crate) struct Progress(ProgressBar);

impl Progress {
    /// Of work whose size is known, about.
    pub(crate) fn new(what: &'static str, size: u64) -> Self {
        Self::styled(
            what,
            Some(size),
            "{msg} {bar:30} {human_pos} of {human_len} ({per_sec}, {eta} left)",
        )
    }

    /// Of work that ends when it ends.
    pub(crate) fn open_ended(what: &'static str) -> Self {
        Self::styled(what, None, "{msg} {spinner} {human_pos} ({per_sec})")
    }

    fn styled(what: &'static str, size: Option<u64>, template: &str) -> Self {
        let bar = ProgressBar::with_draw_target(size, ProgressDrawTarget::stderr());
        let style = ProgressStyle::with_template(template).expect("the template is right");
        let bar = bar.with_style(style).with_message(what);
        bar.enable_steady_tick(TICK);
        Self(bar)
    }

    /// So many more are done.
    pub(crate) fn add(&self, done: u64) {
        self.0.inc(done);
    }

    /// So many are done in all.
    pub(crate) fn set(&self, done: u64) {
        self.0.set_position(done);
    }

    /// Says something beside the bar, seen or not.
    pub(crate) fn warn(&self, what: &str) {
        self.0.suspend(|| {
            let _ = writeln!(io::stderr(), "warning: {what}");
        });
    }

    /// Tells of an error that ends nothing, beside the bar, seen or not.
    pub(crate) fn error(&self, what: &str) {
        self.0
            .suspend(|| failure::say(&escaped(what, LONGEST_ERROR)));
    }

    /// So many are there in all.
    pub(crate) fn set_size(&self, size: u64) {
        self.0.set_length(size);
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}
