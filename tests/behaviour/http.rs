//! What a worker says over HTTP: that it is alive, that it could take a job, and what it shows.

mod asking;

use std::process::Command;

use support::jobs::{QUEUE, hog, hold, hold_blocking, note};
use support::{Record, RedisServer, Role};
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;

use self::asking::{Answer, ask, ready, serve, serve_at, unready};
use crate::fixture::Fixture;
use crate::program::{Program, command};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_worker_says_that_it_is_alive_and_ready_and_what_it_shows() {
    let (fixture, record) = (Fixture::redis().await, Record::new());
    let (_program, at) = serve(&fixture, &[]).await;
    ready(at).await;
    assert_eq!(ask(at, "GET /healthz").await, Answer::plain(200, "alive\n"));
    let jobs = (0..3).map(|n| note::new(record.path(), n.to_string()));
    fixture.client.enqueue_all(jobs).await.unwrap();
    record.wait_for("end", 3).await;
    let shows = async || {
        let answer = ask(at, "GET /metrics").await;
        let done = "jobq_jobs_total{queue=\"programs\",name=\"test.note\",outcome=\"done\"} 3";
        answer.body.contains(done).then_some(answer)
    };
    let shown = support::eventually("what it did", shows).await;
    assert!(
        shown
            .head
            .contains("application/openmetrics-text; version=1.0.0; charset=utf-8")
    );
    for sample in [
        "jobq_job_run_seconds_count{queue=\"programs\",name=\"test.note\"} 3",
        "jobq_job_wait_seconds_count{queue=\"programs\"} 3",
        "jobq_jobs_in_flight 0",
        "jobq_slots 64",
        "jobq_slots_leaked 0",
        "jobq_leases_lost_total 0",
        "jobq_outcomes_stale_total 0",
        "jobq_jobs_adopted_total 0",
        "jobq_jobs_reconciled_total 0",
        "jobq_redis_reconnects_total 0",
        "jobq_redis_round_trip_seconds_count ",
        "jobq_claim_jobs_sum 3",
        "# EOF",
    ] {
        assert!(shown.body.contains(sample), "{sample}: {}", shown.body);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_shown_is_as_prometheus_wants_it() {
    let (fixture, record) = (Fixture::redis().await, Record::new());
    let (_program, at) = serve(&fixture, &[]).await;
    note::enqueue(&fixture.client, record.path(), "a")
        .await
        .unwrap();
    let counted = async || {
        let body = ask(at, "GET /metrics").await.body;
        let all = [
            "jobq_jobs_total{",
            "jobq_queue_ready{",
            "jobq_job_run_seconds_sum{",
        ];
        all.iter()
            .all(|sample| body.contains(sample))
            .then_some(body)
    };
    let text = support::eventually("all samples", counted).await;
    // Its check reads the older format, in which the end is a comment, and the name of a counter that of
    // its samples.
    let older = |line: &str| match line.strip_suffix(" counter") {
        Some(line) if line.starts_with("# TYPE") => format!("{line}_total counter\n"),
        _ => format!("{line}\n"),
    };
    let text: String = text.lines().map(older).collect();
    let counters = text.lines().filter_map(|line| {
        let name = line
            .strip_prefix("# TYPE ")?
            .strip_suffix("_total counter")?;
        Some((format!("# HELP {name} "), format!("# HELP {name}_total ")))
    });
    let counters: Vec<_> = counters.collect();
    let text = counters.iter().fold(text.clone(), |text, (name, older)| {
        text.replace(name, older)
    });
    let mut promtool = Command::new("promtool");
    let promtool = promtool.args(["check", "metrics"]);
    let (ok, said) = asking::feed(promtool, &text);
    assert!(ok && said.is_empty(), "{said}\n{text}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn other_requests_are_refused_and_it_goes_on() {
    let fixture = Fixture::memory().await;
    let (_program, at) = serve(&fixture, &[]).await;
    ready(at).await;
    for (request, code) in [
        ("HEAD /healthz", 200),
        ("HEAD /metrics", 200),
        ("GET /readyz?verbose=1", 200),
        ("GET /", 404),
        ("GET /healthz/", 404),
        ("GET /../etc/passwd", 404),
        ("POST /healthz", 405),
        ("DELETE /metrics", 405),
        ("PUT /nothing", 404),
    ] {
        let answer = ask(at, request).await;
        assert_eq!(answer.code, code, "{request}");
        assert_eq!(
            answer.body.is_empty(),
            request.starts_with("HEAD"),
            "{request}"
        );
    }
    for junk in [&b"\0\xff\x16\x03\x01"[..], b"GET\r\n\r\n", &[b'a'; 100_000]] {
        let mut stream = TcpStream::connect(at).await.unwrap();
        // It may hang up before it has read all.
        let _ = stream.write_all(junk).await;
    }
    // Who says nothing keeps nobody else from asking, for ever.
    let mut silent = Vec::new();
    for _ in 0..40 {
        silent.push(TcpStream::connect(at).await.unwrap());
    }
    ready(at).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_worker_whose_redis_is_away_is_not_ready_until_it_is_back() {
    let mut server = RedisServer::start();
    let fixture = Fixture::on(&server).await;
    let (_program, at) = serve(&fixture, &["--lease", "1s", "--renew-every", "300ms"]).await;
    ready(at).await;
    server.kill();
    unready(at, "queue programs: ").await;
    asking::eventually(at, "GET /healthz", 503, "no heartbeat was answered").await;
    server.restart();
    ready(at).await;
    asking::eventually(at, "GET /healthz", 200, "alive").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_worker_whose_redis_says_nothing_is_not_ready() {
    let server = RedisServer::start();
    let fixture = Fixture::on(&server).await;
    let (_program, at) = serve(&fixture, &[]).await;
    ready(at).await;
    server.signal("STOP");
    unready(at, "a claim was not answered within 2 s").await;
    server.signal("CONT");
    ready(at).await;
}

/// What a look alone would not find.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_worker_that_could_take_no_job_is_not_ready() {
    let server = RedisServer::start();
    let fixture = Fixture::on(&server).await;
    let (_program, at) = serve(&fixture, &[]).await;
    ready(at).await;
    let queue = fixture.queue(QUEUE);
    queue.pause().await.unwrap();
    unready(at, "queue programs: it is paused").await;
    queue.resume().await.unwrap();
    ready(at).await;

    let mut admin = support::beside(&server.url()).await.unwrap();
    let mut say = async |words: &[&str]| {
        let mut command = redis::cmd(words[0]);
        let said: redis::Value = command
            .arg(&words[1..])
            .query_async(&mut admin)
            .await
            .unwrap();
        said
    };
    let user = Role::Worker.user();
    say(&["ACL", "SETUSER", user, "-zrangebyscore", "-lmove"]).await;
    unready(at, "NOPERM").await;
    say(&["ACL", "SETUSER", user, "+zrangebyscore", "+lmove"]).await;
    ready(at).await;

    say(&["REPLICAOF", "127.0.0.1", "1"]).await;
    unready(at, "queue programs: ").await;
    say(&["REPLICAOF", "NO", "ONE"]).await;
    ready(at).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_worker_whose_runtime_stands_still_is_not_ready_and_says_so() {
    let (fixture, record) = (Fixture::redis().await, Record::new());
    let mut command = command();
    command.env("TOKIO_WORKER_THREADS", "2");
    let (_program, at) = serve_at(command.args(["--url", &fixture.url])).await;
    ready(at).await;
    let time = std::time::Duration::from_secs(8);
    let hogs = (0..2).map(|n| hog::new(record.path(), format!("hog {n}"), time));
    fixture.client.enqueue_all(hogs).await.unwrap();
    unready(at, "the runtime stands still").await;
    assert_eq!(
        ask(at, "GET /healthz").await.code,
        200,
        "not for so short a time"
    );
    record.wait_for("end hog", 2).await;
    ready(at).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_worker_that_shuts_down_is_alive_and_not_ready() {
    let (fixture, record) = (Fixture::redis().await, Record::new());
    let (mut program, at) = serve(&fixture, &[]).await;
    hold::enqueue(&fixture.client, record.path(), "held")
        .await
        .unwrap();
    record.wait_for("begin held", 1).await;
    ready(at).await;
    program.signal("TERM");
    unready(at, "it shuts down").await;
    assert_eq!(ask(at, "GET /healthz").await.code, 200);
    assert_eq!(ask(at, "GET /metrics").await.code, 200);
    record.write("go");
    assert_eq!(program.ended().await.code(), Some(0));
    assert!(TcpStream::connect(at).await.is_err());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_quiet_worker_is_alive_and_not_ready() {
    let fixture = Fixture::redis().await;
    let (_program, at) = serve(&fixture, &[]).await;
    ready(at).await;
    let told = async || fixture.operator.workers().await.unwrap().pop();
    let worker = support::eventually("the worker", told).await;
    assert!(fixture.operator.quiet(&worker.id).await.unwrap());
    unready(at, "it was ordered to be quiet").await;
    assert_eq!(ask(at, "GET /healthz").await.code, 200);
}

/// It takes the next job as soon as one of its own has ended; but not if none ever does.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_busy_worker_is_ready_and_one_whose_slots_are_lost_is_not() {
    let (fixture, record, lost) = (Fixture::redis().await, Record::new(), Record::new());
    let (_program, at) = serve(&fixture, &["--concurrency", "1"]).await;
    hold::enqueue(&fixture.client, record.path(), "held")
        .await
        .unwrap();
    record.wait_for("begin held", 1).await;
    ready(at).await;
    record.write("go");
    hold_blocking::new(lost.path(), "lost")
        .timeout(std::time::Duration::from_secs(1))
        .retries(0)
        .enqueue(&fixture.client)
        .await
        .unwrap();
    lost.wait_for("begin lost", 1).await;
    unready(at, "every slot is kept by a blocking job").await;
    lost.write("go");
    ready(at).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_workers_one_alone_shows_a_queue() {
    let fixture = Fixture::redis().await;
    let (first, one) = serve(&fixture, &[]).await;
    let (_second, other) = serve(&fixture, &[]).await;
    let shows = async |at| {
        let body = ask(at, "GET /metrics").await.body;
        ["ready", "delayed", "dead"].map(|figure| body.contains(&format!("jobq_queue_{figure}{{")))
    };
    let one_alone = async || {
        let (one, other) = (shows(one).await, shows(other).await);
        let both = one.iter().zip(&other).any(|(one, other)| *one && *other);
        assert!(!both, "two workers show one queue");
        (one == [true; 3] || other == [true; 3]).then_some(one == [true; 3])
    };
    let is_first = support::eventually("the figures", one_alone).await;
    if is_first {
        first.signal("TERM");
        let takes_over = async || (shows(other).await == [true; 3]).then_some(());
        support::eventually("the figures of the other", takes_over).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_worker_that_cannot_serve_exits_with_69_and_says_why() {
    let fixture = Fixture::redis().await;
    let (_program, at) = serve(&fixture, &[]).await;
    let mut command = command();
    command.args(["--url", &fixture.url, "--http", &at.to_string()]);
    let mut second = Program::launch(&mut command);
    assert_eq!(second.ended().await.code(), Some(69));
    let said = format!("could not serve HTTP at {at}: ");
    assert!(second.log().contains(&said), "{}", second.log());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_served_unless_it_is_asked_for() {
    let fixture = Fixture::redis().await;
    let program = Program::start(&fixture.url, &[]).await;
    assert!(!program.log().contains("serving http"), "{}", program.log());
}
