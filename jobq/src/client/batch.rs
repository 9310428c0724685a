//! Many jobs: in as few steps as their number and size allow.

use std::collections::BTreeMap;

use super::{Client, JobHandle, enqueue_error};
use crate::broker::{Due, Entry, MAX_BATCH, MAX_BATCH_BYTES, how_many_fit};
use crate::error::EnqueueError;
use crate::id::{JobId, QueueName};

/// Jobs that are checked, and not sent yet.
#[derive(Debug, Default)]
pub(super) struct Batch {
    handles: Vec<JobHandle>,
    /// What is due now apart from what is due later: each is one step, which a broker that is full
    /// refuses whole.
    by_step: BTreeMap<(QueueName, bool), (Vec<JobId>, Vec<Entry>)>,
}

impl Batch {
    pub(super) fn add(&mut self, (queue, id, entry): (QueueName, JobId, Entry)) {
        self.handles.push(JobHandle {
            id,
            queue: queue.clone(),
        });
        let step = (queue, entry.due != Due::Now);
        let (ids, entries) = self.by_step.entry(step).or_default();
        ids.push(id);
        entries.push(entry);
    }
}

impl Client {
    pub(super) async fn send_all(&self, batch: Batch) -> Result<Vec<JobHandle>, EnqueueError> {
        let mut enqueued = Vec::new();
        for ((queue, _), (ids, entries)) in batch.by_step {
            let chunks = self.enqueue_chunks(&queue, &ids, &entries, &mut enqueued);
            if let Err(source) = chunks.await {
                return Err(match enqueued.is_empty() {
                    true => source,
                    false => EnqueueError::Partial {
                        enqueued,
                        source: Box::new(source),
                    },
                });
            }
        }
        Ok(batch.handles)
    }

    async fn enqueue_chunks(
        &self,
        queue: &QueueName,
        ids: &[JobId],
        entries: &[Entry],
        enqueued: &mut Vec<JobHandle>,
    ) -> Result<(), EnqueueError> {
        let mut start = 0;
        while start < entries.len() {
            let next = entries[start..].iter().take(MAX_BATCH as usize);
            let sizes = next.map(|entry| entry.envelope.len());
            let end = start + how_many_fit(sizes, MAX_BATCH_BYTES);
            self.broker()
                .enqueue(queue, &entries[start..end])
                .await
                .map_err(|error| enqueue_error(ids[start], queue.clone(), error))?;
            tracing::debug!(jobs = end - start, job.queue = %queue, "enqueued");
            enqueued.extend(ids[start..end].iter().map(|&id| JobHandle {
                id,
                queue: queue.clone(),
            }));
            start = end;
        }
        Ok(())
    }
}
