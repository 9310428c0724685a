//! A worker.

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use faults::death::Death;
use faults::ledger::{Event, Ledger};
use jobq::Client;
use jobq_worker::Worker;
use support::hooked::Hooked;
use tokio::runtime::Handle;

use crate::Place;
use crate::watched::{Lost, Watched};

/// Between two counts of tasks.
const COUNT_EVERY: Duration = Duration::from_secs(1);

/// Times are in ms.
#[derive(Args)]
pub(crate) struct Work {
    #[arg(long, value_delimiter = ',', default_value = faults::jobs::QUEUE)]
    queues: Vec<String>,
    #[arg(long, default_value_t = 8)]
    concurrency: u32,
    #[arg(long, default_value_t = 1)]
    connections: u32,
    #[arg(long, default_value_t = 7_000)]
    lease: u64,
    #[arg(long, default_value_t = 2_000)]
    renew_every: u64,
    #[arg(long, default_value_t = 25_000)]
    shutdown_timeout: u64,
    /// Where it ends itself, without a word: `before:settle:3`.
    #[arg(long)]
    die: Option<Death>,
    /// The answer that it never sees: `claim:2` is that of the second claim.
    #[arg(long)]
    lose: Option<Lost>,
}

impl Work {
    pub(crate) async fn run(self, place: &Place, ledger: &'static Ledger) -> ExitCode {
        let client = place.connect().await;
        self.die.into_iter().for_each(Death::await_here);
        let watched = Arc::new(Watched::new(ledger, self.lose));
        let watched = Hooked::new(client.broker().clone(), watched);
        let worker = Worker::builder(Client::with_broker(Arc::new(watched)))
            .queues(self.queues)
            .concurrency(self.concurrency)
            .connections(self.connections)
            .lease(Duration::from_millis(self.lease))
            .renew_every(Duration::from_millis(self.renew_every))
            .shutdown_timeout(Duration::from_millis(self.shutdown_timeout))
            .build()
            .expect("the settings of a row are right");
        let counting = tokio::spawn(count_tasks(ledger));
        worker.run().await.expect("a worker ends without an error");
        counting.abort();
        ExitCode::SUCCESS
    }
}

/// Writes down how many tasks there are, until it is aborted.
async fn count_tasks(ledger: &'static Ledger) {
    loop {
        let alive = Handle::current().metrics().num_alive_tasks();
        ledger.write(&Event::Tasks { alive });
        tokio::time::sleep(COUNT_EVERY).await;
    }
}
