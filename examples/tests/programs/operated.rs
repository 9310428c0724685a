//! What an operator sees and does, from the outside.

use std::time::Duration;

use jobq::{Client, job};
use jobq_worker::{Worker, WorkerStats};

use crate::program::Program;

#[job(queue = "mail", retries = 0)]
async fn bounce(address: String) -> Result<(), String> {
    Err(format!("no mailbox {address}\u{1b}"))
}

/// What `operate` says to these arguments.
async fn operate<const N: usize>(url: &str, args: [&str; N]) -> Vec<String> {
    let mut program = Program::new("operate");
    let running = program.args(args).env("JOBQ_URL", url).start();
    running.succeed().await
}

/// Works off what may run.
async fn work(client: &Client) -> WorkerStats {
    let worker = Worker::builder(client.clone()).build();
    let worker = worker.expect("it has a job");
    support::within("all to be done", worker.run_until_idle().into_future())
        .await
        .expect("the server answers")
}

/// The figures of the queue: ready, delayed, running, dead.
fn figures(output: &[String], queue: &str) -> Vec<u64> {
    let row = output.iter().find(|line| line.ends_with(queue));
    let row = row.unwrap_or_else(|| panic!("{queue} in {output:#?}"));
    let figures = row.split_whitespace().take(4);
    figures
        .map(|figure| figure.parse().expect("a number"))
        .collect()
}

#[tokio::test]
async fn an_operator_sees_what_died_and_has_it_tried_again() {
    let url = crate::redis();
    let client = jobq::connect(&url).await.unwrap();
    let job = bounce::enqueue(&client, "nobody").await.unwrap();
    assert_eq!(work(&client).await.dead, 1);

    let dead = operate(&url, ["dead", "mail"]).await;
    let wanted = format!(
        "{}  bounce (exhausted): no mailbox nobody\\u{{1b}}",
        job.id()
    );
    assert!(dead.len() == 1 && dead[0].ends_with(&wanted), "{dead:#?}");
    assert_eq!(figures(&operate(&url, []).await, "  mail"), [0, 0, 0, 1]);

    let retried = operate(&url, ["retry-all", "mail"]).await;
    assert_eq!(retried, ["dead jobs of mail that run again: 1"]);
    assert_eq!(figures(&operate(&url, []).await, "  mail"), [1, 0, 0, 0]);
}

#[tokio::test]
async fn an_operator_pauses_a_queue_and_cancels_a_job_of_it() {
    let url = crate::redis();
    let client = jobq::connect(&url).await.unwrap();
    let later = bounce::new("nobody").delay(Duration::from_secs(3600));
    later.enqueue(&client).await.unwrap();
    operate(&url, ["pause", "mail"]).await;
    let job = bounce::enqueue(&client, "nobody").await.unwrap();
    let paused = operate(&url, []).await;
    assert_eq!(figures(&paused, "  mail (paused)"), [1, 1, 0, 0]);

    operate(&url, ["cancel", "mail", &job.id().to_string()]).await;
    operate(&url, ["resume", "mail"]).await;
    let queue = client.queue("mail").unwrap();
    queue.purge(jobq::JobState::Delayed).await.unwrap();
    let stats = work(&client).await;
    assert_eq!((stats.cancelled, stats.dead), (1, 0));
    assert_eq!(figures(&operate(&url, []).await, "  mail"), [0, 0, 0, 0]);
}
