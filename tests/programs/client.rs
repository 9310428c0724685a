//! Connects, works for a moment, and tells everything that it knows: its log at the finest level,
//! and how all that is public prints itself. Its arguments are a URL and a password beside it;
//! without any it asks its environment.

use std::error::Error;
use std::fmt::Debug;
use std::process::ExitCode;

use jobq::broker::redis::RedisConfig;
use jobq::{Client, ClientBuilder};
use jobq_worker::Worker;
use tracing::level_filters::LevelFilter;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    tracing_subscriber::fmt()
        .with_max_level(LevelFilter::TRACE)
        .with_writer(std::io::stderr)
        .init();
    let mut arguments = std::env::args().skip(1);
    let builder = match (arguments.next(), arguments.next()) {
        (None, _) => ClientBuilder::from_env(),
        (Some(url), None) => {
            show(&RedisConfig::parse(&url, None));
            Client::builder(url)
        }
        (Some(url), Some(password)) => Client::builder(url).password(password),
    };
    match work(builder).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let causes = std::iter::successors(Some(&*error), |&error| error.source());
            for cause in causes {
                println!("{cause}");
                show(&cause);
            }
            ExitCode::FAILURE
        }
    }
}

async fn work(builder: ClientBuilder) -> Result<(), Box<dyn Error>> {
    show(&builder);
    let client = builder.connect().await?;
    show(&client);
    show(client.broker());
    let queue = client.queue(support::jobs::QUEUE)?;
    show(&queue);
    show(&queue.dead());
    println!("{:?}", queue.stats().await?);
    let worker = Worker::builder(client).queues([support::jobs::QUEUE]);
    show(&worker);
    let worker = worker.build()?;
    worker.run_until_idle().await?;
    show(&worker);
    let handle = worker.spawn();
    show(&handle);
    handle.shutdown().await;
    Ok(())
}

fn show(thing: &impl Debug) {
    println!("{thing:?}\n{thing:#?}");
}
