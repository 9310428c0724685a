use jobq::job;

#[job(timeout = "1 minute")]
async fn send(user_id: u64) {
    drop(user_id);
}

fn main() {}
