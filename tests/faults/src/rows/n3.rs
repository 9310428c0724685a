//! N3: one way only. Redis does what it is asked and its replies do not arrive; or what it is asked
//! arrives late, long after whoever asked has given up and asked again.

use std::time::Duration;

use futures_util::FutureExt as _;
use jobq_proxy::Direction;

use super::network::{GENEROUS, Net};
use crate::check::seconds;
use crate::row::{Figures, Plan, Row};
use crate::schedule::Schedule;
use crate::world::Setup;

/// The row.
pub const ROW: Row = Row {
    id: "N3",
    fault: "one way only: replies are held back, or requests, and delivered in the end or never",
    shows: "ghosts 0: no job stays in flight that nobody runs; false adoptions 0",
    run: |plan| run(plan).boxed(),
};

const AT_WORK_WITHIN: Duration = Duration::from_secs(5);

async fn run(plan: Plan) -> Figures {
    let setup = plan.of(
        Setup {
            timeout: Duration::from_millis(500),
            ..Setup::default().with_lease(3_000, 1_000)
        },
        Setup::default().with_default_lease(),
    );
    let net = Net::start(&plan, &setup).await;
    let mut schedule = Schedule::new(plan.seed);
    let mut at_work = Vec::new();
    for _ in 0..plan.of(1, 5) {
        for direction in Direction::BOTH {
            for forgets in [false, true] {
                schedule.pause(100..=900).await;
                net.note(&format!("stall {direction:?}"));
                net.proxy.stall(direction);
                schedule.pause(plan.of(900..=2_500, 1_000..=20_000)).await;
                if forgets {
                    net.proxy.forget(1..=net.proxy.carried().connections);
                }
                let mark = net.mark();
                net.note("healed");
                net.proxy.heal().await;
                at_work.push(net.at_work(mark, GENEROUS * AT_WORK_WITHIN).await);
            }
        }
    }
    Figures::new()
        .with("stalls", at_work.len())
        .with("consuming again, s", seconds(&at_work))
        .and(net.finish().await)
}
