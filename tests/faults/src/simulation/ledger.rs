//! What was carried out at the broker, in its order, and what the processes did: each line is
//! judged when it is written.

mod balance;
mod figures;
mod outcome;
mod runs;

use std::collections::{HashMap, HashSet};

use bytes::Bytes;
use jobq::broker::{Adopted, Claimed, Due, Entry, Member, Renewed, Settle, Settled};
use jobq::{At, BrokerError, Envelope, QueueName, Token, WorkerId};
use support::hooked::{Answer, Step};
use tokio::time::Instant;

pub(crate) use self::figures::Figures;
use self::runs::Delivery;
use super::plan::{End, Plan};
use super::process::Process;
use super::sim::job_of;
use super::world::{LEASE, TRUST};

type Place = (QueueName, WorkerId);

pub(crate) struct Ledger {
    pub(crate) wrongs: Vec<String>,
    jobs: Vec<Job>,
    claims: HashMap<(Place, Token), Claim>,
    /// When the counter of a member rose last.
    rose: HashMap<Place, Instant>,
    /// Who was adopted: it is no member any more.
    adopted: HashSet<Place>,
    /// When the last renew that was answered, or the joining claim, was sent.
    renewed: HashMap<Place, Instant>,
    pub(crate) owners: HashMap<WorkerId, usize>,
    pub(crate) figures: Figures,
}

#[derive(Debug, Clone, Default)]
struct Job {
    retries: u32,
    enqueued: u32,
    due: Option<At>,
    acked: u32,
    buried: Option<Bytes>,
    starts: usize,
    adoptions: u32,
    failed: u32,
    /// At which step it was cancelled.
    cancelled: Option<u64>,
    deliveries: Vec<Delivery>,
    ends: Vec<(usize, End)>,
}

#[derive(Debug, Clone)]
struct Claim {
    job: usize,
    step: u64,
    process: usize,
    failures: u32,
    crashes: u32,
    adopted: bool,
    settled: bool,
}

type Wrongs = Vec<String>;

impl Ledger {
    pub(crate) fn new(plan: &Plan) -> Self {
        let job = |retries| Job {
            retries,
            ..Job::default()
        };
        let canaries = (0..plan.queues).map(|_| 0);
        let jobs = plan.jobs.iter().map(|plan| plan.retries);
        Self {
            wrongs: Vec::new(),
            jobs: jobs.chain(canaries).map(job).collect(),
            claims: HashMap::new(),
            rose: HashMap::new(),
            adopted: HashSet::new(),
            renewed: HashMap::new(),
            owners: HashMap::new(),
            figures: Figures::default(),
        }
    }

    pub(crate) fn asked(&mut self, process: &Process, step: &Step, now: Instant) -> Option<String> {
        let Step::Round {
            claim: Some(claim), ..
        } = step
        else {
            return None;
        };
        let member = &claim.member;
        self.owners.insert(member.worker.clone(), process.number);
        let place = (member.queue.clone(), member.worker.clone());
        if member.known == 0 {
            return None;
        }
        let since = self.renewed.get(&place).copied();
        let trusted = since.is_some_and(|since| now < since + TRUST);
        (claim.max > 0 && !trusted).then(|| {
            let ago = since.map(|since| now - since);
            format!(
                "p{} claims, and its last answered renew was sent {ago:?} ago",
                process.number
            )
        })
    }

    pub(crate) fn executed(
        &mut self,
        process: &Process,
        step: &Step,
        answer: &Answer,
        now: Instant,
        at: At,
    ) -> Wrongs {
        self.figures.steps += 1;
        let mut wrongs = Wrongs::new();
        match (step, answer) {
            (Step::Enqueue { entries, .. }, Answer::Enqueued(Ok(()))) => {
                entries.iter().for_each(|entry| self.enqueued(entry, at));
            }
            (Step::Round { settles, claim }, Answer::Round(round)) => {
                for (settle, answer) in settles.iter().zip(&round.settles) {
                    self.settled(settle, answer, at, &mut wrongs);
                }
                if let (Some(claim), Some(Ok(Claimed::Granted(grant)))) = (claim, &round.claim) {
                    let place = (claim.member.queue.clone(), claim.member.worker.clone());
                    wrongs.extend(self.rises(&claim.member, now));
                    for (token, envelope) in tokens(grant.counter, &grant.envelopes) {
                        let early = self.job(envelope).due.is_some_and(|due| at < due);
                        if early {
                            wrongs.push(format!("{} was claimed early", name(envelope)));
                        }
                        self.given(process, &place, token, envelope, false, &mut wrongs);
                    }
                }
            }
            (Step::Renew(member), Answer::Renewed(Ok(Renewed::Alive { .. }))) => {
                wrongs.extend(self.rises(member, now));
            }
            (
                Step::Adopt(adoption),
                Answer::Adopted(Ok(Adopted::Taken {
                    counter, envelopes, ..
                })),
            ) => {
                let queue = &adoption.member.queue;
                let target = (queue.clone(), adoption.target.clone());
                if let (Some(_), Some(rose)) = (adoption.seen, self.rose.remove(&target)) {
                    let still = now - rose;
                    // Its own former id, which a late claim of it brought back, it need not wait for.
                    let is_own = self.owners.get(&adoption.target) == Some(&process.number);
                    if still < LEASE && !is_own {
                        wrongs.push(format!("adopted after {still:?}: its lease is {LEASE:?}"));
                    }
                }
                self.adopted.insert(target);
                let place = (queue.clone(), adoption.member.worker.clone());
                wrongs.extend(self.rises(&adoption.member, now));
                for (token, envelope) in tokens(*counter, envelopes) {
                    self.given(process, &place, token, envelope, true, &mut wrongs);
                    self.job(envelope).adoptions += 1;
                    self.figures.adoptions += 1;
                }
            }
            _ => {}
        }
        wrongs
    }

    /// A member's counter rises. One who was adopted has to be told instead, unless the step is a
    /// late one of its joining.
    fn rises(&mut self, member: &Member, now: Instant) -> Option<String> {
        let place = (member.queue.clone(), member.worker.clone());
        let adopted = self.adopted.contains(&place) && member.known > 0;
        self.rose.insert(place.clone(), now);
        if member.known == 0 {
            self.adopted.remove(&place);
        }
        adopted.then(|| "a worker that was adopted is not told".to_owned())
    }

    fn enqueued(&mut self, entry: &Entry, at: At) {
        self.figures.enqueued += 1;
        let job = self.job(&entry.envelope);
        job.enqueued += 1;
        job.due = match entry.due {
            Due::Now => None,
            Due::After(delay) => Some(at.after(delay)),
            Due::At(due) => Some(due),
        };
    }

    fn given(
        &mut self,
        process: &Process,
        place: &Place,
        token: Token,
        envelope: &Bytes,
        adopted: bool,
        wrongs: &mut Wrongs,
    ) {
        let read = Envelope::decode(envelope.clone()).expect("nobody enqueues anything else");
        let claim = Claim {
            job: job_of(read.id()),
            step: self.figures.steps,
            process: process.number,
            failures: read.failures(),
            crashes: read.crashes(),
            adopted,
            settled: false,
        };
        let before = self.claims.insert((place.clone(), token), claim);
        if before.is_some() {
            wrongs.push(format!("token {token} was given out twice"));
        }
    }

    fn settled(
        &mut self,
        settle: &Settle,
        answer: &Result<Settled, BrokerError>,
        at: At,
        wrongs: &mut Wrongs,
    ) {
        let Ok(answer) = answer else { return };
        let place = (settle.queue.clone(), settle.worker.clone());
        for (settlement, accepted) in settle.settlements.iter().zip(&answer.accepted) {
            if !accepted {
                self.figures.stale += 1;
                continue;
            }
            let token = settlement.token;
            let Some(claim) = self.claims.get_mut(&(place.clone(), token)) else {
                wrongs.push(format!(
                    "token {token} was never given out, and is accepted"
                ));
                continue;
            };
            if std::mem::replace(&mut claim.settled, true) {
                wrongs.push(format!("token {token} was settled twice"));
            }
            let claim = claim.clone();
            self.figures.outcomes += 1;
            if let Err(wrong) = self.accepted(&claim, &settlement.action, at) {
                let (job, action) = (claim.job, &settlement.action);
                wrongs.push(format!("j{job}: {wrong}: {action:?} after {claim:?}"));
            }
        }
    }

    /// The lease of one who joins counts from the request that let it in.
    fn joined(&mut self, member: &Member, sent: Instant) -> Place {
        let place = (member.queue.clone(), member.worker.clone());
        if member.known == 0 {
            let since = self.renewed.entry(place.clone()).or_insert(sent);
            *since = sent.max(*since);
        }
        place
    }

    pub(crate) fn answered(
        &mut self,
        process: &Process,
        step: &Step,
        answer: &Answer,
        sent: Instant,
    ) {
        match (step, answer) {
            (Step::Renew(member), Answer::Renewed(Ok(Renewed::Alive { .. }))) => {
                let place = (member.queue.clone(), member.worker.clone());
                let since = self.renewed.entry(place).or_insert(sent);
                *since = sent.max(*since);
            }
            (
                Step::Round {
                    claim: Some(claim), ..
                },
                Answer::Round(round),
            ) => {
                let Some(Ok(Claimed::Granted(grant))) = &round.claim else {
                    return;
                };
                let place = self.joined(&claim.member, sent);
                for (token, _) in tokens(grant.counter, &grant.envelopes) {
                    let given = &self.claims[&(place.clone(), token)];
                    self.jobs[given.job].deliveries.push(Delivery {
                        process: process.number,
                        place: place.clone(),
                        claimed: given.step,
                        failures: given.failures,
                        started: false,
                        ended: false,
                        reaped: None,
                    });
                }
            }
            (Step::Adopt(adoption), Answer::Adopted(Ok(Adopted::Taken { .. }))) => {
                self.joined(&adoption.member, sent);
            }
            _ => {}
        }
    }
}

impl Ledger {
    fn job(&mut self, envelope: &Bytes) -> &mut Job {
        let id = Envelope::id_of(envelope).expect("nobody enqueues anything else");
        &mut self.jobs[job_of(id)]
    }
}

fn tokens(claim: u64, envelopes: &[Bytes]) -> impl Iterator<Item = (Token, &Bytes)> {
    (1..)
        .map(move |index| Token { claim, index })
        .zip(envelopes)
}

fn name(envelope: &Bytes) -> String {
    format!("j{}", Envelope::id_of(envelope).map_or(0, job_of))
}
