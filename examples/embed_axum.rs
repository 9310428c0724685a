//! A worker pool inside an axum service: requests enqueue, the same process runs the jobs, both see
//! the same state, and both stop together without losing anything.
//!
//! ```sh
//! cargo run --example embed_axum                # or with an address: -- 127.0.0.1:8080
//! curl -d ada@example.org http://127.0.0.1:7878/signups
//! curl http://127.0.0.1:7878/signups            # what became of them
//! ```
//!
//! Ctrl-C or SIGTERM stops it. Without `JOBQ_URL` the jobs live and die with this process; with
//! `JOBQ_URL=redis://127.0.0.1:6379`, and `JOBQ_USERNAME` and `JOBQ_PASSWORD` where it takes them,
//! what has not begun waits for the next start.

use std::collections::BTreeMap;
use std::error::Error;
use std::io::Write as _;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::{env, fs, io};

use axum::Router;
use axum::extract::State as Extract; // jobq has a `State` of its own
use axum::http::StatusCode;
use axum::routing::get;
use jobq::{Client, ClientBuilder, State, job};
use jobq_worker::Worker;

/// What requests and jobs share. Here a map; elsewhere a pool of connections.
#[derive(Default)]
struct Signups(Mutex<BTreeMap<String, &'static str>>);

impl Signups {
    fn set(&self, email: &str, stage: &'static str) {
        let mut signups = self.0.lock().expect("nobody panics with it");
        signups.insert(email.to_owned(), stage);
    }
}

/// Appends to a file, which stands in for a mail server: `$OUTBOX`, or one among temporary files.
#[job(blocking, retries = 3)]
fn send_welcome(signups: State<Arc<Signups>>, email: String) -> io::Result<()> {
    signups.set(&email, "being welcomed");
    let path = env::var_os("OUTBOX").map_or(env::temp_dir().join("jobq-outbox"), PathBuf::from);
    let mut outbox = fs::OpenOptions::new()
        .create(true)
        .append(true)
        .open(path)?;
    outbox.write_all(format!("welcome, {email}\n").as_bytes())?;
    signups.set(&email, "welcomed");
    println!("welcomed {email}");
    Ok(())
}

type App = Extract<(Client, Arc<Signups>)>;

/// Answers as soon as the job is queued: from then on it will be run, whatever happens here.
async fn sign_up(Extract((client, signups)): App, email: String) -> (StatusCode, String) {
    signups.set(&email, "queued"); // first: the job may be done before `enqueue` answers
    match send_welcome::enqueue(&client, email.as_str()).await {
        Ok(job) => (StatusCode::ACCEPTED, format!("{}\n", job.id())),
        Err(error) => {
            signups.set(&email, "refused");
            (StatusCode::SERVICE_UNAVAILABLE, format!("{error}\n"))
        }
    }
}

async fn list(Extract((_, signups)): App) -> String {
    let signups = signups.0.lock().expect("nobody panics with it");
    let line = |(email, stage)| format!("{email}: {stage}\n");
    signups.iter().map(line).collect()
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let stop = jobq_worker::shutdown_signal()?;
    let client = match env::var_os("JOBQ_URL") {
        Some(_) => ClientBuilder::from_env(),
        None => Client::builder("memory://"),
    };
    let (client, signups) = (client.connect().await?, Arc::<Signups>::default());

    let worker = Worker::builder(client.clone())
        .concurrency(4)
        .state(signups.clone())
        .build()?
        .spawn();

    let app = Router::new()
        .route("/signups", get(list).post(sign_up))
        .with_state((client, signups));
    let address = env::args().nth(1).unwrap_or("127.0.0.1:7878".to_owned());
    let listener = tokio::net::TcpListener::bind(address).await?;
    println!("listening on {}", listener.local_addr()?);

    // The server first: requests that it has accepted may enqueue until they are answered.
    let served = axum::serve(listener, app)
        .with_graceful_shutdown(stop)
        .await;
    println!("no more requests; finishing the jobs that run");
    worker.shutdown().await;
    println!("stopped");
    Ok(served?)
}
