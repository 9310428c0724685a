//! report: what a member's jobs came to, added up once.

use std::time::Duration;

use jobq::broker::{MAX_NAMES, MAX_TALLIES, OTHER_JOBS, Report, Reported};
use jobq::{Tally, Totals, WorkerId};

use crate::fixture::{Fixture, Worker};

/// So many of each kind.
fn totals(each: u64) -> Totals {
    let mut totals = Totals::default();
    (totals.done, totals.failed) = (each, each + 1);
    (totals.retried, totals.dead) = (each + 2, each + 3);
    totals.spent = Duration::from_millis(each + 4);
    totals
}

fn report(f: &Fixture, worker: &WorkerId, number: u64, names: &[&str]) -> Report {
    let tally = |name: &&str| Tally::new(*name, totals(1));
    Report {
        queue: f.queue.clone(),
        worker: worker.clone(),
        number,
        tallies: names.iter().map(tally).collect(),
    }
}

async fn send(f: &Fixture, report: &Report) -> Reported {
    f.broker.report(report).await.expect("report")
}

/// What was counted, by name.
async fn counted(f: &Fixture) -> Vec<(String, Totals)> {
    let tallies = f.broker.totals(&f.queue).await.expect("totals");
    let mut tallies: Vec<_> = tallies.into_iter().map(|t| (t.name, t.totals)).collect();
    tallies.sort_by(|a, b| a.0.cmp(&b.0));
    tallies
}

async fn member(f: &Fixture) -> Worker {
    f.member().await
}

pub(crate) async fn adds_up_by_name(f: Fixture) {
    assert_eq!(counted(&f).await, []);
    let (one, other) = (member(&f).await, member(&f).await);
    for (worker, number, names) in [
        (&one, 1, &["a", "b"][..]),
        (&one, 2, &["b"]),
        (&other, 1, &["b"]),
    ] {
        let report = report(&f, &worker.id, number, names);
        assert_eq!(send(&f, &report).await, Reported::Counted);
    }
    let thrice = totals(1).plus(totals(1)).plus(totals(1));
    let expected = [("a".to_owned(), totals(1)), ("b".to_owned(), thrice)];
    assert_eq!(counted(&f).await, expected);
    assert_eq!(counted(&f.on("other")).await, []);
}

pub(crate) async fn sent_again_it_counts_once(f: Fixture) {
    let worker = member(&f).await;
    let (first, second) = (
        report(&f, &worker.id, 1, &["a"]),
        report(&f, &worker.id, 2, &["b"]),
    );
    for report in [&first, &first, &second, &first, &second] {
        assert_eq!(send(&f, report).await, Reported::Counted);
    }
    let expected = ["a", "b"].map(|name| (name.to_owned(), totals(1)));
    assert_eq!(counted(&f).await, expected);
}

pub(crate) async fn of_one_who_is_no_member_counts_nothing(f: Fixture) {
    let never = f.worker();
    let gone = member(&f).await;
    assert!(gone.leave().await);
    for worker in [&never, &gone] {
        let report = report(&f, &worker.id, 1, &["a"]);
        assert_eq!(send(&f, &report).await, Reported::Reaped);
    }
    assert_eq!(counted(&f).await, []);
}

pub(crate) async fn late_after_the_worker_has_left_counts_nothing(f: Fixture) {
    let worker = member(&f).await;
    let late = report(&f, &worker.id, 1, &["a"]);
    assert_eq!(send(&f, &late).await, Reported::Counted);
    assert!(worker.leave().await);
    assert_eq!(send(&f, &late).await, Reported::Reaped);
    assert_eq!(counted(&f).await, [("a".to_owned(), totals(1))]);
}

pub(crate) async fn of_one_being_adopted_counts_nothing(f: Fixture) {
    f.enqueue(&["a", "b"]).await;
    let (mut dead, mut reaper) = (member(&f).await, member(&f).await);
    dead.claim(2).await;
    reaper.adopt(&dead.id, Some(dead.known), 1).await;
    let late = report(&f, &dead.id, 1, &["a"]);
    assert_eq!(send(&f, &late).await, Reported::Reaped);
    assert_eq!(counted(&f).await, []);
}

/// What one worker reported must not be forgotten because another did.
pub(crate) async fn of_others_are_still_known(f: Fixture) {
    let mut workers = Vec::new();
    for _ in 0..10 {
        workers.push(member(&f).await);
    }
    for _ in 0..3 {
        for worker in &workers {
            send(&f, &report(&f, &worker.id, 1, &["a"])).await;
        }
    }
    let [(_, sum)] = &counted(&f).await[..] else {
        panic!("one name")
    };
    assert_eq!(sum.done, 10);
}

pub(crate) async fn keeps_a_thousand_names_and_the_rest_together(f: Fixture) {
    let worker = member(&f).await;
    let names: Vec<String> = (0..MAX_NAMES + 50).map(|n| format!("job {n:04}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    for _ in 0..2 {
        let known = counted(&f).await.len() as u64;
        for (number, names) in (known + 1..).zip(names.chunks(MAX_TALLIES)) {
            send(&f, &report(&f, &worker.id, number, names)).await;
        }
    }
    let counted = counted(&f).await;
    assert_eq!(counted.len(), MAX_NAMES + 1);
    for (name, totals) in &counted {
        let done = if name == OTHER_JOBS { 100 } else { 2 };
        assert_eq!(totals.done, done, "{name}");
    }
    assert!(counted.iter().any(|(name, _)| name == "job 0999"));
}

pub(crate) async fn the_name_of_the_rest_is_none_of_the_thousand(f: Fixture) {
    let worker = member(&f).await;
    let names: Vec<String> = (0..=MAX_NAMES).map(|n| format!("job {n:04}")).collect();
    let names: Vec<&str> = [OTHER_JOBS]
        .into_iter()
        .chain(names.iter().map(String::as_str))
        .collect();
    for (number, names) in (1..).zip(names.chunks(MAX_TALLIES)) {
        send(&f, &report(&f, &worker.id, number, names)).await;
    }
    let counted = counted(&f).await;
    let done = |name: &str| {
        let found = counted.iter().find(|(counted, _)| counted == name);
        found.map(|(_, totals)| totals.done)
    };
    assert_eq!(counted.len(), MAX_NAMES + 1);
    assert_eq!((done("job 0999"), done("job 1000")), (Some(1), None));
    assert_eq!(done(OTHER_JOBS), Some(2));
}

pub(crate) async fn the_name_of_the_rest_takes_no_place_in_the_report_that_fills_the_thousand(
    f: Fixture,
) {
    let worker = member(&f).await;
    let names: Vec<String> = (1..MAX_NAMES).map(|n| format!("job {n:04}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let last = [OTHER_JOBS, "last"];
    let reports = names.chunks(MAX_TALLIES).chain([&last[..]]);
    for (number, names) in (1..).zip(reports) {
        send(&f, &report(&f, &worker.id, number, names)).await;
    }
    let counted = counted(&f).await;
    assert_eq!(counted.len(), MAX_NAMES + 1);
    assert!(counted.iter().any(|(name, _)| name == "last"));
}

pub(crate) async fn carries_any_name(f: Fixture) {
    let worker = member(&f).await;
    let names = ["", " ", "a b 1 2", "ä\n\0\u{1b}", "other", "1"];
    send(&f, &report(&f, &worker.id, 1, &names)).await;
    let mut expected = names.map(|name| (name.to_owned(), totals(1)));
    expected.sort_by(|a, b| a.0.cmp(&b.0));
    assert_eq!(counted(&f).await, expected);
}

pub(crate) async fn an_empty_one_counts_nothing(f: Fixture) {
    let worker = member(&f).await;
    assert_eq!(
        send(&f, &report(&f, &worker.id, 1, &[])).await,
        Reported::Counted
    );
    assert_eq!(counted(&f).await, []);
}
