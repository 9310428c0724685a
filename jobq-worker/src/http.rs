//! What a worker says of itself over HTTP (feature `http`), to probes and to Prometheus:
//!
//! | path | answers |
//! | --- | --- |
//! | `/healthz` | whether it is alive |
//! | `/readyz` | whether it could take a job now |
//! | `/metrics` | what it shows (`exposition.rs`) |
//!
//! It runs on a thread of its own, so that it can say that the runtime of the jobs stands still.
//!
//! | file | knows |
//! | --- | --- |
//! | `http/probe.rs` | how to find out whether a job could be taken: it tries |
//! | `http/judge.rs` | what follows from what is known, and nothing else |
//! | `http/server.rs` | HTTP |

mod judge;
mod probe;
mod server;

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::thread::JoinHandle;

use tokio::runtime::Runtime;

use crate::error::RunError;
use crate::shared::Shared;
use crate::shutdown::Phase;

use self::probe::Probes;

/// The thread that serves.
#[derive(Debug)]
pub(crate) struct Served(JoinHandle<()>);

/// Serves until the worker has stopped.
pub(crate) fn start(shared: &Arc<Shared>, address: SocketAddr) -> Result<Served, RunError> {
    let refused = |source| RunError::Http { address, source };
    let listener = TcpListener::bind(address).map_err(refused)?;
    listener.set_nonblocking(true).map_err(refused)?;
    let bound = listener.local_addr().map_err(refused)?;
    let system = |what| move |source| RunError::System { what, source };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(system("a runtime for HTTP"))?;
    let shared = shared.clone();
    let thread = std::thread::Builder::new().name("jobq-http".to_owned());
    let thread = thread.spawn(move || serve(&runtime, &shared, listener));
    let thread = thread.map_err(system("a thread for HTTP"))?;
    match bound.ip().is_loopback() {
        true => tracing::info!("serving http://{bound}: /healthz, /readyz, /metrics"),
        false => tracing::warn!(
            "serving http://{bound}: /healthz, /readyz, /metrics, to whoever reaches this port"
        ),
    }
    Ok(Served(thread))
}

fn serve(runtime: &Runtime, shared: &Arc<Shared>, listener: TcpListener) {
    runtime.block_on(async {
        let probes = Arc::new(Probes::new(shared));
        tokio::select! {
            biased;
            () = shared.shutdown.reached(Phase::Stopped) => {}
            () = probe::run(&probes) => {}
            ended = server::run(listener, &probes) => if let Err(error) = ended {
                tracing::error!(%error, "HTTP is served no more");
            }
        }
    });
}

impl Served {
    /// Waits until it serves no more; it does once the worker has stopped.
    pub(crate) async fn ended(self) {
        let joined = tokio::task::spawn_blocking(move || self.0.join().is_ok()).await;
        if !joined.unwrap_or(false) {
            tracing::error!("the thread for HTTP panicked");
        }
    }
}
