#![deny(unused_must_use)]

use jobq::{Client, Job, job};

#[job]
async fn send(user_id: u64) {
    let _ = user_id;
}

#[derive(Job)]
struct Charge {
    order: u64,
}

pub fn call(client: &Client) {
    send::enqueue(client, 7);
    Charge { order: 7 }.enqueue(client);
    client.enqueue(send::new(7));
}

fn main() {}
