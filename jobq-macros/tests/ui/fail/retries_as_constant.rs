use jobq::job;

#[job(retries = RETRIES)]
async fn send(user_id: u64) {
    drop(user_id);
}

fn main() {}
