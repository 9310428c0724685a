use jobq::job;

#[job(retries = -1)]
async fn send(user_id: u64) {
    drop(user_id);
}

fn main() {}
