//! No Redis, or none that answers.

use std::io::{BufRead as _, BufReader, Read as _};
use std::net::TcpListener;
use std::process::{Child, Stdio};

use jobq::{JobState, WorkerState};
use jobq_proxy::{Ending, Proxy, Refusal};
use support::{Record, RedisServer};

use crate::fixture::{Done, Fixture, note, program, run};

const COMMANDS: &[&[&str]] = &[
    &["stats"],
    &["stats", "--watch", "1s"],
    &["--json", "queues", "list"],
    &["jobs", "list"],
    &["jobs", "show", ID],
    &["dead", "analyze"],
    &["dead", "retry", "--all", "--yes"],
    &["workers", "list"],
    &["enqueue", "x"],
    &["queues", "pause", "q"],
    &["queues", "resume", "q"],
    &["queues", "purge", "q", "--state", "ready", "--yes"],
    &["queues", "drain", "q"],
    &["jobs", "cancel", ID, "--yes"],
    &["jobs", "run-now", ID],
    &["jobs", "move", ID, "--to", "q", "--yes"],
    &["dead", "list"],
    &["dead", "remove", "--all", "--yes"],
    &["dead", "purge", "--older-than", "1d", "--yes"],
    &["workers", "quiet", "--all"],
    &["workers", "stop", "--all", "--yes"],
    &["enqueue", "x", "--lines"],
];

const ID: &str = "01890a5d-ac96-774b-bcce-b302099a8057";

#[tokio::test(flavor = "multi_thread")]
async fn where_nobody_listens_each_command_exits_with_69() {
    // Each tries for seconds: all at once.
    let runs = COMMANDS.iter().map(|args| {
        let mut command = program();
        command
            .env("JOBQ_URL", "redis://:hunter2@127.0.0.1:1")
            .args(*args);
        tokio::spawn(run(command))
    });
    for ran in runs.collect::<Vec<_>>() {
        let done = ran.await.expect("it was waited for");
        let done = done.failed(69, "no Redis answers at 127.0.0.1:1");
        assert!(
            done.err.contains("(from JOBQ_URL)") && !done.err.contains("hunter2"),
            "{done:?}"
        );
        assert_eq!(done.out, "");
    }
    let mut command = program();
    command.args(["--url", "redis://127.0.0.1:1", "stats"]);
    run(command).await.failed(69, "(from --url)");
}

/// How soon is said by a test of `session.rs`, which no load of the machine can fail.
#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_says_nothing_is_given_up() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("redis://{}", silent.local_addr().unwrap());
    let mut command = program();
    command.args(["--url", &url, "stats"]);
    run(command).await.failed(69, "no Redis answers");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_frozen_amid_a_watch_is_given_up() {
    let server = RedisServer::start();
    let mut command = program();
    command.args(["--url", &server.url(), "--json", "stats", "--watch", "10ms"]);
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut out = child.stdout.take().unwrap();
    tokio::task::block_in_place(|| std::io::Read::read_exact(&mut out, &mut [0; 10]).unwrap());
    server.signal("STOP");
    let drained = tokio::task::spawn_blocking(move || {
        let _ = std::io::copy(&mut out, &mut std::io::sink());
        child.wait_with_output()
    });
    let output = support::within("the end of the watch", drained)
        .await
        .unwrap()
        .unwrap();
    server.signal("CONT");
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(69), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_configuration_that_is_wrong_exits_with_78() {
    let server = RedisServer::start();
    let good = server.url();
    for (url, namespace, said) in [
        ("", "", "(from --url)"),
        ("mysql://127.0.0.1", "", "(from --url)"),
        ("redis://127.0.0.1:65536", "", "(from --url)"),
        ("memory://", "", "one process"),
        (&good, "a b", "(from --namespace)"),
    ] {
        let mut command = program();
        command.args(["--url", url, "stats"]);
        if !namespace.is_empty() {
            command.args(["--namespace", namespace]);
        }
        run(command).await.failed(78, said);
    }
    let mut command = program();
    command
        .env("JOBQ_NAMESPACE", "a b")
        .args(["--url", &good, "stats"]);
    run(command).await.failed(78, "(from JOBQ_NAMESPACE)");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_namespace_in_the_flag_of_the_url_wins_over_the_variable() {
    let server = RedisServer::start();
    let plain = server.url();
    let with_own = format!("{plain}?namespace=own");
    for (variable_url, flags, namespace) in [
        ("", &["--url", &with_own][..], "own"),
        ("", &["--url", &plain], "usual"),
        ("", &["--url", &with_own, "--namespace", "last"], "last"),
        (&with_own, &[], "usual"),
        (&with_own, &["--namespace", "last"], "last"),
    ] {
        let mut command = program();
        command
            .env("JOBQ_URL", variable_url)
            .env("JOBQ_NAMESPACE", "usual")
            .args(flags)
            .args(["health"]);
        let health = run(command).await;
        // There is no queue.
        assert_eq!((health.code, &health.err[..]), (3, ""), "{health:?}");
        let said = format!("?namespace={namespace}\"");
        assert!(health.out.contains(&said), "{flags:?} {said}: {health:?}");
    }
    // What is wrong is said of where it stands.
    let mut command = program();
    let bad = format!("{plain}?namespace=a%20b");
    command
        .env("JOBQ_NAMESPACE", "usual")
        .args(["--url", &bad, "stats"]);
    run(command).await.failed(78, "(from --url)");
}

/// A command that waits, by a way on which the server can be lost.
struct Waiting {
    child: Child,
    said: BufReader<std::process::ChildStderr>,
    proxy: Proxy,
}

impl Waiting {
    async fn begin(f: &Fixture, args: &[&str]) -> Self {
        let server = ([127, 0, 0, 1], support::shared().port());
        let proxy = Proxy::start(server.into()).await.expect("a port is free");
        let mut command = f.command(&[&["--json"], args].concat());
        command.env("JOBQ_URL", f.by_port(proxy.port()));
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command
            .spawn()
            .expect("the program was built with the tests");
        let said = BufReader::new(child.stderr.take().expect("it is piped"));
        Self { child, said, proxy }
    }

    fn says(&mut self, words: &str) {
        let mut line = String::new();
        let read = tokio::task::block_in_place(|| self.said.read_line(&mut line));
        read.expect("it writes text");
        assert!(line.contains(words), "{words}: {line}");
    }

    /// Loses the server until it has said so.
    async fn outage(&mut self) {
        self.proxy.refuse(Refusal::Closed).await;
        self.proxy.cut_all(Ending::Reset);
        self.says("; it goes on looking");
        self.proxy.heal().await;
    }

    /// Its end, at which it says nothing more.
    async fn end(mut self) -> Done {
        let ended = tokio::task::spawn_blocking(move || {
            let mut more = String::new();
            self.said
                .read_to_string(&mut more)
                .map(|_| (self.child.wait_with_output(), more))
        });
        let ended = support::within("the end of the command", ended).await;
        let (output, more) = ended.expect("it was waited for").expect("it writes text");
        let done = Done::new(output.expect("it ends"));
        assert_eq!(more, "", "{done:?}");
        done
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_drain_goes_on_when_the_server_is_back() {
    let f = Fixture::start().await;
    note::enqueue(&f.client, "x").await.unwrap();
    f.queue("mail").pause().await.unwrap();
    let mut drain = Waiting::begin(&f, &["queues", "drain", "mail"]).await;
    drain.says("the queue is paused");
    drain.outage().await;
    f.queue("mail").purge(JobState::Ready).await.unwrap();
    let document = drain.end().await.document("queues drain");
    assert_eq!(
        (&document["end"], &document["error"]),
        (&"empty".into(), &().into())
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn who_waits_for_workers_goes_on_when_the_server_is_back() {
    let f = Fixture::start().await;
    let (worker, record) = (f.worker(), Record::new());
    f.running(&record).await;
    let told = async |state| {
        let workers = f.client.workers().await.unwrap();
        workers.iter().any(|one| one.state == state).then_some(())
    };
    let working = async || told(WorkerState::Working).await;
    support::eventually("the worker to tell of itself", working).await;
    let order = ["workers", "quiet", "--all", "--wait", "1h"];
    let mut quiet = Waiting::begin(&f, &order).await;
    let obeyed = async || told(WorkerState::Quiet).await;
    support::eventually("the order to be obeyed", obeyed).await;
    quiet.outage().await;
    std::fs::write(record.path(), "go\n").unwrap();
    let document = quiet.end().await.document("workers stop");
    assert_eq!(document["workers"][0]["result"], "obeyed");
    worker.shutdown().await;
}
