//! A mark by `SET NX`, on a real Redis: what it prevents, and what becomes of a job whose run died
//! at each of its steps.

#[expect(dead_code, reason = "its `main` is run by the tests of the programs")]
#[path = "../once_redis.rs"]
mod once_redis;

use jobq::{Context, State};
use redis::AsyncCommands;
use redis::aio::MultiplexedConnection as Redis;

use self::once_redis::text_user;

async fn redis() -> Redis {
    let client = redis::Client::open(support::shared().url()).expect("it is a URL");
    let connection = client.get_multiplexed_async_connection().await;
    connection.expect("it runs")
}

fn key(ctx: &Context) -> String {
    format!("texted:{}", ctx.id())
}

async fn run(ctx: &Context, redis: &Redis) -> Result<(), String> {
    let state = State::new(redis.clone());
    let result = text_user(ctx.clone(), state, 7).await;
    result.map_err(|error| format!("{error:?}"))
}

#[tokio::test]
async fn a_run_leaves_a_mark_that_lasts_for_days() {
    let (mut redis, ctx) = (redis().await, Context::for_test());
    run(&ctx, &redis).await.unwrap();
    let mark: String = redis.get(key(&ctx)).await.unwrap();
    let seconds: i64 = redis.ttl(key(&ctx)).await.unwrap();
    assert_eq!(mark, "done");
    assert!(seconds > 6 * 24 * 3600, "{seconds}");
}

#[tokio::test]
async fn a_second_run_sees_that_it_is_done() {
    let (mut redis, ctx) = (redis().await, Context::for_test());
    run(&ctx, &redis).await.unwrap();
    // Had it sent again, it would have written the mark anew.
    let shortened: bool = redis.expire(key(&ctx), 1000).await.unwrap();
    assert!(shortened);
    run(&ctx, &redis).await.unwrap();
    let seconds: i64 = redis.ttl(key(&ctx)).await.unwrap();
    assert!((1..=1000).contains(&seconds), "{seconds}");
}

#[tokio::test]
async fn a_run_beside_another_waits_for_it() {
    let (mut redis, ctx) = (redis().await, Context::for_test());
    let _: () = redis.set_ex(key(&ctx), "running", 120).await.unwrap();
    let error = run(&ctx, &redis).await.unwrap_err();
    assert!(error.contains("snoozed for 1s"), "{error}");
}

#[tokio::test]
async fn a_run_whose_mark_has_ended_is_made_up_for() {
    let (mut redis, ctx) = (redis().await, Context::for_test());
    // Its worker died behind the SET.
    let _: () = redis.set_ex(key(&ctx), "running", 120).await.unwrap();
    run(&ctx, &redis).await.unwrap_err();
    let ended: u64 = redis.del(key(&ctx)).await.unwrap();
    assert_eq!(ended, 1);
    run(&ctx, &redis).await.unwrap();
    let mark: String = redis.get(key(&ctx)).await.unwrap();
    assert_eq!(mark, "done");
}
