//! The rights of each role, as `docs/operations/users.acl` has them: enough, none too many, and
//! what is missing is said.

mod halves;
mod missing;
mod tours;

use std::collections::BTreeSet;

use redis::aio::MultiplexedConnection;
use support::{Folder, Role};

use super::fixture::*;
use tours::{prepare, tour};

const DOCUMENT: &str = include_str!("../../docs/operations/security.md");
const USERS: &str = include_str!("../../docs/operations/users.acl");

/// What the server refused since it was last cleared: `command llen`, `key jobq:{mail}:ready`.
async fn refusals(server: &RedisServer) -> BTreeSet<String> {
    let Value::Array(entries) = ask(server, &["ACL", "LOG"]).await else {
        panic!("a log is a list");
    };
    let text = |value: &Value| match value {
        Value::BulkString(bytes) => String::from_utf8_lossy(bytes).into_owned(),
        _ => String::new(),
    };
    let said = entries.iter().map(|entry| {
        let Value::Array(fields) = entry else {
            panic!("an entry is a map");
        };
        let pairs: Vec<_> = fields
            .chunks(2)
            .map(|pair| (text(&pair[0]), text(&pair[1])))
            .collect();
        let of = |name: &str| &pairs.iter().find(|(field, _)| field == name).unwrap().1;
        format!("{} {}", of("reason"), of("object"))
    });
    said.collect()
}

/// A server as it was when it was started, on which the role has these rules and no others.
async fn set_up(server: &RedisServer, role: Role, rules: &[String]) {
    ask(server, &["FLUSHALL"]).await;
    prepare(server, role).await;
    grant(server, role, rules).await;
    ask(server, &["SCRIPT", "FLUSH"]).await;
    ask(server, &["ACL", "LOG", "RESET"]).await;
}

/// Gives the role these rules and no others.
async fn grant(server: &RedisServer, role: Role, rules: &[String]) {
    let mut words = vec!["ACL", "SETUSER", role.user()];
    words.extend(rules.iter().map(String::as_str));
    ask(server, &words).await;
}

#[tokio::test]
async fn each_role_can_do_all_of_its_work() {
    let server = RedisServer::start();
    for role in Role::ALL {
        set_up(&server, role, &role.rules("jobq")).await;
        within("the end of the work", tour(&server, role))
            .await
            .unwrap();
        let refused = refusals(&server).await;
        assert!(refused.is_empty(), "{role:?}: {refused:?}");
    }
}

/// What is left of the rules where one of them is taken away, or gives a key to readers or to
/// writers only; with what the server must then refuse.
fn narrower(rules: &[String]) -> Vec<(String, Vec<String>)> {
    let mut narrower = Vec::new();
    for (place, rule) in rules.iter().enumerate() {
        let (before, after) = (&rules[..place], &rules[place + 1..]);
        let with = |other: &[String]| [before, other, after].concat();
        match rule.split_at(1) {
            ("+", command) => narrower.push((format!("command {command}"), with(&[]))),
            ("&", _) => narrower.push(("channel ".to_owned(), with(&[]))),
            ("%", _) => narrower.push(("key ".to_owned(), with(&[]))),
            ("~", _) => {
                for part in [format!("%R{rule}"), format!("%W{rule}")] {
                    narrower.push(("key ".to_owned(), with(&[part])));
                }
            }
            _ => assert!(rule == "reset" || rule == "on" || rule.starts_with('>')),
        }
    }
    narrower
}

async fn no_right_can_be_spared(role: Role) {
    let server = RedisServer::start();
    for (expected, rules) in narrower(&role.rules("jobq")) {
        set_up(&server, role, &rules).await;
        let refused = async || {
            let refusals = refusals(&server).await;
            let refused = refusals.iter().any(|what| what.starts_with(&expected));
            refused.then_some(())
        };
        tokio::select! {
            () = eventually(&expected, refused) => {}
            ended = tour(&server, role) => {
                assert!(refused().await.is_some(), "{role:?} works without {expected}: {ended:?}");
            }
        }
    }
}

#[tokio::test]
async fn a_producer_has_no_right_that_it_does_not_need() {
    no_right_can_be_spared(Role::Producer).await;
}

#[tokio::test]
async fn a_worker_has_no_right_that_it_does_not_need() {
    no_right_can_be_spared(Role::Worker).await;
}

#[tokio::test]
async fn an_operator_has_no_right_that_it_does_not_need() {
    no_right_can_be_spared(Role::Operator).await;
}

/// What a role is refused by the server itself, whatever program asks.
fn foreign_to(role: Role) -> &'static [&'static str] {
    match role {
        Role::Producer => &[
            "LRANGE jobq:{mail}:ready 0 -1",
            "ZRANGE jobq:{mail}:delayed 0 -1",
            "HGETALL jobq:{mail}:inflight:w1",
            "LRANGE jobq:{mail}:dead 0 -1",
            "SSCAN jobq:queues 0",
            "SCAN 0",
            "RPOP jobq:{mail}:ready",
            "DEL jobq:{mail}:ready",
            "ZREM jobq:{mail}:delayed z",
            "SREM jobq:queues mail",
            "LPUSH jobq:{mail}:dead x",
            "LPUSH jobq:{mail}:suspects x",
            "LPUSH jobq:{mail}:handoff:w1 x",
            "HSET jobq:{mail}:meta paused 1",
            "HSET jobq:{mail}:workers w1 0",
            "PUBLISH other x",
            "SUBSCRIBE jobq:{mail}:due",
        ],
        Role::Worker => &[
            "LRANGE jobq:{mail}:ready 0 -1",
            "LREM jobq:{mail}:dead 1 dead",
            "SSCAN jobq:queues 0",
            "SREM jobq:queues mail",
        ],
        Role::Operator => &[
            "RPOP jobq:{mail}:ready",
            "LMOVE jobq:{mail}:ready jobq:{mail}:handoff:w1 LEFT LEFT",
            "HSET jobq:{mail}:inflight:w1 9.9 x",
            "HDEL jobq:{mail}:inflight:w1 1.3",
            "LPUSH jobq:{mail}:handoff:w1 x",
            "HSET jobq:{mail}:workers w1 0",
            "HDEL jobq:{mail}:workers w1",
            "SREM jobq:queues mail",
            "SUBSCRIBE jobq:{mail}:due",
        ],
    }
}

/// What every role is refused.
const FOREIGN_TO_ALL: [&str; 16] = [
    "FLUSHALL",
    "FLUSHDB",
    "KEYS *",
    "CONFIG GET *",
    "CONFIG SET maxmemory 1",
    "ACL LIST",
    "ACL SETUSER x on",
    "CLIENT LIST",
    "CLIENT KILL TYPE normal",
    "SCRIPT FLUSH",
    "MONITOR",
    "DEBUG SLEEP 0",
    "LPUSH other:{mail}:ready x",
    "LPUSH jobqx:{mail}:ready x",
    "HGETALL other",
    "SADD other x",
];

/// What Redis 7.0 says of one within a script.
const WITHIN_SCRIPT: &str = "The user executing the script can't";

/// What the server says of a command that it must refuse.
async fn refused(connection: &mut MultiplexedConnection, words: &[&str]) -> String {
    let mut command = redis::cmd(words[0]);
    command.arg(&words[1..]);
    let answer: Result<Value, _> = command.query_async(connection).await;
    answer.expect_err(&words.join(" ")).to_string()
}

#[tokio::test]
async fn no_role_can_do_the_work_of_another_nor_leave_its_namespace() {
    let server = RedisServer::start();
    prepare(&server, Role::Operator).await;
    let before = ask(&server, &["DEBUG", "DIGEST"]).await;
    for role in Role::ALL {
        let url = role.log_in(&server.url());
        let mut connection = support::beside(&url).await.unwrap();
        for line in foreign_to(role).iter().chain(&FOREIGN_TO_ALL) {
            let words: Vec<&str> = line.split(' ').collect();
            let said = refused(&mut connection, &words).await;
            assert!(said.contains("no permissions"), "{role:?} {line}: {said}");
            // A script can do no more.
            let script = format!("return redis.call('{}')", words.join("', '"));
            let said = refused(&mut connection, &["EVAL", &script, "0"]).await;
            let no_right = said.contains("no permissions") || said.contains(WITHIN_SCRIPT);
            let in_no_script = said.contains("not allowed from script");
            assert!(no_right || in_no_script, "{role:?} {script}: {said}");
        }
    }
    assert_eq!(ask(&server, &["DEBUG", "DIGEST"]).await, before);
}

async fn as_role(server: &RedisServer, role: Role) -> RedisBroker {
    let config = RedisConfig::parse(&role.log_in(&server.url()), None).unwrap();
    RedisBroker::connect(config, DEADLINE).await.unwrap()
}

/// The error and its causes.
fn chain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    let texts: Vec<String> = causes.map(ToString::to_string).collect();
    texts.join(": ")
}

/// A refusal that names these, and no password.
#[track_caller]
fn check_refusal(error: &jobq::BrokerError, named: &[&str]) {
    let said = format!("{} {error:?}", chain(error));
    assert_eq!(error.kind(), BrokerErrorKind::Forbidden, "{said}");
    assert!(!error.is_retryable() && !error.is_outcome_unknown());
    for name in named.iter().chain(&["NOPERM"]) {
        assert!(chain(error).contains(name), "{name}: {said}");
    }
    assert!(!said.contains("password-of-a-role"), "{said}");
}

#[tokio::test]
async fn a_refused_step_names_the_user_and_the_command() {
    let server = RedisServer::start();
    let producer = as_role(&server, Role::Producer).await;
    let error = as_dyn(&producer).claim(&claim(0, 1)).await.unwrap_err();
    check_refusal(&error, &["\"jobq-producer\"", "the step claim", "keys"]);
    let error = producer.queues().await.unwrap_err();
    check_refusal(&error, &["\"jobq-producer\"", "SSCAN"]);

    let worker = as_role(&server, Role::Worker).await;
    let take = TakeDead {
        record: Bytes::from("dead"),
        requeue: None,
    };
    let error = worker.take_dead(&queue(), &[take], 0).await.unwrap_err();
    check_refusal(&error, &["\"jobq-worker\"", "LREM in the step take_dead"]);

    ask(&server, &["ACL", "SETUSER", "jobq-worker", "-blmove"]).await;
    let waiter = worker.waiter(&queue(), &WorkerId::from_stored("w1"));
    let error = waiter.wait(DEADLINE).await.unwrap_err();
    check_refusal(&error, &["\"jobq-worker\"", "BLMOVE"]);
}

#[tokio::test]
async fn a_refused_connection_names_the_user_and_the_command() {
    let server = RedisServer::start();
    let url = Role::Worker.log_in(&server.url());
    ask(&server, &["ACL", "SETUSER", "jobq-worker", "-client|id"]).await;
    for (url, command) in [(format!("{url}/1"), "select"), (url, "client|id")] {
        let config = RedisConfig::parse(&url, None).unwrap();
        let error = RedisBroker::connect(config, DEADLINE).await.unwrap_err();
        assert!(matches!(error, ConnectError::Refused { .. }), "{error:?}");
        let said = chain(&error);
        for named in ["NOPERM", command, "\"jobq-worker\""] {
            assert!(said.contains(named), "{named}: {said}");
        }
        assert!(!format!("{said} {error:?}").contains("password-of-a-role"));
    }
}

#[test]
fn the_document_shows_the_users_of_the_file() {
    let shown: Vec<_> = DOCUMENT
        .lines()
        .filter_map(|line| line.strip_prefix("ACL SETUSER "))
        .collect();
    let users: Vec<_> = USERS
        .lines()
        .filter_map(|line| line.strip_prefix("user "))
        .filter(|user| user.starts_with("jobq-"))
        .collect();
    assert_eq!(
        shown, users,
        "docs/operations/security.md shows each line of users.acl as a command"
    );
}

#[tokio::test]
async fn a_server_takes_the_file_of_users_once_their_passwords_are_set() {
    let folder = Folder::new();
    // Of "password".
    let digest = "5e884898da28047151d0e56f8dc6292773603d0d6aabbdd62a11ef721d1542d8";
    let mut users = USERS.to_owned();
    for name in ["ADMIN", "PRODUCER", "WORKER", "OPERATOR"] {
        users = users.replace(&format!("#{name}-SHA256"), &format!("#{digest}"));
    }
    let file = folder.write("users.acl", users);
    let server = RedisServer::start_with(&[("aclfile", file.to_str().unwrap())]);
    for user in ["jobq-producer", "jobq-worker", "jobq-operator"] {
        let url = server.url().replace("//", &format!("//{user}:password@"));
        let config = RedisConfig::parse(&url, None).unwrap();
        RedisBroker::connect(config, DEADLINE).await.unwrap();
    }
    let nobody = RedisConfig::parse(&server.url(), None).unwrap();
    let error = RedisBroker::connect(nobody, DEADLINE).await.unwrap_err();
    assert!(
        matches!(error, ConnectError::Unauthorized { .. }),
        "{error:?}"
    );
}
