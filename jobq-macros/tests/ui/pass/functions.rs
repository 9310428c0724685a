//! The forms of the documentation.
#![deny(missing_docs, warnings)]
#![forbid(unsafe_code)]

use std::path::PathBuf;
use std::time::Duration;

use jobq::{job, Client, Context, EnqueueError, JobError, State};

/// A database.
#[derive(Debug)]
pub struct Db;

/// A row.
pub struct User {
    id: u64,
    email: String,
}

#[job(retries = 3, backoff = "exponential")]
async fn send_welcome(user_id: u64, email: String) -> Result<(), JobError> {
    drop((user_id, email));
    Ok(())
}

/// Builds a report.
#[job(
    queue = "reports",
    timeout = "10m",
    backoff = "linear",
    base_delay = "10s",
    max_delay = "3m",
    jitter = 0.2
)]
pub async fn build_report(ctx: Context, db: State<Db>, month: String) -> Result<Vec<u8>, String> {
    Err(format!("{ctx:?} {db:?} {month}"))
}

#[job(blocking)]
fn resize(path: PathBuf, width: u32) -> std::io::Result<()> {
    drop((path, width));
    Ok(())
}

/// Nothing to give, nothing to return.
#[job]
pub async fn tick() {}

/// Uses every form.
pub async fn enqueue(client: Client, users: Vec<User>) -> Result<(), EnqueueError> {
    send_welcome::enqueue(&client, 7, "a@b.c").await?;
    send_welcome::new(7, "a@b.c").enqueue(&client).await?;
    send_welcome::new(7, "a@b.c")
        .delay(Duration::from_secs(60))
        .enqueue(&client)
        .await?;
    send_welcome::new(7, "a@b.c")
        .at(std::time::SystemTime::now())
        .queue("vip")
        .enqueue(&client)
        .await?;
    client
        .enqueue_all(users.iter().map(|u| send_welcome::new(u.id, &u.email)))
        .await?;
    client
        .enqueue(send_welcome {
            user_id: 7,
            email: "a".into(),
        })
        .await?;
    build_report::enqueue(&client, String::from("may")).await?;
    resize::enqueue(&client, "a".into(), 7).await?;
    tick::enqueue(&client).await?;
    tick::new().enqueue(&client).await?;
    let _ = send_welcome(7, "a@b.c".into()).await;
    let _ = resize("a".into(), 7);
    tick().await;
    Ok(())
}

/// Needs no tie to what it was given.
pub fn spawnable(
    client: &Client,
) -> impl std::future::Future<Output = Result<jobq::JobHandle, EnqueueError>> + Send + 'static + use<>
{
    send_welcome::enqueue(client, 7, String::new())
}

fn main() {}
