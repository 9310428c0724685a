//! What may listen where a Redis is expected, and is none that jobq can use.

use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread;

use crate::RedisServer;

/// The way to a server on which it says of itself that it is a version 6: `127.0.0.1:port`.
///
/// # Panics
///
/// When loopback has no free port.
#[must_use]
pub fn aged(server: &RedisServer) -> String {
    let port = server.port();
    listen(move |client| {
        let Ok(server) = TcpStream::connect(("127.0.0.1", port)) else {
            return;
        };
        let (Ok(mut asks), Ok(mut asked)) = (client.try_clone(), server.try_clone()) else {
            return;
        };
        thread::spawn(move || io::copy(&mut asks, &mut asked));
        pass_on_aged(server, client);
    })
}

/// A server that gives the same answer to every command: `127.0.0.1:port`.
///
/// # Panics
///
/// When loopback has no free port.
#[must_use]
pub fn answering(answer: &'static str) -> String {
    listen(move |mut client| {
        let mut buffer = [0; 1 << 10];
        while let Ok(read @ 1..) = client.read(&mut buffer) {
            // Each command is an array.
            let commands = buffer[..read].iter().filter(|byte| **byte == b'*').count();
            if client
                .write_all(answer.repeat(commands).as_bytes())
                .is_err()
            {
                return;
            }
        }
    })
}

/// A server that takes connections and says nothing: `127.0.0.1:port`.
///
/// # Panics
///
/// When loopback has no free port.
#[must_use]
pub fn silent() -> String {
    answering("")
}

/// Serves each client in a thread of its own, until the process ends.
fn listen(serve: impl Fn(TcpStream) + Clone + Send + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("loopback has a free port");
    let address = listener
        .local_addr()
        .expect("a bound socket has an address");
    thread::spawn(move || {
        for client in listener.incoming().flatten() {
            let serve = serve.clone();
            thread::spawn(move || serve(client));
        }
    });
    address.to_string()
}

fn pass_on_aged(mut from: TcpStream, mut to: TcpStream) {
    const VERSION: &[u8] = b"redis_version:";
    let mut buffer = vec![0; 1 << 16];
    while let Ok(read @ 1..) = from.read(&mut buffer) {
        let answer = &mut buffer[..read];
        if let Some(at) = answer.windows(VERSION.len()).position(|w| w == VERSION) {
            answer[at + VERSION.len()] = b'6';
        }
        if to.write_all(answer).is_err() {
            return;
        }
    }
}
