//! What a server tells of itself, to whom, and what it can be told to do.

use jobq::broker::{KeyFacts, ServerFacts, Settings, Upkeep};
use support::Role;

use super::fixture::*;

async fn facts(broker: &RedisBroker) -> ServerFacts {
    broker.examine().await.unwrap().expect("it is a server")
}

#[tokio::test]
async fn a_server_says_how_it_is_set_up() {
    let server = RedisServer::start_with(&[
        ("appendonly", "yes"),
        ("appendfsync", "always"),
        ("save", "3600 1"),
        ("timeout", "90"),
        ("tcp-keepalive", "0"),
        ("list-max-listpack-size", "-5"),
        ("list-compress-depth", "2"),
        ("min-replicas-to-write", "1"),
        ("maxmemory", "64mb"),
        ("maxmemory-policy", "allkeys-lru"),
        ("maxclients", "50"),
    ]);
    let facts = facts(&broker_on(&server).await).await;
    let text = |text: &str| Some(text.to_owned());
    let settings = Settings {
        appendfsync: text("always"),
        save: text("3600 1"),
        timeout: Some(90),
        keepalive: Some(0),
        list_node_size: Some(-5),
        list_compress_depth: Some(2),
        min_replicas: Some(1),
    };
    assert_eq!(facts.settings, Some(settings));
    assert_eq!(facts.user, "default");
    assert_eq!(facts.memory.limit, Some(64 << 20));
    assert_eq!(facts.memory.policy, text("allkeys-lru"));
    assert_eq!(facts.append_only.enabled, Some(true));
    assert_eq!(facts.append_only.write_succeeded, Some(true));
    assert_eq!(facts.snapshots.succeeded, Some(true));
    assert_eq!(facts.replication.is_replica, Some(false));
    assert_eq!(facts.replication.good_replicas, Some(0));
    assert_eq!(facts.clients.limit, Some(50));
    assert!(facts.clients.connected > Some(0));
}

#[tokio::test]
async fn what_a_user_may_not_know_is_not_known_and_no_failure() {
    let server = RedisServer::start();
    let login = |role: Role| RedisConfig::parse(&role.log_in(&server.url()), None).unwrap();
    for role in Role::ALL {
        let broker = RedisBroker::connect(login(role), DEADLINE).await.unwrap();
        let facts = facts(&broker).await;
        assert_eq!((facts.settings, facts.slow), (None, None), "{role:?}");
        assert_eq!(facts.user, role.user());
        assert_eq!(facts.memory.limit, Some(0), "{role:?}");
        let queue = broker.examine_queue(&queue()).await;
        match queue {
            Ok(facts) => assert!(facts.is_some() && role == Role::Operator, "{role:?}"),
            Err(error) => {
                assert_eq!(error.kind(), BrokerErrorKind::Forbidden, "{role:?}");
                assert!(error.to_string().contains("TYPE"), "{error}");
                assert_ne!(role, Role::Operator);
            }
        }
    }
}

#[tokio::test]
async fn a_server_without_the_commands_is_no_failure() {
    let renamed = ["CONFIG", "SLOWLOG", "MEMORY"].map(|name| format!("rename-command {name}"));
    let renamed: Vec<_> = renamed.iter().map(|option| (&option[..], "")).collect();
    let server = RedisServer::start_with(&renamed);
    let broker = broker_on(&server).await;
    let facts = facts(&broker).await;
    assert_eq!((facts.settings, facts.slow), (None, None));
    broker.enqueue(&queue(), &[now("a")]).await.unwrap();
    let keys = broker.examine_queue(&queue()).await.unwrap().unwrap().keys;
    assert!(matches!(
        &keys[..],
        [KeyFacts {
            bytes: None,
            length: Some(1),
            ..
        }]
    ));
}

#[tokio::test]
async fn slow_calls_are_told_by_their_steps_and_without_arguments() {
    let server = RedisServer::start_with(&[("slowlog-log-slower-than", "0")]);
    let broker = broker_on(&server).await;
    broker.enqueue(&queue(), &[now("planted")]).await.unwrap();
    granted(&broker, &claim(0, 1)).await;
    granted(&broker, &claim(1, 1)).await;
    let slow = facts(&broker).await.slow.expect("everyone may");
    for command in ["LPUSH", "step claim"] {
        assert!(slow.iter().any(|call| call.command == command), "{slow:?}");
    }
    assert!(!format!("{slow:?}").contains("planted"));
    assert!(slow.iter().all(|call| call.age < DEADLINE), "{slow:?}");
}

#[tokio::test]
async fn keys_of_another_type_are_told_and_the_others_too() {
    let server = RedisServer::start();
    let broker = broker_on(&server).await;
    broker.enqueue(&queue(), &[now("a")]).await.unwrap();
    ask(&server, &["SET", "jobq:{mail}:workers", "x"]).await;
    ask(&server, &["SET", "jobq:{mail}:inflight:gone", "x"]).await;
    let facts = broker.examine_queue(&queue()).await.unwrap().unwrap();
    let wrong = facts.keys.iter().find(|key| key.found != key.expected);
    let wrong = wrong.expect("one is wrong");
    assert_eq!(
        (&wrong.key[..], wrong.length),
        ("jobq:{mail}:workers", None)
    );
    assert!(facts.keys.iter().any(|key| key.length == Some(1)));
    assert_eq!(facts.members, []);
    let gone = [WorkerId::from_stored("gone")];
    let owned = broker.owned(&queue(), &gone).await.unwrap();
    assert_eq!((owned[0].in_flight, owned[0].handed), (None, Some(0)));
    let [damaged] = &owned[0].damaged[..] else {
        panic!("one key is damaged: {owned:?}");
    };
    assert_eq!(
        (&damaged.key[..], damaged.expected, &damaged.found[..]),
        ("jobq:{mail}:inflight:gone", "hash", "string")
    );
}

#[tokio::test]
async fn what_a_user_may_not_ask_is_an_error_that_names_the_right() {
    for (right, denied) in [
        ("TYPE", "-type"),
        ("LLEN", "-llen"),
        ("HGETALL", "-hgetall"),
        ("HLEN", "-hlen"),
    ] {
        let server = RedisServer::start();
        broker_on(&server)
            .await
            .enqueue(&queue(), &[now("a")])
            .await
            .unwrap();
        ask(&server, &["HSET", "jobq:{mail}:inflight:gone", "1.1", "x"]).await;
        ask(&server, &["ACL", "SETUSER", "jobq-operator", denied]).await;
        let url = Role::Operator.log_in(&server.url());
        let config = RedisConfig::parse(&url, None).unwrap();
        let broker = RedisBroker::connect(config, DEADLINE).await.unwrap();
        let facts = broker.examine_queue(&queue()).await.map(drop);
        let gone = [WorkerId::from_stored("gone")];
        let owned = broker.owned(&queue(), &gone).await.map(drop);
        let error = facts.and(owned).unwrap_err();
        assert_eq!(error.kind(), BrokerErrorKind::Forbidden, "{right}");
        assert!(error.to_string().contains(right), "{right}: {error}");
    }
}

#[tokio::test]
async fn a_save_and_a_rewrite_begin_once() {
    // Half a minute for the one key.
    let slow = [("appendonly", "yes"), ("rdb-key-save-delay", "30000000")];
    for upkeep in [Upkeep::Save, Upkeep::Rewrite] {
        let server = RedisServer::start_with(&slow);
        let broker = broker_on(&server).await;
        broker.enqueue(&queue(), &[now("a")]).await.unwrap();
        assert!(broker.begin(upkeep).await.unwrap(), "{upkeep:?}");
        assert!(!broker.begin(upkeep).await.unwrap(), "{upkeep:?}");
        let facts = facts(&broker).await;
        let under_way = (facts.snapshots.under_way, facts.append_only.rewriting);
        let expected = (upkeep == Upkeep::Save, upkeep == Upkeep::Rewrite);
        assert_eq!(under_way, expected);
    }
}

#[tokio::test]
async fn who_may_not_is_told_so() {
    let server = RedisServer::start();
    let url = Role::Operator.log_in(&server.url());
    let config = RedisConfig::parse(&url, None).unwrap();
    let operator = RedisBroker::connect(config, DEADLINE).await.unwrap();
    let error = operator.begin(Upkeep::Save).await.unwrap_err();
    assert_eq!(error.kind(), BrokerErrorKind::Forbidden);
    assert!(error.to_string().contains("BGSAVE"), "{error}");
}
