//! A job shared as a contract: `jobq_examples::contract::Charge` says what is to be done and how
//! often to try, this crate says how. The producer never sees the handler, nor its dependencies.
//!
//! ```sh
//! cargo run --example contract
//! ```

use std::error::Error;

use jobq::{Context, Job, Perform, StateType};
use jobq_examples::contract::Charge;
use jobq_worker::Worker;

/// What stands behind the handler: the connection to a payment provider, say.
struct Till {
    currency: &'static str,
}

/// This crate's name for its handlers. `Perform` and `Charge` both come from elsewhere, and Rust
/// lets a crate join two foreign things only under a name of its own.
struct Billing;

impl Perform<Billing> for Charge {
    type Output = Result<(), Box<dyn Error + Send + Sync>>;

    // Asked for when the worker is built, not first when a job runs.
    const STATES: &'static [StateType] = &[StateType::of::<Till>()];

    async fn perform(self, ctx: Context) -> Self::Output {
        let till = ctx.state::<Till>()?;
        let (euros, cents) = (self.cents / 100, self.cents % 100);
        println!(
            "order {}: charged {euros}.{cents:02} {}",
            self.order, till.currency
        );
        if let Some(voucher) = self.voucher {
            println!("order {}: voucher {voucher} is used up", self.order);
        }
        Ok(())
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let client = jobq::connect("memory://").await?;

    let charge = Charge {
        order: 17,
        cents: 4990,
        voucher: None,
    };
    charge.enqueue(&client).await?;
    let charge = Charge {
        order: 18,
        cents: 1250,
        voucher: Some("SPRING".to_owned()),
    };
    charge.retries(1).enqueue(&client).await?;

    Worker::builder(client)
        .queues(["billing"])
        .register_as::<Charge, Billing>()
        .state(Till { currency: "EUR" })
        .build()?
        .run_until_idle()
        .await?;
    Ok(())
}
