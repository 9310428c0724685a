//! Where nothing is wrong, and how what is wrong is printed.

use support::Role;

use crate::fixture::*;

#[tokio::test]
async fn a_server_that_is_well_is_all_ok() {
    let server = well();
    let report = doctor(&server, &[]).await;
    let findings = report.document["findings"].as_array().unwrap();
    let not_ok = findings.iter().filter(|one| one["level"] != "ok");
    assert_eq!(not_ok.collect::<Vec<_>>(), Vec::<&serde_json::Value>::new());
    assert_eq!(report.code, 0);
    assert!(findings.iter().all(|one| one["cure"].is_null()));
    report.found("durability", "ok", "everysec");
}

#[tokio::test]
async fn an_operator_may_ask_all_and_what_it_may_not_know_is_no_fault() {
    let server = well();
    let url = Role::Operator.log_in(&server.url());
    ask(&server, &["LPUSH", "jobq:{mail}:ready", "x"]).await;
    ask(&server, &["SADD", "jobq:queues", "mail"]).await;
    let report = doctor_at(&url, &[]).await;
    report.found("rights", "ok", "jobq-operator");
    let untold = [
        "idle-connections",
        "slow-calls",
        "list-encoding",
        "durability",
    ];
    for id in untold {
        report.found_with(id, "unknown", "not known", "administrator");
    }
    report.found("keys", "ok", "jobq:{mail}:ready");
    report.found("durability", "unknown", "appendfsync");
    assert_eq!(report.document["queues"][0]["keys"][0]["length"], 1);
}

#[tokio::test]
async fn people_are_told_why_and_what_to_type_and_programs_get_fields() {
    let server = well_but(&[("maxmemory-policy", "allkeys-lru")]);
    let ran = run(command(&["--url", &server.url(), "doctor"])).await;
    assert_eq!((ran.code, &ran.err[..]), (4, ""));
    let line = ran
        .out
        .lines()
        .find(|line| line.starts_with("error\teviction\t"));
    let fields: Vec<_> = line.unwrap().split('\t').collect();
    let cure = format!(
        "redis-cli -u {}/0 CONFIG SET maxmemory-policy noeviction",
        server.url()
    );
    assert_eq!((fields.len(), fields[2], fields[5]), (6, "", &cure[..]));
    assert!(
        ran.out.lines().all(|line| line.matches('\t').count() == 5),
        "{}",
        ran.out
    );
}

#[tokio::test]
async fn a_cure_logs_in_as_one_who_may_and_tells_no_secret() {
    let cure = async |url: &str| {
        let report = doctor_at(url, &[]).await;
        let one = report.found("eviction", "error", "");
        one["cure"].as_str().unwrap().to_owned()
    };
    let policy = ("maxmemory-policy", "allkeys-lru");
    let server = well_but(&[policy]);
    let open = format!("redis-cli -u {}/0", server.url());
    let by_name = cure(&Role::Operator.log_in(&server.url())).await;
    let expected = format!("{open} --user ADMIN --askpass CONFIG SET");
    assert!(by_name.starts_with(&expected), "{by_name}");

    let server = well_but(&[policy, ("requirepass", "planted7secret")]);
    let open = format!("redis-cli -u {}/0", server.url());
    let url = server.url().replace("//", "//:planted7secret@");
    let by_password = cure(&url).await;
    let expected = format!("{open} --askpass CONFIG SET");
    assert!(by_password.starts_with(&expected), "{by_password}");
}

#[tokio::test]
async fn no_password_is_printed() {
    let server = RedisServer::start_with(&[("requirepass", "planted7secret")]);
    let url = server.url().replace("//", "//:planted7secret@");
    for args in [&["doctor"][..], &["--json", "doctor"], &["health"]] {
        let ran = run(command(&[&["--url", &url], args].concat())).await;
        assert!(
            !ran.out.is_empty() && !format!("{ran:?}").contains("planted"),
            "{ran:?}"
        );
        let wrong = url.replace("planted7secret", "planted7wrong");
        let ran = run(command(&[&["--url", &wrong], args].concat())).await;
        assert_eq!(ran.code, 77, "{ran:?}");
        assert!(!format!("{ran:?}").contains("planted"), "{ran:?}");
    }
}
