//! Walks over sets, sorted sets and hashes of any size, in parts that hold the server for a
//! millisecond at the most. What is there from the first part to the last is found.

use bytes::Bytes;
use redis::Value;

use super::RedisBroker;
use super::fault::corrupt;
use super::keys::{self, QueueKeys};
use super::pages::Order;
use super::reply;
use super::step::Step;
use super::value;
use crate::broker::Broker;
use crate::envelope::Envelope;
use crate::error::BrokerError;
use crate::id::{JobId, QueueName, Token, WorkerId};

/// Names of queues that one step of a scan looks at, about.
const NAMES_SCANNED: usize = 500;

/// Tokens that are read with one command; where there are more, they are scanned.
const TOKENS_READ: u64 = 5000;

/// Elements of delayed or in flight that one step of a scan looks at, about. The server copies each
/// of them, match or not.
const ELEMENTS_SCANNED: usize = 250;

/// Bytes that one step of a scan is to copy.
const SCANNED_BYTES: usize = 1024 * 1024;

/// Elements of delayed whose size is looked at before a scan.
const SAMPLES: u64 = 5;

impl RedisBroker {
    /// The set of queues; a name may stand there twice.
    pub(super) async fn all_queues(&self) -> Result<Vec<Value>, BrokerError> {
        let key = keys::queues(self.link.config().namespace());
        self.scan_all("SSCAN", &key, NAMES_SCANNED).await
    }

    async fn scan_all(
        &self,
        scan: &str,
        key: &str,
        at_once: usize,
    ) -> Result<Vec<Value>, BrokerError> {
        let (mut all, mut cursor) = (Vec::new(), 0);
        loop {
            let step = Step::command(scan).arg(key).arg(cursor);
            let step = step.arg("COUNT").arg(at_once);
            let (next, found) = reply::scanned(self.ask(step).await?)?;
            all.extend(found);
            if next == 0 {
                return Ok(all);
            }
            cursor = next;
        }
    }

    /// The first that a scan finds which has this id where an envelope has it.
    pub(super) async fn search_delayed(
        &self,
        keys: &QueueKeys,
        id: JobId,
    ) -> Result<Option<Bytes>, BrokerError> {
        // One byte of any value, the header of the array, stands before it.
        let mut pattern = b"?".to_vec();
        pattern.extend(keys::glob_of(&Envelope::id_mark(id)));
        pattern.push(b'*');
        let at_once = self.scanned_at_once(keys).await?;
        let mut cursor = 0;
        loop {
            let step = Step::command("ZSCAN").arg(keys.delayed()).arg(cursor);
            let step = step.arg("MATCH").arg(&pattern).arg("COUNT").arg(at_once);
            let (next, found) = reply::scanned(self.ask(step).await?)?;
            if let Some(element) = found.into_iter().next() {
                return Ok(value::bytes(element));
            }
            if next == 0 {
                return Ok(None);
            }
            cursor = next;
        }
    }

    /// How many delayed elements a step of a scan should look at, by the size of a few of them: from
    /// the first to the last, for those that are due soon may be of another kind than the rest.
    async fn scanned_at_once(&self, keys: &QueueKeys) -> Result<usize, BrokerError> {
        let count = self.ask(Step::command("ZCARD").arg(keys.delayed()));
        let count = value::number(&count.await?).ok_or_else(|| corrupt("a number of jobs"))?;
        let order = Order::ByScore(keys.delayed());
        let mut largest = 1;
        for sample in 0..SAMPLES {
            let at = count.saturating_sub(1) * sample / (SAMPLES - 1);
            let element = self.page_in_order(&order, at, at + 1).await?;
            largest = largest.max(element.first().map_or(0, |element| element.bytes.len()));
        }
        Ok((SCANNED_BYTES / largest).clamp(1, ELEMENTS_SCANNED))
    }

    /// What a worker has in flight, by the tokens, sorted; `count` is how many, about.
    pub(super) async fn sorted_tokens(
        &self,
        queue: &QueueName,
        worker: &WorkerId,
        count: u64,
    ) -> Result<Vec<Token>, BrokerError> {
        let mut tokens = if count <= TOKENS_READ {
            self.held(queue, worker).await?
        } else {
            let key = self.keys(queue).in_flight(worker);
            let fields = self.scan_all("HSCAN", &key, ELEMENTS_SCANNED).await?;
            reply::tokens(fields.iter().step_by(2))
        };
        tokens.sort_unstable();
        // A scan may give a token twice.
        tokens.dedup();
        Ok(tokens)
    }
}
