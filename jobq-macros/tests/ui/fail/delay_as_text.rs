use jobq::{Client, job};

#[job]
async fn send(user_id: u64) {
    drop(user_id);
}

pub async fn call(client: &Client) {
    let _ = send::new(7).delay("10s").enqueue(client).await;
}

fn main() {}
