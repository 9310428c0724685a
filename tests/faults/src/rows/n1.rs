//! N1: a connection ends after any byte of any step, on its way there or back.
//!
//! Each step is done once undisturbed: that says how many bytes it has each way, and what is in
//! Redis afterwards. Then for each byte of each direction, and both ways to end: the same state is
//! prepared, the proxy is told to cut after that byte, the step is done, and whoever did it goes on
//! as a worker does. What is in Redis must be the same.

mod bench;
mod hand;
mod steps;
mod store;
mod trial;

use futures_util::future::BoxFuture;

use self::bench::Bench;
use self::trial::Tally;
use crate::row::{Figures, Plan, Row};

/// The row.
pub const ROW: Row = Row {
    id: "N1",
    fault: "a connection ends after k bytes of a request or a reply, for each k, with FIN and with RST",
    shows: "lost 0, double effects 0 (enqueue apart), hung calls 0",
    run,
};

/// A short run tries every so many bytes, and another place of them with each seed.
const STRIDE: u64 = 127;

fn run(plan: Plan) -> BoxFuture<'static, Figures> {
    Box::pin(async move {
        let mut bench = Bench::start().await;
        let mut tally = Tally::default();
        let stride = plan.of(STRIDE, 1);
        for step in steps::all() {
            trial::cut_everywhere(&mut bench, &step, stride, plan.seed, &mut tally).await;
        }
        tally.judged()
    })
}
