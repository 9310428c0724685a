//! A TCP proxy that hurts connections to the byte, for tests.
//!
//! A [`Proxy`] listens on a free port of loopback and passes every connection on to one server.
//! While it runs, it can be told to cut after exactly so many bytes, to hold bytes back, to pass
//! them on in slices or late, and to take no connections; [`Proxy::heal`] ends all of that. It
//! counts what it passes on.
//!
//! ```
//! use jobq_proxy::{Cut, Direction, Ending, Proxy};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> std::io::Result<()> {
//! # let server = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
//! let proxy = Proxy::start(server.local_addr()?).await?;
//! let before = proxy.carried();
//! proxy.cut(Direction::Reply, Cut::after(10, Ending::Reset));
//! // … a client of `proxy.address()` gets ten bytes of whatever the server answers.
//! let carried = proxy.carried() - before;
//! # assert_eq!(carried.reply, 0);
//! # Ok(())
//! # }
//! ```
//!
//! It runs on the runtime that started it and ends, with all its connections, when it is dropped.

mod connection;
mod control;
mod dice;
mod figures;
mod lane;
mod listener;
mod rules;

use std::io;
use std::net::SocketAddr;
use std::ops::RangeInclusive;
use std::sync::Arc;

use tokio::task::AbortHandle;

use self::control::Control;
pub use self::figures::Carried;
use self::listener::Listener;
use self::rules::Rules;
pub use self::rules::{Cut, Delay, Direction, Ending, Refusal, Slices};

/// A running proxy. Its methods may be called from anywhere, and act on what is under way too.
#[derive(Debug)]
pub struct Proxy {
    address: SocketAddr,
    control: Arc<Control>,
    listening: AbortHandle,
}

impl Proxy {
    /// Listens on a free port of loopback and passes on to `server`.
    ///
    /// # Errors
    ///
    /// That of the listening socket.
    pub async fn start(server: SocketAddr) -> io::Result<Self> {
        let control = Arc::new(Control::default());
        let listener = Listener::bind(control.clone(), server)?;
        let address = listener.address();
        let listening = tokio::spawn(listener.run()).abort_handle();
        Ok(Self {
            address,
            control,
            listening,
        })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The port of [`Proxy::address`].
    #[must_use]
    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// Ends connections after so many bytes of a direction, counted from now.
    pub fn cut(&self, direction: Direction, cut: Cut) {
        self.control
            .change(|rules| rules.lane(direction).cut = Some(cut));
    }

    /// Ends every open connection now, with what it holds back.
    pub fn cut_all(&self, ending: Ending) {
        self.control.end_all(ending);
    }

    /// Holds back whatever comes in a direction. Connections stay open, new ones are taken, and no
    /// end of one is passed on either.
    pub fn stall(&self, direction: Direction) {
        self.control
            .change(|rules| rules.lane(direction).stalled = true);
    }

    /// [`Proxy::stall`] in both directions, at one moment.
    pub fn stall_both(&self) {
        self.control.change(|rules| {
            rules.lane(Direction::Request).stalled = true;
            rules.lane(Direction::Reply).stalled = true;
        });
    }

    /// Carries nothing more of some connections, either way, for ever: as where a firewall has
    /// forgotten them. They go by their number, from 1 as they came; the last is
    /// [`Carried::connections`].
    pub fn forget(&self, connections: RangeInclusive<u64>) {
        self.control.change(|rules| rules.forget(connections));
    }

    /// Passes a direction on in slices, each in a write of its own.
    pub fn slice(&self, direction: Direction, slices: Slices) {
        self.control
            .change(|rules| rules.lane(direction).slices = Some(slices));
    }

    /// Lets what comes in a direction from now on take its time, in order.
    pub fn delay(&self, direction: Direction, delay: Delay) {
        self.control
            .change(|rules| rules.lane(direction).delay = Some(delay));
    }

    /// Takes no new connections. Open ones go on. Returns once it is so.
    pub async fn refuse(&self, refusal: Refusal) {
        self.control.change(|rules| rules.refusal = Some(refusal));
        self.control.is_followed().await;
    }

    /// Ends all that was ordered: what was held back is delivered, and connections are taken again
    /// once this returns. Connections that were cut or forgotten stay so.
    pub async fn heal(&self) {
        self.control.change(Rules::heal);
        self.control.is_followed().await;
    }

    /// What was carried until now. The difference of two says what was carried between them.
    #[must_use]
    pub fn carried(&self) -> Carried {
        self.control.carried()
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.listening.abort();
    }
}
