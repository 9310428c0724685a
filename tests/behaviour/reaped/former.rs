//! What a worker held under a former id it takes back itself, and no crash is counted: also where
//! that id is a member again, and where the worker is reaped once more meanwhile.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use async_trait::async_trait;
use jobq::broker::{Adopted, Renewed};
use jobq::{State, job};
use support::hooked::{Answer, Call, Hook, Step};

use crate::fixture::{Fixture, Ledger};

/// Cannot be aborted, so that its outcome does not come before the adoption.
#[job(name = "former.stubborn", queue = "former", blocking)]
fn stubborn(ledger: State<Ledger>) {
    ledger.write("begin");
    while ledger.count("go") == 0 {
        std::thread::sleep(std::time::Duration::from_millis(1));
    }
}

/// Lets the blocking runs end, also where the test fails: its runtime waits for them.
struct Go(Ledger);

impl Drop for Go {
    fn drop(&mut self) {
        self.0.write("go");
    }
}

/// Says so many times each that the worker was adopted, which was not: so its id stays a member.
struct Untrue {
    renews: AtomicU32,
    adoptions: AtomicU32,
}

fn takes_one(count: &AtomicU32) -> bool {
    let less = |left: u32| left.checked_sub(1);
    let taken = count.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less);
    taken.is_ok()
}

#[async_trait]
impl Hook for Untrue {
    async fn around(&self, call: Call) -> Answer {
        match call.step() {
            Step::Renew(_) if takes_one(&self.renews) => Answer::Renewed(Ok(Renewed::Reaped)),
            Step::Adopt(_) if takes_one(&self.adoptions) => Answer::Adopted(Ok(Adopted::Reaped)),
            _ => call.run().await,
        }
    }
}

async fn takes_back_its_own(adoptions: u32) {
    let mut fixture = Fixture::memory().await;
    let hook = Arc::new(Untrue {
        renews: AtomicU32::new(0),
        adoptions: AtomicU32::new(0),
    });
    let go = Go(fixture.ledger.clone());
    fixture.hook(&hook);
    stubborn::enqueue(&fixture.client).await.unwrap();
    let worker = fixture.worker().queues(["former"]).concurrency(2);
    let handle = worker.build().unwrap().spawn();
    fixture.ledger.wait_for("begin", 1).await;
    hook.adoptions.store(adoptions, Ordering::Relaxed);
    hook.renews.store(1, Ordering::Relaxed);
    fixture.ledger.wait_for("begin", 2).await;
    assert_eq!(handle.stats().adopted, 0, "nobody died");
    drop(go);
    handle.shutdown().await;
}

#[tokio::test]
async fn a_former_id_that_is_a_member_again_is_this_workers_own() {
    takes_back_its_own(0).await;
}

#[tokio::test]
async fn a_worker_that_is_reaped_while_it_takes_back_goes_on_taking_back() {
    takes_back_its_own(1).await;
}
