//! How an application tests its jobs: in place, on the in-process broker, and in virtual time.
//!
//! ```sh
//! cargo test -p jobq-examples --test testing
//! ```

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use jobq::{Client, Context, State, job};
use jobq_worker::Worker;

/// What the job under test depends on: a shop that answers, or does not.
#[derive(Default)]
struct Shop {
    orders: AtomicU32,
    down_for: u32,
}

impl Shop {
    fn orders(&self) -> u32 {
        self.orders.load(Ordering::Relaxed)
    }
}

/// Tried again after one hour, two hours, three hours.
#[job(
    retries = 3,
    backoff = "linear",
    base_delay = "1h",
    max_delay = "1d",
    jitter = "none"
)]
async fn place_order(ctx: Context, shop: State<Arc<Shop>>, item: String) -> Result<(), String> {
    if ctx.attempt() <= shop.down_for {
        return Err(format!("no {item}: the shop is down"));
    }
    shop.orders.fetch_add(1, Ordering::Relaxed);
    Ok(())
}

async fn client() -> Client {
    jobq::connect("memory://")
        .await
        .expect("it is in this process")
}

async fn work(client: &Client, shop: &Arc<Shop>) {
    let worker = Worker::builder(client.clone()).state(shop.clone());
    let worker = worker.build().expect("all states are given");
    worker
        .run_until_idle()
        .await
        .expect("the broker is in this process");
}

/// A job is still a function: no broker, no worker.
#[tokio::test]
async fn an_order_is_placed() {
    let shop = State::new(Arc::new(Shop::default()));
    place_order(Context::for_test(), shop.clone(), "tea".into())
        .await
        .unwrap();
    assert_eq!(shop.orders(), 1);
}

/// The whole way: arguments written and read, state injected, the handler run.
#[tokio::test]
async fn an_order_can_be_enqueued() {
    let (client, shop) = (client().await, Arc::default());
    place_order::enqueue(&client, "tea").await.unwrap();
    work(&client, &shop).await;
    assert_eq!(shop.orders(), 1);
}

/// The in-process broker takes its time from tokio: with time paused, hours pass at once.
#[tokio::test(start_paused = true)]
async fn an_order_outlasts_three_hours_without_a_shop() {
    let (client, shop) = (
        client().await,
        Arc::new(Shop {
            down_for: 2,
            ..Shop::default()
        }),
    );
    let start = tokio::time::Instant::now();
    place_order::enqueue(&client, "tea").await.unwrap();
    work(&client, &shop).await;
    assert_eq!(shop.orders(), 1);
    assert!(start.elapsed() >= Duration::from_secs(3 * 3600));
}

/// What has given up lies in the dead list, with its error.
#[tokio::test(start_paused = true)]
async fn an_order_is_given_up_after_the_fourth_attempt() {
    let (client, shop) = (
        client().await,
        Arc::new(Shop {
            down_for: 9,
            ..Shop::default()
        }),
    );
    let handle = place_order::enqueue(&client, "tea").await.unwrap();
    work(&client, &shop).await;
    let queue = client.queue("default").unwrap();
    let dead = queue.dead().list(0, 10).await.unwrap();
    assert_eq!(dead.len(), 1);
    assert_eq!((dead[0].id(), dead[0].attempts()), (handle.id(), 4));
    assert_eq!(dead[0].error(), "no tea: the shop is down");
}

/// Nobody has to work to see what was enqueued.
#[tokio::test]
async fn tomorrows_order_waits() {
    let client = client().await;
    let tomorrow = Duration::from_secs(24 * 3600);
    let order = place_order::new("tea").delay(tomorrow);
    order.enqueue(&client).await.unwrap();
    let stats = client.queue("default").unwrap().stats().await.unwrap();
    assert_eq!((stats.ready, stats.delayed), (0, 1));
}
