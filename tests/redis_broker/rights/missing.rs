//! What a worker is told of rights that it lacks, before it starts.

use support::Role;

use jobq::broker;

use super::super::fixture::*;
use super::{as_role, grant, narrower};

async fn missing(broker: &RedisBroker) -> String {
    let error = broker.check_rights(&queue()).await.unwrap_err();
    assert_eq!(error.kind(), BrokerErrorKind::Forbidden, "{error}");
    error.to_string()
}

#[tokio::test]
async fn a_right_that_is_missing_is_named_with_the_key_that_it_is_for() {
    let server = RedisServer::start();
    let worker = as_role(&server, Role::Worker).await;
    for (command, named) in [
        ("lindex", "(NOPERM): LINDEX jobq:{mail}:dead;"),
        ("time", "(NOPERM): TIME;"),
    ] {
        grant(&server, Role::Worker, &[format!("-{command}")]).await;
        let said = missing(&worker).await;
        assert!(said.contains(named), "{said}");
        grant(&server, Role::Worker, &[format!("+{command}")]).await;
    }
    worker.check_rights(&queue()).await.unwrap();
}

/// Whatever is taken away, command or key: what doctor says to type gives it back.
#[tokio::test]
async fn the_rules_that_are_named_give_back_what_was_missing() {
    let server = RedisServer::start();
    for (role, asked) in [
        (Role::Worker, broker::Role::Worker),
        (Role::Operator, broker::Role::Operator),
    ] {
        let client = as_role(&server, role).await;
        let mut cured = 0;
        for (what, rules) in narrower(&role.rules("jobq")) {
            grant(&server, role, &rules).await;
            // Who may not ask is told that; what is not asked for is not missed.
            let Ok(missing) = client.missing_rights(asked, &queue()).await else {
                continue;
            };
            if missing.is_empty() {
                continue;
            }
            let named = client.missing_rules(asked, &queue()).await.unwrap();
            grant(&server, role, &named).await;
            let left = client.missing_rights(asked, &queue()).await.unwrap();
            assert_eq!(left, Vec::<String>::new(), "{role:?} {what}: {named:?}");
            let more = named
                .iter()
                .filter(|rule| !role.rules("jobq").contains(rule));
            assert_eq!(
                more.count(),
                0,
                "{role:?} {what}: {named:?} are those of the role"
            );
            cured += 1;
        }
        assert!(cured > 20, "{role:?}: {cured}");
    }
}

#[tokio::test]
async fn who_may_use_every_key_is_given_commands_alone() {
    let server = RedisServer::start();
    let operator = as_role(&server, Role::Operator).await;
    let all = ["resetkeys", "allkeys", "-sadd"].map(str::to_owned);
    grant(&server, Role::Operator, &all).await;
    let rules = operator
        .missing_rules(broker::Role::Operator, &queue())
        .await;
    let rules = rules.unwrap();
    assert_eq!(rules, ["+sadd"]);
    // Redis refuses a pattern beside those of all keys.
    grant(&server, Role::Operator, &rules).await;
}

#[tokio::test]
async fn a_command_that_the_server_was_told_not_to_have_is_missing() {
    let server = RedisServer::start_with(&[("rename-command HRANDFIELD", "")]);
    let said = missing(&broker_on(&server).await).await;
    assert!(said.contains("HRANDFIELD jobq:{mail}:inflight"), "{said}");
}
