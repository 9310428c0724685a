//! Asks over HTTP, by the few words that this takes.

use std::io::Write as _;
use std::net::SocketAddr;
use std::process::{Command, Stdio};

use support::jobs::QUEUE;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::fixture::Fixture;
use crate::program::{Program, command};

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Answer {
    pub(super) code: u16,
    pub(super) head: String,
    pub(super) body: String,
}

impl Answer {
    /// As probes get it, whatever day it is.
    pub(super) fn plain(code: u16, body: &str) -> Self {
        Self {
            code,
            head: String::new(),
            body: body.to_owned(),
        }
    }

    fn read(text: &str) -> Self {
        let (head, body) = text.split_once("\r\n\r\n").expect("an answer has a head");
        let code = head.split(' ').nth(1).and_then(|code| code.parse().ok());
        // Of plain texts nobody asks for more.
        let head = match head.contains("text/plain") {
            true => String::new(),
            false => head.to_owned(),
        };
        Self {
            code: code.expect("an answer has a code"),
            head,
            body: body.to_owned(),
        }
    }
}

/// A worker process that serves on a port of its own, and where.
pub(super) async fn serve(fixture: &Fixture, args: &[&str]) -> (Program, SocketAddr) {
    serve_at(command().args(["--url", &fixture.url]).args(args)).await
}

pub(super) async fn serve_at(command: &mut Command) -> (Program, SocketAddr) {
    let program = Program::launch(command.args(["--queues", QUEUE, "--http", "0"]));
    let found = async || {
        let log = program.log();
        let (_, at) = log.split_once("serving http://")?;
        let (at, _) = at.split_once(": ")?;
        at.parse().ok()
    };
    let at: SocketAddr = support::eventually("the address", found).await;
    assert!(at.ip().is_loopback(), "{at}");
    (program, at)
}

/// The answer to one request of a connection.
pub(super) async fn ask(at: SocketAddr, request: &str) -> Answer {
    let asking = async {
        let mut stream = TcpStream::connect(at).await.unwrap();
        let request = format!("{request} HTTP/1.1\r\nHost: worker\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).await.unwrap();
        Answer::read(&text)
    };
    support::within("an answer", asking).await
}

/// Asks until this is the answer.
pub(super) async fn eventually(at: SocketAddr, request: &str, code: u16, says: &str) {
    let what = format!("{request}: {code} {says}");
    let so = async || {
        let answer = ask(at, request).await;
        (answer.code == code && answer.body.contains(says)).then_some(())
    };
    support::eventually(&what, so).await;
}

pub(super) async fn ready(at: SocketAddr) {
    eventually(at, "GET /readyz", 200, "ready").await;
}

pub(super) async fn unready(at: SocketAddr, why: &str) {
    eventually(at, "GET /readyz", 503, why).await;
}

/// Runs a program on a text: whether it is content, and all it says.
pub(super) fn feed(command: &mut Command, text: &str) -> (bool, String) {
    let command = command.stdin(Stdio::piped()).stdout(Stdio::piped());
    let child = command.stderr(Stdio::piped()).spawn();
    let mut child = child.expect("promtool, of Debian's package `prometheus`, is installed");
    let mut stdin = child.stdin.take().expect("it was asked for");
    stdin.write_all(text.as_bytes()).unwrap();
    drop(stdin);
    let output = child.wait_with_output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    (
        output.status.success(),
        String::from_utf8_lossy(&said).into_owned(),
    )
}
