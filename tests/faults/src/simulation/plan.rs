//! What happens in one simulation, drawn from its seed: the workers, the jobs, the faults. A seed
//! has some kinds of faults and not others, so that each meets quiet surroundings too.

use std::fmt;

use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use serde::{Deserialize, Serialize};

/// How long faults go on, in ms. Afterwards everything heals.
pub(crate) const CHAOS: u64 = 8_000;

/// The time that a run may take, in ms.
pub(crate) const TIMEOUT: u64 = 5_000;

/// The whole of it.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    pub(crate) seed: u64,
    pub(crate) queues: usize,
    pub(crate) processes: usize,
    pub(crate) concurrency: u32,
    pub(crate) connections: u32,
    pub(crate) jobs: Vec<JobPlan>,
    pub(crate) rates: Rates,
    /// By time.
    pub(crate) events: Vec<(u64, Event)>,
}

/// A job, and what becomes of its runs.
#[derive(Debug, Clone)]
pub(crate) struct JobPlan {
    pub(crate) at: u64,
    pub(crate) queue: usize,
    pub(crate) delay: Option<u64>,
    /// Enqueued over a connection that has faults.
    pub(crate) by_link: bool,
    pub(crate) retries: u32,
    pub(crate) script: Vec<Act>,
}

/// One run: it takes a while, and ends so. The last of a script is that of all further runs.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(crate) struct Act {
    pub(crate) ms: u64,
    /// Does not end when it is asked to.
    pub(crate) deaf: bool,
    pub(crate) end: End,
}

/// How a run ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) enum End {
    Done,
    Failed,
    Panicked,
    Fatal,
    Discarded,
    Snoozed,
    /// Never by itself: its timeout ends it.
    TimedOut,
    /// It was asked to end, and did, or was aborted.
    Interrupted,
}

/// How many of a thousand steps meet each fault.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Rates {
    pub(crate) unsent: u32,
    pub(crate) request_lost: u32,
    pub(crate) reply_lost: u32,
    pub(crate) twice: u32,
    pub(crate) late: u32,
    pub(crate) slow: u32,
    pub(crate) crash: u32,
}

/// What happens at a time.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Event {
    Enqueue(usize),
    Cancel(usize),
    Crash(usize),
    Stop(usize),
    /// Stands still for so long, and goes on.
    Stall(usize, u64),
    /// The broker cannot be reached, from one process or from all.
    Away(Option<usize>, u64),
    Pause(usize, u64),
}

impl Plan {
    pub(crate) fn new(seed: u64) -> Self {
        let rng = &mut StdRng::seed_from_u64(seed);
        let queues = rng.random_range(1..=2);
        let processes = rng.random_range(1..=4);
        let count = rng.random_range(1..=40);
        let jobs: Vec<_> = (0..count).map(|_| job(rng, queues)).collect();
        let mut plan = Self {
            seed,
            queues,
            processes,
            concurrency: [1, 2, 4, 8][rng.random_range(0..4)],
            connections: rng.random_range(1..=2),
            rates: rates(rng),
            events: Vec::new(),
            jobs,
        };
        plan.draw_events(rng);
        plan.events.sort_by_key(|&(at, _)| at);
        plan
    }

    /// Nothing can go wrong, but for jobs that fail.
    pub(crate) fn is_calm(&self) -> bool {
        let Rates {
            unsent,
            request_lost,
            reply_lost,
            twice,
            late,
            slow,
            crash,
        } = self.rates;
        let quiet = |&(_, event): &(u64, Event)| {
            matches!(
                event,
                Event::Enqueue(_) | Event::Cancel(_) | Event::Pause(..)
            )
        };
        unsent + request_lost + reply_lost + twice + late + slow + crash == 0
            && self.events.iter().all(quiet)
    }

    /// How long a single slot works on all the jobs at most, in ms.
    pub(crate) fn work(&self) -> u64 {
        self.jobs.iter().map(JobPlan::work).sum()
    }

    fn draw_events(&mut self, rng: &mut StdRng) {
        for (index, job) in self.jobs.iter().enumerate() {
            self.events.push((job.at, Event::Enqueue(index)));
        }
        let (processes, queues, jobs) = (self.processes, self.queues, self.jobs.len());
        let events = &mut self.events;
        let mut some = |most: u32, draw: &mut dyn FnMut(&mut StdRng) -> Event| {
            // Half of the seeds have none of a kind.
            let count = rng.random_range(0..=2 * most).saturating_sub(most);
            for _ in 0..count {
                let at = rng.random_range(0..CHAOS);
                let event = draw(rng);
                events.push((at, event));
            }
        };
        some(6, &mut |rng| Event::Cancel(rng.random_range(0..jobs)));
        some(4, &mut |rng| Event::Crash(rng.random_range(0..processes)));
        some(3, &mut |rng| Event::Stop(rng.random_range(0..processes)));
        some(4, &mut |rng| {
            Event::Stall(
                rng.random_range(0..processes),
                rng.random_range(200..=6_000),
            )
        });
        some(3, &mut |rng| {
            let who = rng.random_bool(0.7).then(|| rng.random_range(0..processes));
            Event::Away(who, rng.random_range(100..=5_000))
        });
        some(3, &mut |rng| {
            Event::Pause(rng.random_range(0..queues), rng.random_range(0..=2_000))
        });
    }
}

impl JobPlan {
    /// How long its runs take together at most, in ms: those that snooze are not counted as attempts,
    /// and the last of the script does not snooze.
    fn work(&self) -> u64 {
        let last = self.script.last().map_or(0, Act::time);
        let script: u64 = self.script.iter().map(Act::time).sum();
        script + u64::from(self.retries) * last
    }
}

impl Act {
    fn time(&self) -> u64 {
        match self.end {
            End::TimedOut => TIMEOUT,
            _ => self.ms,
        }
    }
}

fn rates(rng: &mut StdRng) -> Rates {
    let mut rate = |most: u32| match rng.random_bool(0.4) {
        true => rng.random_range(1..=most),
        false => 0,
    };
    Rates {
        unsent: rate(100),
        request_lost: rate(80),
        reply_lost: rate(150),
        twice: rate(100),
        late: rate(80),
        slow: rate(100),
        crash: rate(8),
    }
}

fn job(rng: &mut StdRng, queues: usize) -> JobPlan {
    let acts = rng.random_range(1..=3);
    let mut script: Vec<_> = (0..acts).map(|_| act(rng)).collect();
    if let Some(last) = script.last_mut().filter(|last| last.end == End::Snoozed) {
        // Else it would never end.
        last.end = End::Done;
    }
    JobPlan {
        at: rng.random_range(0..CHAOS * 3 / 4),
        queue: rng.random_range(0..queues),
        delay: rng.random_bool(0.2).then(|| rng.random_range(1..3_000)),
        by_link: rng.random_bool(0.5),
        retries: rng.random_range(0..=3),
        script,
    }
}

fn act(rng: &mut StdRng) -> Act {
    let end = match rng.random_range(0..20) {
        0..=11 => End::Done,
        12..=14 => End::Failed,
        15 => End::Panicked,
        16 => End::Snoozed,
        17 => End::TimedOut,
        18 => End::Fatal,
        _ => End::Discarded,
    };
    let ms = match rng.random_range(0..10) {
        0..=3 => 0,
        4..=7 => rng.random_range(1..100),
        8 => rng.random_range(100..1_000),
        _ => rng.random_range(1_000..4_000),
    };
    let deaf = rng.random_bool(0.1);
    Act { ms, deaf, end }
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            seed,
            queues,
            processes,
            concurrency,
            connections,
            jobs,
            rates,
            events,
        } = self;
        writeln!(
            f,
            "seed {seed}: {processes} processes of {concurrency} slots and {connections} connections, {queues} queues"
        )?;
        writeln!(f, "of 1,000 steps: {rates:?}")?;
        for (at, event) in events {
            match event {
                Event::Enqueue(job) => {
                    let plan = &jobs[*job];
                    writeln!(f, "{at:>6} enqueue j{job} {plan:?}")?;
                }
                event => writeln!(f, "{at:>6} {event:?}")?,
            }
        }
        Ok(())
    }
}
