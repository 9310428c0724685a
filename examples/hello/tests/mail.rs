use std::error::Error;
use std::sync::{Arc, Mutex};

use jobq::{Client, Context, JobState, State, job};
use jobq_worker::Worker;

type Outbox = Arc<Mutex<Vec<String>>>; // stands in for a mail server

#[job]
async fn mail(ctx: Context, outbox: State<Outbox>, to: String) {
    let text = format!("{to}, attempt {}", ctx.attempt());
    outbox.lock().unwrap().push(text);
}

/// What the service does when somebody signs up.
async fn sign_up(client: &Client, email: &str) -> Result<(), jobq::EnqueueError> {
    mail::enqueue(client, email).await?;
    Ok(())
}

#[tokio::test]
async fn in_place() {
    let outbox = Outbox::default();
    let (ctx, state) = (Context::for_test(), State::new(outbox.clone()));
    mail(ctx, state, "ada@example.org".into()).await;
    assert_eq!(*outbox.lock().unwrap(), ["ada@example.org, attempt 1"]);
}

#[tokio::test]
async fn without_a_worker() -> Result<(), Box<dyn Error>> {
    let client = jobq::connect("memory://").await?;
    sign_up(&client, "ada@example.org").await?;
    let queue = client.queue("default")?;
    let jobs = queue.jobs(JobState::Ready, 0, 10).await?;
    assert_eq!(jobs[0].name(), Some("mail"));
    assert_eq!(jobs[0].arguments::<mail>()?.to, "ada@example.org");
    Ok(())
}

#[tokio::test]
async fn the_whole_way() -> Result<(), Box<dyn Error>> {
    let (client, outbox) = (jobq::connect("memory://").await?, Outbox::default());
    sign_up(&client, "ada@example.org").await?;
    let worker = Worker::builder(client).state(outbox.clone()).build()?;
    assert_eq!(worker.run_until_idle().await?.done, 1);
    assert_eq!(*outbox.lock().unwrap(), ["ada@example.org, attempt 1"]);
    Ok(())
}
