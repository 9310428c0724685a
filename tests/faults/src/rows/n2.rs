//! N2: a black hole. No byte passes either way, and no connection ends. When it is over, the
//! connections of before go on at one time, and at another are forgotten by whoever lost them. At last
//! they are forgotten although new ones would pass, and a worker looks on whose connections live.

use std::time::Duration;

use futures_util::FutureExt as _;
use tokio::time::sleep;

use super::network::{GENEROUS, Net};
use crate::check::seconds;
use crate::row::{Figures, Plan, Row};
use crate::schedule::Schedule;
use crate::world::Setup;

/// The row.
pub const ROW: Row = Row {
    id: "N2",
    fault: "a black hole: no byte passes either way, no connection ends",
    shows: "noticed within 12 s; at work within 5 s after it is over; false adoptions 0",
    run: |plan| run(plan).boxed(),
};

const NOTICED_WITHIN: Duration = Duration::from_secs(12);

const AT_WORK_WITHIN: Duration = Duration::from_secs(5);

async fn run(plan: Plan) -> Figures {
    let setup = plan.of(
        Setup {
            timeout: Duration::from_secs(1),
            concurrency: 4,
            ..Setup::default().with_lease(3_000, 1_000)
        },
        Setup::default().with_default_lease(),
    );
    let lasts = Duration::from_secs(plan.of(4, 60));
    let mut net = Net::start(&plan, &setup).await;
    let mut schedule = Schedule::new(plan.seed);
    let (mut noticed, mut at_work) = (Vec::new(), Vec::new());
    for forgets in [false, true] {
        schedule.pause(100..=900).await;
        let outages = net.outages();
        net.note("black hole");
        net.proxy.stall_both();
        noticed.push(net.noticed(&outages, GENEROUS * NOTICED_WITHIN).await);
        sleep(lasts.saturating_sub(noticed[noticed.len() - 1])).await;
        if forgets {
            net.proxy.forget(1..=net.proxy.carried().connections);
        }
        let mark = net.mark();
        net.note("healed");
        net.proxy.heal().await;
        at_work.push(net.at_work(mark, GENEROUS * AT_WORK_WITHIN).await);
    }
    // Now somebody sees them who would adopt them, and no claim tells that they live.
    net.fill(&setup, setup.lease * 2).await;
    net.one_is_near(&setup).await;
    let outages = net.outages();
    net.note("forgotten");
    net.proxy.forget(1..=net.proxy.carried().connections);
    noticed.push(net.noticed(&outages, GENEROUS * NOTICED_WITHIN).await);
    // Not before their slots are free: that tells nothing of how soon.
    net.at_work(net.mark(), GENEROUS * AT_WORK_WITHIN).await;
    Figures::new()
        .with("black holes", at_work.len())
        .with("noticed, s", seconds(&noticed))
        .with("consuming again, s", seconds(&at_work))
        .and(net.finish().await)
}
