//! The job of the simulation: it does what its script says, and writes down when it starts and how
//! it ends.

use std::sync::Arc;
use std::time::Duration;

use jobq::{Context, JobError, job};

use super::plan::{Act, End, TIMEOUT};
use super::process::Process;

/// How long a job waits that asks for it.
const SNOOZE: Duration = Duration::from_millis(400);

/// What is said by panics that are meant.
pub(crate) const MEANT: &str = "simulated panic";

/// Does what is next in its script.
#[job(
    name = "simulation.work",
    backoff = "exponential",
    base_delay = "100ms",
    max_delay = "1s",
    timeout = "5s"
)]
pub(crate) async fn work(ctx: Context, script: Vec<Act>) -> Result<(), JobError> {
    // Not as a parameter: every worker of this package's programs would have to have one.
    let process = ctx.state::<Arc<Process>>();
    let process = process.expect("a simulated worker has one");
    process.go().await;
    let run = Run::start(&process, &ctx);
    let act = script[run.number.min(script.len() - 1)];
    let time = Duration::from_millis(match act.end {
        End::TimedOut => TIMEOUT * 2,
        _ => act.ms,
    });
    let asked = async {
        match act.deaf {
            true => std::future::pending().await,
            false => ctx.cancelled().await,
        }
    };
    tokio::select! {
        biased;
        () = asked => {
            process.go().await;
            run.end(End::Interrupted);
            return Err(JobError::retry("asked to end"));
        }
        () = tokio::time::sleep(time) => {}
    }
    process.go().await;
    run.end(act.end);
    match act.end {
        End::Done | End::TimedOut | End::Interrupted => Ok(()),
        End::Failed => Err(JobError::retry("simulated failure")),
        End::Panicked => panic!("{MEANT}"),
        End::Fatal => Err(JobError::fatal("simulated failure")),
        End::Discarded => Err(JobError::discard("simulated")),
        End::Snoozed => Err(JobError::snooze(SNOOZE)),
    }
}

/// Ends as interrupted when it is dropped: by an abort, or by its timeout.
struct Run {
    process: Arc<Process>,
    job: usize,
    number: usize,
    open: bool,
}

impl Run {
    fn start(process: &Arc<Process>, ctx: &Context) -> Self {
        let job = super::sim::job_of(ctx.id());
        let number = process.sim.started(process, job, ctx.attempt());
        let process = process.clone();
        Self {
            process,
            job,
            number,
            open: true,
        }
    }

    fn end(mut self, end: End) {
        self.open = false;
        self.process.sim.ended(&self.process, self.job, &[end]);
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        if self.open && self.process.is_alive() {
            // Whether it was its timeout or an abort, its outcome says.
            let sim = &self.process.sim;
            sim.ended(&self.process, self.job, &[End::Interrupted, End::TimedOut]);
        }
    }
}
