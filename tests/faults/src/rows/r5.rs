//! R5: Redis forgets every script, again and again.

use std::time::Duration;

use futures_util::FutureExt as _;
use tokio::time::{Instant, sleep};

use crate::check::Harm;
use crate::ledger::Event;
use crate::row::{Figures, Plan, Row};
use crate::traffic::{Traffic, count};
use crate::world::{Load, Setup, World};

/// Where a flush takes longer, the machine or Redis stood still, and others had late answers too.
const STOOD_STILL: Duration = Duration::from_millis(500);

/// The row.
pub const ROW: Row = Row {
    id: "R5",
    fault: "`SCRIPT FLUSH` every 10 ms",
    shows: "no error of a producer, no warning of a worker; lost 0; no extra start",
    run: |plan| run(plan).boxed(),
};

async fn run(plan: Plan) -> Figures {
    let world = World::start(&plan, &[]).await;
    let setup = plan.of(Setup::default(), Setup::default().with_default_lease());
    let load = Load {
        rate: plan.of(300.0, 1_000.0),
        // A delay is a script too; without one an enqueue is none.
        delay: Duration::from_millis(20),
        kinds: "work:5-30".to_owned(),
        ..Load::default()
    };
    let mut traffic = Traffic::start(&world, &load, &setup, 2).await;
    let mut redis = world.redis().await.expect("Redis answers");
    let (mut flushed, mut longest, began) = (0, Duration::ZERO, Instant::now());
    while began.elapsed() < plan.of(Duration::from_secs(4), Duration::from_secs(120)) {
        let asked = Instant::now();
        let mut flush = redis::cmd("SCRIPT");
        let answer: redis::RedisResult<()> = flush.arg("FLUSH").query_async(&mut redis).await;
        answer.expect("Redis answers");
        flushed += 1;
        sleep(Duration::from_millis(10)).await;
        longest = longest.max(asked.elapsed());
    }
    traffic.stop(&world).await;
    let mut warnings = traffic.warnings();
    let is_excused = |line: &str| longest > STOOD_STILL && line.contains("no answer from");
    warnings.retain(|line| line.contains("broker") && !is_excused(line));
    assert!(warnings.is_empty(), "{warnings:#?}");
    let ending = world.finish(traffic.workers, Duration::from_secs(60)).await;
    let history = world.history();
    Harm::of(&history, &ending.check.jobs).assert_explained();
    let errors = count(&history, |event| {
        matches!(event, Event::Unknown { .. } | Event::Refused { .. })
    });
    assert_eq!(errors, 0, "enqueues failed");
    Figures::new()
        .with("flushes", flushed)
        .and(ending.figures())
        .with("errors", errors)
        .with("warnings", warnings.len())
}
