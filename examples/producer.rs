//! Enqueues invoices for the workers of `worker_process`: in bulk, and one by one with a delay.
//!
//! ```sh
//! cargo run --example producer            # 20 orders
//! cargo run --example producer -- 5000
//! ```
//!
//! The variables of a worker process say which Redis: `JOBQ_URL` (`redis://127.0.0.1:6379` if it is
//! not set), `JOBQ_USERNAME`, `JOBQ_PASSWORD`, `JOBQ_NAMESPACE`, `JOBQ_CA_FILE`.

use std::env;
use std::time::Duration;

use jobq_examples::invoices::{mail_invoice, render_invoice};

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let orders: u64 = env::args().nth(1).map_or(Ok(20), |n| n.parse())?;
    let client = jobq::ClientBuilder::from_env().connect().await?;

    let invoices = (1..=orders).map(|order| {
        let items = vec![
            ("Espresso cups".to_owned(), 2400),
            ("Shipping".to_owned(), 490),
        ];
        render_invoice::new(order, format!("customer {order}"), items)
    });
    client.enqueue_all(invoices).await?;

    let mails = (1..=orders).map(|order| {
        mail_invoice::new(order, format!("customer-{order}@example.org"))
            .delay(Duration::from_millis(500))
    });
    client.enqueue_all(mails).await?;

    println!("enqueued {orders} invoices and as many mails");
    Ok(())
}
