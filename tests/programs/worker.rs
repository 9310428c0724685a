//! A worker process as users write one. Started by a test it ends with it, however that ends.

use std::io::Read as _;
use std::process::ExitCode;
use std::time::Duration;

fn main() -> ExitCode {
    if std::env::var_os("TEST_ENDS_WITH_STDIN").is_some() {
        std::thread::spawn(|| {
            // The test holds the other end and writes nothing.
            let _ = std::io::stdin().read(&mut [0]);
            std::process::exit(1);
        });
    }
    match std::env::var("TEST_RUN") {
        Ok(url) => run(&url),
        Err(_) => jobq_worker::main(),
    }
}

/// As the last line of a program's own `main`.
fn run(url: &str) -> ExitCode {
    let runtime = tokio::runtime::Runtime::new().expect("threads are to be had");
    let ended = runtime.block_on(async {
        let client = jobq::connect(url).await.expect("the broker answers");
        let worker = jobq_worker::Worker::builder(client)
            .queues([support::jobs::QUEUE])
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
