//! Ports of tests: each for one of them alone.

use std::net::{Ipv4Addr, SocketAddr, TcpStream, UdpSocket};
use std::ops::Range;
use std::process;
use std::sync::atomic::{AtomicU32, Ordering};

/// None of those that the system gives to connections and to whoever asks for any port: from 32,768 on
/// Linux, later elsewhere.
const NUMBERS: Range<u16> = 10_000..32_768;

/// How far apart two processes begin to look, so that they seldom meet.
const APART: u32 = 61;

/// A port on loopback for TCP that stays this test's until it is dropped, also while nobody listens
/// there: no connection goes out from it, and no other test is given it.
#[derive(Debug)]
pub struct Port {
    number: u16,
    /// The port of this number for UDP, by which tests of all processes know that it is taken.
    _mark: UdpSocket,
}

impl Port {
    /// One that nobody listens on.
    ///
    /// # Panics
    ///
    /// When there is none left.
    #[must_use]
    pub fn free() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let numbers = u32::from(NUMBERS.end - NUMBERS.start);
        let first = process::id().wrapping_mul(APART);
        let candidates = (0..numbers).map(|_| {
            let at = first.wrapping_add(NEXT.fetch_add(1, Ordering::Relaxed)) % numbers;
            NUMBERS.start + u16::try_from(at).expect("it is below their number")
        });
        let mut free = candidates.filter_map(Self::take);
        free.next().expect("loopback has a free port")
    }

    fn take(number: u16) -> Option<Self> {
        let mark = UdpSocket::bind((Ipv4Addr::LOCALHOST, number)).ok()?;
        let port = Self {
            number,
            _mark: mark,
        };
        (!port.is_listened_on()).then_some(port)
    }

    /// Whether somebody listens there. Who has closed a listener may have to wait until nobody does: a
    /// program that another test starts has that listener too, for a moment.
    #[must_use]
    pub(crate) fn is_listened_on(&self) -> bool {
        // Not by a listener of our own, which such a program would have as well.
        TcpStream::connect(self.address()).is_ok()
    }

    /// Its number.
    #[must_use]
    pub fn number(&self) -> u16 {
        self.number
    }

    /// Where it is.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.number).into()
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    #[tokio::test]
    async fn a_port_is_given_out_once_and_again_when_it_is_dropped() {
        let port = Port::free();
        let number = port.number();
        assert!(NUMBERS.contains(&number), "{number}");
        assert!(Port::take(number).is_none());
        assert_ne!(Port::free().number(), number);
        drop(port);
        crate::eventually("the port", async || Port::take(number)).await;
    }

    #[test]
    fn where_somebody_listens_it_is_not_free() {
        let port = Port::free();
        let number = port.number();
        let _listener = TcpListener::bind(port.address()).unwrap();
        drop(port);
        assert!(Port::take(number).is_none());
    }
}
