//! Faults of the queues.

use support::Role;

use crate::fixture::*;

#[tokio::test]
async fn a_key_is_of_another_type() {
    let server = well();
    ask(&server, &["SADD", "jobq:queues", "mail"]).await;
    ask(&server, &["SET", "jobq:{mail}:delayed", "x"]).await;
    let report = doctor(&server, &[]).await;
    let cure = "RENAMENX 'jobq:{mail}:delayed' 'jobq:{mail}:damaged:delayed'";
    report.found_with("keys", "error", "jobq:{mail}:delayed is a string", cure);
    // As the cure says: then the queue is as it should be.
    let renamed = [
        "RENAMENX",
        "jobq:{mail}:delayed",
        "jobq:{mail}:damaged:delayed",
    ];
    ask(&server, &renamed).await;
    doctor(&server, &[]).await.found("keys", "ok", "queues: 1");
}

#[tokio::test]
async fn a_key_of_a_worker_is_of_another_type() {
    let server = well();
    ask(&server, &["SET", "jobq:{mail}:inflight:gone", "x"]).await;
    let report = doctor(&server, &[]).await;
    let cure = "RENAMENX 'jobq:{mail}:inflight:gone' 'jobq:{mail}:damaged:inflight:gone'";
    let words = "jobq:{mail}:inflight:gone is a string, and should be a hash";
    report.found_with("keys", "error", words, cure);
    let renamed = [
        "RENAMENX",
        "jobq:{mail}:inflight:gone",
        "jobq:{mail}:damaged:inflight:gone",
    ];
    ask(&server, &renamed).await;
    let report = doctor(&server, &[]).await;
    report.found("keys", "ok", "");
    report.found("orphans", "ok", "");
}

#[tokio::test]
async fn a_key_of_no_queue_is_of_another_type() {
    for (name, expected, unknown) in [
        ("queues", "set", &["workers", "dead-letters"][..]),
        ("workers", "hash", &[]),
    ] {
        let server = well();
        ask(&server, &["SADD", "jobq:queues", "mail"]).await;
        ask(&server, &["LPUSH", "jobq:{mail}:ready", "x"]).await;
        ask(&server, &["HSET", "jobq:{mail}:inflight:gone", "1.1", "x"]).await;
        let (key, aside) = (format!("jobq:{name}"), format!("jobq:damaged:{name}"));
        ask(&server, &["DEL", &key]).await;
        ask(&server, &["SET", &key, "x"]).await;
        let report = doctor_at(&Role::Operator.log_in(&server.url()), &[]).await;
        assert_eq!(report.code, 4);
        let of_key = report.all("keys")[0];
        let said = format!("{key} is a string, and should be a {expected}");
        assert_eq!(
            (&of_key["level"], &of_key["seen"]),
            (&"error".into(), &said.into())
        );
        let cure = of_key["cure"].as_str().unwrap();
        assert!(cure.ends_with(&format!("RENAMENX {key} {aside}")), "{cure}");
        // The rest is seen all the same: who owns jobs says of which queues there are.
        report.found("orphans", "error", "jobs in flight: 1");
        for id in unknown {
            let mut all = report.all(id).into_iter();
            assert!(all.any(|one| one["level"] == "unknown"), "{id}");
        }
        ask(&server, &["RENAMENX", &key, &aside]).await;
        doctor(&server, &[]).await.found("keys", "ok", "");
    }
}

#[tokio::test]
async fn what_may_not_be_asked_is_neither_damage_nor_well() {
    for (denied, right, unknown) in [
        (
            "-type",
            "TYPE",
            &["keys", "orphans", "workers", "dead-letters"][..],
        ),
        (
            "-llen",
            "LLEN",
            &["keys", "orphans", "workers", "dead-letters"],
        ),
        (
            "-hgetall",
            "HGETALL",
            &["keys", "orphans", "workers", "dead-letters"],
        ),
        ("-sscan", "SSCAN", &["keys", "workers", "dead-letters"]),
        ("-scan", "SCAN", &["orphans"]),
        ("-hlen", "HLEN", &["orphans"]),
        ("-hscan", "HSCAN", &["orphans", "workers"]),
    ] {
        let server = well();
        ask(&server, &["SADD", "jobq:queues", "mail"]).await;
        ask(&server, &["LPUSH", "jobq:{mail}:ready", "x"]).await;
        ask(&server, &["HSET", "jobq:{mail}:inflight:gone", "1.1", "x"]).await;
        ask(&server, &["ACL", "SETUSER", "jobq-operator", denied]).await;
        let report = doctor_at(&Role::Operator.log_in(&server.url()), &[]).await;
        for id in unknown {
            let said = format!("Redis refused {right} to user \"jobq-operator\" (NOPERM)");
            let found = report.all(id).into_iter();
            let mut unknown = found.filter(|one| one["level"] == "unknown");
            let one = unknown.next().expect("it is not known");
            assert!(one["seen"].as_str().unwrap().contains(&said), "{one:#}");
        }
        let findings = report.document["findings"].as_array().unwrap();
        let is = |id: &str, level: &str| {
            let mut found = findings.iter().filter(|one| one["id"] == id);
            found.any(|one| one["level"] == level)
        };
        assert!(!is("keys", "error"), "{denied}: nothing is damaged");
        assert!(
            !is("orphans", "ok"),
            "{denied}: jobs are in flight of nobody"
        );
        assert!(!is("workers", "ok"), "{denied}: nobody serves the queue");
    }
}

#[tokio::test]
async fn jobs_are_in_flight_of_a_worker_that_nobody_knows() {
    let server = well();
    ask(&server, &["HSET", "jobq:{mail}:inflight:gone", "1.1", "x"]).await;
    ask(&server, &["LPUSH", "jobq:{mail}:handoff:gone", "y"]).await;
    let report = doctor(&server, &[]).await;
    let words = "jobs in flight: 1, handed over: 1, of workers that are gone: 1";
    report.found_with("orphans", "error", words, "jobq doctor --fix");
    assert_eq!(report.all("orphans")[0]["queue"], "mail");
}

#[tokio::test]
async fn jobs_are_ready_and_nobody_is_there() {
    let server = well();
    ask(&server, &["SADD", "jobq:queues", "mail"]).await;
    ask(&server, &["LPUSH", "jobq:{mail}:ready", "x", "y"]).await;
    let report = doctor(&server, &[]).await;
    report.found_with("workers", "warning", "jobs ready: 2", "--queues mail");
}

#[tokio::test]
async fn jobs_are_ready_and_the_queue_is_paused() {
    let server = well();
    ask(&server, &["SADD", "jobq:queues", "mail"]).await;
    ask(&server, &["LPUSH", "jobq:{mail}:ready", "x", "y"]).await;
    let client = jobq::Client::builder(server.url());
    let client = client.connect().await.unwrap();
    client.queue("mail").unwrap().pause().await.unwrap();
    let report = doctor_at(&Role::Operator.log_in(&server.url()), &[]).await;
    let cure = "jobq queues resume mail";
    report.found_with("paused", "warning", "jobs ready: 2", cure);
    client.queue("mail").unwrap().resume().await.unwrap();
    doctor(&server, &[]).await.found("paused", "ok", "");
}

#[tokio::test]
async fn there_is_no_queue() {
    let report = doctor(&well(), &[]).await;
    report.found("workers", "ok", "there is no queue in this namespace");
}

#[tokio::test]
async fn a_dead_list_is_full() {
    let server = well();
    ask(&server, &["SADD", "jobq:queues", "mail"]).await;
    let fill = "for _ = 1, 10000 do redis.call('LPUSH', KEYS[1], 'x') end";
    ask(&server, &["EVAL", fill, "1", "jobq:{mail}:dead"]).await;
    let report = doctor(&server, &[]).await;
    report.found("dead-letters", "error", "an older one is dropped");
}

#[tokio::test]
async fn a_dead_list_is_nearly_full() {
    let server = well();
    ask(&server, &["SADD", "jobq:queues", "mail"]).await;
    let fill = "for _ = 1, 9000 do redis.call('LPUSH', KEYS[1], 'x') end";
    ask(&server, &["EVAL", fill, "1", "jobq:{mail}:dead"]).await;
    let report = doctor(&server, &[]).await;
    report.found("dead-letters", "warning", "9,000 of 10,000");
}

#[tokio::test]
async fn a_dead_list_of_large_jobs_is_nearly_full() {
    let server = well();
    ask(&server, &["SADD", "jobq:queues", "mail"]).await;
    let fill = "for _ = 1, 60 do redis.call('LPUSH', KEYS[1], string.rep('x', 1048576)) end";
    ask(&server, &["EVAL", fill, "1", "jobq:{mail}:dead"]).await;
    let report = doctor(&server, &[]).await;
    report.found(
        "dead-letters",
        "warning",
        "of 64.0 MiB that are kept, in 60 records",
    );
}

#[tokio::test]
async fn names_of_strangers_cannot_act_on_a_terminal() {
    let server = well();
    ask(
        &server,
        &["SET", "jobq:{mail}:inflight:\u{1b}[31mred\n", "x"],
    )
    .await;
    let ran = run(command(&["--url", &server.url(), "doctor"])).await;
    assert_eq!(ran.code, 4, "{ran:?}");
    assert!(ran.out.contains("\\u{1b}[31mred\\n"), "{}", ran.out);
    let control = |c: char| c.is_control() && c != '\n' && c != '\t';
    assert!(!ran.out.contains(control), "{:?}", ran.out);
}
