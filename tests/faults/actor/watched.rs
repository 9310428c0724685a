//! Writes down what a worker is answered, before the worker sees it.

use std::str::FromStr;
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use bytes::Bytes;
use faults::death::{self, Side};
use faults::ledger::{self, Event, Ledger};
use jobq::broker::{
    Action, Adopted, Adoption, Claim, Claimed, Member, ReleaseTo, Renewed, RoundAnswer, Settle,
    Settled, Wake,
};
use jobq::{BrokerError, BrokerErrorKind, Envelope, JobId, Token};
use support::hooked::{Answer, Call, Hook, Step};

/// What stands in a ledger for an element that is no envelope.
const NO_ID: JobId = JobId::from_bytes([0; 16]);

/// The hook of one worker.
#[derive(Debug)]
pub(crate) struct Watched {
    ledger: &'static Ledger,
    lost: Option<Lost>,
    /// Steps so far of the kind that loses an answer.
    passed: AtomicU64,
}

/// An answer that does not arrive: the step, and which of its kind, from 1.
#[derive(Debug, Clone)]
pub(crate) struct Lost {
    step: String,
    number: u64,
}

impl FromStr for Lost {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parts = text.split_once(':');
        let lost = parts.and_then(|(step, number)| {
            let (step, number) = (step.to_owned(), number.parse().ok()?);
            Some(Self { step, number })
        });
        lost.ok_or_else(|| format!("{text} is not like claim:2"))
    }
}

#[async_trait]
impl Hook for Watched {
    async fn around(&self, call: Call) -> Answer {
        let asked = ledger::now();
        if let Step::Round { settles, .. } = call.step() {
            settles.iter().for_each(|settle| self.settling(settle));
        }
        death::pass(Side::Before, |step| call.step().is(step));
        let answer = call.run().await;
        death::pass(Side::After, |step| {
            call.step().is(step) && has_brought(step, &answer)
        });
        if self.is_lost(call.step()) {
            return call.fail(unanswered);
        }
        match (call.step(), &answer) {
            (Step::Round { settles, claim }, Answer::Round(answer)) => {
                self.round(settles, claim.as_ref(), answer, asked);
            }
            (Step::Renew(member), Answer::Renewed(Ok(Renewed::Reaped))) => self.reaped(member),
            (Step::Adopt(adoption), Answer::Adopted(Ok(adopted))) => self.adopt(adoption, adopted),
            (Step::Leave { worker, .. }, Answer::Left(Ok(true))) => {
                let worker = worker.to_string();
                self.ledger.write(&Event::Left { worker });
            }
            _ => {}
        }
        answer
    }
}

/// Of what may bring jobs and did not, it is nothing to die of.
fn has_brought(step: &str, answer: &Answer) -> bool {
    match (step, answer) {
        ("claim", Answer::Round(round)) => {
            matches!(&round.claim, Some(Ok(Claimed::Granted(grant))) if !grant.envelopes.is_empty())
        }
        ("adopt", Answer::Adopted(adopted)) => {
            matches!(adopted, Ok(Adopted::Taken { envelopes, .. }) if !envelopes.is_empty())
        }
        ("wait", Answer::Woken(woken)) => matches!(woken, Ok(Wake::Handed)),
        _ => true,
    }
}

impl Watched {
    pub(crate) fn new(ledger: &'static Ledger, lost: Option<Lost>) -> Self {
        let passed = AtomicU64::new(0);
        Self {
            ledger,
            lost,
            passed,
        }
    }

    fn is_lost(&self, step: &Step) -> bool {
        let lost = self.lost.as_ref().filter(|lost| step.is(&lost.step));
        lost.is_some_and(|lost| self.passed.fetch_add(1, Ordering::Relaxed) + 1 == lost.number)
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
                    self.ledger.write(&Event::Claimed {
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
            self.ledger.write(&Event::Settling {
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
            self.ledger.write(&Event::Settled {
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
                    self.ledger.write(&Event::Adopted {
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
        self.ledger.write(&Event::Reaped { worker });
    }
}

fn unanswered() -> BrokerError {
    BrokerError::new(BrokerErrorKind::Unavailable, "the answer was lost").with_outcome_unknown()
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
