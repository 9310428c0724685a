//! What building a worker says, and what running one.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use jobq::{Client, Context, Job, Perform, StateType};
use jobq_worker::{BuildError, RunError, Worker, WorkerBuilder};

use crate::document::Document;

/// A connection pool.
struct Db;

/// What mail is made of.
struct Templates;

macro_rules! jobs {
    ($($job:ident $name:literal [$($state:ty),*])*) => {
        $(#[derive(Job)]
        #[job(name = $name)]
        pub(crate) struct $job {}

        impl Perform for $job {
            const STATES: &'static [StateType] = &[$(StateType::of::<$state>()),*];

            type Output = ();

            async fn perform(self, _ctx: Context) {}
        })*
    };
}

jobs! {
    Fine "fine" []
    AlsoFine "fine" []
    Charge "charge" [Db]
    Mail "mail" [Db, Templates]
}

pub(crate) async fn collect(document: &mut Document) {
    document.group("building a worker");
    let client = jobq::connect("memory://").await.unwrap();
    let builder = || Worker::builder(client.clone());
    settings(document, &builder);
    queues(document, &builder);
    document.error("a program without jobs", &BuildError::NoJobs);
    let twice = builder().register::<Fine>().register::<AlsoFine>();
    refuse(document, "two jobs of one name", twice);
    let charge = || builder().register::<Charge>();
    refuse(document, "State<Db>, and no state at all", charge());
    let arc = charge().state(Arc::new(Db));
    refuse(document, "State<Db>, with .state(Arc::new(Db))", arc);
    let others = charge().state(7u32).state(String::new()).state(vec![0u8]);
    refuse(document, "State<Db>, with three others", others);
    let mail = builder().register::<Mail>().state(Db);
    refuse(
        document,
        "State<Db> and State<Templates>, with .state(Db)",
        mail,
    );

    document.group("running a worker");
    running(document, &client).await;
}

fn settings(document: &mut Document, builder: &impl Fn() -> WorkerBuilder) {
    let ms = Duration::from_millis;
    refuse(document, ".concurrency(0)", builder().concurrency(0));
    refuse(
        document,
        ".concurrency(1_000_000)",
        builder().concurrency(1_000_000),
    );
    refuse(document, ".connections(0)", builder().connections(0));
    let lease = builder().lease(ms(2000)).renew_every(ms(1000));
    refuse(document, ".lease(2 s).renew_every(1 s)", lease);
    let renew = builder().renew_every(Duration::ZERO);
    refuse(document, ".renew_every(Duration::ZERO)", renew);
    let long = builder().lease(ms(7_200_000));
    refuse(document, ".lease(2 h)", long);
}

fn queues(document: &mut Document, builder: &impl Fn() -> WorkerBuilder) {
    for queues in [
        &["a,b"][..],
        &["critical:6,default:3"],
        &["my mail"],
        &[""],
        &["mail:0"],
        &["mail:1001"],
        &["mail:-1"],
        &["mail", "news", "mail:3"],
    ] {
        refuse(
            document,
            &format!(".queues({queues:?})"),
            builder().queues(queues.iter().copied()),
        );
    }
}

fn refuse(document: &mut Document, cause: &str, builder: WorkerBuilder) {
    let builder = builder.register::<jobs_of_support::Any>();
    match builder.build() {
        Err(error) => document.error(cause, &error),
        Ok(worker) => panic!("{cause}: {worker:?}"),
    }
}

/// So that there is a job in each worker.
mod jobs_of_support {
    use jobq::{Context, Job, Perform};

    #[derive(Job)]
    #[job(name = "any")]
    pub(super) struct Any {}

    impl Perform for Any {
        type Output = ();

        async fn perform(self, _ctx: Context) {}
    }
}

async fn running(document: &mut Document, client: &Client) {
    let worker = Worker::builder(client.clone())
        .register::<Fine>()
        .build()
        .unwrap();
    let paused = client.queue("default").unwrap();
    paused.pause().await.unwrap();
    client.enqueue(Fine {}).await.unwrap();
    let late = Fine {}.delay(Duration::from_secs(3600));
    client.enqueue(late).await.unwrap();
    // How long it waited stands in the message, whatever else the machine does.
    tokio::time::pause();
    let idle = worker.run_until_idle().max_wait(Duration::from_millis(100));
    let error = idle.await.unwrap_err();
    tokio::time::resume();
    document.error(
        ".run_until_idle().max_wait(100 ms) on a paused queue",
        &error,
    );
    let error = RunError::System {
        what: "a handler for SIGTERM",
        source: io::Error::from(io::ErrorKind::PermissionDenied),
    };
    document.error("a system without signals", &error);
    let error = RunError::Http {
        address: ([127, 0, 0, 1], 9100).into(),
        source: io::Error::from(io::ErrorKind::AddrInUse),
    };
    document.error("an address for HTTP that another process has", &error);
}
