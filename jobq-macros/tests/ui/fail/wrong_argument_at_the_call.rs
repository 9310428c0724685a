use jobq::{Client, job};

#[job]
async fn send(user_id: u64, email: String) {
    drop((user_id, email));
}

pub async fn call(client: &Client) {
    let _ = send::enqueue(client, "7", "a@b.c").await;
}

fn main() {}
