//! Jobs of the release before are still queued when the next one starts: what may change in a
//! job's parameters, and what may not.

use jobq::{Context, Job, MissingState, Perform, Reason};
use jobq_worker::WorkerStats;

use crate::fixture::{Fixture, Ledger};

/// As it was enqueued.
#[derive(Job)]
#[job(name = "compatibility.mail", retries = 0)]
struct Old {
    user: u32,
    text: String,
}

impl Old {
    fn job() -> Self {
        Self {
            user: 7,
            text: "hello".to_owned(),
        }
    }
}

macro_rules! releases {
    ($($name:ident { $($field:ident: $type:ty),* };)*) => {
        $(#[derive(Job, Debug)]
        #[job(name = "compatibility.mail", retries = 0)]
        struct $name { $($field: $type),* }

        impl Perform for $name {
            type Output = Result<(), MissingState>;

            async fn perform(self, ctx: Context) -> Self::Output {
                ctx.state::<Ledger>()?.write(format!("{self:?}"));
                Ok(())
            }
        })*
    };
}

releases! {
    WithAnOption { user: u32, text: String, copy_to: Option<String> };
    Reordered { text: String, user: u32 };
    WithOneLess { text: String };
    Wider { user: i64, text: String };
    OfAnotherType { user: String, text: String };
    WithOneMore { user: u32, text: String, copy: bool };
    Renamed { user_id: u32, text: String };
}

/// Runs the old job by a worker that knows it as `New`.
async fn run_as<New: Perform>(fixture: &Fixture) -> WorkerStats {
    Old::job().enqueue(&fixture.client).await.unwrap();
    let worker = fixture.calm_worker().register::<New>().build().unwrap();
    worker.run_until_idle().await.unwrap()
}

#[tokio::test]
async fn an_optional_parameter_may_be_added() {
    let fixture = Fixture::memory().await;
    assert_eq!(run_as::<WithAnOption>(&fixture).await.done, 1);
    let expected = "WithAnOption { user: 7, text: \"hello\", copy_to: None }";
    assert_eq!(fixture.ledger.lines(), [expected]);
}

#[tokio::test]
async fn parameters_may_be_reordered() {
    let fixture = Fixture::memory().await;
    assert_eq!(run_as::<Reordered>(&fixture).await.done, 1);
    let expected = "Reordered { text: \"hello\", user: 7 }";
    assert_eq!(fixture.ledger.lines(), [expected]);
}

#[tokio::test]
async fn a_parameter_may_be_removed() {
    let fixture = Fixture::memory().await;
    assert_eq!(run_as::<WithOneLess>(&fixture).await.done, 1);
    assert_eq!(fixture.ledger.lines(), ["WithOneLess { text: \"hello\" }"]);
}

#[tokio::test]
async fn a_number_may_become_wider() {
    let fixture = Fixture::memory().await;
    assert_eq!(run_as::<Wider>(&fixture).await.done, 1);
    let expected = "Wider { user: 7, text: \"hello\" }";
    assert_eq!(fixture.ledger.lines(), [expected]);
}

async fn assert_undecodable<New: Perform>(hint: &str) {
    let fixture = Fixture::memory().await;
    let stats = run_as::<New>(&fixture).await;
    assert_eq!((stats.dead, stats.retried, stats.done), (1, 0, 0));
    let dead = fixture.only_dead().await;
    assert_eq!((dead.reason(), dead.attempts()), (Reason::Undecodable, 0));
    assert!(dead.error().contains(hint), "{}", dead.error());
    assert!(fixture.ledger.lines().is_empty());
    // Once the old release is back, so is the job.
    assert!(
        fixture
            .queue("default")
            .dead()
            .retry(dead.id())
            .await
            .unwrap()
    );
    let worker = fixture
        .calm_worker()
        .register::<Reordered>()
        .build()
        .unwrap();
    assert_eq!(worker.run_until_idle().await.unwrap().done, 1);
}

#[tokio::test]
async fn a_parameter_that_must_be_there_may_not_be_added() {
    assert_undecodable::<WithOneMore>("missing field `copy`").await;
}

#[tokio::test]
async fn a_parameter_may_not_be_renamed() {
    assert_undecodable::<Renamed>("missing field `user_id`").await;
}

#[tokio::test]
async fn a_parameter_may_not_change_its_type() {
    assert_undecodable::<OfAnotherType>("compatibility.mail").await;
}
