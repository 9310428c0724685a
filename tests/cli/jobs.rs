//! `jobq jobs`

use std::time::Duration;

use jobq::{JobId, JobState, NamedJob};
use serde_json::{Value, json};
use support::Record;

use crate::fixture::{Fixture, note, retry};

const HOUR: Duration = Duration::from_secs(3600);

fn ids(list: &Value) -> Vec<&str> {
    let jobs = list["jobs"].as_array().into_iter().flatten();
    jobs.filter_map(|job| job["id"].as_str()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn jobs_are_listed_page_by_page() {
    let f = Fixture::start().await;
    let handles = f
        .client
        .enqueue_all((0..250).map(|_| note::new("x")))
        .await
        .unwrap();
    let all: Vec<String> = handles
        .iter()
        .map(|handle| handle.id().to_string())
        .collect();
    let list = f
        .json(&["jobs", "list", "--limit", "1000"], "jobs list")
        .await;
    assert_eq!(
        (ids(&list), &list["more"]),
        (all.iter().map(String::as_str).collect(), &json!(false))
    );
    let page = [
        "jobs", "list", "--queue", "mail", "--offset", "120", "--limit", "5",
    ];
    let page = f.json(&page, "jobs list").await;
    assert_eq!(
        (ids(&page), &page["more"]),
        (
            all[120..125].iter().map(String::as_str).collect(),
            &json!(true)
        )
    );
    assert_eq!(
        f.run(&["jobs", "list", "--limit", "7"])
            .await
            .ok()
            .lines()
            .count(),
        7
    );
    assert_eq!(f.run(&["jobs", "list", "--limit", "0"]).await.ok(), "");
    assert_eq!(
        f.run(&["jobs", "list", "--offset", "18446744073709551615"])
            .await
            .ok(),
        ""
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_go_on_from_queue_to_queue() {
    let f = Fixture::start().await;
    let mut all = Vec::new();
    for queue in ["mail", "quick", "slow"] {
        for _ in 0..3 {
            let job = note::new("x").queue(queue).enqueue(&f.client).await;
            all.push(job.unwrap().id().to_string());
        }
    }
    let mut paged = Vec::new();
    for more in [true, true, false] {
        let offset = paged.len().to_string();
        let page = ["jobs", "list", "--limit", "4", "--offset", &offset];
        let page = f.json(&page, "jobs list").await;
        assert_eq!(page["more"], more, "{offset}");
        paged.extend(ids(&page).into_iter().map(str::to_owned));
    }
    assert_eq!(paged, all);
    let (code, shown) = f
        .on_terminal("jobs list --offset 2 --limit 4", "", &[])
        .await;
    assert_eq!(code, 0, "{shown}");
    assert!(shown.contains("--offset where it begins: 6"), "{shown}");
}

#[tokio::test(flavor = "multi_thread")]
async fn each_state_is_listed_with_what_belongs_to_it() {
    let f = Fixture::start().await;
    let (worker, record) = (f.worker(), Record::new());
    let running = f.running(&record).await;
    retry::enqueue(&f.client, "bad\u{1b}[31m\nnews")
        .await
        .unwrap();
    f.until("mail", "the retry", |stats| stats.delayed == 1)
        .await;
    let list = f
        .json(&["jobs", "list", "--state", "in-flight"], "jobs list")
        .await;
    assert_eq!(ids(&list), [running.id().to_string()]);
    assert!(list["jobs"][0]["worker"].is_string());
    let list = f
        .json(&["jobs", "list", "--state", "delayed"], "jobs list")
        .await;
    let job = &list["jobs"][0];
    assert_eq!(
        (&job["name"], &job["failures"]),
        (&json!("cli.retry"), &json!(1))
    );
    assert_eq!(job["last_error"], "bad\u{1b}[31m\nnews");
    let line = f.run(&["jobs", "list", "--state", "delayed"]).await.ok();
    assert!(line.ends_with("\tbad\\u{1b}[31m\\nnews\n"), "{line:?}");
    std::fs::write(record.path(), "go\n").unwrap();
    worker.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_job_is_listed_as_none() {
    let f = Fixture::start().await;
    f.push_raw("mail", b"junk\x1b").await;
    let list = f
        .json(&["jobs", "list", "--queue", "mail"], "jobs list")
        .await;
    let job = &list["jobs"][0];
    assert!(
        job["id"].is_null() && job["unreadable"].is_string(),
        "{job}"
    );
    assert!(f.run(&["jobs", "list"]).await.ok().contains("no job"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_is_shown_with_its_arguments_options_and_past() {
    let f = Fixture::start().await;
    let arguments =
        json!({ "user": 7, "tags": ["a", null, true], "deep": { "pi": 3.5 }, "no": "\u{1b}" });
    let job = NamedJob::new("unknown.here", &arguments).unwrap();
    let job = job.queue("mail").delay(HOUR).retries(3);
    let id = f.client.enqueue_named(job).await.unwrap().id().to_string();
    let shown = f.json(&["jobs", "show", &id], "jobs show").await;
    assert_eq!(
        (&shown["args"], &shown["args_cut"]),
        (&arguments, &json!(false))
    );
    assert_eq!(
        (&shown["state"], &shown["queue"]),
        (&json!("delayed"), &json!("mail"))
    );
    assert_eq!(
        (&shown["options"]["retries"], &shown["history"]),
        (&json!(3), &json!([]))
    );
    let text = f.run(&["jobs", "show", &id]).await.ok();
    assert!(
        text.contains("name: unknown.here") && !text.contains('\u{1b}'),
        "{text}"
    );
    let cut = f
        .json(&["jobs", "show", &id, "--max-args", "60"], "jobs show")
        .await;
    assert_eq!(cut["args_cut"], true);
    let least = ["jobs", "show", &id, "--max-args", "1"];
    let least = f.json(&least, "jobs show").await;
    assert_eq!(
        (&least["args"], &least["args_cut"]),
        (&json!("…"), &json!(true))
    );

    let worker = f.worker();
    let id = retry::enqueue(&f.client, "first").await.unwrap().id();
    f.until("mail", "the retry", |stats| stats.delayed == 2)
        .await;
    assert!(f.queue("mail").run_now(id).await.unwrap());
    support::eventually("its second failure", async || {
        let jobs = f.queue("mail").jobs(JobState::Delayed, 0, 9).await.unwrap();
        jobs.iter()
            .any(|job| job.failures() == Some(2))
            .then_some(())
    })
    .await;
    worker.shutdown().await;
    let shown = f
        .json(&["jobs", "show", &id.to_string()], "jobs show")
        .await;
    let history = shown["history"].as_array().unwrap();
    assert_eq!((history.len(), &history[0]["error"]), (2, &json!("first")));
    assert!(shown["due"].is_string());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_job_is_shown_with_its_reason() {
    let f = Fixture::start().await;
    let id = f.dead(&["it is\u{7} down"]).await[0].to_string();
    let shown = f.json(&["jobs", "show", &id], "jobs show").await;
    assert_eq!(
        (&shown["state"], &shown["reason"]),
        (&json!("dead"), &json!("exhausted"))
    );
    assert_eq!(shown["args"], json!({ "error": "it is\u{7} down" }));
    let text = f.run(&["jobs", "show", &id, "--state", "dead"]).await.ok();
    assert!(text.contains("error: it is\\u{7} down"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_is_nowhere_is_said_to_be_and_the_search_is_bounded() {
    let f = Fixture::start().await;
    let handles = f
        .client
        .enqueue_all((0..30).map(|_| note::new("x")))
        .await
        .unwrap();
    let nobody = JobId::new().to_string();
    f.run(&["jobs", "show", &nobody])
        .await
        .failed(1, "among 30");
    // Ready is searched from the back.
    let last = handles[0].id().to_string();
    f.run(&["jobs", "show", &last, "--within", "29"])
        .await
        .failed(1, "--within");
    f.run(&["jobs", "show", &last, "--within", "30"]).await.ok();
    f.run(&["jobs", "show", &last, "--state", "delayed"])
        .await
        .failed(1, "no job");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_record_has_no_time_of_death() {
    let f = Fixture::start().await;
    f.push_raw_to("mail", "dead", b"junk").await;
    let zeros = "00000000-0000-0000-0000-000000000000";
    let shown = f.json(&["jobs", "show", zeros], "jobs show").await;
    assert!(
        shown.get("died_at").is_none() && shown.get("reason").is_none(),
        "{shown}"
    );
    assert!(
        shown["error"]
            .as_str()
            .unwrap()
            .contains("not a dead record")
    );
    assert!(!f.run(&["jobs", "show", zeros]).await.ok().contains("1970"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_delayed_job_runs_now() {
    let f = Fixture::start().await;
    let later = note::new("x").delay(HOUR).enqueue(&f.client).await.unwrap();
    let id = later.id().to_string();
    let run = ["jobs", "run-now", &id];
    f.run(&[&run[..], &["--read-only"]].concat())
        .await
        .failed(77, "--read-only");
    let line = f.run(&run).await.ok();
    assert_eq!(line, format!("{id}\truns now\tmail\n"));
    assert_eq!(f.queue("mail").stats().await.unwrap().ready, 1);
    let again = f
        .run(&["--json", "jobs", "run-now", &id, "--queue", "mail"])
        .await;
    assert_eq!(
        (
            again.code,
            again.document("jobs cancel")["jobs"][0]["done"].clone()
        ),
        (1, json!(false))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn jobs_move_to_another_queue_from_each_state() {
    let f = Fixture::start().await;
    let dead = f.dead(&["down"]).await[0];
    let worker = f.worker();
    let record = Record::new();
    let running = f.running(&record).await;
    f.queue("mail").pause().await.unwrap();
    let ready = note::enqueue(&f.client, "x").await.unwrap();
    let behind = note::enqueue(&f.client, "y").await.unwrap();
    let later = note::new("x").delay(HOUR).enqueue(&f.client).await.unwrap();
    let due = f.queue("mail").stats().await.unwrap().next_due;
    let ids = [ready.id(), later.id(), dead, running.id()].map(|id| id.to_string());
    let moves = [
        &["jobs", "move", "--to", "slow", "--yes"][..],
        &ids.each_ref().map(String::as_str),
    ]
    .concat();
    f.run(&moves[..4]).await.failed(2, "");
    let done = f.run(&[&["--json"][..], &moves].concat()).await;
    assert_eq!(done.code, 1, "{done:?}");
    let report = done.document("jobs cancel");
    let moved: Vec<_> = report["jobs"]
        .as_array()
        .unwrap()
        .iter()
        .map(|job| &job["done"])
        .collect();
    assert_eq!(moved, [true, true, true, false]);
    assert!(
        report["jobs"][3]["result"]
            .as_str()
            .unwrap()
            .contains("running")
    );
    let (mail, slow) = (
        f.queue("mail").stats().await.unwrap(),
        f.queue("slow").stats().await.unwrap(),
    );
    assert_eq!(
        (mail.ready, mail.delayed, mail.dead, mail.in_flight),
        (1, 0, 0, 1)
    );
    assert_eq!((slow.ready, slow.delayed, slow.next_due), (2, 1, due));
    let left = f.queue("mail").jobs(JobState::Ready, 0, 9).await.unwrap();
    assert_eq!(left[0].id(), Some(behind.id()));
    let there = f.queue("slow").jobs(JobState::Ready, 0, 9).await.unwrap();
    assert_eq!((there[1].id(), there[1].failures()), (Some(dead), Some(0)));
    f.run(&["jobs", "move", &ids[0], "--to", "slow", "--yes"])
        .await
        .failed(1, "");
    std::fs::write(record.path(), "go\n").unwrap();
    worker.shutdown().await;
}
