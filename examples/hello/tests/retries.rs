use std::time::Duration;

use jobq::{Context, job};
use jobq_worker::Worker;

#[job(retries = 3, backoff = "fixed", base_delay = "2h")]
async fn call_back(ctx: Context, number: String) -> Result<(), String> {
    match ctx.attempt() {
        1 | 2 => Err(format!("{number} is busy")),
        _ => Ok(()),
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_is_made_at_the_third_attempt() -> Result<(), Box<dyn std::error::Error>> {
    let client = jobq::connect("memory://").await?;
    call_back::enqueue(&client, "555").await?;

    let begun = tokio::time::Instant::now();
    let stats = Worker::builder(client).build()?.run_until_idle().await?;

    assert_eq!((stats.done, stats.retried, stats.dead), (1, 2, 0));
    assert!(begun.elapsed() > Duration::from_secs(3 * 3600)); // in about a second
    Ok(())
}
