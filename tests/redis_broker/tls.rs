//! Connections through TLS: who is trusted, and what is said of who is not.

use std::error::Error as _;
use std::path::{Path, PathBuf};

use jobq::Client;
use support::Authority;

use super::fixture::*;

const HOST: &str = "127.0.0.1";

async fn connect(url: &str, ca_file: &Path) -> Result<RedisBroker, ConnectError> {
    let ca_file = url.starts_with("rediss:").then(|| ca_file.to_owned());
    let config = RedisConfig::parse(url, None)?.with_ca_file(ca_file);
    RedisBroker::connect(config, Duration::from_millis(700)).await
}

/// What is wrong with a server whose TLS fails.
async fn mistrust(url: &str, ca_file: &Path) -> String {
    let error = connect(url, ca_file).await.unwrap_err();
    assert!(error.source().is_some(), "{error:?}");
    let port = url.rsplit(':').next().unwrap();
    assert!(error.to_string().contains(port), "{error}");
    match error {
        ConnectError::Tls { reason, .. } => reason,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn every_connection_goes_through_tls() {
    let authority = Authority::new("ours");
    // It has no other port.
    let server = RedisServer::start_tls(&authority.certify(HOST), &[]);
    let broker = connect(&server.url(), &authority.ca_file()).await.unwrap();
    assert!(broker.describe().starts_with("rediss://"), "{broker:?}");
    let signal = broker.due_signal(&queue());
    within("the signal that it listens", signal.notified()).await;
    let waiter = broker.waiter(&queue(), &worker());
    let fork = broker.fork().await.unwrap();
    fork.enqueue(&queue(), &[now("a"), now("b"), later("c")])
        .await
        .unwrap();
    within("the signal", signal.notified()).await;
    assert_eq!(waiter.wait(DEADLINE).await.unwrap(), Wake::Handed);
    let grant = granted(&broker, &claim(0, 5)).await;
    assert_eq!(grant.envelopes, ["a", "b"]);
    let settled = as_dyn(&broker).settle(acks(grant.counter, [1, 2])).await;
    assert_eq!(settled.unwrap().accepted, [true; 2]);
}

#[tokio::test]
async fn much_at_once_goes_through_tls() {
    let authority = Authority::new("ours");
    let server = RedisServer::start_tls(&authority.certify(HOST), &[]);
    let config = RedisConfig::parse(&server.url(), None).unwrap();
    let config = config.with_ca_file(Some(authority.ca_file()));
    let broker = RedisBroker::connect(config, DEADLINE).await.unwrap();
    let large: Vec<Entry> = (0..8).map(|_| now(&"x".repeat(1 << 20))).collect();
    broker.enqueue(&queue(), &large).await.unwrap();
    let grant = granted(&broker, &claim(0, 8)).await;
    assert!(
        grant
            .envelopes
            .iter()
            .all(|envelope| envelope.len() == 1 << 20)
    );
    assert_eq!(grant.envelopes.len(), 8);
}

#[tokio::test]
async fn a_certificate_that_is_not_trusted_is_refused_with_the_reason() {
    let authority = Authority::new("ours");
    let good = RedisServer::start_tls(&authority.certify(HOST), &[]);
    let ca_file = authority.ca_file();
    for other in ["ours", "theirs"].map(Authority::new) {
        let path = other.ca_file();
        let reason = mistrust(&good.url(), &path).await;
        assert!(reason.contains("signed by none of those in"), "{reason}");
        assert!(reason.contains(&*path.to_string_lossy()), "{reason}");
    }

    let url = good.url().replace(HOST, "localhost");
    let reason = mistrust(&url, &ca_file).await;
    assert!(reason.contains("not for \"localhost\""), "{reason}");

    for (certificate, expected) in [
        (authority.certify_expired(HOST), "has expired"),
        (authority.certify_for_later(HOST), "not valid yet"),
        (authority.certify_as_authority(HOST), "that of an authority"),
    ] {
        let server = RedisServer::start_tls(&certificate, &[]);
        let reason = mistrust(&server.url(), &ca_file).await;
        assert!(reason.contains(expected), "{reason}");
    }

    let wanting = [
        ("tls-auth-clients", "yes"),
        ("tls-ca-cert-file", &*ca_file.to_string_lossy()),
    ];
    let server = RedisServer::start_tls(&authority.certify(HOST), &wanting);
    let reason = mistrust(&server.url(), &ca_file).await;
    assert!(reason.contains("tls-auth-clients"), "{reason}");
}

/// Why nobody answers.
async fn silence(url: &str, ca_file: &Path) -> String {
    match connect(url, ca_file).await.unwrap_err() {
        ConnectError::Unavailable { source, .. } => source.to_string(),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn the_wrong_kind_of_port_is_named() {
    let authority = Authority::new("ours");
    let ca_file = authority.ca_file();
    let plain = RedisServer::start();
    let url = plain.url().replace("redis:", "rediss:");
    let reason = silence(&url, &ca_file).await;
    assert!(reason.contains("redis://"), "{reason}");
    let secure = RedisServer::start_tls(&authority.certify(HOST), &[]);
    let url = secure.url().replace("rediss:", "redis:");
    let reason = silence(&url, &ca_file).await;
    assert!(reason.contains("rediss://"), "{reason}");
}

/// A file of its own with this text.
fn file(authority: &Authority, name: &str, text: &str) -> PathBuf {
    let path = authority.ca_file().with_file_name(name);
    std::fs::write(&path, text).unwrap();
    path
}

#[tokio::test]
async fn a_ca_file_that_cannot_be_used_is_named() {
    let authority = Authority::new("ours");
    let own = std::fs::read_to_string(authority.ca_file()).unwrap();
    let damaged = own.replace("MII", "AAA");
    let cases = [
        (
            authority.ca_file().with_file_name("missing.pem"),
            "No such file",
        ),
        (authority.ca_file().with_file_name(""), "no regular file"),
        ("/dev/zero".into(), "no regular file"),
        (file(&authority, "empty.pem", ""), "no certificate"),
        (file(&authority, "text.pem", "hello"), "no certificate"),
        (
            file(&authority, "half.pem", &own[..own.len() / 2]),
            "damaged",
        ),
        (
            file(&authority, "damaged.pem", &damaged),
            "certificate 1 in it is damaged",
        ),
        (
            file(&authority, "second.pem", &format!("{own}{damaged}")),
            "certificate 2",
        ),
    ];
    for (path, expected) in cases {
        let error = connect("rediss://h", &path).await.unwrap_err();
        let ConnectError::InvalidCaFile { reason, .. } = &error else {
            panic!("{path:?}: {error:?}");
        };
        assert!(reason.contains(expected), "{error}");
        assert!(
            error.to_string().contains(&*path.to_string_lossy()),
            "{error}"
        );
    }
}

#[tokio::test]
async fn a_ca_file_without_tls_is_refused() {
    for url in ["redis://h", "memory://"] {
        let error = Client::builder(url).ca_file("/ca.pem").connect().await;
        let error = error.unwrap_err().to_string();
        assert!(error.contains("ca_file is \"/ca.pem\""), "{error}");
        assert!(error.contains("rediss://"), "{error}");
    }
}

#[tokio::test]
async fn a_host_is_a_name_or_an_address_that_a_certificate_can_be_for() {
    let authority = Authority::new("ours");
    for host in ["[::1]", "127.0.0.1", "localhost", "under_score.invalid"] {
        let url = format!("rediss://{host}:1");
        let error = connect(&url, &authority.ca_file()).await.unwrap_err();
        assert!(
            matches!(error, ConnectError::Unavailable { .. }),
            "{error:?}"
        );
    }
    let error = connect("rediss://a..b", &authority.ca_file()).await;
    let error = error.unwrap_err().to_string();
    assert!(error.contains("\"a..b\" is no name"), "{error}");
}
