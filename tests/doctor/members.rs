//! Who counts as a worker that serves a queue: members that were killed stay members.

use std::time::Duration;

use jobq::broker::{Broker, Member, Renewed};
use jobq::{QueueName, WorkerId};

use crate::fixture::*;

/// Short, so that a heartbeat is not waited for long.
const SHORT: Duration = Duration::from_secs(2);

/// Long enough that a busy machine renews while one is waited for.
const LONG: Duration = Duration::from_secs(10);

/// A server with two jobs ready, and a member of their queue that tells nothing.
async fn with_member(lease: Duration) -> (RedisServer, Member) {
    let server = well();
    ask(&server, &["SADD", "jobq:queues", "mail"]).await;
    ask(&server, &["LPUSH", "jobq:{mail}:ready", "x", "y"]).await;
    let mut member = Member {
        queue: QueueName::new("mail").unwrap(),
        worker: WorkerId::leased(lease),
        known: 0,
    };
    renew(&broker_on(&server).await, &mut member).await;
    (server, member)
}

async fn renew(broker: &impl Broker, member: &mut Member) {
    match broker.renew(member).await.unwrap() {
        Renewed::Alive { counter, .. } => member.known = counter,
        Renewed::Reaped => panic!("nobody takes over from it"),
    }
}

#[tokio::test]
async fn an_idle_member_that_was_killed_serves_no_queue() {
    let (server, _) = with_member(SHORT).await;
    let report = doctor(&server, &[]).await;
    report.found_with("workers", "warning", "jobs ready: 2", "--queues mail");
    assert_eq!(report.document["queues"][0]["workers"], 0);
}

#[tokio::test]
async fn a_member_that_renews_serves_its_queue_though_it_tells_nothing() {
    let (server, mut member) = with_member(LONG).await;
    let broker = broker_on(&server).await;
    let renewing = async {
        loop {
            renew(&broker, &mut member).await;
            tokio::time::sleep(SHORT / 10).await;
        }
    };
    let report = tokio::select! {
        report = doctor(&server, &[]) => report,
        () = renewing => unreachable!("it goes on"),
    };
    report.found("workers", "ok", "");
    assert_eq!(report.document["queues"][0]["workers"], 1);
}
