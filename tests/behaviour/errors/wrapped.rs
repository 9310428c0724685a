//! A `JobError` is obeyed whatever it is wrapped in.

use std::error::Error;
use std::time::Duration;

use jobq::{JobError, Reason, State, job};

use super::{ChargeError, NO_NUMBER, Outcome, no_number};
use crate::fixture::{Fixture, Ledger};

#[derive(Debug, thiserror::Error)]
#[error(transparent)]
struct Transparent(#[from] JobError);

/// What the handlers below pass on, each in another wrapping.
fn decided(decision: &str) -> JobError {
    match decision {
        "fatal" => JobError::fatal(no_number()),
        "snooze" => JobError::snooze(Duration::from_secs(60)),
        "retry_after" => JobError::retry_after(no_number(), Duration::from_secs(60)),
        _ => JobError::discard(no_number()),
    }
}

/// Handlers that return what [`decided`] says on their first run, wrapped, and then are done.
macro_rules! wrappings {
    ($($name:ident $wire:literal $result:ty: $wrap:expr;)*) => {
        $(#[job(name = $wire, retries = 1)]
        async fn $name(ledger: State<Ledger>, decision: String) -> $result {
            ledger.write(stringify!($name));
            if ledger.count(stringify!($name)) > 1 {
                return Ok(());
            }
            let wrap: fn(JobError) -> $result = $wrap;
            wrap(decided(&decision))
        })*

        /// Runs each of them to its end, one after the other.
        async fn run_wrapped(decision: &str, check: impl Fn(&str, Told)) {
            $({
                let fixture = Fixture::memory().await;
                $name::enqueue(&fixture.client, decision).await.unwrap();
                let stats = fixture.run_for_months().await;
                let dead = fixture.dead().await;
                let error = dead.first().map(|dead| (dead.reason(), dead.error().to_owned()));
                check(stringify!($name), Told { stats, error });
            })*
        }
    };
}

/// What became of a job.
struct Told {
    stats: jobq_worker::WorkerStats,
    error: Option<(Reason, String)>,
}

wrappings! {
    plain "wrapped.plain" Result<(), JobError>: Err;
    in_box "wrapped.box" Result<(), Box<dyn Error + Send + Sync>>: |e| Err(e.into());
    in_anyhow "wrapped.anyhow" anyhow::Result<()>: |e| Err(e.into());
    in_anyhow_with_context "wrapped.anyhow_context" anyhow::Result<()>:
        |e| Err(anyhow::Error::from(e).context("inner").context("outer"));
    in_eyre "wrapped.eyre" eyre::Result<()>: |e| Err(e.into());
    in_eyre_with_wrap_err "wrapped.eyre_wrap" eyre::Result<()>:
        |e| Err(eyre::Report::from(e).wrap_err("inner").wrap_err("outer"));
    in_thiserror "wrapped.thiserror" Outcome: |e| Err(e.into());
    in_transparent "wrapped.transparent" Result<(), Transparent>: |e| Err(e.into());
    in_anyhow_in_box "wrapped.anyhow_box" Result<(), Box<dyn Error + Send + Sync>>:
        |e| Err(anyhow::Error::from(e).context("outer").into());
    in_thiserror_in_anyhow "wrapped.thiserror_anyhow" anyhow::Result<()>:
        |e| Err(anyhow::Error::from(ChargeError::from(e)).context("outer"));
    in_itself "wrapped.itself" Result<(), JobError>: |e| Err(Box::<dyn Error + Send + Sync>::from(e).into());
}

#[tokio::test(start_paused = true)]
async fn a_fatal_error_is_obeyed_in_every_wrapping() {
    run_wrapped("fatal", |name, told| {
        let (reason, error) = told.error.unwrap_or_else(|| panic!("{name} is not dead"));
        assert_eq!(reason, Reason::Fatal, "{name}");
        let outer = match name {
            "plain" | "in_box" | "in_anyhow" | "in_eyre" | "in_transparent" | "in_itself" => "",
            "in_thiserror" => "could not charge: ",
            "in_anyhow_in_box" => "outer: ",
            "in_thiserror_in_anyhow" => "outer: could not charge: ",
            _ => "outer: inner: ",
        };
        assert_eq!(error, format!("{outer}{NO_NUMBER}"), "{name}");
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn the_other_decisions_are_obeyed_in_every_wrapping() {
    run_wrapped("snooze", |name, told| {
        let stats = told.stats;
        assert_eq!(
            (stats.snoozed, stats.retried, stats.done),
            (1, 0, 1),
            "{name}"
        );
    })
    .await;
    run_wrapped("retry_after", |name, told| {
        let stats = told.stats;
        assert_eq!(
            (stats.snoozed, stats.retried, stats.done),
            (0, 1, 1),
            "{name}"
        );
    })
    .await;
    run_wrapped("discard", |name, told| {
        let stats = told.stats;
        assert_eq!(
            (stats.discarded, stats.done, stats.dead),
            (1, 0, 0),
            "{name}"
        );
    })
    .await;
}
