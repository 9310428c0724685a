use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::thread;

use super::*;

fn ask(server: &RedisServer, command: &str) -> io::Result<String> {
    let mut stream = TcpStream::connect(("127.0.0.1", server.port()))?;
    stream.write_all(format!("{command}\r\nQUIT\r\n").as_bytes())?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer)
}

#[test]
fn a_started_server_answers_and_a_dropped_one_is_gone() {
    let server = RedisServer::start();
    assert!(ask(&server, "PING").unwrap().starts_with("+PONG"));
    let process = PathBuf::from(format!("/proc/{}", server.pid()));
    let folder = server.folder.path().to_owned();
    assert!(process.exists() && folder.exists());
    drop(server);
    assert!(!process.exists() && !folder.exists());
}

#[test]
fn a_restarted_server_has_its_port_and_what_it_kept_on_disk() {
    let mut server = RedisServer::start_with(&[("appendonly", "yes"), ("appendfsync", "always")]);
    let port = server.port();
    ask(&server, "SET a b").unwrap();
    server.kill();
    assert!(ask(&server, "GET a").is_err());
    server.restart();
    assert_eq!(server.port(), port);
    assert!(ask(&server, "GET a").unwrap().contains('b'));
}

#[test]
fn a_server_starts_once_nobody_else_listens_on_its_port() {
    let mut server = RedisServer::start();
    server.kill();
    let other = TcpListener::bind(server.address()).unwrap();
    let other = thread::spawn(move || drop(other.accept().unwrap()));
    server.restart();
    other.join().unwrap();
    assert!(ask(&server, "PING").unwrap().starts_with("+PONG"));
}

#[test]
fn a_server_without_disk_forgets() {
    let mut server = RedisServer::start();
    ask(&server, "SET a b").unwrap();
    server.restart();
    assert!(ask(&server, "GET a").unwrap().starts_with("$-1"));
}

#[test]
fn a_server_ends_with_the_process_that_started_it() {
    let mut server = RedisServer::start();
    let process = PathBuf::from(format!("/proc/{}", server.pid()));
    let running = server.running.as_mut().unwrap();
    // What the end of this process does to the guard.
    drop(running.guard.stdin.take());
    running.guard.wait().unwrap();
    running.server.wait().unwrap();
    assert!(!process.exists() && !server.folder.path().exists());
}
