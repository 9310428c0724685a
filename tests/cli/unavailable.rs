//! No Redis, or none that answers.

use std::net::TcpListener;

use support::RedisServer;

use crate::fixture::{program, run};

const COMMANDS: &[&[&str]] = &[
    &["stats"],
    &["stats", "--watch", "1s"],
    &["--json", "queues", "list"],
    &["jobs", "list"],
    &["jobs", "show", "01890a5d-ac96-774b-bcce-b302099a8057"],
    &["dead", "analyze"],
    &["dead", "retry", "--all", "--yes"],
    &["workers", "list"],
    &["enqueue", "x"],
];

#[tokio::test(flavor = "multi_thread")]
async fn where_nobody_listens_each_command_exits_with_69() {
    for args in COMMANDS {
        let mut command = program();
        command
            .env("JOBQ_URL", "redis://:hunter2@127.0.0.1:1")
            .args(*args);
        let done = run(command)
            .await
            .failed(69, "no Redis answers at 127.0.0.1:1");
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
    command
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped());
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
