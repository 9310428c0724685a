//! What connecting says: of the URL, of settings, of the server.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use jobq::{Client, ClientBuilder};
use support::strangers::{aged, answering};
use support::{Authority, RedisServer};

use crate::PASSWORD;
use crate::document::Document;

pub(crate) async fn collect(document: &mut Document) {
    document.group("connecting: the URL");
    for url in [
        "",
        "127.0.0.1",
        "localhost:6379",
        "redis:127.0.0.1",
        "mysql://127.0.0.1",
        "http://127.0.0.1",
        "memory://host",
        "memory:",
        "redis://127.0.0.1:0",
        "redis://127.0.0.1:65536",
        "redis://127.0.0.1:port",
        "redis://127.0.0.1/jobs",
        "redis://127.0.0.1/-1",
        "redis://127.0.0.1?db=1",
        "redis://127.0.0.1?namespace=a&namespace=b",
        "redis://127.0.0.1?namespace=a%20b",
        "redis://127.0.0.1#jobs",
        "redis://:hunter2@[::1",
        "redis://:hunter2/@127.0.0.1",
        "redis://:hunter2#@127.0.0.1",
        "redis://:hunter2%@127.0.0.1",
        "redis://:hunter2?@127.0.0.1",
        "redis://a b:hunter2@host name",
    ] {
        refuse(document, &format!("connect({url:?})"), Client::builder(url)).await;
    }
    document.group("connecting: settings");
    settings(document).await;
    document.group("connecting: the server");
    servers(document).await;
    document.group("connecting: TLS");
    certificates(document).await;
}

async fn settings(document: &mut Document) {
    let builder = || Client::builder("memory://");
    let redis = || Client::builder("redis://127.0.0.1");
    let no_time = builder().timeout(Duration::ZERO);
    refuse(document, ".timeout(Duration::ZERO)", no_time).await;
    let tiny = builder().max_payload(10);
    refuse(document, ".max_payload(10)", tiny).await;
    let huge = builder().max_payload(1 << 30);
    refuse(document, ".max_payload(1 << 30)", huge).await;
    let blank = redis().namespace("my shop");
    refuse(document, ".namespace(\"my shop\")", blank).await;
    let plain = redis().ca_file("/etc/ca.pem");
    refuse(document, "redis:// with .ca_file(\"/etc/ca.pem\")", plain).await;
    let in_memory = builder().ca_file("/etc/ca.pem");
    refuse(
        document,
        "memory:// with .ca_file(\"/etc/ca.pem\")",
        in_memory,
    )
    .await;
}

async fn servers(document: &mut Document) {
    let nobody = "redis://:hunter2@127.0.0.1:1";
    refuse(document, nobody, quick(nobody)).await;
    let unknown = "redis://:hunter2@no-such-host.invalid";
    refuse(document, unknown, quick(unknown)).await;

    let server = RedisServer::start_with(&[("requirepass", "right"), ("databases", "2")]);
    vary_address(document, &server.url());
    let at = |login: &str| server.url().replace("//", &format!("//{login}"));
    for (login, path) in [
        ("", ""),
        ("hunter2@", ""),
        (":hunter2@", ""),
        ("ann:hunter2@", ""),
        (":right@", "/7"),
    ] {
        let url = at(login) + path;
        refuse(document, &url, quick(&url)).await;
    }
    let beside = quick(&server.url()).username("ann");
    refuse(document, ".username(\"ann\") and no password", beside).await;
    say(
        &server,
        "AUTH right\r\nACL SETUSER ann on >hunter2 ~* +auth +hello +client +ping",
    );
    let url = at("ann:hunter2@");
    refuse(document, "a user without the right to TIME", quick(&url)).await;

    let old = format!("redis://:right@{}", aged(&server));
    vary_address(document, &old);
    refuse(document, "Redis 6", quick(&old)).await;
    for (what, answer) in [
        (
            "a web server",
            "HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n",
        ),
        (
            "a server that knows no HELLO",
            "-ERR unknown command `HELLO`, with args beginning with: `3`, \r\n",
        ),
        (
            "a server that loads its data",
            "-LOADING Redis is loading the dataset in memory\r\n",
        ),
        (
            "a server with too many clients",
            "-ERR max number of clients reached\r\n",
        ),
        ("a server that answers nothing", ""),
    ] {
        let url = format!("redis://:hunter2@{}", answering(answer));
        vary_address(document, &url);
        refuse(document, what, quick(&url)).await;
    }
}

async fn certificates(document: &mut Document) {
    const HOST: &str = "127.0.0.1";
    let (ours, theirs) = (Authority::new("ours"), Authority::new("theirs"));
    let ca_file = ours.ca_file();
    let folder = ca_file.parent().unwrap().to_owned();
    document.vary(folder.to_string_lossy(), "FOLDER");
    let other = theirs.ca_file();
    document.vary(other.parent().unwrap().to_string_lossy(), "FOLDER");
    let with = |url: &str, path| quick(url).ca_file(path);

    let server = RedisServer::start_tls(&ours.certify(HOST), &[]);
    let url = server.url();
    vary_address(document, &url);
    refuse(
        document,
        "a certificate of another authority",
        with(&url, other),
    )
    .await;
    let localhost = url.replace(HOST, "localhost");
    vary_address(document, &localhost);
    refuse(
        document,
        "a certificate for another host",
        with(&localhost, ca_file.clone()),
    )
    .await;
    let plainly = url.replace("rediss:", "redis:");
    refuse(
        document,
        "redis:// to a port that speaks TLS",
        quick(&plainly),
    )
    .await;
    let missing = folder.join("missing.pem");
    refuse(document, "a ca_file that is not there", with(&url, missing)).await;
    let text = folder.join("text.pem");
    std::fs::write(&text, "hello").unwrap();
    refuse(
        document,
        "a ca_file that holds no certificate",
        with(&url, text),
    )
    .await;

    let error = jobq::ConnectError::NoAuthorities { source: None };
    document.error("a system without certificate authorities", &error);

    let expired = RedisServer::start_tls(&ours.certify_expired(HOST), &[]);
    vary_address(document, &expired.url());
    refuse(
        document,
        "a certificate that has expired",
        with(&expired.url(), ca_file.clone()),
    )
    .await;
    let plain = RedisServer::start();
    vary_address(document, &plain.url());
    let url = plain.url().replace("redis:", "rediss:");
    refuse(
        document,
        "rediss:// to a port that speaks no TLS",
        with(&url, ca_file),
    )
    .await;
}

pub(crate) fn vary_address(document: &mut Document, url: &str) {
    let address = url.rsplit(['@', '/']).next().unwrap_or_default();
    let host = address.split(':').next().unwrap_or_default();
    document.vary(address, format!("{host}:PORT"));
}

/// For servers that are asked again until the time is up.
fn quick(url: &str) -> ClientBuilder {
    Client::builder(url).timeout(Duration::from_secs(1))
}

async fn refuse(document: &mut Document, cause: &str, builder: ClientBuilder) {
    let shown = cause.replace(PASSWORD, "PASSWORD");
    match builder.connect().await {
        Err(error) => document.error(&shown, &error),
        Ok(client) => panic!("{cause} is {client:?}"),
    }
}

/// Says lines to a server, as a person would through `nc`.
pub(crate) fn say(server: &RedisServer, lines: &str) {
    let mut stream = TcpStream::connect(("127.0.0.1", server.port())).unwrap();
    write!(stream, "{lines}\r\nQUIT\r\n").unwrap();
    let mut answers = String::new();
    stream.read_to_string(&mut answers).unwrap();
    assert!(!answers.contains("-ERR"), "{answers}");
}
