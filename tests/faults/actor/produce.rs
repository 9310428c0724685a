//! A producer.

use std::ops::RangeInclusive;
use std::process::ExitCode;
use std::str::FromStr;
use std::time::Duration;

use clap::Args;
use faults::jobs;
use faults::ledger::{self, Event, Ledger};
use jobq::{Client, EnqueueError, Job, JobBuilder, JobHandle, JobId};
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use tokio::time::Instant;

use crate::Place;

/// How long it waits after an enqueue that failed.
const AFTER_FAILURE: Duration = Duration::from_millis(50);

#[derive(Args)]
pub(crate) struct Produce {
    /// How many jobs; without it, until SIGTERM.
    #[arg(long)]
    count: Option<u64>,
    /// How many a second; 0 is as many as can be.
    #[arg(long, default_value_t = 0.0)]
    rate: f64,
    /// How many with one call.
    #[arg(long, default_value_t = 1)]
    at_once: usize,
    /// What they are, one of these at random: a kind and what its number is drawn from.
    #[arg(long, value_delimiter = ',', default_value = "work:0")]
    kinds: Vec<Kind>,
    /// Bytes of the arguments of `heavy`.
    #[arg(long, default_value_t = 1 << 20)]
    load: usize,
    /// How long before they may start, in ms.
    #[arg(long, default_value_t = 0)]
    delay: u64,
    #[arg(long, default_value = jobs::QUEUE)]
    queue: String,
    #[arg(long, default_value_t = 0)]
    seed: u64,
}

/// `work:5-40`, `fail:2`, `pill:abort`.
#[derive(Debug, Clone)]
struct Kind {
    name: String,
    number: RangeInclusive<u64>,
    word: String,
}

impl FromStr for Kind {
    type Err = std::num::ParseIntError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (name, word) = text.split_once(':').unwrap_or((text, "0"));
        let (from, to) = word.split_once('-').unwrap_or((word, word));
        let number = match from.starts_with(|c: char| c.is_ascii_digit()) {
            true => from.parse()?..=to.parse()?,
            false => 0..=0,
        };
        let (name, word) = (name.to_owned(), word.to_owned());
        Ok(Self { name, number, word })
    }
}

struct Producer {
    settings: Produce,
    client: Client,
    ledger: &'static Ledger,
    random: StdRng,
}

impl Produce {
    pub(crate) async fn run(self, place: &Place, ledger: &'static Ledger) -> ExitCode {
        let client = place.connect().await;
        let random = StdRng::seed_from_u64(self.seed);
        let producer = Producer {
            settings: self,
            client,
            ledger,
            random,
        };
        let stop = jobq_worker::shutdown_signal().expect("signals can be listened to");
        producer.run(stop).await;
        ExitCode::SUCCESS
    }
}

impl Producer {
    /// Never leaves an enqueue before it is answered.
    async fn run(mut self, stop: impl Future<Output = ()>) {
        let mut stop = std::pin::pin!(stop);
        let began = Instant::now();
        let mut sent = 0;
        while self.settings.count.is_none_or(|count| sent < count) {
            sent += self.some().await;
            let due = match self.settings.rate {
                rate if rate > 0.0 => began + Duration::from_secs_f64(sent as f64 / rate),
                _ => began,
            };
            tokio::select! {
                biased;
                () = &mut stop => break,
                () = tokio::time::sleep_until(due) => {}
            }
        }
    }

    async fn some(&mut self) -> u64 {
        let kinds = &self.settings.kinds;
        let kind = kinds[self.random.random_range(0..kinds.len())].clone();
        let mut number = || self.random.random_range(kind.number.clone());
        let count = self.settings.at_once;
        let numbers: Vec<u64> = (0..count).map(|_| number()).collect();
        let load = || "x".repeat(self.settings.load);
        let small = |n: u64| u32::try_from(n).expect("a small number");
        let each = numbers.into_iter();
        let word = &*kind.word;
        match kind.name.as_str() {
            "work" => self.send(each.map(jobs::work::new)).await,
            "heavy" => self.send(each.map(|ms| jobs::heavy::new(ms, load()))).await,
            "busy" => self.send(each.map(jobs::busy::new)).await,
            "block" => self.send(each.map(jobs::block::new)).await,
            "deaf" => self.send(each.map(jobs::deaf::new)).await,
            "fail" => self.send(each.map(|n| jobs::fail::new(small(n)))).await,
            "fatal" => self.send(each.map(|_| jobs::fatal::new())).await,
            "spawns" => self.send(each.map(|n| jobs::spawns::new(small(n)))).await,
            "panics" => self.send(each.map(|_| jobs::panics::new(word))).await,
            "pill" => self.send(each.map(|_| jobs::pill::new(word))).await,
            other => panic!("no kind of job is named {other:?}"),
        }
        count as u64
    }

    async fn send<J: Job>(&self, jobs: impl Iterator<Item = JobBuilder<J>>) {
        let delay = self.settings.delay;
        let due = if delay > 0 { ledger::now() + delay } else { 0 };
        let (mut ids, mut builders) = (Vec::new(), Vec::new());
        for job in jobs {
            let id = JobId::new();
            self.ledger.write(&Event::Intent { id, due });
            ids.push(id);
            let job = job.id(id).queue(&self.settings.queue);
            builders.push(match delay {
                0 => job,
                ms => job.delay(Duration::from_millis(ms)),
            });
        }
        let answer = match builders.pop() {
            Some(only) if builders.is_empty() => {
                self.client.enqueue(only).await.map(|handle| vec![handle])
            }
            last => {
                builders.extend(last);
                self.client.enqueue_all(builders).await
            }
        };
        if let Err(error) = self.judge(&ids, answer) {
            tracing::info!(?error, "an enqueue failed");
            tokio::time::sleep(AFTER_FAILURE).await;
        }
    }

    fn judge(
        &self,
        ids: &[JobId],
        answer: Result<Vec<JobHandle>, EnqueueError>,
    ) -> Result<(), EnqueueError> {
        let accepted = |id| Event::Accepted { id };
        let rest: fn(&EnqueueError) -> fn(JobId) -> Event = |error| match error {
            EnqueueError::OutcomeUnknown { .. } => |id| Event::Unknown { id },
            _ => |id| Event::Refused { id },
        };
        let (done, rest, error) = match answer {
            Ok(handles) => (handles, None, None),
            Err(EnqueueError::Partial { enqueued, source }) => {
                (enqueued, Some(rest(&source)), Some(*source))
            }
            Err(error) => (Vec::new(), Some(rest(&error)), Some(error)),
        };
        for handle in &done {
            self.ledger.write(&accepted(handle.id()));
        }
        for &id in &ids[done.len()..] {
            self.ledger
                .write(&rest.expect("all were enqueued, or an error says why")(id));
        }
        error.map_or(Ok(()), Err)
    }
}
