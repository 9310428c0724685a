//! What is told of rights that a role lacks, before it does what they are for.

use support::Role;

use jobq::broker;

use super::super::fixture::*;
use super::{as_role, check_refusal, grant, narrower};

/// What a worker is only the better for, or what already connecting needs.
const NOT_A_STEP: [&str; 10] = [
    "client|id",
    "client|setname",
    "eval_ro",
    "evalsha_ro",
    "info",
    "pexpire",
    "publish",
    "sadd",
    "subscribe",
    "time",
];

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

#[tokio::test]
async fn a_worker_is_told_beforehand_what_it_may_not_do() {
    let server = RedisServer::start();
    let rules = Role::Worker.rules("jobq");
    let worker = as_role(&server, Role::Worker).await;
    worker.check_rights(&queue()).await.unwrap();
    let all: Vec<(String, Vec<String>)> = narrower(&rules);
    let commands = all
        .iter()
        .filter_map(|(what, rules)| Some((what.strip_prefix("command ")?, rules)));
    for (command, rules) in commands.filter(|(command, _)| !NOT_A_STEP.contains(command)) {
        grant(&server, Role::Worker, rules).await;
        let error = worker.check_rights(&queue()).await.unwrap_err();
        let said = error.to_string().to_lowercase();
        check_refusal(&error, &["\"jobq-worker\""]);
        assert!(
            said.contains(command.split('|').next().unwrap()),
            "{command}: {said}"
        );
    }
    grant(&server, Role::Worker, &Role::Worker.rules("other")).await;
    let error = worker.check_rights(&queue()).await.unwrap_err();
    check_refusal(&error, &["\"jobq-worker\""]);
    let keys = ask(&server, &["KEYS", "*"]).await;
    assert_eq!(keys, Value::Array(Vec::new()), "it changes nothing");
}

/// What an operator's tools are told before they try: of every command and of every key.
#[tokio::test]
async fn an_operator_is_told_each_right_that_is_missing() {
    let server = RedisServer::start();
    let rules = Role::Operator.rules("jobq");
    let operator = as_role(&server, Role::Operator).await;
    let missing = async || {
        operator
            .missing_rights(broker::Role::Operator, &queue())
            .await
    };
    assert_eq!(missing().await.unwrap(), Vec::<String>::new());
    for (what, rules) in narrower(&rules) {
        let spared = [
            "command client|id",
            "command client|setname",
            "command publish",
            "channel ",
        ];
        if spared.contains(&&what[..]) {
            continue;
        }
        grant(&server, Role::Operator, &rules).await;
        let said = match missing().await {
            Ok(missing) => missing.join(", ").to_lowercase(),
            // One who may not ask is told that.
            Err(error) => {
                check_refusal(&error, &["\"jobq-operator\"", "EVALSHA_RO"]);
                continue;
            }
        };
        let command = what.strip_prefix("command ").unwrap_or("jobq:");
        let command = command.replace('|', " ");
        assert!(said.contains(&command), "{what}: {said:?}");
    }
}

#[tokio::test]
async fn a_worker_and_a_producer_are_no_operators() {
    let server = RedisServer::start();
    let worker = as_role(&server, Role::Worker).await;
    for (role, lacks) in [
        (broker::Role::Operator, "LRANGE jobq:{mail}:ready"),
        (broker::Role::Operator, "OBJECT ENCODING jobq:{mail}:ready"),
        (broker::Role::Worker, ""),
        (broker::Role::Producer, ""),
    ] {
        let missing = worker.missing_rights(role, &queue()).await.unwrap();
        let missing = missing.join(", ");
        assert!(missing.contains(lacks), "{role:?}: {missing}");
        assert_eq!(missing.is_empty(), lacks.is_empty(), "{role:?}: {missing}");
    }
    let producer = as_role(&server, Role::Producer).await;
    let asked = producer
        .missing_rights(broker::Role::Producer, &queue())
        .await;
    check_refusal(&asked.unwrap_err(), &["\"jobq-producer\""]);
}
