use jobq::job;

#[job(jitter = "some")]
async fn send(user_id: u64) {
    drop(user_id);
}

fn main() {}
