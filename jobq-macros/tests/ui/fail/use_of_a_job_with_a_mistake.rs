use jobq::{Client, job};

#[job(retry = 3)]
async fn send(email: String) {
    drop(email);
}

pub async fn call(client: &Client) {
    let _ = send::enqueue(client, "a@b.c").await;
}

fn main() {}
