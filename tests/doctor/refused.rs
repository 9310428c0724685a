//! `jobq doctor --fix` where Redis refuses a part of it: what was done is told, and what was not.

use std::time::Duration;

use jobq::WorkerId;
use support::Role;

use crate::fixture::*;

/// Short, so that nobody is watched for long.
const LEASE: Duration = Duration::from_secs(2);

/// The key of what a worker has in flight that nobody knows.
fn in_flight(queue: &str) -> String {
    format!("jobq:{{{queue}}}:inflight:{}", WorkerId::leased(LEASE))
}

#[tokio::test]
async fn a_report_is_printed_though_redis_refuses_every_change() {
    let server = well();
    for queue in ["mail", "other"] {
        ask(&server, &["HSET", &in_flight(queue), "1.1", "x"]).await;
    }
    ask(&server, &["CONFIG", "SET", "min-replicas-to-write", "1"]).await;
    let report = doctor(&server, &["--fix"]).await;
    report.found("replication", "error", "enqueues are refused");
    assert_eq!(report.all("orphans").len(), 2);
    let [mail, other] = &report.document["fixed"].as_array().unwrap()[..] else {
        panic!("both are told: {:#}", report.document);
    };
    for (fixed, queue, said) in [(mail, "mail", "NOREPLICAS"), (other, "other", "not tried")] {
        assert_eq!(
            (&fixed["queue"], &fixed["done"]),
            (&queue.into(), &false.into())
        );
        assert!(fixed["said"].as_str().unwrap().contains(said), "{fixed:#}");
    }
}

/// Each of the roles that may look or take over has half of the rights for it.
#[tokio::test]
async fn a_fix_that_may_not_look_or_not_mend_does_not_exit_with_0() {
    let server = well();
    ask(&server, &["HSET", &in_flight("mail"), "1.1", "x"]).await;
    for (role, code, told) in [
        ("operator", 4, "Redis refused"),
        (
            "worker",
            77,
            "this user may not look for all that --fix mends: orphans",
        ),
    ] {
        let user = if role == "worker" {
            Role::Worker
        } else {
            Role::Operator
        };
        let url = user.log_in(&server.url());
        let ran = run(command(&["--url", &url, "doctor", "--fix", "--role", role])).await;
        assert_eq!(ran.code, code, "{role}: {ran:?}");
        let said = format!("{}{}", ran.out, ran.err);
        for words in [told, "jobq-admin"] {
            assert!(said.contains(words), "{role}: {words}: {ran:?}");
        }
    }
    // As it is said there: the documented administrator has all rights.
    let admin = "ACL SETUSER jobq-admin reset on >secret ~* &* +@all";
    ask(&server, &admin.split(' ').collect::<Vec<_>>()).await;
    let url = server.url().replace("//", "//jobq-admin:secret@");
    let report = doctor_at(&url, &["--fix"]).await;
    assert_eq!(report.document["fixed"][0]["done"], true);
    report.found("orphans", "ok", "");
}

#[tokio::test]
async fn one_whose_keys_are_damaged_is_passed_over_and_the_others_are_swept() {
    let server = well();
    let (whole, damaged) = (in_flight("mail"), in_flight("mail"));
    ask(&server, &["HSET", &whole, "1.1", "x"]).await;
    ask(&server, &["SET", &damaged, "y"]).await;
    let report = doctor(&server, &["--fix"]).await;
    let fixed = &report.document["fixed"][0];
    let said = fixed["said"].as_str().unwrap();
    assert_eq!(fixed["done"], false, "not all could be done");
    for words in [
        "jobs put back: 1, of dead workers: 1",
        "passed over: ",
        "WRONGTYPE",
    ] {
        assert!(said.contains(words), "{words}: {said}");
    }
    let (_, worker) = damaged.rsplit_once(':').unwrap();
    assert!(said.contains(worker), "{said}");
    let bytes = ask(&server, &["GET", &damaged]).await;
    assert_eq!(
        bytes,
        redis::Value::BulkString("y".into()),
        "it is left as it was"
    );
    let left = ask(&server, &["EXISTS", &whole]).await;
    assert_eq!(left, redis::Value::Int(0));
    let members = ask(&server, &["HLEN", "jobq:{mail}:workers"]).await;
    assert_eq!(members, redis::Value::Int(0), "it has left");
}
