//! Many suspects that are over at once, and jobs that come meanwhile. In virtual time.

use std::time::Duration;

use jobq::{State, job};
use tokio::time::Instant;

use crate::fixture::{Fixture, Ledger};
use crate::foreign::make_suspects;

const SUSPECTS: usize = 50;

#[job(name = "brief.suspect", queue = "crowd")]
async fn brief(ledger: State<Ledger>) {
    ledger.write("brief begins");
    tokio::time::sleep(Duration::from_millis(40)).await;
    ledger.write("brief ends");
}

#[job(name = "brief.innocent", queue = "crowd")]
async fn innocent(ledger: State<Ledger>) {
    ledger.write("innocent");
}

#[tokio::test(start_paused = true)]
async fn brief_suspects_follow_each_other_and_others_have_their_turn() {
    let fixture = Fixture::memory().await;
    fixture
        .client
        .enqueue_all((0..SUSPECTS).map(|_| brief::new()))
        .await
        .unwrap();
    make_suspects(&fixture, "crowd").await;
    let worker = fixture.calm_worker().queues(["crowd"]).build().unwrap();
    let (begun, handle) = (Instant::now(), worker.spawn());
    let (mut innocents, mut waited) = (0, Duration::ZERO);
    while fixture.ledger.count("brief ends") < SUSPECTS {
        let came = Instant::now();
        assert!(begun.elapsed() < Duration::from_secs(10), "{innocents}");
        innocent::enqueue(&fixture.client).await.unwrap();
        innocents += 1;
        while fixture.ledger.count("innocent") < innocents {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        waited = waited.max(came.elapsed());
    }
    handle.shutdown().await;
    assert!(waited < Duration::from_millis(1200), "{waited:?}");
    let lines = fixture.ledger.lines();
    let suspects = lines.iter().filter(|line| line.starts_with("brief"));
    let one_by_one = ["brief begins", "brief ends"].repeat(SUSPECTS);
    assert_eq!(suspects.collect::<Vec<_>>(), one_by_one);
}
