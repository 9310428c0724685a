//! What the generated code does: names, defaults, the wire, and one run by a worker.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use jobq::runtime::{
    Cancellation, ContextParts, Handler, Lease, Registration, States, Surroundings, registrations,
};
use jobq::{Backoff, Context, Jitter, Job, JobDefaults, JobId, State, job};
use serde::{Deserialize, Serialize};

#[derive(Debug)]
struct Greeting(&'static str);

#[derive(Debug, Serialize, Deserialize, PartialEq)]
struct Address {
    city: String,
}

/// Returns what it was given as its error, the one thing that a worker hands on.
#[job]
async fn greet(
    id: u64,
    ctx: Context,
    name: String,
    greeting: State<Greeting>,
    address: Option<Address>,
) -> Result<(), String> {
    let attempt = ctx.attempt();
    Err(format!("{attempt} {} {id} {name} {address:?}", greeting.0))
}

#[job(blocking, name = "compress.v2")]
fn compress(path: String, greeting: State<Greeting>) -> Result<u64, String> {
    Err(format!("{} {path}", greeting.0))
}

#[job]
async fn tick() {}

#[job]
async fn r#loop(r#type: u8, mut count: u8) -> Result<(), String> {
    count += 1;
    Err(format!("{type} {count}", r#type = r#type))
}

#[job(
    queue = "reports:eu",
    retries = 3,
    backoff = "linear",
    base_delay = "500ms",
    max_delay = "3m",
    jitter = 0.5,
    timeout = "none"
)]
async fn everything_set() {}

#[job(
    base_delay = "2s",
    factor = 1.5,
    jitter = "full",
    timeout = "90s",
    max_delay = "1h"
)]
async fn exponential_set() {}

/// Arguments with the names of a builder's methods and fields.
#[job]
async fn everything_queue(id: u64, queue: String) {
    drop((id, queue));
}

#[job(backoff = "fixed", jitter = "none")]
async fn fixed() {}

#[derive(Job)]
#[job(queue = "money", name = "charge.v1")]
struct Charge {
    order: u64,
    note: Option<String>,
}

#[derive(Job)]
struct Ping;

#[derive(Job)]
struct Mirrored {
    #[serde(rename = "orderId")]
    order: u64,
    #[serde(default)]
    count: u8,
}

fn registration(name: &str) -> &'static Registration {
    let mut all = registrations().filter(|job| job.name == name);
    let one = all
        .next()
        .unwrap_or_else(|| panic!("{name} is not registered"));
    assert!(all.next().is_none(), "{name} is registered twice");
    one
}

fn packed(value: &impl Serialize) -> Vec<u8> {
    rmp_serde::to_vec_named(value).expect("samples are serialisable")
}

fn context(states: States) -> Context {
    let test = Context::for_test();
    Context::new(ContextParts {
        id: JobId::new(),
        name: "test",
        attempt: 4,
        enqueued_at: jobq::Timestamp::UNIX_EPOCH.into(),
        surroundings: Arc::new(Surroundings {
            queue: "default".parse().expect("a legal name"),
            client: test.client().clone(),
            states,
            cancellation: Cancellation::default(),
            lease: Lease::default(),
        }),
    })
}

async fn run(name: &str, args: &[u8]) -> Result<(), String> {
    run_with(name, args, States::default().with(Greeting("hello"))).await
}

async fn run_with(name: &str, args: &[u8], states: States) -> Result<(), String> {
    let ctx = context(states);
    let ended = match registration(name).handler {
        Handler::Async(start) => start(args, ctx).map_err(|e| e.to_string())?.await,
        Handler::Blocking(start) => start(args, ctx).map_err(|e| e.to_string())?(),
    };
    ended.map_err(|error| error.to_string())
}

#[tokio::test]
async fn an_async_function_runs_with_its_arguments_the_context_and_the_state() {
    let args = packed(&greet {
        id: 7,
        name: "ada".to_owned(),
        address: Some(Address {
            city: "Ulm".to_owned(),
        }),
    });
    let said = run("greet", &args).await.unwrap_err();
    assert_eq!(said, r#"4 hello 7 ada Some(Address { city: "Ulm" })"#);
}

#[tokio::test]
async fn a_blocking_function_runs_and_keeps_its_own_name() {
    let args = packed(&compress {
        path: "a.txt".to_owned(),
    });
    assert_eq!(run("compress.v2", &args).await.unwrap_err(), "hello a.txt");
}

#[tokio::test]
async fn a_function_without_arguments_takes_an_empty_map() {
    assert_eq!(packed(&tick {}), [0x80]);
    assert_eq!(run("tick", &[0x80]).await, Ok(()));
}

#[tokio::test]
async fn raw_names_travel_without_their_mark() {
    let args = packed(&BTreeMap::from([("type", 1), ("count", 2)]));
    assert_eq!(run("loop", &args).await.unwrap_err(), "1 3");
    assert_eq!(
        packed(&r#loop {
            r#type: 1,
            count: 2
        }),
        b"\x82\xa4type\x01\xa5count\x02"
    );
}

#[tokio::test]
async fn arguments_may_be_reordered_unknown_or_absent_where_they_are_options() {
    #[derive(Serialize)]
    struct Old {
        gone: Vec<u8>,
        name: &'static str,
        id: u64,
    }
    let args = packed(&Old {
        gone: vec![1, 2],
        name: "ada",
        id: 7,
    });
    assert_eq!(run("greet", &args).await.unwrap_err(), "4 hello 7 ada None");
}

#[tokio::test]
async fn arguments_that_do_not_fit_are_refused_before_the_run() {
    for (args, expected) in [
        (packed(&BTreeMap::from([("id", 7)])), "missing field `name`"),
        (packed(&BTreeMap::from([("id", "seven")])), "argument `id`"),
        (b"\x82\xa2id\x01\xa2id\x02".to_vec(), "duplicate field `id`"),
        (b"\xff".to_vec(), ""),
    ] {
        let error = run("greet", &args).await.unwrap_err();
        assert!(
            error.contains(expected) && !error.contains("hello"),
            "{error}"
        );
    }
}

#[tokio::test]
async fn a_state_that_the_worker_lacks_is_a_failed_run_that_names_it() {
    let args = packed(&compress {
        path: "a.txt".to_owned(),
    });
    let error = run_with("compress.v2", &args, States::default())
        .await
        .unwrap_err();
    assert!(error.contains("Greeting"), "{error}");
}

#[test]
fn a_registration_knows_the_place_and_the_states() {
    let greet = registration("greet");
    assert!(
        greet.place.file.ends_with("behaviour.rs"),
        "{}",
        greet.place
    );
    assert!(greet.place.line > 10, "{}", greet.place);
    assert_ne!(greet.place, registration("tick").place);
    let states: Vec<_> = greet.states.iter().map(jobq::StateType::name).collect();
    assert_eq!(states, [std::any::type_name::<Greeting>()]);
    assert!(registration("tick").states.is_empty());
}

#[test]
fn what_the_attribute_leaves_out_has_its_default() {
    assert_eq!(tick::NAME, "tick");
    assert_eq!(tick::DEFAULTS, JobDefaults::new());
}

#[test]
fn what_the_attribute_sets_holds() {
    let (ms, seconds) = (Duration::from_millis, Duration::from_secs);
    let linear = Backoff::linear(ms(500))
        .max_delay(seconds(180))
        .jitter(Jitter::Fraction(0.5));
    let set = JobDefaults::new()
        .queue("reports:eu")
        .retries(3)
        .backoff(linear)
        .timeout(None);
    assert_eq!(everything_set::DEFAULTS, set);

    let exponential = Backoff::exponential(seconds(2))
        .max_delay(seconds(3600))
        .factor(1.5)
        .jitter(Jitter::Full);
    let set = JobDefaults::new()
        .backoff(exponential)
        .timeout(Some(seconds(90)));
    assert_eq!(exponential_set::DEFAULTS, set);
}

#[test]
fn a_strategy_alone_is_the_one_of_the_library() {
    let library = Backoff::from(jobq::Strategy::Fixed).jitter(Jitter::None);
    assert_eq!(fixed::DEFAULTS, JobDefaults::new().backoff(library));
}

#[test]
fn a_derived_job_has_a_name_defaults_and_a_map_on_the_wire() {
    assert_eq!(
        (Charge::NAME, Charge::DEFAULTS.queue),
        ("charge.v1", "money")
    );
    let charge: Charge = rmp_serde::from_slice(&packed(&BTreeMap::from([("order", 7)]))).unwrap();
    assert_eq!((charge.order, &charge.note), (7, &None));
    assert_eq!(packed(&charge), b"\x82\xa5order\x07\xa4note\xc0");
    assert_eq!(packed(&Ping), [0x80]);
    assert!(rmp_serde::from_slice::<Ping>(&[0x80]).is_ok());
}

#[test]
fn a_derived_job_obeys_its_attributes_for_serde() {
    let job: Mirrored = rmp_serde::from_slice(&packed(&BTreeMap::from([("orderId", 7)]))).unwrap();
    assert_eq!((job.order, job.count), (7, 0));
    assert_eq!(packed(&job), b"\x82\xa7orderId\x07\xa5count\x00");
}

#[test]
fn a_derived_job_is_not_registered() {
    assert!(registrations().all(|job| job.name != Charge::NAME && job.name != Ping::NAME));
}

#[tokio::test]
async fn a_call_is_enqueued_where_it_says() {
    let client = jobq::connect("memory://").await.unwrap();
    assert_eq!(
        everything_set::enqueue(&client).await.unwrap().queue(),
        "reports:eu"
    );
    let handle = greet::new(7, "ada", None)
        .queue("vip")
        .enqueue(&client)
        .await
        .unwrap();
    assert_eq!(handle.queue(), "vip");
    let calls = ["a", "b", "c"].map(compress::new);
    assert_eq!(client.enqueue_all(calls).await.unwrap().len(), 3);
    let handle = Ping.enqueue(&client).await.unwrap();
    assert_eq!(handle.queue(), "default");
}

#[tokio::test]
async fn a_plain_value_is_a_job_too() {
    let client = jobq::connect("memory://").await.unwrap();
    let call = compress {
        path: "a".to_owned(),
    };
    call.delay(Duration::from_secs(1))
        .enqueue(&client)
        .await
        .unwrap();
    compress {
        path: "a".to_owned(),
    }
    .enqueue(&client)
    .await
    .unwrap();
    let stats = client.queue("default").unwrap().stats().await.unwrap();
    assert_eq!((stats.ready, stats.delayed), (1, 1));
}

#[test]
fn the_arguments_of_a_call_can_be_looked_at() {
    let call = everything_queue::new(7, "mail").delay(Duration::from_secs(1));
    assert_eq!((call.id, call.queue.as_str()), (7, "mail"));
}

#[test]
fn debug_shows_no_argument() {
    let shown = format!("{:?}", compress::new("secret"));
    assert!(
        shown.contains("compress.v2") && !shown.contains("secret"),
        "{shown}"
    );
}

#[tokio::test]
async fn a_function_stays_a_function() {
    let ctx = Context::for_test();
    let said = greet(7, ctx, "ada".to_owned(), State::new(Greeting("hi")), None).await;
    assert_eq!(said.unwrap_err(), "1 hi 7 ada None");
    assert!(compress("a".to_owned(), State::new(Greeting("hi"))).is_err());
}
