//! What looking in says: of names and ids, of the server, of bytes that are no envelope.

use bytes::Bytes;
use jobq::{At, Context, DeadRecord, Envelope, Job, JobId, JobState, Options};
use support::RedisServer;

use crate::connecting::vary_address;
use crate::document::Document;

#[derive(Job)]
#[job(name = "resize")]
struct Resize {
    width: u32,
    colour: Option<String>,
}

pub(crate) async fn collect(document: &mut Document) {
    document.group("looking in");
    let client = jobq::connect("memory://").await.unwrap();
    for name in ["", "my mail", "\u{1b}[31m"] {
        let error = client.queue(name).unwrap_err();
        document.error(&format!("client.queue({name:?})"), &error);
        let error = jobq::InspectError::from(error);
        document.error(&format!("the same as an InspectError: {name:?}"), &error);
    }
    let queue = client.queue("mail").unwrap();
    let error = queue.purge(JobState::InFlight).await.unwrap_err();
    document.error("queue.purge(JobState::InFlight)", &error);
    for id in ["", "17", "01890a5d-ac96-774b-bcce"] {
        let error = id.parse::<JobId>().unwrap_err();
        document.error(&format!("{id:?}.parse::<JobId>()"), &error);
    }
    let error = Context::for_test().state::<String>().unwrap_err();
    document.error("ctx.state::<String>() in a test", &error);

    let mut server = RedisServer::start();
    vary_address(document, &server.url());
    let builder = jobq::Client::builder(server.url());
    let builder = builder.timeout(std::time::Duration::from_millis(300));
    let client = support::connected(builder).await;
    server.kill();
    let queue = client.queue("mail").unwrap();
    // The first one notices that the connection is lost.
    let _ = queue.stats().await;
    let error = queue.stats().await.unwrap_err();
    document.error("queue.stats() of a server that is gone", &error);
    let error = queue.jobs(JobState::Ready, 0, 10).await.unwrap_err();
    document.error("queue.jobs() of a server that is gone", &error);

    transfer(document).await;

    document.group("bytes that are no envelope");
    envelopes(document);
}

/// Of a job that is in another place than was said, and by one who may not remove it.
async fn transfer(document: &mut Document) {
    let server = RedisServer::start();
    let mut beside = support::beside(&server.url()).await.unwrap();
    let mut user = redis::cmd("ACL");
    user.arg(&[
        "SETUSER", "ann", "on", ">secret", "~*", "&*", "+@all", "-zrem",
    ]);
    user.exec_async(&mut beside).await.unwrap();
    let url = server.url().replace("redis://", "redis://ann:secret@");
    let client = jobq::connect(url).await.unwrap();
    let resize = Resize {
        width: 7,
        colour: None,
    };
    let hour = std::time::Duration::from_secs(3600);
    resize.delay(hour).enqueue(&client).await.unwrap();
    let (from, to) = (
        client.queue("default").unwrap(),
        client.queue("slow").unwrap(),
    );
    let job = from.jobs(JobState::Delayed, 0, 1).await.unwrap().remove(0);
    let error = from
        .transfer(JobState::Dead, &job, 0, &to)
        .await
        .unwrap_err();
    document.error("queue.transfer(JobState::Dead, …)", &error);
    let moved = from.transfer(JobState::Delayed, &job, 0, &to).await;
    let error = moved.unwrap_err();
    // Redis tells which script it was by its hash, which each change of the script changes.
    let told = format!("{error:?}");
    let hash = told
        .split("script: ")
        .nth(1)
        .and_then(|rest| rest.get(..40));
    document.vary(hash.unwrap(), "HASH");
    document.error("queue.transfer(…) by a user who may not remove", &error);
}

fn envelopes(document: &mut Document) {
    let whole = envelope(b"\x81\xa5width\x07");
    let nested = [
        &whole[..whole.len() - 1],
        &[0x81, 0xa1, b'x'],
        &[0x91; 100][..],
    ]
    .concat();
    let newer = [&whole[..19], &[2], &whole[20..]].concat();
    let option = |bytes: &[u8]| [&whole[..whole.len() - 1], bytes].concat();
    for (cause, bytes) in [
        ("an empty element", Vec::new()),
        ("text", b"hello".to_vec()),
        ("JSON", b"{\"id\": 7}".to_vec()),
        ("half an envelope", whole[..30].to_vec()),
        ("a byte behind it", [&whole[..], b"x"].concat()),
        ("arrays in arrays in arrays", nested),
        ("an envelope of version 2", newer),
        ("a job without a name", envelope_of("", b"\x80").to_vec()),
    ] {
        let error = Envelope::decode(Bytes::from(bytes)).unwrap_err();
        document.error(cause, &error);
    }
    let retries = option(b"\x81\xa7retries\xa4many");
    let error = Envelope::decode(Bytes::from(retries)).unwrap();
    document.error("retries that are a text", &error.options().unwrap_err());
    let error = DeadRecord::decode(&Bytes::from_static(b"hello")).unwrap_err();
    document.error("a dead record that is text", &error);
    let error = "tired".parse::<jobq::Reason>().unwrap_err();
    document.error("\"tired\".parse::<Reason>()", &error);
    for (cause, args) in [
        ("no arguments", &b"\x80"[..]),
        ("a width that is a text", b"\x81\xa5width\xa3big"),
        ("a width below zero", b"\x81\xa5width\xff"),
        (
            "a colour that is a number",
            b"\x82\xa5width\x07\xa6colour\x07",
        ),
        ("a width twice", b"\x82\xa5width\x07\xa5width\x07"),
        ("an array", b"\x91\x07"),
        ("nothing", b""),
    ] {
        let bytes = envelope(args);
        match Envelope::decode(bytes).and_then(|envelope| envelope.arguments::<Resize>()) {
            Err(error) => document.error(&format!("arguments of `resize`: {cause}"), &error),
            Ok(resize) => panic!("{cause}: {} {:?}", resize.width, resize.colour),
        }
    }
}

fn envelope(args: &[u8]) -> Bytes {
    envelope_of("resize", args)
}

fn envelope_of(name: &str, args: &[u8]) -> Bytes {
    let id = JobId::from_bytes([7; 16]);
    Envelope::encode(id, name, args, At::from_ms(1), &Options::default())
}
