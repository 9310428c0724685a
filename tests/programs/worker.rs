//! A worker process as users write one. Started by a test it ends with it, however that ends.

use std::io::Read as _;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use jobq_worker::Worker;
use support::jobs::QUEUE;

fn main() -> ExitCode {
    if std::env::var_os("TEST_ENDS_WITH_STDIN").is_some() {
        std::thread::spawn(|| {
            // The test holds the other end and writes nothing.
            let _ = std::io::stdin().read(&mut [0]);
            std::process::exit(1);
        });
    }
    match (std::env::var("TEST_RUN"), std::env::var("TEST_GIVE_UP")) {
        (Ok(url), Ok(record)) => give_up(&url, Path::new(&record)),
        (Ok(url), Err(_)) => run(&url),
        (Err(_), _) => jobq_worker::main(),
    }
}

/// As the last line of a program's own `main`.
fn run(url: &str) -> ExitCode {
    let runtime = tokio::runtime::Runtime::new().expect("threads are to be had");
    let ended = runtime.block_on(async {
        let client = jobq::connect(url).await.expect("the broker answers");
        let worker = Worker::builder(client)
            .queues([QUEUE])
            .shutdown_timeout(Duration::from_millis(50))
            .build();
        worker.expect("its jobs are sound").run().await
    });
    // What blocks goes on: only the end of the process ends it.
    runtime.shutdown_background();
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

/// As a program that goes on without its worker once a record has a line.
fn give_up(url: &str, record: &Path) -> ExitCode {
    let runtime = tokio::runtime::Runtime::new().expect("threads are to be had");
    let at = std::env::var("TEST_HTTP").expect("an address is given");
    runtime.block_on(async {
        let client = jobq::connect(url).await.expect("the broker answers");
        let worker = Worker::builder(client)
            .queues([QUEUE])
            .lease(Duration::from_millis(1500))
            .renew_every(Duration::from_millis(300))
            .http(at.parse::<std::net::SocketAddr>().expect("it is one"))
            .build()
            .expect("its jobs are sound");
        let told = support::eventually("a line", async || {
            let text = std::fs::read_to_string(record).ok()?;
            (!text.is_empty()).then_some(())
        });
        tokio::select! {
            ended = worker.run() => panic!("nobody stopped it: {ended:?}"),
            () = told => {}
        }
        println!("given up");
        std::future::pending().await
    })
}
