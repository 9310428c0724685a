//! The steps by the book: the rules of `jobq_model`, asked in a broker's words.

use std::collections::BTreeMap;

use bytes::Bytes;
use jobq::broker::{
    Action, Adopted, Adoption, Claim, Claimed, Due, Entry, Grant, Member, Promoted, ReleaseTo,
    Renewed, Settle, Settled, TakeDead, Wake,
};
use jobq::{At, JobId, JobState, Token, WorkerId};
use jobq_model::store::{self, Store};

use super::calendar::{from_now, until};
use super::request::{Answer, Request};
use super::state::State;

#[derive(Debug, Default)]
pub(crate) struct Model {
    store: Store<WorkerId, Bytes, JobId>,
    /// All tokens a worker was ever given.
    pub(crate) issued: BTreeMap<WorkerId, Vec<Token>>,
}

impl Model {
    pub(crate) fn state(&self) -> State {
        let store = self.store.clone();
        let timed = |(due, bytes)| (At::from_ms(due), bytes);
        let mut in_flight = BTreeMap::<_, BTreeMap<_, _>>::new();
        for ((worker, token), bytes) in store.in_flight {
            let records = in_flight.entry(worker).or_default();
            records.insert(real(token), bytes);
        }
        State {
            ready: store.ready,
            delayed: store.delayed.into_iter().map(timed).collect(),
            suspects: store.suspects,
            handoffs: store.handoffs,
            in_flight,
            members: store.members,
            gone: store.gone,
            dead: store.dead,
            cancelled: (store.cancelled.into_iter())
                .map(|(until, id)| (At::from_ms(until), id))
                .collect(),
            paused: store.paused,
            timekeeper: None,
        }
    }

    /// Each accepted element is in exactly one place, or has ended.
    pub(crate) fn is_complete(&self) -> bool {
        self.store.is_complete()
    }

    pub(crate) fn ask(&mut self, request: &Request) -> Answer {
        let store = &mut self.store;
        match request {
            Request::Enqueue(entries) => {
                store.enqueue(entries.iter().map(entry));
                Answer::Done
            }
            Request::Round(settles, claim) => {
                let settles = settles.iter().map(|settle| self.settle(settle)).collect();
                Answer::Round(settles, claim.as_ref().map(|claim| self.claim(claim)))
            }
            Request::Renew(member) => Answer::Renewed(self.renew(member)),
            Request::Promote(worker) => {
                let promoted = store.promote(worker);
                Answer::Promoted(Promoted {
                    timekeeper: promoted.timekeeper,
                    moved: promoted.moved,
                    next_due: in_real_time(promoted.next_due),
                })
            }
            Request::Adopt(adoption) => Answer::Adopted(self.adopt(adoption)),
            Request::Leave(worker) => Answer::Left(store.leave(worker)),
            Request::Pause(paused) => {
                store.paused = *paused;
                Answer::Done
            }
            Request::TakeDead(takes, near) => {
                let newest_first = *near < store.dead.len() as u64 / 2;
                let take = |take: &&TakeDead| {
                    let requeue = take.requeue.clone();
                    let requeue = requeue.map(|job| (job.id, job.envelope));
                    store.take_dead(&take.record, requeue, newest_first)
                };
                Answer::Taken(takes.iter().filter(take).count() as u64)
            }
            Request::Purge(state) => Answer::Taken(match state {
                JobState::Ready => store.purge_ready(),
                JobState::Suspect => store.purge_suspects(),
                JobState::Delayed => store.purge_delayed(),
                JobState::Dead => store.purge_dead(),
                _ => 0,
            }),
            Request::RunNow(delayed, job) => {
                Answer::Moved(store.run_now(delayed, job.id, job.envelope.clone()))
            }
            Request::Cancel(id) => {
                store.cancel(*id);
                Answer::Done
            }
            Request::WhichCancelled(ids) => {
                Answer::Cancelled(ids.iter().map(|id| store.is_cancelled(*id)).collect())
            }
            Request::Wait(worker) => {
                assert!(store.wait(worker), "asked only when ready has a job");
                Answer::Woken(Wake::Handed)
            }
        }
    }

    fn claim(&mut self, claim: &Claim) -> Claimed {
        let Member { worker, known, .. } = &claim.member;
        let max = claim.max as usize;
        let Some(grant) = self.store.claim(worker, *known, max, claim.suspect) else {
            return Claimed::Reaped;
        };
        self.issue(worker, grant.counter, grant.elements.len());
        Claimed::Granted(Grant {
            counter: grant.counter,
            envelopes: grant.elements,
            next_due: in_real_time(grant.next_due),
            paused: grant.paused,
            suspects: grant.suspects,
            cancelled: grant.cancelled,
        })
    }

    fn issue(&mut self, worker: &WorkerId, claim: u64, count: usize) {
        let issued = self.issued.entry(worker.clone()).or_default();
        for (index, _) in (1..).zip(0..count) {
            let token = Token { claim, index };
            assert!(!issued.contains(&token), "{token} was given out before");
            issued.push(token);
        }
    }

    fn settle(&mut self, settle: &Settle) -> Settled {
        let caps = store::DeadCaps {
            count: settle.caps.count,
            bytes: settle.caps.bytes,
        };
        let batch = settle.settlements.iter();
        let batch = batch.map(|one| (plain(one.token), action(&one.action)));
        let settled = self.store.settle(&settle.worker, batch, caps);
        Settled {
            accepted: settled.accepted,
            dropped: settled.dropped,
            reaped: settled.reaped,
        }
    }

    fn renew(&mut self, member: &Member) -> Renewed {
        match self.store.renew(&member.worker, member.known) {
            None => Renewed::Reaped,
            Some(alive) => Renewed::Alive {
                counter: alive.counter,
                in_flight: alive.in_flight,
                handoff: alive.handoff,
                paused: alive.paused,
                suspects: alive.suspects,
            },
        }
    }

    fn adopt(&mut self, adoption: &Adoption) -> Adopted {
        let worker = &adoption.member.worker;
        let request = store::Adoption {
            known: adoption.member.known,
            target: adoption.target.clone(),
            seen: adoption.seen,
            max: adoption.max as usize,
        };
        match self.store.adopt(worker, &request) {
            store::Adopted::Reaped => Adopted::Reaped,
            store::Adopted::Alive => Adopted::Alive,
            store::Adopted::Taken {
                counter,
                elements,
                more,
            } => {
                self.issue(worker, counter, elements.len());
                Adopted::Taken {
                    counter,
                    envelopes: elements,
                    more,
                }
            }
        }
    }
}

fn entry(entry: &Entry) -> (Bytes, Option<u64>) {
    let due = match entry.due {
        Due::Now => None,
        Due::After(delay) => Some(from_now(delay).as_ms()),
        Due::At(at) => Some(at.as_ms()),
    };
    (entry.envelope.clone(), due)
}

fn action(action: &Action) -> store::Action<Bytes> {
    match action.clone() {
        Action::Ack => store::Action::Ack,
        Action::Retry { delay, envelope } => store::Action::Retry {
            due: from_now(delay).as_ms(),
            element: envelope,
        },
        Action::Bury { record } => store::Action::Bury { record },
        Action::Release { to, envelope } => store::Action::Release {
            suspect: to == ReleaseTo::Suspects,
            element: envelope,
        },
    }
}

fn in_real_time(due: Option<u64>) -> Option<std::time::Duration> {
    due.map(|due| until(At::from_ms(due)))
}

fn plain(token: Token) -> store::Token {
    (token.claim, token.index)
}

fn real((claim, index): store::Token) -> Token {
    Token { claim, index }
}
