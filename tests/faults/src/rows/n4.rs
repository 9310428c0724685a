//! N4: a slow network. Each byte is sent by itself, and late by some time or other.

use std::num::NonZeroUsize;
use std::time::Duration;

use futures_util::FutureExt as _;
use jobq_proxy::{Delay, Direction, Slices};
use tokio::time::sleep;

use super::network::Net;
use crate::row::{Figures, Plan, Row};
use crate::world::Setup;

/// The row.
pub const ROW: Row = Row {
    id: "N4",
    fault: "a slow network: a byte at a time, each way late by 0 to 400 ms",
    shows: "lost 0; false adoptions 0",
    run: |plan| run(plan).boxed(),
};

const LATE: Duration = Duration::from_millis(200);

/// How long the jobs run that take all slots: longer than a lease.
const FILLED: Duration = Duration::from_secs(10);

async fn run(plan: Plan) -> Figures {
    let setup = plan.of(
        Setup::default().with_lease(4_000, 1_000),
        Setup::default().with_default_lease(),
    );
    let net = Net::start(&plan, &setup).await;
    for (direction, seed) in Direction::BOTH.into_iter().zip([plan.seed, !plan.seed]) {
        net.proxy.slice(
            direction,
            Slices {
                bytes: NonZeroUsize::MIN,
                pause: Duration::ZERO,
            },
        );
        let delay = Delay {
            by: LATE,
            jitter: LATE,
            seed,
        };
        net.proxy.delay(direction, delay);
    }
    net.note("slow");
    // With all slots taken nobody claims: their renewals alone say that they live.
    net.fill(&setup, FILLED).await;
    let (mark, before) = (net.mark(), net.proxy.carried());
    sleep(Duration::from_secs(plan.of(9, 120))).await;
    net.at_work(mark, Duration::from_secs(20)).await;
    let carried = net.proxy.carried() - before;
    net.note("healed");
    net.proxy.heal().await;
    Figures::new()
        .with("slices", carried.request + carried.reply)
        .and(net.finish().await)
}
