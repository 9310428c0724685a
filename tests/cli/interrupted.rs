//! Commands that look at queues, interrupted amid it, on a server that is far away.

use std::process::{Command, Stdio};
use std::time::Duration;

use jobq_proxy::{Delay, Direction, Proxy};
use redis::Value as RedisValue;
use support::RedisServer;

use crate::fixture::{Done, program};

/// As many that a command has to ask for longer than anyone waits.
const QUEUES: usize = 2000;

/// A server with many queues, and a slow way to it.
struct Far {
    server: RedisServer,
    proxy: Proxy,
}

impl Far {
    async fn start() -> Self {
        let server = RedisServer::start();
        let mut connection = support::beside(&server.url())
            .await
            .expect("the server answers");
        let mut add = redis::cmd("SADD");
        add.arg("jobq:queues");
        for queue in 0..QUEUES {
            add.arg(format!("queue-{queue}"));
        }
        let added = add.exec_async(&mut connection).await;
        added.expect("they are added");
        let proxy = Proxy::start(server.address())
            .await
            .expect("a port is free");
        proxy.delay(Direction::Reply, Delay::of(Duration::from_millis(20)));
        Self { server, proxy }
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = program();
        let url = format!("redis://{}", self.proxy.address());
        command.env("JOBQ_URL", url).args(args);
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// Interrupts it once it has asked this for a queue.
    async fn interrupt(&self, args: &[&str], asked: &str) -> Done {
        self.interrupt_after(0, args, asked).await
    }

    /// Interrupts it once it has asked this more than so often.
    async fn interrupt_after(&self, times: usize, args: &[&str], asked: &str) -> Done {
        let child = self
            .command(args)
            .spawn()
            .expect("the program was built with the tests");
        support::eventually("the command to be amid the queues", async || {
            (self.asked(asked).await > times).then_some(())
        })
        .await;
        support::signal(child.id(), "INT");
        let output = tokio::task::spawn_blocking(move || child.wait_with_output());
        let output = support::within("the end of the command", output).await;
        Done::new(output.expect("it was waited for").expect("it ends"))
    }

    /// How often the server was asked this.
    async fn asked(&self, command: &str) -> usize {
        let mut connection = support::beside(&self.server.url())
            .await
            .expect("the server answers");
        let mut info = redis::cmd("INFO");
        let stats = info.arg("commandstats").query_async(&mut connection).await;
        let stats: RedisValue = stats.expect("the server answers");
        let stats = format!("{stats:?}");
        let calls = stats.split_once(&format!("cmdstat_{command}:calls="));
        let calls = calls.and_then(|(_, calls)| calls.split_once(','));
        calls.map_or(0, |(calls, _)| calls.parse().expect("a number"))
    }
}

/// How many queues it says it has seen: `1 queue`, `2 queues`.
#[track_caller]
fn seen(done: &Done) -> usize {
    let said = done.err.split_once("interrupted after ");
    let (_, count) = said.unwrap_or_else(|| panic!("{done:?}"));
    let (count, _) = count.split_once(" queue").expect("a number of queues");
    let count = count.parse().expect("a number");
    assert!(count < QUEUES, "{count}");
    count
}

#[tokio::test(flavor = "multi_thread")]
async fn stats_and_lists_of_queues_show_those_that_they_have_seen() {
    for args in [&["--json", "stats"][..], &["--json", "queues", "list"]] {
        let far = Far::start().await;
        let done = far.interrupt(args, "hgetall").await;
        assert_eq!(done.code, 1, "{done:?}");
        let document = done.document(&args[1..].join(" "));
        let queues = document["queues"].as_array().unwrap();
        assert_eq!(queues.len(), seen(&done), "{}", done.err);
        let error = document["error"].as_str().unwrap();
        assert!(error.starts_with("interrupted after "), "{error}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_watch_ends_amid_a_look_as_it_does_between_two() {
    let far = Far::start().await;
    let done = far.interrupt(&["stats", "--watch", "1s"], "hgetall").await;
    assert_eq!(done.ok(), "");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_drain_says_how_far_it_came() {
    let far = Far::start().await;
    let mut connection = support::beside(&far.server.url()).await.unwrap();
    let mut push = redis::cmd("LPUSH");
    let pushed = push.arg("jobq:{queue-0}:ready").arg("x");
    pushed.exec_async(&mut connection).await.unwrap();
    let drain = ["--json", "queues", "drain", "queue-0"];
    // Twice for a look.
    let done = far.interrupt_after(2, &drain, "hgetall").await;
    let so_far = "interrupted; before it 1 job was left of queue-0 after ";
    let done = done.failed(1, so_far);
    let document = done.document("queues drain");
    let end = (&document["end"], &document["ready"]);
    assert_eq!(end, (&"interrupted".into(), &1.into()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_doctor_who_is_interrupted_judges_nothing() {
    let far = Far::start().await;
    let done = far.interrupt(&["doctor"], "type").await;
    assert_eq!((done.code, &done.out[..]), (1, ""), "{done:?}");
    seen(&done);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_is_interrupted_while_it_connects() {
    let far = Far::start().await;
    far.proxy.stall_both();
    let mut command = far.command(&["stats"]);
    let child = command.spawn().unwrap();
    // It listens for signals before it connects.
    support::eventually("a connection", async || {
        (far.proxy.carried().connections > 0).then_some(())
    })
    .await;
    support::signal(child.id(), "INT");
    let output = tokio::task::spawn_blocking(move || child.wait_with_output());
    let output = support::within("the end of the command", output).await;
    Done::new(output.unwrap().unwrap()).failed(1, "interrupted before it was connected");
}

/// It ended with 1 and the reason, which its document has too.
#[track_caller]
fn interrupted(done: &Done, command: &str, so_far: &str) {
    assert_eq!(done.code, 1, "{done:?}");
    let error = &done.document(command)["error"];
    let said = format!("interrupted; before it {so_far}");
    assert_eq!(
        (error, done.err.trim()),
        (&said.as_str().into(), &*format!("error: {said}"))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_goes_over_the_jobs_of_queues_ends_between_two_of_them_though_they_are_empty() {
    for (args, command, asked, so_far) in [
        (
            &["jobs", "list"][..],
            "jobs list",
            "lrange",
            "0 jobs were listed",
        ),
        (
            &["dead", "retry", "--all", "--yes"],
            "dead retry",
            "hgetall",
            "0 dead jobs were retried",
        ),
        (
            &["dead", "remove", "--all", "--dry-run"],
            "dead retry",
            "hgetall",
            "0 dead jobs were looked at",
        ),
    ] {
        let far = Far::start().await;
        let done = far.interrupt(&[&["--json"], args].concat(), asked).await;
        interrupted(&done, command, so_far);
        let asked = far.asked(asked).await;
        assert!(asked < QUEUES, "{args:?}: {asked}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_purge_of_many_queues_says_how_far_it_came() {
    let far = Far::start().await;
    let queues: Vec<String> = (0..50).map(|queue| format!("queue-{queue}")).collect();
    let queues: Vec<&str> = queues.iter().map(String::as_str).collect();
    let purge = ["--json", "--yes", "queues", "purge", "--state", "dead"];
    // It counts what there is first.
    let done = far
        .interrupt(&[&purge[..], &queues].concat(), "hgetall")
        .await;
    interrupted(&done, "queues purge", "0 jobs were removed");
}
