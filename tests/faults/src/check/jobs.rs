//! What became of each job, as the ledgers tell it.

use std::collections::HashMap;

use jobq::JobId;

use crate::history::Entry;
use crate::ledger::Event;

/// One job.
#[derive(Debug, Clone, Default)]
pub struct JobRecord {
    /// Its enqueue was answered `Ok`.
    pub accepted: bool,
    /// Its enqueue was answered that nobody knows, or never.
    pub unknown: bool,
    /// When it may start, if it was enqueued for later; else 0.
    pub due: u64,
    /// When and where it started.
    pub starts: Vec<Start>,
    /// How often it was about to succeed.
    pub ends: u32,
    /// How often it was about to fail.
    pub failures: u32,
    /// How often its end was accepted as its last.
    pub acks: u32,
}

/// One run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Start {
    /// ms since the epoch.
    pub at: u64,
    /// The process.
    pub actor: usize,
    /// Which attempt it was told to be.
    pub attempt: u32,
}

impl JobRecord {
    /// Whether it may be nowhere: it succeeded, and may have been acked by a process that died
    /// before it could write so down.
    #[must_use]
    pub fn may_be_gone(&self) -> bool {
        self.ends > 0 || self.acks > 0
    }
}

/// All of them.
#[derive(Debug, Default)]
pub struct Jobs {
    jobs: HashMap<JobId, JobRecord>,
    /// By worker and token: whose it is, and how often it was settled for good.
    claims: HashMap<(String, String), Claim>,
}

#[derive(Debug, Default)]
struct Claim {
    id: Option<JobId>,
    accepted: u32,
    acked: u32,
}

impl Jobs {
    /// Takes a line of a ledger in. Those of one process come in its order.
    pub fn note(&mut self, entry: &Entry) {
        let Entry { at, actor, .. } = *entry;
        match &entry.event {
            Event::Intent { id, due } => {
                let job = self.job(*id);
                (job.unknown, job.due) = (true, *due);
            }
            Event::Accepted { id } => {
                let job = self.job(*id);
                (job.accepted, job.unknown) = (true, false);
            }
            Event::Refused { id } => self.job(*id).unknown = false,
            Event::Start { id, attempt } => {
                let attempt = *attempt;
                self.job(*id).starts.push(Start { at, actor, attempt });
            }
            Event::End { id, .. } => self.job(*id).ends += 1,
            Event::Failed { id, .. } => self.job(*id).failures += 1,
            Event::Claimed {
                worker, token, id, ..
            }
            | Event::Adopted {
                worker, token, id, ..
            } => {
                self.claim(worker, token).id = Some(*id);
            }
            Event::Settled {
                worker,
                token,
                action,
                answer,
            } if answer == "accepted" => {
                let claim = self.claim(worker, token);
                claim.accepted += 1;
                claim.acked += u32::from(action == "ack");
            }
            _ => {}
        }
    }

    /// Once all lines are taken in: which job each ack was for.
    pub(super) fn settle(&mut self) {
        for claim in self.claims.values() {
            if let Some(job) = claim.id.and_then(|id| self.jobs.get_mut(&id)) {
                job.acks += claim.acked;
            }
        }
    }

    fn job(&mut self, id: JobId) -> &mut JobRecord {
        self.jobs.entry(id).or_default()
    }

    fn claim(&mut self, worker: &str, token: &str) -> &mut Claim {
        let key = (worker.to_owned(), token.to_owned());
        self.claims.entry(key).or_default()
    }

    /// All that was ever enqueued.
    pub fn iter(&self) -> impl Iterator<Item = (&JobId, &JobRecord)> {
        self.jobs.iter()
    }

    /// Whether somebody enqueued it.
    #[must_use]
    pub fn knows(&self, id: JobId) -> bool {
        self.jobs.contains_key(&id)
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

    /// The most outcomes of one claim that were accepted.
    #[must_use]
    pub fn most_accepted(&self) -> u32 {
        self.claims
            .values()
            .map(|claim| claim.accepted)
            .max()
            .unwrap_or(0)
    }

    /// I4, and what no job may do.
    pub(super) fn violations(&self) -> Vec<String> {
        let mut found = Vec::new();
        for ((worker, token), claim) in &self.claims {
            if claim.accepted > 1 {
                found.push(format!(
                    "I4: {} outcomes of claim {token} of {worker} were accepted",
                    claim.accepted
                ));
            }
        }
        for (id, job) in &self.jobs {
            if job.acks > 1 {
                found.push(format!("I4: job {id} was acked {} times", job.acks));
            }
        }
        found
    }
}
