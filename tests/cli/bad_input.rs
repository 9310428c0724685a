//! Every flag and argument of every command with what it cannot be: exit code 2, a message that
//! names it, no panic, no control character, no password.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStringExt as _;

use crate::fixture::{Fixture, note, program, run, run_raw};

/// What needs a number.
const NUMBERS: &[&[&str]] = &[
    &["jobs", "list", "--offset"],
    &["jobs", "list", "--limit"],
    &["jobs", "show", ID, "--within"],
    &["jobs", "show", ID, "--max-args"],
    &["jobs", "cancel", ID, "--within"],
    &["jobs", "move", ID, "--to", "q", "--within"],
    &["dead", "list", "--limit"],
    &["enqueue", "x", "--retries"],
];

/// What needs a time with a unit.
const TIMES: &[&[&str]] = &[
    &["stats", "--watch"],
    &["queues", "drain", "q", "--timeout"],
    &["dead", "list", "--older-than"],
    &["dead", "list", "--newer-than"],
    &["dead", "analyze", "--older-than"],
    &["dead", "retry", "--older-than"],
    &["dead", "remove", "--newer-than"],
    &["dead", "purge", "--older-than"],
    &["enqueue", "x", "--delay"],
    &["enqueue", "x", "--timeout"],
    &["workers", "quiet", "w", "--wait"],
    &["workers", "stop", "w", "--wait"],
];

/// What needs one of some words, an id, a rate or a time of day.
const OTHERS: &[(&[&str], &[&str])] = &[
    (
        &["jobs", "list", "--state"],
        &["", "done\u{1b}", "READY", "0"],
    ),
    (&["jobs", "show", ID, "--state"], &["", "done"]),
    (&["jobs", "cancel", ID, "--state"], &["done"]),
    (&["jobs", "move", ID, "--to", "q", "--state"], &["done"]),
    (
        &["queues", "purge", "q", "--state"],
        &["", "done", "ready,", ",", "ready;dead"],
    ),
    (
        &["jobs", "show"],
        &["", "7", "01890a5d-ac96-774b-bcce-b302099a80", "é\u{1b}"],
    ),
    (&["jobs", "cancel"], &["", "7"]),
    (&["jobs", "run-now"], &["", "7"]),
    (&["jobs", "move", "--to", "q"], &["", "7"]),
    (&["dead", "list", "--id"], &["", "7", ","]),
    (
        &["dead", "list", "--group"],
        &["", "7", "xyzxyzxy", "0123456789"],
    ),
    (&["dead", "list", "--reason"], &["", "done", "expired"]),
    (
        &["dead", "retry", "--rate"],
        &["", "100", "0/s", "-1/s", "1/d", "99999999999/s"],
    ),
    (&["dead", "remove", "--rate"], &["100"]),
    (&["dead", "purge", "--older-than", "1d", "--rate"], &["100"]),
    (
        &["enqueue", "x", "--at"],
        &["", "soon", "2026-13-01T00:00:00Z", "99999999999"],
    ),
    (&["enqueue", "x", "--id"], &["", "7"]),
    (&["enqueue", "x", "--args"], &["", "[]", "{", "null"]),
    (
        &["health", "--min-workers"],
        &["", "-1", "x\u{1b}", "1.5", "1,4", "99999999999999999999"],
    ),
    (&["completions"], &["", "tcsh"]),
    (&["stats", "--json=yes"], &[""]),
];

const ID: &str = "01890a5d-ac96-774b-bcce-b302099a8057";

const NO_NUMBERS: &[&str] = &[
    "7\u{1b}[31m\n",
    "",
    "-1",
    "1.5",
    "x",
    "99999999999999999999",
    "0x7",
    "+ 1",
    " ",
];

const NO_TIMES: &[&str] = &[
    "7\u{1b}[31m\n",
    "",
    "-1s",
    "1.5s",
    "10w",
    "s",
    "99999999999999999999s",
    "3651d",
    " 1s",
];

/// Nobody listens there: what is wrong is told before anyone is asked.
const NOWHERE: &str = "redis://127.0.0.1:1";

async fn refused(args: &[&str]) {
    let mut command = program();
    command.env("JOBQ_URL", NOWHERE).args(args);
    let done = run(command).await.failed(2, "");
    assert!(
        !done.err.is_empty() && done.out.is_empty(),
        "{args:?}: {done:?}"
    );
    let odd = |c: char| c.is_control() && c != '\n';
    assert!(!done.err.contains(odd), "{args:?}: {done:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn values_that_cannot_be_are_refused() {
    for (flags, values) in [(NUMBERS, NO_NUMBERS), (TIMES, NO_TIMES)] {
        for flag in flags {
            refused(flag).await;
            for value in values {
                refused(&[*flag, &[*value]].concat()).await;
            }
        }
    }
    for (flag, values) in OTHERS {
        for value in *values {
            refused(&[*flag, &[*value]].concat()).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_missing_or_too_much_is_refused() {
    for args in [
        &[][..],
        &["queues"],
        &["jobs"],
        &["dead"],
        &["workers"],
        &["nonsense"],
        &["stats", "--nonsense"],
        &["queues", "pause"],
        &["queues", "resume"],
        &["queues", "purge", "q"],
        &["queues", "drain"],
        &["queues", "drain", "a", "b"],
        &["jobs", "show"],
        &["jobs", "show", ID, ID],
        &["jobs", "cancel"],
        &["jobs", "run-now"],
        &["jobs", "move", ID],
        &["dead", "purge"],
        &["enqueue"],
        &[
            "enqueue",
            "x",
            "--delay",
            "1s",
            "--at",
            "2100-01-01T00:00:00Z",
        ],
        &["enqueue", "--lines", "--id", ID],
        &["enqueue", "--lines", "--args", "{}"],
        &["workers", "stop"],
        &["workers", "stop", "w", "--all"],
        &["completions"],
        &["--url"],
        &["--namespace"],
        &["stats", "--url"],
        &["--url", NOWHERE, "--url", NOWHERE, "stats"],
        &["--read-only=yes", "stats"],
        &["health", "--min-workers"],
    ] {
        refused(args).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_text_is_refused_wherever_it_stands() {
    let bad = OsString::from_vec(b"a\xff\x1b[31m".to_vec());
    let flags = NUMBERS.iter().chain(TIMES).copied();
    let flags = flags.chain(OTHERS.iter().map(|(flag, _)| *flag));
    let more: [&[&str]; 24] = [
        &[],
        &["--url"],
        &["--namespace"],
        &["stats"],
        &["queues", "pause"],
        &["queues", "drain"],
        &["jobs", "list", "--queue"],
        &["jobs", "move", ID, "--to"],
        &["dead", "list", "--error"],
        &["dead", "list", "--name"],
        &["enqueue"],
        &["workers", "stop"],
        &["health", "--max-dead"],
        &["health", "--max-failure-rate"],
        &["doctor", "--role"],
        &["dead", "list", "--queue"],
        &["dead", "analyze", "--queue"],
        &["dead", "retry", "--queue"],
        &["dead", "remove", "--queue"],
        &["dead", "purge", "--older-than", "1d", "--queue"],
        &["jobs", "run-now", ID, "--queue"],
        &["jobs", "cancel", ID, "--queue"],
        &["workers", "list", "--queue"],
        &["enqueue", "x", "--queue"],
    ];
    for flag in flags.chain(more) {
        let mut args: Vec<&OsStr> = flag.iter().map(OsStr::new).collect();
        args.push(&bad);
        let done = run_raw(&args).await.failed(2, "");
        assert!(!done.err.contains('\u{1b}'), "{args:?}: {done:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn names_that_are_huge_or_odd_are_refused_without_being_acted_on() {
    let f = Fixture::start().await;
    note::enqueue(&f.client, "x").await.unwrap();
    let huge = "x".repeat(100_000);
    for name in ["", " ", "a b", "a\u{1b}[31m", "漢字", "../..", "*", &huge] {
        for args in [
            &["stats", name][..],
            &["queues", "pause", name],
            &["queues", "drain", name],
            &["queues", "purge", name, "--state", "ready", "--yes"],
            &["jobs", "list", "--queue", name],
            &["jobs", "cancel", ID, "--queue", name, "--yes"],
            &["jobs", "run-now", ID, "--queue", name],
            &["jobs", "move", ID, "--to", name, "--yes"],
            &["dead", "retry", "--all", "--queue", name, "--yes"],
            &["enqueue", "x", "--queue", name],
            &["workers", "list", "--queue", name],
        ] {
            let done = f.run(args).await.failed(2, "queue name");
            assert!(
                done.err.len() < 1000 && !done.err.contains('\u{1b}'),
                "{args:?}: {done:?}"
            );
        }
    }
    assert_eq!(f.queue("mail").stats().await.unwrap().ready, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn no_password_is_told_wherever_a_url_stands() {
    for args in [
        &["redis://ann:hunter2@127.0.0.1:1"][..],
        &["stats", "--watch", "redis://ann:hunter2@127.0.0.1:1"],
        &["jobs", "show", "redis://ann:hunter2@127.0.0.1:1"],
        &["queues", "pause", "redis://ann:hunter2@127.0.0.1:1"],
        &["dead", "list", "--rate", "redis://ann:hunter2@127.0.0.1:1"],
        &["--url=redis://ann:hunter2@127.0.0.1:1", "stats"],
        &["--url", "redis://ann:hunter2@127.0.0.1:99999", "stats"],
        &["--namespace", "redis://ann:hunter2@127.0.0.1:1", "stats"],
        &["--redis://ann:hunter2@127.0.0.1:1", "stats"],
    ] {
        let mut command = program();
        command.env("JOBQ_URL", NOWHERE).args(args);
        let done = run(command).await;
        assert_ne!(done.code, 0, "{args:?}");
        assert!(!done.err.contains("hunter2"), "{args:?}: {done:?}");
    }
}
