//! What is asked before something is destroyed.

use crate::fixture::{Fixture, note};

#[tokio::test(flavor = "multi_thread")]
async fn a_question_says_where_it_would_be_done() {
    let f = Fixture::start().await;
    let id = note::enqueue(&f.client, "x").await.unwrap().id();
    let place = f.client.broker().describe();
    let (server, namespace) = place.split_once("?namespace=").unwrap();
    let place = format!("({server}, namespace {namespace})? [y/N]");
    for (args, what) in [
        (format!("jobs cancel {id}"), "cancel 1 job of any queue"),
        (
            format!("jobs move {id} --queue mail --to slow"),
            "move 1 job of mail to slow",
        ),
        (
            "queues purge mail --state ready".to_owned(),
            "remove 1 ready job of mail for good",
        ),
        (
            "dead remove --all".to_owned(),
            "remove 0 dead jobs of mail with --all for good",
        ),
        (
            "dead retry --reason fatal --older-than 36h".to_owned(),
            "retry 0 dead jobs of mail with --reason \"fatal\" --older-than 36h",
        ),
        (
            "dead purge --older-than 30d".to_owned(),
            "remove 0 dead jobs of mail with --older-than 30d for good",
        ),
    ] {
        let (code, shown) = f.on_terminal(&args, "n\n", &[]).await;
        assert_eq!(code, 1, "{shown}");
        assert!(shown.contains(&format!("{what} {place}")), "{shown}");
        assert!(!shown.contains("jobq-operator"), "{shown}");
    }
    assert_eq!(f.queue("mail").stats().await.unwrap().ready, 1);
}
