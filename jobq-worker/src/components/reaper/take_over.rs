//! Takes over what one worker held, in as many steps as it needs, and says what becomes of it.

use jobq::broker::{Adopted, Adoption, MAX_BATCH, Settlement};
use jobq::runtime::name_bytes;
use jobq::{BrokerError, Envelope, Token, WorkerId};

use super::Reaper;
use crate::executor::{Orphan, after_crash_of_worker};
use crate::outbox::Kind;

/// Bytes of envelopes after which what was adopted so far is judged and settled.
const ADOPTED_AT_ONCE: usize = 64 << 20;

/// Whose remains are taken over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cause {
    /// A worker that died: the crash counts.
    Crash,
    /// This worker itself, under an id it was reaped of.
    Own,
}

/// What a step of an adoption came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    /// The target holds more.
    More,
    /// The target holds nothing more.
    Last,
    /// Nothing: the target lives, or the adopter was adopted itself.
    None,
}

impl Reaper {
    /// Takes over all that `target` held, and judges it as a whole, as far as memory allows:
    /// whether there was a suspect among it decides for whom the crash counts. Answers whether that
    /// was all: else the rest is to be taken later.
    pub(super) async fn adopt(
        &self,
        index: usize,
        target: &WorkerId,
        seen: Option<u64>,
        cause: Cause,
    ) -> Result<bool, BrokerError> {
        let mut adopted = Vec::new();
        let result = loop {
            match self.adopt_some(index, target, seen, &mut adopted).await {
                Ok(Part::More) if size(&adopted) < ADOPTED_AT_ONCE => {}
                Ok(Part::More) => {
                    self.judge(index, target, cause, std::mem::take(&mut adopted));
                    // One outcome that is refused, of whatever queue, must not end all looks. Still a
                    // member, the target is found again once it has stood still for a lease.
                    let emptied = self.shared.outbox.emptied();
                    if tokio::time::timeout(self.next_look() / 2, emptied)
                        .await
                        .is_err()
                    {
                        return Ok(false);
                    }
                }
                Ok(part) => break Ok(part == Part::Last),
                Err(error) => break Err(error),
            }
        };
        self.judge(index, target, cause, adopted);
        result
    }

    /// One step of an adoption.
    async fn adopt_some(
        &self,
        index: usize,
        target: &WorkerId,
        seen: Option<u64>,
        adopted: &mut Vec<Orphan>,
    ) -> Result<Part, BrokerError> {
        let (request, member) = self.shared.memberships[index].ask();
        let target = target.clone();
        let adoption = Adoption {
            member,
            target,
            seen,
            max: MAX_BATCH,
        };
        let (claim, envelopes, more) = match self.shared.broker().adopt(&adoption).await? {
            Adopted::Taken {
                counter,
                envelopes,
                more,
            } => (counter, envelopes, more),
            Adopted::Alive => {
                request.declined();
                return Ok(Part::None);
            }
            Adopted::Reaped => {
                self.shared.reaped(index, &request.reaped());
                return Ok(Part::None);
            }
        };
        let Some(adopter) = request.answered(claim, envelopes.len()) else {
            return Ok(Part::None);
        };
        let tokens = (1..).map(|index| Token { claim, index });
        adopted.extend(tokens.zip(envelopes).map(|(token, bytes)| {
            let worker = adopter.worker.clone();
            Orphan {
                worker,
                token,
                bytes,
            }
        }));
        Ok(if more { Part::More } else { Part::Last })
    }

    fn judge(&self, index: usize, target: &WorkerId, cause: Cause, orphans: Vec<Orphan>) {
        if orphans.is_empty() {
            return;
        }
        let (shared, count) = (&self.shared, orphans.len());
        let queue = &shared.memberships[index].queue;
        let worker = target.as_str();
        let judged = match cause {
            Cause::Crash => {
                shared.counters.adopted.add(count as u64);
                tracing::warn!(
                    job.queue = %queue, worker, jobs = count,
                    "adopted the jobs of a worker that no longer answers"
                );
                after_crash_of_worker(queue, orphans, shared.broker().now())
            }
            Cause::Own => {
                tracing::info!(
                    job.queue = %queue, worker, jobs = count,
                    "took back jobs that this worker held under a former id"
                );
                let back = |orphan: Orphan| orphan.put_back(Kind::Released);
                orphans.into_iter().map(back).collect()
            }
        };
        for (orphan, action, mut note) in judged {
            let Orphan {
                worker,
                token,
                bytes,
            } = orphan;
            if let Ok(envelope) = Envelope::decode(bytes) {
                note.job = shared.registry.index(name_bytes(&envelope));
            }
            let outcome = (Settlement { token, action }, note);
            shared.outbox.push(shared, index, &worker, [outcome]);
        }
        shared.work.notify_one();
    }
}

fn size(orphans: &[Orphan]) -> usize {
    orphans.iter().map(|orphan| orphan.bytes.len()).sum()
}
