use std::time::Duration;

use jobq::job;
use jobq_worker::{RunError, Worker};

#[job]
async fn remind() {}

#[tokio::test(start_paused = true)]
async fn a_reminder_waits_a_day() -> Result<(), Box<dyn std::error::Error>> {
    let (hour, day) = (Duration::from_secs(3600), Duration::from_secs(24 * 3600));
    let client = jobq::connect("memory://").await?;
    remind::new().delay(day).enqueue(&client).await?;
    let worker = Worker::builder(client).build()?;

    let early = worker.run_until_idle().max_wait(hour).await;
    assert!(matches!(early, Err(RunError::NotIdle { left, .. }) if left.delayed == 1));

    assert_eq!(worker.run_until_idle().await?.done, 1); // a day later
    Ok(())
}
