//! Somebody between the command and the server, who sees what is asked before the server does. With
//! it: what happens while the command looks.

use std::time::Duration;

use jobq::JobId;
use support::Record;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;

use crate::fixture::{Done, Fixture, hold, note, run};

/// A step that waits to be let on.
struct Held(tokio::sync::oneshot::Sender<()>);

impl Held {
    fn let_on(self) {
        self.0.send(()).expect("the connection is there");
    }
}

/// A way to the shared server on which each piece that has these words is held; the port of it.
async fn holding(words: &'static str) -> (u16, mpsc::UnboundedReceiver<Held>) {
    let listener = TcpListener::bind("127.0.0.1:0")
        .await
        .expect("a port is free");
    let port = listener.local_addr().expect("it is bound").port();
    let (held, holds) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            let server = TcpStream::connect(("127.0.0.1", support::shared().port()));
            tokio::spawn(pass(
                client,
                server.await.expect("it answers"),
                words,
                held.clone(),
            ));
        }
    });
    (port, holds)
}

async fn pass(
    client: TcpStream,
    server: TcpStream,
    words: &'static str,
    held: mpsc::UnboundedSender<Held>,
) {
    let (mut asked, mut answers) = client.into_split();
    let (mut answered, mut asks) = server.into_split();
    tokio::spawn(async move {
        // Whoever has gone is answered no more.
        let _ = tokio::io::copy(&mut answered, &mut answers).await;
    });
    let mut bytes = vec![0; 64 * 1024];
    while let Ok(read @ 1..) = asked.read(&mut bytes).await {
        let piece = &bytes[..read];
        if piece
            .windows(words.len())
            .any(|part| part == words.as_bytes())
        {
            let (go, gone) = tokio::sync::oneshot::channel();
            // Nobody holds any more: it goes on.
            if held.send(Held(go)).is_ok() {
                let _ = gone.await;
            }
        }
        if asks.write_all(piece).await.is_err() {
            return;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_search_that_is_interrupted_is_told_and_the_document_is_whole() {
    let f = Fixture::start().await;
    let hour = Duration::from_secs(3600);
    note::new("x").delay(hour).enqueue(&f.client).await.unwrap();
    let (port, mut holds) = holding("ZSCAN").await;
    let nobody = JobId::new().to_string();
    let running = f.begun_by(
        &f.by_port(port),
        &["jobs", "run-now", &nobody, "--queue", "mail"],
    );
    let _held = holds.recv().await.unwrap();
    let (code, out) = running.interrupt("jobs cancel").await;
    let job = &out["jobs"][0];
    assert_eq!((code, &out["interrupted"]), (1, &true.into()));
    assert!(
        job["result"].as_str().unwrap().contains("interrupted"),
        "{job}"
    );
    assert_eq!(job["done"], false);
}

/// Twelve times, between two reads of ready, workers take more jobs than one read has.
#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_stays_in_ready_is_found_however_many_are_taken_before_it() {
    let f = Fixture::start().await;
    let jobs = f.client.enqueue_all((0..2500).map(|_| note::new("x")));
    let id = jobs.await.unwrap()[2100].id().to_string();
    let (port, mut holds) = holding("LRANGE").await;
    let mut show = f.command(&["jobs", "show", &id, "--state", "ready"]);
    show.env("JOBQ_URL", f.by_port(port));
    let taking = async {
        for _ in 0..12 {
            let Some(held) = holds.recv().await else {
                return;
            };
            f.drop_from_front("mail", 150).await;
            held.let_on();
        }
        while let Some(held) = holds.recv().await {
            held.let_on();
        }
    };
    let done = tokio::select! {
        done = run(show) => done,
        () = taking => unreachable!("the way stays open"),
    };
    assert!(done.ok().contains(&id));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_is_taken_while_it_is_looked_for_is_found_in_flight() {
    let f = Fixture::start().await;
    let (worker, record) = (f.worker(), Record::new());
    f.queue("mail").pause().await.unwrap();
    let job = hold::enqueue(&f.client, record.path()).await.unwrap();
    let id = job.id().to_string();
    let (port, mut holds) = holding("LRANGE").await;
    let mut show = f.command(&["jobs", "show", &id]);
    show.env("JOBQ_URL", f.by_port(port));
    let taking = async {
        // In flight and delayed were read: the dead list is first.
        let held = holds.recv().await.unwrap();
        f.queue("mail").resume().await.unwrap();
        f.until("mail", "the start of the job", |stats| stats.in_flight == 1)
            .await;
        held.let_on();
        while let Some(held) = holds.recv().await {
            held.let_on();
        }
    };
    let done = tokio::select! {
        done = run(show) => done,
        () = taking => unreachable!("the way stays open"),
    };
    assert!(done.ok().contains("state: in_flight"));
    std::fs::write(record.path(), "go\n").unwrap();
    worker.shutdown().await;
}

/// Health with a second look, the end of which it is held at each time.
async fn looking_twice(f: &Fixture) -> (impl Future<Output = Done>, mpsc::UnboundedReceiver<Held>) {
    let (port, holds) = holding("{mail}:totals").await;
    let limits = [
        "--min-workers",
        "1",
        "--max-failure-rate",
        "100%",
        "--over",
        "1ms",
    ];
    let mut health = f.command(&[&["health"], &limits[..]].concat());
    health.env("JOBQ_URL", f.by_port(port));
    (run(health), holds)
}

#[tokio::test(flavor = "multi_thread")]
async fn health_judges_a_second_look_by_the_workers_that_there_are_then() {
    let f = Fixture::start().await;
    f.queue("mail").pause().await.unwrap();
    note::enqueue(&f.client, "x").await.unwrap();
    let alone = async || {
        support::eventually("one member that has told of itself", async || {
            let mail = f.queue("mail");
            let members = f.client.broker().members(mail.name()).await.unwrap();
            let workers = f.client.workers().await.unwrap();
            (members.len() == 1 && workers.len() == 1).then_some(())
        })
        .await;
    };
    let old = f.worker();
    alone().await;
    let (health, mut holds) = looking_twice(&f).await;
    let deploying = async {
        let held = holds.recv().await.unwrap();
        old.shutdown().await;
        let new = f.worker();
        alone().await;
        held.let_on();
        holds.recv().await.unwrap().let_on();
        new
    };
    let (health, new) = tokio::join!(health, deploying);
    health.ok();
    new.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn health_marks_a_queue_that_is_damaged_between_its_two_looks() {
    let f = Fixture::start().await;
    for queue in ["bulk", "mail"] {
        let job = note::new("x").queue(queue);
        job.enqueue(&f.client).await.unwrap();
    }
    let key = f.key("{mail}:totals");
    let (health, mut holds) = looking_twice(&f).await;
    let damaging = async {
        holds.recv().await.unwrap().let_on();
        let held = holds.recv().await.unwrap();
        f.damage(&key).await;
        held.let_on();
    };
    let (health, ()) = tokio::join!(health, damaging);
    let document = health.document("health");
    health.failed(70, "could not read queue mail: ");
    let [bulk, mail] = &document["queues"].as_array().unwrap()[..] else {
        panic!("{document}");
    };
    assert_eq!(
        (&bulk["queue"], &bulk["ready"]),
        (&"bulk".into(), &1.into())
    );
    assert_eq!(mail["queue"], "mail");
    assert!(
        mail["unreadable"].as_str().unwrap().contains(&key),
        "{mail}"
    );
}
