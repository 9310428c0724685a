use jobq::job;

#[job(timeout = "30 s")]
async fn send(user_id: u64) {
    drop(user_id);
}

fn main() {}
