//! What a worker is told of rights that it lacks, before it starts.

use support::Role;

use super::super::fixture::*;
use super::{as_role, grant};

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

#[tokio::test]
async fn a_command_that_the_server_was_told_not_to_have_is_missing() {
    let server = RedisServer::start_with(&[("rename-command HRANDFIELD", "")]);
    let said = missing(&broker_on(&server).await).await;
    assert!(said.contains("HRANDFIELD jobq:{mail}:inflight"), "{said}");
}
