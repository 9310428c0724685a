use jobq::job;

#[job(retries(3))]
async fn send(user_id: u64) {
    drop(user_id);
}

fn main() {}
