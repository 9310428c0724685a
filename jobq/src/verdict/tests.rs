use std::io;

use eyre::WrapErr as _;

use super::*;
use crate::JobResult;

const DELAY: Duration = Duration::from_secs(60);

/// What becomes of a handler's result.
fn judged<T, E: Into<BoxError>>(result: Result<T, E>) -> (Decision, String) {
    judge(&*result.into_result().unwrap_err())
}

fn refused() -> io::Error {
    io::Error::other("refused")
}

/// How an error is made, what it decides, and the text that remains of it.
type Case = (fn() -> JobError, Decision, &'static str);

fn verdicts() -> [Case; 5] {
    [
        (|| JobError::retry(refused()), Decision::Retry, "refused"),
        (|| JobError::fatal(refused()), Decision::Fatal, "refused"),
        (
            || JobError::retry_after(refused(), DELAY),
            Decision::RetryAfter(DELAY),
            "refused",
        ),
        (
            || JobError::snooze(DELAY),
            Decision::Snooze(DELAY),
            "snoozed for 1m",
        ),
        (
            || JobError::discard("withdrawn"),
            Decision::Discard,
            "withdrawn",
        ),
    ]
}

#[derive(Debug, thiserror::Error)]
enum AppError {
    #[error("cannot charge")]
    From(#[from] JobError),
    #[error("cannot send: {0}")]
    Shown(#[source] io::Error),
    #[error("{0} while sending")]
    InTheMiddle(#[source] io::Error),
    #[error("cannot send")]
    Plain(#[source] io::Error),
}

#[derive(Debug, thiserror::Error)]
#[error(transparent)]
struct Transparent(#[from] JobError);

#[test]
fn other_errors_are_retried() {
    assert_eq!(
        judged(Err::<(), _>(refused())),
        (Decision::Retry, "refused".into())
    );
    assert_eq!(
        judged(Err::<(), _>("text")),
        (Decision::Retry, "text".into())
    );
    assert_eq!(
        judged(Err::<(), _>("text".to_owned())),
        (Decision::Retry, "text".into())
    );
    let boxed: BoxError = refused().into();
    assert_eq!(
        judged(Err::<(), _>(boxed)),
        (Decision::Retry, "refused".into())
    );
    assert_eq!(
        judged(Err::<(), _>(anyhow::anyhow!("a"))),
        (Decision::Retry, "a".into())
    );
    assert_eq!(
        judged(Err::<(), _>(eyre::eyre!("e"))),
        (Decision::Retry, "e".into())
    );
}

#[test]
fn a_decision_survives_every_wrapper() {
    for (error, decision, text) in verdicts() {
        let plain = (decision, text.to_owned());
        assert_eq!(error().decision(), decision);
        assert_eq!(judged(Err::<(), _>(error())), plain);
        assert_eq!(judged(Err::<(), _>(BoxError::from(error()))), plain);
        assert_eq!(judged(Err::<(), _>(anyhow::Error::from(error()))), plain);
        assert_eq!(judged(Err::<(), _>(eyre::Report::from(error()))), plain);
        assert_eq!(judged(Err::<(), _>(Transparent::from(error()))), plain);

        let outer = |outer: &str| (decision, format!("{outer}: {text}"));
        let anyhow = Err::<(), _>(anyhow::Error::from(error()).context("order 7"));
        assert_eq!(judged(anyhow), outer("order 7"));
        let anyhow = Err::<(), _>(
            anyhow::Error::from(error())
                .context("order 7")
                .context("shop"),
        );
        assert_eq!(judged(anyhow), outer("shop: order 7"));
        let eyre = Err::<(), _>(error()).wrap_err("order 7");
        assert_eq!(judged(eyre), outer("order 7"));
        let eyre = Err::<(), _>(error()).wrap_err("order 7").wrap_err("shop");
        assert_eq!(judged(eyre), outer("shop: order 7"));
        let app = Err::<(), _>(AppError::from(error()));
        assert_eq!(judged(app), outer("cannot charge"));
        let both = Err::<(), _>(anyhow::Error::from(AppError::from(error())).context("order 7"));
        assert_eq!(judged(both), outer("order 7: cannot charge"));
        let boxed: BoxError = AppError::from(error()).into();
        assert_eq!(
            judged(Err::<(), _>(JobError::from(boxed))),
            outer("cannot charge")
        );
    }
}

#[test]
fn a_question_mark_keeps_the_decision() {
    fn inner() -> Result<(), BoxError> {
        Err(JobError::fatal("no such order").into())
    }
    fn outer() -> Result<(), JobError> {
        Ok(inner()?)
    }
    assert_eq!(judged(outer()), (Decision::Fatal, "no such order".into()));
}

#[test]
fn of_two_decisions_the_outer_one_holds() {
    let error = JobError::retry(anyhow::Error::from(JobError::fatal("no")).context("yet"));
    assert_eq!(
        judged(Err::<(), _>(error)),
        (Decision::Retry, "yet: no".into())
    );
    let error = JobError::fatal(JobError::snooze(DELAY));
    assert_eq!(judged(Err::<(), _>(error)).0, Decision::Fatal);
}

#[test]
fn causes_are_told_once() {
    let text = |error: AppError| judged(Err::<(), _>(error)).1;
    assert_eq!(text(AppError::Plain(refused())), "cannot send: refused");
    assert_eq!(text(AppError::Shown(refused())), "cannot send: refused");
    assert_eq!(
        text(AppError::InTheMiddle(refused())),
        "refused while sending"
    );
    let nested = anyhow::Error::from(AppError::Shown(refused())).context("outer");
    assert_eq!(
        judged(Err::<(), _>(nested)).1,
        "outer: cannot send: refused"
    );
    // The same words again further in are another matter.
    let again = anyhow::anyhow!("a").context("b").context("a");
    assert_eq!(judged(Err::<(), _>(again)).1, "a: b: a");
}

#[test]
fn the_text_is_bounded_between_characters() {
    for text in [
        "x".repeat(1 << 20),
        "é".repeat(1 << 20),
        "€".repeat(1 << 20),
    ] {
        let (_, text) = judged(Err::<(), _>(text));
        assert!(
            (MAX_ERROR_LEN - 2..=MAX_ERROR_LEN).contains(&text.len()),
            "{}",
            text.len()
        );
    }
    let mut error = anyhow::anyhow!("root");
    for n in 0..100 {
        error = error.context(format!("{n} {}", "x".repeat(1000)));
    }
    assert_eq!(judged(Err::<(), _>(error)).1.len(), MAX_ERROR_LEN);
}

#[test]
fn an_error_without_text_is_no_error() {
    let (decision, text) = judged(Err::<(), _>(String::new()));
    assert_eq!((decision, text), (Decision::Retry, String::new()));
}

/// A `Display` that gives up half way.
#[derive(Debug)]
struct Broken;

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("half a ")?;
        Err(fmt::Error)
    }
}

impl StdError for Broken {}

#[test]
fn a_broken_display_is_kept_as_far_as_it_came() {
    assert_eq!(
        judged(Err::<(), _>(JobError::fatal(Broken))),
        (Decision::Fatal, "half a ".into())
    );
}

/// Its own cause.
#[derive(Debug)]
struct Circular(u32);

impl fmt::Display for Circular {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "circle {}", self.0)
    }
}

impl StdError for Circular {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        Some(self)
    }
}

#[test]
fn a_circle_of_causes_ends() {
    assert_eq!(
        judged(Err::<(), _>(Circular(1))),
        (Decision::Retry, "circle 1".into())
    );
}

#[test]
fn a_chain_of_a_thousand_causes_is_looked_at_in_part() {
    let mut error = anyhow::Error::from(JobError::fatal("root"));
    for n in 0..1000 {
        error = error.context(n);
    }
    let (decision, text) = judged(Err::<(), _>(error));
    assert_eq!(decision, Decision::Retry);
    assert!(
        text.starts_with("999: 998: ") && text.ends_with(": 936"),
        "{text}"
    );
}

#[test]
fn it_reads_well_outside_of_jobq() {
    let error = JobError::fatal(refused());
    let chain: Vec<_> = causes(&error).map(ToString::to_string).collect();
    assert_eq!(chain, ["job failed", "not to be retried", "refused"]);
}
