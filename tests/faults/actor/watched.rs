//! Writes down what a worker is answered, before the worker sees it.

use async_trait::async_trait;
use bytes::Bytes;
use faults::ledger::{self, Event, Ledger};
use jobq::broker::{
    Action, Adopted, Adoption, Claim, Claimed, Member, ReleaseTo, Renewed, RoundAnswer, Settle,
    Settled,
};
use jobq::{BrokerError, Envelope, JobId, Token};
use support::hooked::{Answer, Call, Hook, Step};

/// What stands in a ledger for an element that is no envelope.
const NO_ID: JobId = JobId::from_bytes([0; 16]);

/// The hook of one worker.
#[derive(Debug)]
pub(crate) struct Watched(&'static Ledger);

#[async_trait]
impl Hook for Watched {
    async fn around(&self, call: Call) -> Answer {
        let asked = ledger::now();
        if let Step::Round { settles, .. } = call.step() {
            settles.iter().for_each(|settle| self.settling(settle));
        }
        let answer = call.run().await;
        match (call.step(), &answer) {
            (Step::Round { settles, claim }, Answer::Round(answer)) => {
                self.round(settles, claim.as_ref(), answer, asked);
            }
            (Step::Renew(member), Answer::Renewed(Ok(Renewed::Reaped))) => self.reaped(member),
            (Step::Adopt(adoption), Answer::Adopted(Ok(adopted))) => self.adopt(adoption, adopted),
            (Step::Leave { worker, .. }, Answer::Left(Ok(true))) => {
                let worker = worker.to_string();
                self.0.write(&Event::Left { worker });
            }
            _ => {}
        }
        answer
    }
}

impl Watched {
    pub(crate) fn new(ledger: &'static Ledger) -> Self {
        Self(ledger)
    }

    fn round(&self, settles: &[Settle], claim: Option<&Claim>, answer: &RoundAnswer, asked: u64) {
        for (settle, settled) in settles.iter().zip(&answer.settles) {
            self.settle(settle, settled, asked);
        }
        match (claim, &answer.claim) {
            (Some(claim), Some(Ok(Claimed::Granted(grant)))) => {
                for (token, id) in tokens(grant.counter, &grant.envelopes) {
                    let queue = claim.member.queue.to_string();
                    let worker = claim.member.worker.to_string();
                    self.0.write(&Event::Claimed {
                        queue,
                        worker,
                        token,
                        id,
                        asked,
                    });
                }
            }
            (Some(claim), Some(Ok(Claimed::Reaped))) => self.reaped(&claim.member),
            _ => {}
        }
    }

    fn settling(&self, settle: &Settle) {
        for settlement in &settle.settlements {
            if settlement.action == Action::Ack {
                continue;
            }
            self.0.write(&Event::Settling {
                queue: settle.queue.to_string(),
                worker: settle.worker.to_string(),
                token: settlement.token.to_string(),
                action: word(&settlement.action).to_owned(),
            });
        }
    }

    fn settle(&self, settle: &Settle, settled: &Result<Settled, BrokerError>, asked: u64) {
        for (i, settlement) in settle.settlements.iter().enumerate() {
            let answer = match settled {
                Ok(settled) if settled.accepted[i] => "accepted",
                Ok(_) if settle.resent => "again",
                Ok(_) => "stale",
                Err(_) => "unknown",
            };
            self.0.write(&Event::Settled {
                queue: settle.queue.to_string(),
                worker: settle.worker.to_string(),
                token: settlement.token.to_string(),
                action: word(&settlement.action).to_owned(),
                answer: answer.to_owned(),
                asked,
            });
        }
    }

    fn adopt(&self, adoption: &Adoption, adopted: &Adopted) {
        match adopted {
            Adopted::Taken {
                counter, envelopes, ..
            } => {
                for (token, id) in tokens(*counter, envelopes) {
                    let queue = adoption.member.queue.to_string();
                    let worker = adoption.member.worker.to_string();
                    let target = adoption.target.to_string();
                    self.0.write(&Event::Adopted {
                        queue,
                        worker,
                        token,
                        id,
                        target,
                    });
                }
            }
            Adopted::Reaped => self.reaped(&adoption.member),
            Adopted::Alive => {}
        }
    }

    fn reaped(&self, member: &Member) {
        let worker = member.worker.to_string();
        self.0.write(&Event::Reaped { worker });
    }
}

fn tokens(claim: u64, envelopes: &[Bytes]) -> impl Iterator<Item = (String, JobId)> {
    let tokens = (1..).map(move |index| Token { claim, index }.to_string());
    tokens.zip(
        envelopes
            .iter()
            .map(|bytes| Envelope::id_of(bytes).unwrap_or(NO_ID)),
    )
}

fn word(action: &Action) -> &'static str {
    match action {
        Action::Ack => "ack",
        Action::Retry { .. } => "retry",
        Action::Bury { .. } => "bury",
        Action::Release {
            to: ReleaseTo::Front,
            ..
        } => "release",
        Action::Release { .. } => "suspect",
    }
}
