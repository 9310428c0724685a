//! A queue, the processes that work on it, and what is on its way between them.
//!
//! A request may be slow, and its answer too; its sender may give it up, and then it may still be
//! carried out at any later time, or never. A process may die between any two steps. Whoever stands
//! still is adopted at any time at all: a lease only makes that rarer.

mod answers;
mod broker;
mod check;
mod heal;
mod marks;
mod mutant;
mod outside;
mod process;
mod rule;
mod step;

use crate::store::{Action, Adoption, Store, Token};

pub use self::mutant::Mutant;
pub use self::process::{Call, Held, Lane, Leg, Process, Run};
pub use self::rule::{Budget, LIMITS, Limit, Marks, RULES, Rule};
pub use self::step::Step;

/// Names a worker id; a process takes a new one when it starts and when it was adopted.
pub type Worker = u8;

/// An element: which job, and how many of its workers have died.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Job([u8; 2]);

/// All there is, between two steps.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct System {
    /// The rules that are shared with the brokers' comparison.
    pub queue: Store<Worker, Job, u8>,
    /// Those that live.
    pub processes: Vec<Process>,
    /// Requests that nobody waits for: carried out at any time, or never.
    pub late: Vec<Request>,
    /// How much may still happen.
    pub budget: Budget,
    /// Ids that were adopted, as bits.
    adopted: u64,
    next_worker: Worker,
    jobs: u8,
    /// A promise that was broken.
    pub wrong: Option<&'static str>,
}

/// A request on its way, and under which id it was sent.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Request {
    /// The sender's id then.
    pub worker: Worker,
    /// What is asked.
    pub ask: Ask,
}

/// What a process asks for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Ask {
    /// Jobs, or one suspect.
    Claim {
        /// The highest counter it knows.
        known: u64,
        /// How many.
        max: usize,
        /// One suspect instead.
        suspect: bool,
    },
    /// An outcome, and the job it is meant for.
    Settle {
        /// The right to it.
        token: Token,
        /// What becomes of it.
        action: Action<Job>,
        /// Which the broker is not told: it goes by the token.
        job: u8,
    },
    /// To stay a member.
    Renew {
        /// The highest counter it knows.
        known: u64,
    },
    /// What is due.
    Promote,
    /// The jobs of another.
    Adopt(Adoption<Worker>),
    /// To be no member any more.
    Leave,
    /// To be handed the next job.
    Wait,
    /// The tokens the broker has for it, to release those up to a claim that it does not hold.
    Held {
        /// Up to which claim.
        limit: u64,
    },
}

/// What it is told.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Answer {
    /// It was adopted.
    Reaped,
    /// What it asked for was done, or had been before.
    Done,
    /// Its counter.
    Counted(u64),
    /// Jobs under its tokens.
    Given(Given),
    /// Whom it wanted to adopt lives.
    Alive,
    /// Whether it left.
    Left(bool),
    /// What it owns.
    Tokens(Vec<(Token, u8)>),
}

/// Jobs that a claim or an adoption gave.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Given {
    /// The claim's number.
    pub counter: u64,
    /// Each with its token, and whether its id was cancelled then.
    pub jobs: Vec<(Token, Job, bool)>,
    /// Some job of the queue is cancelled; or, of an adoption, the target owns more.
    pub flag: bool,
}

impl Job {
    /// One that no worker died with.
    #[must_use]
    pub fn new(id: u8) -> Self {
        Self([id, 0])
    }

    /// Which.
    #[must_use]
    pub fn id(self) -> u8 {
        self.0[0]
    }

    /// How many of its workers have died.
    #[must_use]
    pub fn crashes(self) -> u8 {
        self.0[1]
    }

    fn with_crashes(self, crashes: u8) -> Self {
        Self([self.0[0], crashes])
    }
}

impl AsRef<[u8]> for Job {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl System {
    /// Jobs on a queue, the last one in delayed and due, and processes that know nothing yet.
    #[must_use]
    pub fn new(jobs: u8, processes: u8, budget: Budget) -> Self {
        let mut queue = Store::default();
        let due = |id| (id + 1 == jobs && jobs > 1).then_some(0);
        queue.enqueue((0..jobs).map(|id| (Job::new(id), due(id))));
        Self {
            queue,
            processes: (0..processes).map(Process::new).collect(),
            late: Vec::new(),
            budget,
            adopted: 0,
            next_worker: processes,
            jobs,
            wrong: None,
        }
    }

    /// With all processes members already.
    #[must_use]
    pub fn joined(mut self) -> Self {
        for process in &mut self.processes {
            process.known = 1;
            self.queue.members.insert(process.worker, 1);
        }
        self
    }

    /// With a job more that so many workers died with.
    #[must_use]
    pub fn with_crashed(mut self, crashes: u8) -> Self {
        let job = Job::new(self.jobs).with_crashes(crashes);
        self.jobs += 1;
        self.queue.enqueue([(job, None)]);
        if crashes >= 2 {
            self.queue.suspects.extend(self.queue.ready.pop());
        }
        self
    }

    fn new_worker(&mut self) -> Worker {
        let worker = self.next_worker;
        self.next_worker += 1;
        worker
    }

    /// Leaves a request to run at any time, or never.
    fn abandon(&mut self, request: Request) {
        let place = self.late.partition_point(|other| *other < request);
        self.late.insert(place, request);
    }

    fn is_adopted(&self, worker: Worker) -> bool {
        self.adopted & (1 << worker) != 0
    }

    fn accuse(&mut self, what: &'static str) {
        self.wrong.get_or_insert(what);
    }
}
