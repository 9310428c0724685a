//! What became of each job, as the ledgers tell it.

use std::collections::HashMap;

use jobq::JobId;

use super::job::{JobRecord, Retry, Run, RunEnd};
use crate::history::{Entry, History};
use crate::ledger::Event;

/// All of them.
#[derive(Debug, Default)]
pub struct Jobs {
    jobs: HashMap<JobId, JobRecord>,
    claims: HashMap<Right, Claim>,
    /// What was taken over: from whom, of which queue, and when that was answered.
    adopted: HashMap<(String, String, JobId), u64>,
}

/// What settles a claimed job: a token of a worker on a queue.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Right {
    queue: String,
    worker: String,
    token: String,
}

/// The right to settle a job once.
#[derive(Debug, Default)]
struct Claim {
    /// `None` if the process died before it could write down what it was answered.
    id: Option<JobId>,
    accepted: u32,
    acked: u32,
    /// When the last that was accepted was sent.
    sent: u64,
    retry: Option<Retry>,
    suspected: Option<u64>,
}

impl Jobs {
    /// What all ledgers tell.
    #[must_use]
    pub fn of(history: &History) -> Self {
        let mut jobs = Self::default();
        for entry in history.entries() {
            jobs.note(entry);
        }
        jobs.attribute();
        jobs
    }

    /// Takes a line in. Those of one process come in its order.
    fn note(&mut self, entry: &Entry) {
        match &entry.event {
            Event::Intent { id, due } => {
                let job = self.job(*id);
                // The answer to an enqueue may stand in another ledger than its job's runs, but
                // never before it in its own.
                (job.unknown, job.due) = (true, *due);
            }
            Event::Accepted { id } => {
                let job = self.job(*id);
                (job.accepted, job.unknown) = (true, false);
            }
            Event::Refused { id } => {
                let job = self.job(*id);
                (job.refused, job.unknown) = (true, false);
            }
            Event::Removed { id } => self.job(*id).removed = true,
            Event::Claimed {
                queue,
                worker,
                token,
                id,
                ..
            } => self.claim(queue, worker, token).id = Some(*id),
            Event::Adopted {
                queue,
                worker,
                token,
                id,
                target,
            } => {
                self.claim(queue, worker, token).id = Some(*id);
                let of = (queue.clone(), target.clone(), *id);
                self.adopted.insert(of, entry.at);
            }
            Event::Settling {
                queue,
                worker,
                token,
                action,
            } if action == "retry" => {
                let (asked, accepted) = (entry.at, None);
                let claim = self.claim(queue, worker, token);
                claim.retry.get_or_insert(Retry { asked, accepted });
            }
            Event::Settling {
                queue,
                worker,
                token,
                action,
            } if action == "suspect" => {
                self.claim(queue, worker, token).suspected = Some(entry.at);
            }
            Event::Settled {
                queue,
                worker,
                token,
                action,
                answer,
                asked,
            } if answer == "accepted" => {
                let claim = self.claim(queue, worker, token);
                claim.accepted += 1;
                claim.acked += u32::from(action == "ack");
                claim.sent = *asked;
                if let Some(retry) = &mut claim.retry {
                    retry.accepted = Some(entry.at);
                }
            }
            _ => self.note_run(entry),
        }
    }

    fn note_run(&mut self, entry: &Entry) {
        let Entry { at, actor, .. } = *entry;
        let (id, end) = match entry.event {
            Event::Start { id, attempt } => {
                let end = None;
                self.job(id).runs.push(Run {
                    at,
                    actor,
                    attempt,
                    end,
                });
                return;
            }
            Event::End { id, .. } => (id, RunEnd::Done),
            Event::Failed { id, .. } => (id, RunEnd::Failed),
            Event::Cancelled { id } => (id, RunEnd::Cancelled),
            _ => return,
        };
        let mut runs = self.job(id).runs.iter_mut().rev();
        if let Some(run) = runs.find(|run| run.actor == actor) {
            run.end.get_or_insert(end);
        }
    }

    /// Once all lines are taken in: which job each settlement was for, and its runs by time.
    fn attribute(&mut self) {
        for claim in self.claims.values() {
            if let Some(job) = claim.id.and_then(|id| self.jobs.get_mut(&id)) {
                job.acks += claim.acked;
                job.retries.extend(claim.retry);
                job.suspected.extend(claim.suspected);
            }
        }
        for job in self.jobs.values_mut() {
            job.runs.sort_by_key(|run| run.at);
        }
    }

    fn job(&mut self, id: JobId) -> &mut JobRecord {
        self.jobs.entry(id).or_default()
    }

    fn claim(&mut self, queue: &str, worker: &str, token: &str) -> &mut Claim {
        let [queue, worker, token] = [queue, worker, token].map(str::to_owned);
        let right = Right {
            queue,
            worker,
            token,
        };
        self.claims.entry(right).or_default()
    }

    /// All that was ever enqueued.
    pub fn iter(&self) -> impl Iterator<Item = (&JobId, &JobRecord)> {
        self.jobs.iter()
    }

    /// One of them.
    #[must_use]
    pub fn get(&self, id: JobId) -> Option<&JobRecord> {
        self.jobs.get(&id)
    }

    /// How many were accepted.
    #[must_use]
    pub fn accepted(&self) -> usize {
        self.jobs.values().filter(|job| job.accepted).count()
    }

    /// Of how many nobody knows whether they were enqueued.
    #[must_use]
    pub fn unknown(&self) -> usize {
        self.jobs.values().filter(|job| job.unknown).count()
    }

    /// How many runs of a process have begun and not ended.
    #[must_use]
    pub fn running(&self, actor: usize) -> usize {
        let open = |run: &&Run| run.actor == actor && run.end.is_none();
        let open = self
            .jobs
            .values()
            .map(|job| job.runs.iter().filter(open).count());
        open.sum()
    }

    /// How many jobs were started.
    #[must_use]
    pub fn started(&self) -> usize {
        self.jobs
            .values()
            .filter(|job| !job.runs.is_empty())
            .count()
    }

    /// How many runs began.
    #[must_use]
    pub fn starts(&self) -> usize {
        self.jobs.values().map(|job| job.runs.len()).sum()
    }

    /// The most outcomes of one claim that were accepted.
    #[must_use]
    pub fn most_accepted(&self) -> u32 {
        let accepted = self.claims.values().map(|claim| claim.accepted);
        accepted.max().unwrap_or(0)
    }

    /// How many jobs were first started before one that their producer had enqueued earlier: none,
    /// where one queue has one worker with one slot and nothing fails (I9).
    #[must_use]
    pub fn out_of_order(&self, history: &History) -> usize {
        let mut latest = HashMap::<usize, u64>::new();
        let mut found = 0;
        for entry in history.entries() {
            let Event::Intent { id, due: 0 } = entry.event else {
                continue;
            };
            let Some(first) = self.jobs.get(&id).and_then(|job| job.runs.first()) else {
                continue;
            };
            let latest = latest.entry(entry.actor).or_default();
            found += usize::from(first.at < *latest);
            *latest = (*latest).max(first.at);
        }
        found
    }

    /// Claims of which an outcome was accepted that was sent after the job had been taken over.
    fn accepted_late(&self) -> impl Iterator<Item = &Right> {
        let late = self.claims.iter().filter(|(right, claim)| {
            let adopted = self.adopted_at(right, claim);
            claim.accepted > 0 && adopted.is_some_and(|at| at < claim.sent)
        });
        late.map(|(right, _)| right)
    }

    /// How many there are of these.
    #[must_use]
    pub fn stale_accepted(&self) -> usize {
        self.accepted_late().count()
    }

    /// When the job of a claim was taken over from its worker.
    fn adopted_at(&self, right: &Right, claim: &Claim) -> Option<u64> {
        let of = (right.queue.clone(), right.worker.clone(), claim.id?);
        self.adopted.get(&of).copied()
    }

    /// What the ledgers alone show to be broken.
    pub(super) fn violations(&self) -> Vec<String> {
        let mut found = Vec::new();
        for (right, claim) in &self.claims {
            let accepted = claim.accepted;
            if accepted > 1 {
                found.push(format!(
                    "I4: {accepted} outcomes of {right:?} were accepted"
                ));
            }
        }
        for right in self.accepted_late() {
            found.push(format!(
                "I4: an outcome of {right:?} was accepted after its adoption"
            ));
        }
        for (id, job) in &self.jobs {
            if job.acks > 1 {
                found.push(format!("I4: job {id} was acked {} times", job.acks));
            }
            if job.refused && !job.runs.is_empty() {
                found.push(format!("I1: job {id} was refused, and started ({job:?})"));
            }
            found.extend(job.runs.iter().filter_map(|run| job.wrong(run, *id)));
        }
        found
    }
}
