use hello::send_welcome;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let client = jobq::ClientBuilder::from_env().connect().await?; // $JOBQ_URL, or redis://127.0.0.1:6379
    let job = send_welcome::enqueue(&client, 7, "ada@example.org").await?;
    println!("queued {}", job.id());
    Ok(())
}
