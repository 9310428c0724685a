//! Whatever error type a handler uses: its text is readable, and a `JobError` inside is obeyed.

mod wrapped;

use std::error::Error;
use std::num::ParseIntError;

use jobq::{Job, JobError, JobResult, Reason, State, job};

use crate::fixture::{Fixture, Ledger};

fn no_number() -> ParseIntError {
    "x".parse::<u8>().unwrap_err()
}

const NO_NUMBER: &str = "invalid digit found in string";

#[derive(Debug, thiserror::Error)]
enum ChargeError {
    #[error("could not read the amount")]
    Amount(#[from] ParseIntError),
    #[error("could not charge")]
    Decided(#[from] JobError),
}

/// A second parameter of `Result` that nobody sees at the function.
type Outcome<T = ()> = Result<T, ChargeError>;

#[job(name = "errors.string", retries = 0)]
async fn string() -> Result<(), String> {
    Err(format!("no {}", "luck"))
}

#[job(name = "errors.std", retries = 0)]
async fn of_std() -> Result<u8, ParseIntError> {
    "x".parse()
}

#[job(name = "errors.anyhow", retries = 0)]
async fn of_anyhow() -> anyhow::Result<()> {
    Ok(Err(no_number())?)
}

#[job(name = "errors.anyhow_context", retries = 0)]
async fn of_anyhow_with_context() -> anyhow::Result<()> {
    use anyhow::Context as _;
    let result = Err(no_number()).context("line 3");
    result.with_context(|| format!("reading {}", "a.csv"))
}

#[job(name = "errors.eyre", retries = 0)]
async fn of_eyre() -> eyre::Result<()> {
    Ok(Err(no_number())?)
}

#[job(name = "errors.eyre_wrap", retries = 0)]
async fn of_eyre_with_wrap_err() -> eyre::Result<()> {
    use eyre::WrapErr as _;
    Err(no_number())
        .wrap_err("line 3")
        .wrap_err("reading a.csv")
}

#[job(name = "errors.thiserror", retries = 0)]
async fn of_thiserror() -> Result<(), ChargeError> {
    Ok(Err(no_number())?)
}

#[job(name = "errors.boxed", retries = 0)]
async fn boxed() -> Result<(), Box<dyn Error + Send + Sync>> {
    Ok(Err(no_number())?)
}

#[job(name = "errors.alias", retries = 0)]
async fn alias() -> Outcome<Vec<u8>> {
    Err(ChargeError::Amount(no_number()))
}

#[job(name = "errors.blocking", retries = 0, blocking)]
fn blocking() -> anyhow::Result<()> {
    Err(anyhow::Error::from(no_number()).context("in a thread"))
}

#[job(name = "errors.unit", retries = 0)]
async fn unit(ledger: State<Ledger>) {
    ledger.write("ran");
}

/// The error of the one job, dead after its only run.
async fn error_of<J: Job>(fixture: &Fixture, job: jobq::JobBuilder<J>) -> String {
    job.enqueue(&fixture.client).await.unwrap();
    let stats = fixture.run_until_idle().await;
    assert_eq!((stats.dead, stats.done), (1, 0));
    // Newest first.
    let dead = fixture.dead().await.remove(0);
    assert_eq!(
        (dead.name(), dead.reason()),
        (Some(J::NAME), Reason::Exhausted)
    );
    dead.error().to_owned()
}

#[tokio::test]
async fn every_kind_of_error_is_told_with_its_causes() {
    let fixture = Fixture::memory().await;
    assert_eq!(error_of(&fixture, string::new()).await, "no luck");
    assert_eq!(error_of(&fixture, of_std::new()).await, NO_NUMBER);
    assert_eq!(error_of(&fixture, of_anyhow::new()).await, NO_NUMBER);
    assert_eq!(error_of(&fixture, of_eyre::new()).await, NO_NUMBER);
    assert_eq!(error_of(&fixture, boxed::new()).await, NO_NUMBER);
    let wrapped = format!("reading a.csv: line 3: {NO_NUMBER}");
    assert_eq!(
        error_of(&fixture, of_anyhow_with_context::new()).await,
        wrapped
    );
    assert_eq!(
        error_of(&fixture, of_eyre_with_wrap_err::new()).await,
        wrapped
    );
    let amount = format!("could not read the amount: {NO_NUMBER}");
    assert_eq!(error_of(&fixture, of_thiserror::new()).await, amount);
    assert_eq!(error_of(&fixture, alias::new()).await, amount);
    let blocking = error_of(&fixture, blocking::new()).await;
    assert_eq!(blocking, format!("in a thread: {NO_NUMBER}"));
}

#[tokio::test]
async fn a_handler_that_returns_nothing_is_done() {
    let fixture = Fixture::memory().await;
    unit::enqueue(&fixture.client).await.unwrap();
    assert_eq!(fixture.run_until_idle().await.done, 1);
    assert_eq!(fixture.ledger.lines(), ["ran"]);
}

#[job(
    name = "errors.huge",
    retries = 1,
    backoff = "fixed",
    base_delay = "1ms"
)]
async fn huge() -> anyhow::Result<()> {
    let answer = anyhow::anyhow!("é".repeat(1 << 20));
    Err(answer.context("the answer of the server"))
}

async fn an_error_of_megabytes_is_cut(fixture: Fixture) {
    huge::enqueue(&fixture.client).await.unwrap();
    assert_eq!(fixture.run_until_idle().await.dead, 1);
    let dead = fixture.only_dead().await;
    assert!(dead.error().starts_with("the answer of the server: éé"));
    assert!(
        (4000..=4096).contains(&dead.error().len()),
        "{}",
        dead.error().len()
    );
    let [first] = dead.history() else {
        panic!("{:?}", dead.history());
    };
    assert!(first.error.starts_with("the answer of the server: éé"));
    assert!(
        (190..=200).contains(&first.error.len()),
        "{}",
        first.error.len()
    );
}

/// Its own cause, without an end.
#[derive(Debug, thiserror::Error)]
#[error("round and round")]
struct Circle;

#[derive(Debug)]
struct Endless(&'static Circular);

#[derive(Debug)]
struct Circular;

impl std::fmt::Display for Endless {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("endless")
    }
}

impl Error for Endless {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(self.0)
    }
}

impl std::fmt::Display for Circular {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{Circle}")
    }
}

impl Error for Circular {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&Circular)
    }
}

#[job(name = "errors.endless", retries = 0)]
async fn endless() -> Result<(), Endless> {
    Err(Endless(&Circular))
}

#[tokio::test]
async fn a_chain_of_causes_without_an_end_is_cut() {
    let fixture = Fixture::memory().await;
    let error = error_of(&fixture, endless::new()).await;
    assert!(error.starts_with("endless: round and round"), "{error}");
}

/// Any `Result` whose error can be boxed is what a handler may return.
#[test]
fn results_are_told_by_their_type() {
    fn ended<R: JobResult>(result: R) -> bool {
        result.into_result().is_ok()
    }
    assert!(ended(()));
    assert!(ended(Outcome::<u8>::Ok(7)));
    assert!(!ended(Outcome::<u8>::Err(ChargeError::Amount(no_number()))));
    assert!(!ended(Result::<(), &str>::Err("no")));
}

crate::on_every_broker! {
    an_error_of_megabytes_is_cut
}
