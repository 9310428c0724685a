use jobq::job;

#[job(timeout = "10min")]
async fn send(user_id: u64) {
    drop(user_id);
}

fn main() {}
