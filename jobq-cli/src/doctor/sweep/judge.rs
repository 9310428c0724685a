//! What becomes of the jobs of a worker that died. Pure.

use bytes::Bytes;
use jobq::Envelope;
use jobq::broker::{Action, ReleaseTo};
use jobq::runtime::{AfterCrash, SUSPECT_AFTER, after_crash};

/// One action for each of all that a dead worker had in flight. The crash counts for each of them;
/// if there are suspects among them, for those alone: the others were bystanders. Nothing is buried
/// by an operator: where a worker would bury a job, it is a suspect once more.
pub(super) fn after_death(jobs: &[Bytes]) -> Vec<Action> {
    let read = jobs.iter().map(|job| Envelope::decode(job.clone()).ok());
    let read: Vec<Option<Envelope>> = read.collect();
    let is_suspect = |envelope: &Envelope| envelope.crashes() >= SUSPECT_AFTER;
    let suspects = read.iter().flatten().any(is_suspect);
    let actions = read.iter().map(|envelope| match envelope {
        Some(envelope) if !suspects || is_suspect(envelope) => crashed(envelope),
        // What is no envelope is buried by the worker that claims it.
        _ => Action::RELEASE,
    });
    actions.collect()
}

fn crashed(envelope: &Envelope) -> Action {
    let crashes = envelope.crashes().saturating_add(1);
    let to = match after_crash(crashes) {
        AfterCrash::Ready => ReleaseTo::Front,
        AfterCrash::Suspect | AfterCrash::Bury => ReleaseTo::Suspects,
    };
    // Unreadable options cannot be written anew; the worker that claims it buries it.
    let rewritten = envelope
        .options()
        .ok()
        .map(|options| envelope.rewrite(envelope.failures(), crashes, &options));
    match rewritten {
        Some(rewritten) => Action::Release {
            to,
            envelope: Some(rewritten),
        },
        None => Action::RELEASE,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use jobq::broker::memory::MemoryBroker;
    use jobq::{Client, Job, JobState};

    use super::*;

    #[derive(Debug, Job)]
    struct Sample {}

    /// Envelopes with so many crashes.
    async fn jobs(crashes: &[u32]) -> Vec<Bytes> {
        let client = Client::with_broker(Arc::new(MemoryBroker::new()));
        client
            .enqueue_all(crashes.iter().map(|_| Sample {}))
            .await
            .unwrap();
        let queue = client.queue("default").unwrap();
        let broker = client.broker();
        let page = broker.page(queue.name(), JobState::Ready, 0, 100).await;
        let jobs = page.unwrap().into_iter().zip(crashes);
        let crashed = jobs.map(|(element, &crashes)| {
            let envelope = Envelope::decode(element.bytes).unwrap();
            envelope.rewrite(1, crashes, &envelope.options().unwrap())
        });
        crashed.collect()
    }

    /// Where each goes, and with how many crashes; `None` as it is.
    async fn judged(crashes: &[u32]) -> Vec<(ReleaseTo, Option<u32>)> {
        let actions = after_death(&jobs(crashes).await).into_iter();
        let judged = actions.map(|action| match action {
            Action::Release { to, envelope } => {
                let crashes = envelope.map(|bytes| {
                    let envelope = Envelope::decode(bytes).unwrap();
                    assert_eq!(envelope.failures(), 1);
                    envelope.crashes()
                });
                (to, crashes)
            }
            other => panic!("{other:?}"),
        });
        judged.collect()
    }

    #[tokio::test]
    async fn the_crash_counts_for_suspects_or_for_all() {
        use ReleaseTo::{Front, Suspects};
        assert_eq!(judged(&[0, 0]).await, [(Front, Some(1)), (Front, Some(1))]);
        assert_eq!(
            judged(&[0, 1]).await,
            [(Front, Some(1)), (Suspects, Some(2))]
        );
        assert_eq!(judged(&[0, 2]).await, [(Front, None), (Suspects, Some(3))]);
        assert_eq!(judged(&[7, 1]).await, [(Suspects, Some(8)), (Front, None)]);
    }

    #[test]
    fn what_cannot_be_read_is_put_back_as_it_is() {
        assert_eq!(after_death(&[Bytes::from("junk")]), [Action::RELEASE]);
        assert_eq!(after_death(&[]), []);
    }
}
