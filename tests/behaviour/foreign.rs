//! A worker that is nobody's: driven step by step through the broker, and dead when the test likes.

use std::sync::Arc;

use bytes::Bytes;
use jobq::broker::{
    Action, Adopted, Adoption, Broker, Claim, Claimed, DeadCaps, Member, ReleaseTo, Settle,
    Settlement,
};
use jobq::{Envelope, QueueName, Token, WorkerId};

use crate::fixture::Fixture;

/// One member of one queue.
#[derive(Debug)]
pub(crate) struct Foreign {
    broker: Arc<dyn Broker>,
    member: Member,
}

/// A job it holds.
#[derive(Debug)]
pub(crate) struct Held {
    pub(crate) token: Token,
    pub(crate) envelope: Envelope,
}

impl Foreign {
    pub(crate) fn new(fixture: &Fixture, queue: &str) -> Self {
        Self::under(fixture, queue, WorkerId::random(), 0)
    }

    /// One that claims in the name of another.
    pub(crate) fn under(fixture: &Fixture, queue: &str, worker: WorkerId, known: u64) -> Self {
        let queue = QueueName::new(queue).unwrap();
        let member = Member {
            queue,
            worker,
            known,
        };
        Self {
            broker: fixture.runner.broker().clone(),
            member,
        }
    }

    pub(crate) async fn claim(&mut self, max: u32) -> Vec<Held> {
        self.claim_what(max, false).await
    }

    pub(crate) async fn claim_suspect(&mut self) -> Held {
        self.claim_what(1, true)
            .await
            .pop()
            .expect("a suspect waits")
    }

    async fn claim_what(&mut self, max: u32, suspect: bool) -> Vec<Held> {
        let member = self.member.clone();
        let claimed = self
            .broker
            .claim(&Claim {
                member,
                max,
                suspect,
            })
            .await
            .unwrap();
        let Claimed::Granted(grant) = claimed else {
            panic!("a stranger was reaped")
        };
        self.held(grant.counter, grant.envelopes)
    }

    fn held(&mut self, counter: u64, envelopes: Vec<Bytes>) -> Vec<Held> {
        self.member.known = counter;
        let held = |(index, bytes)| Held {
            token: Token {
                claim: counter,
                index,
            },
            envelope: Envelope::decode(bytes).unwrap(),
        };
        (1..).zip(envelopes).map(held).collect()
    }

    pub(crate) async fn settle(&self, token: Token, action: Action) {
        let settle = Settle {
            queue: self.member.queue.clone(),
            worker: self.member.worker.clone(),
            resent: false,
            caps: DeadCaps::default(),
            settlements: vec![Settlement { token, action }],
        };
        assert_eq!(self.broker.settle(settle).await.unwrap().accepted, [true]);
    }

    /// Takes over what a living worker holds, as if it had been silent.
    pub(crate) async fn adopt(&mut self, target: &WorkerId) -> Vec<Held> {
        loop {
            let seen = self.counter_of(target).await;
            let adoption = Adoption {
                member: self.member.clone(),
                target: target.clone(),
                seen,
                max: 1000,
            };
            match self.broker.adopt(&adoption).await.unwrap() {
                Adopted::Taken {
                    counter, envelopes, ..
                } => return self.held(counter, envelopes),
                // It claimed or renewed since its counter was read.
                Adopted::Alive => {}
                Adopted::Reaped => panic!("a stranger was reaped"),
            }
        }
    }

    async fn counter_of(&self, target: &WorkerId) -> Option<u64> {
        let members = self.broker.members(&self.member.queue).await.unwrap();
        let found = members.into_iter().find(|(worker, _)| worker == target);
        found.map(|(_, counter)| counter)
    }

    pub(crate) async fn leave(self) {
        let Member { queue, worker, .. } = &self.member;
        assert!(self.broker.leave(queue, worker).await.unwrap());
    }
}

/// The one registered worker of a queue, with its counter, once there is one.
pub(crate) async fn only_member(fixture: &Fixture, queue: &str) -> (WorkerId, u64) {
    let queue = QueueName::new(queue).unwrap();
    support::eventually("a worker to join", async || {
        let members = fixture.runner.broker().members(&queue).await.unwrap();
        members.into_iter().next()
    })
    .await
}

/// Moves every ready job of a queue to the suspects, as if two of its workers had died.
pub(crate) async fn make_suspects(fixture: &Fixture, queue: &str) {
    let mut stranger = Foreign::new(fixture, queue);
    for Held { token, envelope } in stranger.claim(1000).await {
        let rewritten = envelope.rewrite(0, 2, &envelope.options().unwrap());
        let (to, envelope) = (ReleaseTo::Suspects, Some(rewritten));
        stranger
            .settle(token, Action::Release { to, envelope })
            .await;
    }
    stranger.leave().await;
}
