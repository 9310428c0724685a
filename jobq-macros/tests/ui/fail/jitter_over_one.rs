use jobq::job;

#[job(jitter = 1.5)]
async fn send(user_id: u64) {
    drop(user_id);
}

fn main() {}
