//! Takes connections, or turns them away.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::sleep;

use crate::connection;
use crate::control::Control;
use crate::rules::Refusal;

/// Connections that the kernel takes before the proxy does.
const BACKLOG: u32 = 1024;

/// How long to wait with the next when one cannot be taken.
const TOO_MANY: Duration = Duration::from_millis(10);

/// The one place where connections come in.
#[derive(Debug)]
pub(crate) struct Listener {
    control: Arc<Control>,
    server: SocketAddr,
    address: SocketAddr,
    /// Bound and never listening: keeps the port while nobody listens on it.
    _kept: TcpSocket,
    listening: Option<TcpListener>,
    connections: JoinSet<()>,
}

impl Listener {
    pub(crate) fn bind(control: Arc<Control>, server: SocketAddr) -> io::Result<Self> {
        let kept = bound((Ipv4Addr::LOCALHOST, 0).into())?;
        let address = kept.local_addr()?;
        Ok(Self {
            control,
            server,
            address,
            _kept: kept,
            listening: Some(bound(address)?.listen(BACKLOG)?),
            connections: JoinSet::new(),
        })
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Until it is dropped, and its connections with it.
    pub(crate) async fn run(mut self) {
        let mut changes = self.control.changes();
        loop {
            tokio::select! {
                biased;
                Ok(()) = changes.changed() => self.follow(&mut changes),
                client = next(self.listening.as_ref()) => self.take(client),
                Some(_) = self.connections.join_next() => {}
            }
        }
    }

    fn follow(&mut self, changes: &mut watch::Receiver<u64>) {
        let change = *changes.borrow_and_update();
        if self.control.refusal() == Some(Refusal::Closed) {
            self.listening = None;
        } else if self.listening.is_none() {
            let listening = bound(self.address).and_then(|socket| socket.listen(BACKLOG));
            self.listening = Some(listening.expect("the port was kept"));
        }
        self.control.follow(change);
    }

    fn take(&mut self, client: TcpStream) {
        if self.control.refusal().is_some() {
            self.control.note(|carried| carried.refused += 1);
            // An error means that it is closed already.
            let _ = client.set_zero_linger();
            return;
        }
        let (control, server) = (self.control.clone(), self.server);
        self.connections.spawn(async move {
            connection::serve(&control, client, server).await;
        });
    }
}

/// A socket that shares its port with others of this kind, of which one may listen.
fn bound(address: SocketAddr) -> io::Result<TcpSocket> {
    let socket = TcpSocket::new_v4()?;
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    Ok(socket)
}

/// The next connection; none ever where nobody listens.
async fn next(listening: Option<&TcpListener>) -> TcpStream {
    let Some(listening) = listening else {
        return std::future::pending().await;
    };
    loop {
        match listening.accept().await {
            Ok((client, _)) => return client,
            // Lost before it was taken, or there are too many for this process now.
            Err(_) => sleep(TOO_MANY).await,
        }
    }
}
