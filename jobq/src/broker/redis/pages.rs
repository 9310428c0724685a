//! Pages of what may be long, read in parts, each of which holds the server for a millisecond or
//! two at the most. What moves between two parts may be seen twice, or not at all.

use redis::Value;

use super::RedisBroker;
use super::fault::corrupt;
use super::keys::QueueKeys;
use super::step::Step;
use super::value;
use crate::broker::{Broker, Element, MAX_BATCH_BYTES};
use crate::error::BrokerError;
use crate::id::{QueueName, Token, WorkerId};

/// Elements that the first command of a page reads, before anything is known of their size.
const FIRST_READ: u64 = 4;

/// Elements that one command reads at the most.
const MOST_READ: u64 = 100;

/// Bytes that one command is to read: 8 MiB take a millisecond, 32 MiB twenty.
const READ_BYTES: usize = 4 * 1024 * 1024;

/// Elements in an order, and from which end they are counted.
pub(super) enum Order {
    /// A list, of which the left end is the first.
    FromLeft(String),
    /// A list, of which the right end is the first.
    FromRight(String),
    /// A sorted set.
    ByScore(String),
}

/// How many elements the next command reads: their size is known only once they are read, so it
/// begins with few and goes on as the largest so far allows.
struct Stride(u64);

impl Stride {
    fn new() -> Self {
        Self(FIRST_READ)
    }

    fn learn(&mut self, read: &[Element]) {
        let largest = read.iter().map(|element| element.bytes.len()).max();
        let fit = READ_BYTES / largest.unwrap_or(0).max(1);
        self.0 = (self.0 * 4).min(MOST_READ).min(fit as u64).max(1);
    }
}

impl RedisBroker {
    /// Elements `from..end`, fewer where there are no more, or where they fill a page.
    pub(super) async fn page_in_order(
        &self,
        order: &Order,
        mut from: u64,
        end: u64,
    ) -> Result<Vec<Element>, BrokerError> {
        let (mut page, mut stride) = (Vec::new(), Stride::new());
        while from < end {
            let upto = end.min(from.saturating_add(stride.0));
            let read = self.ask(order.range(from, upto)).await?;
            let read = order.elements(read)?;
            let last = (read.len() as u64) < upto - from;
            stride.learn(&read);
            page.extend(read);
            if last || is_full(&page) {
                break;
            }
            from = upto;
        }
        Ok(page)
    }

    /// Those in flight `offset..end`, by worker and token. Only workers that have some of them are
    /// looked at closer.
    pub(super) async fn page_in_flight(
        &self,
        queue: &QueueName,
        offset: u64,
        end: u64,
    ) -> Result<Vec<Element>, BrokerError> {
        let keys = self.keys(queue);
        let mut page = Vec::new();
        let mut before = 0;
        for (worker, count) in self.counted_members(queue, &keys).await? {
            let after = before + count;
            if is_full(&page) {
                break;
            }
            if after > offset && before < end {
                let tokens = self.sorted_tokens(queue, &worker, count).await?;
                let wanted = window(before, tokens.len(), offset, end);
                self.read_records(&keys, &worker, &tokens[wanted], &mut page)
                    .await?;
            }
            before = after;
        }
        Ok(page)
    }

    /// The members, sorted, and how many jobs each has in flight.
    async fn counted_members(
        &self,
        queue: &QueueName,
        keys: &QueueKeys,
    ) -> Result<Vec<(WorkerId, u64)>, BrokerError> {
        let mut members = self.members(queue).await?;
        members.sort();
        let count =
            |(worker, _): &(WorkerId, u64)| Step::command("HLEN").arg(keys.in_flight(worker));
        let answers = self.link.call(members.iter().map(count).collect()).await;
        let counted = members.into_iter().zip(answers);
        let counted = counted.map(|((worker, _), answer)| {
            let count = value::number(&answer?).ok_or_else(|| corrupt("a number of jobs"))?;
            Ok((worker, count))
        });
        counted.collect()
    }

    async fn read_records(
        &self,
        keys: &QueueKeys,
        worker: &WorkerId,
        mut tokens: &[Token],
        page: &mut Vec<Element>,
    ) -> Result<(), BrokerError> {
        let mut stride = Stride::new();
        while !tokens.is_empty() {
            let at_once = tokens.len().min(stride.0 as usize);
            let (now, later) = tokens.split_at(at_once);
            let records = self.records(keys, worker, now).await?;
            stride.learn(&records);
            page.extend(records);
            tokens = later;
            if is_full(page) {
                break;
            }
        }
        Ok(())
    }

    async fn records(
        &self,
        keys: &QueueKeys,
        worker: &WorkerId,
        tokens: &[Token],
    ) -> Result<Vec<Element>, BrokerError> {
        let tokens: Vec<String> = tokens.iter().map(ToString::to_string).collect();
        let step = Step::command("HMGET")
            .arg(keys.in_flight(worker))
            .arg(tokens);
        let records = value::list(self.ask(step).await?, "a list of envelopes")?;
        // One that was settled in the meantime is gone.
        let there = records.into_iter().filter_map(value::bytes);
        let elements = there.map(|bytes| Element {
            bytes,
            due: None,
            worker: Some(worker.clone()),
        });
        Ok(elements.collect())
    }
}

/// Whether a page has as many bytes as one is to have: a thousand of the largest jobs are a gigabyte.
fn is_full(page: &[Element]) -> bool {
    page.iter()
        .map(|element| element.bytes.len())
        .sum::<usize>()
        >= MAX_BATCH_BYTES
}

impl Order {
    fn range(&self, from: u64, upto: u64) -> Step {
        let at = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
        let (from, last) = (at(from), at(upto) - 1);
        let range = |name, key, from, last| Step::command(name).arg(key).arg(from).arg(last);
        match self {
            Self::FromLeft(key) => range("LRANGE", key, from, last),
            Self::FromRight(key) => range("LRANGE", key, -1 - last, -1 - from),
            Self::ByScore(key) => range("ZRANGE", key, from, last).arg("WITHSCORES"),
        }
    }

    fn elements(&self, value: Value) -> Result<Vec<Element>, BrokerError> {
        let elements = value::list(value, "a list of elements")?.into_iter();
        let mut elements = match self {
            Self::ByScore(_) => elements.map(scored).collect::<Result<Vec<_>, _>>()?,
            Self::FromLeft(_) | Self::FromRight(_) => elements.filter_map(plain).collect(),
        };
        if let Self::FromRight(_) = self {
            elements.reverse();
        }
        Ok(elements)
    }
}

fn plain(value: Value) -> Option<Element> {
    Some(Element {
        bytes: value::bytes(value)?,
        due: None,
        worker: None,
    })
}

/// One of ZRANGE WITHSCORES: in RESP3, a pair.
fn scored(value: Value) -> Result<Element, BrokerError> {
    const SCORED: &str = "an element with its score";
    let pair = <[Value; 2]>::try_from(value::list(value, SCORED)?);
    let [element, score] = pair.map_err(|_| corrupt(SCORED))?;
    Ok(Element {
        bytes: value::bytes(element).ok_or_else(|| corrupt(SCORED))?,
        due: value::score(&score),
        worker: None,
    })
}

/// Which of `count` items, the first of which is number `before`, lie in `offset..end`.
fn window(before: u64, count: usize, offset: u64, end: u64) -> std::ops::Range<usize> {
    let within = |number: u64| {
        let place = number.saturating_sub(before);
        usize::try_from(place).unwrap_or(count).min(count)
    };
    within(offset)..within(end)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reads(sizes: &[usize]) -> Vec<u64> {
        let mut stride = Stride::new();
        let mut reads = vec![stride.0];
        for &size in sizes {
            let bytes = vec![0; size].into();
            let (due, worker) = (None, None);
            stride.learn(&[Element { bytes, due, worker }]);
            reads.push(stride.0);
        }
        reads
    }

    #[test]
    fn a_page_is_read_in_parts_as_the_sizes_allow() {
        const MIB: usize = 1024 * 1024;
        assert_eq!(reads(&[100, 100, 100, 100]), [4, 16, 64, 100, 100]);
        assert_eq!(reads(&[MIB, MIB, 9 * MIB]), [4, 4, 4, 1]);
        assert_eq!(reads(&[9 * MIB, 0, 100, 2 * MIB]), [4, 1, 4, 16, 2]);
    }

    #[test]
    fn the_part_of_a_page_that_one_worker_has() {
        for (before, count, offset, end, expected) in [
            (0, 10, 0, 5, 0..5),
            (0, 10, 8, 20, 8..10),
            (10, 10, 8, 12, 0..2),
            (10, 10, 15, 15, 5..5),
            (30, 10, 8, 12, 0..0),
            (0, 10, u64::MAX, u64::MAX, 10..10),
        ] {
            let window = window(before, count, offset, end);
            assert_eq!(window, expected, "{before} {count} {offset} {end}");
        }
    }
}
