//! What the proxy does to connections, seen from both of their ends.

#![expect(clippy::unwrap_used, reason = "a test ends where it fails")]

use std::io::{self, ErrorKind};
use std::num::NonZeroUsize;
use std::time::Duration;

use jobq_proxy::{Carried, Cut, Delay, Direction, Ending, Proxy, Refusal, Slices};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{Instant, timeout};

const TEN: &[u8] = b"0123456789";

/// How long anything may take.
const DEADLINE: Duration = Duration::from_secs(30);

/// A proxy before a server of the test's own.
struct Way {
    proxy: Proxy,
    server: TcpListener,
}

/// The two ends of a connection through it.
struct Ends {
    client: TcpStream,
    server: TcpStream,
}

impl Way {
    async fn new() -> Self {
        let server = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let proxy = Proxy::start(server.local_addr().unwrap()).await.unwrap();
        Self { proxy, server }
    }

    async fn connect(&self) -> Ends {
        let client = TcpStream::connect(self.proxy.address()).await.unwrap();
        let (server, _) = within(self.server.accept()).await.unwrap();
        Ends { client, server }
    }
}

impl Ends {
    /// Who sends in a direction, and who receives.
    fn of(&mut self, direction: Direction) -> (&mut TcpStream, &mut TcpStream) {
        match direction {
            Direction::Request => (&mut self.client, &mut self.server),
            Direction::Reply => (&mut self.server, &mut self.client),
        }
    }
}

async fn within<T>(event: impl Future<Output = T>) -> T {
    timeout(DEADLINE, event).await.expect("it takes too long")
}

/// All that comes, and how it ends.
async fn all(stream: &mut TcpStream) -> (Vec<u8>, io::Result<()>) {
    let mut bytes = Vec::new();
    let end = within(stream.read_to_end(&mut bytes)).await;
    (bytes, end.map(drop))
}

async fn ten(stream: &mut TcpStream) -> [u8; 10] {
    let mut bytes = [0; 10];
    within(stream.read_exact(&mut bytes)).await.unwrap();
    bytes
}

fn assert_ended(end: &io::Result<()>, ending: Ending) {
    let reset = end
        .as_ref()
        .is_err_and(|error| error.kind() == ErrorKind::ConnectionReset);
    match ending {
        Ending::Finish => assert!(end.is_ok(), "{end:?}"),
        Ending::Reset => assert!(reset, "{end:?}"),
    }
}

#[tokio::test]
async fn bytes_go_both_ways_and_are_counted() {
    let way = Way::new().await;
    let mut ends = way.connect().await;
    let before = way.proxy.carried();
    ends.client.write_all(TEN).await.unwrap();
    assert_eq!(ten(&mut ends.server).await, TEN);
    ends.server.write_all(TEN).await.unwrap();
    ends.server.write_all(TEN).await.unwrap();
    assert_eq!(ten(&mut ends.client).await, TEN);
    assert_eq!(ten(&mut ends.client).await, TEN);
    let carried = way.proxy.carried();
    assert_eq!(carried.connections, 1);
    let expected = Carried {
        request: 10,
        reply: 20,
        ..Carried::default()
    };
    assert_eq!(carried - before, expected);
}

#[tokio::test]
async fn who_has_said_all_is_still_answered() {
    let way = Way::new().await;
    let mut ends = way.connect().await;
    ends.client.write_all(TEN).await.unwrap();
    ends.client.shutdown().await.unwrap();
    assert_eq!(all(&mut ends.server).await.0, TEN);
    ends.server.write_all(TEN).await.unwrap();
    drop(ends.server);
    let (bytes, end) = all(&mut ends.client).await;
    assert_eq!(bytes, TEN);
    assert_ended(&end, Ending::Finish);
}

#[tokio::test]
async fn who_is_gone_is_gone_on_the_other_side_too() {
    for direction in Direction::BOTH {
        let way = Way::new().await;
        let mut ends = way.connect().await;
        let (from, _) = ends.of(direction);
        from.set_zero_linger().unwrap();
        let (from, mut to) = match direction {
            Direction::Request => (ends.client, ends.server),
            Direction::Reply => (ends.server, ends.client),
        };
        drop(from);
        assert_ended(&all(&mut to).await.1, Ending::Reset);
    }
}

#[tokio::test]
async fn exactly_as_many_bytes_arrive_as_a_cut_lets_pass_and_then_its_end() {
    let way = Way::new().await;
    for direction in Direction::BOTH {
        for ending in [Ending::Finish, Ending::Reset] {
            for bytes in [0, 1, 5, 9, 10] {
                for cut in [Cut::after(bytes, ending), Cut::each_after(bytes, ending)] {
                    let mut ends = way.connect().await;
                    let before = way.proxy.carried();
                    way.proxy.cut(direction, cut);
                    let (from, to) = ends.of(direction);
                    from.write_all(TEN).await.unwrap();
                    let (arrived, end) = all(to).await;
                    let bytes = usize::try_from(bytes).unwrap();
                    assert_eq!(arrived, TEN[..bytes], "{direction:?} {cut:?}");
                    assert_ended(&end, ending);
                    let (nothing, end) = all(from).await;
                    assert!(nothing.is_empty(), "{nothing:?}");
                    assert_ended(&end, ending);
                    let carried = way.proxy.carried() - before;
                    assert_eq!(carried.bytes(direction), bytes as u64);
                    assert_eq!(carried.cuts, 1);
                    way.proxy.heal().await;
                }
            }
        }
    }
}

#[tokio::test]
async fn a_cut_counts_the_bytes_of_all_connections_and_ends_one() {
    let way = Way::new().await;
    let (mut one, mut other) = (way.connect().await, way.connect().await);
    way.proxy
        .cut(Direction::Request, Cut::after(15, Ending::Finish));
    one.client.write_all(TEN).await.unwrap();
    assert_eq!(ten(&mut one.server).await, TEN);
    other.client.write_all(TEN).await.unwrap();
    assert_eq!(all(&mut other.server).await.0, TEN[..5]);
    one.client.write_all(TEN).await.unwrap();
    assert_eq!(ten(&mut one.server).await, TEN);
}

#[tokio::test]
async fn a_cut_for_each_ends_each_until_healed() {
    let way = Way::new().await;
    let cut = Cut::each_after(5, Ending::Finish);
    way.proxy.cut(Direction::Request, cut);
    for _ in 0..2 {
        let mut ends = way.connect().await;
        ends.client.write_all(TEN).await.unwrap();
        assert_eq!(all(&mut ends.server).await.0, TEN[..5]);
    }
    way.proxy.heal().await;
    let mut ends = way.connect().await;
    ends.client.write_all(TEN).await.unwrap();
    assert_eq!(ten(&mut ends.server).await, TEN);
}

#[tokio::test]
async fn all_connections_are_cut_at_once() {
    let way = Way::new().await;
    for ending in [Ending::Finish, Ending::Reset] {
        let mut pairs = [way.connect().await, way.connect().await];
        for ends in &mut pairs {
            // So that it is known to be under way.
            ends.client.write_all(TEN).await.unwrap();
            assert_eq!(ten(&mut ends.server).await, TEN);
        }
        way.proxy.cut_all(ending);
        for mut ends in pairs {
            for direction in Direction::BOTH {
                assert_ended(&all(ends.of(direction).0).await.1, ending);
            }
        }
    }
}

#[tokio::test]
async fn a_stall_of_one_direction_holds_it_and_not_the_other_and_delivers_in_order() {
    for direction in Direction::BOTH {
        let way = Way::new().await;
        let mut ends = way.connect().await;
        way.proxy.stall(direction);
        let (from, to) = ends.of(direction);
        from.write_all(TEN).await.unwrap();
        to.write_all(TEN).await.unwrap();
        assert_eq!(ten(from).await, TEN);
        from.write_all(b"x").await.unwrap();
        assert_eq!(way.proxy.carried().bytes(direction), 0);
        assert_eq!(
            to.try_read(&mut [0]).unwrap_err().kind(),
            ErrorKind::WouldBlock
        );
        way.proxy.heal().await;
        assert_eq!(ten(to).await, TEN);
        assert_eq!(within(to.read_u8()).await.unwrap(), b'x');
    }
}

#[tokio::test]
async fn a_stall_of_both_takes_connections_and_lets_nothing_pass() {
    let way = Way::new().await;
    way.proxy.stall_both();
    let mut ends = way.connect().await;
    ends.client.write_all(TEN).await.unwrap();
    ends.server.write_all(TEN).await.unwrap();
    let silent = timeout(Duration::from_millis(50), ends.client.read_u8());
    assert!(silent.await.is_err());
    assert_eq!(
        (way.proxy.carried().request, way.proxy.carried().reply),
        (0, 0)
    );
    way.proxy.heal().await;
    assert_eq!(ten(&mut ends.server).await, TEN);
    assert_eq!(ten(&mut ends.client).await, TEN);
}

#[tokio::test]
async fn a_forgotten_connection_stays_silent_and_others_go_on() {
    let way = Way::new().await;
    let mut forgotten = way.connect().await;
    let mut other = way.connect().await;
    way.proxy.forget(1..=1);
    way.proxy.heal().await;
    for direction in Direction::BOTH {
        let (from, _) = forgotten.of(direction);
        from.write_all(TEN).await.unwrap();
        let (from, to) = other.of(direction);
        from.write_all(TEN).await.unwrap();
        assert_eq!(ten(to).await, TEN);
        assert_eq!(way.proxy.carried().bytes(direction), 10);
    }
}

#[tokio::test]
async fn what_was_held_back_arrives_though_its_sender_has_gone() {
    for ending in [Ending::Finish, Ending::Reset] {
        let way = Way::new().await;
        let mut ends = way.connect().await;
        way.proxy.stall(Direction::Request);
        ends.client.write_all(TEN).await.unwrap();
        if ending == Ending::Reset {
            // It is answered once it has been read.
            ends.server.write_all(TEN).await.unwrap();
            assert_eq!(ten(&mut ends.client).await, TEN);
            ends.client.set_zero_linger().unwrap();
        }
        drop(ends.client);
        let silent = timeout(Duration::from_millis(50), ends.server.read_u8());
        assert!(silent.await.is_err(), "no end is passed on either");
        way.proxy.heal().await;
        let (bytes, end) = all(&mut ends.server).await;
        assert_eq!(bytes, TEN);
        assert_ended(&end, ending);
    }
}

#[tokio::test]
async fn slices_arrive_one_after_the_other() {
    let way = Way::new().await;
    let mut ends = way.connect().await;
    let (bytes, pause) = (NonZeroUsize::new(4).unwrap(), Duration::from_millis(30));
    way.proxy.slice(Direction::Request, Slices { bytes, pause });
    let began = Instant::now();
    ends.client.write_all(TEN).await.unwrap();
    let mut arrived = Vec::new();
    while arrived.len() < TEN.len() {
        let read = within(ends.server.read_buf(&mut arrived)).await.unwrap();
        assert!((1..=4).contains(&read), "{read}");
    }
    assert_eq!(arrived, TEN);
    assert!(began.elapsed() >= 2 * pause);
}

#[tokio::test]
async fn what_is_delayed_comes_late_and_in_order() {
    let way = Way::new().await;
    let mut ends = way.connect().await;
    let by = Duration::from_millis(30);
    let delay = Delay {
        jitter: by / 2,
        seed: 1,
        ..Delay::of(by)
    };
    way.proxy.delay(Direction::Reply, delay);
    let began = Instant::now();
    for byte in TEN {
        ends.server.write_u8(*byte).await.unwrap();
    }
    assert_eq!(ten(&mut ends.client).await, TEN);
    assert!(began.elapsed() >= by / 2);
}

#[tokio::test]
async fn connections_are_turned_away_as_asked_and_taken_again_at_the_same_port() {
    let way = Way::new().await;
    let mut open = way.connect().await;
    way.proxy.refuse(Refusal::Closed).await;
    let refused = TcpStream::connect(way.proxy.address()).await;
    assert_eq!(refused.unwrap_err().kind(), ErrorKind::ConnectionRefused);
    way.proxy.refuse(Refusal::Reset).await;
    let mut reset = TcpStream::connect(way.proxy.address()).await.unwrap();
    assert_ended(&all(&mut reset).await.1, Ending::Reset);
    open.client.write_all(TEN).await.unwrap();
    assert_eq!(ten(&mut open.server).await, TEN);
    way.proxy.heal().await;
    let mut ends = way.connect().await;
    ends.client.write_all(TEN).await.unwrap();
    assert_eq!(ten(&mut ends.server).await, TEN);
    let carried = way.proxy.carried();
    assert_eq!((carried.connections, carried.refused), (2, 1));
}

#[tokio::test]
async fn a_server_that_is_not_there_resets_who_connects() {
    let Way { proxy, server } = Way::new().await;
    drop(server);
    let mut client = TcpStream::connect(proxy.address()).await.unwrap();
    assert_ended(&all(&mut client).await.1, Ending::Reset);
    assert_eq!(proxy.carried().refused, 1);
}

#[tokio::test]
async fn a_proxy_ends_with_all_its_connections() {
    let Way { proxy, server } = Way::new().await;
    let mut client = TcpStream::connect(proxy.address()).await.unwrap();
    let (mut accepted, _) = within(server.accept()).await.unwrap();
    client.write_all(TEN).await.unwrap();
    assert_eq!(ten(&mut accepted).await, TEN);
    let address = proxy.address();
    drop(proxy);
    all(&mut client).await.1.unwrap();
    all(&mut accepted).await.1.unwrap();
    let refused = TcpStream::connect(address).await;
    assert_eq!(refused.unwrap_err().kind(), ErrorKind::ConnectionRefused);
}
