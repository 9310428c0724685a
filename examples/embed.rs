//! A worker pool inside an existing tokio service: requests enqueue, the same process runs the jobs,
//! and both stop together.
//!
//! ```sh
//! cargo run --example embed               # says its address; Ctrl-C stops it
//! echo ada@example.org | nc -q1 127.0.0.1 7878
//! ```

use std::env;
use std::error::Error;
use std::time::Duration;

use jobq::{Client, State, job};
use jobq_worker::Worker;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

/// What the service is configured with, and its jobs need.
struct Site {
    name: &'static str,
}

#[job(retries = 3)]
async fn send_welcome(site: State<Site>, email: String) {
    // Stands in for a mail server.
    tokio::time::sleep(Duration::from_millis(200)).await;
    println!("welcome to {}, {email}", site.name);
}

/// One request: a line with an address. The answer is the job's id, at once.
async fn signup(client: Client, mut stream: TcpStream) -> Result<(), Box<dyn Error + Send + Sync>> {
    let mut email = String::new();
    BufReader::new(&mut stream).read_line(&mut email).await?;
    let job = send_welcome::enqueue(&client, email.trim()).await?;
    stream
        .write_all(format!("queued {}\n", job.id()).as_bytes())
        .await?;
    Ok(())
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let url = env::var("JOBQ_URL").unwrap_or_else(|_| "memory://".to_owned());
    let client = jobq::connect(&url).await?;
    let worker = Worker::builder(client.clone())
        .concurrency(16)
        .state(Site {
            name: "example.org",
        })
        .shutdown_timeout(Duration::from_secs(10))
        .build()?
        .spawn();

    let address = env::args()
        .nth(1)
        .unwrap_or_else(|| "127.0.0.1:7878".to_owned());
    let listener = TcpListener::bind(address).await?;
    println!("listening on {}", listener.local_addr()?);
    loop {
        let (stream, _) = tokio::select! {
            connection = listener.accept() => connection?,
            _ = tokio::signal::ctrl_c() => break,
        };
        let client = client.clone();
        tokio::spawn(async move {
            if let Err(error) = signup(client, stream).await {
                eprintln!("a request failed: {error}");
            }
        });
    }

    // What runs is finished; what has not begun stays in the queue.
    worker.shutdown().await;
    println!("stopped");
    Ok(())
}
