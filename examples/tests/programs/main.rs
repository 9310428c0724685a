//! The examples as a user runs them: built programs, their output, their signals.

mod embedded;
mod operated;
mod program;

use std::path::Path;
use std::process::Stdio;

use support::{Folder, eventually};

use crate::program::Program;

/// A URL of the shared server, with a namespace of its own.
fn redis() -> String {
    format!(
        "{}?namespace={}",
        support::shared().url(),
        support::namespace()
    )
}

/// A folder with two files whose digest and words are known.
fn folder() -> Folder {
    let folder = Folder::new();
    std::fs::create_dir(folder.path().join("below")).expect("it is ours");
    folder.write("hello.txt", "hello world\n");
    folder.write("below/empty.txt", "");
    folder
}

async fn quickstart_on(url: &str) {
    let folder = folder();
    let mut program = Program::new("quickstart");
    program.arg(folder.path()).env("JOBQ_URL", url);
    let output = program.start().succeed().await;

    let line = |words: &[&str]| {
        let found = output
            .iter()
            .filter(|line| words.iter().all(|word| line.contains(word)));
        assert_eq!(found.count(), 1, "{words:?} in {output:#?}");
    };
    line(&["done", "hello.txt", "a948904f2f0f", "2 words"]);
    line(&["done", "below/empty.txt", "e3b0c44298fc", "0 words"]);
    for attempt in 1..=4 {
        let attempt = format!("attempt {attempt}: No such file");
        line(&["failed", "this-file-does-not-exist.txt", &attempt]);
    }
    line(&["done   ", "  2  "]);
    line(&["retried ", "   3"]);
    line(&["dead   ", "   1"]);
    line(&["jobs a second"]);
    line(&["dead: ", "exhausted"]);
    line(&["  error  ", "No such file"]);
    line(&["  attempts  ", " 4, the last at "]);
}

#[tokio::test]
async fn the_quickstart_needs_no_server() {
    quickstart_on("memory://").await;
}

#[tokio::test]
async fn the_quickstart_does_the_same_through_redis() {
    quickstart_on(&redis()).await;
}

#[tokio::test]
async fn the_quickstart_without_arguments_reads_this_repository() {
    let output = Program::new("quickstart").start().succeed().await;
    for path in ["docs/decisions/README.md", "examples/quickstart/main.rs"] {
        let done = |line: &&String| line.contains("done") && line.contains(path);
        assert_eq!(
            output.iter().filter(done).count(),
            1,
            "{path} in {output:#?}"
        );
    }
}

#[tokio::test]
async fn the_quickstart_explains_itself() {
    let help = Program::new("quickstart")
        .arg("--help")
        .start()
        .succeed()
        .await;
    assert!(
        help[0].starts_with("usage: quickstart [FOLDER]"),
        "{help:#?}"
    );
}

/// The quickstart on a path, with nobody who reads its output: whether it succeeded, and its errors.
async fn unread_quickstart(path: &Path) -> (bool, String) {
    let mut child = tokio::process::Command::new(program::path("quickstart"))
        .arg(path)
        .env("JOBQ_URL", "memory://")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .expect("it was built");
    drop(child.stdout.take());
    let output = support::within("the quickstart", child.wait_with_output())
        .await
        .expect("it is our child");
    let errors = String::from_utf8(output.stderr).expect("UTF-8");
    (output.status.success(), errors)
}

#[tokio::test]
async fn the_quickstart_names_a_path_that_is_no_folder() {
    let folder = folder();
    let file = folder.path().join("hello.txt");
    let (succeeded, errors) = unread_quickstart(&file).await;
    assert!(!succeeded, "{errors}");
    assert!(
        errors.contains("hello.txt") && errors.contains("Not a directory"),
        "{errors}"
    );
}

#[tokio::test]
async fn the_quickstart_outlives_the_reader_of_its_output() {
    let (succeeded, errors) = unread_quickstart(folder().path()).await;
    assert!(succeeded && errors.is_empty(), "{errors}");
}

#[tokio::test]
async fn a_mark_sees_to_it_that_a_job_that_was_enqueued_twice_acts_once() {
    let mut program = Program::new("once_redis");
    program.env("JOBQ_URL", redis());
    program.env("REDIS_URL", support::shared().url());
    let output = program.start().succeed().await;
    assert_eq!(output, ["a text for user 7"]);
}

/// The orders of the lines `… <verb> invoice <order> …`, in the order they came.
fn orders(output: &[String], verb: &str) -> Vec<u64> {
    let verb = format!("] {verb} invoice ");
    let order = |line: &String| {
        let (_, rest) = line.split_once(&verb)?;
        rest.split_whitespace().next()?.parse().ok()
    };
    output.iter().filter_map(order).collect()
}

#[tokio::test]
async fn two_workers_share_the_work_of_a_producer_and_finish_what_they_run_when_told_to_stop() {
    const ORDERS: u64 = 40;
    let (url, folder) = (redis(), Folder::new());
    let start = |name| {
        let mut program = Program::new(name);
        program.env("JOBQ_URL", &url).env("INVOICES", folder.path());
        program
    };
    let worker = || {
        let mut worker = start("worker_process");
        worker
            .args(["--queues", "invoices:3,mail:1", "--concurrency", "4"])
            .start()
    };
    let (mut one, mut two) = (worker(), worker());
    let client = jobq::connect(&url).await.unwrap();
    let mail = client.queue("mail").unwrap();
    eventually("both workers to join", async || {
        let members = client.broker().members(mail.name()).await.unwrap();
        (members.len() == 2).then_some(())
    })
    .await;

    start("producer")
        .arg(ORDERS.to_string())
        .start()
        .succeed()
        .await;
    one.line("mailing invoice").await;
    two.line("mailing invoice").await;
    one.terminate();
    let one = one.succeed().await;
    assert_eq!(
        sorted(orders(&one, "mailing")),
        sorted(orders(&one, "mailed"))
    );

    eventually("the other worker to do the rest", async || {
        let stats = mail.stats().await.unwrap();
        (stats.ready + stats.delayed + stats.in_flight == 0).then_some(())
    })
    .await;
    two.terminate();
    let two = two.succeed().await;

    let mailed = [orders(&one, "mailed"), orders(&two, "mailed")].concat();
    assert_eq!(
        sorted(mailed),
        (1..=ORDERS).collect::<Vec<_>>(),
        "each of them once"
    );
    assert!(folder.path().join(format!("{ORDERS}.txt")).exists());
    assert_eq!(mail.stats().await.unwrap().dead, 0);
}

fn sorted(mut orders: Vec<u64>) -> Vec<u64> {
    orders.sort_unstable();
    orders
}

#[tokio::test]
async fn a_worker_process_lists_its_jobs() {
    let jobs = Program::new("worker_process")
        .arg("--list-jobs")
        .start()
        .succeed()
        .await;
    for job in ["mail_invoice", "render_invoice"] {
        assert!(
            jobs.iter().any(|line| line.contains(job)),
            "{job} in {jobs:#?}"
        );
    }
}

#[tokio::test]
async fn a_contract_is_performed_by_a_crate_that_did_not_define_it() {
    let output = Program::new("contract").start().succeed().await;
    let wanted = ["order 17: charged 49.90 EUR", "order 18: charged 12.50 EUR"];
    let found = |wanted: &&str| output.iter().any(|line| line == *wanted);
    assert!(wanted.iter().all(found), "{output:#?}");
}

#[tokio::test]
async fn every_answer_of_a_job_has_its_fate() {
    let output = Program::new("failures").start().succeed().await;
    for (job, attempts, fate) in [
        ("policy by attribute", "1 2 3", "dead, exhausted: disk full"),
        ("policy by call", "1 2", "dead, exhausted: disk full"),
        (
            "panic",
            "1 2",
            "dead, exhausted: panicked: attempt to divide by zero",
        ),
        (
            "Result<_, String>",
            "1",
            "dead, exhausted: \"many\" is no number",
        ),
        ("fatal", "1", "dead, fatal: account closed"),
        ("retry_after", "1 2", "gone"),
        ("snooze", "1 1", "gone"),
        ("discard", "1", "gone"),
        ("fatal through anyhow", "1", "dead, fatal: no account 7"),
        (
            "fatal through .context()",
            "1",
            "dead, fatal: cannot close the month: no account 7",
        ),
        (
            "fatal through eyre",
            "1",
            "dead, fatal: cannot close the month: no account 7",
        ),
    ] {
        let row = format!("{job:26}{attempts:10}{fate}");
        assert!(
            output.iter().any(|line| line.starts_with(&row)),
            "{row} in {output:#?}"
        );
    }
}
