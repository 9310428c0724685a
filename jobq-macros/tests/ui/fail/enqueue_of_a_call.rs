use jobq::{Client, job};

#[job]
async fn send(user_id: u64) {
    drop(user_id);
}

pub async fn call(client: &Client) {
    let _ = client.enqueue(send(7)).await;
}

fn main() {}
