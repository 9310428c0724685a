//! The service with a worker inside, over HTTP, and how both stop.

use std::path::PathBuf;
use std::process::Command;

use jobq::Client;
use support::{Folder, eventually, within};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

use crate::program::{Program, Running};

/// As many jobs as the service runs at a time, and as many again.
const SIGNUPS: usize = 8;

/// A named pipe in place of the file that jobs write to: they wait until [`Pipe::open`].
struct Pipe {
    path: PathBuf,
    _folder: Folder,
}

impl Pipe {
    fn new() -> Self {
        let folder = Folder::new();
        let path = folder.path().join("outbox");
        let made = Command::new("mkfifo").arg(&path).status();
        assert!(made.is_ok_and(|status| status.success()), "mkfifo {path:?}");
        Self {
            path,
            _folder: folder,
        }
    }

    /// Lets jobs write, as long as this is kept.
    fn open(&self) -> std::fs::File {
        let options = std::fs::OpenOptions::new()
            .read(true)
            .write(true)
            .open(&self.path);
        options.expect("it is ours")
    }
}

struct Service {
    program: Running,
    address: String,
}

impl Service {
    async fn start(url: &str, outbox: &Pipe) -> Self {
        let mut program = Program::new("embed_axum")
            .arg("127.0.0.1:0")
            .env("JOBQ_URL", url)
            .env("OUTBOX", &outbox.path)
            .start();
        let listening = program.line("listening on").await;
        let address = listening
            .rsplit(' ')
            .next()
            .expect("it has words")
            .to_owned();
        Self { program, address }
    }

    /// Sends the head of a request, and as much of its body as is given.
    async fn begin(&self, method: &str, headers: &str, body: &str) -> BufReader<TcpStream> {
        let mut stream = TcpStream::connect(&self.address).await.expect("it listens");
        let head = format!("{method} /signups HTTP/1.1\r\nHost: test\r\nConnection: close\r\n");
        let request = format!("{head}{headers}\r\n{body}");
        stream
            .write_all(request.as_bytes())
            .await
            .expect("it reads");
        BufReader::new(stream)
    }

    async fn sign_up(&self, email: &str) {
        let length = format!("Content-Length: {}\r\n", email.len());
        let stream = self.begin("POST", &length, email).await;
        assert!(answer(stream).await.starts_with("HTTP/1.1 202 "), "{email}");
    }

    /// How many sign-ups have come so far.
    async fn count(&self, stage: &str) -> usize {
        let text = answer(self.begin("GET", "", "").await).await;
        text.lines().filter(|line| line.ends_with(stage)).count()
    }

    /// Ends it; whom it said it has welcomed.
    async fn succeed(self) -> Vec<String> {
        let output = self.program.succeed().await;
        assert_eq!(
            output.last().map(String::as_str),
            Some("stopped"),
            "{output:#?}"
        );
        let welcomed = output
            .iter()
            .filter_map(|line| line.strip_prefix("welcomed "));
        welcomed.map(str::to_owned).collect()
    }
}

async fn answer(mut stream: BufReader<TcpStream>) -> String {
    let mut text = String::new();
    within("an answer", stream.read_to_string(&mut text))
        .await
        .expect("UTF-8");
    text
}

/// A service that was told to stop and listens no longer, with half of its jobs running, the others
/// ready, and a request half sent.
async fn stopping(url: &str, outbox: &Pipe) -> (Service, BufReader<TcpStream>) {
    let service = Service::start(url, outbox).await;
    for number in 1..=SIGNUPS {
        service.sign_up(&format!("{number}@example.org")).await;
    }
    eventually("half of the jobs to run", async || {
        (service.count("being welcomed").await == SIGNUPS / 2).then_some(())
    })
    .await;
    let half = "Content-Length: 16\r\nExpect: 100-continue\r\n";
    let mut late = service.begin("POST", half, "").await;
    let mut line = String::new();
    let continued = within("the handler to ask for the rest", late.read_line(&mut line));
    continued.await.expect("UTF-8");
    assert!(line.starts_with("HTTP/1.1 100 "), "{line}");

    service.program.terminate();
    eventually("the service to listen no longer", async || {
        TcpStream::connect(&service.address).await.err()
    })
    .await;
    (service, late)
}

async fn complete(mut late: BufReader<TcpStream>) {
    late.write_all(b"late@example.org").await.expect("it reads");
    let text = answer(late).await;
    assert!(text.contains("HTTP/1.1 202 "), "{text}");
}

/// Whom a service has welcomed whose jobs could only end after its last request was answered.
async fn stopped_at_work(url: &str, outbox: &Pipe) -> Vec<String> {
    let (mut service, late) = stopping(url, outbox).await;
    complete(late).await;
    service.program.line("finishing the jobs that run").await;
    let open = outbox.open();
    let welcomed = service.succeed().await;
    drop(open);
    assert!(welcomed.len() >= SIGNUPS / 2, "{welcomed:?}");
    welcomed
}

#[tokio::test]
async fn an_embedded_worker_works_until_the_last_request_is_answered() {
    let outbox = Pipe::new();
    let (mut service, late) = stopping("memory://", &outbox).await;
    let open = outbox.open();
    for _ in 1..=SIGNUPS {
        service.program.line("welcomed").await;
    }
    complete(late).await;
    service.succeed().await;
    drop(open);
}

#[tokio::test]
async fn an_embedded_worker_that_is_stopped_finishes_what_it_runs() {
    stopped_at_work("memory://", &Pipe::new()).await;
}

#[tokio::test]
async fn what_an_embedded_worker_was_stopped_before_waits_in_redis_for_its_next_start() {
    let (url, outbox) = (crate::redis(), Pipe::new());
    let mut welcomed = stopped_at_work(&url, &outbox).await;
    assert_eq!(left(&url).await, (SIGNUPS + 1 - welcomed.len(), 0));

    let open = outbox.open();
    let service = Service::start(&url, &outbox).await;
    eventually("the rest to be done", async || {
        (left(&url).await == (0, 0)).then_some(())
    })
    .await;
    service.program.interrupt();
    welcomed.extend(service.succeed().await);
    drop(open);
    welcomed.sort_unstable();
    let mut all: Vec<_> = (1..=SIGNUPS).map(|n| format!("{n}@example.org")).collect();
    all.push("late@example.org".to_owned());
    assert_eq!(welcomed, all, "each of them once");
}

/// Jobs that are ready, and jobs that are anywhere else.
async fn left(url: &str) -> (usize, u64) {
    let client: Client = jobq::connect(url).await.expect("the server runs");
    let queue = client.queue("default").expect("a legal name");
    let stats = queue.stats().await.expect("the server answers");
    let ready = usize::try_from(stats.ready).expect("they are few");
    (ready, stats.delayed + stats.in_flight + stats.dead)
}
