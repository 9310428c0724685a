//! A plain Redis client, as any other program is one: knows keys, and nothing of jobq.

use std::collections::BTreeSet;

use bytes::Bytes;
use jobq::{IntoJob, JobState};
use redis::aio::MultiplexedConnection;
use support::Role;

use crate::fixture::Fixture;

/// A connection beside those of jobq.
#[derive(Debug)]
pub(crate) struct Plain {
    connection: MultiplexedConnection,
    namespace: String,
}

impl Plain {
    pub(crate) async fn connect(fixture: &Fixture) -> Self {
        let url = Role::Worker.log_out(&fixture.url);
        let (url, namespace) = url.split_once("?namespace=").unwrap_or((&url, "jobq"));
        Self {
            connection: support::beside(url).await.unwrap(),
            namespace: namespace.to_owned(),
        }
    }

    /// A command with its words.
    pub(crate) async fn run<T: redis::FromRedisValue>(&mut self, words: &[&[u8]]) -> T {
        let mut command = redis::Cmd::new();
        for word in words {
            command.arg(*word);
        }
        command.query_async(&mut self.connection).await.unwrap()
    }

    /// The same in text.
    pub(crate) async fn say<T: redis::FromRedisValue>(&mut self, words: &str) -> T {
        let words: Vec<&[u8]> = words.split(' ').map(str::as_bytes).collect();
        self.run(&words).await
    }

    /// The same, whatever comes of it.
    pub(crate) async fn try_say(&mut self, words: &str) {
        let mut command = redis::Cmd::new();
        words.split(' ').for_each(|word| {
            command.arg(word);
        });
        let _: Result<(), _> = command.query_async(&mut self.connection).await;
    }

    pub(crate) fn key(&self, queue: &str, name: &str) -> String {
        format!("{}:{{{queue}}}:{name}", self.namespace)
    }

    /// Every key of the namespace.
    pub(crate) async fn keys(&mut self) -> BTreeSet<String> {
        let pattern = format!("{}:*", self.namespace);
        self.say(&format!("KEYS {pattern}")).await
    }

    /// The keys beside what a queue keeps for good, its name in the set of queues and its figures, and
    /// beside what is told of a worker for some time after its death.
    pub(crate) async fn leftovers(&mut self) -> BTreeSet<String> {
        let told = format!("{}:workers", self.namespace);
        let kept = |key: &str| {
            let figures = [":queues", ":meta", ":totals"];
            figures.iter().any(|end| key.ends_with(end)) || key == told
        };
        let keys = self.keys().await.into_iter();
        keys.filter(|key| !kept(key)).collect()
    }

    /// Waits until some client of the server blocks: a worker is idle.
    pub(crate) async fn wait_for_idler(&mut self) {
        support::eventually("a worker to wait for a job", async || {
            let clients: String = self.say("CLIENT LIST").await;
            clients
                .lines()
                .any(|line| line.contains("cmd=blmove"))
                .then_some(())
        })
        .await;
    }
}

/// An envelope as a producer makes it.
pub(crate) async fn envelope(job: impl IntoJob) -> Bytes {
    let client = jobq::connect("memory://").await.unwrap();
    let handle = client.enqueue(job).await.unwrap();
    let queue = client.queue(handle.queue()).unwrap();
    let jobs = queue.jobs(JobState::Ready, 0, 1).await.unwrap();
    jobs[0].bytes().clone()
}
