//! Finds a job by its id. There is no index of jobs: every queue and state that may hold it is read
//! page by page, in flight first and ready, the longest, last.
//!
//! Jobs move meanwhile, and none that stays where it is may be passed over. Ready is read from the back,
//! an order that is not shifted by workers, who take from the front. In all states pages overlap,
//! for the few that go out of the middle. What was taken to run since in flight was read is looked for
//! there once more at the end.

use jobq::{DeadJob, JobId, JobInfo, JobState, Queue};

use crate::damage::Damage;
use crate::failure::Failure;
use crate::output::{counted, printable};
use crate::progress::Progress;
use crate::session::Session;
use crate::state::State;

/// Jobs read at once.
const PAGE: u32 = 1000;

/// Of how many jobs one is read again with the next page.
const OVERLAP: u64 = 10;

/// How many places around where a ready job should be, counted from the front, it is looked for.
const NEAR: u64 = 500;

/// Where a job may be.
#[derive(Debug, clap::Args)]
pub(super) struct Scope {
    /// The queue it is on; all are searched unless named
    #[arg(long, value_name = "QUEUE")]
    pub(super) queue: Option<String>,

    /// The state it is in; all are searched unless named
    #[arg(long, value_name = "STATE")]
    state: Option<State>,

    /// Look at so many jobs at most, of each queue in each state
    #[arg(long, value_name = "N", default_value_t = 1_000_000, value_parser = clap::value_parser!(u64).range(1..))]
    within: u64,
}

/// A job that was found.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) queue: Queue,
    pub(super) state: State,
    /// How many stand before it.
    pub(super) place: u64,
    pub(super) job: Job,
}

/// As its place has it.
#[derive(Debug)]
pub(super) enum Job {
    Alive(Box<JobInfo>),
    Dead(Box<DeadJob>),
}

impl Scope {
    /// Where it is looked for, as a question says it.
    pub(super) fn place(&self) -> String {
        match &self.queue {
            Some(queue) => format!("of {}", printable(queue)),
            None => "of any queue".to_owned(),
        }
    }

    /// The first job of this id.
    ///
    /// # Errors
    ///
    /// With exit code 1 if there is none, or not all was looked at; 70 if something could not be read.
    pub(super) async fn find(&self, session: &Session, id: JobId) -> Result<Found, Failure> {
        let named: Vec<String> = self.queue.iter().cloned().collect();
        let queues = session.queues(&named).await?;
        let states = self.state.map_or(State::ALL.to_vec(), |state| vec![state]);
        let progress = Progress::open_ended("looked at");
        let mut search = Search {
            session,
            id,
            within: self.within,
            seen: 0,
            cut: false,
            damage: Damage::default(),
            progress,
        };
        let mut looks: Vec<State> = states.clone();
        if states.contains(&State::InFlight) && states.len() > 1 {
            looks.push(State::InFlight);
        }
        for (look, state) in looks.into_iter().enumerate() {
            let seen = search.seen;
            for queue in &queues {
                let found = search.state(queue, state).await;
                let found = search.damage.pass(queue, found)?;
                if let Some((place, job)) = found.flatten() {
                    let queue = queue.clone();
                    return Ok(Found {
                        queue,
                        state,
                        place,
                        job,
                    });
                }
            }
            if look >= states.len() {
                // They were counted at the first look.
                search.seen = seen;
            }
        }
        Err(search.in_vain())
    }
}

struct Search<'a> {
    session: &'a Session,
    id: JobId,
    within: u64,
    seen: u64,
    /// Whether there is more than it may look at.
    cut: bool,
    /// Where it may be too.
    damage: Damage,
    progress: Progress,
}

impl Search<'_> {
    async fn state(&mut self, queue: &Queue, state: State) -> Result<Option<(u64, Job)>, Failure> {
        let mut offset = 0;
        while offset < self.within {
            if self.session.interrupt.is_set() {
                let seen = counted(self.seen, "job");
                return Err(Failure::job(format!("interrupted after {seen}")));
            }
            let limit = u32::try_from(self.within - offset)
                .unwrap_or(PAGE)
                .min(PAGE);
            let (count, found) = self.page(queue, state, offset, limit).await?;
            if let Some((place, job)) = found {
                let place = match state {
                    State::Ready => from_front(queue, offset + place, self.id).await?,
                    _ => offset + place,
                };
                return Ok(Some((place, job)));
            }
            if count == 0 {
                return Ok(None);
            }
            let new = count - count / OVERLAP;
            self.seen += new;
            self.progress.add(new);
            offset += new;
        }
        self.cut = true;
        Ok(None)
    }

    async fn page(
        &self,
        queue: &Queue,
        state: State,
        offset: u64,
        limit: u32,
    ) -> Result<(u64, Option<(u64, Job)>), Failure> {
        let id = self.id;
        if state == State::Dead {
            let page = queue.dead().list(offset, limit).await?;
            let count = page.len() as u64;
            let mut places = (0..).zip(page);
            let found = places.find(|(_, job)| job.id() == id);
            return Ok((
                count,
                found.map(|(place, job)| (place, Job::Dead(Box::new(job)))),
            ));
        }
        let page = match state {
            State::Ready => queue.newest_ready(offset, limit).await?,
            _ => queue.jobs(state.into(), offset, limit).await?,
        };
        let count = page.len() as u64;
        let mut places = (0..).zip(page);
        let found = places.find(|(_, job)| job.id() == Some(id));
        Ok((
            count,
            found.map(|(place, job)| (place, Job::Alive(Box::new(job)))),
        ))
    }

    fn in_vain(self) -> Failure {
        let (id, seen, within) = (self.id, self.seen, self.within);
        let cut = match self.cut {
            true => {
                format!("; of a state no more than {within} are looked at: --within says how many")
            }
            false => String::new(),
        };
        let hint = "it is done, or never was there";
        match self.damage.end() {
            Ok(()) => Failure::job(format!("no job {id} among {seen}{cut}; {hint}")),
            Err(unread) => unread.before(&format!("no job {id} among {seen}{cut}; ")),
        }
    }
}

/// How many stand before a ready job that has so many behind it. Where it has moved on meanwhile, that
/// is only about where it was.
async fn from_front(queue: &Queue, behind: u64, id: JobId) -> Result<u64, Failure> {
    let stats = queue.stats().await?;
    let about = (stats.ready - stats.suspects).saturating_sub(behind + 1);
    let (mut from, end) = (about.saturating_sub(NEAR), about + NEAR);
    while from < end {
        let limit = u32::try_from(end - from).unwrap_or(PAGE);
        let page = queue.jobs(JobState::Ready, from, limit).await?;
        if let Some(found) = page.iter().position(|job| job.id() == Some(id)) {
            return Ok(from + found as u64);
        }
        if page.is_empty() {
            break;
        }
        from += page.len() as u64;
    }
    Ok(about)
}
