//! Logs on standard error: lines for people, or JSON for machines.

use std::backtrace::{Backtrace, BacktraceStatus};
use std::fmt;
use std::io::IsTerminal as _;

use jobq::Timestamp;
use tracing_subscriber::Layer as _;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::time::FormatTime;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

use super::json::JsonLines;
use crate::executor::panic;

/// How a log line is written: for people, or as a JSON object. (Comments on the variants would be
/// help, and stretch all of it.)
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Format {
    #[default]
    Text,
    Json,
}

/// Starts logging. An application that has set a subscriber of its own keeps it.
pub(super) fn install(filter: Option<Targets>, format: Option<Format>) {
    let filter = filter.unwrap_or_else(|| Targets::new().with_default(LevelFilter::INFO));
    let lines = match format.unwrap_or_default() {
        Format::Text => tracing_subscriber::fmt::layer()
            .compact()
            .with_timer(Time)
            .with_writer(std::io::stderr)
            .with_ansi(colours())
            .boxed(),
        Format::Json => JsonLines.boxed(),
    };
    let registry = tracing_subscriber::registry().with(lines).with(filter);
    if registry.try_init().is_ok() {
        log_panics();
    }
}

fn colours() -> bool {
    let wanted = std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    wanted && std::io::stderr().is_terminal()
}

/// Whether errors of this crate are seen at all.
pub(super) fn shows_errors() -> bool {
    tracing::enabled!(tracing::Level::ERROR)
}

/// The time of a line, to the millisecond, in UTC.
#[derive(Debug)]
pub(super) struct Time;

impl FormatTime for Time {
    fn format_time(&self, writer: &mut Writer<'_>) -> fmt::Result {
        write!(writer, "{:.3}", Timestamp::now())
    }
}

/// Has panics logged like all else. A handler's is told as the failure of its job, so here only if
/// its backtrace was asked for (`RUST_BACKTRACE`).
fn log_panics() {
    let before = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        if !shows_errors() {
            return before(info);
        }
        let backtrace = Backtrace::capture();
        let captured = backtrace.status() == BacktraceStatus::Captured;
        if panic::is_handled() && !captured {
            return;
        }
        let message = panic::message(info.payload());
        let place = info.location().map(tracing::field::display);
        let backtrace = captured.then(|| tracing::field::display(backtrace));
        // As a field, whose control characters are escaped: it may quote what a stranger wrote.
        tracing::error!(error = message, place, backtrace, "panicked");
    }));
}
