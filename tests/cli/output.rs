//! How it is printed: for people on a terminal, for programs when piped.

use std::io::{Read as _, Write as _};
use std::process::Stdio;

use jobq::{JobHandle, JobInfo, JobState};

use crate::fixture::{Fixture, note, program, run};

#[tokio::test(flavor = "multi_thread")]
async fn a_terminal_gets_an_aligned_table_in_colours() {
    let f = Fixture::start().await;
    f.dead(&["down"]).await;
    note::enqueue(&f.client, "x").await.unwrap();
    let (code, shown) = f.on_terminal("queues list", "", &[]).await;
    assert_eq!(code, 0, "{shown}");
    let lines: Vec<_> = shown.lines().collect();
    assert!(
        lines[0].starts_with("queue  state  workers  waiting"),
        "{shown}"
    );
    assert!(
        lines[1].starts_with("mail   open         0        1"),
        "{shown}"
    );
    assert!(
        lines[1].contains("\u{1b}[31m1\u{1b}[0m"),
        "dead jobs are red: {shown:?}"
    );
    let (_, shown) = f.on_terminal("queues list", "", &[("NO_COLOR", "1")]).await;
    assert!(!shown.contains('\u{1b}'), "{shown:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_piped_has_no_heading_and_no_colours() {
    let f = Fixture::start().await;
    f.dead(&["down"]).await;
    assert_eq!(
        f.run(&["queues", "list"]).await.ok(),
        "mail\topen\t0\t0\t0\t1\n"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_that_has_gone_ends_it_quietly() {
    let f = Fixture::start().await;
    f.client
        .enqueue_all((0..5000).map(|_| note::new("x")))
        .await
        .unwrap();
    for args in [
        &["jobs", "list", "--limit", "5000"][..],
        &["--json", "jobs", "list", "--limit", "5000"],
        &["stats", "--watch", "1ms"],
        &["--json", "stats", "--watch", "1ms"],
    ] {
        let mut command = f.command(args);
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut out = child.stdout.take().unwrap();
        tokio::task::block_in_place(|| out.read_exact(&mut [0; 10]).unwrap());
        drop(out);
        let ended = tokio::task::spawn_blocking(move || child.wait_with_output());
        let output = support::within("the end of the command", ended)
            .await
            .unwrap()
            .unwrap();
        assert_eq!(
            (output.status.code(), output.stderr),
            (Some(0), Vec::new()),
            "{args:?}"
        );
    }
}

/// A pipe that nobody reads.
fn unread() -> std::io::PipeWriter {
    let (_, unread) = std::io::pipe().expect("the system has pipes");
    unread
}

#[tokio::test(flavor = "multi_thread")]
async fn what_changes_something_or_waits_goes_on_without_a_reader() {
    let f = Fixture::start().await;
    for json in [&[][..], &["--json"]] {
        let jobs = f.client.enqueue_all((0..3).map(|_| note::new("x")));
        let ids: Vec<_> = jobs.await.unwrap().iter().map(JobHandle::id).collect();
        let words: Vec<_> = ids.iter().map(ToString::to_string).collect();
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let mut cancel = f.command(&[json, &["--yes", "jobs", "cancel"], &words].concat());
        cancel.stdout(unread());
        run(cancel).await.ok();
        let broker = f.client.broker();
        let mail = f.queue("mail");
        let cancelled = broker.cancelled(mail.name(), &ids).await.unwrap();
        assert_eq!(cancelled, [true; 3], "{json:?}");
        let mut drain =
            f.command(&[json, &["queues", "drain", "mail", "--timeout", "1ms"]].concat());
        drain.stdout(unread());
        run(drain).await.failed(1, "");
        let before = mail.stats().await.unwrap().ready;
        let mut enqueue =
            f.command(&[json, &["enqueue", "x", "--lines", "--queue", "mail"]].concat());
        let (lines, mut feed) = std::io::pipe().unwrap();
        feed.write_all(b"{}\n{}\n").unwrap();
        drop(feed);
        enqueue.stdin(lines).stdout(unread());
        run(enqueue).await.ok();
        assert_eq!(mail.stats().await.unwrap().ready, before + 2, "{json:?}");
    }
}

/// Every stream closed before it begins, as a daemon may have them.
#[tokio::test(flavor = "multi_thread")]
async fn closed_streams_change_no_exit_code() {
    let f = Fixture::start().await;
    note::enqueue(&f.client, "x").await.unwrap();
    for (words, code) in [
        ("stats", 0),
        ("--json stats", 0),
        ("--help", 0),
        ("--version", 0),
        ("nonsense", 2),
        ("queues pause typo", 1),
        ("--url mysql://x stats", 78),
        ("--url redis://127.0.0.1:1 stats", 69),
        ("queues purge mail --state ready", 2),
    ] {
        for closed in [">/dev/full", ">&-", ">&- 2>&-", ">&- 2>&- <&-"] {
            let mut shell = std::process::Command::new("sh");
            let jobq = env!("CARGO_BIN_EXE_jobq-test-cli");
            shell.arg("-c").arg(format!("{jobq} {words} {closed}"));
            shell.env("JOBQ_URL", f.url(support::Role::Operator));
            let done = run(shell).await;
            let full = closed.starts_with(">/dev/full") && code == 0 && words.contains("stats");
            let expected = if full { 70 } else { code };
            assert_eq!(done.code, expected, "{words} {closed}: {done:?}");
            assert!(!done.err.contains("panicked"), "{done:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_whose_id_cannot_be_written_is_said_to_be_enqueued() {
    let f = Fixture::start().await;
    for flag in ["", "--json"] {
        let before = f.queue("mail").jobs(JobState::Ready, 0, 9).await.unwrap();
        let mut shell = std::process::Command::new("sh");
        let jobq = env!("CARGO_BIN_EXE_jobq-test-cli");
        let line = format!("{jobq} {flag} enqueue cli.note --queue mail >/dev/full");
        shell.arg("-c").arg(line);
        shell.env("JOBQ_URL", f.url(support::Role::Operator));
        let done = run(shell).await;
        let jobs = f.queue("mail").jobs(JobState::Ready, 0, 9).await.unwrap();
        assert_eq!(jobs.len(), before.len() + 1);
        let id = jobs.last().and_then(JobInfo::id).unwrap();
        done.failed(70, &format!("job {id} is enqueued on mail, but could not"));
        let line = format!(
            "echo '{{\"name\":\"cli.note\"}}' | {jobq} {flag} enqueue --queue slow --lines >/dev/full"
        );
        let mut shell = std::process::Command::new("sh");
        shell.arg("-c").arg(line);
        shell.env("JOBQ_URL", f.url(support::Role::Operator));
        let said = match flag {
            "" => "; before it 1 job enqueued",
            // It cannot even begin its document, and enqueues nothing.
            _ => "could not write",
        };
        run(shell).await.failed(70, said);
    }
    assert_eq!(f.queue("slow").stats().await.unwrap().ready, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn help_tells_the_exit_codes_and_every_command() {
    let mut command = program();
    command.arg("--help");
    let help = run(command).await.ok();
    for word in [
        "69",
        "77",
        "78",
        "JOBQ_URL",
        "--read-only",
        "NO_COLOR",
        "workers",
    ] {
        assert!(help.contains(word), "{word}: {help}");
    }
}
