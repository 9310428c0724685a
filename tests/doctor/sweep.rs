//! `jobq doctor --fix` and the jobs of workers that are gone: none is lost, and none is taken from
//! one that lives.

use std::sync::Arc;
use std::time::Duration;

use jobq::broker::redis::RedisBroker;
use jobq::broker::{Broker, Claim, Claimed, Inspect, JobState, Member, Renewed};
use jobq::{Client, Envelope, Job, QueueName, WorkerId};
use support::Role;

use crate::fixture::*;

/// Short, so that nobody is watched for long.
const LEASE: Duration = Duration::from_secs(2);

#[derive(Debug, Clone, Job)]
#[job(name = "sample", queue = "mail")]
struct Sample {}

struct Given {
    server: RedisServer,
    broker: Arc<RedisBroker>,
    queue: QueueName,
}

impl Given {
    async fn new() -> Self {
        let server = well();
        Self {
            broker: Arc::new(broker_on(&server).await),
            server,
            queue: QueueName::new("mail").unwrap(),
        }
    }

    async fn enqueue(&self, jobs: usize) {
        let client = Client::with_broker(self.broker.clone());
        client
            .enqueue_all((0..jobs).map(|_| Sample {}))
            .await
            .unwrap();
    }

    /// A worker that has claimed so many jobs.
    async fn claim(&self, lease: Duration, jobs: u32) -> Member {
        let mut member = Member {
            queue: self.queue.clone(),
            worker: WorkerId::leased(lease),
            known: 0,
        };
        let claim = Claim {
            member: member.clone(),
            max: jobs,
            suspect: false,
        };
        let broker: &dyn Broker = &*self.broker;
        match broker.claim(&claim).await.unwrap() {
            Claimed::Granted(grant) => {
                assert_eq!(grant.envelopes.len(), jobs as usize);
                member.known = grant.counter;
            }
            Claimed::Reaped => panic!("it has just joined"),
        }
        member
    }

    /// Has everyone forget a worker.
    async fn forget(&self, member: &Member) {
        ask(
            &self.server,
            &["HDEL", "jobq:{mail}:workers", member.worker.as_str()],
        )
        .await;
    }

    async fn crashes_of_ready(&self) -> Vec<u32> {
        let page = self.broker.page(&self.queue, JobState::Ready, 0, 1000);
        let page = page.await.unwrap().into_iter();
        let crashes = page.map(|element| Envelope::decode(element.bytes).unwrap().crashes());
        crashes.collect()
    }

    async fn members(&self) -> Vec<WorkerId> {
        let members = self.broker.members(&self.queue).await.unwrap();
        members.into_iter().map(|(worker, _)| worker).collect()
    }

    async fn held(&self, member: &Member) -> usize {
        self.broker
            .held(&self.queue, &member.worker)
            .await
            .unwrap()
            .len()
    }
}

/// What was done about the first thing.
fn fixed(report: &Report) -> (bool, &str) {
    let fixed = &report.document["fixed"][0];
    (
        fixed["done"].as_bool().unwrap(),
        fixed["said"].as_str().unwrap(),
    )
}

#[tokio::test]
async fn jobs_of_a_worker_that_nobody_knows_go_back_to_the_queue() {
    let given = Given::new().await;
    given.enqueue(3).await;
    let gone = given.claim(LEASE, 2).await;
    let key = format!("jobq:{{mail}}:handoff:{}", gone.worker);
    ask(
        &given.server,
        &["LMOVE", "jobq:{mail}:ready", &key, "RIGHT", "LEFT"],
    )
    .await;
    given.forget(&gone).await;
    let before = doctor(&given.server, &[]).await;
    before.found("orphans", "error", "jobs in flight: 2, handed over: 1");

    let report = doctor(&given.server, &["--fix"]).await;
    let (done, said) = fixed(&report);
    assert!(
        done && said.contains("jobs put back: 2, of dead workers: 1"),
        "{said}"
    );
    report.found("orphans", "ok", "");
    // What was handed had never begun.
    let mut crashes = given.crashes_of_ready().await;
    crashes.sort_unstable();
    assert_eq!(crashes, [0, 1, 1]);
    assert_eq!(given.members().await, [], "it has left");
    assert_eq!(given.held(&gone).await, 0);
}

#[tokio::test]
async fn jobs_of_a_member_that_is_silent_go_back_too() {
    let given = Given::new().await;
    given.enqueue(1).await;
    let dead = given.claim(LEASE, 1).await;
    let report = doctor(&given.server, &[]).await;
    report.found("orphans", "error", "jobs in flight: 1");
    let report = doctor(&given.server, &["--fix"]).await;
    assert!(fixed(&report).0);
    assert_eq!(given.crashes_of_ready().await, [1]);
    assert!(!given.members().await.contains(&dead.worker));
}

#[tokio::test]
async fn nothing_is_taken_from_a_worker_that_lives() {
    let given = Given::new().await;
    given.enqueue(2).await;
    let mut living = given.claim(Duration::from_secs(4), 1).await;
    let gone = given.claim(LEASE, 1).await;
    given.forget(&gone).await;
    let broker = given.broker.clone();
    let member = &mut living;
    let renewing = async {
        loop {
            match broker.renew(member).await.unwrap() {
                Renewed::Alive { counter, .. } => member.known = counter,
                Renewed::Reaped => panic!("it lives"),
            }
            tokio::time::sleep(LEASE / 4).await;
        }
    };
    let report = tokio::select! {
        report = doctor(&given.server, &["--fix"]) => report,
        () = renewing => unreachable!("it goes on"),
    };
    let (done, said) = fixed(&report);
    assert!(
        done && said.contains("jobs put back: 1, of dead workers: 1"),
        "{said}"
    );
    assert_eq!(given.held(&living).await, 1);
    assert_eq!(given.members().await, [living.worker]);
}

#[tokio::test]
async fn one_that_comes_back_keeps_what_it_has() {
    let given = Given::new().await;
    given.enqueue(1).await;
    let lost = given.claim(Duration::from_secs(5), 1).await;
    given.forget(&lost).await;
    let mut command = command(&["--json", "--url", &given.server.url(), "doctor", "--fix"]);
    let sweeping = tokio::task::spawn_blocking(move || command.output().unwrap());
    // It is a member while it watches.
    eventually("the sweep", async || {
        (!given.members().await.is_empty()).then_some(())
    })
    .await;
    let field = [lost.worker.as_str(), "7"];
    let key = "jobq:{mail}:workers";
    ask(&given.server, &[&["HSET", key][..], &field].concat()).await;
    let (broker, mut member) = (given.broker.clone(), lost.clone());
    member.known = 7;
    let renewing = async {
        loop {
            if let Renewed::Alive { counter, .. } = broker.renew(&member).await.unwrap() {
                member.known = counter;
            }
            tokio::time::sleep(LEASE / 4).await;
        }
    };
    tokio::select! {
        ended = within("the end", sweeping) => drop(ended.unwrap()),
        () = renewing => unreachable!("it goes on"),
    }
    assert_eq!(given.held(&lost).await, 1);
}

#[tokio::test]
async fn read_only_changes_nothing() {
    let given = Given::new().await;
    given.enqueue(1).await;
    let gone = given.claim(LEASE, 1).await;
    given.forget(&gone).await;
    let ran = run(command(&[
        "--read-only",
        "--url",
        &given.server.url(),
        "doctor",
        "--fix",
    ]))
    .await;
    assert_eq!(ran.code, 77, "{ran:?}");
    assert_eq!(
        (given.held(&gone).await, given.members().await),
        (1, vec![])
    );
}

#[tokio::test]
async fn an_operator_may_not_sweep_and_is_told_so() {
    let given = Given::new().await;
    given.enqueue(1).await;
    let gone = given.claim(LEASE, 1).await;
    given.forget(&gone).await;
    let url = Role::Operator.log_in(&given.server.url());
    let report = doctor_at(&url, &["--fix"]).await;
    let (done, said) = fixed(&report);
    assert!(!done && said.contains("NOPERM"), "{said}");
    assert_eq!((given.held(&gone).await, report.code), (1, 4));
}

#[tokio::test]
async fn a_sweep_that_is_interrupted_says_so_and_leaves_nothing_behind() {
    let given = Given::new().await;
    given.enqueue(1).await;
    let gone = given.claim(Duration::from_secs(600), 1).await;
    given.forget(&gone).await;
    let mut command = command(&["--json", "--url", &given.server.url(), "doctor", "--fix"]);
    command.stdout(std::process::Stdio::piped());
    let child = command.spawn().unwrap();
    let id = child.id();
    eventually("the sweep", async || {
        (!given.members().await.is_empty()).then_some(())
    })
    .await;
    support::signal(id, "INT");
    let ended = tokio::task::spawn_blocking(move || child.wait_with_output().unwrap());
    let output = within("the end", ended).await.unwrap();
    let document: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let fixed = &document["fixed"][0];
    assert_eq!(fixed["done"], false, "{document:#}");
    assert!(
        fixed["said"].as_str().unwrap().starts_with("interrupted"),
        "{fixed}"
    );
    assert_eq!(
        (given.held(&gone).await, given.members().await),
        (1, vec![])
    );
}
