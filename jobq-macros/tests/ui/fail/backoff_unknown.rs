use jobq::job;

#[job(backoff = "exponental")]
async fn send(user_id: u64) {
    drop(user_id);
}

fn main() {}
