//! What all of one simulation share: its chance, its trace, and the ledger that judges each step
//! when it is carried out.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jobq::JobId;
use jobq::broker::memory::{MemoryBroker, Snapshot};
use jobq::broker::{Adopted, Broker as _, Claimed, Member, Renewed};
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use support::hooked::{Answer, Step};
use tokio::time::Instant;

use super::ledger::Ledger;
use super::link::Fate;
use super::plan::{End, Plan, Rates};
use super::process::Process;
use super::trace::Trace;

/// More steps than any simulation needs: it turns in a circle.
const MOST_STEPS: u64 = 200_000;

pub(crate) struct Sim {
    pub(crate) broker: MemoryBroker,
    began: Instant,
    state: Mutex<State>,
}

struct State {
    rng: StdRng,
    rates: Rates,
    trace: Trace,
    ledger: Ledger,
}

impl Sim {
    pub(crate) fn new(plan: &Plan) -> Arc<Self> {
        Arc::new(Self {
            broker: MemoryBroker::new(),
            began: Instant::now(),
            state: Mutex::new(State {
                rng: StdRng::seed_from_u64(!plan.seed),
                rates: plan.rates,
                trace: Trace::default(),
                ledger: Ledger::new(plan),
            }),
        })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Milliseconds since it began.
    pub(crate) fn ms(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    pub(crate) fn note(&self, line: fmt::Arguments<'_>) {
        let ms = self.ms();
        self.state().trace.line(ms, line);
    }

    /// From now on nothing goes wrong on the way.
    pub(crate) fn heal(&self) {
        self.state().rates = Rates::default();
    }

    /// Something is not as it has to be.
    pub(crate) fn accuse(&self, what: String) {
        self.note(format_args!("WRONG: {what}"));
        self.state().ledger.wrongs.push(what);
    }

    /// The same of what a queue holds.
    pub(crate) fn accuse_of(&self, what: &str, snapshot: &Snapshot) {
        let held = self.state().trace.snapshot(snapshot);
        self.accuse(format!("{what}: {held}"));
    }

    /// How long a step's request and its answer take, and what befalls it.
    pub(crate) fn draw_fate(&self, cut_off: bool) -> (Duration, Duration, Fate) {
        let State { rng, rates, .. } = &mut *self.state();
        let mut short = || Duration::from_millis(rng.random_range(0..=3));
        let (there, back) = (short(), short());
        if cut_off {
            let fate = [Fate::Unsent, Fate::RequestLost][rng.random_range(0..2)];
            return (there, back, fate);
        }
        let mut number = rng.random_range(0..1000_u32);
        let mut is = |rate: u32| {
            let hit = number < rate;
            number = number.saturating_sub(rate);
            hit
        };
        let fate = if is(rates.unsent) {
            Fate::Unsent
        } else if is(rates.request_lost) {
            Fate::RequestLost
        } else if is(rates.reply_lost) {
            Fate::ReplyLost {
                at_once: rng.random_bool(0.5),
            }
        } else if is(rates.twice) {
            Fate::Twice
        } else if is(rates.late) {
            Fate::Late(rng.random_range(0..6_000))
        } else if is(rates.slow) {
            Fate::Slow(rng.random_range(10..700))
        } else if is(rates.crash) {
            [Fate::CrashBefore, Fate::CrashAfter][rng.random_range(0..2)]
        } else {
            Fate::None
        };
        (there, back, fate)
    }

    /// A process is about to send a step.
    pub(crate) fn asked(&self, process: &Process, step: &Step) {
        let wrong = self.state().ledger.asked(process, step, Instant::now());
        wrong.into_iter().for_each(|wrong| self.accuse(wrong));
    }

    /// A step was carried out.
    pub(crate) fn executed(&self, process: &Process, step: &Step, answer: &Answer, how: &str) {
        let (ms, now, at) = (self.ms(), Instant::now(), self.broker.now());
        let mut state = self.state();
        let State { trace, ledger, .. } = &mut *state;
        trace.step(ms, process.number, step, answer, how);
        let wrongs = ledger.executed(process, step, answer, now, at);
        let endless = ledger.figures.steps > MOST_STEPS;
        drop(state);
        wrongs.into_iter().for_each(|wrong| self.accuse(wrong));
        assert!(!endless, "it never ends");
    }

    /// A process has the answer of a step that it sent at `sent`.
    pub(crate) fn answered(&self, process: &Process, step: &Step, answer: &Answer, sent: Instant) {
        let mut state = self.state();
        if let Some(member) = reaped(step, answer) {
            let (ms, number) = (self.ms(), process.number);
            let line = format_args!("p{number} learns that it was reaped");
            state.trace.line(ms, line);
            state.ledger.reaped(process, member, Instant::now());
        }
        state.ledger.answered(process, step, answer, sent);
    }

    /// A run begins; answers how many of this job began before.
    pub(crate) fn started(&self, process: &Process, job: usize, attempt: u32) -> usize {
        let number = process.number;
        self.note(format_args!("p{number} starts j{job} attempt {attempt}"));
        let (before, wrong) = self.state().ledger.started(process, job, attempt);
        wrong.into_iter().for_each(|wrong| self.accuse(wrong));
        before
    }

    /// A run ends, in one of these ways.
    pub(crate) fn ended(&self, process: &Process, job: usize, ends: &[End]) {
        let (number, now) = (process.number, Instant::now());
        self.note(format_args!("p{number} ends j{job}: {ends:?}"));
        let wrong = self.state().ledger.ended(process, job, ends, now);
        wrong.into_iter().for_each(|wrong| self.accuse(wrong));
    }

    /// What the ledger knows.
    pub(crate) fn with_ledger<T>(&self, look: impl FnOnce(&mut Ledger) -> T) -> T {
        look(&mut self.state().ledger)
    }

    pub(crate) fn take_trace(&self) -> Vec<String> {
        self.state().trace.take()
    }
}

impl fmt::Debug for Sim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sim").finish_non_exhaustive()
    }
}

/// Who is told that it is no member any more.
fn reaped<'a>(step: &'a Step, answer: &Answer) -> Option<&'a Member> {
    match (step, answer) {
        (Step::Renew(member), Answer::Renewed(Ok(Renewed::Reaped))) => Some(member),
        (Step::Adopt(adoption), Answer::Adopted(Ok(Adopted::Reaped))) => Some(&adoption.member),
        (Step::Round { claim, .. }, Answer::Round(round)) => {
            let reaped = matches!(round.claim, Some(Ok(Claimed::Reaped)));
            claim.as_ref().filter(|_| reaped).map(|claim| &claim.member)
        }
        _ => None,
    }
}

/// The id of the job of this number.
pub(crate) fn id_of(job: usize) -> JobId {
    let mut bytes = [0; 16];
    bytes[8..].copy_from_slice(&(job as u64 + 1).to_be_bytes());
    JobId::from_bytes(bytes)
}

/// The number of the job with this id.
pub(crate) fn job_of(id: JobId) -> usize {
    let mut number = [0; 8];
    number.copy_from_slice(&id.as_bytes()[8..]);
    usize::try_from(u64::from_be_bytes(number) - 1).expect("a number of a job")
}
