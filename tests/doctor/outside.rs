//! Without a server, with a wrong command line, and without a reader.

use crate::fixture::*;
use crate::schema;

/// Where nobody listens.
fn url_of(port: &Port) -> String {
    format!("redis://{}", port.address())
}

#[tokio::test]
async fn without_a_server_it_is_unavailable() {
    let nobody = Port::free();
    let url = url_of(&nobody);
    let ran = run(command(&["--url", &url, "doctor"])).await;
    assert_eq!((ran.code, &ran.out[..]), (69, ""), "{ran:?}");
    let ran = run(command(&["--url", &url, "health"])).await;
    assert_eq!(ran.code, 69, "{ran:?}");
    let document = ran.document();
    schema::check("health", &document);
    assert_eq!(document["status"], "error");
    assert_eq!(document["reasons"][0]["check"], "broker");
}

#[tokio::test]
async fn a_server_that_is_silent_is_given_up() {
    let server = RedisServer::start();
    server.signal("STOP");
    for args in ["doctor", "health"] {
        let ran = run(command(&["--url", &server.url(), args])).await;
        assert_eq!(ran.code, 69, "{ran:?}");
    }
    server.signal("CONT");
}

#[tokio::test]
async fn what_is_no_limit_or_no_role_is_refused() {
    let nobody = Port::free();
    let url = url_of(&nobody);
    for args in [
        &["health", "--max-ready"][..],
        &["health", "--max-ready", "-1"],
        &["health", "--max-ready", "ten"],
        &["health", "--max-ready", "99999999999999999999"],
        &["health", "--max-ready", "9,1"],
        &["health", "--max-age", "10"],
        &["health", "--max-age", "-1s"],
        &["health", "--max-dead", "1.5"],
        &["health", "--max-failure-rate", "0.5"],
        &["health", "--max-failure-rate", "101%"],
        &["health", "--max-failure-rate", "NaN%"],
        &["health", "--over", "0s"],
        &["health", "--max-memory", "80"],
        &["health", "--max-memory", "80MB"],
        &["doctor", "--role"],
        &["doctor", "--role", "admin"],
        &["doctor", "mail"],
    ] {
        let ran = run(command(&[&["--url", &url], args].concat())).await;
        assert_eq!(ran.code, 2, "{args:?}: {ran:?}");
        assert!(!ran.err.is_empty(), "{args:?}");
    }
}

#[cfg(unix)]
#[tokio::test]
async fn arguments_that_are_no_text_are_refused() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt as _;
    for flag in ["--max-ready", "--max-age", "--max-memory", "--over"] {
        let mut command = command(&["health", flag]);
        command.arg(OsStr::from_bytes(b"\xff\xfe"));
        let ran = run(command).await;
        assert_eq!(ran.code, 2, "{flag}: {ran:?}");
    }
}

#[tokio::test]
async fn a_reader_who_has_gone_changes_no_exit_code() {
    // Nothing is kept on its disk, and there is no queue.
    let server = RedisServer::start();
    for args in [&["doctor"][..], &["--json", "doctor"], &["health"]] {
        let asked = || command(&[&["--url", &server.url()], args].concat());
        let code = run(asked()).await.code;
        assert_ne!(code, 0, "{args:?}");
        let (_, unread) = std::io::pipe().unwrap();
        let mut asked = asked();
        asked.stdout(unread);
        let ran = run(asked).await;
        assert_eq!((ran.code, &ran.err[..]), (code, ""), "{args:?}");
    }
}
