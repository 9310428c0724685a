use jobq::job;

#[job(timeout = "0s")]
async fn send(user_id: u64) {
    drop(user_id);
}

fn main() {}
