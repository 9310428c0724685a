use jobq::job;

#[job(base_delay = "-1s")]
async fn send(user_id: u64) {
    drop(user_id);
}

fn main() {}
