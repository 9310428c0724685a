//! A job function is a function: tests call it in place, without a worker and without a broker.

use jobq::{Context, JobError, State, job};

use crate::fixture::{Fixture, Ledger};

#[job(name = "in_place.greet", queue = "default", retries = 3)]
async fn greet(ctx: Context, ledger: State<Ledger>, name: String) -> Result<usize, JobError> {
    if name.is_empty() {
        return Err(JobError::fatal("nobody to greet"));
    }
    ledger.write(format!("{} {name}", ctx.attempt()));
    Ok(name.len())
}

#[job(name = "in_place.block", blocking)]
fn block(ledger: State<Ledger>) {
    ledger.write("blocked");
}

#[job(name = "in_place.wait")]
async fn wait(ctx: Context) -> bool_result::Bool {
    ctx.cancelled().await;
    Ok(ctx.is_cancelled())
}

/// A return type by another name, from another module.
mod bool_result {
    pub(super) type Bool = Result<bool, std::convert::Infallible>;
}

#[tokio::test]
async fn a_function_is_called_with_a_context_and_a_state_of_the_test() {
    let ledger = Ledger::default();
    let state = State::new(ledger.clone());
    let greeted = greet(Context::for_test(), state.clone(), "Ada".to_owned()).await;
    assert_eq!(greeted.unwrap(), 3);
    let refused = greet(Context::for_test(), state.clone(), String::new()).await;
    assert_eq!(refused.unwrap_err().decision(), jobq::Decision::Fatal);
    block(state);
    assert_eq!(ledger.lines(), ["1 Ada", "blocked"]);
}

#[tokio::test]
async fn a_context_for_tests_is_a_first_run_on_a_broker_of_its_own() {
    let (ctx, other) = (Context::for_test(), Context::for_test());
    assert_eq!((ctx.attempt(), ctx.queue()), (1, "default"));
    assert_ne!(ctx.id(), other.id());
    assert!(!ctx.is_cancelled());
    greet::enqueue(ctx.client(), "Ada").await.unwrap();
    let ready = async |ctx: &Context| {
        let queue = ctx.client().queue("default").unwrap();
        queue.stats().await.unwrap().ready
    };
    assert_eq!((ready(&ctx).await, ready(&other).await), (1, 0));
    assert!(ctx.state::<Ledger>().is_err());
}

#[test]
fn a_context_for_tests_needs_no_runtime() {
    let ctx = Context::for_test();
    let text = format!("{ctx:?}");
    assert!(text.contains("default"), "{text}");
}

/// What a worker does when it stops is seen by a handler that waits for it.
async fn a_handler_that_waits_for_its_cancellation_sees_it(fixture: Fixture) {
    wait::enqueue(&fixture.client).await.unwrap();
    let worker = fixture
        .calm_worker()
        .shutdown_timeout(std::time::Duration::ZERO);
    let worker = worker.build().unwrap().spawn();
    support::eventually("the job to run", async || {
        (worker.stats().running == 1).then_some(())
    })
    .await;
    let report = support::within("the shutdown", worker.shutdown()).await;
    assert_eq!(report.abandoned, 0);
}

crate::on_every_broker! {
    a_handler_that_waits_for_its_cancellation_sees_it
}
