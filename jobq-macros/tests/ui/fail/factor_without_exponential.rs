use jobq::job;

#[job(backoff = "linear", factor = 2.0)]
async fn send(user_id: u64) {
    drop(user_id);
}

fn main() {}
