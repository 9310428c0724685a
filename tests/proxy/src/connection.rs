//! One connection of a client, and the one to the server that goes with it.

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::control::{Control, Lane};
use crate::lane::{End, carry};
use crate::rules::{Direction, Ending};

/// Carries a connection to its end.
pub(crate) async fn serve(control: &Control, mut client: TcpStream, server: SocketAddr) {
    let mut ends = control.ends();
    let number = control.number();
    let Ok(mut server) = TcpStream::connect(server).await else {
        control.note(|carried| carried.refused += 1);
        reset(&client);
        return;
    };
    // Without, the kernel would join slices again. An error means that the socket is closed.
    let _ = (client.set_nodelay(true), server.set_nodelay(true));
    let ending = tokio::select! {
        ending = both(control, number, &mut client, &mut server) => ending,
        Ok(ending) = ends.recv() => ending,
    };
    match ending {
        Ending::Finish => finish(&mut client, &mut server).await,
        Ending::Reset => {
            reset(&client);
            reset(&server);
        }
    }
}

/// Carries both ways. Answers how the two connections are to end.
async fn both(
    control: &Control,
    number: u64,
    client: &mut TcpStream,
    server: &mut TcpStream,
) -> Ending {
    let (from_client, to_client) = client.split();
    let (from_server, to_server) = server.split();
    let request = carry(
        control,
        Lane(Direction::Request, number),
        from_client,
        to_server,
    );
    let reply = carry(
        control,
        Lane(Direction::Reply, number),
        from_server,
        to_client,
    );
    tokio::pin!(request, reply);
    let first = tokio::select! {
        end = &mut request => ending(end).ok_or(Direction::Reply),
        end = &mut reply => ending(end).ok_or(Direction::Request),
    };
    // A side that has said all may still be answered.
    let last = match first {
        Ok(ending) => return ending,
        Err(Direction::Request) => request.await,
        Err(Direction::Reply) => reply.await,
    };
    ending(last).unwrap_or(Ending::Finish)
}

fn ending(end: End) -> Option<Ending> {
    match end {
        End::Said => None,
        End::Lost => Some(Ending::Reset),
        End::Cut(ending) => Some(ending),
    }
}

/// Has the kernel send a RST when the socket is closed, and nothing more of what waits.
fn reset(stream: &TcpStream) {
    // An error means that it is closed.
    let _ = stream.set_zero_linger();
}

/// Sends a FIN both ways, and goes once both have answered with theirs: a socket that is closed
/// with something unread sends a RST.
async fn finish(client: &mut TcpStream, server: &mut TcpStream) {
    tokio::join!(part(client), part(server));
}

async fn part(stream: &mut TcpStream) {
    // An error means that the other side is gone.
    let _ = stream.shutdown().await;
    let mut unread = vec![0; 4096];
    while let Ok(1..) = stream.read(&mut unread).await {}
}
