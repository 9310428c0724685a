use super::*;
use crate::retry::Jitter;

const fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

/// Three retries, 10 s before each.
const POLICY: Policy = Policy {
    retries: 3,
    backoff: Backoff::fixed(secs(10)).jitter(Jitter::None),
};

fn failed(decision: Decision) -> Ended {
    let error = "no".to_owned();
    Ended::Failed { error, decision }
}

fn retry(delay: Duration, error: &str) -> Outcome {
    let error = error.to_owned();
    Outcome::Retry { delay, error }
}

fn bury(reason: Reason, error: &str) -> Outcome {
    let error = error.to_owned();
    Outcome::Bury { reason, error }
}

fn unknown(times: u32, age: Duration) -> Ended {
    Ended::UnknownName { times, age }
}

#[test]
fn what_follows_from_how_a_run_ended() {
    use Decision::{Discard, Fatal, Retry, RetryAfter, Snooze};
    let day = secs(24 * 3600);
    let nobody = "no worker knows a job of this name";
    for (ended, failures, expected) in [
        (Ended::Done, 0, Outcome::Done),
        (Ended::Done, u32::MAX, Outcome::Done),
        (failed(Retry), 0, retry(secs(10), "no")),
        (failed(Retry), 2, retry(secs(10), "no")),
        (failed(Retry), 3, bury(Reason::Exhausted, "no")),
        (failed(Retry), u32::MAX, bury(Reason::Exhausted, "no")),
        (failed(RetryAfter(secs(7))), 0, retry(secs(7), "no")),
        (
            failed(RetryAfter(secs(7))),
            3,
            bury(Reason::Exhausted, "no"),
        ),
        (
            failed(RetryAfter(Duration::ZERO)),
            0,
            retry(Duration::ZERO, "no"),
        ),
        (failed(RetryAfter(Duration::MAX)), 0, retry(LONGEST, "no")),
        (failed(Fatal), 0, bury(Reason::Fatal, "no")),
        (failed(Fatal), 3, bury(Reason::Fatal, "no")),
        (
            failed(Snooze(secs(7))),
            3,
            Outcome::Snooze { delay: secs(7) },
        ),
        (
            failed(Snooze(Duration::MAX)),
            0,
            Outcome::Snooze { delay: LONGEST },
        ),
        (failed(Discard), 3, Outcome::Discard),
        (
            Ended::Panicked("oh".into()),
            0,
            retry(secs(10), "panicked: oh"),
        ),
        (
            Ended::Panicked("oh".into()),
            3,
            bury(Reason::Exhausted, "panicked: oh"),
        ),
        (
            Ended::TimedOut(secs(90)),
            0,
            retry(secs(10), "timed out after 90s"),
        ),
        (
            Ended::TimedOut(secs(120)),
            3,
            bury(Reason::Exhausted, "timed out after 2m"),
        ),
        (Ended::Interrupted, 3, Outcome::Release),
        (
            Ended::Undecodable("bad".into()),
            0,
            bury(Reason::Undecodable, "bad"),
        ),
        (unknown(0, secs(0)), 3, Outcome::Postpone { delay: secs(1) }),
        (unknown(1, secs(1)), 0, Outcome::Postpone { delay: secs(2) }),
        (
            unknown(8, secs(1)),
            0,
            Outcome::Postpone { delay: secs(256) },
        ),
        (
            unknown(9, secs(1)),
            0,
            Outcome::Postpone { delay: secs(300) },
        ),
        (
            unknown(u32::MAX, day - secs(1)),
            0,
            Outcome::Postpone { delay: secs(300) },
        ),
        (unknown(0, day), 0, bury(Reason::UnknownJob, nobody)),
        (
            unknown(0, Duration::MAX),
            0,
            bury(Reason::UnknownJob, nobody),
        ),
    ] {
        assert_eq!(
            decide(ended.clone(), POLICY, failures, 0.5),
            expected,
            "{ended:?} {failures}"
        );
    }
}

#[test]
fn three_retries_are_four_runs() {
    let runs = (0..).map(|failures| decide(failed(Decision::Retry), POLICY, failures, 0.5));
    let retries = runs.take_while(|outcome| matches!(outcome, Outcome::Retry { .. }));
    assert_eq!(retries.count() + 1, 4);
}

#[test]
fn no_retries_is_one_run() {
    let policy = Policy {
        retries: 0,
        ..POLICY
    };
    let outcome = decide(failed(Decision::Retry), policy, 0, 0.5);
    assert_eq!(outcome, bury(Reason::Exhausted, "no"));
}

#[test]
fn the_delay_is_that_of_the_next_retry() {
    let backoff = Backoff::linear(secs(10)).jitter(Jitter::None);
    let policy = Policy {
        retries: u32::MAX,
        backoff,
    };
    let delay = |failures| match decide(failed(Decision::Retry), policy, failures, 0.5) {
        Outcome::Retry { delay, .. } => delay,
        other => panic!("{other:?}"),
    };
    assert_eq!(delay(0), secs(10));
    assert_eq!(delay(1), secs(20));
    assert_eq!(delay(u32::MAX - 1), secs(180));
}

#[test]
fn only_the_policy_is_jittered() {
    let backoff = Backoff::fixed(secs(10)).jitter(Jitter::Full);
    let policy = Policy {
        retries: 3,
        backoff,
    };
    let outcome = |decision, draw| decide(failed(decision), policy, 0, draw);
    assert_eq!(
        outcome(Decision::Retry, 0.25),
        retry(Duration::from_millis(2500), "no")
    );
    let after = Decision::RetryAfter(secs(400));
    assert_eq!(outcome(after, 0.25), retry(secs(400), "no"));
}

#[test]
fn the_second_crash_makes_a_suspect_and_the_third_is_the_last() {
    let expected = [
        AfterCrash::Ready,
        AfterCrash::Ready,
        AfterCrash::Suspect,
        AfterCrash::Bury,
    ];
    assert_eq!([0, 1, 2, 3].map(after_crash), expected);
    assert_eq!(after_crash(u32::MAX), AfterCrash::Bury);
}
