//! M2: random sequences of steps on the rules, the in-process broker and Redis.

use futures_util::FutureExt as _;
use support::sequences::Sequences;

use crate::row::{Figures, Plan, Row};

/// The row.
pub const ROW: Row = Row {
    id: "M2",
    fault: "random sequences of steps, some sent again at any later time, some whose answer is \
            lost, on the rules that M1 searches, the in-process broker and Redis",
    shows: "differences 0, of any answer and of the whole state after each step",
    run: |plan| run(plan).boxed(),
};

async fn run(plan: Plan) -> Figures {
    let seed = plan.seed;
    let (memory, redis) = plan.of((64, 16), (20_000, 5_000));
    let compared = tokio::task::spawn_blocking(move || {
        Sequences {
            count: memory,
            seed,
        }
        .on_memory();
        Sequences { count: redis, seed }.on_memory_and_redis();
    });
    if let Err(panic) = compared.await {
        std::panic::resume_unwind(panic.into_panic());
    }
    Figures::new()
        .with("sequences on memory", memory)
        .with("on memory and Redis", redis)
}
