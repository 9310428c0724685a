//! What fails half way says how far it came, and prints one whole document. The user of these tests may
//! change the queue `mail`, and read the queue `slow`.

use jobq::JobState;
use serde_json::{Value, json};

use crate::fixture::{Done, Fixture, fail, note};

/// A job on each of the queues, `mail` first.
async fn one_on_each(f: &Fixture) -> [String; 2] {
    let mut ids = Vec::new();
    for queue in ["mail", "slow"] {
        let job = note::new("x")
            .queue(queue)
            .enqueue(&f.client)
            .await
            .expect("it is enqueued");
        ids.push(job.id().to_string());
    }
    ids.try_into().expect("there are two")
}

/// It was denied, after this, which both outputs tell.
#[track_caller]
fn denied_after(so_far: &str, (done, document): &(Done, Value)) {
    assert_eq!(done.code, 77, "{done:?}");
    let error = document["error"].as_str().expect("it has an error");
    for told in [error, &done.err] {
        assert!(
            told.contains(so_far) && told.contains("slow"),
            "{so_far}: {done:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancel_says_which_jobs_were_cancelled() {
    let f = Fixture::start().await;
    let [first, second] = one_on_each(&f).await;
    let url = f.limited(&[]).await;
    let ended = f
        .json_by(&url, &["jobs", "cancel", &first, &second], "jobs cancel")
        .await;
    denied_after("1 job was told of", &ended);
    let jobs = ended.1["jobs"].as_array().unwrap();
    assert_eq!((jobs.len(), &jobs[0]["done"]), (1, &json!(true)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pause_says_which_queues_are_paused() {
    let f = Fixture::start().await;
    one_on_each(&f).await;
    let url = f.limited(&[]).await;
    let pause = ["queues", "pause", "mail", "slow"];
    let ended = f.json_by(&url, &pause, "queues pause").await;
    denied_after("paused: mail", &ended);
    assert_eq!(ended.1["queues"], json!(["mail"]));
    assert!(f.queue("mail").stats().await.unwrap().paused);
    assert!(!f.queue("slow").stats().await.unwrap().paused);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_purge_says_how_many_were_removed() {
    let f = Fixture::start().await;
    one_on_each(&f).await;
    let url = f.limited(&[]).await;
    let purge = ["queues", "purge", "mail", "slow", "--state", "ready"];
    let ended = f.json_by(&url, &purge, "queues purge").await;
    denied_after("1 job was removed", &ended);
    assert_eq!(ended.1["removed"], 1);
    let left = f.queue("slow").jobs(JobState::Ready, 0, 9).await.unwrap();
    assert_eq!(left.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_retry_says_how_many_were_retried() {
    let f = Fixture::start().await;
    for queue in ["mail", "slow"] {
        let job = fail::new("down").queue(queue);
        job.enqueue(&f.client).await.unwrap();
    }
    let worker = f.worker_of(&["mail", "slow"]);
    for queue in ["mail", "slow"] {
        f.until(queue, "the death of a job", |stats| stats.dead == 1)
            .await;
    }
    worker.shutdown().await;
    let url = f.limited(&[]).await;
    let ended = f
        .json_by(&url, &["dead", "retry", "--all"], "dead retry")
        .await;
    denied_after("1 dead job was retried", &ended);
    assert_eq!(ended.1["done"], 1);
    assert_eq!(f.queue("mail").stats().await.unwrap().ready, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_says_who_was_told() {
    let f = Fixture::start().await;
    let workers = [f.worker(), f.worker()];
    let known = support::eventually("both workers", async || {
        let known = f.client.workers().await.expect("the server answers");
        (known.len() == 2).then_some(known)
    })
    .await;
    let first = known[0].id.as_str();
    let url = f.limited(&[format!("order:{first}")]).await;
    let (done, out) = f
        .json_by(&url, &["workers", "quiet", "--all"], "workers stop")
        .await;
    assert_eq!(done.code, 77, "{done:?}");
    assert!(done.err.contains("1 of 2 workers were told"), "{done:?}");
    assert!(
        out["error"]
            .as_str()
            .unwrap()
            .contains(known[1].id.as_str())
    );
    assert_eq!(
        out["workers"],
        json!([{ "id": first, "result": "ordered" }])
    );
    for worker in workers {
        worker.shutdown().await;
    }
}
